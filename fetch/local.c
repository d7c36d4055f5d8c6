/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "fetch/ignore.h"

struct filter {
	const struct fetch_local *from;
	struct ignore *ignore;
};

static bool is_git(const char *path)
{
	return strcmp(text_path_name(path), ".git") == 0;
}

static bool skip(void *arg, const char *path, bool is_dir)
{
	const struct filter *f = arg;

	if (f->from->skip_dir != NULL && strcmp(path, f->from->skip_dir) == 0)
		return true;
	if (f->from->gitignore && is_git(path))
		return true;
	return ignore_has(f->ignore, path, is_dir);
}

/** Reads a directory's .gitignore; what is no regular file is none, a link neither (as for git). */
static int read_ignore(int dirfd, struct buf *out, struct err *err)
{
	struct stat st;
	auto_fd fd = openat(dirfd, ".gitignore", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == ELOOP))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_INPUT, errno, "read .gitignore");
	if (!S_ISREG(st.st_mode))
		return 0;
	if (io_read_all(fd, IGNORE_FILE_MAX, out, err) < 0) {
		err->kind = ERR_INPUT;
		return err_ctx(err, "read .gitignore");
	}
	return 0;
}

static int enter(void *arg, int dirfd, const char *path, struct err *err)
{
	const struct filter *f = arg;
	auto_buf text = {0};

	if (f->from->gitignore && read_ignore(dirfd, &text, err) < 0)
		return err_ctx(err, "%.1000s", path);
	return ignore_enter(f->ignore, path, text.data, text.len, err);
}

static void leave(void *arg)
{
	const struct filter *f = arg;

	ignore_leave(f->ignore);
}

/** The walk, with the right to read inputs. */
static int snapshot(struct store *store, struct filter *f, struct tree_builder *b, struct snapshot_stats *ret, struct err *err)
{
	const struct ident *id = store_ident(store);
	const struct snapshot_filter filter = { .skip = skip, .enter = enter, .leave = leave, .arg = f };
	const struct snapshot_options opt = { .form = TREE_SOURCE, .filter = &filter, .stat_cache = true };

	if (ident_read_begin(id, err) < 0)
		return -1;
	return ident_read_done(id, store_snapshot(store, f->from->dirfd, &opt, b, ret, err), err);
}

int fetch_local(struct store *store, const struct fetch_local *from, struct digest *ret, struct snapshot_stats *ret_stats, struct err *err)
{
	struct filter f = { .from = from };
	struct snapshot_stats stats;
	auto_ignore ignore = NULL;
	auto_tree_builder b = NULL;

	if (ignore_new(from->exclude, &ignore, err) < 0 || tree_builder_new(&b, err) < 0)
		return err_ctx(err, "source '%.1000s'", from->path);
	f.ignore = ignore;
	if (snapshot(store, &f, b, &stats, err) < 0 || store_put_tree(store, b, ret, err) < 0)
		return err_ctx(err, "source '%.1000s'", from->path);
	if (ret_stats != NULL)
		*ret_stats = stats;
	return 0;
}

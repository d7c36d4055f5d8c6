/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/left.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "store/store.h"

/** How much of a name people are shown. */
#define NAME_SHOWN 60

struct walk {
	struct left *left;
	struct buf *path;      /**< of the entry at hand */
	size_t depth;
	uint64_t most;
};

void left_clear(struct left *left)
{
	free(left->largest_path);
	*left = (struct left){0};
}

static int fail(const struct walk *w, int sys, struct err *err)
{
	return err_set(err, ERR_INTERNAL, sys, "measure '%.1000s'", w->path->len == 0 ? "." : w->path->data);
}

static int count(const struct walk *w, const struct stat *st, struct err *err)
{
	struct left *l = w->left;
	uint64_t size = S_ISREG(st->st_mode) || S_ISLNK(st->st_mode) ? (uint64_t)st->st_size : 0;

	l->entries++;
	if (__builtin_add_overflow(l->bytes, size, &l->bytes))
		l->bytes = UINT64_MAX;
	if (!S_ISREG(st->st_mode) || (l->largest_path != NULL && size <= l->largest))
		return 0;
	char *path = strdup(w->path->data);
	if (path == NULL)
		return fail(w, ENOMEM, err);
	free(l->largest_path);
	l->largest_path = path;
	l->largest = size;
	return 0;
}

static int walk_dir(struct walk *w, int dirfd, const char *name, struct err *err);

static int look_at(struct walk *w, int dirfd, const char *name, struct err *err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(w, errno, err);
	if (count(w, &st, err) < 0)
		return -1;
	return S_ISDIR(st.st_mode) && w->depth < TREE_DEPTH_MAX ? walk_dir(w, dirfd, name, err) : 0;
}

/** With @p name at the end of the path. */
static int at_name(struct walk *w, int dirfd, const char *name, struct err *err)
{
	size_t len = w->path->len;

	if (len != 0)
		buf_addc(w->path, '/');
	buf_adds(w->path, name);
	if (buf_check(w->path, "path", err) < 0 || look_at(w, dirfd, name, err) < 0)
		return -1;
	buf_seal(w->path, len);
	return 0;
}

static int walk_entries(struct walk *w, DIR *dir, struct err *err)
{
	while (w->left->entries <= w->most) {
		errno = 0;
		const struct dirent *e = readdir(dir);

		if (e == NULL)
			return errno == 0 ? 0 : fail(w, errno, err);
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && at_name(w, dirfd(dir), e->d_name, err) < 0)
			return -1;
	}
	return 0;
}

static int walk_dir(struct walk *w, int dirfd, const char *name, struct err *err)
{
	auto_fd fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == EACCES ? 0 : fail(w, errno, err);
	auto_dir dir = fdopendir(fd);
	if (dir == NULL)
		return fail(w, errno, err);
	(void)move_fd(&fd);
	w->depth++;
	int result = walk_entries(w, dir, err);
	w->depth--;
	return result;
}

int left_add(struct left *left, int dirfd, uint64_t most, struct err *err)
{
	auto_buf path = {0};
	struct walk w = { .left = left, .path = &path, .most = most };

	return walk_dir(&w, dirfd, ".", err);
}

bool left_too_much(const struct left *left, const struct sandbox_limits *limits, struct sandbox_result *result)
{
	enum sandbox_limit which = left->entries > sandbox_limit_of(limits, SANDBOX_LIMIT_WORK_FILES) ? SANDBOX_LIMIT_WORK_FILES
				 : left->bytes > sandbox_limit_of(limits, SANDBOX_LIMIT_WORK) ? SANDBOX_LIMIT_WORK : SANDBOX_NO_LIMIT;

	if (which == SANDBOX_NO_LIMIT)
		return false;
	result->limit = which;
	result->limit_value = sandbox_limit_of(limits, which);
	if (result->end != SANDBOX_CANCELLED) {
		result->end = SANDBOX_LIMITED;
		result->code = SIGKILL;
	}
	return true;
}

void left_text(struct buf *out, const struct left *left)
{
	buf_addf(out, "it left %" PRIu64 " bytes in %" PRIu64 " entr%s", left->bytes, left->entries,
		 left->entries == 1 ? "y" : "ies");
	if (left->largest_path == NULL)
		return;
	buf_adds(out, ", the largest is '");
	text_brief(out, left->largest_path, strlen(left->largest_path), NAME_SHOWN);
	buf_addf(out, "' with %" PRIu64, left->largest);
}

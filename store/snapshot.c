/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/** A walk through a directory. */
struct walk {
	const struct snapshot_options *opt;
	const struct ident *ident;
	struct snapshot_reader reader;
	struct tree_builder *builder;
	struct snapshot_stats stats;
	struct buf *path;              /**< of the entry at hand, from the root */
};

static int walk_entries(struct walk *w, DIR *dir, struct err *err);

/** Fills in mode and ids from @p st by the normal form. */
static void normalise(const struct walk *w, const struct stat *st, struct tree_entry *e)
{
	const struct ident *id = w->ident;

	if (w->opt->form == TREE_SOURCE) {
		e->mode = e->type == TREE_DIR || (st->st_mode & S_IXUSR) != 0 ? 0755 : 0644;
		return;
	}
	e->mode = st->st_mode & TREE_MODE_BITS;
	e->uid = !id->real_root && st->st_uid == id->caller_uid ? 0 : st->st_uid;
	e->gid = !id->real_root && st->st_gid == id->caller_gid ? 0 : st->st_gid;
}

static const char *shown_path(const struct walk *w)
{
	return w->path->len == 0 ? "." : w->path->data;
}

/** An error of reading the entry at hand. */
static int fail(const struct walk *w, int sys, const char *doing, struct err *err)
{
	if (sys == ENOENT || sys == ELOOP || sys == ENOTDIR)
		return err_set(err, ERR_INPUT, 0, "%s '" SHOWN "': it changed while the tree was read: stop what writes to it", doing,
			       shown_path(w));
	return err_set(err, ERR_INPUT, sys, "%s '" SHOWN "'", doing, shown_path(w));
}

static void lost(const struct walk *w, mode_t mode)
{
	if (w->opt->lost != NULL)
		w->opt->lost(w->opt->lost_arg, w->path->data, mode);
}

static int take_file(struct walk *w, int dirfd, const char *name, struct err *err)
{
	struct stat st;
	struct tree_entry e = { .path = w->path->data, .type = TREE_FILE };
	/* O_NONBLOCK: a fifo put here meanwhile must not make us wait. */
	auto_fd fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(w, errno, "read", err);
	if (!S_ISREG(st.st_mode))
		return fail(w, ENOENT, "read", err);
	if (snapshot_file(&w->reader, fd, e.path, &e.digest, &st, err) < 0)
		return err_ctx(err, "'" SHOWN "'", e.path);
	normalise(w, &st, &e);
	e.size = (uint64_t)st.st_size;
	w->stats.files++;
	w->stats.bytes += e.size;
	if ((st.st_mode & (S_ISUID | S_ISGID)) != 0) {
		w->stats.setid++;
		lost(w, st.st_mode);
	}
	return tree_builder_add(w->builder, &e, err);
}

static int take_link(struct walk *w, int dirfd, const char *name, struct err *err)
{
	char target[TREE_LINK_MAX + 2];
	struct stat st;
	struct tree_entry e = { .path = w->path->data, .type = TREE_LINK, .link = target };
	ssize_t n = readlinkat(dirfd, name, target, sizeof target - 1);

	if (n < 0 || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(w, n < 0 && errno == EINVAL ? ENOENT : errno, "read link", err);
	target[n] = '\0';
	normalise(w, &st, &e);
	w->stats.links++;
	return tree_builder_add(w->builder, &e, err);
}

static int add_dir(struct walk *w, int fd, const char *path, struct err *err)
{
	struct stat st;
	struct tree_entry e = { .path = path, .type = TREE_DIR };

	if (fstat(fd, &st) < 0)
		return fail(w, errno, "read directory", err);
	if (w->path->len == 0)
		e.mode = 0755;
	else
		normalise(w, &st, &e);
	w->stats.dirs++;
	return tree_builder_add(w->builder, &e, err);
}

/** Adds the directory @p fd, taken over, and all below it. */
static int walk_dir(struct walk *w, int fd, struct err *err)
{
	const struct snapshot_filter *filter = w->opt->filter;
	auto_fd own = fd;
	auto_dir dir = fdopendir(fd);

	if (dir == NULL)
		return fail(w, errno, "read directory", err);
	move_fd(&own);
	if (add_dir(w, fd, shown_path(w), err) < 0)
		return -1;
	if (filter != NULL && filter->enter != NULL && filter->enter(filter->arg, fd, shown_path(w), err) < 0)
		return -1;
	int result = walk_entries(w, dir, err);
	if (filter != NULL && filter->leave != NULL)
		filter->leave(filter->arg);
	return result;
}

static int take_dir(struct walk *w, int dirfd, const char *name, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? fail(w, errno, "read directory", err) : walk_dir(w, fd, err);
}

static int take_odd(struct walk *w, unsigned char type, struct err *err)
{
	if (!w->opt->skip_odd)
		return err_set(err, ERR_INPUT, 0, "'" SHOWN "' is neither file, directory nor link: remove it, or exclude it",
			       w->path->data);
	w->stats.odd++;
	lost(w, DTTOIF(type));
	return 0;
}

/** The type of an entry as readdir(3) tells it, where the file system does. */
static int type_of(struct walk *w, int dirfd, const struct dirent *d, unsigned char *ret, struct err *err)
{
	struct stat st;

	*ret = d->d_type;
	if (d->d_type != DT_UNKNOWN)
		return 0;
	if (fstatat(dirfd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(w, errno, "read", err);
	*ret = IFTODT(st.st_mode);
	return 0;
}

static bool is_skipped(const struct walk *w, bool is_dir)
{
	const struct snapshot_filter *filter = w->opt->filter;

	return filter != NULL && filter->skip != NULL && filter->skip(filter->arg, w->path->data, is_dir);
}

static int take_entry(struct walk *w, int dirfd, const struct dirent *d, struct err *err)
{
	unsigned char type;

	if (type_of(w, dirfd, d, &type, err) < 0)
		return -1;
	if (is_skipped(w, type == DT_DIR))
		return 0;
	switch (type) {
	case DT_DIR: return take_dir(w, dirfd, d->d_name, err);
	case DT_REG: return take_file(w, dirfd, d->d_name, err);
	case DT_LNK: return take_link(w, dirfd, d->d_name, err);
	default: return take_odd(w, type, err);
	}
}

/** Appends @p name to the path, takes the entry, and takes the name off again. */
static int at_name(struct walk *w, int dirfd, const struct dirent *d, struct err *err)
{
	size_t len = w->path->len;

	if (len != 0)
		buf_addc(w->path, '/');
	buf_adds(w->path, d->d_name);
	if (buf_check(w->path, "path", err) < 0 || take_entry(w, dirfd, d, err) < 0)
		return -1;
	buf_seal(w->path, len);
	return 0;
}

static int walk_entries(struct walk *w, DIR *dir, struct err *err)
{
	for (;;) {
		errno = 0;
		struct dirent *d = readdir(dir);

		if (d == NULL)
			return errno == 0 ? 0 : fail(w, errno, "read directory", err);
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (at_name(w, dirfd(dir), d, err) < 0)
			return -1;
	}
}

int store_snapshot(struct store *store, int dirfd, const struct snapshot_options *opt, struct tree_builder *b,
		   struct snapshot_stats *ret, struct err *err)
{
	struct ident id;
	auto_store_writer writer = NULL;
	auto_buf path = {0};
	/* A descriptor of its own, with its own place among the entries. */
	auto_fd root = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_set(err, ERR_INPUT, errno, "read directory '.'");
	if (store == NULL && ident_detect(&id, err) < 0)
		return -1;
	if (store_writer_begin(opt->digest_only ? NULL : store, &writer, err) < 0)
		return -1;
	struct walk w = {
		.opt = opt, .builder = b, .path = &path,
		.ident = store == NULL ? &id : store_ident(store),
		.reader = { .writer = writer, .opt = opt },
	};
	if (walk_dir(&w, move_fd(&root), err) < 0)
		return -1;
	*ret = w.stats;
	return 0;
}

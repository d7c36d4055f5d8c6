/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "rootfs/contents.h"
#include "rootfs/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/** A directory that gets its mode and time when all in it is there. */
struct late {
	char *path;
	unsigned mode;
};

/** Directories with less names in their path have theirs spread. */
#define SPREAD_DEPTH 3

struct layout {
	struct cursor at;
	bool close_by;             /**< the file system knows no spreading, or none is wanted */
	struct late *late;
	size_t nlate, late_cap;
	struct contents *contents;
};

static void layout_clear(struct layout *l)
{
	contents_free(l->contents);
	cursor_close(&l->at);
	for (size_t i = 0; i < l->nlate; i++)
		free(l->late[i].path);
	free(l->late);
}
#define auto_layout __attribute__((cleanup(layout_clear))) struct layout

static int fail(const struct layout *l, const char *path, int sys, struct err *err)
{
	return contents_failed(l->at.root, contents_bytes(l->contents), path, sys, err);
}

/** Finds the directory of @p path, and the name in it. */
static int find_dir(struct layout *l, const char *path, int *ret_fd, const char **ret_name, struct err *err)
{
	return cursor_at(&l->at, path, ret_fd, ret_name) < 0 ? fail(l, path, errno, err) : 0;
}

/** Makes a file, in its turn: some file systems list files in the order in which they were made. */
static int lay_file(struct layout *l, const struct tree_entry *e, int dir, const char *name, struct err *err)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, e->mode);

	return fd < 0 ? fail(l, e->path, errno, err) : contents_fill(l->contents, fd, e, err);
}

static int lay_link(const struct layout *l, const struct tree_entry *e, int dir, const char *name, struct err *err)
{
	const struct timespec times[2] = { { .tv_sec = ROOTFS_MTIME }, { .tv_sec = ROOTFS_MTIME } };

	if (symlinkat(e->link, dir, name) < 0 || utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(l, e->path, errno, err);
	return 0;
}

/** Notes a directory down for finish_dirs(). */
static int add_late(struct layout *l, const struct tree_entry *e, struct err *err)
{
	if (!array_room(&l->late, l->nlate, &l->late_cap))
		return err_set(err, ERR_INTERNAL, ENOMEM, "lay out '" SHOWN "'", e->path);
	char *path = strdup(e->path);
	if (path == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "lay out '" SHOWN "'", e->path);
	l->late[l->nlate++] = (struct late){ path, e->mode };
	return 0;
}

/** Spreads what is made in directory @p name, if that lies high enough. */
static void spread(struct layout *l, const char *path, int dir, const char *name)
{
	unsigned depth = 1;

	for (const char *p = path; *p != '\0'; p++)
		depth += *p == '/';
	if (l->close_by || depth >= SPREAD_DEPTH)
		return;
	auto_fd fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	l->close_by = fd >= 0 && !io_spread(fd);
}

static int lay_dir(struct layout *l, const struct tree_entry *e, int dir, const char *name, struct err *err)
{
	if (mkdirat(dir, name, 0700) < 0)
		return fail(l, e->path, errno, err);
	spread(l, e->path, dir, name);
	return 0;
}

static int lay_entry(struct layout *l, const struct tree_entry *e, struct err *err)
{
	int dir;
	const char *name;

	if (e->type == TREE_DIR && add_late(l, e, err) < 0)
		return -1;
	if (strcmp(e->path, ".") == 0)
		return 0;
	if (find_dir(l, e->path, &dir, &name, err) < 0)
		return -1;
	switch (e->type) {
	case TREE_DIR: return lay_dir(l, e, dir, name, err);
	case TREE_FILE: return lay_file(l, e, dir, name, err);
	case TREE_LINK: return lay_link(l, e, dir, name, err);
	}
	return 0;
}

static int finish_dir(struct layout *l, const struct late *late, struct err *err)
{
	int dir;
	const char *name;

	if (find_dir(l, late->path, &dir, &name, err) < 0)
		return -1;
	auto_fd fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, late->mode) < 0 || contents_set_time(fd) < 0)
		return fail(l, late->path, errno, err);
	return 0;
}

/** Gives directories mode and time, children first: by then nothing is made in them, and a mode may lock us out. */
static int finish_dirs(struct layout *l, struct err *err)
{
	for (size_t i = l->nlate; i > 0; i--)
		if (finish_dir(l, &l->late[i - 1], err) < 0)
			return -1;
	return 0;
}

int rootfs_materialise(struct store *store, const struct digest *d, int dirfd, struct err *err)
{
	auto_tree_reader r = NULL;
	struct tree_entry e;
	int more;
	auto_layout l = { .at = { .root = dirfd } };

	if (contents_begin(store, dirfd, &l.contents, err) < 0 || store_read_tree(store, d, &r, err) < 0)
		return -1;
	l.close_by = !io_spread(dirfd);
	while ((more = tree_reader_next(r, &e, err)) > 0)
		if (lay_entry(&l, &e, err) < 0)
			return -1;
	return more < 0 || contents_finish(l.contents, err) < 0 ? -1 : finish_dirs(&l, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"

/** Directories with less names in their path have theirs spread. */
#define SPREAD_DEPTH 3

void layout_clear(struct layout *l)
{
	contents_free(l->contents);
	cursor_close(&l->at);
	for (size_t i = 0; i < l->nlate; i++)
		free(l->late[i].path);
	free(l->late);
}

static int fail(const struct layout *l, const char *path, int sys, struct err *err)
{
	return contents_failed(l->at.root, l->contents == NULL ? 0 : contents_bytes(l->contents), path, sys, err);
}

/** Finds the directory of @p path, and the name in it. */
static int find_dir(struct layout *l, const char *path, int *ret_fd, const char **ret_name, struct err *err)
{
	return cursor_at(&l->at, path, ret_fd, ret_name) < 0 ? fail(l, path, errno, err) : 0;
}

static int lay_file(const struct layout *l, const struct tree_entry *e, int dir, const char *name, int *ret_fd, struct err *err)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, e->mode);

	if (fd < 0)
		return fail(l, e->path, errno, err);
	*ret_fd = fd;
	return 0;
}

static int lay_link(const struct layout *l, const struct tree_entry *e, int dir, const char *name, struct err *err)
{
	const struct timespec times[2] = { { .tv_sec = ROOTFS_MTIME }, { .tv_sec = ROOTFS_MTIME } };

	if (symlinkat(e->link, dir, name) < 0 || utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(l, e->path, errno, err);
	return 0;
}

/** Notes a directory down for layout_finish(). */
static int add_late(struct layout *l, const struct tree_entry *e, struct err *err)
{
	if (!array_room(&l->late, l->nlate, &l->late_cap))
		return err_set(err, ERR_INTERNAL, ENOMEM, "lay out '" SHOWN "'", e->path);
	char *path = strdup(e->path);
	if (path == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "lay out '" SHOWN "'", e->path);
	l->late[l->nlate++] = (struct layout_late){ path, e->mode };
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

int layout_make(struct layout *l, const struct tree_entry *e, int *ret_fd, struct err *err)
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
	case TREE_FILE: return lay_file(l, e, dir, name, ret_fd, err);
	case TREE_LINK: return lay_link(l, e, dir, name, err);
	}
	return 0;
}

static int finish_dir(struct layout *l, const struct layout_late *late, struct err *err)
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

int layout_finish(struct layout *l, struct err *err)
{
	/* Children first: by then nothing is made in them, and a mode may lock us out. */
	for (size_t i = l->nlate; i > 0; i--)
		if (finish_dir(l, &l->late[i - 1], err) < 0)
			return -1;
	return 0;
}

void layout_begin(struct layout *l, int root)
{
	l->at.root = root;
	l->close_by = !io_spread(root);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removal of trees that hostile programs have made. Three things are taken for
 * granted elsewhere and not here: that a path has a bounded depth (a chain of
 * mkdir and chdir goes on until the inodes end), that a directory's mode lets
 * its owner in, and that all beneath a directory is on the same mount.
 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/own.h"

/** Levels that are walked with a descriptor and a stack frame each. A directory that is met
 *  deeper is moved up to the top of the tree and emptied from there in a later pass: any depth
 *  is removed with this many descriptors, and each directory is moved at most once. */
#define REMOVE_DEPTH_MAX 32

struct removal {
	int top;     /**< the directory that is being removed; borrowed */
	bool moved;  /**< something was moved up to it in this pass */
};

static int failed(const char *name, struct err *err)
{
	if (errno == EXDEV)
		return err_set(err, ERR_INTERNAL, 0,
			       "remove '%s': something is mounted there; unmount it and try again", name);
	return err_set(err, ERR_INTERNAL, errno, "remove '%s'", name);
}

/** Opens a directory that is no link and no mount point: RESOLVE_NO_XDEV sees bind mounts of the
 *  same file system too, which a comparison of st_dev does not. */
static int open_inside(int dirfd, const char *name, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, dirfd, name, &how, sizeof how);
}

/** Opens a directory whose mode keeps even its owner out. */
static int open_closed(int dirfd, const char *name)
{
	char self[sizeof "/proc/self/fd/" + 3 * sizeof(int)];
	auto_fd path = open_inside(dirfd, name, O_PATH);

	if (path < 0)
		return -1;
	/* fchmod(2) does not take O_PATH, and fchmodat(2) would follow a link put here meanwhile. */
	snprintf(self, sizeof self, "/proc/self/fd/%d", path);
	if (chmod(self, S_IRWXU) < 0) {
		errno = EACCES;
		return -1;
	}
	return openat(path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/** Opens a directory to empty it, giving ourselves the rights where its mode denies them. */
static int open_to_empty(int dirfd, const char *name)
{
	struct stat st;
	int fd = open_inside(dirfd, name, O_RDONLY);

	if (fd < 0 && errno == EACCES)
		return open_closed(dirfd, name);
	/* Readable, but not to be changed: what cannot be opened up is reported by the unlink that follows. */
	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & S_IRWXU) != S_IRWXU)
		(void)!fchmod(fd, S_IRWXU);
	return fd;
}

/** Puts a directory that lies too deep into the top one, under a name that nobody can have taken. */
static int move_up(int dirfd, const char *name, struct removal *r, struct err *err)
{
	char to[33];

	if (io_random_hex(to, err) < 0)
		return -1;
	if (renameat(dirfd, name, r->top, to) < 0)
		return errno == ENOENT ? 0 : failed(name, err);
	r->moved = true;
	return 0;
}

static int remove_content(DIR *dir, unsigned depth, struct removal *r, struct err *err);

static int remove_dir(int dirfd, const char *name, unsigned depth, struct removal *r, struct err *err)
{
	auto_fd fd = open_to_empty(dirfd, name);

	if (fd < 0)
		return errno == ENOENT ? 0 : failed(name, err);
	if (depth >= REMOVE_DEPTH_MAX)
		return move_up(dirfd, name, r, err);
	auto_dir dir = fdopendir(fd);
	if (dir == NULL)
		return failed(name, err);
	move_fd(&fd);
	if (remove_content(dir, depth, r, err) < 0)
		return -1;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return failed(name, err);
	return 0;
}

/** Empties @p dir, which lies @p depth levels below the top (0: is the top). */
static int remove_content(DIR *dir, unsigned depth, struct removal *r, struct err *err)
{
	for (;;) {
		errno = 0;
		struct dirent *e = readdir(dir);

		if (e == NULL)
			return errno == 0 ? 0 : err_set(err, ERR_INTERNAL, errno, "read a directory to remove it");
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), e->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR)
			return failed(e->d_name, err);
		if (remove_dir(dirfd(dir), e->d_name, depth + 1, r, err) < 0)
			return -1;
	}
}

/** Empties the top directory, again for as long as what lay too deep was moved into it. */
static int remove_top(int parent, const char *name, struct err *err)
{
	auto_fd fd = open_to_empty(parent, name);

	if (fd < 0)
		return errno == ENOENT ? 0 : failed(name, err);
	auto_dir dir = fdopendir(fd);
	if (dir == NULL)
		return failed(name, err);
	struct removal r = { .top = move_fd(&fd), .moved = true };
	while (r.moved) {
		r.moved = false;
		rewinddir(dir);
		if (remove_content(dir, 0, &r, err) < 0)
			return err_ctx(err, "below '%s'", name);
	}
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return failed(name, err);
	return 0;
}

int io_remove_tree(int dirfd, const char *path, struct err *err)
{
	const char *name;
	auto_fd parent = -1;
	struct err why = {0};

	if (io_open_parent(dirfd, path, O_PATH, &parent, &name, &why) < 0) {
		if (why.sys == ENOENT)
			return 0;
		*err = why;
		return err_ctx(err, "remove '%s'", path);
	}
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, ERR_INTERNAL, EINVAL, "remove '%s'", path);
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	return errno == EISDIR ? remove_top(parent, name, err) : failed(name, err);
}

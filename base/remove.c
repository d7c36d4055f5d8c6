/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"

/** Deeper trees than this are left, with an error: each level holds a descriptor. */
#define REMOVE_DEPTH_MAX 900

struct removal {
	dev_t dev;      /**< never leave this file system */
	unsigned depth;
};

static int remove_entry(int dirfd, const char *name, struct removal *r, struct err *err);

static int remove_content(DIR *dir, struct removal *r, struct err *err)
{
	for (;;) {
		errno = 0;
		struct dirent *e = readdir(dir);

		if (e == NULL)
			return errno == 0 ? 0 : err_set(err, ERR_INTERNAL, errno, "read a directory to remove it");
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (remove_entry(dirfd(dir), e->d_name, r, err) < 0)
			return -1;
	}
}

/** Opens a directory to empty it, giving ourselves the rights where its mode denies them. */
static int open_to_empty(int dirfd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int fd = openat(dirfd, name, flags);

	/* fchmodat would follow a link put here meanwhile; what we remove is ours alone, and the
	 * O_NOFOLLOW refuses to go on through one. */
	if (fd < 0 && errno == EACCES && fchmodat(dirfd, name, S_IRWXU, 0) == 0)
		return openat(dirfd, name, flags);
	/* Readable, but not to be changed: what cannot be opened up is reported by the unlink below. */
	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & S_IRWXU) != S_IRWXU)
		(void)!fchmod(fd, S_IRWXU);
	return fd;
}

static int remove_dir(int dirfd, const char *name, struct removal *r, struct err *err)
{
	struct stat st;
	auto_fd fd = open_to_empty(dirfd, name);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(err, ERR_INTERNAL, errno, "remove '%s'", name);
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_INTERNAL, errno, "remove '%s'", name);
	if (st.st_dev != r->dev)
		return err_set(err, ERR_INTERNAL, 0, "remove '%s': another file system is mounted there", name);
	if (r->depth >= REMOVE_DEPTH_MAX)
		return err_set(err, ERR_INTERNAL, 0, "remove '%s': nested deeper than %d", name, REMOVE_DEPTH_MAX);
	auto_dir dir = fdopendir(fd);
	if (dir == NULL)
		return err_set(err, ERR_INTERNAL, errno, "remove '%s'", name);
	move_fd(&fd);
	r->depth++;
	int result = remove_content(dir, r, err);
	r->depth--;
	if (result < 0)
		return err_ctx(err, "%s", name);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_set(err, ERR_INTERNAL, errno, "remove '%s'", name);
	return 0;
}

static int remove_entry(int dirfd, const char *name, struct removal *r, struct err *err)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_set(err, ERR_INTERNAL, errno, "remove '%s'", name);
	return remove_dir(dirfd, name, r, err);
}

int io_remove_tree(int dirfd, const char *name, struct err *err)
{
	struct stat st;
	struct removal r = {0};

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(err, ERR_INTERNAL, errno, "remove '%s'", name);
	r.dev = st.st_dev;
	return remove_entry(dirfd, name, &r, err);
}

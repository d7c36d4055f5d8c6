/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"

/** Name of an unfinished file: short whatever the final name is, so that a name of NAME_MAX bytes works. */
#define TEMP_SIZE sizeof ".glovebox-0123456789abcdef0123456789abcdef.tmp"

static int temp_name(char out[TEMP_SIZE], struct err *err)
{
	char random[33];

	if (io_random_hex(random, err) < 0)
		return -1;
	snprintf(out, TEMP_SIZE, ".glovebox-%s.tmp", random);
	return 0;
}

static int fill(int fd, const void *data, size_t n, mode_t mode, int flags, struct err *err)
{
	if (io_write_all(fd, data, n, err) < 0)
		return -1;
	/* The caller's umask does not decide what the program promises. */
	if (fchmod(fd, mode) < 0)
		return err_set(err, ERR_INTERNAL, errno, "set the mode");
	if ((flags & IO_DURABLE) && fsync(fd) < 0)
		return err_set(err, ERR_INTERNAL, errno, "sync");
	return 0;
}

/** Gives @p temp a name that nobody has. Not every file system can rename so (NFS cannot), nor do all have hard links (FAT has none). */
static int rename_to_free(int dir, const char *temp, const char *name)
{
	if (renameat2(dir, temp, dir, name, RENAME_NOREPLACE) == 0)
		return 0;
	if ((errno != EINVAL && errno != ENOSYS) || linkat(dir, temp, dir, name, 0) < 0)
		return -1;
	unlinkat(dir, temp, 0);
	return 0;
}

/** Gives the finished @p temp its name. */
static int put_in_place(int dir, const char *temp, const char *name, int flags, struct err *err)
{
	if (flags & IO_EXCL) {
		if (rename_to_free(dir, temp, name) < 0)
			return err_set(err, errno == EEXIST ? ERR_USAGE : ERR_INTERNAL, errno, "create");
	} else if (renameat(dir, temp, dir, name) < 0) {
		return err_set(err, ERR_INTERNAL, errno, "rename");
	}
	return 0;
}

/** Makes the file @p name in the directory @p dir. */
static int publish_in(int dir, const char *name, const void *data, size_t n, mode_t mode, int flags, struct err *err)
{
	char temp[TEMP_SIZE];

	if (temp_name(temp, err) < 0)
		return -1;
	/* Never more open than it will be in the end: it may hold a key. */
	auto_fd fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0600);
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "create a file beside it");
	if (fill(fd, data, n, mode, flags, err) < 0 || put_in_place(dir, temp, name, flags, err) < 0) {
		unlinkat(dir, temp, 0);
		return -1;
	}
	if ((flags & IO_DURABLE) && fsync(dir) < 0)
		return err_set(err, ERR_INTERNAL, errno, "sync its directory");
	return 0;
}

int io_publish(int dirfd, const char *path, const void *data, size_t n, mode_t mode, int flags, struct err *err)
{
	const char *name;
	auto_fd dir = -1;

	/* Opened before anything is written: a directory that cannot be synced must not be found out last. */
	if (io_open_parent(dirfd, path, flags & IO_DURABLE ? O_RDONLY : O_PATH, &dir, &name, err) < 0 ||
	    publish_in(dir, name, data, n, mode, flags, err) < 0)
		return err_ctx(err, "write '%s'", path);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"

/** Piece in which files are read and copied. */
#define IO_CHUNK (128 * 1024)

int io_write_all(int fd, const void *data, size_t n, struct err *err)
{
	const char *p = data;

	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_set(err, ERR_INTERNAL, errno, "write");
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

int io_read_full(int fd, void *data, size_t n, size_t *ret_got, struct err *err)
{
	char *p = data;
	size_t got = 0;

	while (got < n) {
		ssize_t done = read(fd, p + got, n - got);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_set(err, ERR_INTERNAL, errno, "read");
		if (done == 0)
			break;
		got += (size_t)done;
	}
	*ret_got = got;
	return 0;
}

int io_read_all(int fd, size_t max, struct buf *out, struct err *err)
{
	size_t start = out->len;

	for (;;) {
		size_t got;
		char *to = buf_room(out, IO_CHUNK);

		if (to == NULL)
			return buf_check(out, "read", err);
		if (io_read_full(fd, to, IO_CHUNK, &got, err) < 0)
			return -1;
		buf_seal(out, out->len + got);
		if (out->len - start > max)
			return err_set(err, ERR_USAGE, 0, "larger than the limit of %zu bytes", max);
		if (got < IO_CHUNK)
			return 0;
	}
}

int io_read_file(int dirfd, const char *path, size_t max, struct buf *out, struct err *err)
{
	struct stat st;
	/* O_NONBLOCK: a fifo must not make us wait before we can refuse it. */
	auto_fd fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return err_set(err, ERR_INPUT, errno, "open '%s'", path);
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_INPUT, errno, "stat '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, 0, "'%s' is not a regular file", path);
	if (io_read_all(fd, max, out, err) < 0)
		return err_ctx(err, "read '%s'", path);
	return 0;
}

/** Syncs the directory that holds @p path. */
static int sync_parent(int dirfd, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	auto_free char *parent = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + (slash == path));

	if (parent == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "sync the directory of '%s'", path);
	auto_fd fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return err_set(err, ERR_INTERNAL, errno, "sync the directory of '%s'", path);
	return 0;
}

/** Writes the content into the new file @p temp. */
static int write_beside(int dirfd, const char *temp, const void *data, size_t n, mode_t mode, int flags,
			struct err *err)
{
	auto_fd fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "create '%s'", temp);
	/* The caller's umask does not decide what the program promises. */
	if (fchmod(fd, mode) < 0)
		return err_set(err, ERR_INTERNAL, errno, "set the mode of '%s'", temp);
	if (io_write_all(fd, data, n, err) < 0)
		return err_ctx(err, "'%s'", temp);
	if ((flags & IO_DURABLE) && fsync(fd) < 0)
		return err_set(err, ERR_INTERNAL, errno, "sync '%s'", temp);
	return 0;
}

/** Gives the finished @p temp its name. */
static int put_in_place(int dirfd, const char *temp, const char *path, int flags, struct err *err)
{
	if (!(flags & IO_EXCL)) {
		if (renameat(dirfd, temp, dirfd, path) < 0)
			return err_set(err, ERR_INTERNAL, errno, "rename to '%s'", path);
		return 0;
	}
	if (linkat(dirfd, temp, dirfd, path, 0) < 0)
		return err_set(err, errno == EEXIST ? ERR_USAGE : ERR_INTERNAL, errno, "create '%s'", path);
	unlinkat(dirfd, temp, 0);
	return 0;
}

int io_publish(int dirfd, const char *path, const void *data, size_t n, mode_t mode, int flags, struct err *err)
{
	char random[33];
	auto_buf temp = {0};

	if (io_random_hex(random, err) < 0)
		return -1;
	buf_addf(&temp, "%s.%.12s.tmp", path, random);
	if (buf_check(&temp, "file name", err) < 0)
		return -1;
	if (write_beside(dirfd, temp.data, data, n, mode, flags, err) < 0 ||
	    put_in_place(dirfd, temp.data, path, flags, err) < 0) {
		unlinkat(dirfd, temp.data, 0);
		return -1;
	}
	return flags & IO_DURABLE ? sync_parent(dirfd, path, err) : 0;
}

int io_mkdirs(int dirfd, const char *path, mode_t mode, struct err *err)
{
	auto_free char *part = strdup(path);
	struct stat st;

	if (part == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "make directory '%s'", path);
	for (char *p = part + (part[0] == '/'); ; p++) {
		char end = *p;

		if (end != '/' && end != '\0')
			continue;
		*p = '\0';
		if (part[0] != '\0' && mkdirat(dirfd, part, mode) < 0 && errno != EEXIST)
			return err_set(err, ERR_INTERNAL, errno, "make directory '%s'", part);
		if (end == '\0')
			break;
		*p = '/';
	}
	if (fstatat(dirfd, path, &st, 0) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make directory '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INTERNAL, ENOTDIR, "make directory '%s'", path);
	return 0;
}

int io_open_dir(int dirfd, const char *path, int *ret_fd, struct err *err)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_INPUT, errno, "open directory '%s'", path);
	*ret_fd = fd;
	return 0;
}

/** Copies through memory, for file systems that copy_file_range does not join. */
static int copy_by_hand(int in, int out, uint64_t n, struct err *err)
{
	auto_free char *chunk = malloc(IO_CHUNK);

	if (chunk == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "copy");
	while (n > 0) {
		size_t got, want = n < IO_CHUNK ? (size_t)n : IO_CHUNK;

		if (io_read_full(in, chunk, want, &got, err) < 0)
			return -1;
		if (got == 0)
			return err_set(err, ERR_INPUT, 0, "the file ends %llu bytes early", (unsigned long long)n);
		if (io_write_all(out, chunk, got, err) < 0)
			return -1;
		n -= got;
	}
	return 0;
}

int io_copy(int in, int out, uint64_t n, struct err *err)
{
	while (n > 0) {
		ssize_t done = copy_file_range(in, NULL, out, NULL, n < SSIZE_MAX ? (size_t)n : SSIZE_MAX, 0);

		if (done < 0 && errno == EINTR)
			continue;
		/* Whatever it refuses, and a 0 that may mean "not on this file system", is settled by reading. */
		if (done <= 0)
			return copy_by_hand(in, out, n, err);
		n -= (uint64_t)done;
	}
	return 0;
}

static int random_bytes(unsigned char *out, size_t n, struct err *err)
{
	if (getrandom(out, n, 0) != (ssize_t)n)
		return err_set(err, ERR_INTERNAL, errno, "getrandom");
	return 0;
}

int io_random_hex(char hex[33], struct err *err)
{
	unsigned char raw[16];

	if (random_bytes(raw, sizeof raw, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof raw; i++)
		snprintf(hex + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

int io_uuid(char uuid[37], struct err *err)
{
	unsigned char r[16];

	if (random_bytes(r, sizeof r, err) < 0)
		return -1;
	r[6] = (unsigned char)((r[6] & 0x0f) | 0x40);
	r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
	snprintf(uuid, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7],
		 r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15]);
	return 0;
}

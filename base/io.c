/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/fs.h>

#include "base/own.h"

/** Piece in which files are copied. */
#define COPY_CHUNK (128 * 1024)
/** Piece in which they are read, on the stack: most are smaller, and a buffer need not grow for more than there is. */
#define READ_CHUNK (16 * 1024)

int io_write_all(int fd, const void *data, size_t n, struct err *err)
{
	const char *p = data;

	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		/* A device that takes nothing and says nothing would be asked for ever. */
		if (done <= 0)
			return err_set(err, ERR_INTERNAL, done < 0 ? errno : ENOSPC, "write");
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

/** How many of @p n bytes, in whole blocks, go by until one that is (or is not) zero all through. */
static size_t blocks(const char *p, size_t n, bool zero)
{
	size_t at = 0;

	while (n - at >= IO_HOLE && (p[at] == '\0' && memcmp(p + at, p + at + 1, IO_HOLE - 1) == 0) == zero)
		at += IO_HOLE;
	return at;
}

/** Makes a file longer by @p n bytes that are not there, and moves on behind them. */
static int add_hole(int fd, size_t n, struct err *err)
{
	off_t end = lseek(fd, (off_t)n, SEEK_CUR);
	int r;

	if (end < 0)
		return err_set(err, ERR_INTERNAL, errno, "leave a hole in a file");
	do
		r = ftruncate(fd, end);
	while (r < 0 && errno == EINTR);
	return r < 0 ? err_set(err, ERR_INTERNAL, errno, "leave a hole in a file") : 0;
}

int io_write_holes(int fd, const void *data, size_t n, struct err *err)
{
	const char *p = data;

	while (n > 0) {
		size_t hole = blocks(p, n, true);

		if (hole > 0 && add_hole(fd, hole, err) < 0)
			return -1;
		p += hole;
		n -= hole;
		size_t full = blocks(p, n, false);
		/* What is left over is no block. */
		if (n - full < IO_HOLE)
			full = n;
		if (io_write_all(fd, p, full, err) < 0)
			return -1;
		p += full;
		n -= full;
	}
	return 0;
}

/** Where the file stands, for read_full(): also one that has no places. */
#define HERE ((off_t)-1)

/** Reads from @p at on, which leaves the file where it stands, or from HERE. */
static int read_full(int fd, off_t at, char *to, size_t n, size_t *ret_got, struct err *err)
{
	size_t got = 0;

	while (got < n) {
		ssize_t done = at == HERE ? read(fd, to + got, n - got) : pread(fd, to + got, n - got, at + (off_t)got);

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

void *io_chunk(size_t n)
{
	void *chunk;

	return posix_memalign(&chunk, 4096, n) == 0 ? chunk : NULL;
}

int io_read_full(int fd, void *data, size_t n, size_t *ret_got, struct err *err)
{
	return read_full(fd, HERE, data, n, ret_got, err);
}

int io_read_expected(int fd, void *data, size_t n, uint64_t expected, size_t *ret_got, struct err *err)
{
	ssize_t first;
	size_t rest = 0;

	do
		first = read(fd, data, n);
	while (first < 0 && errno == EINTR);
	if (first < 0)
		return err_set(err, ERR_INTERNAL, errno, "read");
	if ((uint64_t)first != expected && first != 0 && read_full(fd, HERE, (char *)data + first, n - (size_t)first, &rest, err) < 0)
		return -1;
	*ret_got = (size_t)first + rest;
	return 0;
}

/** Finds out what begins at the place reached: a hole, and up to where, or data. */
static void look_ahead(int fd, struct io_holes *h)
{
	struct stat st;
	off_t data = lseek(fd, h->at, SEEK_DATA);

	if (data > h->at)
		h->hole_end = data;
	else if (data < 0 && errno == ENXIO && fstat(fd, &st) == 0)
		h->hole_end = st.st_size; /* nothing but a hole from here on */
	else if (data < 0 || (h->data_end = lseek(fd, h->at, SEEK_HOLE)) < 0)
		h->unknown = lseek(fd, h->at, SEEK_SET) == h->at;
}

int io_read_holes(int fd, struct io_holes *h, void *data, size_t n, size_t *ret_got, struct err *err)
{
	if (!h->unknown && h->at >= h->hole_end && h->at >= h->data_end)
		look_ahead(fd, h);
	if (h->unknown)
		return io_read_full(fd, data, n, ret_got, err);
	if (h->at < h->hole_end && (uint64_t)(h->hole_end - h->at) >= n) {
		memset(data, 0, n);
		*ret_got = n;
	} else if (read_full(fd, h->at, data, n, ret_got, err) < 0) {
		return -1;
	}
	h->at += (off_t)*ret_got;
	return 0;
}

/** io_read_all() that leaves what it had got in @p out when it fails. */
static int read_rest(int fd, size_t max, struct buf *out, struct err *err)
{
	char chunk[READ_CHUNK];
	size_t got, left = max;

	do {
		if (io_read_full(fd, chunk, sizeof chunk, &got, err) < 0)
			return -1;
		if (got > left)
			return err_set(err, ERR_USAGE, 0, "larger than the limit of %zu bytes", max);
		left -= got;
		buf_add(out, chunk, got);
		if (out->failed)
			return buf_check(out, "read", err);
	} while (got == sizeof chunk);
	return 0;
}

int io_read_all(int fd, size_t max, struct buf *out, struct err *err)
{
	size_t start = out->len;

	if (read_rest(fd, max, out, err) < 0) {
		buf_seal(out, start);
		return -1;
	}
	return 0;
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

bool io_spread(int dirfd)
{
	int flags;

	if (ioctl(dirfd, FS_IOC_GETFLAGS, &flags) < 0)
		return false;
	flags |= FS_TOPDIR_FL;
	return ioctl(dirfd, FS_IOC_SETFLAGS, &flags) == 0;
}

int io_open_dir(int dirfd, const char *path, int *ret_fd, struct err *err)
{
	size_t n = strlen(path);

	/* A slash at the end would make the kernel follow a link in spite of O_NOFOLLOW. */
	while (n > 1 && path[n - 1] == '/')
		n--;
	auto_free char *bare = strndup(path, n);
	if (bare == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "open directory '%s'", path);
	int fd = openat(dirfd, bare, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_INPUT, errno, "open directory '%s'", path);
	*ret_fd = fd;
	return 0;
}

int io_open_parent(int dirfd, const char *path, int flags, int *ret_fd, const char **ret_name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	/* The slash itself belongs to it: "/x" lies in "/". */
	auto_free char *parent = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);

	if (parent == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "open the directory of '%s'", path);
	int fd = openat(dirfd, parent, flags | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "open directory '%s'", parent);
	*ret_fd = fd;
	*ret_name = slash == NULL ? path : slash + 1;
	return 0;
}

char *io_fd_path(int fd)
{
	char link[sizeof "/proc/self/fd/" + 3 * sizeof fd];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	return realpath(link, NULL);
}

/** Copies through memory, for file systems that copy_file_range does not join. */
static int copy_by_hand(int in, int out, uint64_t n, struct err *err)
{
	auto_free char *chunk = io_chunk(COPY_CHUNK);

	if (chunk == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "copy");
	while (n > 0) {
		size_t got, want = n < COPY_CHUNK ? (size_t)n : COPY_CHUNK;

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
	ssize_t got;

	/* Up to 256 bytes come whole; a signal can only cut the wait for the first entropy after boot. */
	do
		got = getrandom(out, n, 0);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)n)
		return err_set(err, ERR_INTERNAL, got < 0 ? errno : EIO, "get random bytes");
	return 0;
}

int io_fstat(int fd, struct stat *ret)
{
	/* On 64-bit machines the kernel's struct is libc's. */
	return (int)syscall(SYS_fstat, fd, ret);
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

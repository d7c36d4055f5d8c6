/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file io.h
 * File descriptors and small files. Every descriptor made here is O_CLOEXEC.
 * Names are relative to a directory descriptor wherever a race or a link could
 * matter; AT_FDCWD is allowed where the caller means the working directory.
 */
#ifndef GB_IO_H
#define GB_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/** Writes all of @p data, whatever short writes and EINTR happen. ERR_INTERNAL on failure. */
int io_write_all(int fd, const void *data, size_t n, struct err *err);

/** Zeros that io_write_holes() does not write: whole blocks of this size. */
#define IO_HOLE (64u << 10)

/** io_write_all() for a regular file whose offset is its end: of @p data, each block of IO_HOLE bytes from its start on that has
 *  nothing but zeros becomes a hole. Who reads the file sees no difference; its disk does. ERR_INTERNAL on failure. */
int io_write_holes(int fd, const void *data, size_t n, struct err *err);

/** Memory for @p n bytes to read files into, as free() takes it; NULL when it is short. It is aligned to 4 KiB: malloc(3) gives large pieces
 *  that begin 16 bytes past a page, and there some processors copy from the page cache at a quarter of their speed. */
void *io_chunk(size_t n);

/** Reads until @p n bytes or end of file. ERR_INTERNAL on failure. */
int io_read_full(int fd, void *data, size_t n, size_t *ret_got, struct err *err);

/** io_read_full() of a file that is said to have @p expected bytes left, less than @p n: where one read gives just that, the end is not asked for
 *  by another. Whether there is more by then is for the caller to find out. ERR_INTERNAL on failure. */
int io_read_expected(int fd, void *data, size_t n, uint64_t expected, size_t *ret_got, struct err *err);

/** How far io_read_holes() has come. Zero-initialise for a file's start; `unknown` set: reads as io_read_full() does. */
struct io_holes {
	off_t at, hole_end, data_end; /**< of what is known to begin at or before `at` */
	bool unknown;                 /**< this file cannot tell: it is read on from its own offset */
};

/** io_read_full(), piece after piece from the start, of a regular file that may have holes: they are not read (a terabyte of them would go
 *  through the page cache). Moves no offset that the caller may count on. ERR_INTERNAL on failure. */
int io_read_holes(int fd, struct io_holes *h, void *data, size_t n, size_t *ret_got, struct err *err);

/** Appends all that is left in @p fd to @p out, at most @p max bytes; more is ERR_USAGE
 *  ("larger than …"). On failure the content of @p out is as it was. */
int io_read_all(int fd, size_t max, struct buf *out, struct err *err);

/** Reads the regular file @p path below @p dirfd whole (O_NOFOLLOW on the last
 *  component is not set: callers that need it open the file themselves).
 *  A missing file is ERR_INPUT, anything but a regular file ERR_INPUT, over @p max ERR_USAGE. */
int io_read_file(int dirfd, const char *path, size_t max, struct buf *out, struct err *err);

/** How io_publish makes a file appear. */
enum io_publish_flags {
	IO_DURABLE = 1,  /**< fsync the file and its directory */
	IO_EXCL = 2,     /**< fail with EEXIST (ERR_USAGE) where the name is taken */
};

/** Makes the file @p path with @p mode (whatever the umask) appear whole or not at all:
 *  written beside as ".glovebox-<random>.tmp", then renamed (rename(2)), or linked with
 *  IO_EXCL. ERR_INTERNAL on failure, and nothing is left beside it; only when the last
 *  step of IO_DURABLE failed, the sync of the directory, the file is there nevertheless. */
int io_publish(int dirfd, const char *path, const void *data, size_t n, mode_t mode, int flags, struct err *err);

/** mkdir -p below @p dirfd, with @p mode less the umask; existing directories (also through links) are fine. */
int io_mkdirs(int dirfd, const char *path, mode_t mode, struct err *err);

/** Removes @p path below @p dirfd and all beneath it, however deep, with a few dozen
 *  descriptors. No link is followed beneath the directory that holds @p path, and no mount
 *  entered: one found there, a bind mount too, is an error. Directories whose mode keeps us
 *  out are opened up first (overlayfs leaves work/work so). A missing path is success; one
 *  that ends in "/", "." or ".." is refused. On failure some of it may be gone, and the
 *  rest may lie elsewhere below @p path; another call goes on from there. */
int io_remove_tree(int dirfd, const char *path, struct err *err);

/** Asks for directories made in @p dirfd to be spread over the disk (ext2 to 4: chattr(1), T): ext4 looks for a new file's inode near its
 *  directory, one by one past those that were deleted within minutes, so where thousands come and go, many in one place wait for that more
 *  than for all else. @return whether the file system knows such a wish. */
bool io_spread(int dirfd);

/** Opens directory @p path below @p dirfd, refusing a link as last component (with a slash behind it too). ERR_INPUT when missing or not a directory. */
int io_open_dir(int dirfd, const char *path, int *ret_fd, struct err *err);

/** Opens the directory that holds @p path (links are followed) with open(2) @p flags, such as
 *  O_PATH; *ret_name is the last component, within @p path, empty after a slash at the end.
 *  ERR_INTERNAL with `sys` on failure. */
int io_open_parent(int dirfd, const char *path, int flags, int *ret_fd, const char **ret_name, struct err *err);

/** The real path of what @p fd has open, owned by the caller; NULL with errno set where it has none. */
char *io_fd_path(int fd);

/** Copies @p n bytes from @p in's current offset to @p out (copy_file_range, else read and write). Short input is ERR_INPUT. */
int io_copy(int in, int out, uint64_t n, struct err *err);

/** fstat(2) by the system call of that name, which a confined process may make (base/confine.h); libc's asks by another. @return 0, or -1 with errno. */
int io_fstat(int fd, struct stat *ret);

/** Fills @p hex (33 bytes) with 32 random lower-case hex digits and NUL. */
int io_random_hex(char hex[33], struct err *err);

/** A random (version 4) UUID in RFC 9562 text form. */
int io_uuid(char uuid[37], struct err *err);

#endif

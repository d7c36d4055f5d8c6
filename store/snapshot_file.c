/* SPDX-License-Identifier: Apache-2.0 */
#include "store/snapshot.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/** How often a file that changes under the reading is read. */
#define READ_TRIES 3

/** Whether nothing was written between the two: ctime cannot be set back. */
static bool same_state(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mode == b->st_mode &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/** Reads the next piece; a small file comes in one, by one call. */
static int read_piece(int fd, struct io_holes *holes, char *to, size_t room, uint64_t expected, size_t *ret_got, struct err *err)
{
	int result = holes->unknown ? io_read_expected(fd, to, room, expected, ret_got, err)
				    : io_read_holes(fd, holes, to, room, ret_got, err);

	if (result < 0)
		err->kind = ERR_INPUT;
	return result;
}

/** Reads the whole file into the writer; @p ret_size is what came. More than @p expected tells a change, and ends it. */
static int read_whole(const struct snapshot_reader *r, int fd, const char *path, uint64_t expected, uint64_t *ret_size,
		      struct err *err)
{
	uint64_t size = 0;
	struct io_holes holes = { .unknown = expected < IO_HOLE };

	for (;;) {
		char *to;
		size_t room, got;

		if (store_writer_room(r->writer, &to, &room, err) < 0 ||
		    read_piece(fd, &holes, to, room, expected, &got, err) < 0)
			return -1;
		if (size == 0 && r->opt->amend != NULL)
			r->opt->amend(r->opt->amend_arg, path, to, got);
		store_writer_filled(r->writer, got);
		size += got;
		if (got < room || size > expected)
			break;
	}
	*ret_size = size;
	return 0;
}

/** One reading, from the start, where @p fd stands. @return 1 when the file stood still, 0 when it did not. */
static int try_once(const struct snapshot_reader *r, int fd, const char *path, struct stat *ret_st, struct err *err)
{
	struct stat before, after;
	uint64_t size;

	if (fstat(fd, &before) < 0)
		return err_set(err, ERR_INPUT, errno, "read");
	if (!S_ISREG(before.st_mode))
		return err_set(err, ERR_INPUT, 0, "it changed while the tree was read: stop what writes to it");
	if (read_whole(r, fd, path, (uint64_t)before.st_size, &size, err) < 0)
		return -1;
	if (fstat(fd, &after) < 0)
		return err_set(err, ERR_INPUT, errno, "read");
	if (!same_state(&before, &after))
		return 0;
	if (size != (uint64_t)before.st_size)
		return err_set(err, ERR_INPUT, 0, "its size is %llu, but reading gives another (a file of /proc or /sys?)",
			       (unsigned long long)before.st_size);
	*ret_st = before;
	return 1;
}

/** Makes ready for another reading. */
static int start_afresh(const struct snapshot_reader *r, int fd, struct err *err)
{
	store_writer_reset(r->writer);
	if (r->copy != -1 && (ftruncate(r->copy, 0) < 0 || lseek(r->copy, 0, SEEK_SET) < 0))
		return err_set(err, ERR_INTERNAL, errno, "lay out");
	return lseek(fd, 0, SEEK_SET) < 0 ? err_set(err, ERR_INPUT, errno, "read") : 0;
}

int snapshot_file(const struct snapshot_reader *r, int fd, const char *path, struct digest *ret, struct stat *ret_st,
		  struct err *err)
{
	struct stat st;

	store_writer_tee(r->writer, r->copy);
	for (int i = 0; i < READ_TRIES; i++) {
		int got = try_once(r, fd, path, &st, err);

		if (got < 0)
			return -1;
		if (got == 0) {
			if (start_afresh(r, fd, err) < 0)
				return -1;
			continue;
		}
		if (store_writer_end(r->writer, ret, NULL, err) < 0)
			return -1;
		*ret_st = st;
		return 0;
	}
	return err_set(err, ERR_INPUT, 0, "it changes while it is read (%d times): stop what writes to it", READ_TRIES);
}

int snapshot_show_file(struct snapshot *s, int fd, const char *path, struct err *err)
{
	struct stat before, after;
	struct tree_entry e = { .path = path, .type = TREE_FILE };

	if (fstat(fd, &before) < 0)
		return snapshot_failed(path, errno, "read", err);
	if (!S_ISREG(before.st_mode))
		return snapshot_failed(path, ENOTDIR, "read", err);
	e.size = (uint64_t)before.st_size;
	if (snapshot_show(s, &e, &before, fd, err) < 0)
		return -1;
	if (fstat(fd, &after) < 0)
		return snapshot_failed(path, errno, "read", err);
	return same_state(&before, &after) ? 0
		: err_set(err, ERR_INPUT, 0, "'" SHOWN "': it changed while it was read: stop what writes to it", path);
}

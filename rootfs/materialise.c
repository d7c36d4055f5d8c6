/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "rootfs/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/fs.h>
#include <linux/magic.h>

/** Contents are copied in pieces of this size. */
#define COPY_CHUNK (256u << 10)

/** A directory that gets its mode and time when all in it is there. */
struct late {
	char *path;
	unsigned mode;
};

struct layout {
	struct store *store;
	struct cursor at;
	struct late *late;
	size_t nlate, late_cap;
	struct hasher *hash;
	char *chunk;
	bool no_clone;         /**< a reflink was refused: the file systems do not do it */
	uint64_t bytes;        /**< laid out so far */
};

static void layout_clear(struct layout *l)
{
	cursor_close(&l->at);
	for (size_t i = 0; i < l->nlate; i++)
		free(l->late[i].path);
	free(l->late);
	hasher_free(l->hash);
	free(l->chunk);
}
#define auto_layout __attribute__((cleanup(layout_clear))) struct layout

/** An error of laying out @p path. A full tmpfs is told apart: its size is the caller's choice. */
static int fail(const struct layout *l, const char *path, int sys, struct err *err)
{
	struct statfs fs;

	if (sys != ENOSPC && sys != EDQUOT)
		return err_set(err, ERR_INTERNAL, sys, "lay out '" SHOWN "'", path);
	if (fstatfs(l->at.root, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
		return err_set(err, ERR_INTERNAL, sys,
			       "lay out '" SHOWN "': the tmpfs is full after %llu bytes: raise its limit, or choose 'workdir: disk'", path,
			       (unsigned long long)l->bytes);
	return err_set(err, ERR_INTERNAL, sys, "lay out '" SHOWN "': the disk is full", path);
}

/** Finds the directory of @p path, and the name in it. */
static int find_dir(struct layout *l, const char *path, int *ret_fd, const char **ret_name, struct err *err)
{
	return cursor_at(&l->at, path, ret_fd, ret_name) < 0 ? fail(l, path, errno, err) : 0;
}

static int set_time(int fd)
{
	const struct timespec times[2] = { { .tv_sec = ROOTFS_MTIME }, { .tv_sec = ROOTFS_MTIME } };

	return futimens(fd, times);
}

/** A damaged object is no use to anybody, and while it is there a snapshot of an unchanged source takes it for what it should be. */
static int damaged(const struct layout *l, const struct tree_entry *e, struct err *err)
{
	char digest[DIGEST_STR_SIZE];
	const char *next = store_remove_object(l->store, &e->digest) ? "it was removed: run again, or import it again"
								     : "remove it, then run again, or import it again";

	return err_set(err, ERR_INPUT, 0, "'" SHOWN "': object %s in the store is damaged (objects/%.2s/%s): %s", e->path,
		       digest_str(&e->digest, digest), digest + 7, digest + 9, next);
}

/** Reads the object to its end, hashing, and writing unless @p out is -1: what is written is what was hashed. */
static int copy_hashed(struct layout *l, const struct tree_entry *e, int in, int out, struct err *err)
{
	struct digest found;
	struct io_holes holes = { .unknown = e->size < IO_HOLE };
	uint64_t size = 0;
	size_t got;

	do {
		if (io_read_holes(in, &holes, l->chunk, COPY_CHUNK, &got, err) < 0)
			return err_ctx(err, "'" SHOWN "': its object", e->path);
		hasher_add(l->hash, l->chunk, got);
		size += got;
		if (out != -1 && io_write_holes(out, l->chunk, got, err) < 0)
			return fail(l, e->path, err->sys, err);
	} while (got == COPY_CHUNK && size <= e->size);
	if (hasher_final(l->hash, &found, err) < 0)
		return -1;
	return size == e->size && digest_eq(&found, &e->digest) ? 0 : damaged(l, e, err);
}

/** Shares the object's blocks where the file system can; they are still read, since a reflink of damage is damage. */
static bool cloned(struct layout *l, const struct tree_entry *e, int in, int out)
{
	if (l->no_clone || e->size < COPY_CHUNK)
		return false;
	l->no_clone = ioctl(out, FICLONE, in) < 0;
	return !l->no_clone;
}

static int fill_file(struct layout *l, const struct tree_entry *e, int out, struct err *err)
{
	auto_fd in = -1;

	if (store_open_object(l->store, &e->digest, &in, err) < 0)
		return err_ctx(err, "'" SHOWN "'", e->path);
	bool shared = cloned(l, e, in, out);
	if (copy_hashed(l, e, in, shared ? -1 : out, err) < 0)
		return -1;
	l->bytes += e->size;
	return 0;
}

static int lay_file(struct layout *l, const struct tree_entry *e, int dir, const char *name, struct err *err)
{
	auto_fd fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fail(l, e->path, errno, err);
	if (fill_file(l, e, fd, err) < 0)
		return -1;
	return fchmod(fd, e->mode) < 0 || set_time(fd) < 0 ? fail(l, e->path, errno, err) : 0;
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
	case TREE_DIR: return mkdirat(dir, name, 0700) < 0 ? fail(l, e->path, errno, err) : 0;
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
	if (fd < 0 || fchmod(fd, late->mode) < 0 || set_time(fd) < 0)
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
	auto_layout l = { .store = store, .at = { .root = dirfd }, .hash = hasher_new(), .chunk = malloc(COPY_CHUNK) };

	if (l.hash == NULL || l.chunk == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "lay out a tree");
	if (store_read_tree(store, d, &r, err) < 0)
		return -1;
	while ((more = tree_reader_next(r, &e, err)) > 0)
		if (lay_entry(&l, &e, err) < 0)
			return -1;
	return more < 0 ? -1 : finish_dirs(&l, err);
}

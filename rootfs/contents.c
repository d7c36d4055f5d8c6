/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/contents.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/fs.h>
#include <linux/magic.h>

#include "base/crew.h"
#include "rootfs/internal.h"

/** Contents are copied in pieces of this size. */
#define COPY_CHUNK (256u << 10)
/** Files that may wait, each an open descriptor, and how many of them wake a thread. */
#define DEPTH 64
#define LUMP 16

/** A file to be filled; owns both. */
struct job {
	int fd;
	char *path;
	unsigned mode;
	uint64_t size;
	struct digest digest;
};

/** What a thread works with. */
struct tools {
	struct hasher *hash;
	char *chunk;
};

struct contents {
	struct store *store;
	int root;
	atomic_bool no_clone;      /**< a reflink was refused: the file systems do not do it */
	_Atomic uint64_t bytes;    /**< filled in so far */
	unsigned threads;
	struct tools *tools;       /**< one a thread */
	struct crew *crew;
};

int contents_failed(int root, uint64_t bytes, const char *path, int sys, struct err *err)
{
	struct statfs fs;

	if (sys != ENOSPC && sys != EDQUOT)
		return err_set(err, ERR_INTERNAL, sys, "lay out '" SHOWN "'", path);
	if (fstatfs(root, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
		return err_set(err, ERR_INTERNAL, sys,
			       "lay out '" SHOWN "': the tmpfs is full after %llu bytes: raise its limit, or choose 'workdir: disk'", path,
			       (unsigned long long)bytes);
	return err_set(err, ERR_INTERNAL, sys, "lay out '" SHOWN "': the disk is full", path);
}

int contents_set_time(int fd)
{
	const struct timespec times[2] = { { .tv_sec = ROOTFS_MTIME }, { .tv_sec = ROOTFS_MTIME } };

	return futimens(fd, times);
}

uint64_t contents_bytes(const struct contents *c)
{
	return atomic_load(&c->bytes);
}

static int fail(struct contents *c, const struct job *j, int sys, struct err *err)
{
	return contents_failed(c->root, contents_bytes(c), j->path, sys, err);
}

/** A damaged object is no use to anybody, and while it is there a snapshot of an unchanged source takes it for what it should be. */
static int damaged(const struct contents *c, const struct job *j, struct err *err)
{
	char digest[DIGEST_STR_SIZE];
	const char *next = store_remove_object(c->store, &j->digest) ? "it was removed: run again, or import it again"
								     : "remove it, then run again, or import it again";

	return err_set(err, ERR_INPUT, 0, "'" SHOWN "': object %s in the store is damaged (objects/%.2s/%s): %s", j->path,
		       digest_str(&j->digest, digest), digest + 7, digest + 9, next);
}

/** Reads the next piece of an object; a small one comes in one, by one call. */
static int read_piece(int in, struct io_holes *holes, char *to, uint64_t size, size_t *ret_got, struct err *err)
{
	return holes->unknown ? io_read_expected(in, to, COPY_CHUNK, size, ret_got, err) : io_read_holes(in, holes, to, COPY_CHUNK, ret_got, err);
}

/** Reads the object to its end, hashing, and writing unless @p out is -1: what is written is what was hashed. */
static int copy_hashed(struct contents *c, const struct tools *t, const struct job *j, int in, int out, struct err *err)
{
	struct digest found;
	struct io_holes holes = { .unknown = j->size < IO_HOLE };
	uint64_t size = 0;
	size_t got;

	do {
		if (read_piece(in, &holes, t->chunk, j->size, &got, err) < 0)
			return err_ctx(err, "'" SHOWN "': its object", j->path);
		hasher_add(t->hash, t->chunk, got);
		size += got;
		if (out != -1 && io_write_holes(out, t->chunk, got, err) < 0)
			return fail(c, j, err->sys, err);
	} while (got == COPY_CHUNK && size <= j->size);
	if (hasher_final(t->hash, &found, err) < 0)
		return -1;
	return size == j->size && digest_eq(&found, &j->digest) ? 0 : damaged(c, j, err);
}

/** Shares the object's blocks where the file system can; they are still read, since a reflink of damage is damage. */
static bool cloned(struct contents *c, const struct job *j, int in)
{
	if (j->size < COPY_CHUNK || atomic_load(&c->no_clone))
		return false;
	bool shared = ioctl(j->fd, FICLONE, in) == 0;
	if (!shared)
		atomic_store(&c->no_clone, true);
	return shared;
}

int contents_settle(int fd, unsigned mode)
{
	struct stat st;

	/* The file was made with that mode: a umask or an ACL may have taken from it. To ask is cheaper than to set. */
	if (fstat(fd, &st) < 0 || ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0))
		return -1;
	return contents_set_time(fd);
}

static int fill(struct contents *c, const struct tools *t, const struct job *j, struct err *err)
{
	auto_fd in = -1;

	if (store_open_object(c->store, &j->digest, &in, err) < 0)
		return err_ctx(err, "'" SHOWN "'", j->path);
	bool shared = cloned(c, j, in);
	if (copy_hashed(c, t, j, in, shared ? -1 : j->fd, err) < 0)
		return -1;
	atomic_fetch_add(&c->bytes, j->size);
	return contents_settle(j->fd, j->mode) < 0 ? fail(c, j, errno, err) : 0;
}

static void drop(void *job)
{
	struct job *j = job;

	close(j->fd);
	free(j->path);
}

static int work(void *arg, unsigned thread, void *job, struct err *err)
{
	struct contents *c = arg;
	int result = fill(c, &c->tools[thread], job, err);

	drop(job);
	return result;
}

static int make_tools(struct contents *c, struct err *err)
{
	c->tools = calloc(c->threads, sizeof *c->tools);
	for (unsigned i = 0; c->tools != NULL && i < c->threads; i++) {
		struct tools *t = &c->tools[i];

		t->hash = hasher_new();
		t->chunk = io_chunk(COPY_CHUNK);
		if (t->hash == NULL || t->chunk == NULL)
			return err_set(err, ERR_INTERNAL, ENOMEM, "lay out a tree");
	}
	return c->tools == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "lay out a tree") : 0;
}

int contents_begin(struct store *store, int root, struct contents **ret, struct err *err)
{
	auto_contents c = calloc(1, sizeof *c);

	if (c == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "lay out a tree");
	c->store = store;
	c->root = root;
	c->threads = crew_size();
	const struct crew_plan plan = {
		.threads = c->threads, .job_size = sizeof(struct job), .depth = DEPTH, .lump = LUMP, .work = work, .drop = drop, .arg = c,
	};
	if (make_tools(c, err) < 0 || crew_start(&plan, &c->crew, err) < 0)
		return -1;
	*ret = move_ptr(c);
	return 0;
}

int contents_fill(struct contents *c, int fd, const struct tree_entry *e, struct err *err)
{
	struct job j = { .fd = fd, .path = strdup(e->path), .mode = e->mode, .size = e->size, .digest = e->digest };

	if (j.path == NULL) {
		close(fd);
		return err_set(err, ERR_INTERNAL, ENOMEM, "lay out '" SHOWN "'", e->path);
	}
	return crew_give(c->crew, &j, NULL, err);
}

int contents_finish(struct contents *c, struct err *err)
{
	return crew_finish(c->crew, err);
}

void contents_free(struct contents *c)
{
	if (c == NULL)
		return;
	crew_free(c->crew);
	for (unsigned i = 0; c->tools != NULL && i < c->threads; i++) {
		hasher_free(c->tools[i].hash);
		free(c->tools[i].chunk);
	}
	free(c->tools);
	free(c);
}

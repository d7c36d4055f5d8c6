/* SPDX-License-Identifier: Apache-2.0 */
/* What files of a source had in them when they were last read, by what stat(2) says of them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>

#include <linux/magic.h>

#include "store/statcache.h"

#ifndef F2FS_SUPER_MAGIC
#define F2FS_SUPER_MAGIC 0xF2F52010
#endif

/** Among what can be worked out again. */
#define KIND "stat"
/** Of the file's format: another is another number. Read as a number, so that a machine of another byte order finds another. */
#define FORMAT (0x67622073746174ull << 8 | 2)

#define NS 1000000000ull

/** How a file begins. */
struct head {
	uint64_t format;
	uint64_t dev, ino;       /**< of the source's root */
	uint64_t fs;             /**< the file system's own id: another one may be mounted from the same device */
};

/** One file. Sorted by inode. Padding is zero: the file's bytes are hashed. */
struct record {
	uint64_t ino;
	uint64_t size;
	uint64_t mtime, ctime;   /**< nanoseconds, modulo 2^64 */
	uint32_t mode;
	uint32_t zero;
	struct digest digest;
};

_Static_assert(sizeof(struct record) == 72, "no hidden padding");
_Static_assert(sizeof((struct statfs){0}.f_fsid) == sizeof(uint64_t), "a file system's id fits");

/** What a file system lets one know. */
enum trust {
	TRUST_NONE,      /**< times may lie: another machine's clock, cached attributes, or writes through a mapping that set none */
	TRUST_SETTLED,   /**< once a file has been left alone for long */
	TRUST_LEASE,     /**< and at once, when nobody has it open for writing */
};

struct statcache {
	struct store *store;
	struct head head;
	struct digest key;
	enum trust trust;
	uint64_t began;          /**< the kernel's clock before anything was read; ns */
	struct buf old;          /**< the file as it was found: a head and records */
	struct buf fresh;        /**< records of this walk */
	size_t hits;
};

static enum trust trust_of(const struct statfs *fs)
{
	switch ((unsigned long)fs->f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
		return TRUST_LEASE;
	case OVERLAYFS_SUPER_MAGIC:
		/* A mapping holds the file below open, and a lease does not see that. */
		return TRUST_SETTLED;
	default:
		return TRUST_NONE;
	}
}

static uint64_t in_ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * NS + (uint64_t)t->tv_nsec;
}

static size_t old_count(const struct statcache *c)
{
	return c->old.len < sizeof c->head ? 0 : (c->old.len - sizeof c->head) / sizeof(struct record);
}

static struct record old_at(const struct statcache *c, size_t i)
{
	struct record r;

	memcpy(&r, c->old.data + sizeof c->head + i * sizeof r, sizeof r);
	return r;
}

/** Reads the file. One that is damaged, of another format or another directory's is none. It need not be sorted to be harmless:
 *  what is looked up in vain is read. */
static void load(struct statcache *c)
{
	struct head found;

	if (!store_derived_get(c->store, KIND, &c->key, sizeof found + STATCACHE_MAX * sizeof(struct record), &c->old))
		return;
	if (c->old.len < sizeof found || (c->old.len - sizeof found) % sizeof(struct record) != 0)
		return buf_clear(&c->old);
	memcpy(&found, c->old.data, sizeof found);
	if (memcmp(&found, &c->head, sizeof found) != 0)
		buf_clear(&c->old);
}

int statcache_open(struct store *store, int rootfd, struct statcache **ret, struct err *err)
{
	struct stat st;
	struct statfs fs;
	struct timespec now;
	auto_statcache c = calloc(1, sizeof *c);

	if (c == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "remember a directory's files");
	if (fstat(rootfd, &st) < 0 || fstatfs(rootfd, &fs) < 0 || clock_gettime(CLOCK_REALTIME_COARSE, &now) < 0)
		return err_set(err, ERR_INTERNAL, errno, "remember a directory's files");
	c->store = store;
	c->trust = trust_of(&fs);
	c->began = in_ns(&now);
	c->head = (struct head){ FORMAT, st.st_dev, st.st_ino, 0 };
	memcpy(&c->head.fs, &fs.f_fsid, sizeof c->head.fs);
	if (hash_bytes(&c->head, sizeof c->head, &c->key, err) < 0)
		return -1;
	if (c->trust != TRUST_NONE)
		load(c);
	*ret = move_ptr(c);
	return 0;
}

void statcache_free(struct statcache *c)
{
	if (c == NULL)
		return;
	buf_free(&c->old);
	buf_free(&c->fresh);
	free(c);
}

static struct record record_of(const struct stat *st)
{
	return (struct record){
		.ino = st->st_ino, .size = (uint64_t)st->st_size, .mtime = in_ns(&st->st_mtim), .ctime = in_ns(&st->st_ctim),
		.mode = st->st_mode,
	};
}

static void remember(struct statcache *c, const struct record *r)
{
	if (c->fresh.len < STATCACHE_MAX * sizeof *r)
		buf_add(&c->fresh, r, sizeof *r);
}

bool statcache_find(const struct statcache *c, const struct stat *st, struct digest *ret)
{
	struct record want = record_of(st), r;
	size_t low = 0, high = old_count(c);

	if (st->st_dev != c->head.dev)
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		r = old_at(c, middle);
		if (r.ino == want.ino) {
			want.digest = r.digest;
			if (memcmp(&want, &r, sizeof r) != 0)
				return false;
			*ret = r.digest;
			return true;
		}
		if (r.ino < want.ino)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

void statcache_keep(struct statcache *c, const struct stat *st, const struct digest *d)
{
	struct record r = record_of(st);

	r.digest = *d;
	c->hits++;
	remember(c, &r);
}

/** A lease is given only where nobody has the file open for writing, nor mapped, and only to its owner (fcntl(2)). Should somebody open it while
 *  we hold it, he waits until it is closed, and we get a signal, which is one that is ignored unless asked for. */
enum statcache_calm statcache_look(const struct statcache *c, int fd)
{
	if (c->trust != TRUST_LEASE || fcntl(fd, F_SETSIG, SIGURG) < 0)
		return STATCACHE_UNKNOWN;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN ? STATCACHE_WRITTEN : STATCACHE_UNKNOWN;
	return fcntl(fd, F_SETLEASE, F_UNLCK) == 0 ? STATCACHE_CALM : STATCACHE_UNKNOWN;
}

/**
 * Whether a change after @p st was taken is sure to change what stat(2) says. Two ways there are in which it does not:
 * - within one tick of the clock, by which the kernel sets times (git's "racily clean"): so a file must have been left alone for
 *   longer than any tick before the walk began;
 * - through a mapping whose page is dirty already: the kernel looks at the first write only, until the page has been written
 *   back. So nobody may have had it mapped for writing when the reading began (a mapping made since is looked at anew), or, where that
 *   is not known, all that was dirty must have been written back.
 */
bool statcache_may_note(const struct statcache *c, const struct stat *st, enum statcache_calm calm)
{
	uint64_t ctime = in_ns(&st->st_ctim);

	if (c->trust == TRUST_NONE || st->st_dev != c->head.dev || ctime > c->began || calm == STATCACHE_WRITTEN)
		return false;
	return c->began - ctime > (calm == STATCACHE_CALM ? STATCACHE_RACY : STATCACHE_SETTLED) * NS;
}

void statcache_note(struct statcache *c, const struct stat *st, const struct digest *d)
{
	struct record r = record_of(st);

	r.digest = *d;
	remember(c, &r);
}

static int by_inode(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return (x->ino > y->ino) - (x->ino < y->ino);
}

void statcache_save(struct statcache *c)
{
	struct err ignored;
	auto_buf whole = {0};
	size_t n = c->fresh.len / sizeof(struct record);

	/* As it was: nothing new, nothing gone. */
	if (c->trust == TRUST_NONE || c->fresh.failed || (n == c->hits && n == old_count(c)))
		return;
	if (n > 0)
		qsort(c->fresh.data, n, sizeof(struct record), by_inode);
	buf_add(&whole, &c->head, sizeof c->head);
	buf_add(&whole, c->fresh.data, c->fresh.len);
	if (!whole.failed)
		(void)store_derived_put(c->store, KIND, &c->key, whole.data, whole.len, &ignored);
}

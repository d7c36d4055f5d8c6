/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/** What is written at once, and the largest content that is looked up before anything is written. */
#define WRITER_CHUNK (256u << 10)
/** What everything placed has, whatever the umask. */
#define OBJECT_MODE 0444
/** A shard, "o" and a 64-bit number in hex. */
#define STAGED_SIZE 32
/** Files after which another shard is taken, and how many shards there are. */
#define SHARD_FILES 64
#define SHARDS 128
/** Two hex digits, a slash and NUL; room for more, says the compiler. */
#define SHARD_SIZE 16

struct store_writer {
	struct store *store;       /**< NULL: only the digest is wanted */
	struct hasher *hash;
	char *chunk;
	size_t used;               /**< bytes in the chunk, neither hashed nor written */
	uint64_t size;             /**< bytes before those */
	int fd;                    /**< unfinished file in the staging directory, or -1 */
	int tee;                   /**< what else gets the content, or -1 */
	char staged[STAGED_SIZE];  /**< its name there */
	bool mode_kept;            /**< a file made with a mode has it: neither a umask nor an ACL takes from it here */
	bool picky;                /**< what comes must be `want`, of `want_size` bytes */
	struct digest want;
	uint64_t want_size;
};

char *store_object_path(const struct digest *d, char out[STORE_PATH_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(d, hex);
	snprintf(out, STORE_PATH_SIZE, "objects/%.2s/%s", hex, hex + 2);
	return out;
}

char *store_tree_path(const struct digest *d, char out[STORE_PATH_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	snprintf(out, STORE_PATH_SIZE, "trees/%s", digest_hex(d, hex));
	return out;
}

static int write_failed(struct err *err, int sys)
{
	const char *next = sys == ENOSPC || sys == EDQUOT ? " (free some space, or choose another --store)" : "";

	return err_set(err, ERR_INTERNAL, sys, "write into the store%s", next);
}

int store_writer_begin(struct store *store, struct store_writer **ret, struct err *err)
{
	struct store_writer *w = calloc(1, sizeof *w);

	if (w != NULL) {
		w->store = store;
		w->fd = -1;
		w->tee = -1;
		w->hash = hasher_new();
		w->chunk = io_chunk(WRITER_CHUNK);
	}
	if (w == NULL || w->hash == NULL || w->chunk == NULL) {
		store_writer_free(w);
		return err_set(err, ERR_INTERNAL, ENOMEM, "write into the store");
	}
	*ret = w;
	return 0;
}

/** Removes the unfinished file, if there is one. */
static void unstage(struct store_writer *w)
{
	if (w->fd == -1)
		return;
	close(w->fd);
	w->fd = -1;
	unlinkat(store_scratch_fd(w->store->staging), w->staged, 0);
}

void store_writer_reset(struct store_writer *w)
{
	struct digest ignored;
	struct err err;

	unstage(w);
	w->used = 0;
	w->size = 0;
	(void)hasher_final(w->hash, &ignored, &err);
}

void store_writer_free(struct store_writer *w)
{
	if (w == NULL)
		return;
	unstage(w);
	hasher_free(w->hash);
	free(w->chunk);
	free(w);
}

/** The directory for the @p nth unfinished file, as what its name begins with: many that begin in one are slow (io_spread()). What cannot be
 *  made is done without. */
static void choose_shard(struct store *s, uint64_t nth, char out[SHARD_SIZE])
{
	int dir = store_scratch_fd(s->staging);
	unsigned i = (unsigned)(nth / SHARD_FILES % SHARDS);

	out[0] = '\0';
	if (nth < SHARD_FILES)
		return;
	if (nth == SHARD_FILES)
		(void)io_spread(dir);
	snprintf(out, SHARD_SIZE, "%02x/", i);
	if (nth % SHARD_FILES == 0)
		(void)mkdirat(dir, out, 0700);
}

/** A name for an unfinished file that no other thread has; the directory for it is made where it is missing. */
static int new_name(struct store_writer *w, struct err *err)
{
	struct store *s = w->store;
	char in[SHARD_SIZE];

	pthread_mutex_lock(&s->lock);
	int result = s->staging != NULL ? 0 : store_scratch_open(s, &s->staging, err);
	if (result == 0) {
		choose_shard(s, s->staged, in);
		snprintf(w->staged, sizeof w->staged, "%so%llx", in, (unsigned long long)s->staged++);
	}
	pthread_mutex_unlock(&s->lock);
	return result;
}

static int make_staged(const struct store_writer *w)
{
	return openat(store_scratch_fd(w->store->staging), w->staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, OBJECT_MODE);
}

/** Begins the unfinished file. */
static int stage(struct store_writer *w, struct err *err)
{
	if (new_name(w, err) < 0)
		return -1;
	w->fd = make_staged(w);
	if (w->fd == -1 && errno == ENOENT) {
		/* Without its shard, then. */
		memmove(w->staged, strchr(w->staged, 'o'), strlen(strchr(w->staged, 'o')) + 1);
		w->fd = make_staged(w);
	}
	return w->fd == -1 ? write_failed(err, errno) : 0;
}

/** Writes the chunk out: what is hashed are the bytes that are stored. A step may leave zeros by the terabyte that cost it nothing. */
static int write_chunk(struct store_writer *w, struct err *err)
{
	if (w->store != NULL && w->fd == -1 && stage(w, err) < 0)
		return -1;
	if (w->store != NULL && io_write_holes(w->fd, w->chunk, w->used, err) < 0)
		return write_failed(err, err->sys);
	return 0;
}

static int tee_chunk(const struct store_writer *w, struct err *err)
{
	return w->tee == -1 || io_write_holes(w->tee, w->chunk, w->used, err) == 0 ? 0 : write_failed(err, err->sys);
}

static void hash_chunk(struct store_writer *w)
{
	hasher_add(w->hash, w->chunk, w->used);
	w->size += w->used;
	w->used = 0;
}

int store_writer_room(struct store_writer *w, char **ret, size_t *ret_room, struct err *err)
{
	if (w->used == WRITER_CHUNK) {
		if (write_chunk(w, err) < 0 || tee_chunk(w, err) < 0)
			return -1;
		hash_chunk(w);
	}
	*ret = w->chunk + w->used;
	*ret_room = WRITER_CHUNK - w->used;
	return 0;
}

void store_writer_tee(struct store_writer *w, int fd)
{
	w->tee = fd;
}

void store_writer_filled(struct store_writer *w, size_t n)
{
	w->used += n;
}

int store_writer_add(struct store_writer *w, const void *data, size_t n, struct err *err)
{
	const char *from = data;

	while (n > 0) {
		char *to;
		size_t room;

		if (store_writer_room(w, &to, &room, err) < 0)
			return -1;
		size_t part = n < room ? n : room;
		memcpy(to, from, part);
		store_writer_filled(w, part);
		from += part;
		n -= part;
	}
	return 0;
}

/** Whether @p path is there, with that content: what a lost power supply or somebody's hand has damaged is written anew. What cannot
 *  be read counts as damaged. */
static bool is_stored(const struct store *s, const char *path, const struct digest *d, uint64_t size)
{
	struct stat st;
	struct digest found;
	struct err ignored;
	auto_fd fd = openat(s->fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size ||
	    hash_fd(fd, &found, NULL, &ignored) < 0 || !digest_eq(&found, d))
		return false;
	store_freshen(fd, &st);
	return true;
}

/** Renames the finished file to @p path, making the directory of an object where it is missing. */
static int move_in_place(const struct store_writer *w, const char *path)
{
	int from = store_scratch_fd(w->store->staging), to = w->store->fd;
	char dir[sizeof "objects/ab"];

	if (renameat(from, w->staged, to, path) == 0)
		return 0;
	if (errno != ENOENT || !text_starts(path, "objects/"))
		return -1;
	snprintf(dir, sizeof dir, "%.10s", path);
	if (mkdirat(to, dir, 0700) < 0 && errno != EEXIST)
		return -1;
	return renameat(from, w->staged, to, path);
}

/** Sees to the mode. What one file was made with, so are the next ones: asking once spares a call for each. */
static int settle_mode(struct store_writer *w)
{
	struct stat st;

	if (w->mode_kept)
		return 0;
	if (fstat(w->fd, &st) < 0)
		return -1;
	w->mode_kept = (st.st_mode & 07777) == OBJECT_MODE;
	return w->mode_kept ? 0 : fchmod(w->fd, OBJECT_MODE);
}

/** Gives the content its name, unless that is there already. The last chunk is still to be written. */
static int place(struct store_writer *w, const char *path, const struct digest *d, uint64_t size, struct err *err)
{
	if (is_stored(w->store, path, d, size)) {
		unstage(w);
		return 0;
	}
	if (write_chunk(w, err) < 0)
		return -1;
	if (settle_mode(w) < 0 || move_in_place(w, path) < 0)
		return write_failed(err, errno);
	close(w->fd);
	w->fd = -1;
	return 0;
}

void store_writer_expect(struct store_writer *w, const struct digest *d, uint64_t size)
{
	w->picky = true;
	w->want = *d;
	w->want_size = size;
}

/** What is not as expected leaves nothing behind. */
static int check_expected(struct store_writer *w, const struct digest *d, uint64_t size, struct err *err)
{
	char have[DIGEST_STR_SIZE], want[DIGEST_STR_SIZE];

	if (!w->picky || (digest_eq(d, &w->want) && (w->want_size == STORE_ANY_SIZE || w->want_size == size)))
		return 0;
	if (digest_eq(d, &w->want))
		(void)err_set(err, ERR_INPUT, 0, "it has %llu bytes, not %llu", (unsigned long long)size,
			      (unsigned long long)w->want_size);
	else
		(void)err_set(err, ERR_INPUT, 0, "it is %s (%llu bytes), not %s", digest_str(d, have),
			      (unsigned long long)size, digest_str(&w->want, want));
	store_writer_reset(w);
	return -1;
}

typedef char *path_fn(const struct digest *d, char out[STORE_PATH_SIZE]);

static int finish(struct store_writer *w, path_fn *path_of, struct digest *ret, uint64_t *ret_size, struct err *err)
{
	struct digest d;
	char path[STORE_PATH_SIZE];
	uint64_t size = w->size + w->used;

	hasher_add(w->hash, w->chunk, w->used);
	if (hasher_final(w->hash, &d, err) < 0 || check_expected(w, &d, size, err) < 0 || tee_chunk(w, err) < 0)
		return -1;
	if (w->store != NULL && place(w, path_of(&d, path), &d, size, err) < 0)
		return -1;
	w->used = 0;
	w->size = 0;
	w->tee = -1;
	*ret = d;
	if (ret_size != NULL)
		*ret_size = size;
	return 0;
}

int store_writer_end(struct store_writer *w, struct digest *ret, uint64_t *ret_size, struct err *err)
{
	return finish(w, store_object_path, ret, ret_size, err);
}

int store_writer_end_tree(struct store_writer *w, struct digest *ret, struct err *err)
{
	return finish(w, store_tree_path, ret, NULL, err);
}

int store_writer_add_fd(struct store_writer *w, int fd, uint64_t limit, struct err *err)
{
	for (uint64_t total = 0; ; ) {
		char *to;
		size_t room;

		if (store_writer_room(w, &to, &room, err) < 0)
			return -1;
		ssize_t n = read(fd, to, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_INPUT, errno, "read what is to be stored");
		if (n == 0)
			return 0;
		store_writer_filled(w, (size_t)n);
		total += (uint64_t)n;
		if (total > limit)
			return err_set(err, ERR_INPUT, 0, "larger than the limit of %llu bytes", (unsigned long long)limit);
	}
}

int store_put_fd(struct store *store, int fd, uint64_t limit, struct digest *ret, uint64_t *ret_size, struct err *err)
{
	auto_store_writer w = NULL;

	if (store_writer_begin(store, &w, err) < 0 || store_writer_add_fd(w, fd, limit, err) < 0)
		return -1;
	return store_writer_end(w, ret, ret_size, err);
}

int store_put_bytes(struct store *store, const void *data, size_t n, struct digest *ret, struct err *err)
{
	auto_store_writer w = NULL;

	if (store_writer_begin(store, &w, err) < 0 || store_writer_add(w, data, n, err) < 0)
		return -1;
	return store_writer_end(w, ret, NULL, err);
}

int store_open_object(struct store *store, const struct digest *d, int *ret_fd, struct err *err)
{
	char path[STORE_PATH_SIZE];
	struct stat st;
	int fd = openat(store->fd, store_object_path(d, path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_INPUT : ERR_INTERNAL, errno, "open %s in the store", path);
	if (fstat(fd, &st) == 0)
		store_freshen(fd, &st);
	*ret_fd = fd;
	return 0;
}

bool store_remove_object(struct store *store, const struct digest *d)
{
	char path[STORE_PATH_SIZE];

	return unlinkat(store->fd, store_object_path(d, path), 0) == 0 || errno == ENOENT;
}

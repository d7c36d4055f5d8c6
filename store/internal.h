/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file internal.h
 * What the files of store/ share among themselves.
 *
 *     store.c         open, create, close
 *     sweep.c         what dead runs left below tmp/
 *     scratch.c       one run's directory below tmp/, and its lock
 *     object.c        content written, hashed and placed by digest
 *     tree_rules.c    what an entry may be, and in which order
 *     tree_text.c     one entry as a line, and back
 *     tree_builder.c  entries in, sorted manifest out
 *     tree_reader.c   manifest in, entries out
 *     trees.c         manifests in the store
 *     snapshot.c      a directory walked
 *     snapshot_crew.c several threads that make objects and entries of what the walk meets (snapshot.h)
 *     snapshot_file.c one file, read while it may change
 *     statcache.c     files that need not be read, since nothing of them changed (statcache.h)
 *     names.c         names of trees
 *     derived.c       what can be worked out again
 *     result.c        what steps and images came to
 *     lock.c          who is at work, and who has the store alone
 *     visit.c         all that lies in a store, thing by thing
 *     stats.c         how much that is
 *     verify.c        whether it is what it should be
 *     gc.c            what of it goes
 *     digest_set.c    many digests (digest_set.h)
 *     check.c         whether a content is what its name says
 */
#ifndef GB_STORE_INTERNAL_H
#define GB_STORE_INTERNAL_H

#include <pthread.h>
#include <sys/stat.h>

#include "store/store.h"

/** "objects/ab/" and 62 hex digits, or "trees/" and 64, and NUL. */
#define STORE_PATH_SIZE 80

/** How many bytes of a path an error shows: the reason must still fit behind it. */
#define SHOWN "%.1000s"

struct store {
	int fd;                        /**< directory descriptor of the store */
	struct ident ident;
	int busy;                      /**< objects/, locked while we work in it (lock.c), or -1 */
	pthread_mutex_t lock;          /**< guards what follows: a snapshot's threads write at once */
	struct store_scratch *staging; /**< where objects are written beside; made when first needed */
	uint64_t staged;               /**< names used in it */
};

/* ---- object.c --------------------------------------------------------- */

/** Writes the path of an object below the store; returns @p out. */
char *store_object_path(const struct digest *d, char out[STORE_PATH_SIZE]);
/** Writes the path of a manifest below the store; returns @p out. */
char *store_tree_path(const struct digest *d, char out[STORE_PATH_SIZE]);

/** Where to read the next bytes to, @p ret_room of them at least 1; then store_writer_filled(). Saves store_writer_add()'s copy. */
int store_writer_room(struct store_writer *w, char **ret, size_t *ret_room, struct err *err);
void store_writer_filled(struct store_writer *w, size_t n);
/** Adds all that is left in @p fd. @p limit: most bytes accepted. ERR_INPUT above, and where it cannot be read. */
int store_writer_add_fd(struct store_writer *w, int fd, uint64_t limit, struct err *err);
/** Has all that comes written to @p fd (borrowed) as well, until store_writer_end(); -1: no longer. */
void store_writer_tee(struct store_writer *w, int fd);
/** store_writer_end() for a manifest: places it below trees/. */
int store_writer_end_tree(struct store_writer *w, struct digest *ret, struct err *err);

/* ---- sweep.c ---------------------------------------------------------- */

/** Removes what dead runs left below tmp/. What cannot be removed now is left to the next sweep. */
void store_sweep(struct store *store);

/* ---- lock.c ----------------------------------------------------------- */

/** Waits until nobody else is at work in the store, and keeps others out until store_resume() or the store is closed. */
int store_lock_alone(struct store *store, struct err *err);

/* ---- scratch.c -------------------------------------------------------- */

/** Calls @p use for all that living runs have noted in the scratch @p tmp (tmp/). While the store is ours alone. */
int store_scratch_uses(int tmp, int (*use)(void *arg, bool tree, const struct digest *d, struct err *err), void *arg, struct err *err);

/* ---- trees.c ---------------------------------------------------------- */

/** store_read_tree() without noting that the tree was used. */
int store_peek_tree(struct store *store, const struct digest *d, struct tree_reader **ret, struct err *err);

/* ---- visit.c ---------------------------------------------------------- */

/** A thing in the store, by its name in its folder. Borrowed. */
struct store_thing {
	enum store_kind kind;
	const char *name;        /**< in the folder */
	int dirfd;               /**< the folder; of an object: objects/ab */
	const char *path;        /**< below the store, for people */
	struct digest digest;    /**< objects, trees, rootfs: of its name */
	struct stat st;
};

/** Calls @p fn for each thing of a kind, in no order. It may remove the thing. What has no name of that kind is passed over. */
int store_visit(struct store *store, enum store_kind kind, int (*fn)(void *arg, const struct store_thing *t, struct err *err), void *arg,
		struct err *err);
/** Bytes that a thing takes on the disk; a rootfs: what its tree says. */
uint64_t store_thing_bytes(struct store *store, const struct store_thing *t);

/* ---- check.c ---------------------------------------------------------- */

/** What was used within so many seconds need not be marked as used again. */
#define STORE_FRESH_S 3600

/** Marks what @p fd has open as used now: its mtime, which garbage collection goes by. @p st is its state. */
void store_freshen(int fd, const struct stat *st);

/** store_check_object() for any file below @p dirfd. */
int store_check_file(int dirfd, const char *path, const struct digest *d, uint64_t size, bool content, struct err *err);

/* ---- result.c --------------------------------------------------------- */

/** Reads results/<name>, where @p dirfd is results/; @p use: and notes that. Errors as store_result_get(). */
int store_result_read(int dirfd, const char *name, bool use, json_t **ret, struct err *err);

/* ---- tree_rules.c ----------------------------------------------------- */

/** Whether @p e may stand in a manifest; @p what begins the message. */
int tree_entry_check(const struct tree_entry *e, enum err_kind kind, const char *what, struct err *err);

/**
 * Follows a manifest's order with constant memory. Paths are sorted bytewise, so all
 * that begin with the text of a directory's path ("a", "a-b", "a/c") stand together, and
 * the directories that can still get entries are prefixes of the latest path: their
 * lengths are enough.
 */
struct tree_order {
	char last[TREE_PATH_MAX + 1];
	size_t last_len;               /**< 0: nothing yet but "." */
	uint16_t dirs[TREE_PATH_MAX];  /**< lengths of the prefixes of `last` that are directories, ascending */
	size_t ndirs;
};

/** Takes the next path (checked, not "."). NULL, or what is wrong with it. */
const char *tree_order_next(struct tree_order *o, const char *path, bool is_dir);

/* ---- tree_text.c ------------------------------------------------------ */

#define TREE_MAGIC "#mtree\n"
/** Longest line: path and link target with every byte as \ooo, and the keywords. */
#define TREE_LINE_MAX (2 * 4 * (TREE_PATH_MAX + 2) + 512)

/** Appends the line of @p e with its newline. */
void tree_line_write(struct buf *out, const struct tree_entry *e);

/** Where tree_line_parse() keeps the strings of an entry. */
struct tree_line {
	char path[TREE_LINE_MAX];
	char link[TREE_LINE_MAX];
};

/** Parses a line (without its newline); @p ret points into @p text. Lenient: the caller compares tree_line_write()'s answer with the line. */
bool tree_line_parse(const char *line, size_t n, struct tree_line *text, struct tree_entry *ret);

/* ---- tree_builder.c --------------------------------------------------- */

typedef int tree_sink(void *arg, const char *data, size_t n, struct err *err);

/** tree_builder_manifest(), piece by piece. */
int tree_builder_emit(struct tree_builder *b, tree_sink *sink, void *arg, struct err *err);

/* ---- snapshot_file.c -------------------------------------------------- */

/** What a file's reading needs beside its descriptor. */
struct snapshot_reader {
	struct store_writer *writer;   /**< with nothing in it */
	const struct snapshot_options *opt;
	int copy;                      /**< empty file that gets the same content, or -1 */
};

/** Reads the regular file @p fd, just opened, into an object while nobody changes it; @p ret_st is its state then. On failure the
 *  writer holds what was read. */
int snapshot_file(const struct snapshot_reader *r, int fd, const char *path, struct digest *ret, struct stat *ret_st,
		  struct err *err);

#endif

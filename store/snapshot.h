/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file snapshot.h
 * A snapshot under way: one thread walks, and gives files to a crew that reads, hashes and stores them. Private to store/.
 */
#ifndef GB_STORE_SNAPSHOT_H
#define GB_STORE_SNAPSHOT_H

#include <pthread.h>

#include "store/internal.h"
#include "store/statcache.h"

/** A file for the crew, which owns all of it. */
struct snapshot_job {
	int fd;
	int copy;   /**< where its content goes as well, or -1 */
	char *path;
};

/** What the threads share. */
struct snapshot {
	const struct snapshot_options *opt;
	struct store *store;           /**< objects go there; NULL: digests only */
	struct ident ident;
	struct statcache *cache;       /**< or NULL */
	struct crew *crew;
	unsigned threads;
	struct store_writer *writers[CREW_MAX]; /**< one a thread */
	pthread_mutex_t lock;          /**< guards the rest, the cache's notes and the option's `lost` */
	struct tree_builder *builder;
	struct snapshot_stats stats;
};

/** Begins one of the directory @p rootfd; snapshot_end() then. On failure there is nothing to end. */
int snapshot_begin(struct snapshot *s, struct store *store, int rootfd, const struct snapshot_options *opt, struct tree_builder *b,
		   struct err *err);
/** Ends the crew, whether it is done or not. */
void snapshot_end(struct snapshot *s);

/** Fills in mode and ids from @p st by the normal form, counts, and hands @p e to the option's `visit`. */
int snapshot_show(struct snapshot *s, struct tree_entry *e, const struct stat *st, int fd, struct err *err);
/** Adds @p e with mode and ids from @p st by the normal form, and counts it; or shows it where that is asked for. */
int snapshot_add(struct snapshot *s, struct tree_entry *e, const struct stat *st, struct err *err);
/** Makes the place of the copy of the file @p path, just opened as @p fd; @p ret stays -1 where none is wanted. */
int snapshot_make_copy(struct snapshot *s, int fd, const char *path, int *ret, struct err *err);
/** Adds the file @p path in the state @p st if its content is known, and stored where it has to be; @p ret tells. */
int snapshot_add_known(struct snapshot *s, const char *path, const struct stat *st, bool *ret, struct err *err);
/** Hands the file @p path, just opened, to the option's `visit`, and refuses it if it has changed meanwhile. */
int snapshot_show_file(struct snapshot *s, int fd, const char *path, struct err *err);
/** Counts what is neither file, directory nor link, and is left out. */
void snapshot_skip_odd(struct snapshot *s, const char *path, mode_t type);
/** An error of reading @p path: ERR_INPUT, with @p sys or what it means here. */
int snapshot_failed(const char *path, int sys, const char *doing, struct err *err);

#endif

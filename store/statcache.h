/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file statcache.h
 * Which content a source's files had when they were last read, by inode, size, mode, and mtime and ctime in nanoseconds: a file of
 * which stat(2) says the same has the same content, and need not be opened. ctime cannot be set, so who keeps size and mtime
 * deceives nobody. Private to store/.
 *
 * One file a directory that is a source, among what the store can work out again (derived/stat-…, by device, file system
 * and inode of that directory): a head, records sorted by inode, and a SHA-256 of them. It is read whole into memory of our own, since nobody can
 * change that after it was checked; a damaged one is as good as none. It is written beside and renamed: of several runs
 * one wins, and each one's is right.
 *
 * What it says is believed no further than a stat goes: the caller compares an object's size, and content is hashed when it
 * is laid out or packed. Sources on file systems whose times another machine sets, or that writes through a mapping do not set, have none.
 */
#ifndef GB_STORE_STATCACHE_H
#define GB_STORE_STATCACHE_H

#include "store/internal.h"

/** Files that one directory's cache knows, at most; the rest is read each time. */
#define STATCACHE_MAX 2000000u
/** Seconds for which a file must not have changed before a walk began: longer than the coarsest tick of the file systems taken. */
#define STATCACHE_RACY 2u
/** The same, where a file may be mapped for writing: longer than dirty pages wait for being written back (30 and 5 s). */
#define STATCACHE_SETTLED 60u

struct statcache;

/** Begins a walk of the directory @p rootfd: loads what is known. ERR_INTERNAL: memory is short. */
int statcache_open(struct store *store, int rootfd, struct statcache **ret, struct err *err);
void statcache_free(struct statcache *c);
static inline void own_statcache(struct statcache **c)
{
	statcache_free(*c);
}
#define auto_statcache __attribute__((cleanup(own_statcache))) struct statcache *

/** The content of a regular file by its state; false: read it. Any thread may ask. */
bool statcache_find(const struct statcache *c, const struct stat *st, struct digest *ret);
/** What was found holds on. */
void statcache_keep(struct statcache *c, const struct stat *st, const struct digest *d);
/** Who writes to a file. */
enum statcache_calm {
	STATCACHE_UNKNOWN,  /**< not to be found out here */
	STATCACHE_WRITTEN,  /**< somebody has it open for writing, or mapped */
	STATCACHE_CALM,     /**< nobody has */
};
/** Asks that of @p fd, before it is read: who writes through a mapping meanwhile and lets go of it would not be met afterwards.
 *  Any thread may ask. */
enum statcache_calm statcache_look(const struct statcache *c, int fd);
/** Whether what was read after that, in the state @p st before and after, may be noted down: any later change shows. Any thread may ask. */
bool statcache_may_note(const struct statcache *c, const struct stat *st, enum statcache_calm calm);
/** Notes it down. */
void statcache_note(struct statcache *c, const struct stat *st, const struct digest *d);
/** Ends a walk that met all files: writes down what is kept and noted, unless that is what is there. A failure costs the next run its time only. */
void statcache_save(struct statcache *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file contents.h
 * Contents for files that are made already, by several threads: reading, hashing and writing are most of the work of laying a tree out,
 * and in which order files are filled cannot be seen afterwards; in which they are made can. Private to rootfs/.
 */
#ifndef GB_ROOTFS_CONTENTS_H
#define GB_ROOTFS_CONTENTS_H

#include "store/store.h"

struct contents;

/** Starts the threads. @p root (borrowed): where the files lie, for messages. */
int contents_begin(struct store *store, int root, struct contents **ret, struct err *err);
/** Has the empty file @p fd, which it owns from now on, filled with the content of @p e, checked against its digest, and given mode and
 *  ROOTFS_MTIME. -1 once one has failed, with its error. */
int contents_fill(struct contents *c, int fd, const struct tree_entry *e, struct err *err);
/** Waits until all are filled. */
int contents_finish(struct contents *c, struct err *err);
/** Bytes filled in so far. */
uint64_t contents_bytes(const struct contents *c);
void contents_free(struct contents *c);
static inline void own_contents(struct contents **c)
{
	contents_free(*c);
}
#define auto_contents __attribute__((cleanup(own_contents))) struct contents *

/** An error of laying out @p path below @p root after @p bytes of contents. A full tmpfs is told apart: its size is the caller's choice. */
int contents_failed(int root, uint64_t bytes, const char *path, int sys, struct err *err);
/** Gives what is laid out its time. -1 with errno. */
int contents_set_time(int fd);
/** Gives a file that is filled, and was made with @p mode, that mode and its time. -1 with errno. */
int contents_settle(int fd, unsigned mode);

#endif

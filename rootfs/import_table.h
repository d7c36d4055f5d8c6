/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file import_table.h
 * The entries of an archive by path, while it is read: a later one replaces an earlier
 * one, parents that are missing are added, hard links wait for their target.
 * Rules: glovebox-tree(5), "IMPORT".
 */
#ifndef GB_ROOTFS_IMPORT_TABLE_H
#define GB_ROOTFS_IMPORT_TABLE_H

#include "rootfs/internal.h"

/** Most bytes of paths and link targets together. */
#define IMPORT_NAMES_MAX (512ull << 20)

/** What an entry is, so far. */
enum import_kind {
	IMPORT_DIR, IMPORT_FILE, IMPORT_LINK,
	IMPORT_ODD,   /**< device, fifo, socket: left out, but nothing may lie below it */
	IMPORT_HARD,  /**< hard link whose target, in `link`, is not there yet */
};

/** An entry; path and link are borrowed when given to the table. */
struct import_entry {
	const char *path;
	enum import_kind kind;
	unsigned mode;
	uint64_t uid, gid;
	uint64_t size;
	struct digest digest;
	const char *link;
};

struct import_table;
int import_table_new(struct import_table **ret, struct err *err);
void import_table_free(struct import_table *t);
static inline void own_import_table(struct import_table **t)
{
	import_table_free(*t);
}
#define auto_import_table __attribute__((cleanup(own_import_table))) struct import_table *

/** Whether @p path may be added as a directory or something else: refused below what is no directory, and where a directory and
 *  something else would share a path. ERR_INPUT by name. */
int import_table_check(struct import_table *t, const char *path, bool is_dir, struct err *err);
/** Adds an entry, checked, with its missing parents (0755, 0:0); the last one of a path stands. */
int import_table_add(struct import_table *t, const struct import_entry *e, struct err *err);
/** Adds a hard link to @p target: a copy of what that is now, or will be in the end. */
int import_table_link(struct import_table *t, const char *path, const char *target, struct err *err);
/** Bytes of the files that are there again as hard links, so far. */
uint64_t import_table_linked(const struct import_table *t);
/** Resolves what waits, and hands all over. ERR_INPUT for a hard link to nothing. */
int import_table_end(struct import_table *t, struct tree_builder *b, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file import_table.h
 * The entries of an archive by path, while it is read: a later one replaces an earlier
 * one, parents that are missing are added, hard links wait for their target. What is left
 * in the end is a row of entries; the layers of an image lie one above the other.
 * Rules: glovebox-rootfs(1), "HOSTILE ARCHIVES".
 */
#ifndef GB_ROOTFS_IMPORT_TABLE_H
#define GB_ROOTFS_IMPORT_TABLE_H

#include "rootfs/internal.h"

/** Most bytes of paths and link targets together. */
#define IMPORT_NAMES_MAX (512ull << 20)

/** What counts against the limits, of one archive or of all layers of an image together. Zero-initialise. */
struct import_totals {
	uint64_t bytes;    /**< of all files so far, but hard links */
	uint64_t linked;   /**< of the files that are there again as hard links */
	uint64_t rows;     /**< entries, with the parents that were added */
	uint64_t names;    /**< bytes of paths and targets */
	uint64_t entries;  /**< as the archives have them */
	uint64_t before;   /**< import_totals_bytes() before the archive at hand */
};

/** Bytes of all files so far, hard links as files of their own: what will be laid out. */
uint64_t import_totals_bytes(const struct import_totals *t);
/** Adds a file. ERR_INPUT over IMPORT_BYTES_MAX. */
int import_totals_add(struct import_totals *t, uint64_t size, struct err *err);

/** What an entry is, so far. */
enum import_kind {
	IMPORT_WHITEOUT, /**< layers: what is there below, and below that, is gone */
	IMPORT_OPAQUE,   /**< layers: what is in that directory below is gone; path "" is the root */
	IMPORT_DIR, IMPORT_FILE, IMPORT_LINK,
	IMPORT_ODD,      /**< device, fifo, socket: left out, but nothing may lie below it */
	IMPORT_HARD,     /**< hard link whose target, in `link`, is not there yet */
};

/** An entry; path and link are borrowed when given to the table. */
struct import_entry {
	const char *path;
	enum import_kind kind;
	bool implied;    /**< a directory that nobody named, on the way to something */
	unsigned mode;
	uint64_t uid, gid;
	uint64_t size;
	struct digest digest;
	const char *link;
};

/** An entry that owns its strings. */
struct import_row {
	struct import_entry e;
	char *path, *link;
	size_t layer;    /**< which of an image's it came with, from 0 */
};

void import_row_free(struct import_row *r);

/** Entries in the order of their paths, with each directory just before what is in it. Owned: import_rows_free(). */
struct import_rows {
	struct import_row **v;
	size_t n;
};
void import_rows_free(struct import_rows *rows);
#define auto_import_rows __attribute__((cleanup(import_rows_free))) struct import_rows

struct import_table;
/** @p totals is borrowed. A @p layer's hard links may lead to the layers below. */
int import_table_new(struct import_totals *totals, bool layer, struct import_table **ret, struct err *err);
void import_table_free(struct import_table *t);
static inline void own_import_table(struct import_table **t)
{
	import_table_free(*t);
}
#define auto_import_table __attribute__((cleanup(own_import_table))) struct import_table *

bool import_table_is_layer(const struct import_table *t);
/** Whether @p path may be added as a directory or something else: refused below what is no directory, and where a directory and
 *  something else would share a path. ERR_INPUT by name. */
int import_table_check(struct import_table *t, const char *path, bool is_dir, struct err *err);
/** Adds an entry, checked, with its missing parents (0755, 0:0); the last one of a path stands. */
int import_table_add(struct import_table *t, const struct import_entry *e, struct err *err);
/** Adds a hard link to @p target: a copy of what that is now, or will be in the end. */
int import_table_link(struct import_table *t, const char *path, const char *target, struct err *err);
/** Adds a whiteout that stands at @p path and is about @p victim; @p kind is IMPORT_WHITEOUT or IMPORT_OPAQUE. */
int import_table_whiteout(struct import_table *t, const char *path, enum import_kind kind, const char *victim, struct err *err);
/** Resolves what waits. ERR_INPUT for a hard link to nothing, unless that may lie in a layer below. */
int import_table_settle(struct import_table *t, struct err *err);
/** Hands all rows over; the table is empty then. */
void import_table_take(struct import_table *t, struct import_rows *ret);

/* ---- import_layers.c ---------------------------------------------------------- */

/** Order of paths in import_rows. */
int import_path_order(const char *a, const char *b);
/** Lays a layer's rows (moved from) over those of the layers below it. What is removed and what replaces it does not depend on the order
 *  in which the layer had it. ERR_INPUT: entries below what is no directory there, a hard link to nothing. */
int import_layers_put(struct import_rows *below, struct import_rows *layer, struct import_totals *totals, struct err *err);
/** Makes @p r a copy of @p target, as two hard links are one file. ERR_INPUT for a directory, or over a limit. */
int import_row_copy(struct import_row *r, const struct import_row *target, struct import_totals *totals, struct err *err);
/** Adds all to a tree. */
int import_rows_hand_over(const struct import_rows *rows, struct tree_builder *b, struct err *err);

#endif

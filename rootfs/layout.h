/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file layout.h
 * A tree in the making: its directories, links and empty files, made in the order of its manifest. Private to rootfs/.
 */
#ifndef GB_ROOTFS_LAYOUT_H
#define GB_ROOTFS_LAYOUT_H

#include "rootfs/contents.h"
#include "rootfs/internal.h"

/** A directory that gets its mode and time when all in it is there. */
struct layout_late {
	char *path;
	unsigned mode;
};

/** Zero-initialise; then layout_begin(). */
struct layout {
	struct cursor at;
	bool close_by;             /**< the file system knows no spreading, or none is wanted */
	struct layout_late *late;
	size_t nlate, late_cap;
	struct contents *contents; /**< what fills its files, or NULL; tells what a full disk holds by then. Owned */
};
void layout_clear(struct layout *l);
#define auto_layout __attribute__((cleanup(layout_clear))) struct layout

/** Begins in the empty directory @p root (borrowed), the tree's own. */
void layout_begin(struct layout *l, int root);
/** Makes the next entry; a file empty, as *@p ret_fd (the caller's): some file systems list files in the order in which they were made. */
int layout_make(struct layout *l, const struct tree_entry *e, int *ret_fd, struct err *err);
/** Gives directories mode and time, once all is there. */
int layout_finish(struct layout *l, struct err *err);

#endif

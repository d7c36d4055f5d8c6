/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file overlay.h
 * The entries of an image's layers laid one over the other, as image-spec has it: whiteouts and opaque directories take away what lower layers
 * have, and a later entry takes the place of one of its path. Private to inspect/. (contents.h does the same with trees of the store, which have
 * no whiteouts.) Runs in the confined process, on hostile bytes.
 */
#ifndef GB_INSPECT_OVERLAY_H
#define GB_INSPECT_OVERLAY_H

#include "inspect/look.h"

/** How many of what. */
struct overlay_counts {
	uint64_t files, directories, links, hard_links, others, whiteouts;
	uint64_t bytes;          /**< of the files' contents */
};

struct overlay_layer {
	struct slice tar;        /**< borrowed: members' contents lie in it */
	struct overlay_counts counts; /**< of its entries, seen or not */
	size_t first;            /**< place in `all` of its first entry */
};

/** All layers. Zero-initialise; overlay_clear(). */
struct overlay {
	struct listing all;      /**< in the order of layers; of a whiteout the path is that of what it takes away */
	struct overlay_layer *layers;
	size_t nlayers, layers_room;
	struct overlay_row *rows; /**< all entries, sorted */
	size_t nrows;
	const struct member **v; /**< what is seen, once laid: in the order of paths, what is in a directory straight after its name */
	size_t n;
	struct overlay_counts total; /**< of what is seen */
};
void overlay_clear(struct overlay *o);
#define auto_overlay __attribute__((cleanup(overlay_clear))) struct overlay

/** Adds a layer on top, which is a tar. ERR_INPUT, ERR_UNVERIFIED: it is damaged; ERR_INPUT: a path in it that leads nowhere certain, or more than
 *  LISTING_MAX entries in all. */
int overlay_add(struct overlay *o, const struct slice *tar, struct err *err);
/** After the last one. */
int overlay_lay(struct overlay *o, struct err *err);

/** The layer that a member is from, from 0. */
size_t overlay_layer_of(const struct overlay *o, const struct member *m);
/** Where the content of a file is; of a hard link, that of the file it leads to in its own layer. Empty where there is none. */
struct slice overlay_content(const struct overlay *o, const struct member *m);

#endif

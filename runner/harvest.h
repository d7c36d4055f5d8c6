/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file harvest.h
 * What a step left becomes a tree. Private to runner/.
 */
#ifndef GB_RUNNER_HARVEST_H
#define GB_RUNNER_HARVEST_H

#include "store/store.h"

/** How many of the things that were not kept are told of by name. */
#define HARVEST_NAMED 16

/** A tree, and what of the directory did not get into it as it was. Zero-initialise. */
struct harvest {
	struct digest tree;
	uint64_t odd;          /**< special files that were left out */
	uint64_t setid;        /**< files that lost a setuid or setgid bit */
	json_t *named;         /**< the first HARVEST_NAMED of both: [{"path", "type"}] */
};
void harvest_clear(struct harvest *h);
#define auto_harvest __attribute__((cleanup(harvest_clear))) struct harvest

/** Snapshots @p dirfd in the sources' normal form, without following any link, and puts the tree into the store. Nothing of the step is
 *  alive any more. */
int harvest(struct store *store, int dirfd, struct harvest *ret, struct err *err);

/** Adds to an account of an output "tree", "specialFilesDropped", "setIdCleared" and "notKept", the names. */
int harvest_add_json(json_t *account, const struct harvest *h, struct err *err);

/** Appends "3 special files were left out, 1 setuid or setgid file is now plain: 'a' (fifo), 'b' (socket), …" in one line
 *  for people; nothing where all was kept. */
void harvest_text(struct buf *out, const struct harvest *h);

#endif

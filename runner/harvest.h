/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file harvest.h
 * What a step left becomes a tree. Private to runner/.
 */
#ifndef GB_RUNNER_HARVEST_H
#define GB_RUNNER_HARVEST_H

#include "store/store.h"

/** Snapshots @p dirfd in the sources' normal form, without following any link, and puts the tree into the store. Nothing of the step is
 *  alive any more. @p ret_odd counts the special files that were left out. */
int harvest(struct store *store, int dirfd, struct digest *ret, uint64_t *ret_odd, struct err *err);

#endif

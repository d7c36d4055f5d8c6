/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file tree_sha1.h
 * The SHA-1s of a tree's files, which SPDX asks for: worked out once, then kept in the store by the tree's digest. Private to inspect/ and runner/.
 */
#ifndef GB_INSPECT_TREE_SHA1_H
#define GB_INSPECT_TREE_SHA1_H

#include "store/store.h"

/** Finds them: one for each regular file, in the order of the manifest; free() it. With as many threads as there are processors, which are gone when
 *  the call returns. ERR_INPUT: an object is not there. */
int tree_sha1(struct store *store, const struct digest *tree, struct sha1 **ret, size_t *ret_n, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file digest_set.h
 * A set of digests, each with a byte of its own: some 50 bytes an entry, for millions of them. Private to store/.
 */
#ifndef GB_STORE_DIGEST_SET_H
#define GB_STORE_DIGEST_SET_H

#include "base/base.h"

struct digest_slot {
	struct digest d;
	uint8_t used, mark;
};

/** Zero-initialise. */
struct digest_set {
	struct digest_slot *slots;
	size_t n, cap;
};

void digest_set_clear(struct digest_set *set);
#define auto_digest_set __attribute__((cleanup(digest_set_clear))) struct digest_set

/** Adds @p d, where it is missing, with a mark of 0; @p ret: its mark, valid until the next addition. */
int digest_set_add(struct digest_set *set, const struct digest *d, uint8_t **ret, struct err *err);
/** The mark of @p d, or NULL: it is not in the set. */
uint8_t *digest_set_find(const struct digest_set *set, const struct digest *d);

#endif

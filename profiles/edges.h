/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file edges.h
 * Private to profiles/: the arguments at which what rules say about a call can change. For each argument the values around
 * every comparison that the call's rules make, in every combination.
 */
#ifndef GB_PROFILES_EDGES_H
#define GB_PROFILES_EDGES_H

#include "profiles/policy.h"

/** Most values tried for one argument. */
#define EDGES_MAX 256

/** Values to try, each once. Zero-initialise. */
struct edges {
	uint64_t v[EDGES_MAX];
	size_t n;
};

/** Adds those of argument @p index in @p n rules: never none at all. */
void edges_add(struct edges *edges, const struct policy_rule *rules, size_t n, unsigned index);

/** Hears of one combination. Not 0: no more, and that is what edges_each() returns. */
typedef int edges_fn(void *arg, int nr, const uint64_t args[POLICY_ARGS]);

/** Goes through the combinations for call @p nr under @p n policies together, @p most of them: of more, so many are taken at even
 *  distance. @return 0, or what @p fn did. */
int edges_each(const struct policy *const *policies, size_t n, int nr, uint64_t most, edges_fn *fn, void *arg);

#endif

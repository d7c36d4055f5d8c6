/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file source.h
 * The sources of a spec, one by one, into the store. Private to runner/.
 */
#ifndef GB_RUNNER_SOURCE_H
#define GB_RUNNER_SOURCE_H

#include "runner/plan.h"

/** What finding them needs. Borrowed. */
struct source_finder {
	struct store *store;
	struct plan *plan;
	int spec_dirfd;
	const struct plan_options *opt;
};

/** Brings source @p i of the plan's spec into the store and fills the plan's. Errors begin with its place in the spec. */
int source_resolve(const struct source_finder *r, size_t i, struct err *err);

/** The directory part of a path: "." for a bare name. Owned by the caller; NULL when memory is short. */
char *dir_of(const char *path);

/** The path of the lock beside the spec @p path, as messages show it. 0, or -1 when memory is short. */
int lock_path(const char *path, char **ret);

#endif

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

/** The tree, and its figures, that a file which was fetched makes as source @p s: itself, or what is in it. */
int source_of_file(struct store *store, const struct spec_source *s, const struct digest *file, uint64_t size, struct plan_source *to,
		   struct err *err);

/** Opens what a spec names, to read, with @p flags besides. A relative path stays within the spec's own directory, links included: what a
 *  spec takes from elsewhere it has to name outright. @return -1 with errno; EXDEV: it leads out of there. */
int open_beside(int spec_dirfd, const char *path, int flags);

/** The directory part of a path: "." for a bare name. Owned by the caller; NULL when memory is short. */
char *dir_of(const char *path);

/** Reads the spec @p path, and opens its directory. */
int open_spec(const char *path, struct buf *text, int *ret_dirfd, struct err *err);

/** Where included files are. */
struct beside {
	const struct ident *id;  /**< whose rights they are read with; NULL: the caller's own */
	int dirfd;               /**< the spec's directory */
};

/** Reads an included file from below the spec's directory; a spec_include_fn whose argument is a struct beside. */
int bring_beside(void *arg, const struct spec_include *include, struct buf *ret, struct err *err);

/** The path of the lock beside the spec @p path, as messages show it. 0, or -1 when memory is short. */
int lock_path(const char *path, char **ret);

#endif

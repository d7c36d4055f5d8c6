/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file vary.h
 * Building again under other circumstances, and what that tells. Private to runner/.
 *
 * Class A must never matter: what the host is like is no input. Class B is what a step is told of itself; a build may depend on it, since it
 * is the same everywhere, but one that does breaks when it is changed on purpose.
 */
#ifndef GB_RUNNER_VARY_H
#define GB_RUNNER_VARY_H

#include "runner/build.h"

/** A variation. */
struct variation {
	const char *name;
	struct work_vary work;
	bool busy;            /**< the host has more to do than it can, */
	bool waits;           /**< and the build begins once its load average shows that */
	bool elsewhere;       /**< in a store at another path, */
	bool other_user;      /**< of another user */
};

/** Classes A and B, each ended by one without a name. In class A what costs least comes first. */
extern const struct variation vary_hosts[], vary_steps[];

/** The variation of that name, of either class, or NULL. */
const struct variation *vary_find(const char *name, size_t n);
/** NULL, or why it cannot be had here, where it is asked for @p by_spec or by the invocation: static text. */
const char *vary_fault(const struct variation *v, const struct ident *id, bool by_spec);
/** Adds what @p one changes to @p all. */
void vary_add(struct variation *all, const struct variation *one);

/** Processes that do nothing, as fast as they can: two for each processor. Zero-initialised. */
#define VARY_BUSY_MAX 32
struct vary_load {
	struct apart v[VARY_BUSY_MAX];
	size_t n;
};
/** Begins to keep the host busy. */
void vary_load_begin(struct vary_load *load);
/** Waits until its load average shows that, some seconds at most. ERR_INTERRUPTED. */
int vary_load_wait(int cancel_fd, struct err *err);
void vary_load_end(struct vary_load *load);

/** Whether what a list (NULL: nothing, or "all": what there is) asks for by name can be had here: ERR_HOST names the first that cannot, ERR_REFUSED
 *  one that no spec can ask for. */
int vary_check(const char *list, const struct ident *id, bool by_spec, struct err *err);

/** Builds again, in opt->rounds, as opt->vary and opt->fragile ask, and fills in @p ret where the output is not the tree @p expected:
 *  verdict, account, broken_by; and rounds, varied, fragile. */
int vary_run(struct store *store, const struct plan *plan, const struct reproduce_options *opt, const struct digest *expected,
	     struct reproduce_report *ret, struct err *err);

/** Appends which files differ between two trees: some names, and how many there are besides. */
int vary_compare(struct tree_reader *a, struct tree_reader *b, struct buf *out, struct err *err);
/** The same of two trees, each of the store beside it. */
int vary_differences(struct store *a_store, const struct digest *a, struct store *b_store, const struct digest *b, struct buf *out,
		     struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file manifests.h
 * The manifests of a run's trees (glovebox-tree(5)): the root filesystem, sources that are trees, and what the build left. A provenance has a tree's
 * digest, however many files are in it; the manifests lie beside it as files whose SHA-256 that digest is, and are named by it as byproducts. Private
 * to runner/.
 */
#ifndef GB_RUNNER_MANIFESTS_H
#define GB_RUNNER_MANIFESTS_H

#include "runner/outdir.h"
#include "runner/plan.h"

/** What the names of all begin with, in an out directory and in evidence. */
#define MANIFESTS_DIR OUTDIR_TREES "/"
/** The one of what the build left. */
#define MANIFESTS_OUTPUT MANIFESTS_DIR "output.mtree"

struct manifest {
	char *name;                  /**< in the out directory: "trees/rootfs.mtree", "trees/source-NAME.mtree", "trees/output.mtree" */
	struct digest tree;          /**< and of the file */
};
struct manifests {
	struct manifest *v;
	size_t n;
};
void manifests_clear(struct manifests *m);
#define auto_manifests __attribute__((cleanup(manifests_clear))) struct manifests

/** Lists those of a run whose build left the tree @p output. A source that is one file has none. */
int manifests_of(const struct plan *plan, const struct digest *output, struct manifests *ret, struct err *err);
/** Writes them from the store. */
int manifests_write(const struct manifests *m, struct store *store, struct outdir *out, struct err *err);

#endif

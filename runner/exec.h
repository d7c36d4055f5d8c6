/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file exec.h
 * The places outside of one command: where --rw comes from, where --output and
 * --receipt go. All are opened, and seen to be apart, before the command runs.
 * Private to runner/.
 */
#ifndef GB_RUNNER_EXEC_H
#define GB_RUNNER_EXEC_H

#include "runner/runner.h"

#define RECEIPT_SCHEMA "https://glovebox.dev/schemas/receipt/v1"

/** Where an output will appear. */
struct exec_place {
	int dir;     /**< the empty directory, where there is one; else -1, and: */
	int parent;  /**< the directory that it will be made in */
	char *name;
};
void exec_place_clear(struct exec_place *p);
/** Opens the place of output directory @p path with the rights at hand. ERR_USAGE unless it is missing, in a directory that is there,
 *  or empty. */
int exec_place_open(const char *path, struct exec_place *ret, struct err *err);
/** Fills it with a tree: a new directory appears whole; an empty one stays the one it was. */
int exec_place_fill(const struct exec_place *p, struct store *store, const struct digest *tree, struct err *err);

/** The exit code that glovebox-exec(1) has for how a command ended. */
int exec_exit_code(const struct sandbox_result *r);

/** All of them. */
struct exec_outside {
	int *rw;                     /**< directories of --rw */
	struct exec_place *outputs;
	size_t nrw, noutputs;        /**< how many are open */
};
void exec_outside_clear(struct exec_outside *o);
/** Opens them as the caller. ERR_USAGE for places within each other or the store, in any way in which one could change another. */
int exec_outside_open(struct store *store, const struct exec_options *opt, struct exec_outside *ret, struct err *err);

/** ERR_USAGE when two mounts have the same place inside, or one lies in the other: one would hide the other. */
int exec_check_inside(const struct exec_options *opt, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file shell.h
 * A visit to the sandbox of a step: `glovebox shell`.
 */
#ifndef GB_RUNNER_SHELL_H
#define GB_RUNNER_SHELL_H

#include "runner/runner.h"

/** Borrowed. */
struct shell_options {
	const char *step;               /**< "build", or a test's name */
	bool failed;                    /**< run the step first, and enter what it leaves when it fails */
	const char *const *argv;        /**< NULL-terminated; or NULL: a shell */
	const char *term;               /**< for TERM inside, with a terminal; or NULL */
	const struct sandbox_terminal *terminal; /**< or NULL: `relay` */
	const int *relay;
	int (*ready)(void *arg, struct err *err); /**< called last before the command starts; or NULL */
	void *arg;
	uint64_t grace_ms;
	int cancel_fd;
	run_event_fn *event; void *event_arg;     /**< or NULL */
};

/** How it ended. */
struct shell_report {
	bool entered;    /**< false: `failed` was asked for, and the step has passed */
	int exit_code;   /**< as that of exec: see glovebox-exec(1) */
};

/** Enters the sandbox of a step. A test's is entered with what the build leaves, which is run for that. ERR_USAGE for a step that the spec
 *  has not; ERR_STEP where the build fails before a test can be entered. */
int shell_enter(struct store *store, const struct plan *plan, const struct shell_options *opt, struct shell_report *ret, struct err *err);

#endif

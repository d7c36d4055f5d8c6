/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file build.h
 * The build step and the harvest of what it left: what `run` and `reproduce`
 * have in common. Private to runner/.
 */
#ifndef GB_RUNNER_BUILD_H
#define GB_RUNNER_BUILD_H

#include "runner/harvest.h"
#include "runner/report.h"
#include "runner/work.h"

struct build {
	struct work work;
	struct step_outcome outcome;  /**< of the build step */
	bool have_output;
	struct harvest output;        /**< what it left in its work directory's source */
	const char *output_path;      /**< where that stood; borrowed from the plan */
};
void build_clear(struct build *b);

static inline void own_step_outcome(struct step_outcome *o)
{
	step_outcome_clear(o);
}
#define auto_step_outcome __attribute__((cleanup(own_step_outcome))) struct step_outcome

/** Lays the sources out, runs the build step, harvests. 0 also when the step failed (b->outcome.ok is false then).
 *  @p report may be NULL. @p b is zero-initialised; build_clear() in every case. ERR_INTERRUPTED when cancelled. */
int build_run(struct build *b, struct store *store, const struct plan *plan, uint64_t grace_ms, int cancel_fd,
	      struct report *report, struct err *err);

/** Runs one step of the same work and reports it. */
int build_step(struct build *b, struct report *report, const struct spec_step *step, struct step_outcome *ret,
	       struct err *err);

#endif

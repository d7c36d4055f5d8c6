/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file build.h
 * The build step and the harvest of what it left: what `run` and `reproduce`
 * have in common. Private to runner/.
 */
#ifndef GB_RUNNER_BUILD_H
#define GB_RUNNER_BUILD_H

#include "runner/cache.h"
#include "runner/report.h"

struct build {
	struct work work;
	enum cache_use use;           /**< of the step cache */
	struct step_outcome outcome;  /**< of the build step */
	bool have_output;
	struct cache_build left;      /**< what it left in its work directory's source; the upper only with have_upper */
	bool have_upper;
	const char *output_path;      /**< where that stood; borrowed from the plan */
	struct cache_answer *tests;   /**< what the cache knows of each, asked ahead where the build was taken from it; or NULL */
	struct cache_image image;     /**< and of the image */
};
void build_clear(struct build *b);

/** What a build is run with. Borrowed. */
struct build_conf {
	struct store *store;
	const struct plan *plan;
	uint64_t grace_ms;
	int cancel_fd;
	enum cache_use use;           /**< CACHE_NONE: nothing is taken, nothing recorded */
	struct report *report;        /**< or NULL */
	const struct work_vary *vary; /**< or NULL; only without the cache, whose keys know nothing of it */
};

/** Takes the build step and its output from the cache, or lays the sources out, runs it and harvests. 0 also when the step failed
 *  (b->outcome.ok is false then). @p b is zero-initialised; build_clear() in every case. ERR_INTERRUPTED when cancelled. */
int build_run(struct build *b, const struct build_conf *conf, struct err *err);

/** The same for the plan's test @p i, on what the build left; reports it. */
int build_test(struct build *b, struct report *report, size_t i, struct step_outcome *ret, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file step_key.h
 * The step key: the SHA-256 of the canonical JSON of all that can influence a step. Private to runner/.
 */
#ifndef GB_RUNNER_STEP_KEY_H
#define GB_RUNNER_STEP_KEY_H

#include "runner/plan.h"

/** Goes up whenever the same key could mean another result: what the sandbox shows, what is recorded, how it is laid out again. */
#define STEP_KEY_FORMAT 1

/** What the build left, as its tests find it. */
struct built_state {
	struct digest tree;   /**< contents */
	struct digest state;  /**< modes, times, and what no tree holds (upper.h) */
};

/** What the step depends on: new reference. @p built: for a test; NULL for the build. */
int step_key_json(const struct plan *plan, const struct spec_step *step, const struct built_state *built, json_t **ret, struct err *err);

/** What image.tar depends on, once the build has left @p output: new reference. */
int image_key_json(const struct plan *plan, const struct digest *output, json_t **ret, struct err *err);

/** The key itself. */
int key_digest(const json_t *key, struct digest *ret, struct err *err);

/** Appends in a few words what of @p was is another in @p is: "source 'src', env CC, limits.memory". Nothing where they are equal. */
void key_difference(const json_t *was, const json_t *is, struct buf *out);

#endif

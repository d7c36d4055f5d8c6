/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file tested.h
 * What the tests of a run came to, as an in-toto test result (glovebox-provenance(5)). A test's own name stands for how it ended, which
 * glovebox has seen; TEST/CASE for what its reports say, which the step has written, so that no step can speak for another, nor for
 * glovebox: a name of a test has no slash. Private to runner/.
 */
#ifndef GB_RUNNER_TESTED_H
#define GB_RUNNER_TESTED_H

#include "runner/pack.h"
#include "runner/work.h"

/** Names in a list of the statement past which cases are counted alone, and no longer named. */
#define TESTED_NAMED_MAX 1000

/** Zero-initialise, tested_begin(). */
struct tested {
	json_t *passed, *warned, *failed; /**< arrays of names, owned */
	json_t *tests;                    /**< array, owned */
};
void tested_clear(struct tested *t);

int tested_begin(struct tested *t, struct err *err);
/** Adds a test that has run, or was taken from the cache. What has failed of one that is not required is a warning. */
int tested_add(struct tested *t, const struct step_outcome *o, struct err *err);
/** Appends the statement about the image. */
int tested_statement(const struct tested *t, const struct plan *plan, const struct built_image *image, struct buf *out, struct err *err);

#endif

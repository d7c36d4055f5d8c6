/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file inputs.h
 * The inputs of a plan as a provenance lists them (resolvedDependencies): spec, rootfs,
 * profile, each source in the spec's order, a base that is an image, the image that the rootfs was made of, each included file, and the
 * lock, each where there is one. The one place that knows this list: it is written from here and compared with here. Private to runner/.
 */
#ifndef GB_RUNNER_INPUTS_H
#define GB_RUNNER_INPUTS_H

#include "attest/attest.h"
#include "runner/plan.h"

/** Where in the list each kind is. */
enum { INPUT_SPEC, INPUT_ROOTFS, INPUT_PROFILE, INPUT_SOURCES };

/** What the URI of a profile begins with. */
#define INPUT_PROFILE_URI "glovebox:profile/"
/** What the image is called that a rootfs was made of. */
#define INPUT_ROOTFS_IMAGE "rootfs-image"

struct inputs {
	struct attest_dependency *v;  /**< points into the plan, and to the uris */
	char **uris;
	size_t n;
};
void inputs_clear(struct inputs *inputs);
#define auto_inputs __attribute__((cleanup(inputs_clear))) struct inputs

/** Lists the inputs of @p plan, which outlives the list. */
int inputs_of(const struct plan *plan, struct inputs *ret, struct err *err);

/** The digest of the @p i-th recorded input. ERR_UNVERIFIED where there is none. */
int inputs_recorded(const json_t *recorded, size_t i, struct digest *ret, struct err *err);

/** Whether a recorded list says exactly what the plan's inputs are: nothing else, nothing more, nothing under another name.
 *  ERR_UNVERIFIED names the first difference. */
int inputs_compare(const struct plan *plan, const json_t *recorded, struct err *err);

#endif

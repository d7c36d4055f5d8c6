/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file refusals.h
 * What a step's filter refused, by the lines of its profile. Private to runner/.
 */
#ifndef GB_RUNNER_REFUSALS_H
#define GB_RUNNER_REFUSALS_H

#include "runner/plan.h"
#include "sandbox/sandbox.h"

/** `[{call, profile, line}]` of what sandbox_run() was told, in the order it came: new reference. What a user's own profile allows and
 *  the floor refuses has profile "floor". ERR_INTERNAL when memory is short. */
int refusals_json(const struct plan_profile *profile, const struct sandbox_result *result, json_t **ret, struct err *err);

#endif

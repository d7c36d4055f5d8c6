/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file limit.h
 * Limits on their way from a spec to the sandbox, and from there to the reports. Private to runner/.
 */
#ifndef GB_RUNNER_LIMIT_H
#define GB_RUNNER_LIMIT_H

#include "runner/left.h"
#include "sandbox/sandbox.h"
#include "spec/spec.h"

/** What is in force for a step: `resources`, and run's own default for tmp. */
struct sandbox_limits limit_of_step(const struct spec *spec, const struct spec_step *step, uint64_t grace_ms);

/** What a spec's `resources` ask for, under the names they have there; new reference, or NULL when memory is short. */
json_t *limit_json(const struct spec_limits *limits);

/** Adds "limit": {"name", "value"} to an account of how a command ended, if it ran into one; with "left": {"bytes", "entries",
 *  "largest": {"path", "bytes"}} where what it left is more than it may (@p left not NULL, and measured). */
int limit_add_json(json_t *account, const struct sandbox_result *result, const struct left *left, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file doctor.h
 * What this host allows, seen from a store: `glovebox doctor`.
 */
#ifndef GB_RUNNER_DOCTOR_H
#define GB_RUNNER_DOCTOR_H

#include "sandbox/checkup.h"
#include "store/store.h"

/** Writes to the store as a run does, and tries what a sandbox needs in it. ERR_HOST, with a cause, when the store cannot be written
 *  to; what the sandbox is denied is in @p ret. */
int doctor_checkup(struct store *store, bool limits_wanted, struct sandbox_check ret[CHECKS], struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file refusal.h
 * Private to profiles/: the rules that refuse, as tables that need no library to be read.
 */
#ifndef GB_PROFILES_REFUSAL_H
#define GB_PROFILES_REFUSAL_H

#include "profiles/policy.h"
#include "profiles/profiles.h"

/** Copies those of @p p, which is indexed, into @p ret, which owns them. */
int refusals_take(const struct policy *p, struct profile_program *ret, struct err *err);

/** Whether a comparison holds; @p op is an enum scmp_compare. */
bool refusal_holds(int op, uint64_t value, uint64_t value_two, uint64_t arg);

#endif

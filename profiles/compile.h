/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file compile.h
 * Private to profiles/: from text to a checked program, for any architecture.
 */
#ifndef GB_PROFILES_COMPILE_H
#define GB_PROFILES_COMPILE_H

#include "profiles/policy.h"
#include "profiles/profiles.h"

/** profile_compile() for @p arch. */
int profile_compile_for(const struct arch *arch, const char *file, const char *text, size_t n,
			struct profile_program *ret, struct err *err);

#endif

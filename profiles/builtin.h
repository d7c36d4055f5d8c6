/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file builtin.h
 * Private to profiles/: the table that gen_builtin.c writes. It and builtin.c refer to
 * no library, so that a static program with shipped profiles carries neither parser nor compiler.
 */
#ifndef GB_PROFILES_BUILTIN_H
#define GB_PROFILES_BUILTIN_H

#include "profiles/profiles.h"

/** In the order of names. */
extern const struct profile_builtin profile_builtin_table[];
extern const size_t profile_builtin_count;
/** Not in the table: nobody chooses it. */
extern const struct profile_builtin profile_builtin_floor;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file danger.h
 * Private to profiles/: what system calls open that a build step has no business with, in plain words.
 */
#ifndef GB_PROFILES_DANGER_H
#define GB_PROFILES_DANGER_H

#include <stddef.h>
#include <stdint.h>

/** What the call opens whatever its arguments are: a clause that goes on after "it would open ". NULL: nothing that is known
 *  here. Static. */
const char *danger_of_call(const char *name);

/** What these arguments of it open. NULL: nothing that is known here. Static. */
const char *danger_of_args(const char *name, const uint64_t args[6]);

/** The i-th thing that some arguments of the call open, or NULL past the end. Static. */
const char *danger_nth(const char *name, size_t i);

#endif

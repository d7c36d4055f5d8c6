/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file glob.h
 * Shell patterns as gitignore(5) has them, matched in time that is bounded by the
 * pattern's length times the text's: patterns come from the tree being read.
 *
 *     ?       any byte but '/'           [a-z] [!a-z] [[:alpha:]]  one of, never '/'
 *     *       any bytes but '/'          \c                        c itself
 *
 * Two stars in place of a whole name stand for any directories, or none; as the last name, for all that is inside.
 */
#ifndef GB_FETCH_GLOB_H
#define GB_FETCH_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest pattern, in bytes. */
#define GLOB_PATTERN_MAX 4096

/** A compiled pattern. Opaque. */
struct glob;

/** Compiles @p n bytes. @return NULL when memory is short. A malformed pattern (an open bracket, an unknown
 *  class, a backslash at the end, more than GLOB_PATTERN_MAX bytes) compiles, and matches nothing. */
struct glob *glob_new(const char *pattern, size_t n);
void glob_free(struct glob *g);
/** Whether the pattern matches all of @p text. */
bool glob_match(struct glob *g, const char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ignore.h
 * What to leave out of a source: gitignore(5) for .gitignore files inside it and for
 * the spec's `exclude`, whose patterns stand above all files, as git's own command line
 * patterns do. Nothing outside the source is read: no global, system or .git/info file.
 */
#ifndef GB_FETCH_IGNORE_H
#define GB_FETCH_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

#define IGNORE_FILE_MAX (256u << 10)   /**< bytes of one .gitignore */
#define IGNORE_LINE_MAX 4096u          /**< bytes of a line in it, or of a pattern of `exclude` */
/* Of all that is in force at one place of a walk, `exclude` too: each costs memory, and time at every entry. */
#define IGNORE_BYTES_MAX (4u << 20)
#define IGNORE_PATTERNS_MAX 50000u

/** The patterns in force at one place of a walk. Opaque. */
struct ignore;

/** Starts with the patterns of @p exclude (NULL-terminated, or NULL), relative to the root. ERR_INPUT over a limit. */
int ignore_new(const char *const *exclude, struct ignore **ret, struct err *err);
void ignore_free(struct ignore *ig);
static inline void own_ignore(struct ignore **ig)
{
	ignore_free(*ig);
}
#define auto_ignore __attribute__((cleanup(own_ignore))) struct ignore *

/** Enters the directory @p path ("." for the root) with the @p n bytes of its .gitignore. ERR_INPUT, by name of the file, over a limit. */
int ignore_enter(struct ignore *ig, const char *path, const char *text, size_t n, struct err *err);
/** Leaves the directory entered last. */
void ignore_leave(struct ignore *ig);
/** Whether @p path, from the root, is left out. Its directory has been entered; those above it are not left out themselves. */
bool ignore_has(const struct ignore *ig, const char *path, bool is_dir);

#endif

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

/** Largest .gitignore read. */
#define IGNORE_FILE_MAX (4u << 20)

/** The patterns in force at one place of a walk. Opaque. */
struct ignore;

/** Starts with the patterns of @p exclude (NULL-terminated, or NULL), relative to the root. */
int ignore_new(const char *const *exclude, struct ignore **ret, struct err *err);
void ignore_free(struct ignore *ig);
static inline void own_ignore(struct ignore **ig)
{
	ignore_free(*ig);
}
#define auto_ignore __attribute__((cleanup(own_ignore))) struct ignore *

/** Enters the directory @p path ("." for the root) with the @p n bytes of its .gitignore. */
int ignore_enter(struct ignore *ig, const char *path, const char *text, size_t n, struct err *err);
/** Leaves the directory entered last. */
void ignore_leave(struct ignore *ig);
/** Whether @p path, from the root, is left out. Its directory has been entered; those above it are not left out themselves. */
bool ignore_has(const struct ignore *ig, const char *path, bool is_dir);

#endif

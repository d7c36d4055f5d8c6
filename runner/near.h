/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file near.h
 * Which name was meant: for messages about paths that are not there. Private to runner/.
 */
#ifndef GB_RUNNER_NEAR_H
#define GB_RUNNER_NEAR_H

#include <limits.h>
#include <stdbool.h>

/** Most entries of a directory that are looked at. */
#define NEAR_ENTRIES_MAX 1024

/** Finds the directory beside @p path (below @p dirfd) whose name is nearest to its last component.
 *  @return whether there is one near enough; its name is in @p ret then. */
bool sibling_near(int dirfd, const char *path, char ret[NAME_MAX + 1]);

#endif

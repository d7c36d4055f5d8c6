/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file group.h
 * Private to profiles/: one entry of a profile's `syscalls`.
 */
#ifndef GB_PROFILES_GROUP_H
#define GB_PROFILES_GROUP_H

#include "profiles/vocabulary.h"

/** Appends the rules of one group to @p policy, or none where its includes and excludes say so.
 *  @param engine  the profile has the form of a container engine's, so names that libseccomp does not know are skipped. */
int group_read(const struct place *at, const struct node *node, bool engine, struct policy *policy);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mounted.h
 * What is mounted where this process runs (/proc/self/mounts, by getmntent(3)): for
 * telling apart why a host denies something. Parent's side only.
 */
#ifndef GB_SANDBOX_MOUNTED_H
#define GB_SANDBOX_MOUNTED_H

#include "base/base.h"

/** Whether this process runs in a chroot: its root directory is no mount point then. False where that can't be read. */
bool mounted_in_chroot(void);

/** Appends the paths below /proc that something is mounted on, separated by ", ": a container's masks. At most @p max of them. */
void mounted_on_proc(struct buf *out, size_t max);

#endif

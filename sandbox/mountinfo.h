/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file mountinfo.h
 * What is mounted where this process runs (proc_pid_mountinfo(5), by libmount): for
 * telling apart why a host denies something. Parent's side only.
 */
#ifndef GB_SANDBOX_MOUNTINFO_H
#define GB_SANDBOX_MOUNTINFO_H

#include "base/base.h"

/** Whether this process runs in a chroot: its root directory is no mount point then. False where that can't be read. */
bool mountinfo_in_chroot(void);

/** Appends the paths below /proc that something is mounted on, separated by ", ": a container's masks. At most @p max of them. */
void mountinfo_proc_covers(struct buf *out, size_t max);

#endif

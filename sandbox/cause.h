/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cause.h
 * Why a host denies a sandbox, and the one line that cures it: one table for every refusal, wherever it is
 * met, and for `glovebox doctor`. Used by what makes sandboxes, and by store/, whose place can be one that no
 * sandbox is made on.
 */
#ifndef GB_SANDBOX_CAUSE_H
#define GB_SANDBOX_CAUSE_H

#include "base/base.h"

/** The causes; `cause` of a struct err. */
enum sandbox_cause {
	CAUSE_NONE,
	CAUSE_USERNS_OFF,       /**< user.max_user_namespaces is 0 */
	CAUSE_NAMESPACES_OFF,   /**< another of user.max_*_namespaces is */
	CAUSE_NAMESPACES_FULL,  /**< there are as many as one of them allows */
	CAUSE_CLONE_OFF,        /**< kernel.unprivileged_userns_clone is 0 (Debian's own) */
	CAUSE_APPARMOR,         /**< kernel.apparmor_restrict_unprivileged_userns is 1 */
	CAUSE_APPARMOR_PROFILE, /**< an AppArmor profile binds this process */
	CAUSE_SELINUX,          /**< a container's SELinux domain does */
	CAUSE_SECCOMP,          /**< a seccomp filter does */
	CAUSE_CHROOT,
	CAUSE_FORBIDDEN,        /**< none of these, and denied all the same */
	CAUSE_OLD_KERNEL,       /**< a system call is missing */
	CAUSE_LEAN_KERNEL,      /**< a namespace is missing */
	CAUSE_PROCESSES,        /**< no more processes can be made */
	CAUSE_KEYS,             /**< nor keys */
	CAUSE_ROOT,             /**< the root cannot be left: an initramfs */
	CAUSE_PROC_MASKED,      /**< "mount too revealing" */
	CAUSE_PROC_MISSING,     /**< no /proc here */
	CAUSE_NO_OVERLAY,
	CAUSE_OVERLAY_DENIED,
	CAUSE_UPPER_DENIED,     /**< an overlay cannot be written to on this file system */
	CAUSE_NO_LANDLOCK,
	CAUSE_CGROUP,           /**< no cgroup can be made here */
	CAUSE_GROUP,            /**< a group with rights over the host that cannot be dropped */
	CAUSE_STORE_READONLY,
	CAUSE_STORE_FULL,
	CAUSES,
};

/** A row of the table. Static. */
struct sandbox_cause_row {
	const char *name;       /**< for machines: "seccomp" */
	const char *why;
	const char *cure;       /**< one line, on the host itself; or NULL: only the options of a container are */
	const char *docker, *podman, *kubernetes; /**< one line each, or NULL */
};

/** The row of a cause. */
const struct sandbox_cause_row *sandbox_cause(enum sandbox_cause cause);

/** Appends the cure for where this process is: what can be done at hand, and of a container's options those of its engine, or, where
 *  that can't be told, of each. */
void sandbox_cause_cure(enum sandbox_cause cause, struct buf *out);

/** Fills @p err: ERR_HOST, "WHAT: WHY (DETAIL); cure: CURE". @p detail may be NULL, and is not for errno's text. @return -1. */
int sandbox_denied(struct err *err, enum sandbox_cause cause, int sys, const char *what, const char *detail);

#endif

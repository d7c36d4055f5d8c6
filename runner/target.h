/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file target.h
 * A file of the caller's that appears whole or not at all, however long it takes to write.
 * Private to runner/.
 */
#ifndef GB_RUNNER_TARGET_H
#define GB_RUNNER_TARGET_H

#include "base/base.h"

/** Where the file appears: a name in a directory that is held open, under another name until it is whole. */
struct target {
	int dirfd;
	const char *name;      /**< within the path that the caller gave */
	char part[64];         /**< empty: there is none */
	int fd;                /**< to write to, and to read back */
};
#define TARGET_NONE ((struct target){ .dirfd = -1, .fd = -1 })

/** Whether what a system call says (errno) of a path is the mistake of who named it, and not of a disk that is full or has failed. */
bool target_is_misnamed(int sys);
/** Makes the file beside @p path (borrowed until the end), with the caller's rights. ERR_USAGE where it cannot be written. */
int target_open(const struct ident *id, const char *path, struct target *t, struct err *err);
/** Gives it its name, in place of an older one, with mode 0644. */
int target_publish(const struct ident *id, const char *path, struct target *t, struct err *err);
/** Removes what is not whole; the caller's rights are taken for that. Nothing on TARGET_NONE. */
void target_clear(const struct ident *id, struct target *t);

#endif

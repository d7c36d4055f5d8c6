/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file confine_child.h
 * Private to base/: the child's half of confine.h, and what it tells the caller's half.
 */
#ifndef GB_CONFINE_CHILD_H
#define GB_CONFINE_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/confine.h"

#ifdef __has_feature
#define CONFINE_HAS(feature) __has_feature(feature)
#else
#define CONFINE_HAS(feature) 0
#endif
/** Built with a sanitizer that speaks through stderr: the child keeps that. */
#if defined(__SANITIZE_ADDRESS__) || CONFINE_HAS(address_sanitizer) || CONFINE_HAS(undefined_behavior_sanitizer)
#define CONFINE_SANITIZED
#endif

/** Sent before the function runs, and so to be believed: the wall that could not be put up and errno, or
 *  CONFINE_SEALED. The report comes after it. */
struct confine_note {
	int32_t wall, error;
};
#define CONFINE_SEALED (-1)

/** What the function gave. Hostile. */
struct confine_report {
	int32_t result, kind, sys;
	char msg[ERR_MSG_MAX]; /**< maybe without NUL */
};

/** Gives up everything (conf's limits filled in), runs conf->fn, reports, and ends the process. @p parent is
 *  the caller's process id as the child sees it, @p own the bytes of address space that the copy begins with. */
void confine_child(const struct confine_conf *conf, int out, int report, pid_t parent, uint64_t own) __attribute__((noreturn));

/** Loads the filter of system calls for this process. @return 0, or -1 with errno. */
int confine_filter(void);

/** The same for one that reaches the network. */
int confine_filter_reach(void);

/** The name of wall number @p wall of a note, for messages. */
const char *confine_wall(int wall);

#endif

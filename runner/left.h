/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file left.h
 * How much a step left, before any of it is read. A file that takes nothing of the disk may say that it has terabytes, and a thousand
 * names of one file are a thousand files once they are collected: what counts here is what collecting would make of it. (What lies on
 * the disk while the step runs is the sandbox's to watch.) Private to runner/.
 */
#ifndef GB_RUNNER_LEFT_H
#define GB_RUNNER_LEFT_H

#include "sandbox/sandbox.h"

/** What lies in some directories, by size as stat(2) tells it, each name by itself. Zero-initialise. */
struct left {
	uint64_t bytes, entries;
	uint64_t largest;      /**< bytes of the largest file, and: */
	char *largest_path;    /**< its path in its directory, any bytes; NULL where there is none */
};
void left_clear(struct left *left);
#define auto_left __attribute__((cleanup(left_clear))) struct left

/** Adds what lies below @p dirfd, where nothing is alive; ends early once there are more than @p most entries. No link is followed.
 *  What is closed to us, or deeper than a tree goes, is passed over: collecting it fails by its name. */
int left_add(struct left *left, int dirfd, uint64_t most, struct err *err);

/** Turns a command's end into that of a limit, where @p left is more than `work` or `workFiles` allow. @return whether it is.
 *  One that was cancelled stays that, with the limit named. */
bool left_too_much(const struct left *left, const struct sandbox_limits *limits, struct sandbox_result *result);

/** Appends "it left 1073741824 bytes in 3 entries, the largest is 'big' with 1073741824", for people. */
void left_text(struct buf *out, const struct left *left);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file semver.h
 * Versions as semver.org, 2.0.0, writes and orders them. Private to fetch/.
 */
#ifndef GB_FETCH_SEMVER_H
#define GB_FETCH_SEMVER_H

#include <stdbool.h>

/** Longest version, in bytes. */
#define SEMVER_MAX 100

/** Whether @p s is one: three numbers without leading zeros, then perhaps -… and +…; at most SEMVER_MAX bytes. */
bool semver_ok(const char *s);

/** Which of two versions is the higher, as strcmp() says it: by precedence (item 11), and bytewise where that leaves two
 *  alike (what stands behind the +), so that there is always one answer. */
int semver_compare(const char *a, const char *b);

#endif

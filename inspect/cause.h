/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cause.h
 * Likely causes of a difference: their names, their cures, and how two strings tell of them. Private to inspect/.
 *
 * A cause is named only where the bytes show it on both sides: "unknown" is an answer, a wrong name is not. Digests of things that differ, and
 * build ids beside other differences, are consequences and name nothing.
 */
#ifndef GB_INSPECT_CAUSE_H
#define GB_INSPECT_CAUSE_H

#include <stddef.h>

#include "base/buf.h"

enum cause {
	CAUSE_NONE, CAUSE_TIMESTAMP, CAUSE_BUILD_PATH, CAUSE_BUILD_ID, CAUSE_RANDOM, CAUSE_HASH_ORDER, CAUSE_PARALLEL_ORDER, CAUSE_ORDER,
	CAUSE_OWNER, CAUSE_LOCALE, CAUSE_VERSION, CAUSE_HOST, CAUSE_CPU, CAUSE_COMPRESSOR,
	CAUSE_COUNT,
};

/** "timestamp"; NULL for CAUSE_NONE. Static. */
const char *cause_name(enum cause c);
/** What to do about it. Static. */
const char *cause_cure(enum cause c);
/** The cause of that name, or CAUSE_NONE. */
enum cause cause_named(const char *name);

/** A string; not ended by NUL. Borrowed. */
struct words {
	const char *s;
	size_t n;
};

/** A set of causes. */
typedef unsigned cause_set;
#define CAUSE_SET(cause) ((cause_set)1 << (cause))

/** The causes that make two different strings (lines, strings of a binary) differ: none, mostly one, or one for each word that differs. */
cause_set cause_of_words(struct words a, struct words b);
/** CAUSE_HASH_ORDER where two strings have the same words in another order, else CAUSE_NONE. */
enum cause cause_of_word_order(struct words a, struct words b);
/** What kind of order made one row out of the other: element i of the second stands at place[i] in the first. */
enum cause cause_of_places(const size_t *place, size_t n);

/** The length of the date, time of day or number of seconds since 1970 that begins at @p at, or 0. @p at is no part of a longer word. */
size_t times_match(struct words w, size_t at);
/** Whether a time overlaps [from, to) in @p w; where that is empty, touches it. */
bool times_overlap(struct words w, size_t from, size_t to);

#endif

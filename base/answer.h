/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file answer.h
 * What a confined child (confine.h) says through its pipe, taken piece by piece while it says it. Nothing of it is believed: whoever
 * takes a number or a string checks it. For an answer that is small enough to be had whole there is confine_run().
 */
#ifndef GB_ANSWER_H
#define GB_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/confine.h"

/** One answer. Zero-initialise all but the first three. */
struct answer {
	const char *whose;        /**< in messages: "the reader of the commit" */
	int fd, cancel_fd;        /**< borrowed; cancel_fd -1: nothing cancels */
	int silence_ms;           /**< longest wait for the next bytes; 0: any. Set before the first of them is taken */
	bool ended;               /**< it ended where it must not: ask confine_finish() why before complaining */
	size_t at, n;
	char buf[64 << 10];
};

/** Begins to hear @p c. @p ret: free(). */
int answer_new(const struct confined *c, int cancel_fd, struct answer **ret, struct err *err);
/** Ends it: @p result is what taking it came to. Where that is success, or it ended too early, the child is asked how it ended; why that
 *  was not well is the error then. What has failed here leaves the child to confined_kill(). */
int answer_end(const struct answer *a, struct confined *c, int result, struct err *err);

/** Whether there is more. @return 1, 0 at its end, -1: ERR_INTERRUPTED, ERR_INTERNAL; ERR_INPUT: it was silent for too long. */
int answer_more(struct answer *a, struct err *err);
/** The next bytes: at most @p n, at least one. Borrowed until the next call. ERR_INPUT where it ends. */
int answer_some(struct answer *a, uint64_t n, const char **ret, size_t *ret_n, struct err *err);
/** Just @p n bytes. */
int answer_take(struct answer *a, void *to, size_t n, struct err *err);
/** A string of @p n bytes into @p to, which has room for a NUL more; one that holds a NUL is nonsense. */
int answer_string(struct answer *a, char *to, size_t n, struct err *err);
/** ERR_INPUT: WHOSE says what makes no sense. @return -1. */
int answer_nonsense(const struct answer *a, struct err *err);

#endif

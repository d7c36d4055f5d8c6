/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file apart.h
 * Work done in a process of its own, for what must not stay in this one's memory. That process keeps all rights of this one:
 * it is for what glovebox itself must not remember, such as a key. What must not be trusted is for confine.h.
 */
#ifndef GB_APART_H
#define GB_APART_H

#include <stddef.h>

#include "base/err.h"

/** Most bytes of an answer. */
#define APART_ANSWER_MAX 1024

/** The work: reads @p arg, fills @p answer. */
typedef int apart_fn(const void *arg, void *answer, struct err *err);

/** Runs @p fn in a forked process, waits for its end, and takes over its answer of @p n bytes (at most APART_ANSWER_MAX)
 *  or its error. Nothing else of what it does to memory comes back. ERR_INTERNAL when it dies. For a single-threaded caller. */
int apart_run(apart_fn *fn, const void *arg, void *ret_answer, size_t n, struct err *err);

#endif

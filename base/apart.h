/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file apart.h
 * Work done in a process of its own, for what must not stay in this one's memory. That process keeps all rights of this one:
 * it is for what glovebox itself must not remember, such as a key. What must not be trusted is for confine.h.
 */
#ifndef GB_APART_H
#define GB_APART_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/** Most bytes of an answer. */
#define APART_ANSWER_MAX (64u << 10)

/** The work: reads @p arg, fills @p answer, which is all zeros. */
typedef int apart_fn(const void *arg, void *answer, struct err *err);

/** Runs @p fn in a forked process, waits for its end, and takes over its answer of @p n bytes (at most APART_ANSWER_MAX)
 *  or its error. Nothing else of what it does to memory comes back, and no copy of the answer stays but that in @p ret_answer. ERR_INTERNAL
 *  when it dies. For a single-threaded caller. */
int apart_run(apart_fn *fn, const void *arg, void *ret_answer, size_t n, struct err *err);

/** A process apart that stays until it is let go, and is talked with through a socket. Initialise with APART_NONE. */
struct apart {
	pid_t pid;
	int sock;
};
#define APART_NONE ((struct apart){ .pid = -1, .sock = -1 })

/** The work: talks through @p sock until that ends, then returns. */
typedef void apart_stay_fn(const void *arg, int sock);

/** Runs @p fn in a forked process, with all signals blocked (the caller decides when it ends: by closing its end), and not
 *  dumpable: nobody but root can look into its memory (ptrace(2)). It has the caller's descriptors until it closes them. */
int apart_start(apart_stay_fn *fn, const void *arg, struct apart *ret, struct err *err);

/** Sends @p n bytes to the other end; a process that has died is ERR_INTERNAL and no SIGPIPE. */
int apart_send(int sock, const void *data, size_t n, struct err *err);

/** Receives exactly @p n bytes. The other end's death is ERR_INTERNAL. */
int apart_receive(int sock, void *data, size_t n, struct err *err);

/** Ends the socket, whoever else has it, and waits for the process's end. Nothing on APART_NONE. */
void apart_end(struct apart *apart);
#define auto_apart __attribute__((cleanup(apart_end))) struct apart

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file crew.h
 * A few threads that take work from a bounded queue, for what is bound by the processor: hashing, copying, compressing.
 *
 * They live until crew_free(); while they do, no process is forked and no ids are changed. Threads have the ids and capabilities that the
 * caller has when it starts them, and no signals.
 */
#ifndef GB_CREW_H
#define GB_CREW_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** Most threads of a crew. */
#define CREW_MAX 64

/** What a crew does. */
struct crew_plan {
	unsigned threads;   /**< at most so many; crew_size() tells how many are sensible */
	size_t job_size;    /**< bytes of a job, which is copied into the queue */
	size_t depth;       /**< jobs that may wait, at least 1 */
	/** So many of them wait before a sleeping thread is woken, and the first ones before there are threads at all, or until somebody waits for
	 *  them (who does them himself then, where there are no threads yet): to wake a thread costs as much as a small job. At most half of
	 *  `depth`; 0: threads are there at once, and one is woken for each. */
	size_t lump;
	/** Does a job. @p thread is less than `threads`, and no other thread's: state that is not to be shared hangs on it. @p job
	 *  may be changed, and is forgotten afterwards. */
	int (*work)(void *arg, unsigned thread, void *job, struct err *err);
	/** Lets go of a job that is never done, since an earlier one failed. Or NULL. */
	void (*drop)(void *job);
	void *arg;
};

struct crew;

/** How many threads are sensible: as many as processors this process may use (sched_getaffinity(2)), 1 to CREW_MAX. */
unsigned crew_size(void);

/** Starts a crew. Where no thread can be had (limits), work is done by the caller as it is given. ERR_INTERNAL: memory is short. */
int crew_start(const struct crew_plan *plan, struct crew **ret, struct err *err);
/** Gives a job (`job_size` bytes), waiting while the queue is full. -1 once a job has failed, with its error, the first one;
 *  the job is dropped then. @p ret_ticket may be NULL. */
int crew_give(struct crew *c, const void *job, uint64_t *ret_ticket, struct err *err);
/** Waits until the job with that ticket is done, and what it wrote can be seen. -1 once a job has failed. */
int crew_wait(struct crew *c, uint64_t ticket, struct err *err);
/** Waits until all jobs are done. -1 when one has failed. */
int crew_finish(struct crew *c, struct err *err);
/** Ends the threads, when they have done what they are at; jobs that still wait are dropped. */
void crew_free(struct crew *c);
static inline void own_crew(struct crew **c)
{
	crew_free(*c);
}
#define auto_crew __attribute__((cleanup(own_crew))) struct crew *

#endif

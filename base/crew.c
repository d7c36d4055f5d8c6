/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crew.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** A thread here has no deep calls; the default of 8 MiB would count against limits of address space. */
#define CREW_STACK (1u << 20)

/** A thread of the crew. */
struct hand {
	struct crew *crew;
	unsigned number;
	pthread_t thread;
	bool busy;
	uint64_t ticket;       /**< of the job at hand */
	char *job;             /**< its own copy */
};

struct crew {
	struct crew_plan plan;
	pthread_mutex_t lock;      /**< guards all below */
	pthread_cond_t wanted;     /**< there is a job, or an end */
	pthread_cond_t moved;      /**< a job has left the queue, or is done */
	char *ring;                /**< `depth` jobs, one for each thread, and one that is dropped at once */
	uint64_t given, taken;     /**< tickets: those between wait in the ring */
	struct hand *hands;
	bool started;              /**< threads are, as far as they could be had */
	unsigned nhands;           /**< threads that run; 0 then: the caller does the work */
	unsigned idle;             /**< of them wait for a job */
	bool wants_room;           /**< the caller waits until jobs have left the queue */
	bool wants_end;            /**< or until one is done */
	bool failed, over;
	struct err why;            /**< of the first failure */
};

unsigned crew_size(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < 1 ? 1 : n > CREW_MAX ? CREW_MAX : (unsigned)n;
}

static char *slot(const struct crew *c, uint64_t ticket)
{
	return c->ring + (ticket % c->plan.depth) * c->plan.job_size;
}

/** Does a job, unlocked, and notes its failure down. */
static void do_job(struct crew *c, unsigned number, void *job)
{
	struct err err = {0};

	int result = c->plan.work(c->plan.arg, number, job, &err);
	pthread_mutex_lock(&c->lock);
	if (result < 0 && !c->failed) {
		c->failed = true;
		c->why = err;
	}
}

/** Jobs that nobody has taken. */
static size_t waiting(const struct crew *c)
{
	return (size_t)(c->given - c->taken);
}

/** Waits for a job. @return false: it is over. */
static bool await_job(struct crew *c)
{
	while (!c->over && (c->failed || waiting(c) == 0)) {
		c->idle++;
		pthread_cond_wait(&c->wanted, &c->lock);
		c->idle--;
	}
	return !c->over;
}

/** A thread's life. The lock is held but while it works. */
static void *hand_main(void *arg)
{
	struct hand *h = arg;
	struct crew *c = h->crew;

	pthread_mutex_lock(&c->lock);
	while (await_job(c)) {
		h->ticket = c->taken++;
		h->busy = true;
		memcpy(h->job, slot(c, h->ticket), c->plan.job_size);
		/* Not for one that has left: it would wake up to give one. */
		if (c->wants_room && waiting(c) <= c->plan.depth / 2)
			pthread_cond_broadcast(&c->moved);
		pthread_mutex_unlock(&c->lock);
		do_job(c, h->number, h->job);
		h->busy = false;
		if (c->wants_end || c->failed)
			pthread_cond_broadcast(&c->moved);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/** Starts as many threads as can be had. They get no signals: those are for the thread that knows what to do with them. */
static void start_hands(struct crew *c)
{
	sigset_t all, old;
	pthread_attr_t attr;

	c->started = true;
	sigfillset(&all);
	/* One thread would only take turns with the caller. */
	if (c->plan.threads <= 1 || pthread_attr_init(&attr) != 0)
		return;
	pthread_attr_setstacksize(&attr, CREW_STACK);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned i = 0; i < c->plan.threads; i++) {
		struct hand *h = &c->hands[i];

		*h = (struct hand){ .crew = c, .number = i, .job = c->ring + (c->plan.depth + i) * c->plan.job_size };
		if (pthread_create(&h->thread, &attr, hand_main, h) != 0)
			break;
		c->nhands++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
}

int crew_start(const struct crew_plan *plan, struct crew **ret, struct err *err)
{
	struct crew *c = calloc(1, sizeof *c);

	if (c != NULL) {
		c->plan = *plan;
		c->ring = calloc(plan->depth + plan->threads + 1, plan->job_size);
		c->hands = calloc(plan->threads, sizeof *c->hands);
	}
	if (c == NULL || c->ring == NULL || c->hands == NULL) {
		if (c != NULL) {
			free(c->ring);
			free(c->hands);
		}
		free(c);
		return err_set(err, ERR_INTERNAL, ENOMEM, "start threads");
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wanted, NULL);
	pthread_cond_init(&c->moved, NULL);
	if (plan->lump == 0)
		start_hands(c);
	*ret = c;
	return 0;
}

/** The answer to whoever calls: unlocks. */
static int settle(struct crew *c, struct err *err)
{
	bool failed = c->failed;

	if (failed)
		*err = c->why;
	pthread_mutex_unlock(&c->lock);
	return failed ? -1 : 0;
}

/** Does here and now what waits: there are no threads, or it is not worth their while. */
static void do_here(struct crew *c)
{
	while (!c->failed && waiting(c) > 0) {
		uint64_t ticket = c->taken++;

		pthread_mutex_unlock(&c->lock);
		do_job(c, 0, slot(c, ticket));
	}
}

/** Waits until a job has moved that @p flag tells the threads of. */
static void await_move(struct crew *c, bool *flag)
{
	if (c->nhands == 0)
		return do_here(c);
	/* Nobody waits for more to come. */
	if (c->idle > 0 && waiting(c) > 0)
		pthread_cond_broadcast(&c->wanted);
	*flag = true;
	pthread_cond_wait(&c->moved, &c->lock);
	*flag = false;
}

/** Sees to it that the jobs that wait are done some time, once there are enough of them. */
static void set_to_work(struct crew *c)
{
	if (waiting(c) < c->plan.lump)
		return;
	if (!c->started)
		start_hands(c);
	if (c->nhands == 0)
		do_here(c);
	else if (c->idle > 0)
		pthread_cond_signal(&c->wanted);
}

/** Drops a job that never was in the queue, which may be full. */
static void drop_given(const struct crew *c, const void *job)
{
	char *copy = c->ring + (c->plan.depth + c->plan.threads) * c->plan.job_size;

	if (c->plan.drop != NULL)
		c->plan.drop(memcpy(copy, job, c->plan.job_size));
}

int crew_give(struct crew *c, const void *job, uint64_t *ret_ticket, struct err *err)
{
	pthread_mutex_lock(&c->lock);
	while (!c->failed && waiting(c) == c->plan.depth)
		await_move(c, &c->wants_room);
	if (c->failed) {
		drop_given(c, job);
		return settle(c, err);
	}
	memcpy(slot(c, c->given), job, c->plan.job_size);
	if (ret_ticket != NULL)
		*ret_ticket = c->given;
	c->given++;
	set_to_work(c);
	return settle(c, err);
}

/** Whether the job with that ticket, and if @p before all given before it, are done. */
static bool is_done(const struct crew *c, uint64_t ticket, bool before)
{
	if (ticket >= c->taken)
		return false;
	for (unsigned i = 0; i < c->nhands; i++)
		if (c->hands[i].busy && (c->hands[i].ticket == ticket || (before && c->hands[i].ticket < ticket)))
			return false;
	return true;
}

int crew_wait(struct crew *c, uint64_t ticket, struct err *err)
{
	pthread_mutex_lock(&c->lock);
	while (!c->failed && !is_done(c, ticket, false))
		await_move(c, &c->wants_end);
	return settle(c, err);
}

int crew_finish(struct crew *c, struct err *err)
{
	pthread_mutex_lock(&c->lock);
	while (!c->failed && c->given > 0 && !is_done(c, c->given - 1, true))
		await_move(c, &c->wants_end);
	return settle(c, err);
}

void crew_free(struct crew *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->over = true;
	pthread_cond_broadcast(&c->wanted);
	pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < c->nhands; i++)
		pthread_join(c->hands[i].thread, NULL);
	for (; c->taken < c->given; c->taken++)
		if (c->plan.drop != NULL)
			c->plan.drop(slot(c, c->taken));
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->wanted);
	pthread_cond_destroy(&c->moved);
	free(c->ring);
	free(c->hands);
	free(c);
}

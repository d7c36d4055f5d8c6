/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that take work from a bounded queue. */
#include "help.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#define JOBS 500

/** What the crew of a test does. */
struct tally {
	atomic_int done[JOBS];
	atomic_int at_work[CREW_MAX];
	atomic_int dropped, shared;
	int fails_at;          /**< this job fails; -1: none does */
};

/** A job, by number. The tally counts what is dropped. */
struct job {
	int n;
	struct tally *tally;
};

static int work(void *arg, unsigned thread, void *job, struct err *err)
{
	struct tally *t = arg;
	struct job *j = job;

	if (atomic_fetch_add(&t->at_work[thread], 1) != 0)
		atomic_fetch_add(&t->shared, 1);
	if (j->n % 50 == 0)
		usleep(1000);
	atomic_fetch_sub(&t->at_work[thread], 1);
	if (j->n == t->fails_at)
		return err_set(err, ERR_INPUT, 0, "job %d", j->n);
	atomic_fetch_add(&t->done[j->n], 1);
	return 0;
}

static void drop(void *job)
{
	struct job *j = job;

	atomic_fetch_add(&j->tally->dropped, 1);
}

static struct crew_plan plan_of(struct tally *t, unsigned threads)
{
	return (struct crew_plan){ .threads = threads, .job_size = sizeof(struct job), .depth = 8, .work = work, .drop = drop, .arg = t };
}

static void all_is_done_once(unsigned threads)
{
	struct tally t = { .fails_at = -1 };
	const struct crew_plan plan = plan_of(&t, threads);
	struct err err = {0};
	auto_crew c = NULL;

	assert_int_equal(crew_start(&plan, &c, &err), 0);
	for (int i = 0; i < JOBS; i++) {
		struct job j = { i, &t };

		assert_int_equal(crew_give(c, &j, NULL, &err), 0);
	}
	assert_int_equal(crew_finish(c, &err), 0);
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(atomic_load(&t.done[i]), 1);
	assert_int_equal(atomic_load(&t.shared), 0);
	assert_int_equal(atomic_load(&t.dropped), 0);
}

static void several_threads_do_all_once(void **state)
{
	(void)state;
	all_is_done_once(4);
}

static void one_is_the_caller(void **state)
{
	(void)state;
	all_is_done_once(1);
}

static void a_ticket_is_waited_for(void **state)
{
	struct tally t = { .fails_at = -1 };
	const struct crew_plan plan = plan_of(&t, 3);
	struct err err = {0};
	auto_crew c = NULL;

	(void)state;
	assert_int_equal(crew_start(&plan, &c, &err), 0);
	for (int i = 0; i < JOBS; i++) {
		struct job j = { i, &t };
		uint64_t ticket;

		assert_int_equal(crew_give(c, &j, &ticket, &err), 0);
		if (i % 7 != 0)
			continue;
		assert_int_equal(crew_wait(c, ticket, &err), 0);
		assert_int_equal(atomic_load(&t.done[i]), 1);
	}
}

/** Fewer jobs than wake a thread are done all the same once somebody waits for them, and more than the queue holds without anybody's waiting. */
static void lumps_leave_nothing_behind(void **state)
{
	(void)state;
	for (int n = 1; n < JOBS; n = n * 2 + 1) {
		struct tally t = { .fails_at = -1 };
		struct crew_plan plan = plan_of(&t, 3);
		struct err err = {0};
		auto_crew c = NULL;
		uint64_t ticket = 0;

		plan.lump = 4;
		assert_int_equal(crew_start(&plan, &c, &err), 0);
		for (int i = 0; i < n; i++) {
			struct job j = { i, &t };

			assert_int_equal(crew_give(c, &j, &ticket, &err), 0);
		}
		if (n % 4 == 3)
			assert_int_equal(crew_wait(c, ticket, &err), 0);
		else
			assert_int_equal(crew_finish(c, &err), 0);
		assert_int_equal(atomic_load(&t.done[n - 1]), 1);
		assert_int_equal(crew_finish(c, &err), 0);
		for (int i = 0; i < n; i++)
			assert_int_equal(atomic_load(&t.done[i]), 1);
	}
}

/** After a failure nothing more is begun, everything that is not done is dropped, and everybody is told. */
static void first_failure_ends_it(unsigned threads)
{
	struct tally t = { .fails_at = 100 };
	const struct crew_plan plan = plan_of(&t, threads);
	struct err err = {0};
	struct crew *c;
	int given = 0, done = 0;

	assert_int_equal(crew_start(&plan, &c, &err), 0);
	for (int i = 0; i < JOBS; i++) {
		struct job j = { i, &t };

		given++;
		if (crew_give(c, &j, NULL, &err) < 0)
			break;
	}
	/* Others may do all that is left while the thread that fails is not back yet. */
	assert_true(given < JOBS || threads > 1);
	if (err.kind != ERR_NONE)
		assert_string_equal(err.msg, "job 100");
	err = (struct err){0};
	assert_int_equal(crew_finish(c, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.msg, "job 100");
	assert_int_equal(crew_wait(c, 0, &err), -1);
	crew_free(c);
	for (int i = 0; i < JOBS; i++)
		done += atomic_load(&t.done[i]);
	assert_int_equal(done + atomic_load(&t.dropped) + 1, given);
}

static void a_failure_ends_several(void **state)
{
	(void)state;
	first_failure_ends_it(4);
}

static void a_failure_ends_one(void **state)
{
	(void)state;
	first_failure_ends_it(1);
}

#define FULL 8
#define GIVEN (FULL + 3)

/** Who fails once the queue is full, and whose jobs were dropped. */
struct full {
	atomic_bool go;
	atomic_int at_work, dropped[GIVEN];
};

struct full_job {
	int n;
	struct full *full;
};

/** The first fails; the second is at work until the end, so that nobody takes anything out of the queue. */
static int fail_when_full(void *arg, unsigned thread, void *job, struct err *err)
{
	struct full *f = arg;
	const struct full_job *j = job;

	(void)thread;
	atomic_fetch_add(&f->at_work, 1);
	while (!atomic_load(&f->go))
		usleep(1000);
	usleep(j->n == 0 ? 50000 : 150000);
	return j->n == 0 ? err_set(err, ERR_INPUT, 0, "full") : 0;
}

static void drop_counted(void *job)
{
	const struct full_job *j = job;

	atomic_fetch_add(&j->full->dropped[j->n], 1);
}

/** A failure while somebody waits to give one more: that one and those that wait are dropped, each once. */
static void a_failure_with_a_full_queue(void **state)
{
	struct full f = { .go = false };
	const struct crew_plan plan = {
		.threads = 2, .job_size = sizeof(struct full_job), .depth = FULL, .work = fail_when_full, .drop = drop_counted, .arg = &f,
	};
	struct err err = {0};
	struct crew *c;

	(void)state;
	assert_int_equal(crew_start(&plan, &c, &err), 0);
	for (int i = 0; i < GIVEN; i++) {
		struct full_job j = { i, &f };

		while (i == 2 && atomic_load(&f.at_work) < 2)
			usleep(1000);
		if (i == GIVEN - 1)
			atomic_store(&f.go, true);
		assert_int_equal(crew_give(c, &j, NULL, &err), i == GIVEN - 1 ? -1 : 0);
	}
	assert_string_equal(err.msg, "full");
	crew_free(c);
	for (int i = 0; i < GIVEN; i++)
		assert_int_equal(atomic_load(&f.dropped[i]), i > 1);
}

static int see_signals(void *arg, unsigned thread, void *job, struct err *err)
{
	sigset_t set;

	(void)thread;
	(void)job;
	(void)err;
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	atomic_store((atomic_int *)arg, sigismember(&set, SIGTERM));
	return 0;
}

static void threads_get_no_signals(void **state)
{
	atomic_int blocked = -1;
	const struct crew_plan plan = { .threads = 2, .job_size = sizeof(int), .depth = 1, .work = see_signals, .arg = &blocked };
	struct err err = {0};
	auto_crew c = NULL;
	int job = 0;
	sigset_t set;

	(void)state;
	assert_int_equal(crew_start(&plan, &c, &err), 0);
	assert_int_equal(crew_give(c, &job, NULL, &err), 0);
	assert_int_equal(crew_finish(c, &err), 0);
	assert_int_equal(atomic_load(&blocked), 1);
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	assert_false(sigismember(&set, SIGTERM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_threads_do_all_once),
		cmocka_unit_test(one_is_the_caller),
		cmocka_unit_test(a_ticket_is_waited_for),
		cmocka_unit_test(lumps_leave_nothing_behind),
		cmocka_unit_test(a_failure_ends_several),
		cmocka_unit_test(a_failure_ends_one),
		cmocka_unit_test(a_failure_with_a_full_queue),
		cmocka_unit_test(threads_get_no_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

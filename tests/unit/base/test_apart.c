/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/apart.h"

static int touched;

static int doubles(const void *arg, void *answer, struct err *err)
{
	int twice = 2 * *(const int *)arg;

	(void)err;
	touched = 1;
	memcpy(answer, &twice, sizeof twice);
	return 0;
}

/** Fills all but the last byte of an answer of APART_ANSWER_MAX. */
static int says_much(const void *arg, void *answer, struct err *err)
{
	(void)arg;
	(void)err;
	memset(answer, 'a', APART_ANSWER_MAX - 1);
	return 0;
}

static int refuses(const void *arg, void *answer, struct err *err)
{
	(void)arg;
	(void)answer;
	return err_set(err, ERR_INPUT, 0, "not today");
}

static int dies(const void *arg, void *answer, struct err *err)
{
	(void)arg;
	(void)answer;
	(void)err;
	_exit(0);
}

static void test_the_answer_comes_back_and_nothing_else(void **state)
{
	int six = 6, got = 0;
	struct err err = {0};

	(void)state;
	assert_int_equal(apart_run(doubles, &six, &got, sizeof got, &err), 0);
	assert_int_equal(got, 12);
	assert_int_equal(touched, 0);
	static char much[APART_ANSWER_MAX] = { [APART_ANSWER_MAX - 1] = 'x' };
	assert_int_equal(apart_run(says_much, NULL, much, sizeof much, &err), 0);
	assert_int_equal(strlen(much), APART_ANSWER_MAX - 1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_errors_and_deaths_are_told(void **state)
{
	int got = 7;
	struct err err = {0};

	(void)state;
	assert_int_equal(apart_run(refuses, NULL, &got, sizeof got, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.msg, "not today");
	assert_int_equal(apart_run(dies, NULL, &got, sizeof got, &err), -1);
	assert_int_equal(err.kind, ERR_INTERNAL);
	assert_int_equal(apart_run(doubles, &got, &got, APART_ANSWER_MAX + 1, &err), -1);
	assert_int_equal(got, 7);
}

/** Answers each byte with what the arg says, and tells how it is kept. */
static void echoes(const void *arg, int sock)
{
	struct err err = {0};
	sigset_t blocked;
	char c;

	if (sigprocmask(SIG_BLOCK, NULL, &blocked) < 0 || sigismember(&blocked, SIGTERM) != 1 || prctl(PR_GET_DUMPABLE) != 0)
		return;
	while (apart_receive(sock, &c, 1, &err) == 0) {
		c = (char)(c + *(const int *)arg);
		touched++;
		if (c == '!' || apart_send(sock, &c, 1, &err) < 0)
			return;
	}
}

static void test_one_that_stays(void **state)
{
	static const int by = 1;
	struct err err = {0};
	struct apart a = APART_NONE;
	char c = 'a';

	(void)state;
	touched = 0;
	assert_int_equal(apart_start(echoes, &by, &a, &err), 0);
	for (int i = 0; i < 3; i++) {
		/* A signal to it, as a terminal's interrupt is, changes nothing. */
		assert_int_equal(kill(a.pid, SIGTERM), 0);
		assert_int_equal(apart_send(a.sock, &c, 1, &err), 0);
		assert_int_equal(apart_receive(a.sock, &c, 1, &err), 0);
	}
	assert_int_equal(c, 'd');
	assert_int_equal(touched, 0);
	apart_end(&a);
	assert_int_equal(a.sock, -1);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	apart_end(&a);
}

static void test_one_that_dies(void **state)
{
	static const int by = 1;
	static char much[1 << 20];
	struct err err = {0};
	auto_apart a = APART_NONE;
	char c = ' ';

	(void)state;
	assert_int_equal(apart_start(echoes, &by, &a, &err), 0);
	assert_int_equal(apart_send(a.sock, &c, 1, &err), 0);
	assert_int_equal(apart_receive(a.sock, &c, 1, &err), -1);
	assert_non_null(strstr(err.msg, "has died"));
	/* And not of SIGPIPE. */
	assert_int_equal(apart_send(a.sock, much, sizeof much, &err), -1);
	assert_int_equal(err.kind, ERR_INTERNAL);
}

/** The later one has the earlier one's socket. */
static void test_two_that_stay_end_in_any_order(void **state)
{
	static const int by = 1;
	struct err err = {0};
	struct apart a = APART_NONE, b = APART_NONE;
	char c = 'a';

	(void)state;
	assert_int_equal(apart_start(echoes, &by, &a, &err), 0);
	assert_int_equal(apart_start(echoes, &by, &b, &err), 0);
	alarm(30);
	apart_end(&a);
	alarm(0);
	assert_int_equal(apart_send(b.sock, &c, 1, &err), 0);
	assert_int_equal(apart_receive(b.sock, &c, 1, &err), 0);
	assert_int_equal(c, 'b');
	apart_end(&b);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_answer_comes_back_and_nothing_else),
		cmocka_unit_test(test_errors_and_deaths_are_told),
		cmocka_unit_test(test_one_that_stays),
		cmocka_unit_test(test_one_that_dies),
		cmocka_unit_test(test_two_that_stay_end_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

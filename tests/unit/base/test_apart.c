/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_answer_comes_back_and_nothing_else),
		cmocka_unit_test(test_errors_and_deaths_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

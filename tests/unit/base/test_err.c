/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

static void kind_text_and_value(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(err_set(&err, ERR_INPUT, 0, "no %s of %d", "file", 7), -1);
	assert_error(err, ERR_INPUT, 0, "no file of 7");
	assert_string_equal(err.msg, "no file of 7");
}

static void errno_text_is_appended(void **state)
{
	struct err err = {0};

	(void)state;
	(void)err_set(&err, ERR_INTERNAL, ENOENT, "open 'x'");
	assert_string_equal(err.msg, "open 'x': No such file or directory");
	assert_int_equal(err.sys, ENOENT);
	(void)err_set(&err, ERR_INTERNAL, 99999, "odd");
	assert_string_equal(err.msg, "odd: Unknown error 99999");
}

static void a_new_error_replaces_the_old(void **state)
{
	struct err err = {0};

	(void)state;
	(void)err_set(&err, ERR_INTERNAL, EIO, "a long first message");
	(void)err_set(&err, ERR_USAGE, 0, "new");
	assert_string_equal(err.msg, "new");
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(err.sys, 0);
}

static void context_comes_in_front(void **state)
{
	struct err err = {0};

	(void)state;
	(void)err_set(&err, ERR_INPUT, EACCES, "open 'k'");
	assert_int_equal(err_ctx(&err, "source '%s'", "src"), -1);
	assert_int_equal(err_ctx(&err, "build.yaml:%d", 14), -1);
	assert_string_equal(err.msg, "build.yaml:14: source 'src': open 'k': Permission denied");
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(err.sys, EACCES);
}

static void arguments_may_be_the_old_message(void **state)
{
	struct err err = {0};

	(void)state;
	(void)err_set(&err, ERR_INTERNAL, 0, "old");
	(void)err_set(&err, ERR_USAGE, 0, "wrapped (%s)", err.msg);
	assert_string_equal(err.msg, "wrapped (old)");
	(void)err_ctx(&err, "again (%s)", err.msg);
	assert_string_equal(err.msg, "again (wrapped (old)): wrapped (old)");
}

static void too_long_is_cut_at_the_end(void **state)
{
	static char big[3 * ERR_MSG_MAX];
	struct err err = {0};

	(void)state;
	memset(big, 'x', sizeof big - 1);
	(void)err_set(&err, ERR_INTERNAL, ENOENT, "%s", big);
	assert_int_equal(strlen(err.msg), ERR_MSG_MAX - 1);
	assert_int_equal(err.sys, ENOENT);
	(void)err_ctx(&err, "front");
	assert_int_equal(strlen(err.msg), ERR_MSG_MAX - 1);
	assert_memory_equal(err.msg, "front: xxx", 10);
	(void)err_ctx(&err, "%s", big);
	assert_int_equal(strlen(err.msg), ERR_MSG_MAX - 1);
	assert_int_equal(err.msg[0], 'x');
}

static void every_length_near_the_limit_fits(void **state)
{
	struct { struct err err; char guard[16]; } s = {0};
	char text[ERR_MSG_MAX + 8];

	(void)state;
	for (int n = ERR_MSG_MAX - 30; n < ERR_MSG_MAX + 4; n++) {
		memset(text, 'y', (size_t)n);
		text[n] = '\0';
		(void)err_set(&s.err, ERR_INTERNAL, EIO, "%s", text);
		(void)err_ctx(&s.err, "c");
		assert_true(strlen(s.err.msg) <= ERR_MSG_MAX - 1);
		assert_memory_equal(s.guard, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	}
}

/* The kinds are the exit codes that manuals promise. */
static void kinds_are_the_exit_codes(void **state)
{
	(void)state;
	assert_int_equal(ERR_STEP, 1);
	assert_int_equal(ERR_USAGE, 2);
	assert_int_equal(ERR_REFUSED, 3);
	assert_int_equal(ERR_UNVERIFIED, 4);
	assert_int_equal(ERR_HOST, 5);
	assert_int_equal(ERR_INPUT, 6);
	assert_int_equal(ERR_PUBLISH, 7);
	assert_int_equal(ERR_INTERNAL, 125);
	assert_int_equal(ERR_INTERRUPTED, 130);
	assert_int_equal(ERR_TERMINATED, 143);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kind_text_and_value),
		cmocka_unit_test(errno_text_is_appended),
		cmocka_unit_test(a_new_error_replaces_the_old),
		cmocka_unit_test(context_comes_in_front),
		cmocka_unit_test(arguments_may_be_the_old_message),
		cmocka_unit_test(too_long_is_cut_at_the_end),
		cmocka_unit_test(every_length_near_the_limit_fits),
		cmocka_unit_test(kinds_are_the_exit_codes),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runner/log.h"

static void write_n(struct step_log *log, char c, size_t n)
{
	char chunk[4096];

	memset(chunk, c, sizeof chunk);
	while (n > 0) {
		size_t part = n < sizeof chunk ? n : sizeof chunk;

		step_log_output(log, 1, chunk, part);
		n -= part;
	}
}

static void test_short_output_is_kept_as_it_is(void **state)
{
	auto_step_log log = {0};
	auto_buf text = {0};
	struct err err = {0};

	(void)state;
	step_log_output(&log, 1, "out\n", 4);
	step_log_output(&log, 2, "err\0\n", 5);
	assert_int_equal(step_log_text(&log, &text, &err), 0);
	assert_int_equal(text.len, 9);
	assert_memory_equal(text.data, "out\nerr\0\n", 9);
	assert_int_equal(step_log_size(&log), 9);
}

static void test_empty(void **state)
{
	auto_step_log log = {0};
	auto_buf text = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(step_log_text(&log, &text, &err), 0);
	assert_int_equal(text.len, 0);
}

static void test_nothing_is_lost_up_to_the_limit(void **state)
{
	auto_step_log log = {0};
	auto_buf text = {0};
	struct err err = {0};

	(void)state;
	write_n(&log, 'a', LOG_HEAD_MAX);
	write_n(&log, 'b', LOG_TAIL_MAX);
	assert_int_equal(step_log_text(&log, &text, &err), 0);
	assert_int_equal(text.len, LOG_HEAD_MAX + LOG_TAIL_MAX);
	assert_int_equal(text.data[LOG_HEAD_MAX - 1], 'a');
	assert_int_equal(text.data[LOG_HEAD_MAX], 'b');
	assert_int_equal(text.data[text.len - 1], 'b');
}

static void test_a_flood_keeps_its_beginning_and_its_end(void **state)
{
	auto_step_log log = {0};
	auto_buf text = {0};
	struct err err = {0};

	(void)state;
	write_n(&log, 'a', LOG_HEAD_MAX);
	write_n(&log, 'x', 5 * LOG_TAIL_MAX + 77);
	step_log_output(&log, 2, "the end\n", 8);
	assert_int_equal(step_log_text(&log, &text, &err), 0);
	assert_true(text.len < LOG_HEAD_MAX + LOG_TAIL_MAX + 100);
	assert_memory_equal(text.data + text.len - 8, "the end\n", 8);
	assert_non_null(strstr(text.data + LOG_HEAD_MAX, "[glovebox: 4194389 bytes of output left out here]"));
	assert_int_equal(step_log_size(&log), LOG_HEAD_MAX + 5ull * LOG_TAIL_MAX + 85);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_output_is_kept_as_it_is),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_nothing_is_lost_up_to_the_limit),
		cmocka_unit_test(test_a_flood_keeps_its_beginning_and_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

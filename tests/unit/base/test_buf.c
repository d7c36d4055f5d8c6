/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

/* An allocation that cannot be had gives NULL under the address sanitizer, too. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void appends_of_all_sorts(void **state)
{
	auto_buf b = {0};

	(void)state;
	buf_adds(&b, "ab");
	buf_addc(&b, '\0');
	buf_add(&b, "cd", 2);
	buf_add(&b, NULL, 0);
	buf_addf(&b, "%d-%s", 42, "e");
	assert_int_equal(b.len, 9);
	assert_memory_equal(b.data, "ab\0cd42-e", 10);
	assert_true(b.len < b.cap);
	assert_false(b.failed);
}

static void grows_far_and_stays_terminated(void **state)
{
	auto_buf b = {0};

	(void)state;
	for (int i = 0; i < 100000; i++) {
		buf_addf(&b, "%d,", i % 10);
		assert_int_equal(b.data[b.len], '\0');
		assert_true(b.len < b.cap);
	}
	assert_int_equal(b.len, 200000);
	assert_int_equal(b.data[199998], '9');
}

static void the_limit_is_exact(void **state)
{
	auto_buf b = BUF_LIMIT(4);
	struct err err = {0};

	(void)state;
	buf_adds(&b, "abcd");
	assert_int_equal(buf_check(&b, "thing", &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	buf_addc(&b, 'e');
	assert_true(b.failed);
	assert_string_equal(b.data, "abcd");
	assert_int_equal(buf_check(&b, "thing", &err), -1);
	assert_error(err, ERR_INTERNAL, 0, "thing: larger than the limit of 4 bytes");
}

static void a_failure_sticks_until_cleared(void **state)
{
	auto_buf b = BUF_LIMIT(4);
	struct err err = {0};

	(void)state;
	buf_adds(&b, "abc");
	buf_addf(&b, "%s", "too long");
	buf_addc(&b, 'd');
	buf_add(&b, "", 0);
	assert_null(buf_room(&b, 0));
	assert_string_equal(b.data, "abc");
	assert_null(buf_take(&b));
	assert_string_equal(b.data, "abc");
	buf_clear(&b);
	assert_int_equal(buf_check(&b, "thing", &err), 0);
	assert_string_equal(b.data, "");
	buf_adds(&b, "wxyz");
	assert_string_equal(b.data, "wxyz");
	assert_int_equal(b.limit, 4);
}

static void absurd_sizes_fail_and_do_not_wrap(void **state)
{
	static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 3, SIZE_MAX / 2 + 2, SIZE_MAX / 2 };
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		auto_buf b = {0};

		buf_adds(&b, "abc");
		assert_null(buf_room(&b, sizes[i]));
		assert_true(b.failed);
		assert_string_equal(b.data, "abc");
		assert_int_equal(buf_check(&b, "thing", &err), -1);
		assert_error(err, ERR_INTERNAL, ENOMEM, "thing");
	}
}

/* A buffer with a limit that ran out of memory before it must not blame the limit. */
static void short_memory_is_told_from_the_limit(void **state)
{
	auto_buf b = BUF_LIMIT(SIZE_MAX - 2);
	struct err err = {0};

	(void)state;
	assert_null(buf_room(&b, SIZE_MAX / 2));
	assert_int_equal(buf_check(&b, "thing", &err), -1);
	assert_error(err, ERR_INTERNAL, ENOMEM, "Cannot allocate memory");
}

static void room_and_seal(void **state)
{
	auto_buf b = {0};

	(void)state;
	buf_adds(&b, "ab");
	char *to = buf_room(&b, 1000);
	assert_non_null(to);
	assert_ptr_equal(to, b.data + 2);
	memset(to, 'z', 1000);
	buf_seal(&b, b.len + 3);
	assert_string_equal(b.data, "abzzz");
	buf_seal(&b, 1);
	assert_string_equal(b.data, "a");
}

/* The invariant holds for a caller that made room and then gave up, too. */
static void room_never_sealed_is_still_a_string(void **state)
{
	auto_buf b = {0};
	void *dirty = malloc(256);

	(void)state;
	memset(dirty, 'x', 256);
	free(dirty);
	assert_non_null(buf_room(&b, 10));
	assert_int_equal(b.len, 0);
	assert_int_equal(b.data[0], '\0');
	char *s = buf_take(&b);
	assert_string_equal(s, "");
	free(s);
}

static void seal_of_nothing_is_harmless(void **state)
{
	auto_buf b = {0};

	(void)state;
	buf_seal(&b, 0);
	buf_clear(&b);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
}

static void take_hands_over(void **state)
{
	auto_buf b = BUF_LIMIT(8);

	(void)state;
	buf_adds(&b, "abc");
	char *s = buf_take(&b);
	assert_string_equal(s, "abc");
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.cap, 0);
	assert_int_equal(b.limit, 8);
	free(s);
	s = buf_take(&b);
	assert_string_equal(s, "");
	free(s);
	buf_adds(&b, "again");
	assert_string_equal(b.data, "again");
}

static void free_keeps_the_limit_alone(void **state)
{
	struct buf b = BUF_LIMIT(3);

	(void)state;
	buf_adds(&b, "abcd");
	buf_free(&b);
	assert_false(b.failed);
	assert_null(b.data);
	assert_int_equal(b.limit, 3);
	buf_free(&b);
}

static void moves_leave_nothing_behind(void **state)
{
	int pipes[2];

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	{
		auto_fd a = pipes[0];
		auto_fd b = move_fd(&a);
		auto_fd none = -1;

		assert_int_equal(a, -1);
		assert_int_equal(b, pipes[0]);
		assert_int_equal(none, -1);
	}
	assert_int_equal(fcntl(pipes[0], F_GETFD), -1);
	close(pipes[1]);

	auto_free char *p = strdup("x");
	char *q = move_ptr(p);
	assert_null(p);
	assert_string_equal(q, "x");
	free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_of_all_sorts),
		cmocka_unit_test(grows_far_and_stays_terminated),
		cmocka_unit_test(the_limit_is_exact),
		cmocka_unit_test(a_failure_sticks_until_cleared),
		cmocka_unit_test(absurd_sizes_fail_and_do_not_wrap),
		cmocka_unit_test(short_memory_is_told_from_the_limit),
		cmocka_unit_test(room_and_seal),
		cmocka_unit_test(room_never_sealed_is_still_a_string),
		cmocka_unit_test(seal_of_nothing_is_harmless),
		cmocka_unit_test(take_hands_over),
		cmocka_unit_test(free_keeps_the_limit_alone),
		cmocka_unit_test(moves_leave_nothing_behind),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}

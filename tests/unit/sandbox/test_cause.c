/* SPDX-License-Identifier: Apache-2.0 */
/* The table of causes: each has a name of its own, a reason and a cure, and a message is made of them in one way. */
#include "box.h"

#include "sandbox/cause.h"

static void test_rows(void **state)
{
	(void)state;
	for (int i = CAUSE_NONE + 1; i < CAUSES; i++) {
		const struct sandbox_cause_row *row = sandbox_cause((enum sandbox_cause)i);
		auto_buf cure = { 0 };

		assert_non_null(row->name);
		assert_non_null(row->why);
		sandbox_cause_cure((enum sandbox_cause)i, &cure);
		if (cure.len == 0 && row->docker == NULL)
			fail_msg("%s: no cure", row->name);
		/* Options of one engine alone would leave the others' users without. */
		if ((row->docker == NULL) != (row->podman == NULL))
			fail_msg("%s: options of one engine alone", row->name);
		for (int k = CAUSE_NONE + 1; k < i; k++)
			assert_string_not_equal(row->name, sandbox_cause((enum sandbox_cause)k)->name);
	}
}

static void test_message(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(sandbox_denied(&err, CAUSE_NO_OVERLAY, ENODEV, "doing this", "of that"), -1);
	assert_int_equal(err.kind, ERR_HOST);
	assert_int_equal(err.sys, ENODEV);
	assert_int_equal(err.cause, CAUSE_NO_OVERLAY);
	assert_string_equal(err.msg, "doing this: this kernel has no overlayfs (of that); cure: modprobe overlay");
	(void)err_ctx(&err, "step 'x'");
	assert_int_equal(err.cause, CAUSE_NO_OVERLAY);
	(void)err_set(&err, ERR_INTERNAL, 0, "another");
	assert_int_equal(err.cause, CAUSE_NONE);
}

static void test_apparmor(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)sandbox_denied(&err, CAUSE_APPARMOR, EACCES, "doing this", NULL);
	assert_non_null(strstr(err.msg, "/etc/apparmor.d/glovebox && apparmor_parser -r"));
	assert_non_null(strstr(err.msg, "/glovebox{,-engine}\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_apparmor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

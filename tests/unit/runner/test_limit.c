/* SPDX-License-Identifier: Apache-2.0 */
/* Limits between a spec, the sandbox and the reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"
#include "runner/limit.h"

static void from_spec_to_sandbox(void **state)
{
	char cpu[] = "1.25";
	struct spec spec = { .limits = SPEC_LIMITS_BEST_EFFORT };
	struct spec_step step = { .timeout_ms = 1, .limits = { .cpu = cpu, .memory = 2, .pids = 3, .files = 5, .file_size = 6, .work = 7,
							       .work_files = 8, .output = 9 } };
	struct sandbox_limits l = limit_of_step(&spec, &step, 10);

	(void)state;
	assert_true(l.best_effort);
	assert_int_equal(l.cpu_millis, 1250);
	assert_int_equal(l.tmp_bytes, 4ll << 30);
	assert_true(l.timeout_ms == 1 && l.memory_bytes == 2 && l.pids == 3 && l.files == 5 && l.file_bytes == 6);
	assert_true(l.work_bytes == 7 && l.work_files == 8 && l.output_bytes == 9 && l.grace_ms == 10);
	step.limits = (struct spec_limits){ .tmp = 4 };
	spec.limits = SPEC_LIMITS_ENFORCE;
	l = limit_of_step(&spec, &step, 0);
	assert_int_equal(l.tmp_bytes, 4);
	assert_int_equal(l.cpu_millis, 0);
	assert_false(l.best_effort);
}

static void as_json(void **state)
{
	char cpu[] = "0.5";
	struct err err = {0};
	auto_buf text = {0};
	auto_json given = limit_json(&(struct spec_limits){ .cpu = cpu, .work_files = 12 });
	auto_json none = limit_json(&(struct spec_limits){0});
	auto_json account = json_object();

	(void)state;
	assert_int_equal(json_canonical(given, &text, &err), 0);
	assert_string_equal(text.data, "{\"cpu\":\"0.5\",\"workFiles\":12}");
	assert_int_equal(json_object_size(none), 0);
	assert_int_equal(limit_add_json(account, &(struct sandbox_result){0}, NULL, &err), 0);
	assert_int_equal(json_object_size(account), 0);
	assert_int_equal(limit_add_json(account, &(struct sandbox_result){ .limit = SANDBOX_LIMIT_TMP, .limit_value = 5 }, NULL, &err), 0);
	buf_clear(&text);
	assert_int_equal(json_canonical(account, &text, &err), 0);
	assert_string_equal(text.data, "{\"limit\":{\"name\":\"tmp\",\"value\":5}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_spec_to_sandbox),
		cmocka_unit_test(as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

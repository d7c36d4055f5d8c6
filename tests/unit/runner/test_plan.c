/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runner/plan.h"

static const char *lookup(char **env, const char *name)
{
	size_t n = strlen(name);

	for (; *env != NULL; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

static void test_environment_is_complete_and_the_spec_wins(void **state)
{
	char path_name[] = "PATH", path[] = "/opt/bin", new_name[] = "X", empty[] = "";
	const struct spec_pair add[] = { { path_name, path, { 1, 1 } }, { new_name, empty, { 1, 1 } } };
	char **env = NULL;
	struct err err = {0};
	size_t n = 0;

	(void)state;
	assert_int_equal(plan_base_env(315532800, add, 2, &env, &err), 0);
	assert_string_equal(lookup(env, "PATH"), "/opt/bin");
	assert_string_equal(lookup(env, "X"), "");
	assert_string_equal(lookup(env, "HOME"), "/build/home");
	assert_string_equal(lookup(env, "SOURCE_DATE_EPOCH"), "315532800");
	assert_string_equal(lookup(env, "TZ"), "UTC");
	assert_string_equal(lookup(env, "LANG"), "C.UTF-8");
	assert_string_equal(lookup(env, "CI"), "true");
	while (env[n] != NULL)
		n++;
	assert_int_equal(n, 9);
	plan_env_free(env);
}

static void test_a_string_runs_under_the_shell_and_a_list_as_it_is(void **state)
{
	char shell[] = "make all", a[] = "cc", b[] = "-v";
	char *list[] = { a, b, NULL };
	struct spec_command command = { .shell = shell };
	const char **argv = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(plan_argv(&command, &argv, &err), 0);
	assert_string_equal(argv[0], "/bin/sh");
	assert_string_equal(argv[1], "-e");
	assert_string_equal(argv[2], "-c");
	assert_string_equal(argv[3], "make all");
	assert_null(argv[4]);
	free(argv);
	command = (struct spec_command){ .argv = { list, 2 } };
	assert_int_equal(plan_argv(&command, &argv, &err), 0);
	assert_string_equal(argv[0], "cc");
	assert_string_equal(argv[1], "-v");
	assert_null(argv[2]);
	free(argv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_environment_is_complete_and_the_spec_wins),
		cmocka_unit_test(test_a_string_runs_under_the_shell_and_a_list_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which commits are published. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runner/when.h"

#define SHA "0123456789abcdef0123456789abcdef01234567"
#define SPEC "apiVersion: platform.build/v1\nkind: BuildSpec\nmetadata: { name: x }\nspec:\n  build: { command: a }\n"
#define NO_TAG "has no version tag"
#define NOT_MAIN "is not what the branch main is at"

static void test_when(void **state)
{
	static const struct {
		const char *publish;
		unsigned ask;
		const char *semver;
		bool is_main;
		const char *why;   /**< behind the commit; NULL: published */
	} rows[] = {
		{ "{}", 0, "", false, NULL },
		{ "{ when: [tag] }", FETCH_GIT_VERSION, "1.0.0", false, NULL },
		{ "{ when: [tag] }", FETCH_GIT_VERSION, "", true, NO_TAG },
		{ "{ when: [main] }", FETCH_GIT_MAIN, "", true, NULL },
		{ "{ when: [main] }", FETCH_GIT_MAIN, "1.0.0", false, NOT_MAIN },
		{ "{ when: [main, tag] }", FETCH_GIT_VERSION | FETCH_GIT_MAIN, "1.0.0", false, NULL },
		{ "{ when: [main, tag] }", FETCH_GIT_VERSION | FETCH_GIT_MAIN, "", true, NULL },
		{ "{ when: [main, tag] }", FETCH_GIT_VERSION | FETCH_GIT_MAIN, "1.0.0", true, NULL },
		{ "{ when: [main, tag, tag] }", FETCH_GIT_VERSION | FETCH_GIT_MAIN, "", false, NO_TAG " and " NOT_MAIN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fetch_git_facts git = { .commit = SHA, .is_main = rows[i].is_main };
		auto_buf text = {0}, why = {0}, want = {0};
		auto_spec spec = NULL;
		struct err err = {0};

		strcpy(git.semver, rows[i].semver);
		buf_addf(&text, SPEC "  publish: %s\n", rows[i].publish);
		if (spec_parse("b.yaml", text.data, text.len, &spec, &err) < 0)
			fail_msg("%s", err.msg);
		assert_int_equal(when_asks(spec), rows[i].ask);
		assert_int_equal(when_decide(spec, &git, &why), 0);
		if (rows[i].why != NULL)
			buf_addf(&want, "spec.publish.when: commit " SHA " %s", rows[i].why);
		assert_string_equal(why.data == NULL ? "" : why.data, want.data == NULL ? "" : want.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

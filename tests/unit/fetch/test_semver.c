/* SPDX-License-Identifier: Apache-2.0 */
/* Versions: the order is that of semver.org's own examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "fetch/semver.h"

static void test_form(void **state)
{
	static const char *const good[] = { "0.0.0", "1.2.3", "1.0.0-alpha.1", "1.0.0+5", "1.0.0-a+b.c", "4294967295.0.1" };
	static const char *const bad[] = { "", "1", "1.2", "1.2.", "01.2.3", "1.2.3.4", "1.2.3_", "v1.2.3", "1.2.3 ", "12345678901.0.0" };
	char longest[SEMVER_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(semver_ok(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(semver_ok(bad[i]));
	memset(longest, 'a', sizeof longest);
	memcpy(longest, "1.0.0-", 6);
	longest[SEMVER_MAX + 1] = '\0';
	assert_false(semver_ok(longest));
	longest[SEMVER_MAX] = '\0';
	assert_true(semver_ok(longest));
}

static void test_order(void **state)
{
	static const char *const rising[] = {
		"0.9.10", "0.10.9", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
		"1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.0+a", "1.0.0+b", "1.0.1-x", "1.2.0", "1.10.0", "10.0.0",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rising); i++)
		for (size_t k = 0; k < ARRAY_LEN(rising); k++) {
			int c = semver_compare(rising[i], rising[k]);

			if ((c > 0) - (c < 0) != (i > k) - (i < k))
				fail_msg("%s, %s: %d", rising[i], rising[k], c);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests_name("semver", tests, NULL, NULL);
}

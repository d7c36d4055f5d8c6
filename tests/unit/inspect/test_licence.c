/* SPDX-License-Identifier: Apache-2.0 */
/* Licences as packages write them, and what becomes of them. */
#include "packages_helper.h"
#include "inspect/licence.h"
#include "inspect/licence_ids.h"

static void assert_expression(const char *text, enum licence_words words, const char *want)
{
	auto_buf out = {0};

	licence_expression(text, words, &out);
	buf_adds(&out, "");
	assert_false(out.failed);
	if (strcmp(out.data, want) != 0)
		fail_msg("'%s': '%s', not '%s'", text, out.data, want);
	assert_true(licence_is_plain(out.data));
}

static void spdx(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "MIT", "MIT" }, { "mit", "MIT" }, { " MIT\n", "MIT" }, { "(MIT OR apache-2.0)", "(MIT OR Apache-2.0)" },
		{ "MIT and (BSD-2-Clause or Zlib)", "MIT AND (BSD-2-Clause OR Zlib)" }, { "GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0" },
		{ "GPL-2.0-only WITH my-exception", "LicenseRef-GPL-2.0-only-with-my-exception" }, { "Apache-2.0+", "Apache-2.0+" },
		{ "LicenseRef-Own-1", "LicenseRef-Own-1" }, { "LicenseRef-", "LicenseRef-LicenseRef" }, { "Foo Bar", "LicenseRef-Foo-Bar" },
		{ "SEE LICENSE IN x.txt", "LicenseRef-SEE-LICENSE-IN-x.txt" }, { "MIT OR", "LicenseRef-MIT-OR" }, { "(MIT", "LicenseRef-MIT" }, { "MIT)", "LicenseRef-MIT" },
		{ "GPLv2+", "GPL-2.0-or-later" }, { "GPL2", "GPL-2.0-only" }, { "Apache License 2.0", "Apache-2.0" }, { "\"quoted\" <b>", "LicenseRef-quoted-b" },
		{ "ASL 2.0 and MPLv2.0", "Apache-2.0 AND MPL-2.0" }, { "", "" }, { "  ", "" }, { "\xc3\xa9", "LicenseRef-unknown" }, { "AND", "LicenseRef-AND" }, { "MIT, BSD", "LicenseRef-MIT-BSD" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_expression(rows[i].text, LICENCE_SPDX, rows[i].want);
}

static void debian(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "Expat", "MIT" }, { "GPL-2+", "GPL-2.0-or-later" }, { "GPL-1", "GPL-1.0-only" }, { "LGPL-2.1+", "LGPL-2.1-or-later" }, { "GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later" },
		{ "Apache-2", "Apache-2.0" }, { "CC-BY-3", "CC-BY-3.0" }, { "public-domain", "LicenseRef-public-domain" },
		{ "GPL-2+ or Artistic, and Expat", "(GPL-2.0-or-later OR Artistic-1.0) AND MIT" }, { "A, and B, or C", "LicenseRef-A AND LicenseRef-B OR LicenseRef-C" },
		{ "GPL-2+ with OpenSSL exception", "LicenseRef-GPL-2-or-later-with-OpenSSL-exception" },
		{ "GPL-2+-and-more", "LicenseRef-GPL-2-or-later-and-more" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_expression(rows[i].text, LICENCE_DEBIAN, rows[i].want);
}

static void classifiers(void **state)
{
	(void)state;
	assert_expression("License :: OSI Approved :: MIT License", LICENCE_CLASSIFIER, "MIT");
	assert_expression("License :: OSI Approved :: GNU General Public License v2 or later (GPLv2+)", LICENCE_CLASSIFIER, "GPL-2.0-or-later");
	/* Which of them, nobody says. */
	assert_expression("License :: OSI Approved :: BSD License", LICENCE_CLASSIFIER, "LicenseRef-BSD-License");
}

static void deep_and_long_texts_end(void **state)
{
	char text[LICENCE_TEXT_MAX + 2];

	(void)state;
	memset(text, '(', sizeof text);
	text[LICENCE_TEXT_MAX] = '\0';
	assert_expression(text, LICENCE_SPDX, "LicenseRef-unknown");
	text[LICENCE_TEXT_MAX] = '(';
	text[LICENCE_TEXT_MAX + 1] = '\0';
	assert_expression(text, LICENCE_SPDX, "");
}

static void the_list_is_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < licence_ids_n; i++) {
		if (i > 0)
			assert_true(strcasecmp(licence_ids[i - 1], licence_ids[i]) < 0);
		assert_ptr_equal(licence_id(licence_ids[i], strlen(licence_ids[i])), licence_ids[i]);
		assert_true(licence_is_id(licence_ids[i]));
	}
	assert_null(licence_id("MI", 2));
	assert_null(licence_id("MITx", 4));
	assert_false(licence_is_id("mit"));
	assert_false(licence_is_plain("a\"b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spdx),
		cmocka_unit_test(debian),
		cmocka_unit_test(classifiers),
		cmocka_unit_test(deep_and_long_texts_end),
		cmocka_unit_test(the_list_is_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

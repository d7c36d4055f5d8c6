/* SPDX-License-Identifier: Apache-2.0 */
/* JSON read by a confined child: the same values as here, and nothing believed of what the child says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"

static void it_reads_what_json_parse_reads(void **state)
{
	static const char *const texts[] = {
		"{}", "[]", "[1,-2,9223372036854775807,-9223372036854775808]", "[0.1,1e300,-0.0,5e-324]", "[true,false,null]",
		"{\"z\":1,\"a\":{\"b\":[{}]},\"\":\"\"}", "[\"x\\u00e9\\n\\ud83d\\ude00\"]", " [ [ [ ] ] ] \n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		auto_json here = NULL;
		auto_json apart = NULL;
		struct err err = {0};
		const char *key, *other;
		json_t *value;

		assert_int_equal(json_parse(texts[i], strlen(texts[i]), "doc", ERR_INPUT, &here, &err), 0);
		if (json_parse_apart(texts[i], strlen(texts[i]), "doc", ERR_INPUT, &apart, &err) < 0)
			fail_msg("%s: %s", texts[i], err.msg);
		if (!json_equal(here, apart))
			fail_msg("%s: other values", texts[i]);
		/* In the same order. */
		void *at = json_object_iter(apart);
		json_object_foreach(here, key, value) {
			other = json_object_iter_key(at);
			assert_string_equal(key, other);
			at = json_object_iter_next(apart, at);
		}
	}
}

static void it_refuses_what_json_parse_refuses(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "doc:" }, { "{\"a\":1,\"a\":2}", "duplicate" }, { "{} x", "end of file expected" }, { "[\"\\u0000\"]", "doc:" },
		{ "1", "doc:" }, { "[1e999]", "doc:" }, { "[99999999999999999999]", "doc:" }, { "[\"\xff\"]", "doc:" },
	};
	auto_buf deep = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *j = (json_t *)0x1;
		struct err err = {0};

		assert_int_equal(json_parse_apart(rows[i].text, strlen(rows[i].text), "doc", ERR_USAGE, &j, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		if (strstr(err.msg, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].text, err.msg);
		assert_ptr_equal(j, (json_t *)0x1);
	}
	for (int i = 0; i < 201; i++)
		buf_addc(&deep, '[');
	for (int i = 0; i < 201; i++)
		buf_addc(&deep, ']');
	json_t *j = NULL;
	struct err err = {0};
	assert_int_equal(json_parse_apart(deep.data, deep.len, "doc", ERR_INPUT, &j, &err), -1);
	assert_non_null(strstr(err.msg, "200 deep"));
	assert_int_equal(json_parse_apart(deep.data + 1, deep.len - 2, "doc", ERR_INPUT, &j, &err), 0);
	json_decref(j);
	assert_int_equal(json_parse_apart(NULL, 0, "doc", ERR_INPUT, &j, &err), -1);
}

static void rows_that_make_no_sense_are_refused(void **state)
{
#define ROW(s) { s, sizeof s - 1 }
	static const struct {
		const char *data;
		size_t n;
	} rows[] = {
		ROW(""), ROW("n"), ROW("s\1\0\0\0x"), ROW("a"), ROW("a\1\0\0"), ROW("a\1\0\0\0"), ROW("a\377\377\377\377"), ROW("o\377\377\377\377"),
		ROW("a\0\0\0\0n"), ROW("a\1\0\0\0x"), ROW("a\1\0\0\0s\377\377\377\377x"), ROW("a\1\0\0\0s\1\0\0\0\377"),
		ROW("a\1\0\0\0s\1\0\0\0\0"), ROW("a\1\0\0\0i\1\2\3"), ROW("a\1\0\0\0r\0\0\0\0\0\0\360\177"), ROW("a\1\0\0\0r\0\0\0\0\0\0\370\177"),
		ROW("o\1\0\0\0\1\0\0\0k"), ROW("o\2\0\0\0\1\0\0\0kn\1\0\0\0kn"), ROW("o\1\0\0\0\1\0\0\0\377n"), ROW("o\1\0\0\0\1\0\0\0\0n"),
	};
	auto_buf deep = {0};
	json_t *j = (json_t *)0x1;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (json_from_row(rows[i].data, rows[i].n, &j) == 0)
			fail_msg("row %zu is taken", i);
	for (int i = 0; i < 100000; i++)
		buf_add(&deep, "a\1\0\0\0", 5);
	assert_int_equal(json_from_row(deep.data, deep.len, &j), -1);
	assert_ptr_equal(j, (json_t *)0x1);
	/* Each beginning of a sound one is none. */
	static const char sound[] = "o\1\0\0\0\1\0\0\0ka\2\0\0\0s\2\0\0\0hii\1\0\0\0\0\0\0\0";
	for (size_t n = 0; n < sizeof sound - 1; n++)
		assert_int_equal(json_from_row(sound, n, &j), -1);
	assert_int_equal(json_from_row(sound, sizeof sound - 1, &j), 0);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reads_what_json_parse_reads), cmocka_unit_test(it_refuses_what_json_parse_refuses),
		cmocka_unit_test(rows_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

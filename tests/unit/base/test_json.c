/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

static json_t *must_parse(const char *text)
{
	struct err err = {0};
	json_t *j = NULL;

	if (json_parse(text, strlen(text), "doc", ERR_INPUT, &j, &err) < 0)
		fail_msg("'%s': %s", text, err.msg);
	return j;
}

static void what_is_valid_is_read(void **state)
{
	auto_json j = must_parse(" {\"a\": [1, -2, 3.5, true, false, null, \"x\\u00e9\\n\"], \"b\": {}}\n\t");

	(void)state;
	assert_int_equal(json_object_size(j), 2);
	json_t *a = json_object_get(j, "a");
	assert_int_equal(json_array_size(a), 7);
	assert_int_equal(json_integer_value(json_array_get(a, 1)), -2);
	assert_string_equal(json_string_value(json_array_get(a, 6)), "x\xc3\xa9\n");
}

static void what_is_not_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t n; /* 0: strlen */
		const char *why;
	} rows[] = {
		{ "", 0, "doc:" },
		{ " ", 0, "doc:" },
		{ "{\"a\":1,\"a\":2}", 0, "duplicate" },
		{ "{\"a\":1,\"\\u0061\":2}", 0, "duplicate" },          /* the same once unescaped */
		{ "[{\"x\":{\"k\":1,\"l\":2,\"k\":1}}]", 0, "duplicate" },
		{ "{} x", 0, "end of file expected" },
		{ "{}{}", 0, "end of file expected" },
		{ "{}\0", 3, "end of file expected" },
		{ "[1]]", 0, "end of file expected" },
		{ "{\"a\":\"b\\u0000c\"}", 0, "\\u0000" },
		{ "{\"a\\u0000\":1}", 0, "\\u0000" },
		{ "[\"a\0b\"]", 7, "doc:1" },                           /* raw control characters */
		{ "[\"a\nb\"]", 0, "doc:" },
		{ "[9223372036854775808]", 0, "too big integer" },
		{ "[-9223372036854775809]", 0, "too big negative integer" },
		{ "[1e999]", 0, "real number overflow" },
		{ "[01]", 0, "doc:1" }, { "[+1]", 0, "doc:1" }, { "[.5]", 0, "doc:1" }, { "[1.]", 0, "doc:1" },
		{ "[NaN]", 0, "doc:1" }, { "[Infinity]", 0, "doc:1" }, { "[0x10]", 0, "doc:1" },
		{ "[1,]", 0, "doc:1" }, { "{\"a\":1,}", 0, "doc:1" }, { "{a:1}", 0, "doc:1" }, { "{'a':1}", 0, "doc:1" },
		{ "[1 2]", 0, "doc:1" }, { "[", 0, "doc:1" }, { "{\"a\"", 0, "doc:1" }, { "[\"a", 0, "doc:1" },
		{ "/* c */ []", 0, "doc:1" }, { "\xef\xbb\xbf[]", 0, "doc:1" },
		{ "[\"\xff\"]", 0, "doc:1" }, { "[\"\xc0\x80\"]", 0, "doc:1" }, { "[\"\xed\xa0\x80\"]", 0, "doc:1" },
		{ "[\"\\ud800\"]", 0, "doc:1" }, { "[\"\\udc00\\ud800\"]", 0, "doc:1" }, { "[\"\\x41\"]", 0, "doc:1" },
		/* A document is an object or an array. */
		{ "1", 0, "doc:1" }, { "\"s\"", 0, "doc:1" }, { "null", 0, "doc:1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {0};
		json_t *j = (json_t *)&err;
		size_t n = rows[i].n == 0 ? strlen(rows[i].text) : rows[i].n;

		if (json_parse(rows[i].text, n, "doc", ERR_UNVERIFIED, &j, &err) == 0)
			fail_msg("'%s' passed", rows[i].text);
		assert_error(err, ERR_UNVERIFIED, 0, rows[i].why);
		assert_error(err, ERR_UNVERIFIED, 0, "not valid JSON");
		assert_ptr_equal(j, &err);
	}
}

static void an_error_has_its_place(void **state)
{
	struct err err = {0};
	json_t *j = NULL;
	const char text[] = "{\n  \"a\": 1,\n  \"b\": tru\n}\n";

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), "out/x.json", ERR_USAGE, &j, &err), -1);
	assert_error(err, ERR_USAGE, 0, "out/x.json:3:");
}

/** "[[[…]]]", n deep. */
static char *nested(size_t n, char open, char close)
{
	char *text = malloc(2 * n + 1);

	assert_non_null(text);
	memset(text, open, n);
	memset(text + n, close, n);
	text[2 * n] = '\0';
	return text;
}

static void depth_is_bounded(void **state)
{
	struct err err = {0};
	auto_json j = NULL;
	auto_json k = NULL;
	auto_free char *fits = nested(2048, '[', ']');
	auto_free char *deep = nested(2049, '[', ']');
	auto_free char *abyss = nested(1 << 20, '[', ']');
	auto_buf out = {0};

	(void)state;
	assert_int_equal(json_parse(fits, strlen(fits), "doc", ERR_INPUT, &j, &err), 0);
	/* What can be read can be written: the same depth. */
	assert_int_equal(json_canonical(j, &out, &err), 0);
	assert_string_equal(out.data, fits);
	assert_int_equal(json_parse(deep, strlen(deep), "doc", ERR_INPUT, &k, &err), -1);
	assert_error(err, ERR_INPUT, 0, "maximum parsing depth");
	assert_int_equal(json_parse(abyss, strlen(abyss), "doc", ERR_INPUT, &k, &err), -1);
	assert_error(err, ERR_INPUT, 0, "maximum parsing depth");
}

static void size_is_bounded(void **state)
{
	struct err err = {0};
	json_t *j = NULL;
	size_t n = (size_t)JSON_INPUT_MAX + 1;
	auto_free char *text = malloc(n);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', n);
	memcpy(text, "[]", 2);
	assert_int_equal(json_parse(text, n, "doc", ERR_INPUT, &j, &err), -1);
	assert_error(err, ERR_INPUT, 0, "doc: larger than the limit of 67108864 bytes");
	assert_int_equal(json_parse(text, n - 1, "doc", ERR_INPUT, &j, &err), 0);
	json_decref(j);
}

/* A few megabytes of "[]," would else take gigabytes. */
static void the_number_of_values_is_bounded(void **state)
{
	struct err err = {0};
	json_t *j = NULL;
	auto_buf text = {0};

	(void)state;
	/* Punctuation in strings does not count. */
	buf_adds(&text, "[\"\\\"");
	for (size_t i = 0; i < JSON_VALUES_MAX; i++)
		buf_adds(&text, ",[{");
	buf_adds(&text, "\\\\\",1]");
	assert_int_equal(json_parse(text.data, text.len, "doc", ERR_INPUT, &j, &err), 0);
	assert_int_equal(json_array_size(j), 2);
	json_decref(j);

	buf_clear(&text);
	buf_adds(&text, "[0");
	for (size_t i = 0; i < JSON_VALUES_MAX; i++)
		buf_adds(&text, ",0");
	buf_adds(&text, "]");
	assert_int_equal(json_parse(text.data, text.len, "doc", ERR_INPUT, &j, &err), -1);
	assert_error(err, ERR_INPUT, 0, "doc: more than the limit of 2097152 values");
	assert_int_equal(json_parse(text.data + text.len, 0, "doc", ERR_INPUT, &j, &err), -1);
}

static void canonical_golden(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "{}", "{}" }, { " [ ] ", "[]" },
		{ "{\"b\":1,\"a\":{\"z\":[],\"y\":{}},\"B\":2,\"aa\":3,\"\":4}",
		  "{\"\":4,\"B\":2,\"a\":{\"y\":{},\"z\":[]},\"aa\":3,\"b\":1}" },
		/* Bytewise, not by UTF-16 unit: U+FF61 (ef bd a1) before U+10000 (f0 90 80 80). */
		{ "{\"\\ud800\\udc00\":1,\"\\uff61\":2,\"\\u00e9\":3}",
		  "{\"\xc3\xa9\":3,\"\xef\xbd\xa1\":2,\"\xf0\x90\x80\x80\":1}" },
		{ "[\"\\u00e9\\u20ac\\ud83d\\ude00\\u007f\\u0080\"]", "[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\xc2\x80\"]" },
		{ "[\"\\/ / \\\" \\\\ \\b\\f\\n\\r\\t \\u0001\\u001f\"]", "[\"/ / \\\" \\\\ \\b\\f\\n\\r\\t \\u0001\\u001F\"]" },
		{ "[0,-0,1,-1,9223372036854775807,-9223372036854775808]",
		  "[0,0,1,-1,9223372036854775807,-9223372036854775808]" },
		{ "[1.0,0.5,1e2,1E+2,1e-7,-0.0,0.1,1e300,123456789012345678.0]",
		  "[1.0,0.5,100.0,100.0,9.9999999999999995e-8,-0.0,0.10000000000000001,1.0000000000000001e300,1.2345678901234568e17]" },
		{ "[true,false,null]", "[true,false,null]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {0};
		auto_json j = must_parse(rows[i].in);
		auto_buf once = {0}, twice = {0};

		assert_int_equal(json_canonical(j, &once, &err), 0);
		assert_string_equal(once.data, rows[i].want);
		auto_json again = must_parse(once.data);
		assert_int_equal(json_canonical(again, &twice, &err), 0);
		assert_string_equal(twice.data, once.data);
	}
}

/* What was put in first does not show. */
static void order_of_insertion_does_not_matter(void **state)
{
	struct err err = {0};
	auto_json a = json_object();
	auto_json b = json_object();
	auto_buf x = {0}, y = {0};

	(void)state;
	for (int i = 0; i < 500; i++) {
		char key[16];

		snprintf(key, sizeof key, "k%d", i);
		json_object_set_new(a, key, json_integer(i));
		snprintf(key, sizeof key, "k%d", 499 - i);
		json_object_set_new(b, key, json_integer(499 - i));
	}
	assert_int_equal(json_canonical(a, &x, &err), 0);
	assert_int_equal(json_canonical(b, &y, &err), 0);
	assert_string_equal(x.data, y.data);
}

static void pretty_golden(void **state)
{
	struct err err = {0};
	auto_json j = must_parse("{\"b\":[1,{}],\"a\":\"x\",\"c\":[]}");
	auto_buf out = {0};

	(void)state;
	buf_adds(&out, "> ");
	assert_int_equal(json_pretty(j, &out, &err), 0);
	assert_string_equal(out.data, "> {\n  \"a\": \"x\",\n  \"b\": [\n    1,\n    {}\n  ],\n  \"c\": []\n}\n");
}

static void writing_appends_or_leaves_alone(void **state)
{
	struct err err = {0};
	auto_json j = must_parse("{\"key\":\"a long enough value\"}");
	auto_json bare = json_string("s");
	auto_buf tight = BUF_LIMIT(10);
	/* Room for all but the newline. */
	auto_buf almost = BUF_LIMIT(strlen("{\n  \"key\": \"a long enough value\"\n}"));

	(void)state;
	buf_adds(&tight, "ab");
	assert_int_equal(json_canonical(bare, &tight, &err), 0);
	assert_string_equal(tight.data, "ab\"s\"");
	assert_int_equal(json_canonical(j, &tight, &err), -1);
	assert_error(err, ERR_INTERNAL, 0, "larger than the limit of 10 bytes");
	assert_string_equal(tight.data, "ab\"s\"");
	/* The failure sticks. */
	assert_int_equal(json_canonical(bare, &tight, &err), -1);

	assert_int_equal(json_pretty(j, &almost, &err), -1);
	assert_int_equal(almost.len, 0);
	assert_string_equal(almost.data, "");
}

static void what_json_cannot_say_is_an_error(void **state)
{
	struct err err = {0};
	auto_json loop = json_array();
	auto_json inner = json_array();
	auto_buf out = {0};

	(void)state;
	json_array_append(loop, inner);
	json_array_append(inner, loop);
	assert_int_equal(json_canonical(loop, &out, &err), -1);
	assert_int_equal(err.kind, ERR_INTERNAL);
	assert_int_equal(out.len, 0);
	json_array_clear(inner);
}

static void string_members(void **state)
{
	auto_json j = must_parse("{\"s\":\"text\",\"e\":\"\",\"n\":1,\"o\":{},\"z\":null}");
	auto_json array = must_parse("[]");

	(void)state;
	assert_string_equal(json_str(j, "s"), "text");
	assert_string_equal(json_str(j, "e"), "");
	assert_null(json_str(j, "n"));
	assert_null(json_str(j, "o"));
	assert_null(json_str(j, "z"));
	assert_null(json_str(j, "missing"));
	assert_null(json_str(array, "s"));
	assert_null(json_str(NULL, "s"));
}

static void bytes_that_may_not_be_utf8(void **state)
{
	static const struct {
		const char *data;
		size_t n;
		const char *want;
	} rows[] = {
		{ "", 0, "" },
		{ "plain/\xc3\xa9 \xf0\x9f\x98\x80", 13, "plain/\xc3\xa9 \xf0\x9f\x98\x80" },
		{ "\xff\xfe", 2, "\\377\\376" },
		{ "a\0b", 3, "a\\000b" },
		{ "a\nb\x1b\x7f", 5, "a\\012b\\033\\177" },
		{ "\xc2\x9b", 2, "\\302\\233" },
		{ "\\", 1, "\\134" },
		{ "\\377", 4, "\\134377" },
		{ "a\\\\b\\", 5, "a\\134\\134b\\134" },
		{ "\xc3", 1, "\\303" },
		{ "\xe2\x82\\", 3, "\\342\\202\\134" },
		{ "\xc0\x80", 2, "\\300\\200" },
		{ "\xed\xa0\x80", 3, "\\355\\240\\200" },
		{ "\xf4\x90\x80\x80", 4, "\\364\\220\\200\\200" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json s = json_bytes(rows[i].data, rows[i].n);

		assert_non_null(s);
		assert_string_equal(json_string_value(s), rows[i].want);
	}
	auto_json nothing = json_bytes(NULL, 0);
	assert_string_equal(json_string_value(nothing), "");
}

/* Every pair of bytes gives a value of its own, which parses back. */
static void bytes_never_collide(void **state)
{
	auto_json seen = json_object();

	(void)state;
	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++) {
			char two[2] = { (char)a, (char)b };
			auto_json s = json_bytes(two, 2);

			assert_non_null(s);
			assert_null(json_object_get(seen, json_string_value(s)));
			json_object_set_new(seen, json_string_value(s), json_true());
		}
	assert_int_equal(json_object_size(seen), 65536);
}

static void strings_make_a_list(void **state)
{
	static const char *const list[] = { "a", "", "\xc3\xa9", NULL, "never" }, *const bad[] = { "a", "\xff" };
	(void)state;
	auto_json two = json_strings(list, 2);
	auto_json all = json_strings(list, SIZE_MAX);
	auto_json none = json_strings(NULL, 0);

	assert_int_equal(json_array_size(two), 2);
	assert_int_equal(json_array_size(all), 3);
	assert_string_equal(json_string_value(json_array_get(all, 2)), "\xc3\xa9");
	assert_true(json_is_array(none) && json_array_size(none) == 0);
	assert_null(json_strings(bad, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_valid_is_read),
		cmocka_unit_test(what_is_not_is_refused),
		cmocka_unit_test(an_error_has_its_place),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(size_is_bounded),
		cmocka_unit_test(the_number_of_values_is_bounded),
		cmocka_unit_test(canonical_golden),
		cmocka_unit_test(order_of_insertion_does_not_matter),
		cmocka_unit_test(pretty_golden),
		cmocka_unit_test(writing_appends_or_leaves_alone),
		cmocka_unit_test(what_json_cannot_say_is_an_error),
		cmocka_unit_test(string_members),
		cmocka_unit_test(bytes_that_may_not_be_utf8),
		cmocka_unit_test(bytes_never_collide),
		cmocka_unit_test(strings_make_a_list),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

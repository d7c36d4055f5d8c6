/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

static void did_you_mean(void **state)
{
	static const char *const words[] = { "sources", "source", "steps", "rootfs", "argv", "env", "name", NULL };
	static const char *const none[] = { NULL };
	static const struct {
		const char *word, *want;
	} rows[] = {
		{ "sources", "sources" },  /* itself */
		{ "sourcs", "sources" },   /* ties go to the first */
		{ "suorce", "source" },    /* a transposition is one slip */
		{ "rotfs", "rootfs" },
		{ "rootfss", "rootfs" },
		{ "nmae", "name" },
		{ "arg", "argv" },
		{ "enb", "env" },
		{ "step", "steps" },
		{ "xyz", NULL },           /* every letter is wrong */
		{ "network", NULL },
		{ "", NULL },
		{ "e", NULL },
		{ "ROOTFS", NULL },
	};
	char sixty_four[65];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got = text_did_you_mean(rows[i].word, words);

		if (rows[i].want == NULL ? got != NULL : got == NULL || strcmp(got, rows[i].want) != 0)
			fail_msg("'%s': got '%s'", rows[i].word, got == NULL ? "(none)" : got);
	}
	assert_null(text_did_you_mean("x", none));

	/* The longest word helped with, and one longer. */
	memset(sixty_four, 'w', 64);
	sixty_four[64] = '\0';
	const char *const longest[] = { sixty_four, sixty_four + 1, NULL };
	assert_ptr_equal(text_did_you_mean(sixty_four + 1, longest), sixty_four + 1);
	assert_null(text_did_you_mean(sixty_four, longest));
}

static void paths(void **state)
{
	static const char *const clean[] = { "a", "a/b", "...", "a/..b", ".a", "a b", "\xff", "..a/b..", "a/.b/c" };
	static const char *const dirty[] = { "", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "a/./b", "a/../b", "a/..", "../a", "//" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(clean); i++) {
		char absolute[32];

		assert_true(text_path_is_clean(clean[i]));
		assert_false(text_path_is_absolute(clean[i]));
		snprintf(absolute, sizeof absolute, "/%s", clean[i]);
		assert_true(text_path_is_absolute(absolute));
		assert_false(text_path_is_clean(absolute));
	}
	for (size_t i = 0; i < ARRAY_LEN(dirty); i++) {
		char absolute[32];

		assert_false(text_path_is_clean(dirty[i]));
		snprintf(absolute, sizeof absolute, "/%s", dirty[i]);
		if (dirty[i][0] != '\0')
			assert_false(text_path_is_absolute(absolute));
	}
	assert_true(text_path_is_absolute("/"));
	assert_false(text_path_is_absolute(""));
}

static void names(void **state)
{
	static const char *const good[] = { "a", "0", "A.b_c-9", "debian-12", "a..", "x--" };
	static const char *const bad[] = { "", ".", "..", ".a", "-a", "_a", "a/b", "a b", "a\n", "é", "a:b", "a@b", "a%", "a\x7f" };
	char name[102];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(text_is_name(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(text_is_name(bad[i]));
	memset(name, 'n', 101);
	name[101] = '\0';
	assert_false(text_is_name(name));
	assert_true(text_is_name(name + 1));
}

/* Every one of the 256 bytes, against the set as the format's page has it. */
static void mtree_encoding(void **state)
{
	const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+,@%:~-";

	(void)state;
	for (int c = 0; c < 256; c++) {
		auto_buf out = {0};
		char byte = (char)c, want[8];

		text_mtree(&out, &byte, 1);
		if (c != 0 && strchr(plain, c) != NULL)
			snprintf(want, sizeof want, "%c", c);
		else
			snprintf(want, sizeof want, "\\%03o", c);
		assert_string_equal(out.data, want);
	}

	auto_buf out = {0};
	text_mtree(&out, "./a b\\*#=\0\n\xc3\xa9", 13);
	assert_string_equal(out.data, "./a\\040b\\134\\052\\043\\075\\000\\012\\303\\251");
}

static void shell_words(void **state)
{
	static const struct { const char *s, *want; } rows[] = {
		{ "", "''" }, { "a", "a" }, { "/x/y-1_2.z:3@sha256=4", "/x/y-1_2.z:3@sha256=4" }, { "a b", "'a b'" }, { "it's", "'it'\\''s'" },
		{ "$(x)", "'$(x)'" }, { "~", "'~'" }, { "a\n", "'a\n'" }, { "\xc3\xa9", "'\xc3\xa9'" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf out = {0};

		text_shell(&out, rows[i].s);
		assert_string_equal(out.data, rows[i].want);
	}
}

static void utf8_lengths(void **state)
{
	static const struct {
		const char *s;
		size_t n, want;
	} rows[] = {
		{ "", 0, 0 }, { "\0", 1, 1 }, { "a", 1, 1 }, { "\x7f", 1, 1 },
		{ "\xc2\x80", 2, 2 }, { "\xdf\xbf", 2, 2 }, { "\xe0\xa0\x80", 3, 3 }, { "\xef\xbf\xbf", 3, 3 },
		{ "\xf0\x90\x80\x80", 4, 4 }, { "\xf4\x8f\xbf\xbf", 4, 4 }, { "\xed\x9f\xbf", 3, 3 }, { "\xee\x80\x80", 3, 3 },
		{ "\x80", 1, 0 }, { "\xbf", 1, 0 }, { "\xc0\x80", 2, 0 }, { "\xc1\xbf", 2, 0 },      /* continuation; over-long */
		{ "\xe0\x9f\xbf", 3, 0 }, { "\xf0\x8f\xbf\xbf", 4, 0 },                              /* over-long */
		{ "\xed\xa0\x80", 3, 0 }, { "\xed\xbf\xbf", 3, 0 },                                  /* surrogates */
		{ "\xf4\x90\x80\x80", 4, 0 }, { "\xf5\x80\x80\x80", 4, 0 }, { "\xff", 1, 0 },        /* past U+10FFFF */
		{ "\xc2", 1, 0 }, { "\xe1\x80", 2, 0 }, { "\xf1\x80\x80", 3, 0 },                    /* cut off */
		{ "\xc2" "a", 2, 0 }, { "\xe1\x80" "a", 3, 0 }, { "\xf1\x80\x80" "a", 4, 0 },
		{ "\xc3\xa9z", 3, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (text_utf8_len(rows[i].s, rows[i].n) != rows[i].want)
			fail_msg("row %zu: %zu", i, text_utf8_len(rows[i].s, rows[i].n));
}

static void printable(void **state)
{
	static const struct {
		const char *s;
		size_t n;
		const char *want;
	} rows[] = {
		{ "", 0, "" },
		{ "plain text ~", 12, "plain text ~" },
		{ "\x1b[31m", 5, "\\033[31m" },
		{ "a\tb\nc\r\0d", 8, "a\\011b\\012c\\015\\000d" },
		{ "\x7f", 1, "\\177" },
		{ "\xc2\x9b" "31m", 5, "\\302\\23331m" },   /* C1: the 8-bit CSI */
		{ "\xc2\x80\xc2\x9f", 4, "\\302\\200\\302\\237" },
		{ "\xc2\xa0", 2, "\xc2\xa0" },              /* the first past them */
		{ "\x9b" "31m", 4, "\\23331m" },            /* the raw byte: no UTF-8 */
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xff\xfe", 2, "\\377\\376" },
		{ "\xe2\x82", 2, "\\342\\202" },
		{ "\xe2\x82" "A", 3, "\\342\\202A" },
		{ "\xc2", 1, "\\302" },
		{ "\xc0\x9b", 2, "\\300\\233" },
		{ "\xed\xa0\x80", 3, "\\355\\240\\200" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf out = {0};

		buf_adds(&out, "");
		text_printable(&out, rows[i].s, rows[i].n);
		assert_string_equal(out.data, rows[i].want);
	}
}

static void controls(void **state)
{
	(void)state;
	assert_int_equal(text_control_len("", 0), 0);
	assert_int_equal(text_control_len("\0", 1), 1);
	assert_int_equal(text_control_len("\x1f", 1), 1);
	assert_int_equal(text_control_len(" ", 1), 0);
	assert_int_equal(text_control_len("\x7f", 1), 1);
	assert_int_equal(text_control_len("\xc2", 1), 0);
	assert_int_equal(text_control_len("\xc2\x80", 2), 2);
	assert_int_equal(text_control_len("\xc2\x9f", 2), 2);
	assert_int_equal(text_control_len("\xc2\xa0", 2), 0);
	assert_int_equal(text_control_len("\xc2\x1b", 2), 0);
	assert_int_equal(text_control_len("\xc3\x80", 2), 0);
}

static void sizes(void **state)
{
	static const struct {
		const char *s;
		uint64_t want;
	} good[] = {
		{ "0", 0 }, { "10", 10 }, { "007", 7 }, { "2k", 2000 }, { "3M", 3000000 }, { "4G", 4000000000 },
		{ "5T", 5000000000000 }, { "2Ki", 2048 }, { "64Mi", 64 << 20 }, { "1Gi", 1 << 30 },
		{ "3Ti", 3ull << 40 }, { "18446744073709551615", UINT64_MAX }, { "16777215Ti", 16777215ull << 40 },
	};
	static const char *const bad[] = {
		"", " 1", "1 ", "-1", "+1", "1.5G", "Gi", "1K", "1m", "1g", "1KiB", "1Kii", "1Pi", "0x10", "1e3",
		"18446744073709551616", "99999999999999999999999", "16777216Ti", "18446744073709551615k", "1\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		uint64_t v = 77;

		assert_true(text_parse_size(good[i].s, &v));
		assert_int_equal(v, good[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint64_t v = 77;

		if (text_parse_size(bad[i], &v))
			fail_msg("'%s' passed", bad[i]);
		assert_int_equal(v, 77);
	}
}

static void processors(void **state)
{
	static const struct {
		const char *s;
		uint64_t want;
	} good[] = { { "1", 1000 }, { "2", 2000 }, { "0.5", 500 }, { "1.25", 1250 }, { "0.01", 10 }, { "0.010", 10 }, { "9999.999", 9999999 } };
	static const char *const bad[] = {
		"", "0", "0.0", "0.009", ".5", "1.", "1.2345", "10000", "01", "00.5", "0", "-1", "+1", "1e3", "1 ", " 1", "500m", "1..2",
		"18446744073709551617",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		uint64_t v = 77;

		assert_true(text_parse_cpus(good[i].s, &v));
		assert_int_equal(v, good[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint64_t v = 77;

		if (text_parse_cpus(bad[i], &v))
			fail_msg("'%s' passed", bad[i]);
		assert_int_equal(v, 77);
	}
}

static void durations(void **state)
{
	static const struct {
		const char *s;
		uint64_t want;
	} good[] = {
		{ "0", 0 }, { "10", 10000 }, { "250ms", 250 }, { "90s", 90000 }, { "10m", 600000 }, { "2h", 7200000 },
		{ "1h30m", 5400000 }, { "1m500ms", 60500 }, { "1h2m3s4ms", 3723004 }, { "0s", 0 },
		{ "18446744073709551615ms", UINT64_MAX }, { "18446744073709551", 18446744073709551000u },
	};
	static const char *const bad[] = {
		"", "s", "ms", " 1s", "1 s", "1s ", "-1s", "1.5h", "1d", "1H", "1h30", "30m1h", "1s1s", "1ms1s", "1h30x",
		"18446744073709551616", "18446744073709551616ms", "18446744073709552", "5124095576031h",
		"18446744073709551s616ms", "1hm",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		uint64_t v = 77;

		if (!text_parse_duration(good[i].s, &v))
			fail_msg("'%s' refused", good[i].s);
		assert_int_equal(v, good[i].want);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint64_t v = 77;

		if (text_parse_duration(bad[i], &v))
			fail_msg("'%s' passed", bad[i]);
		assert_int_equal(v, 77);
	}
}

static void starts(void **state)
{
	(void)state;
	assert_true(text_starts("abc", ""));
	assert_true(text_starts("abc", "ab"));
	assert_true(text_starts("abc", "abc"));
	assert_false(text_starts("abc", "abcd"));
	assert_false(text_starts("", "a"));
	assert_false(text_starts("xabc", "abc"));
}

static void times(void **state)
{
	static const struct {
		int64_t t;
		const char *want;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 315532800, "1980-01-01T00:00:00Z" },
		{ -1, "1969-12-31T23:59:59Z" },
		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 4294967296, "2106-02-07T06:28:16Z" },
		{ -30610224000, "1000-01-01T00:00:00Z" },
		{ -30610224001, "0999-12-31T23:59:59Z" },
		{ -62167219200, "0000-01-01T00:00:00Z" },
		{ 253402300799, "9999-12-31T23:59:59Z" },
		{ 253402300800, "9999-12-31T23:59:59Z" },
		{ -62167219201, "0000-01-01T00:00:00Z" },
		{ INT64_MAX, "9999-12-31T23:59:59Z" },
		{ INT64_MIN, "0000-01-01T00:00:00Z" },
	};

	(void)state;
	/* Neither zone nor locale of the caller shows. */
	setenv("TZ", "America/New_York", 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[32];

		assert_string_equal(text_time(rows[i].t, out), rows[i].want);
	}
}

static void test_below(void **state)
{
	(void)state;
	assert_true(text_path_is_below("/src", "/src"));
	assert_true(text_path_is_below("/src/a", "/src"));
	assert_false(text_path_is_below("/srcs", "/src"));
	assert_false(text_path_is_below("/sr", "/src"));
	assert_true(text_path_is_below("/anything", "/"));
	assert_true(text_path_is_below("/", "/"));
	assert_true(text_path_is_below("a/b", "a"));
	assert_false(text_path_is_below("ab", "a"));
}

static void test_last_name(void **state)
{
	(void)state;
	assert_string_equal(text_path_name("a"), "a");
	assert_string_equal(text_path_name("/a/b"), "b");
	assert_string_equal(text_path_name("a/"), "");
}

static void test_whole_utf8(void **state)
{
	(void)state;
	assert_true(text_is_utf8(""));
	assert_true(text_is_utf8("/src/\xc3\xa9"));
	assert_false(text_is_utf8("/src/\xff"));
	assert_false(text_is_utf8("cut \xc3"));
}

static void brief(void **state)
{
	static const struct {
		const char *s;
		size_t max;
		const char *want;
	} rows[] = {
		{ "", 0, "" }, { "abc", 3, "abc" }, { "abcd", 3, "abc..." }, { "a\303\244b", 2, "a..." }, { "a\303\244b", 3, "a\303\244..." },
		{ "a\nb", 5, "a\\012..." }, { "\377", 4, "\\377" }, { "abc", 0, "..." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf out = {0};

		text_brief(&out, rows[i].s, strlen(rows[i].s), rows[i].max);
		assert_string_equal(out.data == NULL ? "" : out.data, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_below),
		cmocka_unit_test(test_last_name),
		cmocka_unit_test(test_whole_utf8),
		cmocka_unit_test(did_you_mean),
		cmocka_unit_test(paths),
		cmocka_unit_test(names),
		cmocka_unit_test(mtree_encoding),
		cmocka_unit_test(shell_words),
		cmocka_unit_test(utf8_lengths),
		cmocka_unit_test(printable),
		cmocka_unit_test(brief),
		cmocka_unit_test(controls),
		cmocka_unit_test(sizes),
		cmocka_unit_test(processors),
		cmocka_unit_test(durations),
		cmocka_unit_test(starts),
		cmocka_unit_test(times),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of gitignore(5) against paths. The whole of fetch/ was compared with git's own answer on some thousand random
 * trees; these rows are the cases to remember. */
#include "tests/unit/store/help.h"

#include <time.h>

#include "fetch/glob.h"

static const struct {
	const char *pattern, *text;
	bool want;
} rows[] = {
	{ "", "", true }, { "", "a", false }, { "a", "a", true }, { "a", "ab", false }, { "ab", "a", false },
	{ "a/b", "a/b", true }, { "\\a", "a", true }, { "\\*", "*", true }, { "\\*", "a", false }, { "a\\", "a", false },
	{ "a\\", "a\\", false }, { "\\\\", "\\", true },
	{ "?", "a", true }, { "?", "/", false }, { "?", "", false }, { "a?c", "abc", true }, { "a?c", "a/c", false },
	{ "??", "\xc3\xa9", true },
	{ "*", "", true }, { "*", "abc", true }, { "*", "a/b", false }, { "*.c", "x.c", true }, { "*.c", ".c", true },
	{ "*.c", "d/x.c", false }, { "a*", "a", true }, { "a*b", "ab", true }, { "a*b", "axxb", true }, { "a*b", "a/b", false },
	{ "a*b*c", "aXbYbZc", true }, { "*a*a*a", "aaa", true }, { "*a*a*a", "aa", false }, { "*/b", "a/b", true },
	{ "*/b", "a/x/b", false }, { "*/*", "a/b", true }, { "a/*", "a/", true }, { "a/*/c", "a/b/c", true },
	{ "**", "a/b/c", true }, { "**", "", true }, { "**/a", "a", true }, { "**/a", "x/a", true }, { "**/a", "x/y/a", true },
	{ "**/a", "xa", false }, { "**/a", "x/ya", false }, { "**/a/b", "a/b", true }, { "**/a/b", "x/a/b", true },
	{ "a/**", "a/b", true }, { "a/**", "a/b/c", true }, { "a/**", "a", false }, { "a/**/b", "a/b", true },
	{ "a/**/b", "a/x/b", true }, { "a/**/b", "a/x/y/b", true }, { "a/**/b", "a/xb", false }, { "a/**/b", "ab", false },
	{ "a/**/**/b", "a/b", true }, { "**/**/a", "a", true }, { "**/**", "a", true }, { "**/x/**", "x", false },
	{ "**/x/**", "a/x/b", true }, { "***/a", "x/y/a", true }, { "a/***", "a/b/c", true },
	/* Two stars beside other bytes are one star. */
	{ "a**b", "axxb", true }, { "a**b", "a/b", false }, { "a/**b", "a/xb", true }, { "a/**b", "a/x/b", false },
	{ "**a", "xa", true }, { "**a", "x/a", false }, { "a**/b", "ax/b", true }, { "a**/b", "ax/y/b", false },
	{ "a**/b", "a/b", true }, { "x/a**", "x/ab", true }, { "x/a**", "x/a/b", false },
	/* An escaped slash behind two stars: they stand for something. */
	{ "**\\/a", "a", false }, { "**\\/a", "x/a", true }, { "**\\/a", "x/y/a", true },
	{ "[ab]", "a", true }, { "[ab]", "c", false }, { "[ab]", "", false }, { "[!ab]", "c", true }, { "[!ab]", "a", false },
	{ "[^ab]", "c", true }, { "[^ab]", "b", false }, { "[a-c]", "b", true }, { "[a-c]", "d", false }, { "[a-]", "-", true },
	{ "[-a]", "-", true }, { "[--0]", ".", true }, { "[c-a]", "b", false }, { "[c-a]", "c", true }, { "[c-a]", "a", false },
	{ "[]a]", "]", true }, { "[]a]", "a", true }, { "[]-a]", "^", true }, { "[!]a]", "]", false }, { "[!]a]", "b", true },
	{ "[]", "]", false }, { "[", "[", false }, { "[a", "a", false }, { "x[", "x[", false }, { "[!]", "a", false },
	{ "[\\]]", "]", true }, { "[a\\-c]", "b", false }, { "[a\\-c]", "-", true }, { "[a-\\c]", "b", true }, { "[\\", "\\", false },
	{ "[a-c-e]", "d", false }, { "[a-c-e]", "-", true }, { "[a-c-e]", "e", true },
	{ "[/]", "/", false }, { "a[/]b", "a/b", false }, { "a[!x]b", "a/b", false }, { "[.-0]", "/", false },
	{ "[[:digit:]]", "7", true }, { "[[:digit:]]", "x", false }, { "[![:digit:]]", "x", true }, { "[[:alpha:]_]", "_", true },
	{ "[[:alpha:]_]", "q", true }, { "[[:alpha:]]", "\xe9", false }, { "[[:upper:][:digit:]]", "Q", true },
	{ "[[:upper:][:digit:]]", "q", false }, { "[[:space:]]", " ", true }, { "[[:punct:]]", "~", true }, { "[[:punct:]]", "a", false },
	{ "[[:xdigit:]]", "f", true }, { "[[:xdigit:]]", "g", false }, { "[[:blank:]]", "\t", true }, { "[[:cntrl:]]", "\177", true },
	{ "[[:graph:]]", " ", false }, { "[[:print:]]", " ", true }, { "[[:lower:]]", "a", true }, { "[[:alnum:]]", "0", true },
	{ "[[:nothing:]]", "n", false }, { "[[::]]", ":", false }, { "[[:digit:]", "7", false }, { "[[:digit]", "g", true },
	{ "[[:digit]", "[", true }, { "[[:digit:]-z]", "-", true }, { "[[:digit:]-z]", "a", false },
	{ "[\xe0-\xff]", "\xe9", true }, { "\xff*", "\xff\xfe", true },
};

static bool matches(const char *pattern, const char *text)
{
	struct glob *g = glob_new(pattern, strlen(pattern));

	assert_non_null(g);
	bool once = glob_match(g, text);
	/* Nothing is left over from one match to the next. */
	(void)glob_match(g, "something/else");
	assert_int_equal(glob_match(g, text), once);
	glob_free(g);
	return once;
}

static void each_row_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (matches(rows[i].pattern, rows[i].text) != rows[i].want)
			fail_msg("'%s' and '%s': not %s", rows[i].pattern, rows[i].text, rows[i].want ? "matched" : "left alone");
}

/** What makes backtracking matchers run for ages. */
static void hostile_patterns_take_no_time(void **state)
{
	char pattern[3001], text[4001];
	struct timespec a, b;

	(void)state;
	for (size_t i = 0; i + 3 <= 3000; i += 3)
		memcpy(pattern + i, i % 2 == 0 ? "*a?" : "**/", 3);
	pattern[3000] = '\0';
	for (size_t i = 0; i < 4000; i++)
		text[i] = i % 10 == 9 ? '/' : 'a';
	text[4000] = '\0';
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	(void)matches(pattern, text);
	for (size_t i = 0; i < 3000; i++)
		pattern[i] = "**/"[i % 3];
	assert_true(matches(pattern, text));
	memset(text, 'a', 4000);
	for (size_t i = 0; i < 3000; i++)
		pattern[i] = "*a"[i % 2];
	pattern[2999] = 'b';
	assert_false(matches(pattern, text));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	assert_true(b.tv_sec - a.tv_sec < 20);
}

static void a_pattern_has_a_limit(void **state)
{
	char pattern[GLOB_PATTERN_MAX + 2];

	(void)state;
	memset(pattern, '*', sizeof pattern);
	pattern[GLOB_PATTERN_MAX] = '\0';
	assert_true(matches(pattern, "text"));
	pattern[GLOB_PATTERN_MAX] = '*';
	pattern[GLOB_PATTERN_MAX + 1] = '\0';
	assert_false(matches(pattern, "text"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_holds),
		cmocka_unit_test(hostile_patterns_take_no_time),
		cmocka_unit_test(a_pattern_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

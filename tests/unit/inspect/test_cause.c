/* SPDX-License-Identifier: Apache-2.0 */
/* Which causes two strings show; and, as much, which they do not. */
#include "helper.h"

static cause_set ask(const char *a, const char *b)
{
	return cause_of_words((struct words){ a, strlen(a) }, (struct words){ b, strlen(b) });
}

struct row {
	const char *a, *b;
	enum cause want;   /* alone; CAUSE_NONE: nothing */
};

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cause_set want = rows[i].want == CAUSE_NONE ? 0 : CAUSE_SET(rows[i].want);

		if (ask(rows[i].a, rows[i].b) != want || ask(rows[i].b, rows[i].a) != want)
			fail_msg("'%s', '%s': %#x, not %#x", rows[i].a, rows[i].b, ask(rows[i].a, rows[i].b), want);
	}
}

static void named(void **state)
{
	static const struct row rows[] = {
		{ "Nov 25 2026", "Nov  1 2026", CAUSE_TIMESTAMP },
		{ "built 2026-11-25T09:10:11Z", "built 2026-11-26T01:02:03Z", CAUSE_TIMESTAMP },
		{ "Wed, 25 Nov 2026 09:10:11 +0000", "Thu, 26 Nov 2026 09:10:12 +0000", CAUSE_TIMESTAMP },
		{ "epoch 1795564800", "epoch 1795564900", CAUSE_TIMESTAMP },
		{ "x-20261125.tgz", "x-20261126.tgz", CAUSE_TIMESTAMP },
		{ "09:10:11", "09:10:12", CAUSE_TIMESTAMP },
		{ "took 0.53s", "took 0.61s", CAUSE_TIMESTAMP },
		{ "/srv/a/x/y.c", "/srv/b/x/y.c", CAUSE_BUILD_PATH },
		{ "-I/tmp/one/include", "-I/tmp/two/include", CAUSE_BUILD_PATH },
		{ "prefix='/build/a/usr'", "prefix='/build/bcd/usr'", CAUSE_BUILD_PATH },
		{ "/tmp/ccAbCd12.o", "/tmp/ccXyZw34.o", CAUSE_RANDOM },
		{ "id 9b2f3c1e-57aa-4d7b-8f00-0a1b2c3d4e5f", "id 11111111-57aa-4d7b-8f00-0a1b2c3d4e5f", CAUSE_RANDOM },
		{ "seed=12345", "seed=99", CAUSE_RANDOM },
		{ ".gnu.lto_.inline.1a2b3c4d5e6f7a8b", ".gnu.lto_.inline.9f8e7d6c5b4a3210", CAUSE_RANDOM },
		{ "at 0x7f3a12345678", "at 0x7f3b99945678", CAUSE_RANDOM },
		{ "{'a', 'b', 'c'}", "{'c', 'a', 'b'}", CAUSE_HASH_ORDER },
		{ "alice@host", "bob@host", CAUSE_OWNER },
		{ "Packager: alice", "Packager: bob", CAUSE_OWNER },
		{ "Built-By: alice", "Built-By: bob", CAUSE_OWNER },
		{ "alice@alpha", "alice@beta.example.com", CAUSE_HOST },
		{ "hostname: alpha", "hostname: beta", CAUSE_HOST },
		{ "GCC: (Debian 12.2.0-14) 12.2.0", "GCC: (Debian 13.1.0-1) 13.1.0", CAUSE_VERSION },
		{ "version 1.2", "version 1.3", CAUSE_VERSION },
		{ "libx-1.2.3", "libx-1.2.4", CAUSE_VERSION },
		{ "pi is 3.14", "pi is 3,14", CAUSE_LOCALE },
		{ "LANG=C", "LANG=de_DE.UTF-8", CAUSE_LOCALE },
		{ "unused 'x'", "unused \xe2\x80\x98x\xe2\x80\x99", CAUSE_LOCALE },
		{ "caf\xe9", "caf\xc3\xa9", CAUSE_LOCALE },
		{ "-mtune=generic -march=x86-64", "-mtune=generic -march=haswell", CAUSE_CPU },
		{ "flags: fpu sse2", "flags: fpu sse2 avx2 bmi2", CAUSE_CPU },
	};

	(void)state;
	check(rows, ARRAY_LEN(rows));
}

static void not_named(void **state)
{
	static const struct row rows[] = {
		{ "same", "same", CAUSE_NONE },
		{ "alpha", "beta", CAUSE_NONE },
		{ "", "x", CAUSE_NONE },
		{ "int f(void)", "int g(void)", CAUSE_NONE },
		/* Digests of what differs are consequences: 32, 40 and 64 digits. */
		{ "d41d8cd98f00b204e9800998ecf8427e", "0cc175b9c0f1b6a831c399e269772661", CAUSE_NONE },
		{ "sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		  "sha256 cb8379ac2098aa165029e3938a51da0bcecfc008fd6795f401178647f96c5b34", CAUSE_NONE },
		{ "x.c:12:34: warning", "x.c:13:34: warning", CAUSE_NONE },
		{ "size 1234", "size 1235", CAUSE_NONE },
		{ "ratio 0.53", "ratio 0.61", CAUSE_NONE },
		{ "http://example.com/a/b", "http://example.com/c/b", CAUSE_NONE },
		{ "text/html", "text/plain", CAUSE_NONE },
		{ "src/a.c", "src/b.c", CAUSE_NONE },
		{ "deadbeef is fine", "food is fine", CAUSE_NONE },
		{ "1234567890123", "9999999999", CAUSE_NONE },
		{ "count 20", "count 21", CAUSE_NONE },
		{ "a b c", "a b d", CAUSE_NONE },
		/* Two things, not two versions or paths of one. */
		{ "ZLIB_1.2.0", "GLIBC_2.11", CAUSE_NONE },
		{ "../crypto/aes/aes.c", "../ssl/bio/ssl.c", CAUSE_NONE },
		{ "ambiguous host or service", "verification of setup problems", CAUSE_NONE },
		{ " -- Ann Onymous <ann@example.com>  Sun, 03 Jan 2021 10:44:50 +0100",
		  " -- Bo Dylan <bo@example.org>  Fri, 24 Apr 2020 19:15:55 -0500", CAUSE_NONE },
		{ "1600000000", "2", CAUSE_NONE },
	};

	(void)state;
	check(rows, ARRAY_LEN(rows));
}

static void several_words_have_several_causes(void **state)
{
	(void)state;
	assert_int_equal(ask("/tmp/a/x/y.c 09:10:11", "/tmp/b/x/y.c 10:00:00"), CAUSE_SET(CAUSE_BUILD_PATH) | CAUSE_SET(CAUSE_TIMESTAMP));
	assert_int_equal(ask("by alice@alpha at 09:10:11", "by alice@beta at 09:10:12"), CAUSE_SET(CAUSE_HOST) | CAUSE_SET(CAUSE_TIMESTAMP));
}

static void orders(void **state)
{
	size_t neighbours[20], thrown[20];

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		neighbours[i] = i ^ 1;
		thrown[i] = i * 7 % 20;
	}
	assert_int_equal(cause_of_places(neighbours, 20), CAUSE_PARALLEL_ORDER);
	assert_int_equal(cause_of_places(thrown, 20), CAUSE_HASH_ORDER);
	/* Too few to tell. */
	assert_int_equal(cause_of_places(thrown, 3), CAUSE_ORDER);
}

static void each_has_a_name_and_a_cure(void **state)
{
	(void)state;
	for (size_t i = 1; i < CAUSE_COUNT; i++) {
		assert_int_equal(cause_named(cause_name((enum cause)i)), i);
		assert_true(strlen(cause_cure((enum cause)i)) > 20);
	}
	assert_int_equal(cause_named("none of them"), CAUSE_NONE);
	assert_int_equal(cause_named(NULL), CAUSE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named),
		cmocka_unit_test(not_named),
		cmocka_unit_test(several_words_have_several_causes),
		cmocka_unit_test(orders),
		cmocka_unit_test(each_has_a_name_and_a_cure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

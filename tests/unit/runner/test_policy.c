/* SPDX-License-Identifier: Apache-2.0 */
/* A verifier's policy: what it asks, and every way in which it is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "runner/verify_policy.h"

static struct err err;

#define HEAD "apiVersion: platform.build/v1\nkind: VerifyPolicy\n"
#define SHA "sha256:1111111111111111111111111111111111111111111111111111111111111111"

static int read_policy(const char *text, struct verify_policy *ret)
{
	err = (struct err){0};
	return verify_policy_read("p.yaml", text, strlen(text), ret, &err);
}

static void refused(const char *text, const char *why)
{
	struct verify_policy p = {0};

	if (read_policy(text, &p) == 0)
		fail_msg("taken: %s", text);
	if (strstr(err.msg, why) == NULL)
		fail_msg("'%s' has no '%s'", err.msg, why);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_null(p.root);
}

static void what_it_says_is_asked(void **state)
{
	static const char text[] = HEAD
		"keys: [a.pem, /b.pem]\nthreshold: 2\nbuilders:\n  - https://x\n  - {id: https://y, level: 3}\nsources: [\"file:.\"]\n"
		"parameters: {spec.fileName: build.yaml, options.n: 5}\nrootfs: [" SHA "]\nprofiles: [" SHA "]\nnetwork: none\ncomplete: true\n"
		"require: [sbom, https://example.com/x]\ntests: passed\nmaxAge: 1h30m\n";
	auto_verify_policy p = {0};
	struct digest digest;

	(void)state;
	assert_int_equal(read_policy(text, &p), 0);
	assert_int_equal(hash_bytes(text, strlen(text), &digest, &err), 0);
	assert_true(digest_eq(&p.digest, &digest));
	assert_int_equal(p.nkeys, 2);
	assert_string_equal(p.keys[1], "/b.pem");
	assert_int_equal(p.threshold, 2);
	assert_int_equal(p.asks.nbuilders, 2);
	assert_string_equal(p.asks.builders[0].id, "https://x");
	assert_int_equal(p.asks.builders[0].level, 1);
	assert_int_equal(p.asks.builders[1].level, 3);
	assert_string_equal(p.asks.sources[0], "file:.");
	assert_int_equal(p.asks.nparams, 2);
	assert_string_equal(p.asks.params[1].name, "options.n");
	assert_string_equal(p.asks.params[1].value, "5");
	assert_int_equal(p.asks.nrootfs, 1);
	assert_int_equal(p.asks.nprofiles, 1);
	assert_int_equal(p.asks.rootfs[0].b[31], 0x11);
	assert_true(p.asks.network_none && p.asks.complete && p.tests_passed);
	assert_int_equal(p.nrequire, 2);
	assert_int_equal(p.asks.max_age, 5400);
}

static void what_it_does_not_say_is_not_asked(void **state)
{
	auto_verify_policy p = {0};

	(void)state;
	assert_int_equal(read_policy(HEAD, &p), 0);
	assert_int_equal(p.threshold, 1);
	assert_false(p.asks.network_none || p.asks.complete || p.tests_passed);
	assert_int_equal(p.nkeys + p.nrequire + p.asks.nbuilders + p.asks.nsources + p.asks.nparams + p.asks.nrootfs + p.asks.nprofiles, 0);
	assert_int_equal(p.asks.max_age, 0);
}

static void whatever_is_not_meant_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "p.yaml:1:1" },
		{ "- x\n", "a policy is a mapping" },
		{ "kind: VerifyPolicy\n", "apiVersion is missing" },
		{ "apiVersion: platform.build/v1\n", "kind is missing" },
		{ "apiVersion: platform.build/v2\nkind: VerifyPolicy\n", "it can only be 'platform.build/v1'" },
		{ HEAD "kind: VerifyPolicy\n", "p.yaml:3:1" },
		{ HEAD "test: passed\n", "p.yaml:3:1: unknown key 'test'; did you mean 'tests'?" },
		{ HEAD "tests: failed\n", "it can only be 'passed'" },
		{ HEAD "tests: [passed]\n", "not a list or a mapping" },
		{ HEAD "network: loopback\n", "it can only be 'none'" },
		{ HEAD "complete: false\n", "it can only be 'true'" },
		{ HEAD "keys: a.pem\n", "keys: must be a list" },
		{ HEAD "keys: []\n", "keys: is empty" },
		{ HEAD "keys: [{a: b}]\n", "a text is needed" },
		{ HEAD "keys: [5]\n", "a text is needed" },
		{ HEAD "keys: ['']\n", "a text is needed" },
		{ HEAD "keys: [a]\nthreshold: 2\n", "can never be reached" },
		{ HEAD "threshold: 0\n", "a number from 1" },
		{ HEAD "threshold: 99999999999\n", "a number from 1" },
		{ HEAD "threshold: '1'\n", "a number from 1" },
		{ HEAD "rootfs: [sha256:11]\n", "a digest is written as" },
		{ HEAD "profiles: [SHA256:" SHA "]\n", "a digest is written as" },
		{ HEAD "builders: [{level: 2}]\n", "a mapping of id and level" },
		{ HEAD "builders: [{id: a, other: b}]\n", "a mapping of id and level" },
		{ HEAD "builders: [{id: a, level: 4}]\n", "a number from 1 to 3" },
		{ HEAD "builders: [a, {id: a, level: 2}]\n", "is there twice" },
		{ HEAD "parameters: [a]\n", "parameters: must be a mapping" },
		{ HEAD "parameters: {a: [b]}\n", "a: must be a single value" },
		{ HEAD "require: [sboms]\n", "is no kind of attestation" },
		{ HEAD "maxAge: soon\n", "must be a time" },
		{ HEAD "maxAge: 1ms\n", "must be a time" },
		{ HEAD "maxAge: [1h]\n", "must be a time" },
		{ HEAD "maxAge: 1h\nmaxAge: 2h\n", "p.yaml:4:1" },
	};
	auto_buf large = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		refused(rows[i].text, rows[i].why);
	buf_adds(&large, HEAD "#");
	while (large.len <= VERIFY_POLICY_MAX)
		buf_addc(&large, 'x');
	refused(large.data, "the limit is");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_says_is_asked),
		cmocka_unit_test(what_it_does_not_say_is_not_asked),
		cmocka_unit_test(whatever_is_not_meant_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

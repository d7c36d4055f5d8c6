/* SPDX-License-Identifier: Apache-2.0 */
/* Test results and verification summaries as glovebox makes them: golden, since they are signed. */
#include "tests/unit/attest/helper.h"

#include "attest/statement.h"

static struct err err;

#define HEX(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define SUBJECTS                                                                                       \
	"\"subject\":[{\"digest\":{\"sha256\":\"" HEX("11") "\"},\"name\":\"oci:hello\"},"             \
	"{\"digest\":{\"sha256\":\"" HEX("22") "\"},\"name\":\"image.tar\"}]}"

static const char golden_result[] =
	"{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicate\":{\"configuration\":["
	"{\"digest\":{\"sha256\":\"" HEX("33") "\"},\"name\":\"spec\",\"uri\":\"file:build.yaml\"}],"
	"\"failedTests\":[],\"glovebox_stepProduced\":[\"passedTests\",\"warnedTests\"],\"glovebox_tests\":[{\"name\":\"unit\"}],"
	"\"passedTests\":[\"unit\",\"unit/a.b\"],\"result\":\"WARNED\",\"warnedTests\":[\"perf\"]},"
	"\"predicateType\":\"https://in-toto.io/attestation/test-result/v0.1\"," SUBJECTS;

static const char golden_vsa[] =
	"{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicate\":{\"inputAttestations\":["
	"{\"digest\":{\"sha256\":\"" HEX("44") "\"},\"uri\":\"file:provenance.sigstore.json\"}],"
	"\"policy\":{\"digest\":{\"sha256\":\"" HEX("55") "\"},\"uri\":\"file:policy.yaml\"},"
	"\"resourceUri\":\"oci:hello@sha256:" HEX("11") "\",\"slsaVersion\":\"1.2\",\"timeVerified\":\"2026-01-01T00:01:00Z\","
	"\"verificationResult\":\"PASSED\",\"verifiedLevels\":[\"SLSA_BUILD_LEVEL_2\"],"
	"\"verifier\":{\"id\":\"https://verifier.example.com\",\"version\":{\"glovebox\":\"0.1.0\"}}},"
	"\"predicateType\":\"https://slsa.dev/verification_summary/v1\"," SUBJECTS;

static const char golden_svr[] =
	"{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicate\":{"
	"\"properties\":[\"GLOVEBOX_REPRODUCED_IMAGE\",\"GLOVEBOX_REPRODUCED_VARIED_TIME\"],\"timeCreated\":\"2026-01-01T00:01:00Z\","
	"\"verifier\":{\"id\":\"https://verifier.example.com\",\"policies\":[]}},"
	"\"predicateType\":\"https://in-toto.io/attestation/svr/v0.2\"," SUBJECTS;

/** The statement of these lists, given as JSON. */
static int make(const char *passed, const char *warned, const char *failed, struct buf *out)
{
	static const char *const produced[] = { "passedTests", "warnedTests" };
	static const struct attest_dependency spec = { .name = "spec", .uri = "file:build.yaml", .digest_kind = "sha256" };
	struct attest_dependency configuration = spec;
	auto_json p = json_loads(passed, 0, NULL);
	auto_json w = json_loads(warned, 0, NULL);
	auto_json f = json_loads(failed, 0, NULL);
	auto_json tests = json_pack("[{s:s}]", "name", "unit");
	const struct attest_tests t = {
		.image_name = "hello", .image_digest = digest_of(0x11), .image_tar_digest = digest_of(0x22),
		.configuration = &configuration, .nconfiguration = 1, .passed = p, .warned = w, .failed = f, .tests = tests,
		.step_produced = produced, .nstep_produced = ARRAY_LEN(produced),
	};

	configuration.digest = digest_of(0x33);
	return attest_test_result(&t, out, &err);
}

static void test_golden_result(void **state)
{
	auto_buf text = {0};

	(void)state;
	must(make("[\"unit\",\"unit/a.b\"]", "[\"perf\"]", "[]", &text));
	assert_string_equal(text.data, golden_result);
}

static void test_words(void **state)
{
	auto_buf passed = {0}, failed = {0};

	(void)state;
	must(make("[]", "[]", "[]", &passed));
	assert_non_null(strstr(passed.data, "\"result\":\"PASSED\""));
	must(make("[\"a\"]", "[\"b\"]", "[\"c\"]", &failed));
	assert_non_null(strstr(failed.data, "\"result\":\"FAILED\""));
	/* What is no list of names is never signed. */
	auto_buf none = {0};
	must_fail(make("[1]", "[]", "[]", &none), ERR_INTERNAL, "something in it that is no name");
	must_fail(make("{}", "[]", "[]", &none), ERR_INTERNAL, "passedTests");
	assert_int_equal(none.len, 0);
}

static void check(const char *predicate, const char *why)
{
	auto_json j = json_loads(predicate, 0, NULL);

	assert_non_null(j);
	if (why == NULL)
		must(test_result_check(j, &err));
	else
		must_fail(test_result_check(j, &err), ERR_UNVERIFIED, why);
}

static void test_refused(void **state)
{
	(void)state;
	check("{\"result\":\"PASSED\"}", NULL);
	check("{\"result\":\"WARNED\",\"warnedTests\":[\"a\"],\"passedTests\":[\"b\"]}", NULL);
	check("{\"result\":\"FAILED\",\"warnedTests\":[\"a\"],\"failedTests\":[\"b\"]}", NULL);
	check("{\"result\":\"FAILED\"}", NULL);
	check("{}", "'result' is missing");
	check("{\"result\":\"passed\"}", "it is PASSED, WARNED or FAILED");
	check("{\"result\":\"PASSED\",\"failedTests\":[\"a\"]}", "'result' is 'PASSED', and 'failedTests' has 1");
	check("{\"result\":\"PASSED\",\"warnedTests\":[\"a\",\"b\"]}", "'result' is 'PASSED', and 'warnedTests' has 2");
	check("{\"result\":\"WARNED\",\"failedTests\":[\"a\"]}", "'result' is 'WARNED', and 'failedTests' has 1");
	check("{\"result\":\"PASSED\",\"failedTests\":\"a\"}", "'failedTests'");
	check("{\"result\":\"FAILED\",\"failedTests\":[{}]}", "something in it that is no name");
}

static void test_golden_vsa(void **state)
{
	auto_buf statement = {0}, text = {0};
	auto_attest_verified about = {0};
	const struct attest_dependency inputs[] = { { NULL, "file:provenance.sigstore.json", digest_of(0x44), "sha256" } };

	(void)state;
	statement_of("make\n", digest_of(0x11), digest_of(0x22), &statement);
	must(attest_read_statement(statement.data, statement.len, &about.statement, &err));
	const struct attest_summary summary = {
		.about = &about, .verifier_id = "https://verifier.example.com", .version = "0.1.0", .time = 1767225660,
		.policy_uri = "file:policy.yaml", .policy = digest_of(0x55), .inputs = inputs, .ninputs = 1, .level = 2,
	};
	must(attest_vsa(&summary, &text, &err));
	assert_string_equal(text.data, golden_vsa);
}

static void test_golden_svr(void **state)
{
	static const char *const properties[] = { "GLOVEBOX_REPRODUCED_IMAGE", "GLOVEBOX_REPRODUCED_VARIED_TIME" };
	static const char *const bad[] = { "\xff" };
	auto_buf statement = {0}, text = {0}, none = {0};
	auto_json about = NULL;

	(void)state;
	statement_of("make\n", digest_of(0x11), digest_of(0x22), &statement);
	must(attest_read_statement(statement.data, statement.len, &about, &err));
	struct attest_findings f = {
		.statement = about, .verifier_id = "https://verifier.example.com", .time = 1767225660,
		.properties = properties, .nproperties = ARRAY_LEN(properties),
	};
	must(attest_svr(&f, &text, &err));
	assert_string_equal(text.data, golden_svr);
	static const char *const promises[] = { "GLOVEBOX_REPRODUCED_IMAGE", "SLSA_BUILD_REPRODUCED" };
	f.properties = promises;
	must_fail(attest_svr(&f, &none, &err), ERR_INTERNAL, "none of glovebox's own");
	f.properties = bad;
	f.nproperties = 1;
	must_fail(attest_svr(&f, &none, &err), ERR_INTERNAL, "verification result");
	f.nproperties = 0;
	must_fail(attest_svr(&f, &none, &err), ERR_INTERNAL, "none of glovebox's own");
	f.properties = properties;
	f.nproperties = 1;
	f.verifier_id = bad[0];
	must_fail(attest_svr(&f, &none, &err), ERR_INTERNAL, "not UTF-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_result),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_golden_vsa),
		cmocka_unit_test(test_golden_svr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

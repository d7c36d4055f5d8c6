/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles of other tools about the same image, and the summary of a verification. */
#include "tests/unit/attest/helper.h"

#include "attest/bundle.h"

static struct err err;

#define HEX1 "1111111111111111111111111111111111111111111111111111111111111111"

/** A statement with that predicate about the image 11…11, as another tool writes it. */
#define STATEMENT(type, predicate)                                                                                              \
	"{\"_type\": \"https://in-toto.io/Statement/v1\", \"predicateType\": \"" type "\", \"subject\": "                       \
	"[{\"name\": \"x\", \"digest\": {\"sha256\": \"" HEX1 "\"}}], \"predicate\": " predicate "}"
#define TEST_RESULT "https://in-toto.io/attestation/test-result/"
#define VSA(result, when) VSA_OF("v1", result, when)
#define VSA_OF(version, result, when)                                                                                           \
	STATEMENT("https://slsa.dev/verification_summary/" version, "{\"verifier\": {\"id\": \"https://v.example\"}, \"timeVerified\": \"" \
		  when "\", \"verificationResult\": \"" result "\"}")

/** Signs the text, and lays the bundle out with white space, as cosign does not, but may; @p edit changes it. */
static void sign(const struct key *key, const char *text, void (*edit)(json_t *bundle), struct buf *out)
{
	auto_buf ours = {0};
	auto_json j = NULL;

	must(attest_sign(key, text, strlen(text), &ours, &err));
	must(json_parse(ours.data, ours.len, "bundle", ERR_INTERNAL, &j, &err));
	if (edit != NULL)
		edit(j);
	must(json_pretty(j, out, &err));
}

static json_t *signature_of(json_t *bundle)
{
	return json_array_get(json_object_get(json_object_get(bundle, "dsseEnvelope"), "signatures"), 0);
}

static json_t *material_of(json_t *bundle)
{
	return json_object_get(bundle, "verificationMaterial");
}

/** As cosign writes them: an empty keyid, a log entry. */
static void like_cosign(json_t *bundle)
{
	json_object_set_new(signature_of(bundle), "keyid", json_string(""));
	json_object_set_new(material_of(bundle), "tlogEntries", json_pack("[{s:s}]", "logIndex", "1"));
}

static void no_hint(json_t *bundle)
{
	json_object_del(material_of(bundle), "publicKey");
}

static void wrong_hint(json_t *bundle)
{
	json_object_set_new(json_object_get(material_of(bundle), "publicKey"), "hint", json_string("abc"));
}

static void certificate(json_t *bundle)
{
	json_object_set_new(material_of(bundle), "certificate", json_pack("{s:s}", "rawBytes", "AAAA"));
}

static void two_signatures(json_t *bundle)
{
	json_array_append(json_object_get(json_object_get(bundle, "dsseEnvelope"), "signatures"), signature_of(bundle));
}

static void other_payload(json_t *bundle)
{
	json_object_set_new(json_object_get(bundle, "dsseEnvelope"), "payload", json_string("e30="));
}

static void other_type(json_t *bundle)
{
	json_object_set_new(json_object_get(bundle, "dsseEnvelope"), "payloadType", json_string("text/plain"));
}

static void old_type(json_t *bundle)
{
	json_object_set_new(bundle, "mediaType", json_string("application/vnd.dev.sigstore.bundle+json;version=0.2"));
}

static void future_type(json_t *bundle)
{
	json_object_set_new(bundle, "mediaType", json_string("application/vnd.dev.sigstore.bundle.v0.4+json"));
}

/** The verdict on a text under two keys, of which the second signed; NULL: accepted. */
static void says(enum key_type type, const char *text, void (*edit)(json_t *), struct attest_policy policy, const char *why)
{
	auto_pair other = pair_of(KEY_P256), p = pair_of(type);
	auto_buf bundle = {0};
	auto_attest_verified v = {0};
	const struct key *keys[] = { other.open, p.open };
	char id[45];
	bool build = true;

	sign(p.secret, text, edit, &bundle);
	policy.keys = keys;
	policy.nkeys = 2;
	if (why != NULL) {
		must_fail(attest_verify_other(bundle.data, bundle.len, &policy, &v, &build, &err), ERR_UNVERIFIED, why);
		return;
	}
	must(attest_verify_other(bundle.data, bundle.len, &policy, &v, &build, &err));
	must(key_id(p.open, id, &err));
	assert_string_equal(v.key_id, id);
	assert_false(build);
}

static void test_bundles(void **state)
{
	static const char text[] = STATEMENT("https://example.com/scan/v1", "{\"b\": 1, \"a\": 2}");
	const struct attest_policy none = {0};

	(void)state;
	for (int type = KEY_P256; type <= KEY_ED25519; type++) {
		says(type, text, NULL, none, NULL);
		says(type, text, like_cosign, none, NULL);
		says(type, text, no_hint, none, NULL);
		says(type, text, wrong_hint, none, NULL);
		says(type, text, old_type, none, NULL);
		says(type, text, future_type, none, "is no Sigstore bundle that is known here");
		says(type, text, certificate, none, "signed under a certificate");
		says(type, text, two_signatures, none, "2 signatures; there must be exactly one");
		says(type, text, other_payload, none, "the signature does not match");
		says(type, text, other_type, none, "payloadType");
	}
}

static void test_stranger(void **state)
{
	auto_pair p = pair_new(), q = pair_new();
	auto_buf bundle = {0};
	auto_attest_verified v = {0};
	const struct key *keys[] = { q.open };
	const struct attest_policy policy = { .keys = keys, .nkeys = 1 }, nobody = {0};
	bool build;

	(void)state;
	sign(p.secret, STATEMENT("https://example.com/x", "{}"), NULL, &bundle);
	must_fail(attest_verify_other(bundle.data, bundle.len, &policy, &v, &build, &err), ERR_UNVERIFIED, "signed by none of the keys");
	must_fail(attest_verify_other(bundle.data, bundle.len, &nobody, &v, &build, &err), ERR_UNVERIFIED, "no public key");
	must_fail(attest_verify_other("{}", 2, &policy, &v, &build, &err), ERR_UNVERIFIED, "mediaType");
	must_fail(attest_verify_other("{", 1, &policy, &v, &build, &err), ERR_UNVERIFIED, "bundle");
}

static void test_statements(void **state)
{
	const struct attest_policy none = {0}, age = { .max_age = 60, .now = 1767225600 + 60 };

	(void)state;
	says(KEY_P256, VSA("PASSED", "2026-01-01T00:00:00Z"), NULL, age, NULL);
	says(KEY_P256, VSA("PASSED", "2025-12-31T23:59:59Z"), NULL, age, "the verification summary is of 2025-12-31T23:59:59Z");
	says(KEY_P256, VSA("PASSED", "yesterday"), NULL, none, "'timeVerified' is not a time");
	says(KEY_P256, VSA("FAILED", "2026-01-01T00:00:00Z"), NULL, none, "'verificationResult' is 'FAILED', must be 'PASSED'");
	/* --require vsa takes any version, so any version must have passed. */
	says(KEY_P256, VSA_OF("v1.1", "PASSED", "2026-01-01T00:00:00Z"), NULL, age, NULL);
	says(KEY_P256, VSA_OF("v1.1", "FAILED", "2026-01-01T00:00:00Z"), NULL, none, "'verificationResult' is 'FAILED', must be 'PASSED'");
	says(KEY_P256, VSA_OF("v0.2", "PASSED", "2025-12-31T23:59:59Z"), NULL, age, "the verification summary is of 2025-12-31T23:59:59Z");
	says(KEY_P256, STATEMENT("https://slsa.dev/verification_summary/v0.2", "{\"verification_result\": \"FAILED\"}"), NULL, none, "is missing");
	says(KEY_P256, STATEMENT(TEST_RESULT "v0.1", "{\"result\": \"PASSED\"}"), NULL, none, NULL);
	says(KEY_P256, STATEMENT(TEST_RESULT "v0.2", "{\"result\": \"GOOD\"}"), NULL, none, "it is PASSED, WARNED or FAILED");
	says(KEY_P256, STATEMENT(TEST_RESULT "v0.1", "{}"), NULL, none, "'result' is missing");
	says(KEY_P256, STATEMENT(ATTEST_PROVENANCE_TYPE, "{}"), NULL, none, "'buildDefinition' is missing");
	says(KEY_P256, "{\"_type\": \"x\"}", NULL, none, "is no in-toto statement");
	says(KEY_P256, "{\"_type\": \"" ATTEST_STATEMENT_TYPE "\", \"_type\": \"x\"}", NULL, none, "duplicate");
	says(KEY_P256, "[]", NULL, none, "must be a JSON object");
	says(KEY_P256, "hello", NULL, none, "statement");
}

/** Our own statement is held to its own form, also by this road. */
static void test_own(void **state)
{
	auto_pair p = pair_new();
	auto_buf text = {0}, bundle = {0}, pretty = {0};
	auto_attest_verified v = {0};
	const struct key *keys[] = { p.open };
	const struct attest_policy policy = { .keys = keys, .nkeys = 1 };
	bool build = false;

	(void)state;
	bundle_of(p.secret, "make\n", &bundle);
	must(attest_verify_other(bundle.data, bundle.len, &policy, &v, &build, &err));
	assert_true(build);
	attest_verified_clear(&v);
	statement_of("make\n", digest_of(0x11), digest_of(0x22), &text);
	sign(p.secret, text.data, NULL, &pretty);
	must_fail(attest_verify_other(pretty.data, pretty.len, &policy, &v, &build, &err), ERR_UNVERIFIED, "not as glovebox writes it");
}

static struct attest_verified verified_of(const struct pair *p, const char *text)
{
	auto_buf bundle = {0};
	struct attest_verified v = {0};
	const struct key *keys[] = { p->open };
	const struct attest_policy policy = { .keys = keys, .nkeys = 1 };
	bool build;

	sign(p->secret, text, NULL, &bundle);
	must(attest_verify_other(bundle.data, bundle.len, &policy, &v, &build, &err));
	return v;
}

static void test_about(void **state)
{
	auto_pair p = pair_new();
	auto_attest_verified v = verified_of(&p, STATEMENT("https://cyclonedx.org/bom/v1.6", "{}"));
	struct digest image = digest_of(0x11), other = digest_of(0x12);

	(void)state;
	must(attest_about(&v, &image, &other, &err));
	must(attest_about(&v, &other, &image, &err));
	must_fail(attest_about(&v, &other, &other, &err), ERR_UNVERIFIED, "not about the image");
	assert_true(attest_is_kind(&v, "sbom"));
	assert_true(attest_is_kind(&v, "https://cyclonedx.org/bom/v1.6"));
	assert_false(attest_is_kind(&v, "vsa"));
	assert_true(attest_knows_kind("vsa"));
	assert_true(attest_knows_kind("svr"));
	assert_true(attest_knows_kind("https://example.com/x"));
	assert_false(attest_knows_kind("sboom"));
}

static void test_vsa(void **state)
{
	auto_pair p = pair_new();
	auto_buf bundle = {0}, text = {0};
	auto_attest_verified v = {0};
	const struct key *keys[] = { p.open };
	const struct attest_policy policy = { .keys = keys, .nkeys = 1 };
	const struct attest_dependency input = { NULL, "file:provenance.sigstore.json", digest_of(0x44), "sha256" };
	const struct attest_summary summary = {
		.about = &v, .verifier_id = "https://v.example", .version = "0.1.0", .time = 1767225600, .policy_uri = "file:policy.yaml",
		.policy = digest_of(0x33), .inputs = &input, .ninputs = 1, .level = 2,
	};
	static const char golden[] =
		"{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicate\":{\"inputAttestations\":[{\"digest\":{\"sha256\":"
		"\"4444444444444444444444444444444444444444444444444444444444444444\"},\"uri\":\"file:provenance.sigstore.json\"}],"
		"\"policy\":{\"digest\":{\"sha256\":\"3333333333333333333333333333333333333333333333333333333333333333\"},"
		"\"uri\":\"file:policy.yaml\"},\"resourceUri\":\"oci:hello@sha256:" HEX1 "\",\"slsaVersion\":\"1.2\","
		"\"timeVerified\":\"2026-01-01T00:00:00Z\",\"verificationResult\":\"PASSED\",\"verifiedLevels\":[\"SLSA_BUILD_LEVEL_2\"],"
		"\"verifier\":{\"id\":\"https://v.example\",\"version\":{\"glovebox\":\"0.1.0\"}}},"
		"\"predicateType\":\"https://slsa.dev/verification_summary/v1\",\"subject\":[{\"digest\":{\"sha256\":\"" HEX1 "\"},"
		"\"name\":\"oci:hello\"},{\"digest\":{\"sha256\":"
		"\"2222222222222222222222222222222222222222222222222222222222222222\"},\"name\":\"image.tar\"}]}";

	(void)state;
	bundle_of(p.secret, "make\n", &bundle);
	must(attest_verify_bundle(bundle.data, bundle.len, &policy, &v, &err));
	must(attest_vsa(&summary, &text, &err));
	assert_string_equal(text.data, golden);
	says(KEY_ED25519, text.data, NULL, (struct attest_policy){0}, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bundles),
		cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_about),
		cmocka_unit_test(test_vsa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles that other tools make, and statements about other things than a build. They have no one form that could be compared:
 * what counts is that exactly what is read was signed. */
#include <string.h>

#include "attest/bundle.h"
#include "attest/shape.h"
#include "attest/statement.h"

#define STATEMENT_V01 "https://in-toto.io/Statement/v0.1"

#define VSA_FAMILY "https://slsa.dev/verification_summary/"
#define TEST_RESULT_FAMILY "https://in-toto.io/attestation/test-result/"

/** Kinds of attestations, by their predicate types; of those that end in a slash, any version. */
static const struct kind {
	const char *name, *type;
} kinds[] = {
	{ "provenance", "https://slsa.dev/provenance/" },
	{ "sbom", "https://cyclonedx.org/bom" },
	{ "sbom", "https://spdx.dev/Document" },
	{ "svr", "https://in-toto.io/attestation/svr/" },
	{ "test-result", TEST_RESULT_FAMILY },
	{ "vsa", VSA_FAMILY },
	{ "vulns", "https://in-toto.io/attestation/vulns/" },
	{ "vulns", "https://cosign.sigstore.dev/attestation/vuln/" },
};

bool attest_knows_kind(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, kind) == 0)
			return true;
	return strstr(kind, "://") != NULL;
}

/** Whether @p type is @p family, or a version of it. */
static bool is_of(const char *type, const char *family)
{
	size_t n = strlen(family);

	return strncmp(type, family, n) == 0 && (family[n - 1] == '/' || type[n] == '\0' || type[n] == '/');
}

bool attest_is_kind(const struct attest_verified *v, const char *kind)
{
	const char *type = json_str(v->statement, "predicateType");

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, kind) == 0 && is_of(type, kinds[i].type))
			return true;
	return strcmp(type, kind) == 0;
}

/** A summary of somebody else's verification: refused is not passed, and long ago is not now. */
static int check_vsa(const json_t *predicate, const struct attest_policy *policy, struct err *err)
{
	static const char where[] = "verification summary";
	const json_t *verifier;
	const char *id, *time;

	if (shape_member(predicate, "verifier", JSON_OBJECT, where, &verifier, err) < 0 ||
	    shape_string(verifier, "id", where, &id, err) < 0 || shape_string(predicate, "timeVerified", where, &time, err) < 0 ||
	    shape_equals(predicate, "verificationResult", "PASSED", where, err) < 0)
		return -1;
	if (!statement_is_time(time))
		return err_set(err, ERR_UNVERIFIED, 0, "%s: 'timeVerified' is not a time in UTC", where);
	return policy_check_age(policy, "the verification summary", time, err);
}

/** What is asked of the predicates that are understood here. Of the others only who signed them is known. */
static int check_predicate(const json_t *statement, const struct attest_policy *policy, struct err *err)
{
	const char *type = json_str(statement, "predicateType");
	const json_t *predicate = json_object_get(statement, "predicate");

	if (strcmp(type, ATTEST_PROVENANCE_TYPE) == 0)
		return statement_check_slsa(statement, err);
	/* Any version: what counts as one of a kind is asked what the kind is asked. One that says it in other words is refused. */
	if (is_of(type, VSA_FAMILY))
		return check_vsa(predicate, policy, err);
	return is_of(type, TEST_RESULT_FAMILY) ? test_result_check(predicate, err) : 0;
}

/** An in-toto statement of any predicate. */
static int check_statement(const json_t *statement, const struct attest_policy *policy, struct err *err)
{
	const json_t *subjects, *predicate;
	const char *type;

	if (!json_is_object(statement))
		return err_set(err, ERR_UNVERIFIED, 0, "statement: must be a JSON object");
	if (shape_string(statement, "_type", "statement", &type, err) < 0)
		return -1;
	if (strcmp(type, ATTEST_STATEMENT_TYPE) != 0 && strcmp(type, STATEMENT_V01) != 0)
		return err_set(err, ERR_UNVERIFIED, 0, "statement: '_type' is '%.*s', which is no in-toto statement", SHAPE_SHOWN, type);
	if (shape_string(statement, "predicateType", "statement", &type, err) < 0 ||
	    shape_member(statement, "subject", JSON_ARRAY, "statement", &subjects, err) < 0 ||
	    shape_member(statement, "predicate", JSON_OBJECT, "statement", &predicate, err) < 0)
		return -1;
	return check_predicate(statement, policy, err);
}

static bool is_build(const json_t *statement)
{
	const char *build = json_str(statement_definition(statement), "buildType"), *type = json_str(statement, "predicateType");

	return build != NULL && type != NULL && strcmp(type, ATTEST_PROVENANCE_TYPE) == 0 && strcmp(build, ATTEST_BUILD_TYPE) == 0;
}

/** Reads the statement of an envelope whose signature holds. */
static int read_statement(const struct bundle *b, const struct attest_policy *policy, struct attest_verified *v, struct err *err)
{
	if (json_parse(b->payload.data, b->payload.len, "statement", ERR_UNVERIFIED, &v->statement, err) < 0 ||
	    check_statement(v->statement, policy, err) < 0 ||
	    hash_bytes(b->payload.data, b->payload.len, &v->statement_digest, err) < 0)
		return -1;
	memcpy(v->key_id, b->key_id, sizeof v->key_id);
	return 0;
}

int attest_verify_other(const char *bundle, size_t n, const struct attest_policy *policy, struct attest_verified *ret,
			bool *ret_build, struct err *err)
{
	auto_json doc = NULL;
	auto_bundle b = {0};
	auto_attest_verified v = {0};

	if (n > ATTEST_BUNDLE_MAX)
		return err_set(err, ERR_UNVERIFIED, 0, "bundle: larger than the limit of %u bytes", ATTEST_BUNDLE_MAX);
	if (json_parse(bundle, n, "bundle", ERR_UNVERIFIED, &doc, err) < 0 || bundle_read_any(doc, &b, err) < 0 ||
	    bundle_check_any(&b, policy->keys, policy->nkeys, err) < 0 || read_statement(&b, policy, &v, err) < 0)
		return -1;
	bool build = is_build(v.statement);
	if (build) {
		/* Our own are held to our own form, whoever brings them. */
		attest_verified_clear(&v);
		if (attest_verify_bundle(bundle, n, policy, &v, err) < 0)
			return -1;
	}
	*ret = v;
	*ret_build = build;
	v.statement = NULL;
	return 0;
}

int attest_about(const struct attest_verified *v, const struct digest *image, const struct digest *tar, struct err *err)
{
	const json_t *subjects = json_object_get(v->statement, "subject"), *s;
	char text[DIGEST_STR_SIZE];
	struct digest d;
	size_t i;

	json_array_foreach(subjects, i, s) {
		const char *hex = json_str(json_object_get(s, "digest"), "sha256");

		if (hex != NULL && digest_parse_hex(hex, &d) && (digest_eq(&d, image) || digest_eq(&d, tar)))
			return 0;
	}
	return err_set(err, ERR_UNVERIFIED, 0, "the statement is not about the image %s", digest_str(image, text));
}

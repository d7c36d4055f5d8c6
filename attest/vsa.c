/* SPDX-License-Identifier: Apache-2.0 */
/* What a verifier found, for who trusts the verifier: SLSA verification summary v1, and in-toto's simple verification result v0.2. */
#include <string.h>

#include "attest/attest.h"
#include "attest/statement.h"

/** The bundles that were verified. */
static json_t *inputs_json(const struct attest_summary *s)
{
	char hex[DIGEST_HEX_SIZE];
	auto_json list = json_array();

	for (size_t i = 0; i < s->ninputs; i++)
		if (json_array_append_new(list, json_pack("{s:s, s:{s:s}}", "uri", s->inputs[i].uri, "digest", s->inputs[i].digest_kind,
							  digest_hex(&s->inputs[i].digest, hex))) < 0)
			return NULL;
	return move_ptr(list);
}

static json_t *predicate_json(const struct attest_summary *s, const char *resource)
{
	char hex[DIGEST_HEX_SIZE], when[32], level[32];

	snprintf(level, sizeof level, "SLSA_BUILD_LEVEL_%u", s->level);
	return json_pack("{s:{s:s, s:{s:s}}, s:s, s:s, s:{s:s, s:{s:s}}, s:o, s:s, s:[s], s:s}",
			 "verifier", "id", s->verifier_id, "version", "glovebox", s->version,
			 "timeVerified", text_time(s->time, when), "resourceUri", resource,
			 "policy", "uri", s->policy_uri, "digest", "sha256", digest_hex(&s->policy, hex),
			 "inputAttestations", inputs_json(s), "verificationResult", "PASSED", "verifiedLevels", level,
			 "slsaVersion", "1.2");
}

int attest_vsa(const struct attest_summary *s, struct buf *out, struct err *err)
{
	const char *name = json_str(json_array_get(json_object_get(s->about->statement, "subject"), 0), "name");
	char text[DIGEST_STR_SIZE];
	struct digest image, tar;
	auto_buf resource = {0};

	if (attest_image_subjects(s->about->statement, &image, &tar, err) < 0)
		return -1;
	buf_addf(&resource, "%s@%s", name, digest_str(&image, text));
	if (buf_check(&resource, "verification summary", err) < 0)
		return -1;
	/* Of the image: that is what a verifier has seen. */
	auto_json j = json_pack("{s:s, s:s, s:o, s:o}", "_type", ATTEST_STATEMENT_TYPE, "predicateType", ATTEST_VSA_TYPE,
				"subject", statement_subjects(name + strlen("oci:"), &image, &tar), "predicate", predicate_json(s, resource.data));
	if (j == NULL)
		return err_set(err, ERR_INTERNAL, 0, "make the verification summary: a text in it is not UTF-8, or memory is short");
	return json_canonical(j, out, err);
}

/** Only words of our own: others, such as SLSA_BUILD_REPRODUCED, promise what one program cannot know. */
static bool are_own(const char *const *properties, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!text_starts(properties[i], "GLOVEBOX_"))
			return false;
	return n > 0;
}

int attest_svr(const struct attest_findings *f, struct buf *out, struct err *err)
{
	char when[32];

	if (!are_own(f->properties, f->nproperties))
		return err_set(err, ERR_INTERNAL, 0, "make a verification result: a property of it is none of glovebox's own");
	auto_json j = json_pack("{s:s, s:s, s:O, s:{s:{s:s, s:[]}, s:s, s:o}}", "_type", ATTEST_STATEMENT_TYPE, "predicateType", ATTEST_SVR_TYPE,
				"subject", json_object_get(f->statement, "subject"), "predicate", "verifier", "id", f->verifier_id,
				"policies", "timeCreated", text_time(f->time, when), "properties",
				json_strings(f->properties, f->nproperties));
	if (j == NULL)
		return err_set(err, ERR_INTERNAL, 0, "make a verification result: a text in it is not UTF-8, or memory is short");
	return json_canonical(j, out, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/signed.h"
#include "cli/verify.h"

static const char *builder_of(const struct verify_verdict *v)
{
	const json_t *run = json_object_get(json_object_get(v->provenance.statement, "predicate"), "runDetails");

	return json_str(json_object_get(run, "builder"), "id");
}

static int print_json(const struct verify_verdict *v, struct err *err)
{
	char digest[DIGEST_STR_SIZE], statement[DIGEST_STR_SIZE];
	auto_json j = json_pack("{s:b, s:s, s:s, s:s, s:i, s:s, s:O, s:O}", "verified", 1, "image", digest_str(&v->image, digest), "keyId",
				v->provenance.key_id, "builderId", builder_of(v), "level", (int)v->level, "statementDigest",
				digest_str(&v->provenance.statement_digest, statement), "attestations", v->attestations, "statement",
				v->provenance.statement);

	return j == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "print JSON") : cli_print_json(j, err);
}

/** "with     PREDICATE-TYPE FILE, key ID" of a bundle beside the provenance. */
static void print_attestation(const json_t *a)
{
	auto_buf line = {0};

	buf_addf(&line, "%s in %s, key %s", json_str(a, "predicateType"), json_str(a, "file"), json_str(a, "keyId"));
	fputs("with     ", stdout);
	cli_print_safe(stdout, line.failed ? "an attestation" : line.data);
}

static int print_verdict(const struct args *args, const struct verify_verdict *v, struct err *err)
{
	char digest[DIGEST_STR_SIZE];
	const json_t *a;
	size_t i;

	if (args_has(args, "json"))
		return print_json(v, err);
	printf("verified\nimage    %s\nkey      %s\nbuilder  ", digest_str(&v->image, digest), v->provenance.key_id);
	cli_print_safe(stdout, builder_of(v));
	printf("level    SLSA build L%u\n", v->level);
	json_array_foreach(v->attestations, i, a)
		if (json_array_size(v->attestations) > 1)
			print_attestation(a);
	return 0;
}

/* ---- summary --------------------------------------------------------------------------- */

/** The options that asked something, as one text whose digest stands for them. A key is told by its id: a file's name says nothing of it. */
static int options_digest(const struct args *args, const struct verify_request *q, struct digest *ret, struct err *err)
{
	static const char *const asking[] = { "builder-id", "deep", "param", "require", "source" };
	auto_buf text = {0};
	char id[45];

	for (size_t i = 0; i < q->nkeys; i++) {
		if (key_id(q->keys[i], id, err) < 0)
			return -1;
		buf_addf(&text, "--key=%s\n", id);
	}
	for (size_t i = 0; i < ARRAY_LEN(asking); i++)
		for (size_t k = 0; k < args->ngiven; k++)
			if (strcmp(args->given[k].def->name, asking[i]) == 0)
				buf_addf(&text, "--%s%s%s\n", asking[i], args->given[k].value == NULL ? "" : "=",
					 args->given[k].value == NULL ? "" : args->given[k].value);
	if (buf_check(&text, "verification summary", err) < 0)
		return -1;
	return hash_bytes(text.data, text.len, ret, err);
}

/** Every bundle that passed, by the digest of its bytes. */
static int summary_inputs(const struct verify_request *q, struct attest_dependency **ret, char ***ret_uris, struct err *err)
{
	struct attest_dependency *v = calloc(q->nbundles + 1, sizeof *v);
	char **uris = calloc(q->nbundles + 1, sizeof *uris);
	int result = v == NULL || uris == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "verification summary") : 0;

	for (size_t i = 0; result == 0 && i < q->nbundles; i++) {
		const struct verify_bundle *b = &q->bundles[i];

		if (asprintf(&uris[i], "file:%s", text_path_name(b->path)) < 0) {
			uris[i] = NULL;
			result = err_set(err, ERR_INTERNAL, ENOMEM, "verification summary");
			break;
		}
		v[i] = (struct attest_dependency){ .uri = uris[i], .digest_kind = "sha256" };
		result = hash_bytes(b->bytes.data, b->bytes.len, &v[i].digest, err);
	}
	*ret = v;
	*ret_uris = uris;
	return result;
}

/** Signs the summary and writes the bundle. */
static int write_signed(const struct attest_summary *summary, const struct signer *signer, const char *path, struct err *err)
{
	auto_buf statement = {0};

	return attest_vsa(summary, &statement, err) < 0 ? -1 : cli_write_signed(signer, NULL, &statement, path, err);
}

static int write_summary(const struct args *args, const struct verify_request *q, const struct verify_verdict *v,
			 const struct signer *signer, struct err *err)
{
	struct attest_dependency *inputs = NULL;
	char **uris = NULL;
	auto_buf uri = {0};
	struct attest_summary summary = {
		.about = &v->provenance, .verifier_id = args_get(args, "verifier-id"), .version = GB_VERSION, .time = time(NULL),
		.policy = q->file.digest, .ninputs = q->nbundles, .level = v->level,
	};
	int result = q->policy_path != NULL ? 0 : options_digest(args, q, &summary.policy, err);

	buf_addf(&uri, q->policy_path != NULL ? "file:%s" : "glovebox:verify/options", q->policy_path == NULL ? "" : text_path_name(q->policy_path));
	if (result == 0)
		result = buf_check(&uri, "verification summary", err);
	if (result == 0)
		result = summary_inputs(q, &inputs, &uris, err);
	summary.policy_uri = uri.data;
	summary.inputs = inputs;
	if (result == 0)
		result = write_signed(&summary, signer, args_get(args, "vsa"), err);
	for (size_t i = 0; uris != NULL && i < q->nbundles; i++)
		free(uris[i]);
	free(uris);
	free(inputs);
	return result < 0 ? err_ctx(err, "--vsa") : 0;
}

/** A summary names the policy's file alone. It must not say "passed" of one whose keys have not signed. */
static int check_summary_keys(const struct args *args, const struct verify_request *q, struct err *err)
{
	if (!args_has(args, "vsa") || !args_has(args, "key") || q->file.nkeys == 0)
		return 0;
	return err_set(err, ERR_USAGE, 0, "--vsa: the summary would say that %s was met, which names its keys; leave out --key, or add the key to it",
		       q->policy_path);
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	auto_signer signer = SIGNER_NONE;
	auto_verify_request q = VERIFY_REQUEST_NONE;
	auto_verify_verdict v = {0};

	(void)ret_code;
	if (cli_signer_start(args, "vsa", "vsa-key", &signer, err) < 0 || verify_request(args, &q, err) < 0 ||
	    check_summary_keys(args, &q, err) < 0 || verify_check(&q, &v, err) < 0)
		return -1;
	if (args_has(args, "vsa") && write_summary(args, &q, &v, &signer, err) < 0)
		return -1;
	return print_verdict(args, &v, err);
}

static const struct opt_def opts[] = {
	{ "key", "PUB", "a public key (PEM) whose signature counts; may be given several times", true },
	{ "bundle", "FILE", "an attestation; may be given several times (default: provenance.sigstore.json beside the image)", true },
	{ "builder-id", "ID", "require this builder" },
	{ "source", "URI", "require that this was an input; may be given several times", true },
	{ "param", "K=V", "require this external parameter, by dotted path; may be given several times", true },
	{ "require", "LIST", "require attestations of these kinds: provenance, sbom, svr, test-result, vsa, vulns, or a predicate type" },
	{ "policy", "FILE", "require what this file says, glovebox-policy(5)" },
	{ "deep", NULL, "also decompress every layer and check its diff ID and entries" },
	{ "vsa", "FILE", "write a signed verification summary there" },
	{ "vsa-key", "KEY", "the private key (PEM) that signs it" },
	{ "verifier-id", "URI", "who verifies, in its words" },
	OPT_PASSPHRASE_FD, OPT_JSON, OPT_HELP, OPT_END,
};

const struct command cmd_verify = {
	"verify", "OUT_OR_IMAGE_OR_EVIDENCE (--key PUB | --policy FILE) [OPTION]…", "check an image against its signed provenance, offline", opts, NULL, 1, 1,
	false, run,
};

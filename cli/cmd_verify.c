/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "attest/attest.h"
#include "cli/cli.h"

/** Where image and bundle are. Owned strings. */
struct places {
	char *image, *bundle;
	char *digest;        /**< image.digest of an out directory, else NULL */
};

static void places_clear(struct places *p)
{
	free(p->image);
	free(p->bundle);
	free(p->digest);
}

static int find_places(const struct args *args, struct places *ret, struct err *err)
{
	const char *what = args->positional[0], *bundle = args_get(args, "bundle");
	const char *slash = strrchr(what, '/');
	struct stat st;
	int n;

	if (stat(what, &st) < 0)
		return err_set(err, ERR_INPUT, errno, "'%s'", what);
	bool dir = S_ISDIR(st.st_mode);
	n = dir ? asprintf(&ret->image, "%s/image.tar", what) : asprintf(&ret->image, "%s", what);
	if (n < 0 || (dir && asprintf(&ret->digest, "%s/image.digest", what) < 0))
		return err_set(err, ERR_INTERNAL, ENOMEM, "path");
	if (bundle != NULL)
		n = asprintf(&ret->bundle, "%s", bundle);
	else if (dir)
		n = asprintf(&ret->bundle, "%s/provenance.sigstore.json", what);
	else
		n = asprintf(&ret->bundle, "%.*sprovenance.sigstore.json", slash == NULL ? 0 : (int)(slash - what) + 1, what);
	return n < 0 ? err_set(err, ERR_INTERNAL, ENOMEM, "path") : 0;
}

/** Evidence that is not there does not verify. */
static int missing_is_unverified(struct err *err)
{
	if (err->sys == ENOENT) {
		err->kind = ERR_UNVERIFIED;
		return err_ctx(err, "not verified: no signed provenance (was the run given --key?)");
	}
	return -1;
}

static int parse_params(const struct args *args, struct oci_kv **ret, char ***ret_names, size_t *ret_n, struct err *err)
{
	const char *value;
	size_t n = 0;
	struct oci_kv *kv = calloc(args->ngiven + 1, sizeof *kv);
	char **names = calloc(args->ngiven + 1, sizeof *names);
	int result = kv == NULL || names == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "--param") : 0;

	for (; result == 0 && (value = args_nth(args, "param", n)) != NULL; n++) {
		const char *eq = strchr(value, '=');

		if (eq == NULL || eq == value) {
			result = err_set(err, ERR_USAGE, 0, "--param %s: write it as NAME=VALUE", value);
			break;
		}
		names[n] = strndup(value, (size_t)(eq - value));
		if (names[n] == NULL)
			result = err_set(err, ERR_INTERNAL, ENOMEM, "--param");
		kv[n] = (struct oci_kv){ names[n], eq + 1 };
	}
	*ret = kv;
	*ret_names = names;
	*ret_n = n;
	return result;
}

/** People read image.digest: in an out directory it must not name another image than the one that was verified. */
static int check_digest_file(const char *path, const struct digest *actual, struct err *err)
{
	char expected[DIGEST_STR_SIZE];
	auto_buf text = {0};

	if (io_read_file(AT_FDCWD, path, 1024, &text, err) < 0) {
		if (err->sys == ENOENT)
			return 0;
		err->kind = ERR_UNVERIFIED;
		return err_ctx(err, "not verified");
	}
	digest_str(actual, expected);
	if (text.len == DIGEST_STR_SIZE && strncmp(text.data, expected, DIGEST_STR_SIZE - 1) == 0 &&
	    text.data[DIGEST_STR_SIZE - 1] == '\n')
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "not verified: '%s' names another image than %s", path, expected);
}

static int check(const struct places *at, const struct attest_policy *policy, bool deep, struct attest_verified *v,
		 struct oci_image *image, struct err *err)
{
	auto_buf bundle = {0};
	struct stat st;

	if (io_read_file(AT_FDCWD, at->bundle, ATTEST_BUNDLE_MAX, &bundle, err) < 0) {
		/* A bundle that is too large to be one is malformed evidence, not a mistake in the call. */
		if (err->kind == ERR_USAGE)
			err->kind = ERR_UNVERIFIED;
		return missing_is_unverified(err);
	}
	if (attest_verify_bundle(bundle.data, bundle.len, policy, v, err) < 0)
		return err_ctx(err, "not verified: '%s'", at->bundle);
	auto_fd fd = open(at->image, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_UNVERIFIED : ERR_INPUT, errno, "not verified: open '%s'", at->image);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_UNVERIFIED, 0, "not verified: '%s' is not a regular file", at->image);
	if (attest_verify_image(v, fd, deep, image, err) < 0)
		return err_ctx(err, "not verified: '%s'", at->image);
	return at->digest == NULL ? 0 : check_digest_file(at->digest, &image->manifest_digest, err);
}

static int print_verdict(const struct args *args, const struct attest_verified *v, const struct oci_image *image,
			 struct err *err)
{
	char digest[DIGEST_STR_SIZE], statement[DIGEST_STR_SIZE];
	const json_t *run = json_object_get(json_object_get(v->statement, "predicate"), "runDetails");
	const char *builder = json_str(json_object_get(run, "builder"), "id");

	digest_str(&image->manifest_digest, digest);
	if (args_has(args, "json")) {
		auto_json j = json_pack("{s:b, s:s, s:s, s:s, s:s, s:O}", "verified", 1, "image", digest, "keyId", v->key_id,
					"builderId", builder, "statementDigest",
					digest_str(&v->statement_digest, statement), "statement", v->statement);

		return j == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "print JSON") : cli_print_json(j, err);
	}
	printf("verified\nimage    %s\nkey      %s\nbuilder  ", digest, v->key_id);
	cli_print_safe(stdout, builder);
	return 0;
}

static int verify(const struct args *args, const struct attest_policy *policy, struct err *err)
{
	__attribute__((cleanup(places_clear))) struct places at = {0};
	auto_attest_verified v = {0};
	auto_oci_image image = {0};

	if (find_places(args, &at, err) < 0 || check(&at, policy, args_has(args, "deep"), &v, &image, err) < 0)
		return -1;
	return print_verdict(args, &v, &image, err);
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	struct key **keys = NULL;
	size_t nkeys = 0, nparams = 0;
	struct oci_kv *params = NULL;
	char **names = NULL;

	(void)ret_code;
	if (cli_read_public_keys(args, false, &keys, &nkeys, err) < 0)
		return -1;
	int result = parse_params(args, &params, &names, &nparams, err);
	if (result == 0) {
		struct attest_policy policy = {
			.keys = (const struct key *const *)keys, .nkeys = nkeys,
			.builder_id = args_get(args, "builder-id"),
			.sources = (const char *const[]){ args_get(args, "source") }, .nsources = args_has(args, "source"),
			.params = params, .nparams = nparams,
		};

		result = verify(args, &policy, err);
	}
	for (size_t i = 0; names != NULL && i < nparams; i++)
		free(names[i]);
	free(names);
	free(params);
	cli_free_keys(keys, nkeys);
	return result;
}

static const struct opt_def opts[] = {
	{ "key", "PUB", "a public key (PEM) whose signature counts; may be given several times", true },
	{ "bundle", "FILE", "the attestation (default: provenance.sigstore.json beside the image)" },
	{ "builder-id", "ID", "require this builder" },
	{ "source", "URI", "require that this was an input" },
	{ "param", "K=V", "require this external parameter, by dotted path", true },
	{ "deep", NULL, "also decompress every layer and check its diff ID and entries" },
	OPT_JSON, OPT_HELP, OPT_END,
};

/** Of the design, for later. */
static const char *const later[] = { "require", "policy", "vsa", "vsa-key", "verifier-id", NULL };

const struct command cmd_verify = {
	"verify", "OUT_OR_IMAGE --key PUB [OPTION]…", "check an image against its signed provenance, offline", opts, later, 1, 1,
	false, run,
};

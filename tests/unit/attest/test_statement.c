/* SPDX-License-Identifier: Apache-2.0 */
/* What a statement says and must say, and what a policy asks of it. */
#include "tests/unit/attest/helper.h"

#include "attest/statement.h"

static struct err err;

/* The bytes of statement_of("make\n", …): what is signed must not drift. */
static const char golden[] =
	"{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicate\":{\"buildDefinition\":{"
	"\"buildType\":\"https://glovebox.dev/buildtypes/buildspec/v1\","
	"\"externalParameters\":{\"options\":{\"sourceDateEpoch\":315532800},\"spec\":{\"digest\":{\"sha256\":"
	"\"c117ade9ea8a00abe926dfed79297a9a3632defb97a3ffd1baf33fe92704aa0f\"},\"fileName\":\"build.yaml\",\"text\":\"make\\n\"}},"
	"\"internalParameters\":{\"codec\":\"none\",\"network\":\"none\"},\"resolvedDependencies\":["
	"{\"digest\":{\"glovebox-tree-sha256\":\"3333333333333333333333333333333333333333333333333333333333333333\"},"
	"\"name\":\"rootfs\",\"uri\":\"glovebox:rootfs/debian12\"},"
	"{\"digest\":{\"glovebox-tree-sha256\":\"4444444444444444444444444444444444444444444444444444444444444444\"},"
	"\"name\":\"src\",\"uri\":\"file:.\"},"
	"{\"digest\":{\"sha256\":\"5555555555555555555555555555555555555555555555555555555555555555\"},\"name\":\"profile\"}]},"
	"\"runDetails\":{\"builder\":{\"builderDependencies\":[{\"digest\":{\"sha256\":"
	"\"7777777777777777777777777777777777777777777777777777777777777777\"},\"name\":\"glovebox\"}],"
	"\"id\":\"https://ci.example.com/runners/1\",\"version\":{\"glovebox\":\"0.1.0\"}},"
	"\"byproducts\":[{\"digest\":{\"sha256\":\"6666666666666666666666666666666666666666666666666666666666666666\"},"
	"\"name\":\"build.log\",\"uri\":\"file:logs/build.log\"}],"
	"\"metadata\":{\"finishedOn\":\"2026-01-01T00:00:07Z\","
	"\"invocationId\":\"urn:uuid:6f1f2b9a-2b3e-4a52-9a62-2f3f5a0a5b11\",\"startedOn\":\"2026-01-01T00:00:00Z\"}}},"
	"\"predicateType\":\"https://slsa.dev/provenance/v1\",\"subject\":["
	"{\"digest\":{\"sha256\":\"1111111111111111111111111111111111111111111111111111111111111111\"},\"name\":\"oci:hello\"},"
	"{\"digest\":{\"sha256\":\"2222222222222222222222222222222222222222222222222222222222222222\"},\"name\":\"image.tar\"}]}";

static void test_golden(void **state)
{
	auto_buf text = {0};

	(void)state;
	buf_adds(&text, "before");
	statement_of("make\n", digest_of(0x11), digest_of(0x22), &text);
	assert_string_equal(text.data + 6, golden);
}

static void test_example(void **state)
{
	auto_buf text = {0};
	auto_json j = NULL;

	(void)state;
	read_data("other-builder.statement.json", &text);
	must(json_parse(text.data, text.len, "example", ERR_INPUT, &j, &err));
	must(statement_check_slsa(j, &err));
}

/** The statement of the tests, parsed. */
static json_t *good(void)
{
	auto_buf text = {0};
	json_t *j = NULL;

	statement_of("make\n", digest_of(0x11), digest_of(0x22), &text);
	must(attest_read_statement(text.data, text.len, &j, &err));
	return j;
}

/** The value at "predicate/runDetails/…/0". */
static json_t *at(json_t *j, const char *path)
{
	while (*path != '\0') {
		size_t n = strcspn(path, "/");

		j = json_is_array(j) ? json_array_get(j, (size_t)atoi(path)) : json_object_getn(j, path, n);
		assert_non_null(j);
		path += n + (path[n] == '/');
	}
	return j;
}

/** Sets a member from JSON text, or takes it away. */
static void set(json_t *object, const char *name, const char *json)
{
	if (json == NULL)
		assert_int_equal(json_object_del(object, name), 0);
	else
		assert_int_equal(json_object_set_new(object, name, json_loads(json, JSON_DECODE_ANY, NULL)), 0);
}

#define DEF "predicate/buildDefinition"
#define RUN "predicate/runDetails"
#define HEX64 "1111111111111111111111111111111111111111111111111111111111111111"

/** What is set where in a good statement, and how the refusal begins to explain itself. json NULL: the member is taken out. */
static const struct {
	const char *path, *name, *json, *why;
} refused[] = {
	{ "", "_type", NULL, "statement: member '_type' is missing" },
	{ "", "_type", "\"https://in-toto.io/Statement/v0.1\"", "must be 'https://in-toto.io/Statement/v1'" },
	{ "", "_type", "1", "must be a string, not an integer" },
	{ "", "predicateType", NULL, "member 'predicateType' is missing" },
	{ "", "predicateType", "\"https://slsa.dev/provenance/v0.2\"", "must be 'https://slsa.dev/provenance/v1'" },
	{ "", "subject", NULL, "member 'subject' is missing" },
	{ "", "subject", "[]", "0 subjects" },
	{ "", "subject", "{}", "must be an array" },
	{ "", "subject", "[1]", "subject[0]: must be an object" },
	{ "", "subject", "[{\"name\":\"a\"}]", "subject[0]: member 'digest' is missing" },
	{ "", "subject", "[{\"name\":\"a\",\"digest\":{}}]", "subject[0]: member 'sha256' is missing" },
	{ "", "subject", "[{\"name\":\"a\",\"digest\":{\"sha512\":\"ab\"}}]", "member 'sha256' is missing" },
	{ "", "subject", "[{\"digest\":{\"sha256\":\"" HEX64 "\"}}]", "subject[0]: member 'name' is missing" },
	{ "subject/1", "name", "\"oci:hello\"", "subject[1]: a second subject named 'oci:hello'" },
	{ "subject/1", "name", "\"\"", "subject[1]: member 'name' is empty" },
	{ "subject/0/digest", "sha256", "\"ABCD\"", "digest 'sha256' is not written as that digest is" },
	{ "subject/0/digest", "sha256", "\"" HEX64 "0\"", "digest 'sha256' is not written as that digest is" },
	{ "subject/0/digest", "sha256", "\"1\"", "digest 'sha256' is not written as that digest is" },
	{ "subject/0/digest", "sha512", "7", "digest 'sha512' is not written as that digest is" },
	{ "", "predicate", NULL, "member 'predicate' is missing" },
	{ "", "predicate", "[]", "must be an object, not an array" },
	{ "predicate", "buildDefinition", NULL, "predicate: member 'buildDefinition' is missing" },
	{ DEF, "buildType", NULL, "predicate.buildDefinition: member 'buildType' is missing" },
	{ DEF, "buildType", "\"https://glovebox.dev/buildtypes/buildspec/v2\"", "must be '" ATTEST_BUILD_TYPE "'" },
	{ DEF, "externalParameters", NULL, "member 'externalParameters' is missing" },
	{ DEF, "externalParameters", "[]", "must be an object, not an array" },
	{ DEF, "externalParameters", "{}", "externalParameters: member 'spec' is missing" },
	{ DEF "/externalParameters", "recipe", "1", "externalParameters: unknown member 'recipe'" },
	{ DEF "/externalParameters", "options", NULL, "externalParameters: member 'options' is missing" },
	{ DEF "/externalParameters", "spec", "\"build.yaml\"", "must be an object, not a string" },
	{ DEF "/externalParameters/spec", "text", NULL, "externalParameters.spec: member 'text' is missing" },
	{ DEF "/externalParameters/spec", "text", "\"make all\\n\"", "the digest is not that of the text" },
	{ DEF "/externalParameters/spec", "fileName", NULL, "member 'fileName' is missing" },
	{ DEF "/externalParameters/spec", "path", "\"x\"", "externalParameters.spec: unknown member 'path'" },
	{ DEF "/externalParameters/spec/digest", "sha256", "\"" HEX64 "\"", "the digest is not that of the text" },
	{ DEF "/externalParameters/spec/digest", "sha256", "\"x\"", "the digest is not that of the text" },
	{ DEF "/externalParameters/spec/digest", "sha1", "\"x\"", "spec.digest: unknown member 'sha1'" },
	{ DEF "/externalParameters/spec", "includes", "1", "'includes' must be an array" },
	{ DEF "/externalParameters/spec", "includes", "[1]", "externalParameters.spec.includes[]: must be an object" },
	{ DEF "/externalParameters/spec", "includes", "[{\"path\":\"\"}]", "includes[]: member 'path' is empty" },
	{ DEF "/externalParameters/spec", "includes", "[{\"path\":\"a\",\"text\":\"a\",\"digest\":{\"sha256\":\"" HEX64 "\"}}]",
	  "includes[]: the digest is not that of the text" },
	{ DEF "/externalParameters/spec", "includes", "[{\"file\":\"a\"}]", "includes[]: unknown member 'file'" },
	{ DEF "/externalParameters/spec", "facts", "[]", "'facts' must be an object" },
	{ DEF "/externalParameters/spec", "facts", "{\"branch\":\"a\"}", "externalParameters.spec.facts: unknown member 'branch'" },
	{ DEF "/externalParameters/spec", "facts", "{\"gitSha\":\"abc\"}", "gitSha is no hash" },
	{ DEF "/externalParameters/spec", "facts", "{\"gitSha\":\"" HEX64 "0\"}", "gitSha is no hash" },
	{ DEF "/externalParameters/spec", "facts", "{\"gitCommitTime\":\"1\"}", "'gitCommitTime' must be" },
	{ DEF "/externalParameters/spec", "facts", "{\"semver\":\"1.2\\n.3\"}", "semver is no version" },
	{ DEF "/externalParameters/spec", "lock", "1", "'lock' must be an object" },
	{ DEF "/externalParameters/spec", "lock", "{}", "externalParameters.spec.lock: member 'text' is missing" },
	{ DEF "/externalParameters/spec", "lock", "{\"text\":\"a\",\"digest\":{\"sha256\":\"" HEX64 "\"}}", "spec.lock: the digest is not that of the text" },
	{ DEF "/externalParameters/spec", "lock", "{\"text\":\"a\",\"digest\":{\"sha1\":\"x\"}}", "spec.lock.digest: unknown member 'sha1'" },
	{ DEF "/externalParameters/spec", "lock", "{\"path\":\"a\"}", "externalParameters.spec.lock: unknown member 'path'" },
	{ DEF "/externalParameters/options", "allowDocker", "true", "unknown option 'allowDocker'" },
	{ DEF "/externalParameters/options", "sourceDateEpoch", "\"1\"", "'sourceDateEpoch' must be an integer" },
	{ DEF "/externalParameters/options", "sourceDateEpoch", "1.5", "'sourceDateEpoch' must be an integer" },
	{ DEF, "internalParameters", NULL, "member 'internalParameters' is missing" },
	{ DEF, "internalParameters", "1", "must be an object, not an integer" },
	{ DEF "/internalParameters", "spec", "1", "'spec' is an external and an internal parameter" },
	{ DEF, "resolvedDependencies", NULL, "member 'resolvedDependencies' is missing" },
	{ DEF, "resolvedDependencies", "{}", "must be an array, not an object" },
	{ DEF, "resolvedDependencies", "[null]", "predicate.buildDefinition.resolvedDependencies[0]: must be an object" },
	{ DEF "/resolvedDependencies/1", "digest", NULL, "resolvedDependencies[1]: member 'digest' is missing" },
	{ DEF "/resolvedDependencies/1", "digest", "{}", "resolvedDependencies[1]: the digest is empty" },
	{ DEF "/resolvedDependencies/1", "digest", "{\"gitCommit\":\"\"}", "digest 'gitCommit' is not written" },
	{ DEF "/resolvedDependencies/1/digest", "glovebox-tree-sha256", "\"x\"", "digest 'glovebox-tree-sha256' is not" },
	{ DEF "/resolvedDependencies/1", "uri", "1", "member 'uri' must be a string" },
	{ DEF "/resolvedDependencies/2", "name", NULL, "resolvedDependencies[2]: has neither name nor uri" },
	{ "predicate", "runDetails", NULL, "predicate: member 'runDetails' is missing" },
	{ RUN, "builder", NULL, "predicate.runDetails: member 'builder' is missing" },
	{ RUN "/builder", "id", NULL, "predicate.runDetails.builder: member 'id' is missing" },
	{ RUN "/builder", "id", "\"\"", "member 'id' is empty" },
	{ RUN "/builder", "version", "\"1\"", "member 'version' must be an object" },
	{ RUN "/builder/version", "glovebox", "1", "version of 'glovebox' is not a string" },
	{ RUN "/builder", "builderDependencies", "[{}]", "builder.builderDependencies[0]: member 'digest' is missing" },
	{ RUN, "byproducts", "[{}]", "predicate.runDetails.byproducts[0]: member 'digest' is missing" },
	{ RUN, "metadata", "[]", "member 'metadata' must be an object" },
	{ RUN "/metadata", "invocationId", "1", "member 'invocationId' must be a string" },
	{ RUN "/metadata", "startedOn", "1767225600", "member 'startedOn' must be a string" },
	{ RUN "/metadata", "startedOn", "\"2026-01-01T00:00:08Z\"", "the build finished before it started" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		auto_json j = good();
		auto_buf text = {0};
		json_t *ret = NULL;

		set(at(j, refused[i].path), refused[i].name, refused[i].json);
		assert_int_equal(json_canonical(j, &text, &err), 0);
		must_fail(attest_read_statement(text.data, text.len, &ret, &err), ERR_UNVERIFIED, refused[i].why);
		assert_null(ret);
	}
}

/** What the specifications leave open, or tell consumers to let be. */
static void test_accepted(void **state)
{
	static const struct {
		const char *path, *name, *json;
	} rows[] = {
		{ "", "extension", "1" },
		{ "predicate", "extension", "{}" },
		{ RUN, "metadata", NULL },
		{ RUN, "metadata", "{}" },
		{ RUN, "byproducts", NULL },
		{ RUN "/builder", "version", NULL },
		{ RUN "/builder", "builderDependencies", NULL },
		{ RUN "/metadata", "finishedOn", "\"2026-01-01T00:00:00Z\"" },
		{ DEF, "resolvedDependencies", "[]" },
		{ DEF "/externalParameters", "options", "{}" },
		{ DEF "/resolvedDependencies/1", "digest", "{\"gitCommit\":\"7fd1a60b01f91b314f59955a4e4d4e80d8edf11d\"}" },
		{ DEF "/resolvedDependencies/1", "annotations", "{}" },
		{ "subject/0/digest", "sha512", "\"ab\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json j = good();

		set(at(j, rows[i].path), rows[i].name, rows[i].json);
		must(statement_check(j, &err));
	}
}

static void test_times(void **state)
{
	static const struct {
		const char *time;
		bool good;
	} rows[] = {
		{ "2026-01-01T00:00:00Z", true },  { "2016-12-31T23:59:60Z", true },   { "0000-01-01T00:00:00Z", true },
		{ "2026-01-01T00:00:00", false },  { "2026-01-01T00:00:00z", false },  { "2026-01-01 00:00:00Z", false },
		{ "2026-13-01T00:00:00Z", false }, { "2026-00-01T00:00:00Z", false },  { "2026-01-32T00:00:00Z", false },
		{ "2026-01-00T00:00:00Z", false }, { "2026-01-01T24:00:00Z", false },  { "2026-01-01T00:60:00Z", false },
		{ "2026-01-01T00:00:61Z", false }, { "2026-01-01T00:00:00.5Z", false }, { "2026-01-01T00:00:00+00:00", false },
		{ "2026-1-01T00:00:00Z", false },  { "", false },                      { "2026", false },
		{ "2026-01-01T00:00:00Zx", false }, { "99999-01-01T00:00:00Z", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json j = good();

		json_object_del(at(j, RUN "/metadata"), "finishedOn");
		json_object_set_new(at(j, RUN "/metadata"), "startedOn", json_string(rows[i].time));
		if (rows[i].good)
			must(statement_check(j, &err));
		else
			must_fail(statement_check(j, &err), ERR_UNVERIFIED, "'startedOn' is not a time in UTC");
	}
}

static void test_read_statement(void **state)
{
	auto_json j = NULL;
	auto_buf spaced = {0};

	(void)state;
	must(attest_read_statement(golden, strlen(golden), &j, &err));
	must(attest_check_statement(j, &err));
	/* As who has been taken over may say. */
	json_object_del(json_array_get(json_object_get(j, "subject"), 0), "name");
	must_fail(attest_check_statement(j, &err), ERR_UNVERIFIED, "subject[0]");
	must_fail(attest_check_statement(NULL, &err), ERR_UNVERIFIED, "must be a JSON object");
	buf_addf(&spaced, "%s\n", golden);
	json_t *none = NULL;
	must_fail(attest_read_statement(spaced.data, spaced.len, &none, &err), ERR_UNVERIFIED, "is not as glovebox writes it");
	must_fail(attest_read_statement("", 0, &none, &err), ERR_UNVERIFIED, "not valid JSON");
	for (size_t n = 0; n < strlen(golden); n++)
		must_fail(attest_read_statement(golden, n, &none, &err), ERR_UNVERIFIED, "not valid JSON");
}

static void test_limits(void **state)
{
	auto_json deps = good();
	auto_json subjects = good();
	auto_buf big = {0};
	json_t *none = NULL;

	(void)state;
	for (size_t i = 0; i <= 100000; i++) {
		json_array_append(at(deps, DEF "/resolvedDependencies"), at(deps, DEF "/resolvedDependencies/0"));
		json_array_append_new(at(subjects, "subject"), json_null());
	}
	must_fail(statement_check(deps, &err), ERR_UNVERIFIED, "'resolvedDependencies' has more than 100000 entries");
	must_fail(statement_check(subjects, &err), ERR_UNVERIFIED, "100003 subjects; there must be 1 to 100000");
	char *to = buf_room(&big, ATTEST_BUNDLE_MAX + 1);
	assert_non_null(to);
	memset(to, ' ', ATTEST_BUNDLE_MAX + 1);
	buf_seal(&big, ATTEST_BUNDLE_MAX + 1);
	must_fail(attest_read_statement(big.data, big.len, &none, &err), ERR_UNVERIFIED, "larger than the limit of 67108864");
}

/** A build to be made wrong in one way. */
struct broken {
	json_t *external, *internal;
	struct attest_dependency dep;
	struct attest_build build;
};

static void broken_init(struct broken *b)
{
	*b = (struct broken){
		.external = external_of("make\n"), .internal = json_object(),
		.dep = { "src", "file:.", digest_of(1), "sha256" },
	};
	b->build = (struct attest_build){
		.image_name = "hello", .external = b->external, .internal = b->internal, .deps = &b->dep, .ndeps = 1,
		.builder_id = "id", .version = "1", .invocation_id = "urn:uuid:0", .started = 1, .finished = 1,
	};
}

static void broken_fails(struct broken *b, const char *why)
{
	auto_buf out = {0};

	must_fail(attest_statement(&b->build, &out, &err), ERR_INTERNAL, why);
	assert_ptr_equal(strstr(err.msg, "make the provenance"), err.msg);
	assert_int_equal(out.len, 0);
	json_decref(b->external);
	json_decref(b->internal);
}

/** What the verifier would refuse is not made. */
static void test_not_made(void **state)
{
	struct broken b;

	(void)state;
	broken_init(&b);
	json_object_set_new(b.external, "artifact", json_object());
	broken_fails(&b, "unknown member 'artifact'");
	broken_init(&b);
	json_object_set_new(b.internal, "spec", json_object());
	broken_fails(&b, "'spec' is an external and an internal parameter");
	broken_init(&b);
	b.build.builder_id = "";
	broken_fails(&b, "member 'id' is empty");
	broken_init(&b);
	b.build.builder_id = NULL;
	broken_fails(&b, "not UTF-8");
	broken_init(&b);
	b.build.external = NULL;
	broken_fails(&b, "not UTF-8");
	broken_init(&b);
	b.dep.name = "\xff";
	broken_fails(&b, "not UTF-8");
	broken_init(&b);
	b.build.image_name = "\xff";
	broken_fails(&b, "not UTF-8");
	broken_init(&b);
	b.dep.name = b.dep.uri = NULL;
	broken_fails(&b, "has neither name nor uri");
	broken_init(&b);
	b.build.finished = 0;
	broken_fails(&b, "finished before it started");
}

/** The policy's verdict on a good bundle; NULL: accepted. */
static void policy_says(struct attest_policy policy, const char *why)
{
	auto_pair p = pair_new();
	auto_buf bundle = {0};
	auto_attest_verified v = {0};
	const struct key *keys[] = { p.open };

	bundle_of(p.secret, "make\n", &bundle);
	policy.keys = keys;
	policy.nkeys = 1;
	if (why == NULL)
		must(attest_verify_bundle(bundle.data, bundle.len, &policy, &v, &err));
	else
		must_fail(attest_verify_bundle(bundle.data, bundle.len, &policy, &v, &err), ERR_UNVERIFIED, why);
}

static void test_policy(void **state)
{
	(void)state;
	policy_says((struct attest_policy){0}, NULL);
	policy_says((struct attest_policy){ .builder_id = "https://ci.example.com/runners/1" }, NULL);
	policy_says((struct attest_policy){ .builder_id = "https://ci.example.com/runners/" },
		    "policy: the builder is 'https://ci.example.com/runners/1', must be 'https://ci.example.com/runners/'");
	policy_says((struct attest_policy){ .builder_id = "" }, "policy: the builder is");
	policy_says((struct attest_policy){ .sources = (const char *const[]){ "file:." }, .nsources = 1 }, NULL);
	policy_says((struct attest_policy){ .sources = (const char *const[]){ "glovebox:rootfs/debian12" }, .nsources = 1 }, NULL);
	policy_says((struct attest_policy){ .sources = (const char *const[]){ "file:" }, .nsources = 1 }, "policy: 'file:' is not among the resolved dependencies");
	policy_says((struct attest_policy){ .sources = (const char *const[]){ "src" }, .nsources = 1 }, "is not among the resolved dependencies");
}

static void test_params(void **state)
{
	static const struct {
		struct oci_kv want;
		const char *why;
	} rows[] = {
		{ { "spec.fileName", "build.yaml" }, NULL },
		{ { "spec.text", "make\n" }, NULL },
		{ { "options.sourceDateEpoch", "315532800" }, NULL },
		{ { "options.sourceDateEpoch", "315532801" }, "'options.sourceDateEpoch' is '315532800', must be '315532801'" },
		{ { "options.sourceDateEpoch", "0315532800" }, "must be" },
		{ { "spec.fileName", "\"build.yaml\"" }, "must be" },
		{ { "spec.fileName", "" }, "must be" },
		{ { "spec.fileName", "build" }, "must be" },
		{ { "spec.fileName", "build.yaml.bak" }, "must be" },
		{ { "spec.fileName.x", "y" }, "external parameter 'spec.fileName.x' is not in the provenance" },
		{ { "spec", "x" }, "is no single value" },
		{ { "", "x" }, "is not in the provenance" },
		{ { ".spec", "x" }, "is not in the provenance" },
		{ { "spec.", "x" }, "is not in the provenance" },
		{ { "spec..text", "x" }, "is not in the provenance" },
		{ { "sourceDateEpoch", "315532800" }, "is not in the provenance" },
		{ { "codec", "none" }, "is not in the provenance" },
	};
	const struct oci_kv both[] = { rows[0].want, rows[3].want };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		policy_says((struct attest_policy){ .params = &rows[i].want, .nparams = 1 }, rows[i].why);
	policy_says((struct attest_policy){ .params = both, .nparams = 2 }, rows[3].why);
}

/** Values that no option has yet, as a later one may. */
static void test_param_types(void **state)
{
	auto_json j = json_loads("{\"t\":true,\"f\":false,\"r\":1.5,\"e\":\"\",\"n\":null,\"a\":[1]}", 0, NULL);

	(void)state;
	must(params_match(j, &(struct oci_kv){ "t", "true" }, &err));
	must(params_match(j, &(struct oci_kv){ "f", "false" }, &err));
	must(params_match(j, &(struct oci_kv){ "r", "1.5" }, &err));
	must(params_match(j, &(struct oci_kv){ "e", "" }, &err));
	must_fail(params_match(j, &(struct oci_kv){ "t", "1" }, &err), ERR_UNVERIFIED, "is 'true', must be '1'");
	must_fail(params_match(j, &(struct oci_kv){ "n", "null" }, &err), ERR_UNVERIFIED, "no single value");
	must_fail(params_match(j, &(struct oci_kv){ "a", "1" }, &err), ERR_UNVERIFIED, "no single value");
	must_fail(params_match(j, &(struct oci_kv){ "a.0", "1" }, &err), ERR_UNVERIFIED, "not in the provenance");
}

/* A document's bytes stand in its statement as they are, and the whole is canonical. */
static void document_in_a_statement(void **state)
{
	static const char predicate[] = "{\"a\":[1,{}],\"b\":\"\xc3\xa9\"}";
	const struct attest_document d = {
		.image_name = "team/im\"age", .image_digest = { { 1 } }, .image_tar_digest = { { 2 } }, .predicate_type = "https://spdx.dev/Document/v2.3",
		.predicate = predicate, .npredicate = strlen(predicate),
	};
	auto_buf text = {0};
	auto_buf canonical = {0};
	auto_json j = NULL;
	auto_json want = NULL;

	(void)state;
	assert_int_equal(attest_document(&d, &text, &err), 0);
	assert_int_equal(json_parse(text.data, text.len, "statement", ERR_INPUT, &j, &err), 0);
	assert_int_equal(json_canonical(j, &canonical, &err), 0);
	assert_string_equal(text.data, canonical.data);
	assert_int_equal(json_parse(predicate, strlen(predicate), "predicate", ERR_INPUT, &want, &err), 0);
	assert_true(json_equal(json_object_get(j, "predicate"), want));
	assert_string_equal(json_str(j, "predicateType"), "https://spdx.dev/Document/v2.3");
	assert_string_equal(json_str(json_array_get(json_object_get(j, "subject"), 0), "name"), "oci:team/im\"age");
	assert_string_equal(json_str(json_array_get(json_object_get(j, "subject"), 1), "name"), ATTEST_TAR_SUBJECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_read_statement),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_not_made),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_param_types),
		cmocka_unit_test(document_in_a_statement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

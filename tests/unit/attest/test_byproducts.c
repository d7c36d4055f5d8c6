/* SPDX-License-Identifier: Apache-2.0 */
/* What a statement says of files beside the image, and of which run a test result is. */
#include "tests/unit/attest/helper.h"

#include "attest/statement.h"

static struct err err;

#define HEX(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c

/** A statement with these byproducts, given as JSON, as bytes. */
static void with_byproducts(const char *json, struct buf *out)
{
	auto_buf text = {0};
	auto_json j = NULL;

	statement_of("make\n", digest_of(0x11), digest_of(0x22), &text);
	must(attest_read_statement(text.data, text.len, &j, &err));
	json_t *predicate = json_object_get(j, "predicate"), *definition = json_object_get(predicate, "buildDefinition");
	assert_int_equal(json_object_set_new(json_object_get(predicate, "runDetails"), "byproducts", json_loads(json, 0, NULL)), 0);
	assert_int_equal(json_object_set_new(json_object_get(definition, "internalParameters"), "outputTree", json_string("sha256:" HEX("88"))), 0);
	must(json_canonical(j, out, &err));
}

static void test_names(void **state)
{
	auto_buf text = {0};
	auto_json j = NULL;
	struct digest d = digest_of(0), aa = digest_of(0xaa), untouched = digest_of(1);

	(void)state;
	with_byproducts("[{\"name\":\"a\",\"digest\":{\"sha256\":\"" HEX("aa") "\"}},{\"name\":\"b\",\"digest\":{\"sha512\":\"x\"}}]", &text);
	must(attest_read_statement(text.data, text.len, &j, &err));
	assert_true(attest_byproduct(j, "a", &d));
	assert_true(digest_eq(&d, &aa));
	d = digest_of(1);
	/* Not by another algorithm, nor by a part of the name. */
	assert_false(attest_byproduct(j, "b", &d));
	assert_false(attest_byproduct(j, "", &d));
	assert_false(attest_byproduct(j, "c", &d));
	assert_true(digest_eq(&d, &untouched));
}

static void test_refused(void **state)
{
	static const struct {
		const char *json, *why;
	} rows[] = {
		{ "[{\"name\":\"a\",\"digest\":{\"sha256\":\"" HEX("aa") "\"}},{\"name\":\"a\",\"digest\":{\"sha256\":\"" HEX("bb") "\"}}]",
		  "byproducts: a second one named 'a'" },
		{ "[{\"name\":\"t\",\"digest\":{\"sha256\":\"" HEX("aa") "\"},\"mediaType\":\"" ATTEST_TREE_MEDIA_TYPE "\"}]",
		  "'t' is the manifest of a tree that is not named elsewhere" },
		{ "[{\"uri\":\"t\",\"digest\":{\"sha512\":\"x\"},\"mediaType\":\"" ATTEST_TREE_MEDIA_TYPE "\"}]", "of a tree that is not named" },
		{ "[{\"name\":\"t\",\"digest\":{\"sha256\":\"" HEX("aa") "\"},\"mediaType\":1}]", "byproducts[0]: member 'mediaType' must be a string" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf text = {0};
		json_t *ret = NULL;

		with_byproducts(rows[i].json, &text);
		must_fail(attest_read_statement(text.data, text.len, &ret, &err), ERR_UNVERIFIED, rows[i].why);
		assert_null(ret);
	}
}

/** Manifests of an input's tree and of the output's. */
static void test_manifests(void **state)
{
	auto_buf text = {0};
	auto_json j = NULL;

	(void)state;
	with_byproducts("[{\"name\":\"trees/a\",\"digest\":{\"sha256\":\"" HEX("55") "\"},\"mediaType\":\"" ATTEST_TREE_MEDIA_TYPE "\"},"
			"{\"name\":\"trees/b\",\"digest\":{\"sha256\":\"" HEX("88") "\"},\"mediaType\":\"" ATTEST_TREE_MEDIA_TYPE "\"}]", &text);
	must(attest_read_statement(text.data, text.len, &j, &err));
}

static void test_media_type(void **state)
{
	const struct attest_dependency d = { .name = "x", .digest_kind = "sha256", .media_type = "text/plain" };
	auto_json list = statement_descriptors(&d, 1);

	(void)state;
	assert_string_equal(json_str(json_array_get(list, 0), "mediaType"), "text/plain");
}

/** What the build left, as a subject: the tree that internalParameters name. */
static void test_output_subject(void **state)
{
	static const struct {
		const char *hex, *why;
	} rows[] = { { HEX("88"), NULL }, { HEX("89"), "subject[2]: 'build:src' is not the tree" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf text = {0}, changed = {0};
		auto_json j = NULL;
		auto_json ret = NULL;

		with_byproducts("[]", &text);
		must(attest_read_statement(text.data, text.len, &j, &err));
		json_array_append_new(json_object_get(j, "subject"), json_pack("{s:s, s:{s:s}}", "name", "build:src", "digest", "sha256", rows[i].hex));
		must(json_canonical(j, &changed, &err));
		if (rows[i].why == NULL)
			must(attest_read_statement(changed.data, changed.len, &ret, &err));
		else
			must_fail(attest_read_statement(changed.data, changed.len, &ret, &err), ERR_UNVERIFIED, rows[i].why);
	}
}

/* ---- of which run ------------------------------------------------------------ */

/** A test result's statement with this predicate. */
static struct attest_verified tests_of(const char *predicate, uint8_t digest)
{
	struct attest_verified v = { .statement_digest = digest_of(digest) };

	v.statement = json_pack("{s:o}", "predicate", json_loads(predicate, 0, NULL));
	assert_non_null(v.statement);
	return v;
}

static void test_same_run(void **state)
{
	auto_attest_verified named = {0}, unnamed = {0};
	auto_attest_verified own = tests_of("{\"glovebox_tests\":[],\"configuration\":[]}", 0xaa);
	auto_attest_verified foreign = tests_of("{\"configuration\":[]}", 0xbb);
	auto_attest_verified same_inputs = tests_of("{\"glovebox_tests\":[]}", 0xcc);
	auto_buf text = {0}, text2 = {0};

	(void)state;
	with_byproducts("[{\"name\":\"" ATTEST_TESTS_BYPRODUCT "\",\"digest\":{\"sha256\":\"" HEX("aa") "\"}}]", &text);
	must(attest_read_statement(text.data, text.len, &named.statement, &err));
	must(attest_same_run(&named, &own, &err));
	must(attest_same_run(&named, &foreign, &err));
	own.statement_digest = digest_of(0xab);
	must_fail(attest_same_run(&named, &own, &err), ERR_UNVERIFIED, "of another run: its statement is sha256:abab");

	/* One that names none: then the inputs have to be the same. */
	with_byproducts("[]", &text2);
	must(attest_read_statement(text2.data, text2.len, &unnamed.statement, &err));
	must_fail(attest_same_run(&unnamed, &own, &err), ERR_UNVERIFIED, "of another run: its configuration");
	must_fail(attest_same_run(&unnamed, &same_inputs, &err), ERR_UNVERIFIED, "of another run: its configuration");
	json_object_set(json_object_get(same_inputs.statement, "predicate"), "configuration",
			json_object_get(statement_definition(unnamed.statement), "resolvedDependencies"));
	must(attest_same_run(&unnamed, &same_inputs, &err));
	/* Where it is named, the same inputs are not enough. */
	must_fail(attest_same_run(&named, &same_inputs, &err), ERR_UNVERIFIED, "of another run: its statement");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_manifests),
		cmocka_unit_test(test_media_type),
		cmocka_unit_test(test_output_subject),
		cmocka_unit_test(test_same_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

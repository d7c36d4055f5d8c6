/* SPDX-License-Identifier: Apache-2.0 */
/* What a run wrote beside the image: logs, documents, the manifests of its trees, what its tests came to. */
#include <string.h>

#include "attest/shape.h"
#include "attest/statement.h"

static const char where[] = "predicate.runDetails.byproducts";

static const json_t *list_of(const json_t *statement)
{
	return json_object_get(statement_run(statement), "byproducts");
}

bool attest_byproduct(const json_t *statement, const char *name, struct digest *ret)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list_of(statement), i, one) {
		const char *have = json_str(one, "name"), *hex = json_str(json_object_get(one, "digest"), "sha256");

		if (have != NULL && hex != NULL && strcmp(have, name) == 0)
			return digest_parse_hex(hex, ret);
	}
	return false;
}

static int no_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, 0, "%s: memory is short", where);
}

/** Notes a name. */
static int note(json_t *set, const char *name, struct err *err)
{
	return name != NULL && json_object_set_new(set, name, json_true()) < 0 ? no_memory(err) : 0;
}

/** The digests that the statement has elsewhere, in hex: of its inputs, and of what the build left. */
static int note_digests(const json_t *statement, json_t *set, struct err *err)
{
	const json_t *definition = statement_definition(statement), *dep;
	const char *output = json_str(json_object_get(definition, "internalParameters"), "outputTree");
	size_t i;

	if (output != NULL && text_starts(output, "sha256:") && note(set, output + strlen("sha256:"), err) < 0)
		return -1;
	json_array_foreach(json_object_get(definition, "resolvedDependencies"), i, dep)
		if (note(set, json_str(json_object_get(dep, "digest"), "sha256"), err) < 0)
			return -1;
	return 0;
}

static int check_one(const json_t *one, json_t *names, const json_t *digests, struct err *err)
{
	const char *name = json_str(one, "name"), *media = json_str(one, "mediaType");
	const char *hex = json_str(json_object_get(one, "digest"), "sha256");

	if (name != NULL && json_object_get(names, name) != NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: a second one named '%.*s'", where, SHAPE_SHOWN, name);
	if (note(names, name, err) < 0)
		return -1;
	if (media == NULL || strcmp(media, ATTEST_TREE_MEDIA_TYPE) != 0 || (hex != NULL && json_object_get(digests, hex) != NULL))
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "%s: '%.*s' is the manifest of a tree that is not named elsewhere", where, SHAPE_SHOWN,
		       name == NULL ? "" : name);
}

int byproducts_check(const json_t *statement, struct err *err)
{
	auto_json names = json_object();
	auto_json digests = json_object();
	const json_t *one;
	size_t i;

	if (note_digests(statement, digests, err) < 0)
		return -1;
	json_array_foreach(list_of(statement), i, one)
		if (check_one(one, names, digests, err) < 0)
			return -1;
	return 0;
}

int attest_same_run(const struct attest_verified *build, const struct attest_verified *tests, struct err *err)
{
	const json_t *predicate = json_object_get(tests->statement, "predicate");
	char own[DIGEST_STR_SIZE], named[DIGEST_STR_SIZE];
	struct digest want;

	if (json_object_get(predicate, ATTEST_OWN_TESTS) == NULL)
		return 0;
	if (attest_byproduct(build->statement, ATTEST_TESTS_BYPRODUCT, &want))
		return digest_eq(&want, &tests->statement_digest) ? 0 :
		       err_set(err, ERR_UNVERIFIED, 0, "the test result is of another run: its statement is %s, and the provenance names %s",
			       digest_str(&tests->statement_digest, own), digest_str(&want, named));
	if (json_equal(json_object_get(predicate, "configuration"),
		       json_object_get(statement_definition(build->statement), "resolvedDependencies")))
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "the test result is of another run: its configuration is not what the provenance was made of");
}

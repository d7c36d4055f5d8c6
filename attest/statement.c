/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/statement.h"

#include <string.h>

#include "attest/shape.h"

/** Most subjects, dependencies, byproducts: each. */
#define LIST_MAX 100000

/** Room for "predicate.buildDefinition.resolvedDependencies[99999]". */
#define WHERE_SIZE 80

const json_t *statement_definition(const json_t *statement)
{
	return json_object_get(json_object_get(statement, "predicate"), "buildDefinition");
}

const json_t *statement_external(const json_t *statement)
{
	return json_object_get(statement_definition(statement), "externalParameters");
}

const json_t *statement_run(const json_t *statement)
{
	return json_object_get(json_object_get(statement, "predicate"), "runDetails");
}

const char *statement_builder_id(const json_t *statement)
{
	return json_str(json_object_get(statement_run(statement), "builder"), "id");
}

/** A digest map: algorithms that this program computes have their exact form, others are not empty. */
static int check_digest(const json_t *digest, const char *where, struct err *err)
{
	const char *name;
	json_t *value;

	if (json_object_size(digest) == 0)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: the digest is empty", where);
	json_object_foreach((json_t *)digest, name, value) {
		struct digest d;
		bool ours = strcmp(name, "sha256") == 0 || strcmp(name, "glovebox-tree-sha256") == 0;

		if (json_string_length(value) == 0 || (ours && !digest_parse_hex(json_string_value(value), &d)))
			return err_set(err, ERR_UNVERIFIED, 0, "%s: digest '%.*s' is not written as that digest is "
				       "(lower-case hex)", where, SHAPE_SHOWN, name);
	}
	return 0;
}

/** A ResourceDescriptor: named somehow, and pinned by a digest. */
static int check_descriptor(const json_t *d, const char *where, struct err *err)
{
	const json_t *name, *uri, *media, *digest;

	if (!json_is_object(d))
		return err_set(err, ERR_UNVERIFIED, 0, "%s: must be an object", where);
	if (shape_optional(d, "name", JSON_STRING, where, &name, err) < 0 ||
	    shape_optional(d, "uri", JSON_STRING, where, &uri, err) < 0 ||
	    shape_optional(d, "mediaType", JSON_STRING, where, &media, err) < 0 ||
	    shape_member(d, "digest", JSON_OBJECT, where, &digest, err) < 0)
		return -1;
	if (json_string_length(name) + json_string_length(uri) == 0)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: has neither name nor uri", where);
	return check_digest(digest, where, err);
}

/** An optional array of ResourceDescriptors. */
static int check_descriptors(const json_t *object, const char *name, const char *where, struct err *err)
{
	const json_t *list, *d;
	size_t i;

	if (shape_optional(object, name, JSON_ARRAY, where, &list, err) < 0)
		return -1;
	if (json_array_size(list) > LIST_MAX)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: '%s' has more than %d entries", where, name, LIST_MAX);
	json_array_foreach(list, i, d) {
		char at[WHERE_SIZE];

		snprintf(at, sizeof at, "%s.%s[%zu]", where, name, i);
		if (check_descriptor(d, at, err) < 0)
			return -1;
	}
	return 0;
}

static int check_subject(const json_t *subject, const char *where, json_t *seen, struct err *err)
{
	const char *name, *hex;
	const json_t *digest;

	if (!json_is_object(subject))
		return err_set(err, ERR_UNVERIFIED, 0, "%s: must be an object", where);
	if (shape_string(subject, "name", where, &name, err) < 0 ||
	    shape_member(subject, "digest", JSON_OBJECT, where, &digest, err) < 0 ||
	    shape_string(digest, "sha256", where, &hex, err) < 0 || check_digest(digest, where, err) < 0)
		return -1;
	if (json_object_get(seen, name) != NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: a second subject named '%.*s'", where, SHAPE_SHOWN, name);
	if (json_object_set_new(seen, name, json_true()) < 0)
		return err_set(err, ERR_INTERNAL, 0, "%s: memory is short", where);
	return 0;
}

static int check_subjects(const json_t *statement, struct err *err)
{
	const json_t *list, *subject;
	auto_json seen = json_object();
	size_t i;

	if (shape_member(statement, "subject", JSON_ARRAY, "statement", &list, err) < 0)
		return -1;
	if (json_array_size(list) == 0 || json_array_size(list) > LIST_MAX)
		return err_set(err, ERR_UNVERIFIED, 0, "statement: %zu subjects; there must be 1 to %d",
			       json_array_size(list), LIST_MAX);
	json_array_foreach(list, i, subject) {
		char at[WHERE_SIZE];

		snprintf(at, sizeof at, "subject[%zu]", i);
		if (check_subject(subject, at, seen, err) < 0)
			return -1;
	}
	return 0;
}

static int check_definition(const json_t *predicate, struct err *err)
{
	static const char where[] = "predicate.buildDefinition";
	const json_t *def, *params;
	const char *type;

	if (shape_member(predicate, "buildDefinition", JSON_OBJECT, "predicate", &def, err) < 0 ||
	    shape_string(def, "buildType", where, &type, err) < 0 ||
	    shape_member(def, "externalParameters", JSON_OBJECT, where, &params, err) < 0 ||
	    shape_optional(def, "internalParameters", JSON_OBJECT, where, &params, err) < 0)
		return -1;
	return check_descriptors(def, "resolvedDependencies", where, err);
}

static int check_builder(const json_t *run, struct err *err)
{
	static const char where[] = "predicate.runDetails.builder";
	const json_t *builder, *version;
	const char *id, *name;
	json_t *value;

	if (shape_member(run, "builder", JSON_OBJECT, "predicate.runDetails", &builder, err) < 0 ||
	    shape_string(builder, "id", where, &id, err) < 0 ||
	    shape_optional(builder, "version", JSON_OBJECT, where, &version, err) < 0 ||
	    check_descriptors(builder, "builderDependencies", where, err) < 0)
		return -1;
	json_object_foreach((json_t *)version, name, value)
		if (!json_is_string(value))
			return err_set(err, ERR_UNVERIFIED, 0, "%s: version of '%.*s' is not a string", where,
				       SHAPE_SHOWN, name);
	return 0;
}

/** Two digits at @p p as a number between @p min and @p max. */
static bool two_digits(const char *p, int min, int max)
{
	int v = (p[0] - '0') * 10 + (p[1] - '0');

	return v >= min && v <= max;
}

bool statement_is_time(const char *s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";

	for (size_t i = 0; i < sizeof form; i++)
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return false;
	/* 60: a leap second. */
	return two_digits(s + 5, 1, 12) && two_digits(s + 8, 1, 31) && two_digits(s + 11, 0, 23) &&
	       two_digits(s + 14, 0, 59) && two_digits(s + 17, 0, 60);
}

static int check_metadata(const json_t *run, struct err *err)
{
	static const char where[] = "predicate.runDetails.metadata";
	static const char *const times[] = { "startedOn", "finishedOn" };
	const json_t *meta, *id, *t[2];

	if (shape_optional(run, "metadata", JSON_OBJECT, "predicate.runDetails", &meta, err) < 0 ||
	    shape_optional(meta, "invocationId", JSON_STRING, where, &id, err) < 0)
		return -1;
	for (size_t i = 0; i < 2; i++) {
		if (shape_optional(meta, times[i], JSON_STRING, where, &t[i], err) < 0)
			return -1;
		if (t[i] != NULL && !statement_is_time(json_string_value(t[i])))
			return err_set(err, ERR_UNVERIFIED, 0, "%s: '%s' is not a time in UTC (RFC 3339, "
				       "\"2026-01-01T00:00:00Z\")", where, times[i]);
	}
	if (t[0] != NULL && t[1] != NULL && strcmp(json_string_value(t[0]), json_string_value(t[1])) > 0)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: the build finished before it started", where);
	return 0;
}

int statement_check_slsa(const json_t *statement, struct err *err)
{
	const json_t *predicate, *run;

	if (!json_is_object(statement))
		return err_set(err, ERR_UNVERIFIED, 0, "statement: must be a JSON object");
	if (shape_equals(statement, "_type", ATTEST_STATEMENT_TYPE, "statement", err) < 0 ||
	    shape_equals(statement, "predicateType", ATTEST_PROVENANCE_TYPE, "statement", err) < 0 ||
	    check_subjects(statement, err) < 0 ||
	    shape_member(statement, "predicate", JSON_OBJECT, "statement", &predicate, err) < 0 ||
	    check_definition(predicate, err) < 0 ||
	    shape_member(predicate, "runDetails", JSON_OBJECT, "predicate", &run, err) < 0 ||
	    check_builder(run, err) < 0 || check_metadata(run, err) < 0)
		return -1;
	return check_descriptors(run, "byproducts", "predicate.runDetails", err);
}

/** SLSA: a parameter is external or internal, never both. */
static int check_disjoint(const json_t *external, const json_t *internal, struct err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)external, name, value)
		if (json_object_get(internal, name) != NULL)
			return err_set(err, ERR_UNVERIFIED, 0, "predicate.buildDefinition: '%.*s' is an external and an "
				       "internal parameter", SHAPE_SHOWN, name);
	return 0;
}

/** What the build left is told twice: as a subject, and by internalParameters. */
static int check_output(const json_t *statement, const json_t *internal, struct err *err)
{
	const char *tree = json_str(internal, "outputTree");
	const json_t *subject;
	size_t i;

	json_array_foreach(json_object_get(statement, "subject"), i, subject) {
		const char *hex = json_str(json_object_get(subject, "digest"), "sha256");

		if (!text_starts(json_str(subject, "name"), ATTEST_OUTPUT_SUBJECT))
			continue;
		if (tree == NULL || !text_starts(tree, "sha256:") || strcmp(tree + strlen("sha256:"), hex) != 0)
			return err_set(err, ERR_UNVERIFIED, 0, "subject[%zu]: '%.*s' is not the tree that internalParameters.outputTree is", i,
				       SHAPE_SHOWN, json_str(subject, "name"));
	}
	return 0;
}

int statement_check(const json_t *statement, struct err *err)
{
	static const char where[] = "predicate.buildDefinition";
	const json_t *def, *internal, *deps;

	if (statement_check_slsa(statement, err) < 0)
		return -1;
	def = statement_definition(statement);
	if (shape_equals(def, "buildType", ATTEST_BUILD_TYPE, where, err) < 0 ||
	    params_check(statement_external(statement), err) < 0 ||
	    shape_member(def, "internalParameters", JSON_OBJECT, where, &internal, err) < 0 ||
	    shape_member(def, "resolvedDependencies", JSON_ARRAY, where, &deps, err) < 0)
		return -1;
	if (check_disjoint(statement_external(statement), internal, err) < 0 || check_output(statement, internal, err) < 0)
		return -1;
	return byproducts_check(statement, err);
}

int statement_parse(const char *text, size_t n, json_t **ret, struct err *err)
{
	auto_json j = NULL;

	if (n > ATTEST_BUNDLE_MAX)
		return err_set(err, ERR_UNVERIFIED, 0, "statement: larger than the limit of %u bytes", ATTEST_BUNDLE_MAX);
	if (shape_parse_canonical(text, n, 0, "statement", &j, err) < 0 || statement_check(j, err) < 0)
		return -1;
	*ret = move_ptr(j);
	return 0;
}

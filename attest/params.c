/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/statement.h"

#include <string.h>

#include "attest/shape.h"

static const char root[] = "externalParameters";

/** A text and its digest: two statements of one fact; whoever reads either must read the same. */
static int check_text(const json_t *of, const char *where, const char *where_digest, struct err *err)
{
	static const char *const digest_names[] = { "sha256", NULL };
	const json_t *digest, *text;
	const char *hex;
	struct digest stated, actual;

	if (shape_member(of, "text", JSON_STRING, where, &text, err) < 0 ||
	    shape_member(of, "digest", JSON_OBJECT, where, &digest, err) < 0 ||
	    shape_only(digest, digest_names, where_digest, err) < 0 ||
	    shape_string(digest, "sha256", where_digest, &hex, err) < 0 ||
	    hash_bytes(json_string_value(text), json_string_length(text), &actual, err) < 0)
		return -1;
	if (!digest_parse_hex(hex, &stated) || !digest_eq(&stated, &actual))
		return err_set(err, ERR_UNVERIFIED, 0, "%s: the digest is not that of the text", where);
	return 0;
}

/** What buildspec.lock said, where the spec left anything open. */
static int check_lock(const json_t *spec, struct err *err)
{
	static const char where[] = "externalParameters.spec.lock";
	static const char *const names[] = { "digest", "text", NULL };
	const json_t *lock;

	if (shape_optional(spec, "lock", JSON_OBJECT, "externalParameters.spec", &lock, err) < 0)
		return -1;
	return lock == NULL ? 0 : shape_only(lock, names, where, err) < 0 ? -1 : check_text(lock, where, "externalParameters.spec.lock.digest", err);
}

/** What the files said that the spec includes, in its order. */
static int check_includes(const json_t *spec, struct err *err)
{
	static const char where[] = "externalParameters.spec.includes[]";
	static const char *const names[] = { "digest", "path", "text", NULL };
	const json_t *includes, *item;
	const char *path;
	size_t i;

	if (shape_optional(spec, "includes", JSON_ARRAY, "externalParameters.spec", &includes, err) < 0)
		return -1;
	json_array_foreach((json_t *)includes, i, item) {
		if (!json_is_object(item))
			return err_set(err, ERR_UNVERIFIED, 0, "%s: must be an object", where);
		if (shape_only(item, names, where, err) < 0 || shape_string(item, "path", where, &path, err) < 0 ||
		    check_text(item, where, "externalParameters.spec.includes[].digest", err) < 0)
			return -1;
	}
	return 0;
}

/** Whether all of @p s, of @p least bytes or more, is of @p set. */
static bool is_of(const json_t *s, const char *set, size_t least)
{
	size_t n = json_string_length(s);

	return n >= least && strspn(json_string_value(s), set) == n;
}

/** What git said of the checkout that the spec lay in, of which its placeholders were filled in. */
static int check_facts(const json_t *spec, struct err *err)
{
	static const char where[] = "externalParameters.spec.facts";
	static const char *const names[] = { "gitCommitTime", "gitSha", "semver", NULL };
	const json_t *facts, *sha, *time, *version;

	if (shape_optional(spec, "facts", JSON_OBJECT, "externalParameters.spec", &facts, err) < 0)
		return -1;
	if (facts == NULL)
		return 0;
	if (shape_only(facts, names, where, err) < 0 || shape_optional(facts, "gitSha", JSON_STRING, where, &sha, err) < 0 ||
	    shape_optional(facts, "gitCommitTime", JSON_INTEGER, where, &time, err) < 0 ||
	    shape_optional(facts, "semver", JSON_STRING, where, &version, err) < 0)
		return -1;
	if (sha != NULL && (!is_of(sha, "0123456789abcdef", 40) || (json_string_length(sha) != 40 && json_string_length(sha) != 64)))
		return err_set(err, ERR_UNVERIFIED, 0, "%s: gitSha is no hash of a commit", where);
	if (version != NULL && !is_of(version, "0123456789.+-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 5))
		return err_set(err, ERR_UNVERIFIED, 0, "%s: semver is no version", where);
	return 0;
}

static int check_spec(const json_t *spec, struct err *err)
{
	static const char where[] = "externalParameters.spec";
	static const char *const names[] = { "digest", "facts", "fileName", "includes", "lock", "text", NULL };
	const char *file;

	if (shape_only(spec, names, where, err) < 0 || shape_string(spec, "fileName", where, &file, err) < 0 ||
	    check_text(spec, where, "externalParameters.spec.digest", err) < 0)
		return -1;
	return check_lock(spec, err) < 0 || check_includes(spec, err) < 0 ? -1 : check_facts(spec, err);
}

/** Options of an invocation that decide the result, in alphabetical order. One that is not
 *  here is refused: a verifier that does not know what it does cannot vouch for it. */
static const struct option {
	const char *name;
	json_type type;
} options[] = {
	{ "sourceDateEpoch", JSON_INTEGER },
};

static int check_option(const json_t *opts, const char *name, struct err *err)
{
	static const char where[] = "externalParameters.options";
	const json_t *value;

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strcmp(options[i].name, name) == 0)
			return shape_member(opts, name, options[i].type, where, &value, err);
	return err_set(err, ERR_UNVERIFIED, 0, "%s: unknown option '%.*s' (was this made by a newer glovebox?)", where,
		       SHAPE_SHOWN, name);
}

int params_check(const json_t *external, struct err *err)
{
	static const char *const names[] = { "options", "spec", NULL };
	const json_t *spec, *opts;
	const char *name;
	json_t *value;

	if (shape_only(external, names, root, err) < 0 ||
	    shape_member(external, "spec", JSON_OBJECT, root, &spec, err) < 0 ||
	    shape_member(external, "options", JSON_OBJECT, root, &opts, err) < 0 || check_spec(spec, err) < 0)
		return -1;
	json_object_foreach((json_t *)opts, name, value)
		if (check_option(opts, name, err) < 0)
			return -1;
	return 0;
}

/** The member at a dotted path, or NULL. */
static const json_t *at_path(const json_t *object, const char *path)
{
	for (;;) {
		size_t n = strcspn(path, ".");

		object = json_object_getn(object, path, n);
		if (object == NULL || path[n] == '\0')
			return object;
		path += n + 1;
	}
}

int params_match(const json_t *external, const struct oci_kv *want, struct err *err)
{
	const json_t *j = at_path(external, want->name);
	auto_buf text = {0};

	if (j == NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "external parameter '%s' is not in the provenance", want->name);
	if (json_is_object(j) || json_is_array(j) || json_is_null(j))
		return err_set(err, ERR_UNVERIFIED, 0, "external parameter '%s' is no single value; name one of its members",
			       want->name);
	if (json_is_string(j))
		buf_add(&text, json_string_value(j), json_string_length(j));
	else if (json_canonical(j, &text, err) < 0)
		return -1;
	if (buf_check(&text, want->name, err) < 0)
		return -1;
	if (text.len == strlen(want->value) && memcmp(text.len == 0 ? "" : text.data, want->value, text.len) == 0)
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "external parameter '%s' is '%.*s', must be '%s'", want->name, SHAPE_SHOWN,
		       text.len == 0 ? "" : text.data, want->value);
}

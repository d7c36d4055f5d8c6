/* SPDX-License-Identifier: Apache-2.0 */
/* Cases made from the schema table itself: for every row a good value, wrong types, a
 * missing and a misspelt key, values out of range, each with the message it must give. */
#ifndef GB_TEST_SPEC_CASES_H
#define GB_TEST_SPEC_CASES_H

#include <inttypes.h>

#include "tests/unit/spec/helper.h"
#include "spec/schema.h"

enum case_kind {
	CASE_GOOD, CASE_FACTS, CASE_WRONG_TYPE, CASE_MISSING, CASE_UNKNOWN, CASE_RANGE, CASE_FORM, CASE_WORD, CASE_LATER, CASE_ONE_OF,
	CASE_KINDS,
};

struct gen_case {
	enum case_kind kind;
	const struct schema_row *row;
	json_t *doc;
	const char *at;       /* path of the value or key that the message points at */
	bool at_key;
	const char *want;     /* the message after FILE:LINE:COL and path; NULL: accepted */
	bool yaml_only;       /* the fault is in how YAML is written: no JSON Schema sees it */
};

typedef void case_fn(const struct gen_case *c, void *arg);

static json_t *sample(const struct schema_row *row);

/* The least that a map needs. */
static json_t *least_map(const struct schema_row *map)
{
	json_t *j = json_object();
	const struct schema_row *row = NULL;

	while ((row = schema_next(map, row)) != NULL)
		if (row->required || (map->one_of != NULL && strcmp(schema_name(row), map->one_of[0]) == 0))
			json_object_set_new(j, schema_name(row), sample(row));
	return j;
}

/* A good value of a row. */
static json_t *sample(const struct schema_row *row)
{
	switch (row->type) {
	case SCHEMA_MAP:
		return least_map(row);
	case SCHEMA_LIST:
		return json_pack("[o]", least_map(row));
	case SCHEMA_STRING:
		return json_string(row->form->example);
	case SCHEMA_STRINGS:
		return json_pack("[s]", row->form->example);
	case SCHEMA_PAIRS:
		return json_pack("{s:s}", row->key_form->example, row->form->example);
	case SCHEMA_WORD:
	case SCHEMA_CHOICE:
		return json_string(row->words[0]);
	case SCHEMA_BOOL:
		return json_true();
	case SCHEMA_INT:
	case SCHEMA_NUMBER:
		return json_integer(row->max - 1);
	case SCHEMA_DURATION:
		return json_string("1h30m");
	case SCHEMA_SIZE:
		return json_string("64Mi");
	}
	return NULL;
}

/* The fields a row cannot stand beside: the others of one_of; and what it needs beside it. */
static void drop_rivals(const struct schema_row *map, json_t *in, const char *name)
{
	bool is_one = false;

	for (const char *const *key = map->one_of; key != NULL && *key != NULL; key++)
		is_one = is_one || strcmp(*key, name) == 0;
	for (const char *const *key = map->one_of; is_one && *key != NULL; key++)
		if (strcmp(*key, name) != 0)
			json_object_del(in, *key);
	static const char *const of_files[] = { "digest", "size", "unpack" };
	bool of_file = false;

	for (size_t i = 0; i < ARRAY_LEN(of_files); i++)
		of_file = of_file || strcmp(name, of_files[i]) == 0;
	if (schema_field(map, "url") != NULL && of_file) {
		json_object_del(in, "path");
		json_object_set_new(in, "url", json_string(form_url.example));
	}
}

/* The map that holds the field of @path in @doc, made where it is not there; the field's name. */
static json_t *holder(json_t *doc, const char *path, const char **ret_name)
{
	const struct schema_row *row = &schema_root;
	json_t *in = doc;

	for (;;) {
		size_t n = strcspn(path, ".[");
		char name[64];

		assert_true(n < sizeof name);
		memcpy(name, path, n);
		name[n] = '\0';
		drop_rivals(row, in, name);
		if (path[n] == '\0') {
			*ret_name = path;
			return in;
		}
		row = schema_field(row, name);
		assert_non_null(row);
		json_t *next = json_object_get(in, name);
		if (next == NULL) {
			next = row->status == SCHEMA_LATER ? (row->type == SCHEMA_LIST ? json_pack("[{}]") : json_object())
							   : sample(row);
			json_object_set_new(in, name, next);
		}
		in = row->type == SCHEMA_LIST ? json_array_get(next, 0) : next;
		path += n + (path[n] == '[' ? 3 : 1);
	}
}

/* "spec.tests[].name" as a message writes it. */
static void real_path(const char *path, char out[256])
{
	size_t n = 0;

	for (; *path != '\0'; path++) {
		out[n++] = *path;
		if (*path == '[')
			out[n++] = '0';
	}
	out[n] = '\0';
}

/* One value in the place of a row. Takes over @value. */
static void with_value(const struct schema_row *row, enum case_kind kind, json_t *value, const char *below, bool at_key,
		       bool yaml_only, const char *want, case_fn *fn, void *arg)
{
	json_t *doc = least_map(&schema_root);
	char path[256], at[300];
	const char *name;
	json_t *in = holder(doc, row->path, &name);

	json_object_set_new(in, name, value);
	real_path(row->path, path);
	snprintf(at, sizeof at, "%s%s", path, below);
	struct gen_case c = { kind, row, doc, at, at_key, want, yaml_only };
	fn(&c, arg);
	json_decref(doc);
}

static const char *expected(const struct schema_row *row, char out[256])
{
	static const char *const texts[] = {
		[SCHEMA_MAP] = "a mapping", [SCHEMA_LIST] = "a list", [SCHEMA_STRING] = "a string",
		[SCHEMA_STRINGS] = "a list of strings", [SCHEMA_PAIRS] = "a mapping of names to strings",
		[SCHEMA_BOOL] = "true or false", [SCHEMA_INT] = "a whole number", [SCHEMA_NUMBER] = "a number",
		[SCHEMA_DURATION] = "a duration such as 90s, 10m or 1h30m", [SCHEMA_SIZE] = "a size such as 64Mi or 1Gi",
	};

	if (row->words == NULL)
		return texts[row->type];
	out[0] = '\0';
	for (size_t i = 0; row->words[i] != NULL; i++) {
		strcat(out, i == 0 ? "" : row->words[i + 1] == NULL ? " or " : ", ");
		strcat(out, row->words[i]);
	}
	return out;
}

static const char *remedy(enum schema_type type, bool plain_scalar)
{
	switch (type) {
	case SCHEMA_MAP:
	case SCHEMA_PAIRS:
		return "write KEY: VALUE lines below it, indented";
	case SCHEMA_LIST:
	case SCHEMA_STRINGS:
		return "begin each entry with '- '";
	case SCHEMA_BOOL:
		return "write true or false, without quotes";
	case SCHEMA_INT:
	case SCHEMA_NUMBER:
		return "write it in decimal digits, without quotes";
	default:
		return plain_scalar ? "put it in quotes" : "write a single value";
	}
}

static void wrong_types(const struct schema_row *row, case_fn *fn, void *arg)
{
	static const struct {
		const char *json, *found;
		bool plain, yaml_only;
	} values[] = {
		{ "null", "nothing", true, false },
		{ "{\"a\": \"b\"}", "a mapping", false, false },
		{ "[\"a\"]", "a list", false, false },
		{ "true", "the boolean true", true, false },
		{ "7", "the number '7'", true, false },
		{ "1.5", "the number '1.5'", true, false },
		{ "\"word\"", "the string 'word'", false, false },
		{ "\"!raw plain\"", "the string 'plain'", true, false },
		{ "\"!raw yes\"", "'yes', which YAML readers take for different things", true, true },
		{ "\"!raw 010\"", "'010', which YAML readers take for different things", true, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		json_t *v = json_loads(values[i].json, JSON_DECODE_ANY, NULL);
		const char *s = json_string_value(v);
		bool raw = values[i].yaml_only, right = false;
		char words[256], want[700];

		switch (row->type) {
		case SCHEMA_MAP: case SCHEMA_PAIRS: right = json_is_object(v); break;
		case SCHEMA_LIST: case SCHEMA_STRINGS: right = json_is_array(v); break;
		case SCHEMA_BOOL: right = json_is_true(v); break;
		case SCHEMA_INT: right = json_is_integer(v); break;
		case SCHEMA_NUMBER: right = json_is_number(v); break;
		case SCHEMA_DURATION: case SCHEMA_SIZE: right = json_is_integer(v) || (s != NULL && !raw); break;
		default: right = s != NULL && !raw; break;
		}
		if (right) {
			json_decref(v);
			continue;
		}
		snprintf(want, sizeof want, "expected %s, found %s; %s", expected(row, words), values[i].found,
			 json_is_null(v) ? "give it a value or remove the key" : remedy(row->type, values[i].plain));
		with_value(row, CASE_WRONG_TYPE, v, "", false, values[i].yaml_only, want, fn, arg);
	}
	/* Entries of lists and maps of strings. */
	const char *number = "expected a string, found the number '7'; put it in quotes";
	if (row->type == SCHEMA_STRINGS)
		with_value(row, CASE_WRONG_TYPE, json_pack("[s, i]", row->form->example, 7), "[1]", false, false, number, fn, arg);
	if (row->type == SCHEMA_PAIRS)
		with_value(row, CASE_WRONG_TYPE, json_pack("{s:i}", "LANG", 7), ".LANG", false, false, number, fn, arg);
	if (row->type == SCHEMA_LIST)
		with_value(row, CASE_WRONG_TYPE, json_pack("[s]", "word"), "[0]", false, false,
			   "expected a mapping, found the string 'word'; write KEY: VALUE lines below it, indented", fn, arg);
}

/* The path of the map that a field stands in. */
static void parent_path(const char *path, char out[256])
{
	real_path(path, out);
	char *dot = strrchr(out, '.');
	*(dot != NULL ? dot : out) = '\0';
}

static void missing(const struct schema_row *row, case_fn *fn, void *arg)
{
	json_t *doc = least_map(&schema_root);
	char at[256], want[700];
	const char *name;
	json_t *in = holder(doc, row->path, &name);

	/* Nothing to point at in an empty map but the map. */
	json_object_del(in, name);
	parent_path(row->path, at);
	snprintf(want, sizeof want, "'%s' is missing; add it: %s", name, row->help);
	struct gen_case c = { CASE_MISSING, row, doc, at, false, want, false };
	fn(&c, arg);
	json_decref(doc);
}

/* What stands beside a row under a name that is not in the table. */
static void unknown_sibling(const struct schema_row *row, const char *key, const char *want, case_fn *fn, void *arg)
{
	json_t *doc = least_map(&schema_root);
	char at[256];
	const char *name;
	json_t *in = holder(doc, row->path, &name);

	json_object_set_new(in, key, json_string("x"));
	parent_path(row->path, at);
	snprintf(at + strlen(at), sizeof at - strlen(at), "%s%s", *at != '\0' ? "." : "", key);
	struct gen_case c = { CASE_UNKNOWN, row, doc, at, true, want, false };
	fn(&c, arg);
	json_decref(doc);
}

static void unknown(const struct schema_row *row, case_fn *fn, void *arg)
{
	const char *name = schema_name(row);
	char key[80], want[128];

	snprintf(want, sizeof want, "unknown key; did you mean '%s'?", name);
	snprintf(key, sizeof key, "%s_", name);
	unknown_sibling(row, key, want, fn, arg);
	/* Letters swapped, the commonest slip. Short names have too near neighbours (uid, gid). */
	if (strlen(name) > 5 && name[2] != name[3]) {
		snprintf(key, sizeof key, "%s", name);
		key[2] = name[3];
		key[3] = name[2];
		unknown_sibling(row, key, want, fn, arg);
	}
}

/* A map's own words for a key that is like none. */
static void unknown_far(const struct schema_row *map, case_fn *fn, void *arg)
{
	const struct schema_row *row = NULL, *first = schema_next(map, NULL);
	char want[700] = "unknown key; known here: ";
	const char *comma = "";

	while ((row = schema_next(map, row)) != NULL)
		if (row->status != SCHEMA_LATER) {
			strcat(want, comma);
			strcat(want, schema_name(row));
			comma = ", ";
		}
	unknown_sibling(first, "qqqqqqqqqqqqqqqqqq", want, fn, arg);
}

static void out_of_range(const struct schema_row *row, case_fn *fn, void *arg)
{
	char numbers[4][40];
	size_t n = 0;
	char limits[100], want[400];

	if (row->type == SCHEMA_INT || row->type == SCHEMA_NUMBER) {
		snprintf(numbers[n++], 40, "%" PRId64, row->min == 0 || row->or_zero ? -1 : row->min - 1);
		snprintf(numbers[n++], 40, "%" PRId64, row->max + 1);
		snprintf(numbers[n++], 40, "99999999999999999999");
		if (row->or_zero)
			snprintf(numbers[n++], 40, "%" PRId64, row->min - 1);
		if (row->type == SCHEMA_NUMBER)
			snprintf(numbers[n++], 40, "%" PRId64 ".0001", row->max);
		snprintf(limits, sizeof limits, "%s%" PRId64 " to %" PRId64, row->or_zero ? "0, or " : "", row->min, row->max);
	} else if (row->type == SCHEMA_DURATION) {
		snprintf(numbers[n++], 40, "0");
		snprintf(numbers[n++], 40, "%" PRId64, row->max / 1000 + 1);
		snprintf(limits, sizeof limits, "1ms to %" PRId64 "h", row->max / 3600000);
	} else if (row->type == SCHEMA_SIZE) {
		snprintf(numbers[n++], 40, row->min == 1 ? "0" : "1048575");
		snprintf(numbers[n++], 40, "1099511627777");
		snprintf(limits, sizeof limits, row->min == 1 ? "1 to 1Ti" : "1Mi to 1Ti");
	}
	for (size_t i = 0; i < n; i++) {
		char raw[200];

		snprintf(want, sizeof want, "'%s' is out of range; expected %s", numbers[i], limits);
		snprintf(raw, sizeof raw, "!raw %s", numbers[i]);
		with_value(row, CASE_RANGE, json_string(raw), "", false, false, want, fn, arg);
	}
}

static void wrong_count(const struct schema_row *row, case_fn *fn, void *arg)
{
	char want[100];

	if (row->min > 0)
		with_value(row, CASE_RANGE, json_array(), "", false, false,
			   row->type == SCHEMA_LIST ? "the list is empty; add an entry or remove the key"
						    : "needs at least 1 entry; add one or remove the key", fn, arg);
	/* Longer ones are cut off by yaml.c's own limit. */
	if (row->type == SCHEMA_LIST) {
		json_t *many = json_array();

		for (int64_t i = 0; i <= row->max; i++)
			json_array_append_new(many, least_map(row));
		snprintf(want, sizeof want, "has %" PRId64 " entries; the limit is %" PRId64, row->max + 1, row->max);
		with_value(row, CASE_RANGE, many, "", false, false, want, fn, arg);
	}
}

static json_t *long_text(size_t n)
{
	char *text = malloc(n + 1);

	assert_non_null(text);
	memset(text, 'a', n);
	text[n] = '\0';
	json_t *j = json_string(text);
	free(text);
	return j;
}

/* Strings that are not what they should be. */
static void wrong_form(const struct schema_row *row, case_fn *fn, void *arg)
{
	static const char *const texts[] = { "", " ", "a b\n", "/a/../b", "a:b:c", "-x", "/", "ä", "A/", "a@b" };
	char want[700], as_found[80];

	snprintf(want, sizeof want, "longer than %zu bytes", row->form->max);
	json_t *too_long = long_text(row->form->max + 1);
	if (row->type == SCHEMA_STRING)
		with_value(row, CASE_FORM, json_incref(too_long), "", false, false, want, fn, arg);
	else if (row->type == SCHEMA_STRINGS)
		with_value(row, CASE_FORM, json_pack("[O]", too_long), "[0]", false, false, want, fn, arg);
	else
		with_value(row, CASE_FORM, json_pack("{s:O}", "LANG", too_long), ".LANG", false, false, want, fn, arg);
	json_decref(too_long);

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (schema_form_ok(row->form, texts[i]))
			continue;
		snprintf(as_found, sizeof as_found, "%s", texts[i]);
		if (strchr(as_found, '\n') != NULL)
			strcpy(strchr(as_found, '\n'), "\\012");
		snprintf(want, sizeof want, "expected %s, found '%s'; for example: %s", row->form->what, as_found, row->form->example);
		/* Forms whose patterns are wider than they are say no by code alone. */
		bool blind = row->form == &form_mount || row->form == &form_image_path || row->form == &form_inner_path;
		if (row->type == SCHEMA_STRING)
			with_value(row, CASE_FORM, json_string(texts[i]), "", false, blind, want, fn, arg);
		else if (row->type == SCHEMA_STRINGS)
			with_value(row, CASE_FORM, json_pack("[s]", texts[i]), "[0]", false, blind, want, fn, arg);
	}
}

static void wrong_word(const struct schema_row *row, case_fn *fn, void *arg)
{
	char words[256], bad[80], want[700];

	snprintf(bad, sizeof bad, "%s_", row->words[0]);
	snprintf(want, sizeof want, "expected %s, found '%s'; did you mean '%s'?", expected(row, words), bad, row->words[0]);
	with_value(row, CASE_WORD, json_string(bad), "", false, false, want, fn, arg);
	snprintf(want, sizeof want, "expected %s, found 'qqqqqqqqqqqq'", expected(row, words));
	with_value(row, CASE_WORD, json_string("qqqqqqqqqqqq"), "", false, false, want, fn, arg);
}

/* Placeholders: those that are known, and one that is not, which the schema does not tell apart. */
static void placeholders(const struct schema_row *row, case_fn *fn, void *arg)
{
	static const char unknown[] = "'{git.x}-' is no placeholder; known are {git.sha}, {git.commitTime} and {semver}";
	static const char good[] = "v-{git.sha}-{git.commitTime}.{semver}";

	if (row->or_fact != SPEC_NO_FACT)
		with_value(row, CASE_FACTS, json_string(spec_fact_name(row->or_fact)), "", false, false, NULL, fn, arg);
	if (row->placeholders && row->type == SCHEMA_PAIRS) {
		with_value(row, CASE_FACTS, json_pack("{s:s}", "LANG", good), "", false, false, NULL, fn, arg);
		with_value(row, CASE_FORM, json_pack("{s:s}", "LANG", "v-{git.x}-"), ".LANG", false, true, unknown, fn, arg);
	} else if (row->placeholders) {
		with_value(row, CASE_FACTS, json_pack("[s]", good), "", false, false, NULL, fn, arg);
		with_value(row, CASE_FORM, json_pack("[s]", "v-{git.x}-"), "[0]", false, true, unknown, fn, arg);
	}
}

/* The topmost refused row above @row, or the row itself. */
static const struct schema_row *topmost_later(const struct schema_row *row)
{
	const struct schema_row *r;

	for (size_t i = 0; (r = schema_at(i)) != NULL; i++) {
		size_t n = strlen(r->path);

		if (r->status == SCHEMA_LATER && strncmp(row->path, r->path, n) == 0 &&
		    (row->path[n] == '\0' || row->path[n] == '.' || row->path[n] == '['))
			return r;
	}
	return NULL;
}

static void later_field(const struct schema_row *row, case_fn *fn, void *arg)
{
	json_t *doc = least_map(&schema_root);
	char at[256];
	const char *name;
	json_t *in = holder(doc, row->path, &name);

	json_object_set_new(in, name, json_string("x"));
	real_path(topmost_later(row)->path, at);
	struct gen_case c = { CASE_LATER, row, doc, at, true,
			      "known, but not implemented in this version of glovebox; remove it", false };
	fn(&c, arg);
	json_decref(doc);
}

static void one_of(const struct schema_row *row, case_fn *fn, void *arg)
{
	char path[256], want[200];
	const char *a = row->one_of[0], *b = row->one_of[1], *below = row->type == SCHEMA_LIST ? "[0]" : "";

	for (int both = 0; both < 2; both++) {
		json_t *doc = least_map(&schema_root);
		const char *name;
		json_t *in = holder(doc, row->path, &name);

		if (json_object_get(in, name) == NULL)
			json_object_set_new(in, name, sample(row));
		in = json_object_get(in, name);
		if (row->type == SCHEMA_LIST)
			in = json_array_get(in, 0);
		if (both) {
			json_object_set_new(in, b, sample(schema_field(row, b)));
			snprintf(want, sizeof want, "%s and %s exclude each other; remove one of them", a, b);
		} else {
			auto_buf words = {0};

			json_object_del(in, a);
			text_words(&words, row->one_of, "or");
			snprintf(want, sizeof want, "'%s' is missing; add %s", a, words.data);
		}
		real_path(row->path, path);
		snprintf(path + strlen(path), sizeof path - strlen(path), "%s%s%s", below, both ? "." : "", both ? b : "");
		struct gen_case c = { CASE_ONE_OF, row, doc, path, both, want, false };
		fn(&c, arg);
		json_decref(doc);
	}
}

static void cases_of(const struct schema_row *row, case_fn *fn, void *arg)
{
	unknown(row, fn, arg);
	if (row->status == SCHEMA_LATER) {
		later_field(row, fn, arg);
		return;
	}
	with_value(row, CASE_GOOD, sample(row), "", false, false, NULL, fn, arg);
	wrong_types(row, fn, arg);
	placeholders(row, fn, arg);
	if (row->required)
		missing(row, fn, arg);
	if (row->type == SCHEMA_MAP || row->type == SCHEMA_LIST)
		unknown_far(row, fn, arg);
	if (row->type == SCHEMA_LIST || row->type == SCHEMA_STRINGS)
		wrong_count(row, fn, arg);
	out_of_range(row, fn, arg);
	if (row->form != NULL)
		wrong_form(row, fn, arg);
	if (row->words != NULL)
		wrong_word(row, fn, arg);
	if (row->one_of != NULL)
		one_of(row, fn, arg);
}

/* All cases of all rows; a refused row's inner rows are only known by name. */
static void all_cases(case_fn *fn, void *arg)
{
	const struct schema_row *row;

	unknown_far(&schema_root, fn, arg);
	for (size_t i = 0; (row = schema_at(i)) != NULL; i++) {
		const struct schema_row *top = topmost_later(row);

		if (top == NULL || top == row)
			cases_of(row, fn, arg);
		else
			later_field(row, fn, arg);
	}
}

#endif

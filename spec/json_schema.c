/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Schema (draft 2020-12) that the table is. It accepts what spec_parse() accepts,
 * except where only code can tell: see schema_form.pattern and rules.c. */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "spec/schema.h"

/** A schema being made. A part that memory was short for is NULL, and makes whatever takes it fail. */
struct maker {
	bool failed;
};

static json_t *map_schema(struct maker *m, const struct schema_row *row);

/** Sets a member; takes over @p value. */
static void put(struct maker *m, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		m->failed = true;
}

/** Appends an entry; takes over @p value. */
static void append(struct maker *m, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		m->failed = true;
}

/** An object {"type": TYPE}. */
static json_t *typed(const char *type)
{
	return json_pack("{s:s}", "type", type);
}

static json_t *string_schema(struct maker *m, const struct schema_form *form)
{
	json_t *j = json_pack("{s:s, s:I}", "type", "string", "maxLength", (json_int_t)form->max);

	if (form->pattern != NULL)
		put(m, j, "pattern", json_string(form->pattern));
	return j;
}

static json_t *word_schema(struct maker *m, const struct schema_row *row)
{
	json_t *words = json_array();

	for (size_t i = 0; row->words[i] != NULL; i++)
		append(m, words, json_string(row->words[i]));
	return json_pack("{s:o}", "enum", words);
}

static json_t *range_schema(const char *type, int64_t min, int64_t max)
{
	return json_pack("{s:s, s:I, s:I}", "type", type, "minimum", (json_int_t)min, "maximum", (json_int_t)max);
}

static json_t *int_schema(const struct schema_row *row)
{
	if (row->or_zero)
		return json_pack("{s:[{s:i}, o]}", "anyOf", "const", 0, range_schema("integer", row->min, row->max));
	if (row->or_fact != SPEC_NO_FACT)
		return json_pack("{s:[{s:s}, o]}", "anyOf", "const", spec_fact_name(row->or_fact),
				 range_schema("integer", row->min, row->max));
	return range_schema("integer", row->min, row->max);
}

/** A bare number in the base unit, or text with units. */
static json_t *quantity_schema(const struct schema_row *row)
{
	bool duration = row->type == SCHEMA_DURATION;
	int64_t unit = duration ? 1000 : 1;
	const char *pattern = duration ? "^([0-9]+|([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$" : "^[0-9]+([kMGT]|[KMGT]i)?$";

	return json_pack("{s:[o, {s:s, s:i, s:s}]}", "anyOf",
			 range_schema("integer", (row->min + unit - 1) / unit, row->max / unit),
			 "type", "string", "minLength", 1, "pattern", pattern);
}

static json_t *pairs_schema(struct maker *m, const struct schema_row *row)
{
	return json_pack("{s:s, s:o, s:o}", "type", "object", "propertyNames", string_schema(m, row->key_form),
			 "additionalProperties", string_schema(m, row->form));
}

static json_t *array_schema(const struct schema_row *row, json_t *items)
{
	return json_pack("{s:s, s:o, s:I, s:I}", "type", "array", "items", items,
			 "minItems", (json_int_t)row->min, "maxItems", (json_int_t)row->max);
}

static json_t *value_schema(struct maker *m, const struct schema_row *row)
{
	switch (row->type) {
	case SCHEMA_MAP:
		return map_schema(m, row);
	case SCHEMA_LIST:
		return array_schema(row, map_schema(m, row));
	case SCHEMA_STRING:
		return string_schema(m, row->form);
	case SCHEMA_STRINGS:
		return array_schema(row, string_schema(m, row->form));
	case SCHEMA_PAIRS:
		return pairs_schema(m, row);
	case SCHEMA_WORD:
	case SCHEMA_CHOICE:
		return word_schema(m, row);
	case SCHEMA_BOOL:
		return typed("boolean");
	case SCHEMA_INT:
		return int_schema(row);
	case SCHEMA_NUMBER:
		return range_schema("number", row->min, row->max);
	case SCHEMA_DURATION:
	case SCHEMA_SIZE:
		return quantity_schema(row);
	}
	return NULL;
}

/** A default as the JSON value it is. */
static json_t *default_value(const struct schema_row *row)
{
	if (row->type == SCHEMA_BOOL)
		return json_boolean(strcmp(row->dflt, "true") == 0);
	if (row->type == SCHEMA_INT)
		return json_integer(strtoll(row->dflt, NULL, 10));
	return json_string(row->dflt);
}

static json_t *field_schema(struct maker *m, const struct schema_row *row)
{
	/* Nothing matches, and an editor shows why. */
	if (row->status == SCHEMA_LATER)
		return json_pack("{s:{}, s:s+}", "not", "description", row->help,
				 " Known, but not implemented in this version.");
	json_t *j = value_schema(m, row);
	put(m, j, "description", json_string(row->help));
	if (row->dflt != NULL)
		put(m, j, "default", default_value(row));
	return j;
}

/** A schema of maps that have @p key; it names the key as a property because strict validators want that. */
static json_t *required_key(const char *key)
{
	return json_pack("{s:[s], s:{s:b}}", "required", key, "properties", key, 1);
}

/** {"required": …} and exactly one of some keys. */
static void add_presence(struct maker *m, json_t *schema, const struct schema_row *parent)
{
	auto_json required = json_array();
	const struct schema_row *row = NULL;

	while ((row = schema_next(parent, row)) != NULL)
		if (row->required)
			append(m, required, json_string(schema_name(row)));
	if (json_array_size(required) != 0)
		put(m, schema, "required", json_incref(required));
	if (parent->one_of == NULL)
		return;
	json_t *one_of = json_array();
	for (const char *const *key = parent->one_of; *key != NULL; key++)
		append(m, one_of, required_key(*key));
	put(m, schema, "oneOf", one_of);
}

static json_t *map_schema(struct maker *m, const struct schema_row *row)
{
	json_t *properties = json_object();
	const struct schema_row *field = NULL;

	while ((field = schema_next(row, field)) != NULL)
		put(m, properties, schema_name(field), field_schema(m, field));
	json_t *schema = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);
	add_presence(m, schema, row);
	return schema;
}

int spec_json_schema(struct buf *out, struct err *err)
{
	struct maker m = {0};
	auto_json schema = map_schema(&m, &schema_root);

	put(&m, schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
	put(&m, schema, "title", json_string("BuildSpec platform.build/v1"));
	if (m.failed)
		return err_set(err, ERR_INTERNAL, ENOMEM, "making the JSON Schema of a spec");
	return json_pretty(schema, out, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Schema says what the parser does: every generated case is judged by both. */
#include <regex.h>

#include "tests/unit/spec/cases.h"

static bool valid(const json_t *schema, const json_t *v);

static bool matches(const char *pattern, const char *text)
{
	regex_t re;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	bool yes = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return yes;
}

static bool is_type(const char *type, const json_t *v)
{
	return strcmp(type, "object") == 0 ? json_is_object(v) : strcmp(type, "array") == 0 ? json_is_array(v) :
		strcmp(type, "string") == 0 ? json_is_string(v) : strcmp(type, "boolean") == 0 ? json_is_boolean(v) :
		strcmp(type, "integer") == 0 ? json_is_integer(v) : strcmp(type, "number") == 0 ? json_is_number(v) : false;
}

static bool valid_object(const json_t *schema, const json_t *v)
{
	const json_t *properties = json_object_get(schema, "properties"), *others = json_object_get(schema, "additionalProperties");
	const json_t *names = json_object_get(schema, "propertyNames");
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)v, key, value) {
		const json_t *p = json_object_get(properties, key);
		auto_json name = json_string(key);

		if (names != NULL && !valid(names, name))
			return false;
		if (p != NULL ? !valid(p, value) : others != NULL && !valid(others, value))
			return false;
	}
	return true;
}

static bool valid_number(const char *key, const json_t *limit, const json_t *v)
{
	double d = json_number_value(v), l = json_number_value(limit);

	return !json_is_number(v) || (strcmp(key, "minimum") == 0 ? d >= l : d <= l);
}

static size_t count_valid(const json_t *schemas, const json_t *v)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(schemas); i++)
		n += valid(json_array_get(schemas, i), v);
	return n;
}

static bool contains(const json_t *array, const json_t *v)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (json_equal(json_array_get(array, i), v))
			return true;
	return false;
}

static size_t code_points(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* One keyword of draft 2020-12, of those that the schema uses; an unknown one fails the test. */
static bool keyword(const char *key, const json_t *arg, const json_t *v)
{
	const char *s = json_string_value(v);
	json_int_t n = json_integer_value(arg);

	if (strcmp(key, "type") == 0)
		return is_type(json_string_value(arg), v);
	if (strcmp(key, "enum") == 0)
		return contains(arg, v);
	if (strcmp(key, "const") == 0)
		return json_equal(arg, v);
	if (strcmp(key, "pattern") == 0)
		return s == NULL || matches(json_string_value(arg), s);
	if (strcmp(key, "maxLength") == 0)
		return s == NULL || code_points(s) <= (size_t)n;
	if (strcmp(key, "minLength") == 0)
		return s == NULL || code_points(s) >= (size_t)n;
	if (strcmp(key, "minimum") == 0 || strcmp(key, "maximum") == 0)
		return valid_number(key, arg, v);
	if (strcmp(key, "minItems") == 0)
		return !json_is_array(v) || json_array_size(v) >= (size_t)n;
	if (strcmp(key, "maxItems") == 0)
		return !json_is_array(v) || json_array_size(v) <= (size_t)n;
	if (strcmp(key, "items") == 0) {
		for (size_t i = 0; i < json_array_size(v); i++)
			if (!valid(arg, json_array_get(v, i)))
				return false;
		return true;
	}
	if (strcmp(key, "required") == 0) {
		for (size_t i = 0; json_is_object(v) && i < json_array_size(arg); i++)
			if (json_object_get(v, json_string_value(json_array_get(arg, i))) == NULL)
				return false;
		return true;
	}
	if (strcmp(key, "not") == 0)
		return !valid(arg, v);
	if (strcmp(key, "anyOf") == 0)
		return count_valid(arg, v) > 0;
	if (strcmp(key, "oneOf") == 0)
		return count_valid(arg, v) == 1;
	if (strcmp(key, "properties") == 0 || strcmp(key, "additionalProperties") == 0 || strcmp(key, "propertyNames") == 0 ||
	    strcmp(key, "description") == 0 || strcmp(key, "default") == 0 || strcmp(key, "title") == 0 || strcmp(key, "$schema") == 0)
		return true;
	fail_msg("keyword %s", key);
	return false;
}

static bool valid(const json_t *schema, const json_t *v)
{
	const char *key;
	json_t *arg;

	if (json_is_boolean(schema))
		return json_is_true(schema);
	json_object_foreach((json_t *)schema, key, arg)
		if (!keyword(key, arg, v))
			return false;
	return !json_is_object(v) || valid_object(schema, v);
}

static json_t *make_schema(void)
{
	struct err err = {0};
	auto_buf text = {0};
	json_t *schema;

	assert_int_equal(spec_json_schema(&text, &err), 0);
	assert_int_equal(text.data[text.len - 1], '\n');
	assert_int_equal(json_parse(text.data, text.len, "schema", ERR_INTERNAL, &schema, &err), 0);
	return schema;
}

/* "!raw 7" is the number 7 to whoever reads the YAML. */
static json_t *resolve(json_t *v)
{
	const char *s = json_string_value(v), *key;
	json_t *value;

	if (s != NULL && strncmp(s, "!raw ", 5) == 0) {
		value = json_loads(s + 5, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
		/* Whole numbers as such where they fit. */
		if (value != NULL && strchr(s, '.') == NULL && strlen(s) < 20) {
			json_decref(value);
			value = json_integer(atoll(s + 5));
		}
		return value != NULL ? value : json_string(s + 5);
	}
	if (json_is_array(v)) {
		json_t *copy = json_array();

		for (size_t i = 0; i < json_array_size(v); i++)
			json_array_append_new(copy, resolve(json_array_get(v, i)));
		return copy;
	}
	if (json_is_object(v)) {
		json_t *copy = json_object();

		json_object_foreach(v, key, value)
			json_object_set_new(copy, key, resolve(value));
		return copy;
	}
	return json_incref(v);
}

struct tally {
	json_t *schema;
	size_t agreed, blind;
};

static void compare(const struct gen_case *c, void *arg)
{
	struct tally *t = arg;
	auto_json doc = resolve(c->doc);

	if (c->yaml_only) {
		t->blind++;
		return;
	}
	if (valid(t->schema, doc) != (c->want == NULL)) {
		char *text = json_dumps(doc, JSON_COMPACT);

		fail_msg("the parser %s, the schema does not: %.500s: %s", c->want == NULL ? "accepts" : "refuses", text,
			 c->want != NULL ? c->want : "");
	}
	t->agreed++;
}

static void agrees_with_parser(void **state)
{
	struct tally t = { .schema = make_schema() };
	(void)state;

	all_cases(compare, &t);
	print_message("# agreed: %zu, beyond a schema: %zu\n", t.agreed, t.blind);
	assert_true(t.agreed > 800);
	assert_true(t.blind > 0 && t.blind * 4 < t.agreed);
	json_decref(t.schema);
}

/* Everything closed: no map takes keys that the table does not name. */
static void closed(const json_t *schema, size_t *maps)
{
	const char *key;
	json_t *p;

	if (json_object_get(schema, "properties") != NULL && json_object_get(schema, "type") != NULL) {
		assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
		(*maps)++;
	}
	json_object_foreach(json_object_get(schema, "properties"), key, p)
		closed(p, maps);
	if (json_object_get(schema, "items") != NULL)
		closed(json_object_get(schema, "items"), maps);
}

static void all_maps_are_closed(void **state)
{
	auto_json schema = make_schema();
	size_t maps = 0;
	(void)state;

	assert_string_equal(json_str(schema, "$schema"), "https://json-schema.org/draft/2020-12/schema");
	closed(schema, &maps);
	assert_true(maps >= 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_maps_are_closed),
		cmocka_unit_test(agrees_with_parser),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

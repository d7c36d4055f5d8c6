/* SPDX-License-Identifier: Apache-2.0 */
/* One value: checked against its row, then stored. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "spec/reader.h"

/** Where @p row is stored. */
static void *member(const struct schema_row *row, void *base)
{
	return (char *)base + row->at;
}

/** Refuses what is not a string to every reader of YAML. @p expected names the field's type. */
static int need_string(const struct reader *r, const struct node *node, const char *expected)
{
	if (node->kind == NODE_SCALAR && (!node->plain || scalar_kind(node->text) == SCALAR_STRING))
		return 0;
	return type_error(r, node, SCHEMA_STRING, expected);
}

static int need_form(const struct reader *r, const struct schema_row *row, const struct schema_form *form, const struct node *node)
{
	char q[QUOTE_SIZE];

	if (need_string(r, node, "a string") < 0)
		return -1;
	if (strlen(node->text) > form->max)
		return value_error(r, node, "longer than %zu bytes", form->max);
	if (!form->ok(node->text))
		return value_error(r, node, "expected %s, found %s; for example: %s", form->what, quote(q, node->text), form->example);
	return row->placeholders ? note_facts(r, row, node) : 0;
}

static int store_string(const struct reader *r, const struct schema_row *row, const char *text, void *base)
{
	if (row->at == SCHEMA_NOWHERE)
		return 0;
	char *copy = strdup(text);
	if (copy == NULL)
		return reader_no_memory(r);
	*(char **)member(row, base) = copy;
	return 0;
}

static int read_string(const struct reader *r, const struct schema_row *row, const struct node *node, void *base)
{
	if (need_form(r, row, row->form, node) < 0)
		return -1;
	return store_string(r, row, node->text, base);
}

/** Whether the number of entries is within the row's limits. */
static int check_count(const struct reader *r, const struct schema_row *row, const struct node *node)
{
	if (node->n < (size_t)row->min)
		return value_error(r, node, "needs at least %" PRId64 " entr%s; add one or remove the key", row->min, row->min == 1 ? "y" : "ies");
	if (node->n > (size_t)row->max)
		return value_error(r, node, "has %zu entries; the limit is %" PRId64, node->n, row->max);
	return 0;
}

static int read_strings(const struct reader *r, const struct schema_row *row, const struct node *node, void *base)
{
	struct spec_list *list = member(row, base);

	if (node->kind != NODE_LIST)
		return type_error(r, node, row->type, "a list of strings");
	if (check_count(r, row, node) < 0)
		return -1;
	list->v = calloc(node->n + 1, sizeof *list->v);
	if (list->v == NULL)
		return reader_no_memory(r);
	for (const struct node *item = node->first; item != NULL; item = item->next) {
		if (need_form(r, row, row->form, item) < 0)
			return -1;
		list->v[list->n] = strdup(item->text);
		if (list->v[list->n] == NULL)
			return reader_no_memory(r);
		list->n++;
	}
	return 0;
}

static int check_pair(const struct reader *r, const struct schema_row *row, const struct node *item)
{
	char q[QUOTE_SIZE];

	if (item->plain_key && scalar_kind(item->key) != SCALAR_STRING)
		return key_error(r, item, "the name %s is not a string to every YAML reader; put it in quotes", quote(q, item->key));
	if (!schema_form_ok(row->key_form, item->key))
		return key_error(r, item, "expected %s, found %s; for example: %s", row->key_form->what, quote(q, item->key),
				 row->key_form->example);
	return need_form(r, row, row->form, item);
}

static int read_pairs(const struct reader *r, const struct schema_row *row, const struct node *node, void *base)
{
	struct spec_map *map = member(row, base);

	if (node->kind != NODE_MAP)
		return type_error(r, node, row->type, "a mapping of names to strings");
	map->v = calloc(node->n + 1, sizeof *map->v);
	if (map->v == NULL)
		return reader_no_memory(r);
	for (const struct node *item = node->first; item != NULL; item = item->next) {
		if (check_pair(r, row, item) < 0)
			return -1;
		struct spec_pair *pair = &map->v[map->n++];
		*pair = (struct spec_pair){ strdup(item->key), strdup(item->text), item->key_pos };
		if (pair->name == NULL || pair->value == NULL)
			return reader_no_memory(r);
	}
	return 0;
}

/** The index of the scalar's text in the row's words. */
static int find_word(const struct reader *r, const struct schema_row *row, const struct node *node, unsigned *ret)
{
	auto_buf words = {0};
	char q[QUOTE_SIZE];
	const char *near;

	text_words(&words, row->words, "or");
	if (words.failed)
		return reader_no_memory(r);
	if (need_string(r, node, words.data) < 0)
		return -1;
	for (unsigned i = 0; row->words[i] != NULL; i++)
		if (strcmp(row->words[i], node->text) == 0) {
			*ret = i;
			return 0;
		}
	near = text_did_you_mean(node->text, row->words);
	if (near != NULL)
		return value_error(r, node, "expected %s, found %s; did you mean '%s'?", words.data, quote(q, node->text), near);
	return value_error(r, node, "expected %s, found %s", words.data, quote(q, node->text));
}

static int read_word(const struct reader *r, const struct schema_row *row, const struct node *node, void *base)
{
	unsigned i;

	if (find_word(r, row, node, &i) < 0)
		return -1;
	if (row->type == SCHEMA_WORD)
		return store_string(r, row, row->words[i], base);
	/* gcc and clang give enums without negative constants the type unsigned int. */
	memcpy(member(row, base), &i, sizeof i);
	return 0;
}

static int read_bool(const struct reader *r, const struct schema_row *row, const struct node *node, void *base)
{
	if (node->kind != NODE_SCALAR || !node->plain || scalar_kind(node->text) != SCALAR_BOOL)
		return type_error(r, node, row->type, "true or false");
	if (row->at != SCHEMA_NOWHERE)
		*(bool *)member(row, base) = node->text[0] == 't';
	return 0;
}

/** The one number that may be a fact. */
static int note_epoch(const struct reader *r, const struct schema_row *row, const struct node *node)
{
	r->spec->epoch_is_fact = true;
	note_fact(r, row->or_fact, true, node);
	return 0;
}

static int range_error(const struct reader *r, const struct schema_row *row, const struct node *node)
{
	char q[QUOTE_SIZE];
	auto_buf range = {0};

	schema_range(&range, row);
	if (range.failed)
		return reader_no_memory(r);
	return value_error(r, node, "%s is out of range; expected %s", quote(q, node->text), range.data);
}

static int read_int(const struct reader *r, const struct schema_row *row, const struct node *node, void *base)
{
	int64_t v;

	if (row->or_fact != SPEC_NO_FACT && node->kind == NODE_SCALAR && strcmp(node->text, spec_fact_name(row->or_fact)) == 0)
		return note_epoch(r, row, node);
	if (node->kind != NODE_SCALAR || !node->plain || scalar_kind(node->text) != SCALAR_INT)
		return type_error(r, node, row->type, "a whole number");
	errno = 0;
	v = strtoll(node->text, NULL, 10);
	if (errno != 0 || ((v < row->min || v > row->max) && !(row->or_zero && v == 0)))
		return range_error(r, row, node);
	if (row->width == sizeof(uint32_t))
		*(uint32_t *)member(row, base) = (uint32_t)v;
	else
		memcpy(member(row, base), &v, sizeof v);
	return 0;
}

/** Whether a decimal number (-?DIGITS[.DIGITS]) lies in min..max; @p min is not negative. Exact, whatever the locale. */
static bool in_range(const char *s, int64_t min, int64_t max)
{
	const char *point = strchr(s, '.');
	bool whole = point == NULL || point[1 + strspn(point + 1, "0")] == '\0';
	int64_t v;

	errno = 0;
	v = strtoll(s, NULL, 10);
	return errno == 0 && s[0] != '-' && v >= min && (v < max || (v == max && whole));
}

static int read_number(const struct reader *r, const struct schema_row *row, const struct node *node)
{
	bool number = node->kind == NODE_SCALAR && node->plain &&
		(scalar_kind(node->text) == SCALAR_INT || scalar_kind(node->text) == SCALAR_FLOAT);

	if (!number || node->text[strspn(node->text, "-0123456789.")] != '\0')
		return type_error(r, node, row->type, "a number");
	if (!in_range(node->text, row->min, row->max))
		return range_error(r, row, node);
	return 0;
}

/** Durations and sizes: quoted or not, a bare number counts in the base unit. */
static int read_quantity(const struct reader *r, const struct schema_row *row, const struct node *node, void *base)
{
	bool duration = row->type == SCHEMA_DURATION;
	const char *expected = duration ? "a duration such as 90s, 10m or 1h30m" : "a size such as 64Mi or 1Gi";
	uint64_t v;
	char q[QUOTE_SIZE];

	if (node->kind != NODE_SCALAR || (node->plain && scalar_kind(node->text) != SCALAR_INT &&
					  scalar_kind(node->text) != SCALAR_STRING))
		return type_error(r, node, row->type, expected);
	if (!(duration ? text_parse_duration(node->text, &v) : text_parse_size(node->text, &v)))
		return value_error(r, node, "expected %s, found %s", expected, quote(q, node->text));
	if (v < (uint64_t)row->min || v > (uint64_t)row->max)
		return range_error(r, row, node);
	*(uint64_t *)member(row, base) = v;
	return 0;
}

int read_value(struct reader *r, const struct schema_row *row, const struct node *node, void *base)
{
	switch (row->type) {
	case SCHEMA_STRING:
		return read_string(r, row, node, base);
	case SCHEMA_STRINGS:
		return read_strings(r, row, node, base);
	case SCHEMA_PAIRS:
		return read_pairs(r, row, node, base);
	case SCHEMA_WORD:
	case SCHEMA_CHOICE:
		return read_word(r, row, node, base);
	case SCHEMA_BOOL:
		return read_bool(r, row, node, base);
	case SCHEMA_INT:
		return read_int(r, row, node, base);
	case SCHEMA_NUMBER:
		return read_number(r, row, node);
	case SCHEMA_DURATION:
	case SCHEMA_SIZE:
		return read_quantity(r, row, node, base);
	case SCHEMA_MAP:
	case SCHEMA_LIST:
		break;
	}
	return key_error(r, node, "not a single value");
}

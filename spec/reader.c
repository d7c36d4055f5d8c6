/* SPDX-License-Identifier: Apache-2.0 */
/* Maps and lists: which keys there are, which must be, and what the others are by default. */
#include "spec/reader.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/** Most fields that one map of the schema has. */
#define FIELDS_MAX 32

static int read_map(struct reader *r, const struct schema_row *row, const struct node *node, void *base);

/** Refuses a key that is not in the table, with the nearest one that is. */
static int unknown_key(const struct reader *r, const struct schema_row *parent, const struct node *node)
{
	const char *words[FIELDS_MAX + 1] = {0};
	const struct schema_row *field = NULL;
	size_t n = 0;
	const char *near;
	auto_buf known = {0};

	while (n < FIELDS_MAX && (field = schema_next(parent, field)) != NULL) {
		words[n++] = schema_name(field);
		if (field->status != SCHEMA_LATER)
			buf_addf(&known, "%s%s", known.len == 0 ? "" : ", ", schema_name(field));
	}
	near = text_did_you_mean(node->key, words);
	if (near != NULL)
		return key_error(r, node, "unknown key; did you mean '%s'?", near);
	if (known.failed)
		return reader_no_memory(r);
	return key_error(r, node, "unknown key; known here: %s", known.data);
}

static int note_unsupported(const struct reader *r, const struct schema_row *row, const struct node *node)
{
	struct spec *spec = r->spec;
	struct spec_unsupported *grown = realloc(spec->unsupported, (spec->nunsupported + 1) * sizeof *grown);

	if (grown == NULL)
		return reader_no_memory(r);
	spec->unsupported = grown;
	char *field = strdup(row->path);
	if (field == NULL)
		return reader_no_memory(r);
	grown[spec->nunsupported++] = (struct spec_unsupported){ field, node->key_pos };
	return 0;
}

static int read_list(struct reader *r, const struct schema_row *row, const struct node *node, void *base)
{
	char *items;
	size_t i = 0;

	if (node->kind != NODE_LIST)
		return type_error(r, node, SCHEMA_LIST, "a list");
	if (node->n < (size_t)row->min)
		return value_error(r, node, "the list is empty; add an entry or remove the key");
	if (node->n > (size_t)row->max)
		return value_error(r, node, "has %zu entries; the limit is %lld", node->n, (long long)row->max);
	items = calloc(node->n + 1, row->item_size);
	if (items == NULL)
		return reader_no_memory(r);
	/* Stored before it is filled, so that spec_free() finds it after a failure too. */
	*(void **)((char *)base + row->at) = items;
	*(size_t *)((char *)base + row->n_at) = node->n;
	/* A list counts as it is, so that nothing may be missing in its items. */
	struct reader whole = *r;
	whole.partial = false;
	for (const struct node *item = node->first; item != NULL; item = item->next, i++) {
		char *at = items + i * row->item_size;

		*(struct spec_pos *)(at + row->item_pos_at) = item->pos;
		if (read_map(&whole, row, item, at) < 0)
			return -1;
	}
	return 0;
}

static int read_field(struct reader *r, const struct schema_row *row, const struct node *node, void *base)
{
	if (row->status == SCHEMA_LATER)
		return key_error(r, node, "known, but not implemented in this version of glovebox; remove it");
	if (row->noted)
		*(struct spec_pos *)((char *)base + row->pos_at) = node->pos;
	if (row->type == SCHEMA_MAP)
		return read_map(r, row, node, base);
	if (row->type == SCHEMA_LIST)
		return read_list(r, row, node, base);
	if (read_value(r, row, node, base) < 0)
		return -1;
	return row->status == SCHEMA_AT_RUN ? note_unsupported(r, row, node) : 0;
}

/** Gives the fields of @p parent that @p node (NULL: the whole map) leaves out their defaults. */
static int add_defaults(struct reader *r, const struct schema_row *parent, const struct node *node, void *base)
{
	const struct schema_row *row = NULL;

	while ((row = schema_next(parent, row)) != NULL) {
		if (row->status != SCHEMA_DONE || node_get(node, schema_name(row)) != NULL)
			continue;
		if (row->type == SCHEMA_MAP && add_defaults(r, row, NULL, base) < 0)
			return -1;
		if (row->dflt == NULL)
			continue;
		/* Through the same judge as what people write. */
		char text[64];
		snprintf(text, sizeof text, "%s", row->dflt);
		struct node implied = { .kind = NODE_SCALAR, .text = text,
					.plain = row->type == SCHEMA_BOOL || row->type == SCHEMA_INT };
		if (read_value(r, row, &implied, base) < 0)
			return -1;
	}
	return 0;
}

static bool is_after(const struct node *a, const struct node *b)
{
	return a->key_pos.line > b->key_pos.line || (a->key_pos.line == b->key_pos.line && a->key_pos.col > b->key_pos.col);
}

/** Exactly one of the keys of row->one_of. */
static int check_one_of(struct reader *r, const struct schema_row *row, const struct node *node)
{
	const struct node *one = NULL, *other = NULL;
	auto_buf words = {0};

	for (const char *const *key = row->one_of; *key != NULL; key++) {
		const struct node *found = node_get(node, *key);

		if (found != NULL && one != NULL)
			other = other == NULL ? found : other;
		else if (found != NULL)
			one = found;
	}
	if (other != NULL)
		return key_error(r, is_after(one, other) ? one : other, "%s and %s exclude each other; remove one of them", one->key,
				 other->key);
	if (one != NULL || r->partial)
		return 0;
	text_words(&words, row->one_of, "or");
	if (words.failed)
		return reader_no_memory(r);
	return value_error(r, node, "'%s' is missing; add %s", row->one_of[0], words.data);
}

static int check_required(struct reader *r, const struct schema_row *parent, const struct node *node)
{
	const struct schema_row *row = NULL;

	while ((row = schema_next(parent, row)) != NULL)
		if (row->required && !r->partial && node_get(node, schema_name(row)) == NULL)
			return value_error(r, node, "'%s' is missing; add it: %s", schema_name(row), row->help);
	if (parent->one_of != NULL)
		return check_one_of(r, parent, node);
	return 0;
}

/** Reads the fields of a MAP, or of one item of a LIST. */
static int read_map(struct reader *r, const struct schema_row *row, const struct node *node, void *base)
{
	if (node->kind != NODE_MAP)
		return type_error(r, node, SCHEMA_MAP, "a mapping");
	for (const struct node *entry = node->first; entry != NULL; entry = entry->next) {
		const struct schema_row *field = schema_field(row, entry->key);

		if (field == NULL)
			return unknown_key(r, row, entry);
		if (read_field(r, field, entry, base) < 0)
			return -1;
	}
	if (check_required(r, row, node) < 0)
		return -1;
	return add_defaults(r, row, node, base);
}

int read_document(struct reader *r, const struct node *root)
{
	return read_map(r, &schema_root, root, r->spec);
}

int read_includes(struct reader *r, const struct node *node)
{
	return read_field(r, schema_field(schema_field(&schema_root, "spec"), "include"), node, r->spec);
}

int read_part(struct reader *r, const struct node *root)
{
	static const char *const needed[] = { "apiVersion", "kind", "spec" };
	const struct node *metadata = node_get(root, "metadata"), *include = node_get(node_get(root, "spec"), "include");

	if (metadata != NULL)
		return key_error(r, metadata, "an included file has apiVersion, kind and spec alone; remove it");
	if (include != NULL)
		return key_error(r, include, "an included file cannot include others; name them in the spec that is built");
	if (read_document(r, root) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (node_get(root, needed[i]) == NULL)
			return value_error(r, root, "'%s' is missing; an included file has apiVersion, kind and spec", needed[i]);
	return 0;
}

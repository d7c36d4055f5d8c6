/* SPDX-License-Identifier: Apache-2.0 */
/* Included files: each a part of a spec, good by itself, and merged as a tree, so that what is read is
 * one spec whose values know which file they are from. */
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "spec/reader.h"

/** Takes the first entry out of a map; owned by the caller. NULL: none is left. */
static struct node *take_first(struct node *map)
{
	struct node *node = map->first;

	if (node == NULL)
		return NULL;
	map->first = node->next;
	if (map->first == NULL)
		map->last = NULL;
	map->n--;
	node->next = NULL;
	return node;
}

/** Whether @p key is one of several that exclude each other, and another of them is there. */
static bool is_displaced(const struct schema_row *row, const struct node *over, const char *key)
{
	bool mine = false, other = false;

	for (const char *const *one = row->one_of; one != NULL && *one != NULL; one++) {
		mine |= strcmp(*one, key) == 0;
		other |= node_get(over, *one) != NULL;
	}
	return mine && other;
}

static int merge_maps(const struct reader *r, const struct schema_row *row, struct node *over, struct node *under);

/** A field that both have: maps go into one, of all else @p over stays. */
static int merge_values(const struct reader *r, const struct schema_row *row, struct node *over, struct node *under)
{
	static const char *const kinds[] = { [NODE_SCALAR] = "a single value", [NODE_LIST] = "a list", [NODE_MAP] = "a mapping" };

	if (over->kind != under->kind)
		return value_error(r, over, "%s here, but %s at %s:%u:%u; make them the same", kinds[over->kind], kinds[under->kind],
				   spec_file(r->spec, under->pos), under->pos.line, under->pos.col);
	return over->kind == NODE_MAP ? merge_maps(r, row, over, under) : 0;
}

/** Moves what @p over does not have from @p under to it. @p row: their field in the table, or of a map that anyone may choose names in. */
static int merge_maps(const struct reader *r, const struct schema_row *row, struct node *over, struct node *under)
{
	struct node *taken;

	while ((taken = take_first(under)) != NULL) {
		auto_node entry = taken;
		struct node *mine = over->first;

		while (mine != NULL && strcmp(mine->key, entry->key) != 0)
			mine = mine->next;
		const struct schema_row *field = row->type == SCHEMA_MAP ? schema_field(row, entry->key) : row;
		if (mine != NULL && merge_values(r, field, mine, entry) < 0)
			return -1;
		if (mine != NULL || is_displaced(row, over, entry->key))
			continue;
		node_append(over, move_ptr(entry));
		if (over->n > SPEC_ENTRIES_MAX)
			return key_error(r, over->last, "more than %d entries with those of the included files", SPEC_ENTRIES_MAX);
	}
	return 0;
}

/** Writes into all of a tree which file it is from. */
static void mark(struct node *node, unsigned file)
{
	node->pos.file = node->key_pos.file = file;
	for (struct node *entry = node->first; entry != NULL; entry = entry->next)
		mark(entry, file);
}

/** Checks an included file by itself, so that it is good wherever it is included. */
static int check_part(const struct reader *r, const struct spec_include *include, const struct node *root)
{
	auto_spec part = calloc(1, sizeof *part);
	struct reader own = { .file = include->file, .spec = part, .err = r->err, .partial = true };

	if (part == NULL || (part->file = strdup(include->file)) == NULL)
		return reader_no_memory(r);
	return read_part(&own, root);
}

static int check_digest(const struct reader *r, const struct spec_include *include)
{
	char x[DIGEST_STR_SIZE];
	struct digest want, have;

	if (hash_bytes(include->text.data, include->text.len, &have, r->err) < 0)
		return -1;
	if (digest_parse(include->digest, &want) && digest_eq(&want, &have))
		return 0;
	return spec_error(r->spec, include->digest_pos, ERR_INPUT, r->err,
			  "included file '%s' is %s, not %s; look at what has changed, then write its digest", include->path,
			  digest_str(&have, x), include->digest);
}

/** The name of the @p i-th included file, as messages show it: beside the spec's. */
static int name_file(const struct reader *r, struct spec_include *include)
{
	const char *slash = strrchr(r->file, '/');
	auto_buf name = {0};

	buf_add(&name, r->file, slash == NULL ? 0 : (size_t)(slash + 1 - r->file));
	buf_adds(&name, include->path);
	include->file = buf_take(&name);
	return include->file != NULL ? 0 : reader_no_memory(r);
}

static int bring_one(const struct reader *r, spec_include_fn *bring, void *arg, unsigned i, struct node **ret)
{
	struct spec_include *include = &r->spec->includes[i];

	if (bring == NULL)
		return spec_error(r->spec, include->pos, ERR_USAGE, r->err, "includes '%s', which is not at hand here", include->path);
	if (name_file(r, include) < 0)
		return -1;
	if (bring(arg, include, &include->text, r->err) < 0) {
		(void)err_ctx(r->err, "included file '%s'", include->path);
		return spec_ctx(r->spec, include->pos, r->err);
	}
	if (include->text.len > SPEC_INCLUDE_MAX)
		return spec_error(r->spec, include->pos, ERR_INPUT, r->err, "included file '%s' has %zu bytes; the limit is %u",
				  include->path, include->text.len, SPEC_INCLUDE_MAX);
	const char *text = include->text.data == NULL ? "" : include->text.data;
	if (check_digest(r, include) < 0 || yaml_read(include->file, text, include->text.len, ret, r->err) < 0 ||
	    check_part(r, include, *ret) < 0)
		return -1;
	mark(*ret, i + 1);
	return 0;
}

/** Takes the list out of the spec's tree: it says nothing of the build. Owned by the caller; NULL: there is none. */
static struct node *take_list(struct node *body)
{
	struct node *all = NULL, *entry;
	struct node rest = { .kind = NODE_MAP };

	while (body->kind == NODE_MAP && (entry = take_first(body)) != NULL) {
		if (strcmp(entry->key, "include") == 0)
			all = entry;
		else
			node_append(&rest, entry);
	}
	while ((entry = take_first(&rest)) != NULL)
		node_append(body, entry);
	return all;
}

/** A map's entry, to change. */
static struct node *entry_of(struct node *map, const char *key)
{
	struct node *entry = map->kind == NODE_MAP ? map->first : NULL;

	while (entry != NULL && strcmp(entry->key, key) != 0)
		entry = entry->next;
	return entry;
}

/** Brings all in their order, so that the first bad one is told of, then merges them, the last one first: it counts before the others. */
static int bring_all(const struct reader *r, struct node *body, spec_include_fn *bring, void *arg, struct node **parts)
{
	const struct schema_row *row = schema_field(&schema_root, "spec");
	size_t n = r->spec->nincludes;

	for (unsigned i = 0; i < n; i++)
		if (bring_one(r, bring, arg, i, &parts[i]) < 0)
			return -1;
	for (size_t i = n; i-- > 0; )
		if (merge_values(r, row, body, entry_of(parts[i], "spec")) < 0)
			return -1;
	return 0;
}

int merge_includes(struct reader *r, struct node *root, spec_include_fn *bring, void *arg)
{
	struct node *body = entry_of(root, "spec");
	auto_node list = body == NULL ? NULL : take_list(body);

	if (list == NULL)
		return 0;
	if (read_includes(r, list) < 0)
		return -1;
	struct node **parts = calloc(r->spec->nincludes + 1, sizeof *parts);
	if (parts == NULL)
		return reader_no_memory(r);
	int result = bring_all(r, body, bring, arg, parts);
	for (size_t i = 0; i < r->spec->nincludes; i++)
		node_free(parts[i]);
	free(parts);
	return result;
}

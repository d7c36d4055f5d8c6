/* SPDX-License-Identifier: Apache-2.0 */
/* YAML read by a confined child, which says its tree node by node, each before what is in it: a struct row, its key, its text. */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "spec/yaml.h"

/** No key. */
#define NO_KEY UINT32_MAX

struct row {
	uint32_t kind;            /**< enum node_kind */
	uint32_t plain, plain_key;
	uint32_t key_len;         /**< bytes of the key that follow, or NO_KEY */
	uint32_t n;               /**< scalar: bytes of the text that follow; else how many nodes are in it */
	struct spec_pos pos, key_pos;
};

/** A text in its reader. */
struct reading {
	const char *file, *text;
	size_t n;
};

/* ---- in the child -------------------------------------------------------------------- */

static void put_node(const struct node *node, struct buf *out)
{
	const struct row r = {
		.kind = node->kind, .plain = node->plain, .plain_key = node->plain_key, .pos = node->pos, .key_pos = node->key_pos,
		.key_len = node->key == NULL ? NO_KEY : (uint32_t)strlen(node->key),
		.n = (uint32_t)(node->kind == NODE_SCALAR ? strlen(node->text) : node->n),
	};

	buf_add(out, &r, sizeof r);
	if (node->key != NULL)
		buf_adds(out, node->key);
	if (node->kind == NODE_SCALAR)
		buf_adds(out, node->text);
	for (const struct node *in = node->first; in != NULL; in = in->next)
		put_node(in, out);
}

static int read_apart(void *arg, int out, struct err *err)
{
	const struct reading *r = arg;
	auto_node root = NULL;
	auto_buf rows = {0};

	if (yaml_read_here(r->file, r->text, r->n, &root, err) < 0)
		return -1;
	put_node(root, &rows);
	return buf_check(&rows, "nodes", err) < 0 ? -1 : io_write_all(out, rows.data, rows.len, err);
}

/* ---- what it says, of which nothing is believed ------------------------------------------- */

struct rows {
	const char *at, *end;
	size_t nodes;             /**< so far */
};

/** The next @p n bytes as text of the caller's. NULL: they make no sense, or memory is short. */
static char *take_text(struct rows *r, size_t n)
{
	if ((size_t)(r->end - r->at) < n || memchr(r->at, '\0', n) != NULL)
		return NULL;
	auto_free char *text = strndup(r->at, n);
	r->at += n;
	return text != NULL && text_is_utf8(text) ? move_ptr(text) : NULL;
}

static bool makes_sense(const struct row *r, const struct node *up)
{
	bool scalar = r->kind == NODE_SCALAR, keyed = up != NULL && up->kind == NODE_MAP;

	return (scalar || r->kind == NODE_LIST || r->kind == NODE_MAP) && (r->key_len == NO_KEY) == !keyed &&
	       (!keyed || r->key_len <= SPEC_KEY_MAX) && r->n <= (scalar ? 2 * SPEC_TEXT_MAX : SPEC_ENTRIES_MAX) && r->pos.file == 0 &&
	       r->key_pos.file == 0;
}

/** A node, without what is in it; in @p up, where there is one. The caller owns it where there is none. */
static struct node *take_node(struct rows *r, struct node *up, size_t *ret_n)
{
	struct row row;

	if ((size_t)(r->end - r->at) < sizeof row || r->nodes++ == SPEC_NODES_MAX)
		return NULL;
	memcpy(&row, r->at, sizeof row);
	r->at += sizeof row;
	auto_node node = makes_sense(&row, up) ? calloc(1, sizeof *node) : NULL;
	if (node == NULL)
		return NULL;
	*node = (struct node){
		.kind = (enum node_kind)row.kind, .plain = row.plain != 0, .plain_key = row.plain_key != 0, .pos = row.pos, .key_pos = row.key_pos,
	};
	if ((row.key_len != NO_KEY && (node->key = take_text(r, row.key_len)) == NULL) ||
	    (row.kind == NODE_SCALAR && (node->text = take_text(r, row.n)) == NULL) || (node->key != NULL && node_get(up, node->key) != NULL))
		return NULL;
	*ret_n = row.kind == NODE_SCALAR ? 0 : row.n;
	if (up != NULL)
		node_append(up, node);
	return move_ptr(node);
}

/** Takes all that is in @p node, the innermost of @p depth. @return whether it could be taken. */
static bool take_entries(struct rows *r, struct node *node, size_t n, unsigned depth)
{
	for (size_t i = 0, inside; i < n; i++) {
		struct node *entry = take_node(r, node, &inside);

		if (entry == NULL || (entry->kind != NODE_SCALAR && depth == SPEC_DEPTH_MAX) || !take_entries(r, entry, inside, depth + 1))
			return false;
	}
	return true;
}

int yaml_from_rows(const char *data, size_t n, struct node **ret)
{
	struct rows r = { data, data + n, 0 };
	size_t inside;
	auto_node root = take_node(&r, NULL, &inside);

	if (root == NULL || !take_entries(&r, root, inside, 1) || r.at != r.end)
		return -1;
	*ret = move_ptr(root);
	return 0;
}

int yaml_read(const char *file, const char *text, size_t n, struct node **ret, struct err *err)
{
	struct reading r = { file, text, n };
	const struct confine_conf conf = { .what = "the reader of YAML", .fn = read_apart, .arg = &r, .kind = ERR_USAGE };
	auto_buf rows = {0};

	/* A node has a byte of text at least, but for the empty ones, which have a separator. */
	if (confine_run(&conf, (n + 1) * (1 + sizeof(struct row)), &rows, err) < 0)
		return -1;
	if (yaml_from_rows(rows.data == NULL ? "" : rows.data, rows.len, ret) < 0)
		return err_set(err, ERR_USAGE, 0, "%s: its reader says what makes no sense", file);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "store/internal.h"

#include <errno.h>
#include <string.h>

/** Memory for entries is taken in pieces of this size. */
#define ARENA_CHUNK (1u << 20)
/** The manifest is handed out in pieces of about this size. */
#define EMIT_CHUNK (64u << 10)

/** A piece of memory that entries are cut from; freed together. */
struct chunk {
	struct chunk *next;
	size_t used;
	_Alignas(max_align_t) char data[ARENA_CHUNK];
};

/** An entry as it is kept: strings lie behind it in the same chunk. */
struct node {
	uint64_t size;
	uint32_t uid, gid;
	uint16_t mode;
	uint8_t type;
	struct digest digest;
	const char *link;
	char path[];
};

struct tree_builder {
	struct chunk *chunks;
	struct node **nodes;
	size_t n, cap;
	bool has_root;
};

int tree_builder_new(struct tree_builder **ret, struct err *err)
{
	struct tree_builder *b = calloc(1, sizeof *b);

	if (b == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "collect a tree");
	*ret = b;
	return 0;
}

void tree_builder_free(struct tree_builder *b)
{
	if (b == NULL)
		return;
	for (struct chunk *c = b->chunks; c != NULL; ) {
		struct chunk *next = c->next;

		free(c);
		c = next;
	}
	free(b->nodes);
	free(b);
}

static void *arena(struct tree_builder *b, size_t n)
{
	struct chunk *c = b->chunks;

	n = (n + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (c == NULL || ARENA_CHUNK - c->used < n) {
		c = malloc(sizeof *c);
		if (c == NULL)
			return NULL;
		c->used = 0;
		c->next = b->chunks;
		b->chunks = c;
	}
	void *p = c->data + c->used;
	c->used += n;
	return p;
}

static struct node *new_node(struct tree_builder *b, const struct tree_entry *e)
{
	size_t path_size = strlen(e->path) + 1;
	size_t link_size = e->type == TREE_LINK ? strlen(e->link) + 1 : 0;
	struct node *n = arena(b, sizeof *n + path_size + link_size);

	if (n == NULL)
		return NULL;
	*n = (struct node){
		.size = e->size, .uid = (uint32_t)e->uid, .gid = (uint32_t)e->gid,
		.mode = (uint16_t)e->mode, .type = (uint8_t)e->type, .digest = e->digest,
	};
	memcpy(n->path, e->path, path_size);
	if (link_size != 0)
		n->link = memcpy(n->path + path_size, e->link, link_size);
	return n;
}

int tree_builder_add(struct tree_builder *b, const struct tree_entry *e, struct err *err)
{
	if (tree_entry_check(e, ERR_INPUT, "tree", err) < 0)
		return -1;
	if (b->n >= TREE_ENTRIES_MAX)
		return err_set(err, ERR_INPUT, 0, "tree: '" SHOWN "': more than %u entries", e->path, TREE_ENTRIES_MAX);
	struct node *n = array_room(&b->nodes, b->n, &b->cap) ? new_node(b, e) : NULL;
	if (n == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "collect a tree of %zu entries", b->n);
	b->nodes[b->n++] = n;
	if (strcmp(e->path, ".") == 0)
		b->has_root = true;
	return 0;
}

/** The root first, then bytewise. */
static int compare(const void *a, const void *b)
{
	const char *pa = (*(struct node *const *)a)->path;
	const char *pb = (*(struct node *const *)b)->path;
	int root = (strcmp(pb, ".") == 0) - (strcmp(pa, ".") == 0);

	return root != 0 ? root : strcmp(pa, pb);
}

static int emit_root(const struct tree_builder *b, struct buf *piece, struct err *err)
{
	static const struct tree_entry root = { .path = ".", .type = TREE_DIR, .mode = 0755 };

	buf_adds(piece, TREE_MAGIC);
	if (!b->has_root)
		tree_line_write(piece, &root);
	else if (b->n > 1 && strcmp(b->nodes[1]->path, ".") == 0)
		return err_set(err, ERR_INPUT, 0, "tree: '.': the path comes twice");
	return 0;
}

static int emit_node(const struct node *n, struct tree_order *order, struct buf *piece, struct err *err)
{
	const struct tree_entry e = {
		.path = n->path, .type = n->type, .mode = n->mode, .uid = n->uid, .gid = n->gid,
		.size = n->size, .digest = n->digest, .link = n->link,
	};
	const char *fault = strcmp(n->path, ".") == 0 ? NULL : tree_order_next(order, n->path, n->type == TREE_DIR);

	if (fault != NULL)
		return err_set(err, ERR_INPUT, 0, "tree: '" SHOWN "': %s", n->path, fault);
	tree_line_write(piece, &e);
	return 0;
}

static int flush(struct buf *piece, tree_sink *sink, void *arg, struct err *err)
{
	if (buf_check(piece, "manifest", err) < 0 || sink(arg, piece->data, piece->len, err) < 0)
		return -1;
	buf_clear(piece);
	return 0;
}

int tree_builder_emit(struct tree_builder *b, tree_sink *sink, void *arg, struct err *err)
{
	auto_buf piece = {0};
	auto_free struct tree_order *order = calloc(1, sizeof *order);

	if (order == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write a manifest");
	if (b->n > 0)
		qsort(b->nodes, b->n, sizeof *b->nodes, compare);
	if (emit_root(b, &piece, err) < 0)
		return -1;
	for (size_t i = 0; i < b->n; i++) {
		if (emit_node(b->nodes[i], order, &piece, err) < 0)
			return -1;
		if (piece.len >= EMIT_CHUNK && flush(&piece, sink, arg, err) < 0)
			return -1;
	}
	return flush(&piece, sink, arg, err);
}

static int sink_buf(void *arg, const char *data, size_t n, struct err *err)
{
	(void)err;
	buf_add(arg, data, n);
	return 0;
}

int tree_builder_manifest(struct tree_builder *b, struct buf *out, struct err *err)
{
	size_t start = out->len;

	if (tree_builder_emit(b, sink_buf, out, err) == 0 && buf_check(out, "manifest", err) == 0)
		return 0;
	buf_seal(out, start);
	return -1;
}

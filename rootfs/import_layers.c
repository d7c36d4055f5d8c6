/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/import_table.h"

#include <errno.h>
#include <string.h>

/** Two rows of layers, in the order of paths, becoming one. */
struct merge {
	struct import_rows *below, *layer;
	size_t i, k;                      /**< how far each is used */
	struct import_rows out;
	/** What was below this path is gone: all that follows until the next path that is not. */
	char gone[TREE_PATH_MAX + 1];
	size_t gone_len;
	bool any_gone;
};

int import_path_order(const char *a, const char *b)
{
	while (*a == *b && *a != '\0') {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	/* What is in a directory comes straight after it: a slash is less than all other bytes. */
	if (*a == '\0' || (*a == '/' && *b != '\0'))
		return -1;
	if (*b == '\0' || *b == '/')
		return 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static bool is_gone(const struct merge *m, const char *path)
{
	if (!m->any_gone)
		return false;
	return m->gone_len == 0 || (strncmp(path, m->gone, m->gone_len) == 0 && path[m->gone_len] == '/');
}

/** What the layers below have under @p path is gone. */
static void set_gone(struct merge *m, const char *path)
{
	if (is_gone(m, path))
		return;
	m->any_gone = true;
	m->gone_len = strlen(path);
	memcpy(m->gone, path, m->gone_len + 1);
}

static struct import_row *use(struct import_rows *rows, size_t *at)
{
	struct import_row *r = rows->v[*at];

	rows->v[(*at)++] = NULL;
	return r;
}

static void keep(struct merge *m, struct import_row *r)
{
	m->out.v[m->out.n++] = r;
}

/** Whether the next row below stands before the next of the layer (< 0), beside it (0), or behind it. */
static int next_order(const struct merge *m)
{
	if (m->i == m->below->n)
		return 1;
	if (m->k == m->layer->n)
		return -1;
	return import_path_order(m->below->v[m->i]->path, m->layer->v[m->k]->path);
}

/** A row below that the layer says nothing of itself. */
static void take_below(struct merge *m)
{
	struct import_row *r = use(m->below, &m->i);

	if (is_gone(m, r->path))
		import_row_free(r);
	else
		keep(m, r);
}

/** What the layer puts at a path, over @p old, or over nothing (NULL). Takes both over. */
static int put_over(struct merge *m, struct import_row *r, struct import_row *old, struct err *err)
{
	if (r->e.kind == IMPORT_DIR && r->e.implied && old != NULL) {
		keep(m, old);
		int result = old->e.kind == IMPORT_DIR ? 0
			: err_set(err, ERR_INPUT, 0, "the layer has entries below '" SHOWN "', which is no directory in the layers below it",
				  r->path);
		import_row_free(r);
		return result;
	}
	keep(m, r);
	import_row_free(old);
	if (r->e.kind != IMPORT_DIR)
		set_gone(m, r->path);
	return 0;
}

/** The layer's next row; @p beside: the next row below has the same path. */
static int take_layer(struct merge *m, bool beside, struct err *err)
{
	struct import_row *r = use(m->layer, &m->k);
	bool removes = r->e.kind == IMPORT_WHITEOUT || r->e.kind == IMPORT_OPAQUE;
	struct import_row *old = NULL;

	/* A directory that becomes opaque stays itself. */
	if (beside && r->e.kind != IMPORT_OPAQUE)
		old = use(m->below, &m->i);
	if (old != NULL && (r->e.kind == IMPORT_WHITEOUT || is_gone(m, old->path))) {
		import_row_free(old);
		old = NULL;
	}
	if (!removes)
		return put_over(m, r, old, err);
	set_gone(m, r->path);
	import_row_free(r);
	return 0;
}

static int merge(struct merge *m, struct err *err)
{
	while (m->i < m->below->n || m->k < m->layer->n) {
		int order = next_order(m);

		if (order < 0)
			take_below(m);
		else if (take_layer(m, order == 0, err) < 0)
			return -1;
	}
	return 0;
}

static struct import_row *find(const struct import_rows *rows, const char *path)
{
	size_t lo = 0, hi = rows->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = import_path_order(rows->v[mid]->path, path);

		if (order == 0)
			return rows->v[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/** Resolves the layer's hard links into the layers below, as they are now. */
static int settle(const struct import_rows *rows, struct import_totals *totals, struct err *err)
{
	for (size_t i = 0; i < rows->n; i++) {
		struct import_row *r = rows->v[i];
		const struct import_row *to = r->e.kind == IMPORT_HARD ? find(rows, r->e.link) : r;

		if (to == NULL || to->e.kind == IMPORT_HARD)
			return err_set(err, ERR_INPUT, 0, "'" SHOWN "' is a hard link to '" SHOWN "', which is neither in its layer nor below it",
				       r->path, r->e.link);
		if (to != r && import_row_copy(r, to, totals, err) < 0)
			return -1;
	}
	return 0;
}

int import_layers_put(struct import_rows *below, struct import_rows *layer, struct import_totals *totals, struct err *err)
{
	struct merge m = { .below = below, .layer = layer };

	m.out.v = calloc(below->n + layer->n + 1, sizeof(struct import_row *));
	if (m.out.v == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image");
	int result = merge(&m, err);
	if (result == 0)
		result = settle(&m.out, totals, err);
	import_rows_free(below);
	import_rows_free(layer);
	*below = m.out;
	return result;
}

static int hand_over(const struct import_row *r, struct tree_builder *b, struct err *err)
{
	static const enum tree_type types[] = { [IMPORT_DIR] = TREE_DIR, [IMPORT_FILE] = TREE_FILE, [IMPORT_LINK] = TREE_LINK };
	const struct import_entry *e = &r->e;

	if (e->kind == IMPORT_ODD)
		return 0;
	const struct tree_entry out = {
		.path = e->path, .type = types[e->kind], .mode = e->mode, .uid = e->uid, .gid = e->gid,
		.size = e->size, .digest = e->digest, .link = e->link,
	};
	return tree_builder_add(b, &out, err);
}

int import_rows_hand_over(const struct import_rows *rows, struct tree_builder *b, struct err *err)
{
	for (size_t i = 0; i < rows->n; i++)
		if (hand_over(rows->v[i], b, err) < 0)
			return -1;
	return 0;
}

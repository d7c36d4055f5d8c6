/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/overlay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "inspect/above.h"
#include "oci/rules.h"
#include "rootfs/import_table.h"

/** An entry while layers are laid. */
struct overlay_row {
	const struct member *m;
	size_t layer;
	enum rules_mark mark;
};

void overlay_clear(struct overlay *o)
{
	listing_clear(&o->all);
	free(o->layers);
	free(o->rows);
	free(o->v);
	*o = (struct overlay){0};
}

static int short_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, ENOMEM, "lay layers over each other");
}

int overlay_add(struct overlay *o, const struct slice *tar, struct err *err)
{
	if (!array_room(&o->layers, o->nlayers, &o->layers_room))
		return short_memory(err);
	o->layers[o->nlayers] = (struct overlay_layer){ .tar = *tar, .first = o->all.n };
	o->all.from = *tar;
	if (look_list_tar(&o->all, err) < 0)
		return -1;
	for (size_t i = o->layers[o->nlayers].first; i < o->all.n; i++) {
		const char *path = o->all.v[i].path;

		if (strcmp(path, ".") != 0 && (!text_path_is_clean(path) || strlen(path) > TAR_PATH_MAX))
			return err_set(err, ERR_INPUT, 0, "a path that leads nowhere certain: '%.500s'", path);
	}
	o->nlayers++;
	return 0;
}

static void count(struct overlay_counts *c, const struct member *m)
{
	switch (m->type) {
	case MEMBER_FILE:
		c->files++;
		c->bytes += m->size;
		break;
	case MEMBER_DIR:
		c->directories++;
		break;
	case MEMBER_LINK:
		c->links++;
		break;
	case MEMBER_HARD:
		c->hard_links++;
		break;
	case MEMBER_OTHER:
		c->others++;
		break;
	}
}

/** Makes a whiteout's path that of what it takes away. */
static int name_victim(struct member *m, const struct buf *victim, struct err *err)
{
	char *path = strdup(victim->len == 0 ? "" : victim->data);

	if (path == NULL)
		return short_memory(err);
	free(m->path);
	m->path = path;
	return 0;
}

/** One row for each entry. *@p ret_floor: below that layer an opaque root hides all. */
static int make_rows(struct overlay *o, size_t *ret_floor, struct err *err)
{
	size_t layer = 0;

	for (size_t i = 0; i < o->all.n; i++) {
		struct member *m = &o->all.v[i];
		struct overlay_row row = { .m = m, .mark = RULES_PLAIN };
		auto_buf victim = {0};

		while (layer + 1 < o->nlayers && o->layers[layer + 1].first <= i)
			layer++;
		row.layer = layer;
		const char *why = rules_whiteout(m->path, m->type == MEMBER_FILE && m->size == 0, &row.mark, &victim);
		if (victim.failed)
			return short_memory(err);
		/* Names such as AUFS's own, which begin as whiteouts do and are none, say nothing of what is there; the root is in every image. */
		if (why != NULL || strcmp(m->path, ".") == 0)
			continue;
		if (row.mark == RULES_PLAIN) {
			count(&o->layers[layer].counts, m);
		} else {
			o->layers[layer].counts.whiteouts++;
			if (name_victim(m, &victim, err) < 0)
				return -1;
		}
		if (m->path[0] == '\0')
			*ret_floor = layer;
		else
			o->rows[o->nrows++] = row;
	}
	return 0;
}

/** By path; of one path, the latest first. */
static int by_path(const void *a, const void *b)
{
	const struct overlay_row *x = a, *y = b;
	int order = import_path_order(x->m->path, y->m->path);

	return order != 0 ? order : x->m->index < y->m->index ? 1 : x->m->index > y->m->index ? -1 : 0;
}

/** The one of the rows @p r to @p end, all of one path, that is seen, or NULL. */
static const struct member *lay_path(struct above *above, const struct overlay_row *r, const struct overlay_row *end)
{
	const struct member *seen = NULL;

	size_t floor = above_floor(above, r->m->path);

	for (const struct overlay_row *x = r; x < end; x++)
		if (x->mark == RULES_WHITEOUT && x->layer > floor)
			floor = x->layer;
	for (const struct overlay_row *x = r; x < end && seen == NULL; x++)
		if (x->mark == RULES_PLAIN && x->layer >= floor)
			seen = x->m;
	for (const struct overlay_row *x = r; x < end; x++)
		if ((x->mark == RULES_OPAQUE || (x->mark == RULES_PLAIN && x->m->type != MEMBER_DIR)) && x->layer > floor)
			floor = x->layer;
	above_note(above, r->m->path, floor);
	return seen;
}

int overlay_lay(struct overlay *o, struct err *err)
{
	auto_free struct above *above = calloc(1, sizeof *above);
	const struct overlay_row *end;

	o->rows = calloc(o->all.n + 1, sizeof *o->rows);
	o->v = calloc(o->all.n + 1, sizeof *o->v);
	if (above == NULL || o->rows == NULL || o->v == NULL)
		return short_memory(err);
	if (make_rows(o, &above->root, err) < 0)
		return -1;
	qsort(o->rows, o->nrows, sizeof *o->rows, by_path);
	for (const struct overlay_row *r = o->rows, *last = o->rows + o->nrows; r < last; r = end) {
		for (end = r + 1; end < last && strcmp(end->m->path, r->m->path) == 0; end++)
			;
		const struct member *seen = lay_path(above, r, end);
		if (seen == NULL)
			continue;
		o->v[o->n++] = seen;
		count(&o->total, seen);
	}
	return 0;
}

size_t overlay_layer_of(const struct overlay *o, const struct member *m)
{
	size_t lo = 0, hi = o->nlayers;

	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (o->layers[mid].first <= m->index)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/** The file in @p layer with the path that a hard link @p m names, the latest before it, or NULL. */
static const struct member *linked_file(const struct overlay *o, const struct member *m, size_t layer)
{
	size_t lo = 0, hi = o->nrows;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (import_path_order(o->rows[mid].m->path, m->link) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < o->nrows && strcmp(o->rows[lo].m->path, m->link) == 0; lo++) {
		const struct overlay_row *r = &o->rows[lo];

		if (r->mark == RULES_PLAIN && r->layer == layer && r->m->type == MEMBER_FILE && r->m->index < m->index)
			return r->m;
	}
	return NULL;
}

struct slice overlay_content(const struct overlay *o, const struct member *m)
{
	size_t layer = overlay_layer_of(o, m);
	const struct slice *tar = &o->layers[layer].tar;
	const struct member *file = m->type == MEMBER_HARD ? linked_file(o, m, layer) : m;

	if (file == NULL || file->type != MEMBER_FILE || file->offset > tar->size || file->size > tar->size - file->offset)
		return (struct slice){ .fd = tar->fd };
	return (struct slice){ tar->fd, tar->offset + file->offset, file->size };
}

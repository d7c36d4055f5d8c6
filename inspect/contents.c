/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/contents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "inspect/above.h"
#include "rootfs/import_table.h"

static void content_clear(struct content *e)
{
	free(e->path);
	free(e->link);
}

void contents_clear(struct contents *c)
{
	for (size_t i = 0; i < c->n; i++)
		content_clear(&c->v[i]);
	free(c->v);
	*c = (struct contents){0};
}

int contents_add(struct contents *c, const struct tree_entry *e, const char *path, unsigned layer, struct err *err)
{
	if (path[0] == '\0')
		return 0;
	if (c->n >= CONTENTS_MAX)
		return err_set(err, ERR_INPUT, 0, "the image has more than %u entries", CONTENTS_MAX);
	if (!array_room(&c->v, c->n, &c->room))
		return err_set(err, ERR_INTERNAL, ENOMEM, "list an image's files");
	struct content *to = &c->v[c->n];
	*to = (struct content){
		.path = strdup(path), .type = e->type, .mode = e->mode, .layer = layer, .size = e->size, .digest = e->digest,
		.link = e->type == TREE_LINK ? strdup(e->link) : NULL,
	};
	c->n++;
	if (to->path == NULL || (e->type == TREE_LINK && to->link == NULL))
		return err_set(err, ERR_INTERNAL, ENOMEM, "list an image's files");
	return 0;
}

/** Adds the directories that lead to a tree's place. */
static int add_parents(struct contents *c, const char *to, unsigned layer, struct err *err)
{
	const struct tree_entry dir = { .type = TREE_DIR, .mode = 0755 };
	auto_free char *path = strdup(to + 1);

	if (path == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "list an image's files");
	for (char *p = path; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (contents_add(c, &dir, path, layer, err) < 0)
			return -1;
		*p = '/';
	}
	return 0;
}

int contents_add_tree(struct contents *c, struct store *store, const struct digest *tree, const char *to, unsigned layer,
		      const struct sha1 *sha1, size_t nsha1, struct err *err)
{
	auto_tree_reader reader = NULL;
	auto_buf path = {0};
	struct tree_entry e;
	size_t nfiles = 0;
	int more;

	if (store_read_tree(store, tree, &reader, err) < 0 || add_parents(c, to, layer, err) < 0)
		return -1;
	while ((more = tree_reader_next(reader, &e, err)) > 0) {
		bool is_root = strcmp(e.path, ".") == 0;

		buf_clear(&path);
		buf_adds(&path, to + 1);
		if (!is_root && to[1] != '\0')
			buf_addc(&path, '/');
		buf_adds(&path, is_root ? "" : e.path);
		if (buf_check(&path, "path", err) < 0 || contents_add(c, &e, path.data, layer, err) < 0)
			return -1;
		if (e.type == TREE_FILE && sha1 != NULL && nfiles < nsha1)
			c->v[c->n - 1].sha1 = sha1[nfiles++];
	}
	return more;
}

/* ---- one over the other ------------------------------------------------------------ */

/** By path; of one path, the topmost layer first. */
static int by_path(const void *a, const void *b)
{
	const struct content *x = a, *y = b;
	int order = import_path_order(x->path, y->path);

	return order != 0 ? order : x->layer < y->layer ? 1 : x->layer > y->layer ? -1 : 0;
}

/** Whether the topmost of the entries @p e to @p end, all of one path, is a file that can be seen. */
static bool lay_path(struct above *above, const struct content *e, const struct content *end)
{
	size_t floor = above_floor(above, e->path);
	bool seen = e->type != TREE_DIR && e->layer >= floor;

	/* In a layer in which it is no directory. */
	for (const struct content *x = e; x < end; x++)
		if (x->type != TREE_DIR && x->layer > floor)
			floor = x->layer;
	above_note(above, e->path, floor);
	return seen;
}

void contents_lay(struct contents *c)
{
	struct above above = { .n = 0 };
	struct content *end;
	size_t kept = 0;

	if (c->n == 0)
		return;
	qsort(c->v, c->n, sizeof *c->v, by_path);
	/* First all are marked, since paths of what goes are looked at until the end; then the rest moves together. */
	for (struct content *e = c->v, *last = c->v + c->n; e < last; e = end) {
		for (end = e + 1; end < last && strcmp(end->path, e->path) == 0; end++)
			end->kept = false;
		e->kept = lay_path(&above, e, end);
	}
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i].kept)
			c->v[kept++] = c->v[i];
		else
			content_clear(&c->v[i]);
	}
	c->n = kept;
}

/* ---- where is it --------------------------------------------------------------------- */

/** The first place whose path does not stand before @p path. */
static size_t place_of(const struct contents *c, const char *path)
{
	size_t lo = 0, hi = c->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (import_path_order(c->v[mid].path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t contents_find(const struct contents *c, const char *path)
{
	size_t at = place_of(c, path);

	return at < c->n && strcmp(c->v[at].path, path) == 0 ? at : CONTENTS_NONE;
}

void contents_below(const struct contents *c, const char *dir, size_t *ret_from, size_t *ret_to)
{
	size_t from = dir[0] == '\0' ? 0 : place_of(c, dir), lo, hi = c->n;

	if (from < c->n && strcmp(c->v[from].path, dir) == 0)
		from++;
	for (lo = from; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;

		if (dir[0] == '\0' || text_path_is_below(c->v[mid].path, dir))
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret_from = from;
	*ret_to = lo;
}

/** Appends a target's names to the path of the directory that the link is in, "." and ".." taken as what they mean. */
static void follow(struct buf *path, const char *target)
{
	if (target[0] == '/')
		buf_seal(path, 0);
	for (const char *p = target; *p != '\0';) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.') {
			const char *slash = path->len == 0 ? NULL : memrchr(path->data, '/', path->len);

			buf_seal(path, slash == NULL ? 0 : (size_t)(slash - path->data));
		} else if (n > 0 && !(n == 1 && p[0] == '.')) {
			if (path->len > 0)
				buf_addc(path, '/');
			buf_add(path, p, n);
		}
		p += n + (p[n] == '/');
	}
}

/** The first directory on the way to @p path that is a link; *@p ret_len is the length of its path. */
static const struct content *first_link(const struct contents *c, char *path, size_t *ret_len)
{
	for (char *p = path; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		size_t at = contents_find(c, path);
		*p = '/';
		if (at != CONTENTS_NONE && c->v[at].type == TREE_LINK) {
			*ret_len = (size_t)(p - path);
			return &c->v[at];
		}
	}
	return NULL;
}

size_t contents_resolve(const struct contents *c, const char *path)
{
	auto_buf now = BUF_LIMIT(4 * TREE_PATH_MAX);
	size_t len, at = contents_find(c, path);

	if (at != CONTENTS_NONE)
		return at;
	buf_adds(&now, path);
	for (int i = 0; i < CONTENTS_LINKS_MAX && !now.failed && now.len > 0; i++) {
		const struct content *link = first_link(c, now.data, &len);
		auto_free char *rest = NULL;

		if (link == NULL)
			return contents_find(c, now.data);
		rest = strdup(now.data + len + 1);
		const char *slash = memrchr(now.data, '/', len);
		buf_seal(&now, slash == NULL ? 0 : (size_t)(slash - now.data));
		follow(&now, link->link);
		if (rest == NULL)
			break;
		follow(&now, rest);
	}
	return CONTENTS_NONE;
}

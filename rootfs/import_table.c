/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/import_table.h"

#include <errno.h>
#include <search.h>
#include <string.h>

#include "base/array.h"

/** A balanced tree (tsearch(3)): no choice of names makes it slow. */
struct import_table {
	struct import_totals *totals;
	bool layer;
	void *root;                 /**< of entries; whiteouts are in `rows` alone */
	struct import_rows rows;    /**< all, as they came */
	size_t room;
};

uint64_t import_totals_bytes(const struct import_totals *t)
{
	return t->bytes + t->linked;
}

int import_totals_add(struct import_totals *t, uint64_t size, struct err *err)
{
	if (size > IMPORT_BYTES_MAX - import_totals_bytes(t))
		return err_set(err, ERR_INPUT, 0, "the files come to more than %llu bytes", (unsigned long long)IMPORT_BYTES_MAX);
	t->bytes += size;
	return 0;
}

static int short_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, ENOMEM, "read an archive");
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct import_row *)a)->e.path, ((const struct import_row *)b)->e.path);
}

int import_table_new(struct import_totals *totals, bool layer, struct import_table **ret, struct err *err)
{
	struct import_table *t = calloc(1, sizeof *t);

	if (t == NULL)
		return short_memory(err);
	t->totals = totals;
	t->layer = layer;
	*ret = t;
	return 0;
}

void import_row_free(struct import_row *r)
{
	if (r == NULL)
		return;
	free(r->path);
	free(r->link);
	free(r);
}

void import_rows_free(struct import_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		import_row_free(rows->v[i]);
	free(rows->v);
	*rows = (struct import_rows){0};
}

static void leave_row(void *row)
{
	(void)row;
}

void import_table_free(struct import_table *t)
{
	if (t == NULL)
		return;
	tdestroy(t->root, leave_row);
	import_rows_free(&t->rows);
	free(t);
}

bool import_table_is_layer(const struct import_table *t)
{
	return t->layer;
}

static struct import_row *find(const struct import_table *t, const char *path)
{
	const struct import_row key = { .e.path = path };
	void *const *found = tfind(&key, &t->root, by_path);

	return found == NULL ? NULL : *found;
}

/** Counts names against their limit. */
static int count_names(struct import_totals *t, const char *path, size_t bytes, struct err *err)
{
	t->names += bytes;
	if (t->names <= IMPORT_NAMES_MAX)
		return 0;
	return err_set(err, ERR_INPUT, 0, "'" SHOWN "': the names in the archive come to more than %llu bytes", path,
		       (unsigned long long)IMPORT_NAMES_MAX);
}

/** Appends a row that has nothing but its path. */
static int append(struct import_table *t, const char *path, struct import_row **ret, struct err *err)
{
	if (t->totals->rows >= TREE_ENTRIES_MAX)
		return err_set(err, ERR_INPUT, 0, "'" SHOWN "': more than %u entries", path, TREE_ENTRIES_MAX);
	if (count_names(t->totals, path, strlen(path) + 1, err) < 0)
		return -1;
	if (!array_room(&t->rows.v, t->rows.n, &t->room))
		return short_memory(err);
	struct import_row *r = calloc(1, sizeof *r);
	if (r != NULL)
		r->path = strdup(path);
	if (r == NULL || r->path == NULL) {
		import_row_free(r);
		return short_memory(err);
	}
	r->e.path = r->path;
	t->rows.v[t->rows.n++] = r;
	t->totals->rows++;
	*ret = r;
	return 0;
}

static int insert(struct import_table *t, const struct import_entry *e, struct import_row **ret, struct err *err)
{
	struct import_row *r;

	if (append(t, e->path, &r, err) < 0)
		return -1;
	if (tsearch(r, &t->root, by_path) == NULL)
		return short_memory(err);
	*ret = r;
	return 0;
}

/** Makes the row say what @p e says. */
static int set_row(struct import_totals *t, struct import_row *r, const struct import_entry *e, struct err *err)
{
	char *link = NULL;

	if (e->link != NULL) {
		if (count_names(t, r->path, strlen(e->link) + 1, err) < 0)
			return -1;
		link = strdup(e->link);
		if (link == NULL)
			return short_memory(err);
	}
	const struct import_entry new = *e;
	free(r->link);
	r->link = link;
	r->e = new;
	r->e.path = r->path;
	r->e.link = link;
	return 0;
}

/** The part of @p path that leads to its directory, or 0. */
static size_t parent_len(const char *path, size_t n)
{
	while (n > 0 && path[n - 1] != '/')
		n--;
	return n == 0 ? 0 : n - 1;
}

/** Adds the directories that lead to @p path, as far as they are missing; import_table_check() has seen that the rest are directories. */
static int add_parents(struct import_table *t, const char *path, struct err *err)
{
	auto_free char *dir = strdup(path);

	if (dir == NULL)
		return short_memory(err);
	for (char *slash = strchr(dir, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		struct import_row *r = NULL;

		*slash = '\0';
		const struct import_entry e = { .path = dir, .kind = IMPORT_DIR, .implied = true, .mode = 0755 };
		if (find(t, dir) == NULL && (insert(t, &e, &r, err) < 0 || set_row(t->totals, r, &e, err) < 0))
			return -1;
		*slash = '/';
	}
	return 0;
}

int import_table_check(struct import_table *t, const char *path, bool is_dir, struct err *err)
{
	const struct import_row *old = find(t, path);
	auto_free char *dir = strdup(path);

	if (dir == NULL)
		return short_memory(err);
	if (old != NULL && (old->e.kind == IMPORT_DIR) != is_dir)
		return err_set(err, ERR_INPUT, 0, "'" SHOWN "' is both a directory and something else", path);
	for (size_t n = strlen(path); old == NULL && (n = parent_len(path, n)) > 0; ) {
		dir[n] = '\0';
		old = find(t, dir);
		if (old != NULL && old->e.kind != IMPORT_DIR)
			return err_set(err, ERR_INPUT, 0, "'" SHOWN "' lies below '" SHOWN "', which is no directory", path, dir);
	}
	return 0;
}

int import_table_add(struct import_table *t, const struct import_entry *e, struct err *err)
{
	struct import_row *r = find(t, e->path);

	if (import_table_check(t, e->path, e->kind == IMPORT_DIR, err) < 0)
		return -1;
	if (r == NULL && (add_parents(t, e->path, err) < 0 || insert(t, e, &r, err) < 0))
		return -1;
	return set_row(t->totals, r, e, err);
}

int import_row_copy(struct import_row *r, const struct import_row *target, struct import_totals *totals, struct err *err)
{
	if (target->e.kind == IMPORT_DIR)
		return err_set(err, ERR_INPUT, 0, "'" SHOWN "' is a hard link to the directory '" SHOWN "'", r->path, target->path);
	/* At once: what the reader counts after each entry, it could otherwise count only after all that waited. */
	if (target->e.kind == IMPORT_FILE)
		totals->linked += target->e.size;
	if (import_totals_bytes(totals) > IMPORT_BYTES_MAX)
		return err_set(err, ERR_INPUT, 0, "'" SHOWN "': with hard links as files of their own, the files come to more than %llu bytes",
			       r->path, (unsigned long long)IMPORT_BYTES_MAX);
	return set_row(totals, r, &target->e, err);
}

int import_table_link(struct import_table *t, const char *path, const char *target, struct err *err)
{
	struct import_entry e = { .path = path, .kind = IMPORT_HARD, .link = target };
	const struct import_row *old = find(t, target);

	/* A file linked to itself is still that file. */
	if (old != NULL && strcmp(path, target) == 0 && old->e.kind != IMPORT_DIR)
		return 0;
	if (import_table_add(t, &e, err) < 0)
		return -1;
	if (old == NULL || old->e.kind == IMPORT_HARD)
		return 0;
	return import_row_copy(find(t, path), old, t->totals, err);
}

int import_table_whiteout(struct import_table *t, const char *path, enum import_kind kind, const char *victim, struct err *err)
{
	struct import_row *r;

	if (import_table_check(t, path, false, err) < 0 || add_parents(t, path, err) < 0 || append(t, victim, &r, err) < 0)
		return -1;
	r->e.kind = kind;
	return 0;
}

/** Finds what a waiting hard link leads to in the end, perhaps over others: what is no hard link, or one into the layers below. */
static int find_end(const struct import_table *t, struct import_row *r, struct import_row **ret, struct err *err)
{
	struct import_row *at = r;

	for (uint64_t steps = 0; at->e.kind == IMPORT_HARD; steps++) {
		struct import_row *next = find(t, at->link);

		if (next == NULL && t->layer)
			break;
		if (next == NULL)
			return err_set(err, ERR_INPUT, 0, "'" SHOWN "' is a hard link to '" SHOWN "', which is not in the archive", at->path,
				       at->link);
		if (steps == t->rows.n)
			return err_set(err, ERR_INPUT, 0, "'" SHOWN "' is a hard link in a circle", r->path);
		at = next;
	}
	*ret = at;
	return 0;
}

/** Makes a waiting hard link, and those on the way, what they lead to. */
static int settle(struct import_table *t, struct import_row *r, struct err *err)
{
	struct import_row *end;

	if (find_end(t, r, &end, err) < 0)
		return -1;
	while (r != end) {
		struct import_row *next = find(t, r->link);

		if (import_row_copy(r, end, t->totals, err) < 0)
			return -1;
		r = next;
	}
	return 0;
}

int import_table_settle(struct import_table *t, struct err *err)
{
	for (size_t i = t->rows.n; i > 0; i--)
		if (t->rows.v[i - 1]->e.kind == IMPORT_HARD && settle(t, t->rows.v[i - 1], err) < 0)
			return -1;
	return 0;
}

/** By path; of one path what removes comes before what is put there. */
static int by_place(const void *a, const void *b)
{
	const struct import_row *x = *(struct import_row *const *)a, *y = *(struct import_row *const *)b;
	int order = import_path_order(x->path, y->path);

	return order != 0 ? order : (x->e.kind > y->e.kind) - (x->e.kind < y->e.kind);
}

void import_table_take(struct import_table *t, struct import_rows *ret)
{
	tdestroy(t->root, leave_row);
	t->root = NULL;
	if (t->rows.n > 0)
		qsort(t->rows.v, t->rows.n, sizeof *t->rows.v, by_place);
	*ret = t->rows;
	t->rows = (struct import_rows){0};
	t->room = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/import_table.h"

#include <errno.h>
#include <search.h>
#include <string.h>

/** An entry in the table; owns its strings. */
struct row {
	struct import_entry e;
	char *path, *link;
	struct row *next;
};

/** A balanced tree (tsearch(3)): no choice of names makes it slow. */
struct import_table {
	void *root;
	struct row *rows;     /**< the same, latest first */
	uint64_t n;
	uint64_t names;       /**< bytes of paths and targets */
	uint64_t linked;      /**< bytes of files that are there again as hard links */
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->e.path, ((const struct row *)b)->e.path);
}

int import_table_new(struct import_table **ret, struct err *err)
{
	struct import_table *t = calloc(1, sizeof *t);

	if (t == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an archive");
	*ret = t;
	return 0;
}

static void row_free(struct row *r)
{
	if (r == NULL)
		return;
	free(r->path);
	free(r->link);
	free(r);
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
	for (struct row *r = t->rows; r != NULL; ) {
		struct row *next = r->next;

		row_free(r);
		r = next;
	}
	free(t);
}

static struct row *find(const struct import_table *t, const char *path)
{
	const struct row key = { .e.path = path };
	void *const *found = tfind(&key, &t->root, by_path);

	return found == NULL ? NULL : *found;
}

/** Counts names against their limit. */
static int count_names(struct import_table *t, const char *path, size_t bytes, struct err *err)
{
	t->names += bytes;
	if (t->names <= IMPORT_NAMES_MAX)
		return 0;
	return err_set(err, ERR_INPUT, 0, "'" SHOWN "': the names in the archive come to more than %llu bytes", path,
		       (unsigned long long)IMPORT_NAMES_MAX);
}

static int insert(struct import_table *t, const struct import_entry *e, struct row **ret, struct err *err)
{
	if (t->n >= TREE_ENTRIES_MAX)
		return err_set(err, ERR_INPUT, 0, "'" SHOWN "': more than %u entries", e->path, TREE_ENTRIES_MAX);
	if (count_names(t, e->path, strlen(e->path) + 1, err) < 0)
		return -1;
	struct row *r = calloc(1, sizeof *r);
	if (r != NULL)
		r->path = strdup(e->path);
	if (r == NULL || r->path == NULL) {
		row_free(r);
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an archive");
	}
	r->e.path = r->path;
	if (tsearch(r, &t->root, by_path) == NULL) {
		row_free(r);
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an archive");
	}
	r->next = t->rows;
	t->rows = r;
	t->n++;
	*ret = r;
	return 0;
}

/** Makes the row say what @p e says. */
static int set_row(struct import_table *t, struct row *r, const struct import_entry *e, struct err *err)
{
	char *link = NULL;

	if (e->link != NULL) {
		if (count_names(t, r->path, strlen(e->link) + 1, err) < 0)
			return -1;
		link = strdup(e->link);
		if (link == NULL)
			return err_set(err, ERR_INTERNAL, ENOMEM, "read an archive");
	}
	free(r->link);
	r->link = link;
	r->e = *e;
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
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an archive");
	for (char *slash = strchr(dir, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		struct row *r;

		*slash = '\0';
		const struct import_entry e = { .path = dir, .kind = IMPORT_DIR, .mode = 0755 };
		if (find(t, dir) == NULL && (insert(t, &e, &r, err) < 0 || set_row(t, r, &e, err) < 0))
			return -1;
		*slash = '/';
	}
	return 0;
}

int import_table_check(struct import_table *t, const char *path, bool is_dir, struct err *err)
{
	const struct row *old = find(t, path);
	auto_free char *dir = strdup(path);

	if (dir == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an archive");
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
	struct row *r = find(t, e->path);

	if (import_table_check(t, e->path, e->kind == IMPORT_DIR, err) < 0)
		return -1;
	if (r == NULL && (add_parents(t, e->path, err) < 0 || insert(t, e, &r, err) < 0))
		return -1;
	return set_row(t, r, e, err);
}

/** Makes @p r a copy of @p target, as two hard links are one file. */
static int copy_row(struct import_table *t, struct row *r, const struct row *target, struct err *err)
{
	if (target->e.kind == IMPORT_DIR)
		return err_set(err, ERR_INPUT, 0, "'" SHOWN "' is a hard link to the directory '" SHOWN "'", r->path, target->path);
	/* At once: what the reader counts after each entry, it could otherwise count only after all that waited. */
	if (target->e.kind == IMPORT_FILE && (t->linked += target->e.size) > IMPORT_BYTES_MAX)
		return err_set(err, ERR_INPUT, 0, "'" SHOWN "': with hard links as files of their own, the files come to more than %llu bytes",
			       r->path, (unsigned long long)IMPORT_BYTES_MAX);
	return set_row(t, r, &target->e, err);
}

int import_table_link(struct import_table *t, const char *path, const char *target, struct err *err)
{
	struct import_entry e = { .path = path, .kind = IMPORT_HARD, .link = target };
	const struct row *old = find(t, target);

	/* A file linked to itself is still that file. */
	if (old != NULL && strcmp(path, target) == 0 && old->e.kind != IMPORT_DIR)
		return 0;
	if (import_table_add(t, &e, err) < 0)
		return -1;
	if (old == NULL || old->e.kind == IMPORT_HARD)
		return 0;
	return copy_row(t, find(t, path), old, err);
}

uint64_t import_table_linked(const struct import_table *t)
{
	return t->linked;
}

/** Finds what a waiting hard link leads to in the end, perhaps over others. */
static int find_end(const struct import_table *t, const struct row *r, const struct row **ret, struct err *err)
{
	const struct row *at = r;

	for (uint64_t steps = 0; at->e.kind == IMPORT_HARD; steps++) {
		const struct row *next = find(t, at->link);

		if (next == NULL)
			return err_set(err, ERR_INPUT, 0, "'" SHOWN "' is a hard link to '" SHOWN "', which is not in the archive", at->path,
				       at->link);
		if (steps == t->n)
			return err_set(err, ERR_INPUT, 0, "'" SHOWN "' is a hard link in a circle", r->path);
		at = next;
	}
	*ret = at;
	return 0;
}

/** Makes a waiting hard link, and those on the way, what they lead to. */
static int settle(struct import_table *t, struct row *r, struct err *err)
{
	const struct row *end;

	if (find_end(t, r, &end, err) < 0)
		return -1;
	while (r->e.kind == IMPORT_HARD) {
		struct row *next = find(t, r->link);

		if (copy_row(t, r, end, err) < 0)
			return -1;
		r = next;
	}
	return 0;
}

static int hand_over(const struct row *r, struct tree_builder *b, struct err *err)
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

int import_table_end(struct import_table *t, struct tree_builder *b, struct err *err)
{
	for (struct row *r = t->rows; r != NULL; r = r->next)
		if ((r->e.kind == IMPORT_HARD && settle(t, r, err) < 0) || hand_over(r, b, err) < 0)
			return -1;
	return 0;
}

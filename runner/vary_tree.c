/* SPDX-License-Identifier: Apache-2.0 */
/* Where two trees differ. */
#include <string.h>

#include "runner/vary.h"

/** Most names that are told, and bytes of each. */
#define NAMES_MAX 8
#define NAME_SHOWN 120

/** One of the two: its next entry. */
struct side {
	struct tree_reader *reader;
	struct tree_entry e;
	int more;
};

static int step(struct side *s, struct err *err)
{
	s->more = tree_reader_next(s->reader, &s->e, err);
	return s->more < 0 ? -1 : 0;
}

static bool is_same(const struct tree_entry *a, const struct tree_entry *b)
{
	if (a->type != b->type || a->uid != b->uid || a->gid != b->gid)
		return false;
	if (a->type == TREE_LINK)
		return strcmp(a->link, b->link) == 0;
	return a->mode == b->mode && (a->type == TREE_DIR || digest_eq(&a->digest, &b->digest));
}

/** Tells one difference, while there is room for it. */
static void tell(struct buf *out, size_t n, const char *path, const char *what)
{
	if (n >= NAMES_MAX)
		return;
	buf_adds(out, n == 0 ? "'" : ", '");
	text_brief(out, path, strlen(path), NAME_SHOWN);
	buf_addf(out, "' %s", what);
}

static int walk(struct side *a, struct side *b, struct buf *out, struct err *err)
{
	size_t n = 0;

	if (step(a, err) < 0 || step(b, err) < 0)
		return -1;
	while (a->more > 0 || b->more > 0) {
		int order = a->more == 0 ? 1 : b->more == 0 ? -1 : strcmp(a->e.path, b->e.path);

		if (order != 0)
			tell(out, n++, order < 0 ? a->e.path : b->e.path, order < 0 ? "is not there" : "is new");
		else if (!is_same(&a->e, &b->e))
			tell(out, n++, a->e.path, "differs");
		if ((order <= 0 && step(a, err) < 0) || (order >= 0 && step(b, err) < 0))
			return -1;
	}
	if (n > NAMES_MAX)
		buf_addf(out, " and %zu more", n - NAMES_MAX);
	return buf_check(out, "differences", err);
}

int vary_compare(struct tree_reader *a, struct tree_reader *b, struct buf *out, struct err *err)
{
	struct side sa = { .reader = a }, sb = { .reader = b };

	return walk(&sa, &sb, out, err);
}

int vary_differences(struct store *a_store, const struct digest *a, struct store *b_store, const struct digest *b, struct buf *out,
		     struct err *err)
{
	auto_tree_reader ra = NULL;
	auto_tree_reader rb = NULL;

	if (!store_has_tree(a_store, a) || !store_has_tree(b_store, b)) {
		buf_adds(out, "which files differ cannot be told: the recorded tree is not in this store");
		return buf_check(out, "differences", err);
	}
	if (store_read_tree(a_store, a, &ra, err) < 0 || store_read_tree(b_store, b, &rb, err) < 0)
		return -1;
	return vary_compare(ra, rb, out, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What tells of packages is gathered, and handed to the confined process that reads it. */
#include "inspect/packages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"
#include "inspect/pkg_apart.h"

const char *package_kind_name(enum package_kind kind)
{
	static const char *const names[PACKAGE_KINDS] = {
		[PACKAGE_DEB] = "deb", [PACKAGE_APK] = "apk", [PACKAGE_RPM] = "rpm", [PACKAGE_NPM] = "npm", [PACKAGE_PYPI] = "pypi",
		[PACKAGE_GOLANG] = "golang", [PACKAGE_CARGO] = "cargo",
	};

	return names[kind];
}

int packages_open_in_store(void *arg, const struct content *file, int *ret_fd, struct err *err)
{
	return store_open_object(arg, &file->digest, ret_fd, err);
}

/** What is gathered for the reader. */
struct gathering {
	const struct contents *contents;
	packages_open_fn *open;
	void *arg;
	int spool;               /**< the texts, one behind the other */
	uint64_t size;
	struct pkg_text *v;
	size_t n, room;
	struct package_note *notes;   /**< of files that are not even looked into */
	size_t nnotes, notes_room;
};

static void gathering_clear(struct gathering *g)
{
	own_fd(&g->spool);
	free(g->v);
	for (size_t i = 0; i < g->nnotes; i++)
		free(g->notes[i].why);
	free(g->notes);
}

static int note(struct gathering *g, size_t at, const char *why, struct err *err)
{
	if (!array_room(&g->notes, g->nnotes, &g->notes_room))
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	g->notes[g->nnotes] = (struct package_note){ at, strdup(why) };
	return g->notes[g->nnotes++].why == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "find packages") : 0;
}

/** Copies a file behind the others. */
static int gather(struct gathering *g, size_t at, enum pkg_format format, struct err *err)
{
	const struct content *file = &g->contents->v[at];
	auto_fd fd = -1;

	if (file->size > PACKAGE_FILE_MAX || g->size + file->size > PACKAGE_FILES_MAX)
		return note(g, at, "too large to be read: packages that it tells of are not listed", err);
	if (!array_room(&g->v, g->n, &g->room))
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	if (g->open(g->arg, file, &fd, err) < 0 || io_copy(fd, g->spool, file->size, err) < 0)
		return err_ctx(err, "'%.1000s'", file->path);
	g->v[g->n++] = (struct pkg_text){ .at = at, .format = format, .bytes = { g->spool, g->size, file->size } };
	g->size += file->size;
	return 0;
}

/** By format, which is the order that the readers count on. */
static int by_format(const void *a, const void *b)
{
	const struct pkg_text *x = a, *y = b;

	if (x->format != y->format)
		return x->format < y->format ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static int gather_all(struct gathering *g, struct err *err)
{
	g->spool = memfd_create("packages", MFD_CLOEXEC);
	if (g->spool < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a file in memory");
	for (size_t i = 0; i < g->contents->n; i++) {
		enum pkg_format format = g->contents->v[i].type == TREE_FILE ? pkg_format_of(g->contents->v[i].path) : PKG_NO_FORMAT;

		if (format != PKG_NO_FORMAT && gather(g, i, format, err) < 0)
			return -1;
	}
	if (g->n > 0)
		qsort(g->v, g->n, sizeof *g->v, by_format);
	return 0;
}

/** Puts the notes of this side before the others. */
static int join_notes(struct gathering *g, struct packages *p, struct err *err)
{
	if (g->nnotes == 0)
		return 0;
	struct package_note *all = reallocarray(g->notes, g->nnotes + p->nnotes, sizeof *all);
	if (all == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	if (p->nnotes > 0)
		memcpy(all + g->nnotes, p->notes, p->nnotes * sizeof *all);
	free(p->notes);
	p->notes = all;
	p->nnotes += g->nnotes;
	g->notes = NULL;
	g->nnotes = 0;
	return 0;
}

int packages_find(const struct contents *c, packages_open_fn *open, void *arg, struct packages *ret, struct err *err)
{
	__attribute__((cleanup(gathering_clear))) struct gathering g = { .contents = c, .open = open, .arg = arg, .spool = -1 };
	auto_packages p = {0};

	if (gather_all(&g, err) < 0 || pkg_find_apart(c, g.v, g.n, &g.spool, 1, &p, err) < 0 || join_notes(&g, &p, err) < 0)
		return -1;
	*ret = p;
	p = (struct packages){0};
	return 0;
}

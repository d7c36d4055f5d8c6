/* SPDX-License-Identifier: Apache-2.0 */
/* What tells of packages is gathered, and handed to the confined process that reads it. */
#include "inspect/packages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"
#include "base/confine.h"
#include "inspect/bytes.h"
#include "inspect/pkg_apart.h"

/** Bytes of a program that are looked at together, and how many of them again with the next. */
#define SCAN_CHUNK (256u << 10)
#define SCAN_OVERLAP 64
#define GO_PROGRAM_MIN (512u << 10)

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
	int fds[CONFINE_FDS_MAX]; /**< what the reader is given: the texts, one behind the other, and databases */
	size_t nfds;
	uint64_t size;           /**< of the texts */
	struct pkg_text *v;
	size_t n, room;
	struct package_note *notes;   /**< of files that are not even looked into */
	size_t nnotes, notes_room;
};

static void gathering_clear(struct gathering *g)
{
	for (size_t i = 0; i < g->nfds; i++)
		own_fd(&g->fds[i]);
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

static int add_text(struct gathering *g, size_t at, enum pkg_format format, struct slice bytes, struct err *err)
{
	if (!array_room(&g->v, g->n, &g->room))
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	g->v[g->n++] = (struct pkg_text){ .at = at, .format = format, .bytes = bytes };
	return 0;
}

/** Copies @p n bytes of a file, from its offset on, behind the others. */
static int copy(struct gathering *g, size_t at, enum pkg_format format, int fd, uint64_t n, struct err *err)
{
	const struct slice bytes = { g->fds[0], g->size, n };

	if (io_copy(fd, bytes.fd, n, err) < 0)
		return err_ctx(err, "'%.1000s'", g->contents->v[at].path);
	g->size += n;
	return add_text(g, at, format, bytes, err);
}

/** Takes a file for the reader. */
static int gather(struct gathering *g, size_t at, enum pkg_format format, struct err *err)
{
	const struct content *file = &g->contents->v[at];
	bool whole = pkg_reads_bytes(format);
	auto_fd fd = -1;

	if (file->size > pkg_file_max(format) || (!whole && g->size + file->size > PACKAGE_FILES_MAX))
		return note(g, at, "too large to be read: packages that it tells of are not listed", err);
	if (whole && g->nfds == CONFINE_FDS_MAX)
		return note(g, at, "one database too many: packages that it tells of are not listed", err);
	if (g->open(g->arg, file, &fd, err) < 0)
		return err_ctx(err, "'%.1000s'", file->path);
	if (!whole)
		return copy(g, at, format, fd, file->size, err);
	const struct slice bytes = { fd, 0, file->size };
	g->fds[g->nfds++] = move_fd(&fd);
	return add_text(g, at, format, bytes, err);
}

int pkg_go_place(const struct slice *file, uint64_t *ret, struct err *err)
{
	auto_free char *chunk = malloc(SCAN_CHUNK + SCAN_OVERLAP);
	size_t have = 0, got = 1;
	uint64_t at = 0, next = 0;

	if (chunk == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "look for packages");
	*ret = file->size;
	while (got > 0) {
		if (bytes_read(file, next, chunk + have, SCAN_CHUNK, &got, err) < 0)
			return -1;
		have += got;
		next += got;
		if (at == 0 && (have < 4 || memcmp(chunk, "\x7f" "ELF", 4) != 0))
			return 0;
		for (const char *p = chunk; (p = memmem(p, have - (size_t)(p - chunk), PKG_GO_MAGIC, strlen(PKG_GO_MAGIC))) != NULL; p++) {
			size_t place = (size_t)(p - chunk);

			if ((at + place) % 16 == 0 && pkg_is_go_head(p, have - place)) {
				*ret = at + place;
				return 0;
			}
		}
		if (have <= SCAN_OVERLAP)
			continue;
		memmove(chunk, chunk + have - SCAN_OVERLAP, SCAN_OVERLAP);
		at += have - SCAN_OVERLAP;
		have = SCAN_OVERLAP;
	}
	return 0;
}

/** Copies what a program says of its modules, where Go has made it. */
static int gather_program(struct gathering *g, size_t at, struct err *err)
{
	const struct content *file = &g->contents->v[at];
	auto_fd fd = -1;
	uint64_t place;

	if (g->open(g->arg, file, &fd, err) < 0 || pkg_go_place(&(struct slice){ .fd = fd, .size = file->size }, &place, err) < 0)
		return err_ctx(err, "'%.1000s'", file->path);
	if (place == file->size)
		return 0;
	uint64_t n = file->size - place < PKG_GO_MAX ? file->size - place : PKG_GO_MAX;
	if (g->size + n > PACKAGE_FILES_MAX)
		return note(g, at, "too many files tell of packages: those that it tells of are not listed", err);
	if (lseek(fd, (off_t)place, SEEK_SET) < 0)
		return err_set(err, ERR_INTERNAL, errno, "read '%.1000s'", file->path);
	return copy(g, at, PKG_GO_BINARY, fd, n, err);
}

bool pkg_may_be_program(const struct content *file)
{
	return file->type == TREE_FILE && (file->mode & 0111) != 0 && file->size >= GO_PROGRAM_MIN;
}

static int by_format(const void *a, const void *b)
{
	const struct pkg_text *x = a, *y = b;

	if (x->format != y->format)
		return x->format < y->format ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

void pkg_sort_texts(struct pkg_text *texts, size_t n)
{
	if (n > 0)
		qsort(texts, n, sizeof *texts, by_format);
}

static int gather_all(struct gathering *g, struct err *err)
{
	g->fds[0] = memfd_create("packages", MFD_CLOEXEC);
	if (g->fds[0] < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a file in memory");
	g->nfds = 1;
	for (size_t i = 0; i < g->contents->n; i++) {
		enum pkg_format format = g->contents->v[i].type == TREE_FILE ? pkg_format_of(g->contents->v[i].path) : PKG_NO_FORMAT;

		if (format != PKG_NO_FORMAT && gather(g, i, format, err) < 0)
			return -1;
		if (format == PKG_NO_FORMAT && pkg_may_be_program(&g->contents->v[i]) && gather_program(g, i, err) < 0)
			return -1;
	}
	pkg_sort_texts(g->v, g->n);
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
	__attribute__((cleanup(gathering_clear))) struct gathering g = { .contents = c, .open = open, .arg = arg };
	auto_packages p = {0};

	if (gather_all(&g, err) < 0 || pkg_find_apart(c, g.v, g.n, g.fds, g.nfds, &p, err) < 0 || join_notes(&g, &p, err) < 0)
		return -1;
	*ret = p;
	p = (struct packages){0};
	return 0;
}

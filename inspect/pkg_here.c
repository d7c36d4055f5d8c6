/* SPDX-License-Identifier: Apache-2.0 */
/* Packages of files that lie in slices, read in a process that is confined already. */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "inspect/pkg_apart.h"

/** What is to be read. */
struct texts {
	struct pkg_text *v;
	size_t n, room;
	uint64_t size;
};

static int add_text(struct texts *t, struct pkg_found *f, size_t at, enum pkg_format format, struct slice bytes, struct err *err)
{
	bool whole = pkg_reads_bytes(format);

	if (bytes.size > pkg_file_max(format) || (!whole && t->size + bytes.size > PACKAGE_FILES_MAX))
		return pkg_note(f, at, "too large to be read: packages that it tells of are not listed", err);
	if (!array_room(&t->v, t->n, &t->room))
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	t->v[t->n++] = (struct pkg_text){ .at = at, .format = format, .bytes = bytes };
	t->size += whole ? 0 : bytes.size;
	return 0;
}

/** Takes what a program says of its modules, where Go has made it. */
static int add_program(struct texts *t, struct pkg_found *f, size_t at, struct slice bytes, struct err *err)
{
	uint64_t place;

	if (pkg_go_place(&bytes, &place, err) < 0)
		return -1;
	if (place == bytes.size)
		return 0;
	bytes.offset += place;
	bytes.size = bytes.size - place < PKG_GO_MAX ? bytes.size - place : PKG_GO_MAX;
	return add_text(t, f, at, PKG_GO_BINARY, bytes, err);
}

static int add_texts(struct texts *t, struct pkg_found *f, const struct contents *c, const struct slice *bytes, struct err *err)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i].type != TREE_FILE)
			continue;
		enum pkg_format format = pkg_format_of(c->v[i].path);

		if (format != PKG_NO_FORMAT ? add_text(t, f, i, format, bytes[i], err) < 0 :
		    pkg_may_be_program(&c->v[i]) && add_program(t, f, i, bytes[i], err) < 0)
			return -1;
	}
	return 0;
}

int pkg_find_here(const struct contents *c, const struct slice *bytes, struct pkg_found *f, struct err *err)
{
	struct texts t = {0};
	int result = -1;

	if (add_texts(&t, f, c, bytes, err) == 0) {
		pkg_sort_texts(t.v, t.n);
		result = pkg_read_texts(f, t.v, t.n, err);
	}
	free(t.v);
	return result;
}

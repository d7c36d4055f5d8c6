/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file packages_helper.h
 * Images made of rows, and the packages that are found in them, in this process.
 */
#ifndef GB_TEST_INSPECT_PACKAGES_HELPER_H
#define GB_TEST_INSPECT_PACKAGES_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "inspect/pkg_apart.h"

/** A file of the image, or where `link` is set a link. */
struct row {
	const char *path, *text, *link;
};

static inline void add_rows(struct contents *c, const struct row *rows, size_t n, unsigned layer)
{
	struct err err = {0};

	for (size_t i = 0; i < n; i++) {
		const char *text = rows[i].text == NULL ? "" : rows[i].text;
		struct tree_entry e = {
			.type = rows[i].link != NULL ? TREE_LINK : TREE_FILE, .mode = 0644, .size = strlen(text), .link = rows[i].link,
		};

		assert_int_equal(hash_bytes(text, strlen(text), &e.digest, &err), 0);
		assert_int_equal(contents_add(c, &e, rows[i].path, layer, &err), 0);
	}
}

static inline const char *text_of_row(const struct row *rows, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].path, path) == 0)
			return rows[i].text == NULL ? "" : rows[i].text;
	fail_msg("no row %s", path);
	return "";
}

/** Reads all rows whose format is known, in the order of formats, and takes the answer as the other side of the wall does. */
static inline void find_here(const struct row *rows, size_t n, struct contents *c, struct packages *ret)
{
	struct err err = {0};
	auto_pkg_found f = {0};
	auto_buf answer = {0};

	add_rows(c, rows, n, 0);
	contents_lay(c);
	assert_int_equal(pkg_found_begin(&f, c, &err), 0);
	for (enum pkg_format format = 0; format < PKG_FORMATS; format++)
		for (size_t i = 0; i < c->n; i++) {
			if (c->v[i].type != TREE_FILE || pkg_format_of(c->v[i].path) != format)
				continue;
			auto_free char *text = strdup(text_of_row(rows, n, c->v[i].path));
			const struct pkg_file file = { .at = i, .path = c->v[i].path, .text = text, .n = strlen(text) };
			if (pkg_read(&f, format, &file, &err) < 0)
				fail_msg("%s: %s", file.path, err.msg);
		}
	assert_int_equal(pkg_finish(&f, &err), 0);
	assert_int_equal(pkg_answer(&f, &answer, &err), 0);
	if (pkg_believe(answer.data, answer.len, c->n, ret, &err) < 0)
		fail_msg("%s", err.msg);
}
#define FIND_HERE(rows, c, ret) find_here((rows), ARRAY_LEN(rows), (c), (ret))

/** What a single file gives: 0, or -1 with the reason in @p err. */
static inline int read_one(const char *path, const char *bytes, size_t size, struct err *err)
{
	struct contents c = {0};
	auto_pkg_found f = {0};
	const struct row row = { path, "", NULL };
	auto_free char *text = malloc(size + 1);
	int result;

	assert_non_null(text);
	memcpy(text, bytes, size);
	text[size] = '\0';
	add_rows(&c, &row, 1, 0);
	contents_lay(&c);
	assert_int_equal(pkg_found_begin(&f, &c, err), 0);
	const struct pkg_file file = { .at = 0, .path = path, .text = text, .n = size };
	result = pkg_read(&f, pkg_format_of(path), &file, err);
	if (result == 0)
		result = pkg_finish(&f, err);
	pkg_found_clear(&f);
	contents_clear(&c);
	return result;
}

/** The package called so, which has to be there. */
static inline const struct package *named(const struct packages *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i].name, name) == 0)
			return &all->v[i];
	fail_msg("there is no package %s", name);
	return NULL;
}

static inline void assert_text(const char *is, const char *want)
{
	if (want == NULL)
		assert_null(is);
	else
		assert_string_equal(is == NULL ? "(none)" : is, want);
}

static inline void assert_purl(const struct packages *all, const char *name, const char *want)
{
	auto_buf purl = {0};

	package_purl(all, named(all, name), &purl);
	assert_false(purl.failed);
	assert_string_equal(purl.data, want);
}

/** Whether @p name needs just those of @p want, which is "a b c" in the order of packages. */
static inline void assert_needs(const struct packages *all, const char *name, const char *want)
{
	const struct package *p = named(all, name);
	auto_buf is = {0};

	for (size_t i = 0; i < p->nneeds; i++)
		buf_addf(&is, "%s%s", i > 0 ? " " : "", all->v[p->needs[i]].name);
	buf_adds(&is, "");
	assert_string_equal(is.data, want);
}

/** Who owns a path: a package's name, or NULL. */
static inline void assert_owner(const struct packages *all, const struct contents *c, const char *path, const char *want)
{
	size_t at = contents_find(c, path);

	assert_int_not_equal(at, CONTENTS_NONE);
	assert_text(all->owner[at] == PACKAGE_NONE ? NULL : all->v[all->owner[at]].name, want);
}

#endif

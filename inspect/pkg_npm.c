/* SPDX-License-Identifier: Apache-2.0 */
/* npm's packages: package.json of what is installed, and package-lock.json (lockfileVersion 2 and 3), docs.npmjs.com. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/licence.h"
#include "inspect/pkg.h"

#define MODULES "node_modules/"

/** A text that is kept, or NULL. */
static const char *text_of(const json_t *object, const char *name)
{
	const char *s = json_str(object, name);

	return s != NULL && strlen(s) <= PACKAGE_TEXT_MAX ? s : NULL;
}

/** "license": a text; older: an object with a type, or a list of those, of which one may choose. */
static int find_licence(const json_t *j, struct buf *out, struct err *err)
{
	const json_t *value = json_object_get(j, "license"), *list = json_object_get(j, "licenses"), *one;
	const char *text = json_is_object(value) ? json_str(value, "type") : json_string_value(value);
	auto_buf all = {0};
	size_t i;

	if (text != NULL)
		licence_expression(text, LICENCE_SPDX, out);
	json_array_foreach(list, i, one) {
		const char *type = json_is_string(one) ? json_string_value(one) : json_str(one, "type");

		if (type != NULL)
			buf_addf(&all, "%s(%s)", all.len > 0 ? " or " : "", type);
	}
	if (out->len == 0 && !all.failed && all.len > 0)
		licence_expression(all.data, LICENCE_SPDX, out);
	return buf_check(out, "licence", err) < 0 ? -1 : buf_check(&all, "licence", err);
}

/** "author": "Name <address> (url)", or an object; else the first of the maintainers. The caller frees it. */
static char *find_supplier(const json_t *j)
{
	const json_t *who = json_object_get(j, "author");

	if (who == NULL)
		who = json_array_get(json_object_get(j, "maintainers"), 0);
	const char *text = json_is_object(who) ? json_str(who, "name") : json_string_value(who);
	char *copy = text == NULL || strlen(text) > PACKAGE_TEXT_MAX ? NULL : strdup(text);

	if (copy != NULL) {
		char *name = pkg_person(copy);

		memmove(copy, name, strlen(name) + 1);
	}
	return copy;
}

/** Adds a package that stands, or would, in @p where. @p name: what it is called. */
static int add(struct pkg_found *f, const struct pkg_file *file, const json_t *j, const char *name, const char *where, bool listed, struct err *err)
{
	static const char *const lists[] = { "dependencies", "optionalDependencies", "peerDependencies" };
	auto_free char *supplier = find_supplier(j);
	auto_buf licence = {0};
	auto_buf alias = {0};
	const char *dependency;
	json_t *ignored;
	struct pkg *p;

	if (find_licence(j, &licence, err) < 0)
		return -1;
	const struct package what = {
		.kind = PACKAGE_NPM, .name = (char *)name, .version = (char *)text_of(j, "version"), .supplier = supplier,
		.licence = licence.len <= PACKAGE_TEXT_MAX ? licence.data : NULL, .from = file->at, .listed = listed,
	};
	if (pkg_add(f, &what, &p, err) < 0)
		return -1;
	p->where = strdup(where);
	if (p->where == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	/* No name of a package begins with a slash. */
	buf_addf(&alias, "/%s", where);
	if (buf_check(&alias, "path", err) < 0 || pkg_alias(f, alias.data, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		json_object_foreach(json_object_get(j, lists[i]), dependency, ignored)
			if (pkg_want(f, dependency, err) < 0)
				return -1;
	return 0;
}

static int parse(const struct pkg_file *file, json_t **ret, struct err *err)
{
	size_t skip = text_starts(file->text, "\xef\xbb\xbf") ? 3 : 0;

	return json_parse(file->text + skip, file->n - skip, "it", ERR_INPUT, ret, err);
}

/** The directory that the file is in. The caller frees it. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? strdup("") : strndup(path, (size_t)(slash - path));
}

int pkg_read_npm_package(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	auto_free char *where = directory_of(file->path);
	auto_json j = NULL;

	if (where == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	if (parse(file, &j, err) < 0)
		return -1;
	const char *name = json_str(j, "name");
	/* Many only say how the files beside them are to be read. */
	if (name == NULL || name[0] == '\0' || text_of(j, "version") == NULL)
		return 0;
	if (add(f, file, j, name, where, false, err) < 0)
		return -1;
	pkg_own(f, f->n - 1, file->at);
	return 0;
}

/** One member of a lock's "packages". */
static int add_locked(struct pkg_found *f, const struct pkg_file *file, const char *dir, const char *key, const json_t *j, struct err *err)
{
	const char *name = json_str(j, "name"), *last = NULL;
	auto_buf where = {0};
	auto_buf installed = {0};

	for (const char *p = key; (p = strstr(p, MODULES)) != NULL; p += strlen(MODULES))
		last = p + strlen(MODULES);
	/* Others are the project's own, which their package.json tells of. */
	if (last == NULL || !json_is_object(j) || json_is_true(json_object_get(j, "link")))
		return 0;
	buf_addf(&where, "%s%s%s", dir, dir[0] == '\0' ? "" : "/", key);
	buf_addf(&installed, "%s/package.json", where.failed ? "" : where.data);
	if (buf_check(&where, "path", err) < 0 || buf_check(&installed, "path", err) < 0)
		return -1;
	if (contents_find(f->contents, installed.data) != CONTENTS_NONE)
		return 0;
	return add(f, file, j, name != NULL ? name : last, where.data, true, err);
}

int pkg_read_npm_lock(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	auto_free char *dir = directory_of(file->path);
	auto_json j = NULL;
	const char *key;
	json_t *package;

	if (dir == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	if (parse(file, &j, err) < 0)
		return -1;
	if (!json_is_object(json_object_get(j, "packages")))
		return pkg_bad("a lock file of a form that is not read (lockfileVersion 2 and 3 are)", err);
	json_object_foreach(json_object_get(j, "packages"), key, package)
		if (add_locked(f, file, dir, key, package, err) < 0)
			return -1;
	return 0;
}

/* ---- what is below them --------------------------------------------------------------------- */

/** A package by how deep it stands. */
struct place {
	size_t len, package;
};

static int deepest_first(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->len != y->len)
		return x->len > y->len ? -1 : 1;
	return x->package < y->package ? -1 : x->package > y->package;
}

int pkg_finish_npm(struct pkg_found *f, struct err *err)
{
	auto_free struct place *places = calloc(f->n + 1, sizeof *places);
	size_t n = 0, from, to;

	if (places == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	for (size_t i = 0; i < f->n; i++)
		/* Elsewhere a package.json says what it stands beside is called, not how far that goes. */
		if (f->v[i].where != NULL && !f->v[i].p.listed && strstr(f->v[i].where, MODULES) != NULL)
			places[n++] = (struct place){ strlen(f->v[i].where), i };
	qsort(places, n, sizeof *places, deepest_first);
	for (size_t i = 0; i < n; i++) {
		contents_below(f->contents, f->v[places[i].package].where, &from, &to);
		for (; from < to; from++)
			pkg_own(f, places[i].package, from);
	}
	return 0;
}

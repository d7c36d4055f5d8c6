/* SPDX-License-Identifier: Apache-2.0 */
/* Python's packages as installers leave them (packaging.python.org, "Recording installed projects"): NAME.dist-info/METADATA and RECORD; older:
 * NAME.egg-info, a file or a directory with PKG-INFO. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "inspect/licence.h"
#include "inspect/pkg.h"

/** A project's name is one however it is written: lower case, and runs of "-_." are one "-". @p out has room for all of @p name and a NUL. */
static void normalise(const char *name, char *out)
{
	char *to = out;

	for (; *name != '\0'; name++) {
		if (strchr("-_.", *name) == NULL)
			*to++ = (char)tolower((unsigned char)*name);
		else if (to == out || to[-1] != '-')
			*to++ = '-';
	}
	*to = '\0';
}

/** "Foo-Bar[extra] (>=1.0) ; python_version < '3'" is "foo-bar"; what an extra needs is not needed. */
static int want(struct pkg_found *f, char *requirement, struct err *err)
{
	char *marker = strchr(requirement, ';'), name[PACKAGE_TEXT_MAX + 1];

	if (marker != NULL && strstr(marker, "extra") != NULL)
		return 0;
	requirement = pkg_trim(requirement);
	requirement[strcspn(requirement, " ([;<>=!~@\t\n")] = '\0';
	if (strlen(requirement) > PACKAGE_TEXT_MAX)
		return pkg_bad("a requirement that is too long", err);
	normalise(requirement, name);
	return pkg_want(f, name, err);
}

/** The licence, by the word that is the most exact. */
static void find_licence(const struct stanza *s, struct buf *out)
{
	char *value = stanza_get(s, "License-Expression");

	if (value != NULL)
		licence_expression(pkg_trim(value), LICENCE_SPDX, out);
	for (size_t i = 0; i < s->n; i++)
		if (out->len == 0 && strcmp(s->v[i].name, "Classifier") == 0 && strstr(s->v[i].value, "License ::") != NULL &&
		    strcmp(strrchr(s->v[i].value, ':'), ": OSI Approved") != 0)
			licence_expression(pkg_trim(s->v[i].value), LICENCE_CLASSIFIER, out);
	value = out->len == 0 ? stanza_get(s, "License") : NULL;
	if (value != NULL) {
		value = pkg_trim(value);
		/* More than a line is the licence itself. */
		if (strchr(value, '\n') == NULL && strcmp(value, "UNKNOWN") != 0)
			licence_expression(value, LICENCE_SPDX, out);
	}
}

static char *trimmed(const struct stanza *s, const char *name)
{
	char *value = stanza_get(s, name);

	return value == NULL ? NULL : pkg_trim(value);
}

static char *find_supplier(const struct stanza *s)
{
	static const char *const names[] = { "Author", "Author-email", "Maintainer", "Maintainer-email" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *value = stanza_get(s, names[i]);

		if (value == NULL || strcmp(pkg_trim(value), "UNKNOWN") == 0)
			continue;
		value = pkg_person(value);
		if (value[0] != '\0' && strlen(value) <= PACKAGE_TEXT_MAX)
			return value;
	}
	return NULL;
}

int pkg_read_pip_metadata(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	char *at = file->text, *name, own[PACKAGE_TEXT_MAX + 1];
	auto_buf licence = {0};
	struct stanza s;

	/* Behind the first empty line is prose. */
	if (!stanza_next(&at, &s) || (name = trimmed(&s, "Name")) == NULL)
		return pkg_bad("no name of a package in it", err);
	find_licence(&s, &licence);
	if (buf_check(&licence, "licence", err) < 0)
		return -1;
	const struct package p = {
		.kind = PACKAGE_PYPI, .name = name, .version = trimmed(&s, "Version"), .supplier = find_supplier(&s),
		.licence = licence.len <= PACKAGE_TEXT_MAX ? licence.data : NULL, .from = file->at,
	};
	if (pkg_add(f, &p, NULL, err) < 0)
		return -1;
	normalise(name, own);
	if (strcmp(own, name) != 0 && pkg_alias(f, own, err) < 0)
		return -1;
	for (size_t i = 0; i < s.n; i++)
		if (strcmp(s.v[i].name, "Requires-Dist") == 0 && want(f, s.v[i].value, err) < 0)
			return -1;
	pkg_own(f, f->n - 1, file->at);
	return 0;
}

/** The package whose metadata are the file @p beside in the directory of @p file. */
static int find_package(const struct pkg_found *f, const struct pkg_file *file, const char *beside, size_t *ret, struct err *err)
{
	auto_buf path = {0};

	buf_add(&path, file->path, (size_t)(text_path_name(file->path) - file->path));
	buf_adds(&path, beside);
	if (buf_check(&path, "path", err) < 0)
		return -1;
	*ret = pkg_from(f, contents_find(f->contents, path.data));
	return 0;
}

/** Owns @p path, which is relative to the directory @p up levels above the file. */
static int own_beside(struct pkg_found *f, size_t package, const struct pkg_file *file, unsigned up, const char *path, struct err *err)
{
	auto_buf full = {0};
	const char *end = file->path + strlen(file->path);

	if (path[0] != '/') {
		for (; up > 0 && end != NULL; up--)
			end = memrchr(file->path, '/', (size_t)(end - file->path));
		buf_add(&full, file->path, end == NULL ? 0 : (size_t)(end - file->path));
		buf_addc(&full, '/');
	}
	buf_adds(&full, path);
	if (buf_check(&full, "path", err) < 0)
		return -1;
	pkg_own_path(f, package, full.data);
	return 0;
}

/** The first field of a line of CSV (RFC 4180). */
static char *first_field(char *line)
{
	char *to = line;

	if (line[0] != '"') {
		line[strcspn(line, ",")] = '\0';
		return line;
	}
	for (const char *p = line + 1; *p != '\0' && (*p != '"' || p[1] == '"'); p++) {
		if (*p == '"')
			p++;
		*to++ = *p;
	}
	*to = '\0';
	return line;
}

/** Owns the file itself, and what its lines list: fields of CSV, or paths. */
static int read_list(struct pkg_found *f, const struct pkg_file *file, const char *metadata, bool csv, unsigned up, struct err *err)
{
	char *at = file->text, *line;
	size_t package;

	if (find_package(f, file, metadata, &package, err) < 0)
		return -1;
	if (package == PACKAGE_NONE)
		return 0;
	pkg_own(f, package, file->at);
	while ((line = pkg_line(&at)) != NULL)
		if (own_beside(f, package, file, up, csv ? first_field(line) : line, err) < 0)
			return -1;
	return 0;
}

int pkg_read_pip_record(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	return read_list(f, file, "METADATA", true, 2, err);
}

int pkg_read_pip_files(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	return read_list(f, file, "PKG-INFO", false, 1, err);
}

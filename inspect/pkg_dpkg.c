/* SPDX-License-Identifier: Apache-2.0 */
/* Debian's packages (dpkg(1), deb822(5)): var/lib/dpkg/status, or one file each in status.d/ (images without dpkg); which files each has,
 * info/NAME.list or status.d/NAME.md5sums; licences by machine-readable copyright files (DEP-5). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "inspect/licence.h"
#include "inspect/pkg.h"

/** Most licences of one copyright file. */
#define LICENCES_MAX 32

/* ---- packages ---------------------------------------------------------------------- */

/** "a (>= 1) | b:any, c" as wants "a|b" and "c". */
static int want_all(struct pkg_found *f, char *list, struct err *err)
{
	char *group, *name;

	while (list != NULL && (group = pkg_word(&list, ",")) != NULL) {
		auto_buf either = {0};

		while ((name = pkg_word(&group, "|")) != NULL) {
			name = pkg_trim(name);
			name[strcspn(name, " (:[\t\n")] = '\0';
			if (either.len > 0)
				buf_addc(&either, '|');
			buf_adds(&either, name);
		}
		buf_adds(&either, "");
		if (buf_check(&either, "package", err) < 0 || pkg_want(f, either.data, err) < 0)
			return -1;
	}
	return 0;
}

static int alias_all(struct pkg_found *f, char *list, struct err *err)
{
	char *name;

	while (list != NULL && (name = pkg_word(&list, ",")) != NULL) {
		name = pkg_trim(name);
		name[strcspn(name, " (:\t\n")] = '\0';
		if (pkg_alias(f, name, err) < 0)
			return -1;
	}
	return 0;
}

static char *field(const struct stanza *s, const char *name)
{
	char *value = stanza_get(s, name);

	return value == NULL ? NULL : pkg_trim(value);
}

/** Whether its files are there: "install ok installed", or on the way to or from that. */
static bool is_installed(const char *status)
{
	const char *last = status == NULL ? NULL : strrchr(status, ' ');

	return status == NULL || (last != NULL && strcmp(last, " not-installed") != 0 && strcmp(last, " config-files") != 0);
}

static int add_package(struct pkg_found *f, const struct pkg_file *file, const struct stanza *s, struct err *err)
{
	char *maintainer = field(s, "Maintainer");
	const struct package p = {
		.kind = PACKAGE_DEB, .name = field(s, "Package"), .version = field(s, "Version"), .arch = field(s, "Architecture"),
		.supplier = maintainer == NULL ? NULL : pkg_person(maintainer), .from = file->at,
	};

	if (!is_installed(field(s, "Status")))
		return 0;
	if (pkg_add(f, &p, NULL, err) < 0 || want_all(f, stanza_get(s, "Pre-Depends"), err) < 0 ||
	    want_all(f, stanza_get(s, "Depends"), err) < 0)
		return -1;
	return alias_all(f, stanza_get(s, "Provides"), err);
}

int pkg_read_dpkg_status(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	char *at = file->text;
	struct stanza s;

	while (stanza_next(&at, &s))
		if (add_package(f, file, &s, err) < 0)
			return -1;
	return 0;
}

/* ---- their files --------------------------------------------------------------------- */

int pkg_read_dpkg_list(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	auto_free char *name = strdup(text_path_name(file->path));
	char *at = file->text, *line;

	if (name == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	name[strlen(name) - strlen(".list")] = '\0';
	char *colon = strchr(name, ':');
	if (colon != NULL)
		*colon = '\0';
	size_t package = pkg_named(f, PACKAGE_DEB, name, colon == NULL ? NULL : colon + 1);
	/* One that was removed can leave its list behind. */
	if (package == PACKAGE_NONE)
		return 0;
	while ((line = pkg_line(&at)) != NULL)
		pkg_own_path(f, package, line);
	return 0;
}

int pkg_read_dpkg_sums(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	auto_free char *of = strndup(file->path, strlen(file->path) - strlen(".md5sums"));
	char *at = file->text, *line;

	if (of == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	size_t from = contents_find(f->contents, of), package = pkg_from(f, from);
	if (package == PACKAGE_NONE)
		return 0;
	pkg_own(f, package, from);
	pkg_own(f, package, file->at);
	while ((line = pkg_line(&at)) != NULL) {
		char *path = strchr(line, ' ');

		if (path != NULL)
			pkg_own_path(f, package, pkg_trim(path));
	}
	return 0;
}

/* ---- their licences -------------------------------------------------------------------- */

/** Licences of a copyright file, each once. */
struct licences {
	char *v[LICENCES_MAX];
	size_t n;
	bool more;
};

static void licences_clear(struct licences *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
}

/** Takes a License field: its first line is the name. */
static int take_licence(struct licences *l, char *value, struct err *err)
{
	auto_buf expression = {0};

	value[strcspn(value, "\n")] = '\0';
	licence_expression(value, LICENCE_DEBIAN, &expression);
	if (buf_check(&expression, "licence", err) < 0)
		return -1;
	for (size_t i = 0; i < l->n; i++)
		if (expression.len == 0 || strcmp(l->v[i], expression.data) == 0)
			return 0;
	if (expression.len == 0 || l->n == LICENCES_MAX) {
		l->more = l->more || expression.len > 0;
		return 0;
	}
	l->v[l->n] = buf_take(&expression);
	return l->v[l->n++] == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "find packages") : 0;
}

static int note_licence(struct pkg_found *f, const struct licences *l, size_t file, struct err *err)
{
	auto_buf all = {0};

	/* A part of the licences is no licence of the whole. */
	if (l->n == 0 || l->more)
		return 0;
	for (size_t i = 0; i < l->n; i++)
		buf_addf(&all, l->n > 1 && licence_is_choice(l->v[i]) ? "%s(%s)" : "%s%s", i > 0 ? " AND " : "", l->v[i]);
	if (buf_check(&all, "licence", err) < 0)
		return -1;
	if (all.len > PACKAGE_TEXT_MAX)
		return 0;
	if (!array_room(&f->licences, f->nlicences, &f->licences_room))
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	f->licences[f->nlicences] = (struct pkg_licence){ file, buf_take(&all) };
	return f->licences[f->nlicences++].expression == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "find packages") : 0;
}

int pkg_read_copyright(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	__attribute__((cleanup(licences_clear))) struct licences l = {0};
	char *at = file->text;
	struct stanza s;

	/* Any other form is prose. */
	if (!text_starts(file->text, "Format:") && !text_starts(file->text, "Format-Specification:"))
		return 0;
	while (stanza_next(&at, &s)) {
		char *licence = stanza_get(&s, "License");

		/* A licence that stands alone is the text of one that was named. */
		if (licence != NULL && (stanza_get(&s, "Files") != NULL || stanza_get(&s, "Format") != NULL) &&
		    take_licence(&l, licence, err) < 0)
			return -1;
	}
	return note_licence(f, &l, file->at, err);
}

static int by_file(const void *a, const void *b)
{
	const struct pkg_licence *x = a, *y = b;

	return x->file < y->file ? -1 : x->file > y->file;
}

/** Takes over the licence that a package's copyright file tells. */
static int take_over(const struct pkg_found *f, struct package *p, struct err *err)
{
	auto_buf path = {0};

	buf_addf(&path, "usr/share/doc/%s/copyright", p->name);
	if (buf_check(&path, "path", err) < 0)
		return -1;
	const struct pkg_licence key = { .file = contents_resolve(f->contents, path.data) };
	const struct pkg_licence *found = bsearch(&key, f->licences, f->nlicences, sizeof key, by_file);
	if (found == NULL)
		return 0;
	p->licence = strdup(found->expression);
	return p->licence == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "find packages") : 0;
}

int pkg_finish_dpkg(struct pkg_found *f, struct err *err)
{
	for (size_t i = 0; i < f->n && f->nlicences > 0; i++)
		if (f->v[i].p.kind == PACKAGE_DEB && take_over(f, &f->v[i].p, err) < 0)
			return -1;
	return 0;
}

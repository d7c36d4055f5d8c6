/* SPDX-License-Identifier: Apache-2.0 */
/* Go's modules: what a program says of itself (runtime/debug.BuildInfo, Go 1.18 and later), and go.mod (go.dev/ref/mod). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "inspect/pkg.h"

/** Behind the magic: the size of a pointer, flags, nothing up to the strings. */
#define HEADER 32
#define FLAG_INLINE 2
/** What stands before and behind the modules' text. */
#define SENTINEL 16

bool pkg_is_go_head(const char *at, size_t n)
{
	return n >= HEADER && memcmp(at, PKG_GO_MAGIC, strlen(PKG_GO_MAGIC)) == 0 && (at[15] & FLAG_INLINE) != 0;
}

static int add(struct pkg_found *f, size_t from, const char *name, const char *version, bool listed, struct err *err)
{
	const struct package p = { .kind = PACKAGE_GOLANG, .name = (char *)name, .version = (char *)version, .from = from, .listed = listed };

	return pkg_add(f, &p, NULL, err);
}

/** Cuts a string with its length before it (a varint) off the text. NULL: it is cut short. */
static char *take_string(char **at, char *end, size_t *ret_n)
{
	uint64_t n = 0;
	char *p = *at;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		if (p == end)
			return NULL;
		n |= (uint64_t)(*p & 0x7f) << shift;
		if ((*p++ & 0x80) == 0)
			break;
	}
	if (n > (uint64_t)(end - p))
		return NULL;
	*at = p + n;
	*ret_n = (size_t)n;
	return p;
}

/** "dep\tPATH\tVERSION\tSUM", and "=>\tPATH\tVERSION\tSUM" of what stands in its place. */
static int take_module(struct pkg_found *f, size_t from, char *line, size_t *main, struct err *err)
{
	char *kind = pkg_word(&line, "\t"), *path = pkg_word(&line, "\t"), *version = pkg_word(&line, "\t");

	if (kind == NULL || path == NULL)
		return 0;
	if (strcmp(kind, "mod") == 0 && *main == PACKAGE_NONE) {
		*main = f->n;
		return add(f, from, path, version, false, err);
	}
	if (strcmp(kind, "dep") == 0)
		return add(f, from, path, version, false, err);
	if (strcmp(kind, "=>") != 0 || f->n == 0 || f->v[f->n - 1].p.from != from || path[0] == '.' || path[0] == '/')
		return 0;
	/* The name that programs know stays another name of it. */
	struct pkg *replaced = &f->v[f->n - 1];
	auto_free char *name = strdup(path), *other = version == NULL ? NULL : strdup(version);
	if (name == NULL || (version != NULL && other == NULL))
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	if (strlen(name) > PACKAGE_TEXT_MAX || (other != NULL && strlen(other) > PACKAGE_TEXT_MAX))
		return pkg_bad("a module with a name that is too long", err);
	free(replaced->p.name);
	free(replaced->p.version);
	replaced->p.name = move_ptr(name);
	replaced->p.version = move_ptr(other);
	return pkg_alias(f, replaced->p.name, err);
}

/** The program's own module needs all the others, and Go's library. */
static int want_all(struct pkg_found *f, size_t main, size_t first, struct err *err)
{
	struct pkg *p = &f->v[main];
	size_t n = 0;

	p->p.needs = calloc(f->n - first + 1, sizeof *p->p.needs);
	if (p->p.needs == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	for (size_t i = first; i < f->n && n < PACKAGE_NEEDS_MAX; i++)
		if (i != main)
			p->p.needs[n++] = i;
	p->p.nneeds = n;
	return 0;
}

int pkg_read_go_binary(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	char *at = file->text + HEADER, *end = file->text + file->n, *version, *modules, *line;
	size_t nversion, nmodules, main = PACKAGE_NONE, first = f->n;

	if (!pkg_is_go_head(file->text, file->n))
		return pkg_bad("no build information of Go's", err);
	version = take_string(&at, end, &nversion);
	modules = version == NULL ? NULL : take_string(&at, end, &nmodules);
	if (modules == NULL || nmodules < 2 * SENTINEL)
		return pkg_bad("build information of Go's that is cut short", err);
	modules[nmodules - SENTINEL] = '\0';
	modules += SENTINEL;
	while ((line = pkg_line(&modules)) != NULL)
		if (take_module(f, file->at, line, &main, err) < 0)
			return -1;
	/* The byte behind the version begins what has been read. */
	version[nversion] = '\0';
	version[strcspn(version, " ")] = '\0';
	if (text_starts(version, "go") && add(f, file->at, "stdlib", version + 2, false, err) < 0)
		return -1;
	if (main == PACKAGE_NONE)
		return 0;
	pkg_own(f, main, file->at);
	return want_all(f, main, first, err);
}

/* ---- go.mod -------------------------------------------------------------------------- */

/** A line of "require": PATH VERSION. */
static int take_required(struct pkg_found *f, const struct pkg_file *file, char *rest, struct err *err)
{
	char *path, *version;

	rest = pkg_trim(rest);
	path = pkg_word(&rest, " \t");
	if (path == NULL || rest == NULL)
		return 0;
	rest = pkg_trim(rest);
	version = pkg_word(&rest, " \t");
	return version == NULL ? 0 : add(f, file->at, path, version, true, err);
}

int pkg_read_go_mod(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	size_t main = PACKAGE_NONE, first = f->n;
	char *at = file->text, *line;
	bool inside = false;

	while ((line = pkg_line(&at)) != NULL) {
		char *comment = strstr(line, "//");

		if (comment != NULL)
			*comment = '\0';
		line = pkg_trim(line);
		if (strcmp(line, ")") == 0)
			inside = false;
		else if (text_starts(line, "require") && strchr(line, '(') != NULL)
			inside = true;
		else if (inside && take_required(f, file, line, err) < 0)
			return -1;
		else if (!inside && text_starts(line, "require ") && take_required(f, file, line + strlen("require "), err) < 0)
			return -1;
		else if (!inside && text_starts(line, "module ") && main == PACKAGE_NONE) {
			main = f->n;
			if (add(f, file->at, pkg_trim(line + strlen("module ")), NULL, true, err) < 0)
				return -1;
		}
	}
	return main == PACKAGE_NONE ? 0 : want_all(f, main, first, err);
}

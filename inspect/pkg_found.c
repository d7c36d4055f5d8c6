/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "inspect/pkg.h"

static int no_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
}

int pkg_found_begin(struct pkg_found *f, const struct contents *c, struct err *err)
{
	*f = (struct pkg_found){
		.contents = c, .owner = malloc((c->n + 1) * sizeof *f->owner), .told = malloc((c->n + 1) * sizeof *f->told),
		.buckets = calloc(PKG_BUCKETS, sizeof *f->buckets),
	};
	if (f->owner == NULL || f->told == NULL || f->buckets == NULL)
		return no_memory(err);
	for (size_t i = 0; i < c->n; i++)
		f->owner[i] = f->told[i] = PACKAGE_NONE;
	return 0;
}

static void package_clear(struct package *p)
{
	free(p->name);
	free(p->version);
	free(p->arch);
	free(p->supplier);
	free(p->licence);
	free(p->needs);
}

void packages_clear(struct packages *p)
{
	for (size_t i = 0; i < p->n; i++)
		package_clear(&p->v[i]);
	for (size_t i = 0; i < p->nnotes; i++)
		free(p->notes[i].why);
	free(p->v);
	free(p->owner);
	free(p->os_id);
	free(p->os_version);
	free(p->os_name);
	free(p->notes);
	*p = (struct packages){0};
}

static void pkg_clear(struct pkg *p)
{
	for (size_t i = 0; i < p->nwants; i++)
		free(p->wants[i]);
	free(p->wants);
	free(p->where);
	package_clear(&p->p);
}

void pkg_found_clear(struct pkg_found *f)
{
	for (size_t i = 0; i < f->n; i++)
		pkg_clear(&f->v[i]);
	for (size_t i = 0; i < f->naliases; i++)
		free(f->aliases[i].name);
	for (size_t i = 0; i < f->nlicences; i++)
		free(f->licences[i].expression);
	for (size_t i = 0; i < f->nnotes; i++)
		free(f->notes[i].why);
	free(f->v);
	free(f->aliases);
	free(f->buckets);
	free(f->licences);
	free(f->owner);
	free(f->told);
	free(f->notes);
	free(f->os_id);
	free(f->os_version);
	free(f->os_name);
	*f = (struct pkg_found){0};
}

/** Copies a text, unless there is none. @return false: memory is short. */
static bool copy(const char *from, char **to)
{
	if (from == NULL || from[0] == '\0')
		return true;
	*to = strdup(from);
	return *to != NULL;
}

static bool is_too_long(const char *s)
{
	return s != NULL && strlen(s) > PACKAGE_TEXT_MAX;
}

int pkg_add(struct pkg_found *f, const struct package *p, struct pkg **ret, struct err *err)
{
	if (p->name == NULL || p->name[0] == '\0')
		return pkg_bad("a package without a name", err);
	if (is_too_long(p->name) || is_too_long(p->version) || is_too_long(p->arch) || is_too_long(p->supplier) || is_too_long(p->licence))
		return pkg_bad("a package with a name, version, supplier or licence that is too long", err);
	if (f->n >= PACKAGES_MAX)
		return pkg_bad("too many packages", err);
	if (!array_room(&f->v, f->n, &f->room))
		return no_memory(err);
	struct pkg *to = &f->v[f->n++];
	*to = (struct pkg){ .p = { .kind = p->kind, .from = p->from, .listed = p->listed } };
	if (!copy(p->name, &to->p.name) || !copy(p->version, &to->p.version) || !copy(p->arch, &to->p.arch) ||
	    !copy(p->supplier, &to->p.supplier) || !copy(p->licence, &to->p.licence))
		return no_memory(err);
	if (p->from != CONTENTS_NONE && f->told[p->from] == PACKAGE_NONE)
		f->told[p->from] = f->n - 1;
	if (ret != NULL)
		*ret = to;
	return pkg_alias(f, p->name, err);
}

int pkg_want(struct pkg_found *f, const char *name, struct err *err)
{
	struct pkg *p = &f->v[f->n - 1];

	if (name[0] == '\0')
		return 0;
	if (p->nwants >= PACKAGE_NEEDS_MAX || is_too_long(name))
		return pkg_bad("a package that needs too much", err);
	if (!array_room(&p->wants, p->nwants, &p->wants_room))
		return no_memory(err);
	p->wants[p->nwants] = strdup(name);
	return p->wants[p->nwants++] == NULL ? no_memory(err) : 0;
}

/** FNV-1a. */
static size_t *bucket_of(const struct pkg_found *f, enum package_kind kind, const char *name)
{
	uint32_t h = 2166136261u ^ (uint32_t)kind;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return &f->buckets[(h ^ h >> 16) % PKG_BUCKETS];
}

int pkg_alias(struct pkg_found *f, const char *name, struct err *err)
{
	if (name[0] == '\0')
		return 0;
	if (f->naliases >= 8 * PACKAGES_MAX || is_too_long(name))
		return pkg_bad("packages with too many names", err);
	if (!array_room(&f->aliases, f->naliases, &f->aliases_room))
		return no_memory(err);
	size_t *bucket = bucket_of(f, f->v[f->n - 1].p.kind, name);
	f->aliases[f->naliases] = (struct pkg_alias){ f->v[f->n - 1].p.kind, strdup(name), f->n - 1, *bucket };
	*bucket = f->naliases + 1;
	return f->aliases[f->naliases++].name == NULL ? no_memory(err) : 0;
}

void pkg_own(struct pkg_found *f, size_t package, size_t file)
{
	if (file != CONTENTS_NONE && f->owner[file] == PACKAGE_NONE)
		f->owner[file] = package;
}

void pkg_own_path(struct pkg_found *f, size_t package, const char *path)
{
	auto_buf clean = BUF_LIMIT(TREE_PATH_MAX + 1);

	for (const char *p = path; *p != '\0';) {
		size_t n = strcspn(p, "/");

		/* "site-packages/../../../bin/x", as Python's RECORD has it. */
		if (n == 2 && memcmp(p, "..", 2) == 0) {
			const char *slash = clean.len == 0 ? NULL : memrchr(clean.data, '/', clean.len);

			buf_seal(&clean, slash == NULL ? 0 : (size_t)(slash - clean.data));
		} else if (n > 0 && !(n == 1 && p[0] == '.')) {
			if (clean.len > 0)
				buf_addc(&clean, '/');
			buf_add(&clean, p, n);
		}
		p += n + (p[n] == '/');
	}
	if (!clean.failed && clean.len > 0)
		pkg_own(f, package, contents_resolve(f->contents, clean.data));
}

size_t pkg_named(const struct pkg_found *f, enum package_kind kind, const char *name, const char *arch)
{
	size_t found = PACKAGE_NONE;

	/* The latest stand first. */
	for (size_t at = *bucket_of(f, kind, name); at != 0; at = f->aliases[at - 1].next) {
		const struct pkg_alias *a = &f->aliases[at - 1];
		const struct package *p = &f->v[a->package].p;

		if (a->kind == kind && strcmp(a->name, name) == 0 && (arch == NULL || (p->arch != NULL && strcmp(p->arch, arch) == 0)))
			found = a->package;
	}
	return found;
}

size_t pkg_from(const struct pkg_found *f, size_t from)
{
	return from == CONTENTS_NONE ? PACKAGE_NONE : f->told[from];
}

char *pkg_person(char *text)
{
	char *end = strpbrk(text, "<(");

	if (end != NULL && end > text + strspn(text, " \t\n\""))
		*end = '\0';
	text = pkg_trim(text);
	text += strspn(text, "<\"");
	text[strcspn(text, ">\"\n")] = '\0';
	return pkg_trim(text);
}

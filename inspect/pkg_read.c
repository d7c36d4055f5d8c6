/* SPDX-License-Identifier: Apache-2.0 */
/* Which reader reads what, and what is found out once all is read: who needs whom. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/pkg.h"

/** Most directories that are looked into for a package that another needs. */
#define UP_MAX 64

int pkg_read(struct pkg_found *f, enum pkg_format format, const struct pkg_file *file, struct err *err)
{
	static pkg_reader *const readers[PKG_FORMATS] = {
		[PKG_OS_RELEASE] = pkg_read_os_release, [PKG_COPYRIGHT] = pkg_read_copyright, [PKG_DPKG_STATUS] = pkg_read_dpkg_status,
		[PKG_DPKG_STATUS_D] = pkg_read_dpkg_status, [PKG_DPKG_LIST] = pkg_read_dpkg_list, [PKG_DPKG_SUMS] = pkg_read_dpkg_sums,
		[PKG_APK_INSTALLED] = pkg_read_apk, [PKG_RPM_SQLITE] = pkg_read_rpm_sqlite, [PKG_RPM_NDB] = pkg_read_rpm_ndb,
		[PKG_RPM_BDB] = pkg_read_rpm_bdb, [PKG_PIP_METADATA] = pkg_read_pip_metadata, [PKG_PIP_RECORD] = pkg_read_pip_record,
		[PKG_PIP_FILES] = pkg_read_pip_files, [PKG_NPM_PACKAGE] = pkg_read_npm_package, [PKG_NPM_LOCK] = pkg_read_npm_lock,
		[PKG_GO_BINARY] = pkg_read_go_binary, [PKG_GO_MOD] = pkg_read_go_mod, [PKG_CARGO_LOCK] = pkg_read_cargo,
	};

	/* Readers take texts for strings; of what is none, lengths are told. */
	if (format != PKG_GO_BINARY && !pkg_reads_bytes(format) && memchr(file->text, '\0', file->n) != NULL)
		return pkg_bad("a NUL in a text", err);
	return readers[format](f, file, err);
}

/* ---- who needs whom ------------------------------------------------------------------- */

/** The package that require("NAME") in @p where finds: in node_modules there, or in a directory above. */
static int find_module(const struct pkg_found *f, const char *where, const char *name, size_t *ret, struct err *err)
{
	auto_free char *dir = strdup(where);

	if (dir == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	for (int i = 0; i < UP_MAX && *ret == PACKAGE_NONE; i++) {
		auto_buf path = {0};

		buf_addf(&path, "/%s%snode_modules/%s", dir, dir[0] == '\0' ? "" : "/", name);
		if (buf_check(&path, "path", err) < 0)
			return -1;
		*ret = pkg_named(f, PACKAGE_NPM, path.data, NULL);
		if (dir[0] == '\0')
			break;
		char *slash = strrchr(dir, '/');
		*(slash == NULL ? dir : slash) = '\0';
	}
	return 0;
}

/** The first of "a|b" that is there; *@p ret is PACKAGE_NONE before. */
static int find_needed(const struct pkg_found *f, const struct pkg *p, char *want, size_t *ret, struct err *err)
{
	const char *path = want;
	char *name;

	if (p->where != NULL)
		return find_module(f, p->where, want, ret, err);
	while (*ret == PACKAGE_NONE && (name = pkg_word(&want, "|")) != NULL)
		*ret = pkg_named(f, p->p.kind, name, NULL);
	/* rpm's need files, too: "/bin/sh". */
	size_t file = *ret == PACKAGE_NONE && path[0] == '/' && p->p.kind == PACKAGE_RPM ? contents_resolve(f->contents, path + 1) : CONTENTS_NONE;
	if (file != CONTENTS_NONE)
		*ret = f->owner[file];
	return 0;
}

static int by_number(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

static int find_needs(const struct pkg_found *f, struct pkg *p, size_t self, struct err *err)
{
	size_t n = 0;

	/* Go's have been found where they stand. */
	if (p->nwants == 0)
		return 0;
	p->p.needs = calloc(p->nwants, sizeof *p->p.needs);
	if (p->p.needs == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	for (size_t i = 0; i < p->nwants; i++) {
		size_t found = PACKAGE_NONE;

		if (find_needed(f, p, p->wants[i], &found, err) < 0)
			return -1;
		if (found != PACKAGE_NONE && found != self)
			p->p.needs[n++] = found;
	}
	qsort(p->p.needs, n, sizeof *p->p.needs, by_number);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || p->p.needs[i] != p->p.needs[p->p.nneeds - 1])
			p->p.needs[p->p.nneeds++] = p->p.needs[i];
	return 0;
}

int pkg_finish_needs(struct pkg_found *f, struct err *err)
{
	for (size_t i = 0; i < f->n; i++)
		if (find_needs(f, &f->v[i], i, err) < 0)
			return -1;
	return 0;
}

int pkg_finish(struct pkg_found *f, struct err *err)
{
	return pkg_finish_dpkg(f, err) < 0 || pkg_finish_npm(f, err) < 0 || pkg_finish_needs(f, err) < 0 ? -1 : 0;
}

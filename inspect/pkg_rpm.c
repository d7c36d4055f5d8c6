/* SPDX-License-Identifier: Apache-2.0 */
/* A header of rpm's, as its databases hold it: two numbers, an index of as many entries as the first one says, and as many bytes as the second
 * one says, in which the values lie (rpm's "RPM v4 package format", without the lead). */
#include "inspect/pkg_rpm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/licence.h"
#include "inspect/pkg_apart.h"

enum rpm_tag {
	TAG_NAME = 1000, TAG_VERSION = 1001, TAG_RELEASE = 1002, TAG_EPOCH = 1003, TAG_DISTRIBUTION = 1010, TAG_VENDOR = 1011, TAG_LICENSE = 1014,
	TAG_ARCH = 1022, TAG_FILESTATES = 1029, TAG_PROVIDENAME = 1047, TAG_REQUIRENAME = 1049, TAG_DIRINDEXES = 1116, TAG_BASENAMES = 1117,
	TAG_DIRNAMES = 1118,
};
enum rpm_type { TYPE_CHAR = 1, TYPE_INT32 = 4, TYPE_STRING = 6, TYPE_STRING_ARRAY = 8 };

/** Bytes of an entry: tag, type, offset, count. */
#define ENTRY 16
/** A file's state where it is on the disk as its package has it: not another's, not left out. */
#define STATE_NORMAL 0

/* ---- values ------------------------------------------------------------------------ */

struct header {
	const unsigned char *index, *store;
	size_t nindex, nstore;
};

/** Where values lie, all to the store's end, and how many there should be. */
struct values {
	const char *at;
	size_t left;
	uint32_t n;
};

static int open_header(const unsigned char *p, size_t n, struct header *ret, struct err *err)
{
	if (n < 8)
		return pkg_bad("it is cut short", err);
	uint64_t entries = rpm_be32(p), bytes = rpm_be32(p + 4);
	if (entries > RPM_ENTRIES_MAX || 8 + entries * ENTRY + bytes != n)
		return pkg_bad("its index and its size do not agree", err);
	*ret = (struct header){ p + 8, p + 8 + entries * ENTRY, (size_t)entries, (size_t)bytes };
	return 0;
}

/** The values of that tag and type; none where the header has them not. */
static struct values find(const struct header *h, enum rpm_tag tag, enum rpm_type type)
{
	/* What was added when the package was installed lies behind what it came with, and counts. */
	for (size_t i = h->nindex; i-- > 0;) {
		const unsigned char *e = h->index + i * ENTRY;
		uint32_t offset = rpm_be32(e + 8);

		if (rpm_be32(e) == tag && rpm_be32(e + 4) == type && offset < h->nstore)
			return (struct values){ (const char *)h->store + offset, h->nstore - offset, rpm_be32(e + 12) };
	}
	return (struct values){0};
}

/** Takes the next string off; NULL where there is none, or it does not end. */
static const char *next_string(struct values *v)
{
	const char *s = v->at, *end = v->n == 0 ? NULL : memchr(s, '\0', v->left);

	if (end == NULL)
		return NULL;
	v->n--;
	v->left -= (size_t)(end - s) + 1;
	v->at = end + 1;
	return s;
}

static const char *string_of(const struct header *h, enum rpm_tag tag)
{
	struct values v = find(h, tag, TYPE_STRING);

	return next_string(&v);
}

/* ---- the package -------------------------------------------------------------------- */

/** "EPOCH:VERSION-RELEASE"; an epoch of 0 is none. */
static void add_version(const struct header *h, struct buf *out)
{
	const struct values epoch = find(h, TAG_EPOCH, TYPE_INT32);
	const char *version = string_of(h, TAG_VERSION), *release = string_of(h, TAG_RELEASE);

	if (version == NULL)
		return;
	if (epoch.n > 0 && epoch.left >= 4 && rpm_be32((const unsigned char *)epoch.at) != 0)
		buf_addf(out, "%u:", rpm_be32((const unsigned char *)epoch.at));
	buf_adds(out, version);
	if (release != NULL)
		buf_addf(out, "-%s", release);
}

static int add_package(struct rpm_db *db, const struct header *h, struct err *err)
{
	const char *vendor = string_of(h, TAG_VENDOR), *licence = string_of(h, TAG_LICENSE);
	auto_buf version = {0};
	auto_buf expression = {0};

	add_version(h, &version);
	if (licence != NULL)
		licence_expression(licence, LICENCE_SPDX, &expression);
	if (buf_check(&version, "package", err) < 0 || buf_check(&expression, "licence", err) < 0)
		return -1;
	if (vendor == NULL || vendor[0] == '\0')
		vendor = string_of(h, TAG_DISTRIBUTION);
	const struct package p = {
		.kind = PACKAGE_RPM, .name = (char *)string_of(h, TAG_NAME), .version = version.data, .arch = (char *)string_of(h, TAG_ARCH),
		.supplier = (char *)vendor, .licence = expression.len <= PACKAGE_TEXT_MAX ? expression.data : NULL, .from = db->file->at,
	};
	return pkg_add(db->found, &p, NULL, err);
}

/* ---- its files ------------------------------------------------------------------------ */

/** Names of directories by their number; NULL is one that is longer than an image's can be. Each is measured once, however many files name it. */
static int read_dirs(const struct header *h, const char ***ret, size_t *ret_n, struct err *err)
{
	struct values v = find(h, TAG_DIRNAMES, TYPE_STRING_ARRAY);
	auto_free const char **dirs = NULL;
	size_t n = v.n;

	if (n > RPM_DIRS_MAX || n > v.left)
		return pkg_bad("it has more directories than it can", err);
	dirs = calloc(n + 1, sizeof *dirs);
	if (dirs == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	for (size_t i = 0; i < n; i++) {
		const char *dir = next_string(&v);

		if (dir == NULL)
			return pkg_bad("a directory's name does not end", err);
		dirs[i] = v.at - dir <= TREE_PATH_MAX + 1 ? dir : NULL;
	}
	*ret = move_ptr(dirs);
	*ret_n = n;
	return 0;
}

static int own(struct rpm_db *db, const char *dir, const char *name, struct err *err)
{
	auto_buf path = {0};

	/* One that is longer is in no image. */
	if (dir == NULL || strlen(dir) + strlen(name) > TREE_PATH_MAX + 1)
		return 0;
	buf_addf(&path, "%s%s", dir, name);
	if (buf_check(&path, "path", err) < 0)
		return -1;
	pkg_own_path(db->found, db->found->n - 1, path.data);
	return 0;
}

static int own_files(struct rpm_db *db, const struct header *h, struct err *err)
{
	struct values names = find(h, TAG_BASENAMES, TYPE_STRING_ARRAY), states = find(h, TAG_FILESTATES, TYPE_CHAR);
	const struct values indexes = find(h, TAG_DIRINDEXES, TYPE_INT32);
	auto_free const char **dirs = NULL;
	size_t ndirs = 0;

	if (names.n == 0)
		return 0;
	if (names.n != indexes.n || indexes.left / 4 < indexes.n || (states.n > 0 && (states.n != names.n || states.left < states.n)))
		return pkg_bad("its lists of files do not agree", err);
	if (names.n > db->files_left)
		return pkg_bad("too many files", err);
	db->files_left -= names.n;
	if (read_dirs(h, &dirs, &ndirs, err) < 0)
		return -1;
	for (size_t i = 0; i < indexes.n; i++) {
		uint32_t dir = rpm_be32((const unsigned char *)indexes.at + 4 * i);
		const char *name = next_string(&names);

		if (name == NULL || dir >= ndirs)
			return pkg_bad("a file of it has no name or no directory", err);
		if ((states.n == 0 || states.at[i] == STATE_NORMAL) && own(db, dirs[dir], name, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- what it needs -------------------------------------------------------------------- */

static int alias_all(struct rpm_db *db, const struct header *h, struct err *err)
{
	struct values v = find(h, TAG_PROVIDENAME, TYPE_STRING_ARRAY);
	const char *name;

	while ((name = next_string(&v)) != NULL)
		if (pkg_alias(db->found, name, err) < 0)
			return -1;
	return 0;
}

/** Names, files, and names that rpm makes of libraries. What rpm itself must be able to do is no package's, and a condition is no name. */
static int want_all(struct rpm_db *db, const struct header *h, struct err *err)
{
	struct values v = find(h, TAG_REQUIRENAME, TYPE_STRING_ARRAY);
	const char *name, *before = "";

	/* They are sorted: one that is needed in several versions is there as often. */
	for (; (name = next_string(&v)) != NULL; before = name)
		if (strcmp(name, before) != 0 && name[0] != '(' && !text_starts(name, "rpmlib(") && pkg_want(db->found, name, err) < 0)
			return -1;
	return 0;
}

/* ---- the database ---------------------------------------------------------------------- */

int rpm_begin(struct rpm_db *db, struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].p.kind == PACKAGE_RPM)
			return pkg_bad("a second database of rpm's: packages in it are not listed", err);
	*db = (struct rpm_db){ .found = f, .file = file, .bytes_left = file->bytes.size, .files_left = RPM_FILES_MAX };
	return 0;
}

int rpm_bad(const char *what, struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "%s: packages from there on are not listed", what);
}

int rpm_read(const struct slice *bytes, uint64_t at, void *to, size_t n, struct err *err)
{
	if (bytes_exact(bytes, at, to, n, err) == 0)
		return 0;
	return err->kind == ERR_INPUT ? rpm_bad("the database ends too early", err) : -1;
}

int rpm_expect(struct rpm_db *db, uint64_t n, struct err *err)
{
	if (n > RPM_HEADER_MAX)
		return rpm_bad("a header that is too large", err);
	if (n > db->bytes_left)
		return rpm_bad("headers that lie in one another", err);
	db->bytes_left -= n;
	return 0;
}

int rpm_take(struct rpm_db *db, const unsigned char *header, size_t n, struct err *err)
{
	struct err why = {0};
	struct header h;
	char text[ERR_MSG_MAX];

	db->headers++;
	if (open_header(header, n, &h, &why) == 0 && add_package(db, &h, &why) == 0 && own_files(db, &h, &why) == 0 &&
	    alias_all(db, &h, &why) == 0 && want_all(db, &h, &why) == 0)
		return 0;
	if (why.kind != ERR_INPUT) {
		*err = why;
		return -1;
	}
	snprintf(text, sizeof text, "package %llu: %.1000s", (unsigned long long)db->headers, why.msg);
	return pkg_note(db->found, db->file->at, text, err);
}

int rpm_page(struct rpm_pages *p, uint64_t number, unsigned char *to, struct err *err)
{
	if (number >= p->n)
		return rpm_bad("a page that lies outside of the file", err);
	if (p->left == 0)
		return rpm_bad("pages that lead to one another", err);
	p->left--;
	return rpm_read(&p->bytes, number * p->size, to, p->size, err);
}

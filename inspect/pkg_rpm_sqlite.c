/* SPDX-License-Identifier: Apache-2.0 */
/* rpmdb.sqlite: the rows of the table "Packages" (hnum, blob) in a database of SQLite's (sqlite.org/fileformat2): a tree of pages for each table, whose
 * leaves hold its rows; a row that is too long for its page goes on in a chain of others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/pkg_rpm.h"

#define MAGIC "SQLite format 3"
#define FILE_HEAD 100
/** Least bytes of a page that can be used: SQLite's own limit. */
#define USABLE_MIN 480
/** Pages on the way from a root to a leaf: SQLite's own limit. */
#define DEPTH_MAX 20
/** Kinds of pages in a table's tree. */
#define LEAF 0x0d
#define INTERIOR 0x05
/** Columns of the table of tables, and of that of packages. */
enum { SCHEMA_TYPE, SCHEMA_NAME, SCHEMA_ROOT = 3, PACKAGES_BLOB = 1 };

struct database {
	struct rpm_db db;
	struct rpm_pages pages;
	uint32_t usable;         /**< bytes of a page, less what is reserved at its end */
	uint32_t root;           /**< page of the table, from 1; 0: not found */
	unsigned char *chained;  /**< room for a page of a chain */
	struct buf row;
};

static void database_clear(struct database *d)
{
	free(d->chained);
	buf_free(&d->row);
}

/** Takes a row, which is all in d->row. */
typedef int row_fn(struct database *d, struct err *err);

/* ---- values ------------------------------------------------------------------------ */

/** Takes a number of 1 to 9 bytes off; NULL: it is cut short. */
static const unsigned char *take_varint(const unsigned char *p, const unsigned char *end, uint64_t *ret)
{
	uint64_t v = 0;

	for (int i = 0; p < end; i++, p++) {
		bool last = i == 8 || (*p & 0x80) == 0;

		v = i == 8 ? v << 8 | *p : v << 7 | (*p & 0x7f);
		if (last) {
			*ret = v;
			return p + 1;
		}
	}
	return NULL;
}

/** A value, by SQLite's "serial type". */
struct value {
	uint64_t type;
	const unsigned char *p;
	size_t n;
};

static uint64_t size_of(uint64_t type)
{
	static const unsigned char sizes[12] = { 0, 1, 2, 3, 4, 6, 8, 8 };

	return type < ARRAY_LEN(sizes) ? sizes[type] : (type - ARRAY_LEN(sizes)) / 2;
}

/** The value of a column, from 0; a NULL where the row has it not. */
static struct value column(const struct buf *row, unsigned number)
{
	const unsigned char *start = (const unsigned char *)row->data, *end = start + row->len, *p;
	uint64_t head, type, at;

	p = take_varint(start, end, &head);
	if (p == NULL || head > row->len)
		return (struct value){0};
	at = head;
	for (unsigned i = 0; (p = take_varint(p, start + head, &type)) != NULL; i++) {
		uint64_t size = size_of(type);

		if (size > row->len - at)
			break;
		if (i == number)
			return (struct value){ type, start + at, (size_t)size };
		at += size;
	}
	return (struct value){0};
}

static bool is_blob(struct value v)
{
	return v.type >= 12 && v.type % 2 == 0;
}

static bool is_text(struct value v, const char *text)
{
	return v.type >= 13 && v.type % 2 == 1 && v.n == strlen(text) && memcmp(v.p, text, v.n) == 0;
}

static uint64_t integer(struct value v)
{
	uint64_t n = v.type == 9;

	for (size_t i = 0; v.type <= 6 && i < v.n; i++)
		n = n << 8 | v.p[i];
	return n;
}

/* ---- trees --------------------------------------------------------------------------- */

/** How much of a payload of @p n bytes lies in its page; the rest in a chain. */
static uint64_t local_part(uint64_t usable, uint64_t n)
{
	uint64_t most = usable - 35, least = (usable - 12) * 32 / 255 - 23, part = least + (n - least) % (usable - 4);

	return n <= most ? n : part <= most ? part : least;
}

/** Adds what lies in pages from @p next on to the row, until it has @p n bytes. */
static int read_chain(struct database *d, uint32_t next, uint64_t n, struct err *err)
{
	while (d->row.len < n) {
		uint64_t left = n - d->row.len, part = left < d->usable - 4 ? left : d->usable - 4;

		if (rpm_page(&d->pages, (uint64_t)next - 1, d->chained, err) < 0)
			return -1;
		buf_add(&d->row, d->chained + 4, (size_t)part);
		if (buf_check(&d->row, "package", err) < 0)
			return -1;
		next = rpm_be32(d->chained);
	}
	return 0;
}

/** Reads the row at @p p, in a page that ends at @p end. */
static int read_row(struct database *d, const unsigned char *p, const unsigned char *end, row_fn *take, struct err *err)
{
	uint64_t n, id;

	p = take_varint(p, end, &n);
	p = p == NULL ? NULL : take_varint(p, end, &id);
	if (p == NULL)
		return rpm_bad("a row that is cut short", err);
	if (rpm_expect(&d->db, n, err) < 0)
		return -1;
	uint64_t part = local_part(d->usable, n), room = (uint64_t)(end - p);
	if (part > room || (part < n && room - part < 4))
		return rpm_bad("a row that lies outside of its page", err);
	buf_clear(&d->row);
	buf_add(&d->row, p, (size_t)part);
	if (buf_check(&d->row, "package", err) < 0 || (part < n && read_chain(d, rpm_be32(p + part), n, err) < 0))
		return -1;
	return take(d, err);
}

/** Gives @p take all rows below page @p number. */
static int walk(struct database *d, uint32_t number, unsigned depth, row_fn *take, struct err *err)
{
	auto_free unsigned char *page = malloc(d->pages.size);
	const size_t head = number == 1 ? FILE_HEAD : 0;

	if (page == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find packages");
	if (depth > DEPTH_MAX)
		return rpm_bad("a tree that is too deep", err);
	if (rpm_page(&d->pages, (uint64_t)number - 1, page, err) < 0)
		return -1;
	const bool leaf = page[head] == LEAF;
	const size_t cells = rpm_be16(page + head + 3), first = head + (leaf ? 8 : 12);
	if ((!leaf && page[head] != INTERIOR) || first + 2 * cells > d->usable)
		return rpm_bad("a page that is none of a table's", err);
	for (size_t i = 0; i < cells; i++) {
		size_t at = rpm_be16(page + first + 2 * i);

		if (at + 4 > d->usable)
			return rpm_bad("a row that lies outside of its page", err);
		if (leaf ? read_row(d, page + at, page + d->usable, take, err) < 0 : walk(d, rpm_be32(page + at), depth + 1, take, err) < 0)
			return -1;
	}
	return leaf ? 0 : walk(d, rpm_be32(page + head + 8), depth + 1, take, err);
}

/* ---- the database ---------------------------------------------------------------------- */

static int take_table(struct database *d, struct err *err)
{
	(void)err;
	if (is_text(column(&d->row, SCHEMA_TYPE), "table") && is_text(column(&d->row, SCHEMA_NAME), "Packages"))
		d->root = (uint32_t)integer(column(&d->row, SCHEMA_ROOT));
	return 0;
}

static int take_package(struct database *d, struct err *err)
{
	const struct value v = column(&d->row, PACKAGES_BLOB);

	return rpm_take(&d->db, v.p, is_blob(v) ? v.n : 0, err);
}

static int open_database(struct database *d, const struct slice *bytes, struct err *err)
{
	unsigned char head[FILE_HEAD];

	if (rpm_read(bytes, 0, head, sizeof head, err) < 0)
		return -1;
	uint32_t size = rpm_be16(head + 16) == 1 ? 65536 : rpm_be16(head + 16);
	if (memcmp(head, MAGIC, sizeof MAGIC) != 0 || size < 512 || (size & (size - 1)) != 0 || size - head[20] < USABLE_MIN)
		return rpm_bad("no database of SQLite's", err);
	/* 1: UTF-8, which rpm writes. */
	if (rpm_be32(head + 56) != 1)
		return rpm_bad("a database of SQLite's in another encoding than UTF-8", err);
	d->usable = size - head[20];
	d->pages = (struct rpm_pages){ .bytes = *bytes, .size = size, .n = bytes->size / size, .left = bytes->size / size };
	d->chained = malloc(size);
	return d->chained == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "find packages") : 0;
}

/** What a program that was killed had written, and not yet into the database, lies beside it. */
static int look_beside(const struct rpm_db *db, struct err *err)
{
	static const char *const ends[] = { "-wal", "-journal" };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		auto_buf path = {0};

		buf_addf(&path, "%s%s", db->file->path, ends[i]);
		if (buf_check(&path, "path", err) < 0)
			return -1;
		size_t at = contents_find(db->found->contents, path.data);
		if (at != CONTENTS_NONE && db->found->contents->v[at].size > 0)
			return err_set(err, ERR_INPUT, 0, "changes that were not written back lie beside it (%s): they are not read", ends[i]);
	}
	return 0;
}

int pkg_read_rpm_sqlite(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	__attribute__((cleanup(database_clear))) struct database d = {0};

	if (rpm_begin(&d.db, f, file, err) < 0 || open_database(&d, &file->bytes, err) < 0 || walk(&d, 1, 0, take_table, err) < 0)
		return -1;
	if (d.root == 0)
		return rpm_bad("no table of packages", err);
	return walk(&d, d.root, 0, take_package, err) < 0 ? -1 : look_beside(&d.db, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rpm_helper.h
 * Headers of rpm's and the three forms of its database, made by hand, as small as they can be.
 */
#ifndef GB_TEST_INSPECT_RPM_HELPER_H
#define GB_TEST_INSPECT_RPM_HELPER_H

#include "helper.h"
#include "packages_helper.h"

/** A header being made. */
struct made {
	struct buf index, store;
	uint32_t n;
};

static inline void add_be(struct buf *b, uint64_t v, size_t n)
{
	for (size_t i = n; i-- > 0;)
		buf_addc(b, (char)(v >> (8 * i) & 255));
}

static inline void set_le(struct buf *b, size_t at, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		b->data[at + i] = (char)(v >> (8 * i) & 255);
}

static inline void fill(struct buf *b, size_t to)
{
	while (b->len < to)
		buf_addc(b, 0);
}

static inline void entry(struct made *m, uint32_t tag, uint32_t type, uint32_t count)
{
	add_be(&m->index, tag, 4);
	add_be(&m->index, type, 4);
	add_be(&m->index, m->store.len, 4);
	add_be(&m->index, count, 4);
	m->n++;
}

static inline void string(struct made *m, uint32_t tag, const char *s)
{
	entry(m, tag, 6, 1);
	buf_add(&m->store, s, strlen(s) + 1);
}

/** "a b c" */
static inline void strings(struct made *m, uint32_t tag, const char *words)
{
	auto_free char *copy = strdup(words);
	uint32_t n = 1;

	for (char *p = copy; *p != '\0'; p++)
		if (*p == ' ') {
			*p = '\0';
			n++;
		}
	entry(m, tag, 8, n);
	buf_add(&m->store, copy, strlen(words) + 1);
}

static inline void numbers(struct made *m, uint32_t tag, const uint32_t *v, uint32_t n)
{
	while (m->store.len % 4 != 0)
		buf_addc(&m->store, 0);
	entry(m, tag, 4, n);
	for (uint32_t i = 0; i < n; i++)
		add_be(&m->store, v[i], 4);
}

static inline void made_clear(struct made *m)
{
	buf_free(&m->index);
	buf_free(&m->store);
	m->n = 0;
}

/** Ends the header; @p m is empty after. */
static inline void finish_header(struct made *m, struct buf *out)
{
	add_be(out, m->n, 4);
	add_be(out, m->store.len, 4);
	buf_add(out, m->index.data, m->index.len);
	buf_add(out, m->store.data, m->store.len);
	made_clear(m);
}

/* ---- databases ---------------------------------------------------------------------- */

static inline void make_ndb(const struct buf *headers, size_t n, struct buf *out)
{
	buf_add(out, "RpmP\0\0\0\0", 8);
	add_le(out, 7, 4);
	add_le(out, 1, 4);
	add_le(out, n + 1, 4);
	fill(out, 32);
	uint64_t at = 4096 / 16;
	for (size_t i = 0; i < 254; i++) {
		/* The second slot is free. */
		bool used = i < n + 1 && i != 1;
		const struct buf *h = !used ? NULL : &headers[i == 0 ? 0 : i - 1];
		uint64_t blocks = h == NULL ? 0 : (16 + h->len + 12 + 15) / 16;

		buf_adds(out, "Slot");
		add_le(out, used ? i + 1 : 0, 4);
		add_le(out, used ? at : 0, 4);
		add_le(out, blocks, 4);
		at += blocks;
	}
	for (size_t i = 0; i < n; i++) {
		size_t start = out->len, blocks = (16 + headers[i].len + 12 + 15) / 16;

		buf_adds(out, "BlbS");
		add_le(out, i == 0 ? 1 : i + 2, 4);
		add_le(out, 0, 4);
		add_le(out, headers[i].len, 4);
		buf_add(out, headers[i].data, headers[i].len);
		fill(out, start + blocks * 16 - 12);
		add_le(out, 0, 4);
		add_le(out, headers[i].len, 4);
		buf_adds(out, "BlbE");
	}
}

static inline void varint(struct buf *b, uint64_t v)
{
	if (v >= 1 << 14)
		buf_addc(b, (char)(0x80 | (v >> 14 & 0x7f)));
	if (v >= 1 << 7)
		buf_addc(b, (char)(0x80 | (v >> 7 & 0x7f)));
	buf_addc(b, (char)(v & 0x7f));
}

#define SQLITE_PAGE 512u

/** Puts a row alone on a new leaf, behind the file's head on the first page, and its rest on pages behind it. */
static inline void sqlite_leaf(struct buf *out, const struct buf *record)
{
	size_t page = out->len / SQLITE_PAGE * SQLITE_PAGE, head = out->len % SQLITE_PAGE, most = SQLITE_PAGE - 35;
	size_t least = (SQLITE_PAGE - 12) * 32 / 255 - 23, part = least + (record->len - least) % (SQLITE_PAGE - 4);
	size_t here = record->len <= most ? record->len : part <= most ? part : least;
	auto_buf cell = {0};

	varint(&cell, record->len);
	varint(&cell, 1);
	buf_add(&cell, record->data, here);
	if (here < record->len)
		add_be(&cell, page / SQLITE_PAGE + 2, 4);
	size_t at = SQLITE_PAGE - cell.len;
	buf_addc(out, 0x0d);
	add_be(out, 0, 2);
	add_be(out, 1, 2);
	add_be(out, at, 2);
	buf_addc(out, 0);
	add_be(out, at, 2);
	assert_true(head + 10 <= at);
	fill(out, page + at);
	buf_add(out, cell.data, cell.len);
	while (here < record->len) {
		size_t n = record->len - here < SQLITE_PAGE - 4 ? record->len - here : SQLITE_PAGE - 4;

		add_be(out, here + n < record->len ? out->len / SQLITE_PAGE + 2 : 0, 4);
		buf_add(out, record->data + here, n);
		fill(out, (out->len + SQLITE_PAGE - 1) / SQLITE_PAGE * SQLITE_PAGE);
		here += n;
	}
}

/** The root of the table is page 2, with a leaf for each header. */
static inline void make_sqlite(const struct buf *headers, size_t n, struct buf *out)
{
	static const char sql[] = "CREATE TABLE Packages(hnum INTEGER PRIMARY KEY,blob BLOB NOT NULL)";
	auto_buf schema = {0};

	buf_add(out, "SQLite format 3\0", 16);
	add_be(out, SQLITE_PAGE, 2);
	buf_add(out, "\1\1\0\x40\x20\x20", 6);
	fill(out, 56);
	add_be(out, 1, 4);
	fill(out, 100);
	buf_addc(&schema, 6);
	buf_addc(&schema, 13 + 2 * 5);
	buf_addc(&schema, 13 + 2 * 8);
	buf_addc(&schema, 13 + 2 * 8);
	buf_addc(&schema, 1);
	varint(&schema, 13 + 2 * (sizeof sql - 1));
	schema.data[0] = (char)schema.len;
	buf_adds(&schema, "tablePackagesPackages\2");
	buf_adds(&schema, sql);
	sqlite_leaf(out, &schema);
	buf_addc(out, 0x05);
	add_be(out, 0, 2);
	add_be(out, n - 1, 2);
	add_be(out, 0, 3);
	fill(out, 2 * SQLITE_PAGE);
	for (size_t i = 0; i < n; i++) {
		auto_buf record = {0};
		size_t page = out->len / SQLITE_PAGE + 1, root = SQLITE_PAGE, cell = root + SQLITE_PAGE - 8 * (i + 1);

		out->data[i + 1 < n ? cell + 3 : root + 11] = (char)page;
		if (i + 1 < n)
			out->data[root + 12 + 2 * i] = (char)((cell - root) >> 8), out->data[root + 13 + 2 * i] = (char)(cell - root);
		buf_addc(&record, 0);
		buf_addc(&record, 0);
		varint(&record, 12 + 2 * headers[i].len);
		record.data[0] = (char)record.len;
		buf_add(&record, headers[i].data, headers[i].len);
		sqlite_leaf(out, &record);
	}
}

#define BDB_PAGE 512u

/** A page's head: 26 bytes. */
static inline void bdb_page(struct buf *out, size_t next, size_t entries, size_t used, char type)
{
	size_t number = out->len / BDB_PAGE;

	fill(out, out->len + 8);
	add_le(out, number, 4);
	add_le(out, 0, 4);
	add_le(out, next, 4);
	add_le(out, entries, 2);
	add_le(out, used, 2);
	buf_addc(out, 0);
	buf_addc(out, type);
}

/** Two buckets: the counter and the first header, which lies on pages of its own; the others on the second bucket's page itself, or away from it too. */
static inline void make_bdb(const struct buf *headers, size_t n, struct buf *out)
{
	fill(out, 12);
	add_le(out, 0x061561, 4);
	add_le(out, 9, 4);
	add_le(out, BDB_PAGE, 4);
	fill(out, 25);
	buf_addc(out, 8);
	fill(out, 72);
	add_le(out, 1, 4);
	fill(out, 96);
	/* Bucket 0 is on page 1, bucket 1 on page 2. */
	add_le(out, 1, 4);
	add_le(out, 1, 4);
	fill(out, BDB_PAGE);
	for (size_t bucket = 0; bucket < 2; bucket++) {
		size_t start = out->len, at = BDB_PAGE, count = bucket == 0 ? 2 : n - 1;

		bdb_page(out, 0, 2 * count, 0, 13);
		fill(out, start + BDB_PAGE);
		for (size_t i = 0; i < count; i++) {
			bool counter = bucket == 0 && i == 0;

			at -= 5;
			set_le(out, start + 26 + 4 * i, at, 2);
			out->data[start + at] = 1;
			set_le(out, start + at + 1, counter ? 0 : bucket + i, 4);
			at -= counter ? 5 : 12;
			set_le(out, start + 28 + 4 * i, at, 2);
			out->data[start + at] = counter ? 1 : 3;
			set_le(out, start + at + 1, counter ? n : 0, 4);
		}
	}
	for (size_t i = 0; i < n; i++) {
		size_t page = i == 0 ? BDB_PAGE : 2 * BDB_PAGE, slot = i == 0 ? 1 : i - 1;
		size_t item = page + (unsigned char)out->data[page + 28 + 4 * slot] + ((size_t)(unsigned char)out->data[page + 29 + 4 * slot] << 8);

		set_le(out, item + 4, out->len / BDB_PAGE, 4);
		set_le(out, item + 8, headers[i].len, 4);
		for (size_t done = 0; done < headers[i].len;) {
			size_t part = headers[i].len - done < BDB_PAGE - 26 ? headers[i].len - done : BDB_PAGE - 26, start = out->len;

			bdb_page(out, done + part < headers[i].len ? out->len / BDB_PAGE + 1 : 0, 1, part, 7);
			buf_add(out, headers[i].data + done, part);
			fill(out, start + BDB_PAGE);
			done += part;
		}
	}
}

#endif

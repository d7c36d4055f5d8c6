/* SPDX-License-Identifier: Apache-2.0 */
/* Packages: a hash of Berkeley DB's (db_page.h of Berkeley DB 4 and 5), as rpm before 4.16 wrote it on a machine whose numbers have their least byte
 * first. A bucket is a chain of pages; on them keys and values lie in turn, from the end of the page on; one that is large lies in a chain of others. A key
 * is a number; that of 0 is no package's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/pkg_rpm.h"

#define MAGIC 0x00061561
#define META 512
#define PAGE_HEAD 26
/** Kinds of pages. */
enum { PAGE_HASH_UNSORTED = 2, PAGE_OVERFLOW = 7, PAGE_HASH = 13 };
/** Kinds of items: its bytes, or where they are. */
enum { ITEM_HERE = 1, ITEM_AWAY = 3 };

struct database {
	struct rpm_db db;
	struct rpm_pages pages;
	unsigned char *page, *chained;
	struct buf value;
};

static void database_clear(struct database *d)
{
	free(d->page);
	free(d->chained);
	buf_free(&d->value);
}

static uint32_t next_page(const unsigned char *page)
{
	return bytes_le32(page + 16);
}

/** An item on a page. */
struct item {
	const unsigned char *p;
	size_t n;
};

/** Adds what lies in pages from @p next on, until there are @p n bytes. */
static int read_chain(struct database *d, uint32_t next, uint32_t n, struct err *err)
{
	while (d->value.len < n) {
		if (rpm_page(&d->pages, next, d->chained, err) < 0)
			return -1;
		size_t part = bytes_le16(d->chained + 22);
		if (d->chained[25] != PAGE_OVERFLOW || part == 0 || part > d->pages.size - PAGE_HEAD || part > n - d->value.len)
			return rpm_bad("a value that goes on where there is none", err);
		buf_add(&d->value, d->chained + PAGE_HEAD, part);
		if (buf_check(&d->value, "package", err) < 0)
			return -1;
		next = next_page(d->chained);
	}
	return 0;
}

static int take_value(struct database *d, struct item value, struct err *err)
{
	bool away = value.p[0] == ITEM_AWAY && value.n == 12;
	uint32_t n = away ? bytes_le32(value.p + 8) : (uint32_t)value.n - 1;

	if (!away && value.p[0] != ITEM_HERE)
		return rpm_bad("a value of an unknown kind", err);
	if (rpm_expect(&d->db, n, err) < 0)
		return -1;
	buf_clear(&d->value);
	if (!away)
		buf_add(&d->value, value.p + 1, n);
	else if (read_chain(d, bytes_le32(value.p + 4), n, err) < 0)
		return -1;
	return buf_check(&d->value, "package", err) < 0 ? -1 : rpm_take(&d->db, (const unsigned char *)d->value.data, d->value.len, err);
}

/** Item number @p i of the page at hand, which ends where the one before begins. @return false: it lies outside. */
static bool item_at(const struct database *d, size_t i, struct item *ret)
{
	size_t from = bytes_le16(d->page + PAGE_HEAD + 2 * i), to = i == 0 ? d->pages.size : bytes_le16(d->page + PAGE_HEAD + 2 * (i - 1));

	if (from >= to || to > d->pages.size)
		return false;
	*ret = (struct item){ d->page + from, to - from };
	return true;
}

static bool is_counter(struct item key)
{
	static const unsigned char zero[] = { ITEM_HERE, 0, 0, 0, 0 };

	return key.n == sizeof zero && memcmp(key.p, zero, sizeof zero) == 0;
}

static int take_page(struct database *d, struct err *err)
{
	size_t n = bytes_le16(d->page + 20);
	struct item key, value;

	if ((d->page[25] != PAGE_HASH && d->page[25] != PAGE_HASH_UNSORTED) || n % 2 != 0 || PAGE_HEAD + 2 * n > d->pages.size)
		return rpm_bad("a page that is none of a hash's", err);
	for (size_t i = 0; i < n; i += 2) {
		if (!item_at(d, i, &key) || !item_at(d, i + 1, &value))
			return rpm_bad("an item that lies outside of its page", err);
		if (!is_counter(key) && take_value(d, value, err) < 0)
			return -1;
	}
	return 0;
}

/** The first page of a bucket: those that came with one doubling lie together, and where, the file's head says. */
static uint64_t page_of(const unsigned char *meta, uint32_t bucket)
{
	unsigned doublings = 0;

	while (doublings < 31 && bucket >> doublings != 0)
		doublings++;
	return (uint64_t)bucket + bytes_le32(meta + 96 + 4 * doublings);
}

static int open_database(struct database *d, const struct slice *bytes, unsigned char *meta, struct err *err)
{
	if (rpm_read(bytes, 0, meta, META, err) < 0)
		return -1;
	uint32_t version = bytes_le32(meta + 16), size = bytes_le32(meta + 20);
	if (bytes_le32(meta + 12) != MAGIC || version < 8 || version > 10 || size < META || size > 65536 || (size & (size - 1)) != 0)
		return rpm_bad("no hash of Berkeley DB's", err);
	/* Encrypted, or with checksums, which make the head of a page larger. */
	if (meta[24] != 0 || meta[26] != 0)
		return rpm_bad("a form of Berkeley DB's that rpm does not write", err);
	d->pages = (struct rpm_pages){ .bytes = *bytes, .size = size, .n = bytes->size / size, .left = bytes->size / size };
	d->page = malloc(size);
	d->chained = malloc(size);
	return d->page == NULL || d->chained == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "find packages") : 0;
}

int pkg_read_rpm_bdb(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	__attribute__((cleanup(database_clear))) struct database d = {0};
	unsigned char meta[META];

	if (rpm_begin(&d.db, f, file, err) < 0 || open_database(&d, &file->bytes, meta, err) < 0)
		return -1;
	for (uint64_t bucket = 0; bucket <= bytes_le32(meta + 72); bucket++) {
		uint64_t at = page_of(meta, (uint32_t)bucket);

		do {
			if (rpm_page(&d.pages, at, d.page, err) < 0 || take_page(&d, err) < 0)
				return -1;
			at = next_page(d.page);
		} while (at != 0);
	}
	return 0;
}

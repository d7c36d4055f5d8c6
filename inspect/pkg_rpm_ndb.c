/* SPDX-License-Identifier: Apache-2.0 */
/* rpm's own form of its database, ndb (lib/backend/ndb/rpmpkg.c of rpm): pages of slots, each of which says where the blob of a package lies, in blocks;
 * a blob has a head and a tail. All numbers have their least byte first. */
#include <string.h>

#include "inspect/pkg_rpm.h"

#define MAGIC "RpmP"
#define VERSION 0
#define PAGE 4096
#define SLOT 16
#define BLOCK 16
/** In the first page slots begin behind the file's own head. */
#define FIRST_SLOT 32
#define HEAD 16
#define TAIL 12
/** Most pages of slots: for a million packages. */
#define PAGES_MAX 4096u

/** Reads the blob that a slot tells of. Its head and its tail say the same of it. */
static int read_blob(struct rpm_db *db, const unsigned char *slot, struct buf *blob, struct err *err)
{
	uint64_t at = (uint64_t)bytes_le32(slot + 8) * BLOCK, size = (uint64_t)bytes_le32(slot + 12) * BLOCK;

	if (rpm_expect(db, size, err) < 0)
		return -1;
	if (size < HEAD + TAIL)
		return rpm_bad("a blob that is too small", err);
	buf_clear(blob);
	unsigned char *p = (unsigned char *)buf_room(blob, (size_t)size);
	if (p == NULL)
		return buf_check(blob, "package", err);
	if (rpm_read(&db->file->bytes, at, p, (size_t)size, err) < 0)
		return -1;
	const unsigned char *tail = p + size - TAIL;
	uint64_t n = bytes_le32(p + 12);
	if (memcmp(p, "BlbS", 4) != 0 || memcmp(p + 4, slot + 4, 4) != 0 || (HEAD + n + TAIL + BLOCK - 1) / BLOCK * BLOCK != size ||
	    memcmp(tail + 8, "BlbE", 4) != 0 || bytes_le32(tail + 4) != n)
		return rpm_bad("a blob that is not what its slot says", err);
	buf_seal(blob, HEAD + (size_t)n);
	return 0;
}

static int read_slots(struct rpm_db *db, const unsigned char *page, size_t first, struct buf *blob, struct err *err)
{
	for (size_t at = first; at < PAGE; at += SLOT) {
		const unsigned char *slot = page + at;

		if (memcmp(slot, "Slot", 4) != 0)
			return rpm_bad("a page that has no slots", err);
		/* A slot that leads nowhere is free. */
		if (bytes_le32(slot + 8) == 0)
			continue;
		if (read_blob(db, slot, blob, err) < 0 || rpm_take(db, (unsigned char *)blob->data + HEAD, blob->len - HEAD, err) < 0)
			return -1;
	}
	return 0;
}

int pkg_read_rpm_ndb(struct pkg_found *f, const struct pkg_file *file, struct err *err)
{
	unsigned char page[PAGE];
	struct rpm_db db;
	auto_buf blob = {0};

	if (rpm_begin(&db, f, file, err) < 0)
		return -1;
	if (rpm_read(&file->bytes, 0, page, FIRST_SLOT, err) < 0)
		return -1;
	if (memcmp(page, MAGIC, 4) != 0 || bytes_le32(page + 4) != VERSION)
		return rpm_bad("no database of rpm's", err);
	uint32_t pages = bytes_le32(page + 12);
	if (pages > PAGES_MAX)
		return rpm_bad("too many slots", err);
	for (uint32_t i = 0; i < pages; i++)
		if (rpm_read(&file->bytes, (uint64_t)i * PAGE, page, PAGE, err) < 0 ||
		    read_slots(&db, page, i == 0 ? FIRST_SLOT : 0, &blob, err) < 0)
			return -1;
	return 0;
}

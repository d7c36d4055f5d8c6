/* SPDX-License-Identifier: Apache-2.0 */
/** @file tarmaker.h Tar archives member by member, also such as no tar(1) would write. */
#ifndef GB_TEST_ROOTFS_TARMAKER_H
#define GB_TEST_ROOTFS_TARMAKER_H

#include "tests/unit/store/help.h"

/** One member. */
struct member {
	const char *name;
	char type;            /**< '0' file, '1' hard link, '2' link, '3' '4' devices, '5' directory, '6' fifo, 'x' pax header */
	const char *data;     /**< content; target of links */
	unsigned mode;        /**< 0: 0644 */
	unsigned uid, gid;
	uint64_t size;        /**< what the header says; 0: the length of data */
};

/** Writes @p v in @p n octal digits. */
static inline void tar_octal(char *to, size_t n, uint64_t v)
{
	for (; n > 0; v /= 8)
		to[--n] = (char)('0' + v % 8);
}

/** Appends a ustar member (POSIX.1-1988). Long names are cut. */
static inline void tar_add(struct buf *tar, struct member m)
{
	char h[512] = {0};
	bool has_data = m.type == '0' || m.type == 'x' || m.type == 'g';
	size_t len = m.data == NULL ? 0 : strlen(m.data);
	unsigned sum = 0;

	memcpy(h, m.name, strnlen(m.name, 100));
	tar_octal(h + 100, 7, m.mode == 0 ? 0644 : m.mode);
	tar_octal(h + 108, 7, m.uid);
	tar_octal(h + 116, 7, m.gid);
	tar_octal(h + 124, 11, m.size != 0 ? m.size : has_data ? len : 0);
	tar_octal(h + 136, 11, 1234567);
	h[156] = m.type;
	if (!has_data && m.data != NULL)
		memcpy(h + 157, m.data, strnlen(m.data, 100));
	memcpy(h + 257, "ustar\00000", 8);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof h; i++)
		sum += (unsigned char)h[i];
	tar_octal(h + 148, 6, sum);
	h[154] = '\0';
	buf_add(tar, h, sizeof h);
	if (has_data) {
		static const char zeros[512];

		buf_add(tar, m.data, len);
		buf_add(tar, zeros, (512 - len % 512) % 512);
	}
}

/** Appends a pax header with one record for the next member. */
static inline void tar_add_pax(struct buf *tar, const char *key, const char *value)
{
	auto_buf record = {0};
	size_t n = strlen(key) + strlen(value) + 3, digits = 1;

	for (size_t total = n + 1; total >= 10; total /= 10)
		digits++;
	if (snprintf(NULL, 0, "%zu", n + digits) != (int)digits)
		digits++;
	buf_addf(&record, "%zu %s=%s\n", n + digits, key, value);
	tar_add(tar, (struct member){ .name = "pax", .type = 'x', .data = record.data });
}

/** Closes the archive and writes it to @p name in the world. */
static inline void tar_write(struct world *w, const struct buf *tar, const char *name)
{
	static const char end[1024];
	auto_buf all = {0};

	buf_add(&all, tar->data, tar->len);
	buf_add(&all, end, sizeof end);
	put_bytes(w->fd, name, all.data, all.len, 0644);
}

#endif

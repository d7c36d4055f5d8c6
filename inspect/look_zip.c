/* SPDX-License-Identifier: Apache-2.0 */
/* zip (APPNOTE.TXT), by its central directory; jar, wheel and the like are zip. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "inspect/look.h"

#define END_SIZE 22
#define END_SEARCHED (END_SIZE + 65535)
#define CENTRAL_SIZE 46
#define LOCAL_SIZE 30
/** Largest central directory that is read. */
#define CENTRAL_MAX (64u << 20)
/** Fields behind the fixed part of an entry: ids of Info-ZIP. */
#define EXTRA_TIME 0x5455
#define EXTRA_OWNER 0x7875

static int find_end(const struct slice *s, struct slice *ret_central, unsigned *ret_n, struct err *err)
{
	auto_buf tail = {0};
	uint64_t from = s->size > END_SEARCHED ? s->size - END_SEARCHED : 0;
	struct slice part = { .fd = s->fd, .offset = s->offset + from, .size = s->size - from };

	if (bytes_load(&part, END_SEARCHED, &tail, err) < 0)
		return -1;
	for (size_t at = tail.len < END_SIZE ? 0 : tail.len - END_SIZE + 1; at-- > 0; ) {
		const unsigned char *p = (const unsigned char *)tail.data + at;

		if (memcmp(p, "PK\5\6", 4) != 0)
			continue;
		if (bytes_le32(p + 16) == UINT32_MAX || bytes_le16(p + 10) == UINT16_MAX)
			return err_set(err, ERR_INPUT, 0, "a zip64, which is not looked into");
		*ret_n = bytes_le16(p + 10);
		return bytes_part(s, bytes_le32(p + 16), bytes_le32(p + 12), "central directory", ret_central, err);
	}
	return err_set(err, ERR_INPUT, 0, "no central directory");
}

/** MS-DOS's date and time, in local time without a zone, as if it were UTC: only whether two differ is asked. */
static int64_t dos_time(uint32_t date, uint32_t clock)
{
	struct tm t = {
		.tm_year = (int)(date >> 9) + 80, .tm_mon = (int)(date >> 5 & 15) - 1, .tm_mday = (int)(date & 31),
		.tm_hour = (int)(clock >> 11), .tm_min = (int)(clock >> 5 & 63), .tm_sec = (int)(clock & 31) * 2,
	};

	return timegm(&t);
}

static uint64_t id_of(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n && i < 8; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

/** Time and owner behind the fixed part. What is malformed is not there. */
static void read_extra(const unsigned char *p, size_t n, struct member *m)
{
	while (n >= 4) {
		size_t size = bytes_le16(p + 2);
		const unsigned char *data = p + 4;

		if (size > n - 4)
			return;
		if (bytes_le16(p) == EXTRA_TIME && size >= 5 && (data[0] & 1))
			m->mtime = (int32_t)bytes_le32(data + 1);
		if (bytes_le16(p) == EXTRA_OWNER && size >= 3 && data[0] == 1 && (size_t)data[1] + 3 <= size) {
			m->uid = id_of(data + 2, data[1]);
			if ((size_t)data[1] + 3 + data[2 + data[1]] <= size)
				m->gid = id_of(data + 3 + data[1], data[2 + data[1]]);
		}
		p += 4 + size;
		n -= 4 + size;
	}
}

/** The content lies behind the local header, whose variable part has a length of its own. Owners stand there alone. */
static int find_content(const struct slice *s, uint64_t at, struct member *m, struct err *err)
{
	unsigned char p[LOCAL_SIZE];
	auto_buf extra = {0};
	struct slice part;

	if (bytes_exact(s, at, p, sizeof p, err) < 0)
		return -1;
	if (memcmp(p, "PK\3\4", 4) != 0)
		return err_set(err, ERR_INPUT, 0, "'%.200s' is not where the central directory says", m->path);
	uint64_t behind_name = at + LOCAL_SIZE + bytes_le16(p + 26);
	if (bytes_part(s, behind_name, bytes_le16(p + 28), "extra field", &part, err) < 0 || bytes_load(&part, 65535, &extra, err) < 0)
		return -1;
	read_extra((const unsigned char *)extra.data, extra.len, m);
	m->offset = behind_name + bytes_le16(p + 28);
	return 0;
}

/** One entry of the central directory; *at moves behind it. */
static int read_entry(struct listing *l, const struct buf *central, size_t *at, struct err *err)
{
	const unsigned char *p = (const unsigned char *)central->data + *at;
	size_t left = central->len - *at;
	char name[65536];
	struct member m = { .path = name };

	if (left < CENTRAL_SIZE || memcmp(p, "PK\1\2", 4) != 0)
		return err_set(err, ERR_INPUT, 0, "its central directory ends too early");
	size_t nname = bytes_le16(p + 28), nextra = bytes_le16(p + 30), all = CENTRAL_SIZE + nname + nextra + bytes_le16(p + 32);
	if (all > left || nname == 0 || memchr(p + CENTRAL_SIZE, '\0', nname) != NULL)
		return err_set(err, ERR_INPUT, 0, "its central directory is damaged");
	memcpy(name, p + CENTRAL_SIZE, nname);
	name[nname] = '\0';
	m.made_by = bytes_le16(p + 4);
	m.method = bytes_le16(p + 10);
	m.mtime = dos_time(bytes_le16(p + 14), bytes_le16(p + 12));
	m.crc = bytes_le32(p + 16);
	m.stored = bytes_le32(p + 20);
	m.size = bytes_le32(p + 24);
	m.packed = m.method != 0;
	m.mode = bytes_le32(p + 38) >> 16 & 07777;
	m.type = name[nname - 1] == '/' ? MEMBER_DIR : MEMBER_FILE;
	if (find_content(&l->from, bytes_le32(p + 42), &m, err) < 0)
		return -1;
	*at += all;
	return listing_add(l, &m, err);
}

static int list(struct listing *l, struct err *err)
{
	auto_buf text = {0};
	struct slice central;
	unsigned n;
	size_t at = 0;

	if (find_end(&l->from, &central, &n, err) < 0)
		return -1;
	if (central.size > CENTRAL_MAX)
		return err_set(err, ERR_INPUT, 0, "its central directory has more than %u bytes", CENTRAL_MAX);
	if (bytes_load(&central, CENTRAL_MAX, &text, err) < 0)
		return -1;
	for (unsigned i = 0; i < n; i++)
		if (read_entry(l, &text, &at, err) < 0)
			return -1;
	return 0;
}

int look_zip(struct look *l, json_t *node, const char *name, const struct slice *a, const struct slice *b, int depth, struct err *err)
{
	auto_listing x = LISTING_OF(*a), y = LISTING_OF(*b);

	(void)name;
	if (list(&x, err) < 0 || list(&y, err) < 0)
		return -1;
	return pair_listings(l, node, &x, &y, depth + 1, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/tar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "oci/utf8.h"

#define PAX_HEADER_NAME "././@PaxHeader"

/** Octal with leading zeros and a closing NUL; a number that does not fit stays 0 (its pax record counts). */
static void put_octal(char *field, size_t width, uint64_t v)
{
	if (v >> (3 * (width - 1)) != 0)
		v = 0;
	field[width - 1] = '\0';
	for (size_t i = width - 1; i-- > 0; v >>= 3)
		field[i] = (char)('0' + (v & 7));
}

/** Where to cut @p name into prefix and name: the length of the prefix, 0 for none needed, -1 for impossible. */
static int split_at(const char *name, size_t len)
{
	if (len <= TAR_NAME_MAX)
		return 0;
	size_t at = len - 1 < TAR_PREFIX_MAX + 1 ? len - 1 : TAR_PREFIX_MAX + 1;
	while (at > 0 && name[at - 1] != '/')
		at--;
	if (at < 2 || len - at > TAR_NAME_MAX)
		return -1;
	return (int)at - 1;
}

static void put_name(struct tar_header *h, const char *name, size_t len)
{
	int prefix = split_at(name, len);

	if (prefix > 0) {
		memcpy(h->prefix, name, (size_t)prefix);
		name += prefix + 1;
		len -= (size_t)prefix + 1;
	}
	memcpy(h->name, name, len < TAR_NAME_MAX ? len : TAR_NAME_MAX);
}

static void put_link(struct tar_header *h, const char *link)
{
	size_t len = strlen(link);

	memcpy(h->linkname, link, len < TAR_NAME_MAX ? len : TAR_NAME_MAX);
}

unsigned tar_checksum(const struct tar_header *h)
{
	const uint8_t *p = (const uint8_t *)h;
	unsigned sum = 0;

	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += p[i];
	for (size_t i = 0; i < sizeof h->chksum; i++)
		sum = sum - (uint8_t)h->chksum[i] + ' ';
	return sum;
}

/** Appends one header block; @p name is the path as it is to stand there. */
static void add_header(const struct tar_member *m, const char *name, size_t len, struct buf *out)
{
	struct tar_header h;

	memset(&h, 0, sizeof h);
	put_name(&h, name, len);
	put_octal(h.mode, sizeof h.mode, m->mode);
	put_octal(h.uid, sizeof h.uid, m->uid);
	put_octal(h.gid, sizeof h.gid, m->gid);
	put_octal(h.size, sizeof h.size, m->size);
	put_octal(h.mtime, sizeof h.mtime, m->mtime);
	h.typeflag = (char)m->type;
	if (m->link != NULL)
		put_link(&h, m->link);
	memcpy(h.magic, "ustar", 6);
	memcpy(h.version, "00", 2);
	put_octal(h.devmajor, sizeof h.devmajor, 0);
	put_octal(h.devminor, sizeof h.devminor, 0);
	/* Six digits, NUL, space: the form of the standard's own example, which v7 readers want. */
	put_octal(h.chksum, sizeof h.chksum - 1, tar_checksum(&h));
	h.chksum[7] = ' ';
	buf_add(out, &h, sizeof h);
}

/** A record is "LENGTH KEY=VALUE\n", and LENGTH counts its own digits. */
static void add_record(struct buf *out, const char *key, const char *value, size_t len)
{
	size_t rest = strlen(key) + len + 3;
	size_t total = rest + 1;

	while (total != rest + (size_t)snprintf(NULL, 0, "%zu", total))
		total = rest + (size_t)snprintf(NULL, 0, "%zu", total);
	buf_addf(out, "%zu %s=", total, key);
	buf_add(out, value, len);
	buf_addc(out, '\n');
}

static void add_number(struct buf *out, const char *key, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%" PRIu64, v);

	add_record(out, key, text, (size_t)n);
}

/** Appends the records for what ustar cannot hold: none for nearly every member. */
static void add_records(const struct tar_member *m, const char *name, size_t len, struct buf *out)
{
	size_t link_len = m->link != NULL ? strlen(m->link) : 0;
	bool path = split_at(name, len) < 0;
	bool link = link_len > TAR_NAME_MAX;

	if ((path && !utf8_valid(name, len)) || (link && !utf8_valid(m->link, link_len)))
		add_record(out, "hdrcharset", "BINARY", 6);
	if (path)
		add_record(out, "path", name, len);
	if (link)
		add_record(out, "linkpath", m->link, link_len);
	if (m->size > TAR_NUMBER_MAX)
		add_number(out, "size", m->size);
	if (m->uid > TAR_ID_MAX)
		add_number(out, "uid", m->uid);
	if (m->gid > TAR_ID_MAX)
		add_number(out, "gid", m->gid);
}

static void add_zeros(struct buf *out, size_t n)
{
	static const char zeros[TAR_BLOCK];

	buf_add(out, zeros, n);
}

void tar_add_member(const struct tar_member *m, struct buf *out)
{
	auto_buf records = { 0 };
	auto_buf name = { 0 };

	buf_adds(&name, m->path);
	if (m->type == TAR_DIR)
		buf_addc(&name, '/');
	if (!name.failed)
		add_records(m, name.data, name.len, &records);
	if (name.failed || records.failed) {
		out->failed = true;
		return;
	}
	if (records.len != 0) {
		struct tar_member pax = {
			.type = TAR_PAX, .mode = 0644, .size = records.len, .mtime = m->mtime,
		};

		add_header(&pax, PAX_HEADER_NAME, strlen(PAX_HEADER_NAME), out);
		buf_add(out, records.data, records.len);
		add_zeros(out, tar_padding(records.len));
	}
	add_header(m, name.data, name.len, out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* ar, as of GNU and BSD: static libraries, and Debian packages. */
#include <stdlib.h>
#include <string.h>

#include "inspect/look.h"

#define MAGIC 8
/** Longest table of long names. */
#define TABLE_MAX (16u << 20)
/** Longest name, wherever it stands. */
#define NAME_MAX_AR 1024

struct header {
	char name[16], date[12], uid[6], gid[6], mode[8], size[10], end[2];
};
_Static_assert(sizeof(struct header) == 60, "a header of ar has 60 bytes");

static bool number(const char *field, size_t width, int base, uint64_t *ret)
{
	char text[17] = "", *end;

	memcpy(text, field, width);
	text[width] = '\0';
	*ret = strtoull(text, &end, base);
	return end[strspn(end, " ")] == '\0' && text[0] != '-';
}

/** A name in the table of long ones, ended by "/\n". */
static bool long_name(const struct buf *table, const char *digits, char out[NAME_MAX_AR])
{
	uint64_t at;
	size_t n;

	if (!number(digits, 15, 10, &at) || at >= table->len)
		return false;
	n = strcspn(table->data + at, "\n");
	n -= n > 0 && table->data[at + n - 1] == '/';
	if (n == 0 || n >= NAME_MAX_AR)
		return false;
	memcpy(out, table->data + at, n);
	out[n] = '\0';
	return true;
}

/** Names the member; BSD's long names stand before the content, which begins behind them then. */
static int find_name(const struct slice *from, const struct header *h, const struct buf *table, struct member *m, char out[NAME_MAX_AR],
		     struct err *err)
{
	uint64_t n;

	if (h->name[0] == '/' && h->name[1] >= '0' && h->name[1] <= '9') {
		if (!long_name(table, h->name + 1, out))
			return err_set(err, ERR_INPUT, 0, "a long name that is not there");
		return 0;
	}
	if (memcmp(h->name, "#1/", 3) == 0) {
		if (!number(h->name + 3, 13, 10, &n) || n >= NAME_MAX_AR || n > m->size)
			return err_set(err, ERR_INPUT, 0, "a long name that is not there");
		memset(out, 0, NAME_MAX_AR);
		m->offset += n;
		m->size -= n;
		return bytes_exact(from, m->offset - n, out, (size_t)n, err);
	}
	n = sizeof h->name;
	while (n > 1 && h->name[n - 1] == ' ')
		n--;
	n -= n > 1 && h->name[n - 1] == '/' && h->name[0] != '/';
	memcpy(out, h->name, n);
	out[n] = '\0';
	return 0;
}

static int read_header(const struct slice *from, uint64_t at, struct header *h, struct member *m, struct err *err)
{
	uint64_t date, mode;

	if (bytes_exact(from, at, h, sizeof *h, err) < 0)
		return -1;
	if (memcmp(h->end, "`\n", 2) != 0 || !number(h->date, sizeof h->date, 10, &date) || !number(h->uid, sizeof h->uid, 10, &m->uid) ||
	    !number(h->gid, sizeof h->gid, 10, &m->gid) || !number(h->mode, sizeof h->mode, 8, &mode) ||
	    !number(h->size, sizeof h->size, 10, &m->size) || date > INT64_MAX)
		return err_set(err, ERR_INPUT, 0, "no header of a member at offset %llu", (unsigned long long)at);
	m->mtime = (int64_t)date;
	m->mode = mode & 07777;
	m->offset = at + sizeof *h;
	if (m->size > from->size - m->offset)
		return err_set(err, ERR_INPUT, 0, "the archive ends within a member");
	return 0;
}

static int list(struct listing *l, struct err *err)
{
	auto_buf table = {0};
	struct header h;

	for (uint64_t at = MAGIC; at < l->from.size; ) {
		char name[NAME_MAX_AR];
		struct member m = { .path = name, .type = MEMBER_FILE };

		if (read_header(&l->from, at, &h, &m, err) < 0)
			return -1;
		at = m.offset + m.size + (m.size & 1);
		if (memcmp(h.name, "// ", 3) == 0) {
			struct slice names = { .fd = l->from.fd, .offset = l->from.offset + m.offset, .size = m.size };

			buf_clear(&table);
			if (bytes_load(&names, TABLE_MAX, &table, err) < 0)
				return -1;
			continue;
		}
		/* The index of symbols says nothing that its members do not say. */
		if (memcmp(h.name, "/ ", 2) == 0 || memcmp(h.name, "/SYM64/", 7) == 0) {
			snprintf(name, sizeof name, "(index of symbols)");
			m.mtime = 0;
		} else if (find_name(&l->from, &h, &table, &m, name, err) < 0) {
			return -1;
		}
		if (listing_add(l, &m, err) < 0)
			return -1;
	}
	return 0;
}

int look_ar(struct look *l, json_t *node, const char *name, const struct slice *a, const struct slice *b, int depth, struct err *err)
{
	auto_listing x = LISTING_OF(*a), y = LISTING_OF(*b);

	(void)name;
	if (list(&x, err) < 0 || list(&y, err) < 0)
		return -1;
	return pair_listings(l, node, &x, &y, depth + 1, err);
}

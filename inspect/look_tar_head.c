/* SPDX-License-Identifier: Apache-2.0 */
/* What two headers of a tar say that images drop, and that makes two archives differ all the same: records of pax extended headers (times with a fraction,
 * of access and of change; extended attributes), the number of a device, the form of the header. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/look.h"
#include "oci/untar.h"

#define BLOCK 512
/** Most bytes of a header and what stands before it that are looked into. */
#define HEAD_MAX (UNTAR_EXTRA_TOLERANT_MAX + 16 * BLOCK)
/** Longest value that is told of, and longest keyword. */
#define VALUE_MAX 256
#define KEY_MAX 64

/** A record of an extended header. */
struct record {
	struct words key, value;
};

/** A header taken apart. */
struct head {
	struct buf bytes;
	struct record v[UNTAR_RECORDS_MAX];
	size_t n;
	const char *block;       /**< the header itself, behind all that extends it; NULL: none */
};
static void head_clear(struct head *h)
{
	buf_free(&h->bytes);
}
#define auto_head __attribute__((cleanup(head_clear))) struct head

/** Takes over records "LENGTH KEY=VALUE\n". */
static void add_records(struct head *h, const char *p, size_t n)
{
	while (n > 0 && h->n < ARRAY_LEN(h->v)) {
		char *text;
		size_t len = strtoul(p, &text, 10);
		const char *equals = len > 0 && len <= n && *text == ' ' && text < p + len ? memchr(text, '=', (size_t)(p + len - text)) : NULL;

		if (equals == NULL || p[len - 1] != '\n')
			return;
		h->v[h->n++] = (struct record){ { text + 1, (size_t)(equals - text) - 1 }, { equals + 1, (size_t)(p + len - equals) - 2 } };
		p += len;
		n -= len;
	}
}

static int read_head(const struct listing *l, const struct member *m, struct head *h, struct err *err)
{
	const struct slice bytes = { l->from.fd, l->from.offset + m->head, m->head_size };

	if (bytes_load(&bytes, HEAD_MAX, &h->bytes, err) < 0)
		return -1;
	for (size_t at = 0; at + BLOCK <= h->bytes.len;) {
		const char *block = h->bytes.data + at;
		uint64_t size = strtoull(block + 124, NULL, 8), room = h->bytes.len - at - BLOCK;

		if (strchr("xgLK", block[156]) == NULL || block[156] == '\0') {
			h->block = block;
			return 0;
		}
		if (size > room)
			return 0;
		if (block[156] == 'x' || block[156] == 'g')
			add_records(h, block + BLOCK, (size_t)size);
		at += BLOCK + (size_t)(size + BLOCK - 1) / BLOCK * BLOCK;
	}
	return 0;
}

/* ---- two of them ------------------------------------------------------------------- */

static bool same(struct words a, struct words b)
{
	return a.n == b.n && memcmp(a.s, b.s, a.n) == 0;
}

static bool is_one_of(struct words key, const char *const *list)
{
	for (; *list != NULL; list++)
		if (same(key, (struct words){ *list, strlen(*list) }))
			return true;
	return false;
}

/** The value of the last record of that keyword, which counts; none where there is no such record. */
static struct words value_of(const struct head *h, struct words key)
{
	for (size_t i = h->n; i-- > 0;)
		if (same(h->v[i].key, key))
			return h->v[i].value;
	return (struct words){ "", 0 };
}

static void tell_value(struct look *l, json_t *node, struct words key, struct words a, struct words b)
{
	static const char *const times[] = { "mtime", "atime", "ctime", "LIBARCHIVE.creationtime", NULL };
	char field[KEY_MAX + 5], x[VALUE_MAX + 1], y[VALUE_MAX + 1];

	snprintf(field, sizeof field, "pax %.*s", (int)(key.n < KEY_MAX ? key.n : KEY_MAX), key.s);
	/* A field's name is text, and this is anybody's. */
	for (char *p = field + 4; *p != '\0'; p++)
		if (!isgraph((unsigned char)*p))
			*p = '?';
	snprintf(x, sizeof x, "%.*s", (int)(a.n < VALUE_MAX ? a.n : VALUE_MAX), a.s);
	snprintf(y, sizeof y, "%.*s", (int)(b.n < VALUE_MAX ? b.n : VALUE_MAX), b.s);
	if (is_one_of(key, times))
		node_field(l, node, field, x, y, CAUSE_TIMESTAMP);
	else
		node_field_words(l, node, field, x, y);
}

/** Tells of the records of @p of that the other one has not so, or, where @p only, has not at all. */
static void tell_records(struct look *l, json_t *node, const struct head *of, const struct head *a, const struct head *b, bool only, bool mtime)
{
	static const char *const told[] = { "path", "linkpath", "size", "uid", "gid", "uname", "gname", NULL };
	const struct head *other = of == a ? b : a;

	for (size_t i = 0; i < of->n; i++) {
		const struct words key = of->v[i].key, x = value_of(a, key), y = value_of(b, key);

		if (is_one_of(key, told) || same(x, y) || (mtime && same(key, (struct words){ "mtime", 5 })))
			continue;
		if (!only || value_of(other, key).n == 0)
			tell_value(l, node, key, x, y);
	}
}

/** Numbers of a device, as they stand there. */
static void device_of(const char *block, char out[32])
{
	snprintf(out, 32, "%llu:%llu", strtoull(block + 329, NULL, 8), strtoull(block + 337, NULL, 8));
}

static void tell_block(struct look *l, json_t *node, const char *a, const char *b)
{
	char x[32], y[32];

	if (a[156] == b[156] && (a[156] == '3' || a[156] == '4')) {
		device_of(a, x);
		device_of(b, y);
		if (strcmp(x, y) != 0)
			node_field(l, node, "device", x, y, CAUSE_NONE);
	}
	if (memcmp(a + 257, b + 257, 8) != 0)
		node_field(l, node, "form of the header", memcmp(a + 257, "ustar  ", 8) == 0 ? "GNU" : "POSIX",
			   memcmp(b + 257, "ustar  ", 8) == 0 ? "GNU" : "POSIX", CAUSE_NONE);
}

int look_tar_head(struct look *l, json_t *node, const struct listing *of_a, const struct member *a, const struct listing *of_b, const struct member *b,
		  struct err *err)
{
	auto_head x = {0}, y = {0};

	if (read_head(of_a, a, &x, err) < 0 || read_head(of_b, b, &y, err) < 0)
		return -1;
	tell_records(l, node, &x, &x, &y, false, a->mtime != b->mtime);
	tell_records(l, node, &y, &x, &y, true, a->mtime != b->mtime);
	if (x.block != NULL && y.block != NULL)
		tell_block(l, node, x.block, y.block);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* PNG (ISO/IEC 15948): its chunks by type, the image data of all IDAT chunks as one. */
#include <stdio.h>
#include <string.h>

#include "inspect/look.h"

#define MAGIC 8
/** Most chunks. */
#define CHUNKS_MAX 65536u
/** A zlib stream's own header and checksum (RFC 1950), which a gzip wrap does not want. */
#define ZLIB_BEFORE 2
#define ZLIB_AFTER 4
/** Text that is compared. */
#define TEXT_MAX 65536u
/** Largest chunk of image data: encoders make them of some thousand bytes. */
#define DATA_MAX (64u << 20)

struct chunk {
	char type[5];
	struct slice data;
};

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/** The chunk at *at, which moves behind it; *ret false at the end. */
static int next_chunk(const struct slice *s, uint64_t *at, struct chunk *c, bool *ret, struct err *err)
{
	unsigned char p[8];

	*ret = *at < s->size;
	if (!*ret)
		return 0;
	if (bytes_exact(s, *at, p, sizeof p, err) < 0)
		return -1;
	memcpy(c->type, p + 4, 4);
	c->type[4] = '\0';
	for (size_t i = 0; i < 4; i++)
		if (c->type[i] < 'A' || c->type[i] > 'z')
			return err_set(err, ERR_INPUT, 0, "no chunk at offset %llu", (unsigned long long)*at);
	if (bytes_part(s, *at + 8, be32(p), "chunk", &c->data, err) < 0)
		return -1;
	*at += 12 + (uint64_t)be32(p);
	return 0;
}

/** Finds chunk number @p nth of a type; *ret false where there is none. */
static int find_chunk(const struct slice *s, const char *type, unsigned nth, struct chunk *c, bool *ret, struct err *err)
{
	uint64_t at = MAGIC;
	unsigned chunks = 0;

	for (;;) {
		if (next_chunk(s, &at, c, ret, err) < 0)
			return -1;
		if (!*ret || ++chunks > CHUNKS_MAX)
			break;
		if (strcmp(c->type, type) == 0 && nth-- == 0)
			return 0;
	}
	*ret = false;
	return 0;
}

static int tell_time(struct look *l, json_t *node, const struct slice *a, const struct slice *b, struct err *err)
{
	unsigned char p[2][7];
	const struct slice *side[] = { a, b };
	char text[2][32];

	for (size_t i = 0; i < 2; i++) {
		if (bytes_exact(side[i], 0, p[i], 7, err) < 0)
			return -1;
		snprintf(text[i], sizeof text[i], "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)p[i][0] << 8 | p[i][1], p[i][2], p[i][3], p[i][4],
			 p[i][5], p[i][6]);
	}
	node_field(l, node, "PNG tIME", text[0], text[1], CAUSE_TIMESTAMP);
	return 0;
}

/** tEXt and iTXt: a keyword, NUL, a text. */
static int tell_text(struct look *l, json_t *node, const char *type, const struct slice *a, const struct slice *b, struct err *err)
{
	auto_buf x = {0};
	auto_buf y = {0};
	auto_buf field = {0};

	if (bytes_load(a, TEXT_MAX, &x, err) < 0 || bytes_load(b, TEXT_MAX, &y, err) < 0)
		return -1;
	for (size_t i = 0; i < x.len; i++)
		x.data[i] = x.data[i] == '\0' ? '=' : x.data[i];
	for (size_t i = 0; i < y.len; i++)
		y.data[i] = y.data[i] == '\0' ? '=' : y.data[i];
	buf_addf(&field, "PNG %s", type);
	if (buf_check(&field, "compare", err) < 0)
		return -1;
	node_field_words(l, node, field.data, x.data != NULL ? x.data : "", y.data != NULL ? y.data : "");
	return 0;
}

/** All IDAT chunks one behind the other, in the scratch file: less the zlib stream's own header and checksum. */
static int gather(struct look *l, const struct slice *s, struct slice *ret, struct err *err)
{
	uint64_t at = MAGIC, begin = l->end;
	auto_buf data = {0};
	struct chunk c;
	bool more;

	for (;;) {
		if (next_chunk(s, &at, &c, &more, err) < 0)
			return -1;
		if (!more)
			break;
		if (strcmp(c.type, "IDAT") != 0)
			continue;
		if (c.data.size > DATA_MAX)
			return err_set(err, ERR_INPUT, 0, "a chunk of more than %u bytes", DATA_MAX);
		buf_clear(&data);
		if (bytes_load(&c.data, DATA_MAX, &data, err) < 0 || look_append(l, data.data, data.len, err) < 0)
			return -1;
	}
	if (l->end - begin < ZLIB_BEFORE + ZLIB_AFTER)
		return err_set(err, ERR_INPUT, 0, "no image data");
	*ret = (struct slice){ .fd = l->scratch, .offset = begin + ZLIB_BEFORE, .size = l->end - begin - ZLIB_BEFORE - ZLIB_AFTER };
	return 0;
}

/** The image data: other pixels, or the same ones packed differently. */
static int tell_data(struct look *l, json_t *node, const struct slice *a, const struct slice *b, struct err *err)
{
	struct slice x, y, p, q;
	uint64_t at;

	if (gather(l, a, &x, err) < 0 || gather(l, b, &y, err) < 0 || bytes_differ_at(&x, &y, &at, err) < 0)
		return -1;
	if (at == BYTES_SAME)
		return 0;
	if (look_unpack(l, &x, &look_deflate, &p, err) < 0 || look_unpack(l, &y, &look_deflate, &q, err) < 0 ||
	    bytes_differ_at(&p, &q, &at, err) < 0)
		return -1;
	json_t *data = node_add(l, node, "IDAT", "changed");
	if (at == BYTES_SAME)
		node_cause(l, data, CAUSE_COMPRESSOR, "the same image data, packed differently");
	return node_content(l, data, &p, &q, at, err);
}

/** Compares a chunk with its counterpart: number @p nth of its type. */
static int tell_chunk(struct look *l, json_t *node, const struct chunk *c, const struct slice *b, unsigned nth, struct err *err)
{
	struct chunk other;
	bool there;
	uint64_t at;

	if (find_chunk(b, c->type, nth, &other, &there, err) < 0)
		return -1;
	if (!there) {
		(void)node_add(l, node, c->type, "removed");
		return 0;
	}
	if (bytes_differ_at(&c->data, &other.data, &at, err) < 0)
		return -1;
	if (at == BYTES_SAME)
		return 0;
	if (strcmp(c->type, "tIME") == 0)
		return tell_time(l, node, &c->data, &other.data, err);
	if (strcmp(c->type, "tEXt") == 0 || strcmp(c->type, "iTXt") == 0)
		return tell_text(l, node, c->type, &c->data, &other.data, err);
	return node_content(l, node_add(l, node, c->type, "changed"), &c->data, &other.data, at, err);
}

/** Walks the chunks of @p a but for image data; @p added: only those are told of that @p b has not. */
static int walk(struct look *l, json_t *node, const struct slice *a, const struct slice *b, bool added, struct err *err)
{
	/* Most files have a dozen types; of more of them only the first chunk has its number. */
	struct { char type[5]; unsigned n; } seen[64] = {0};
	uint64_t at = MAGIC;
	unsigned chunks = 0;
	struct chunk c, other;
	bool more, there;

	for (;;) {
		size_t i = 0;

		if (next_chunk(a, &at, &c, &more, err) < 0)
			return -1;
		if (!more)
			return 0;
		if (strcmp(c.type, "IDAT") == 0)
			continue;
		if (++chunks > ARRAY_LEN(seen) * 4)
			return err_set(err, ERR_INPUT, 0, "more than %zu chunks besides its image data", ARRAY_LEN(seen) * 4);
		while (i + 1 < ARRAY_LEN(seen) && seen[i].n > 0 && strcmp(seen[i].type, c.type) != 0)
			i++;
		memcpy(seen[i].type, c.type, sizeof c.type);
		if (!added && tell_chunk(l, node, &c, b, seen[i].n, err) < 0)
			return -1;
		if (added && find_chunk(b, c.type, seen[i].n, &other, &there, err) < 0)
			return -1;
		if (added && !there)
			(void)node_add(l, node, c.type, "added");
		seen[i].n++;
	}
}

int look_png(struct look *l, json_t *node, const char *name, const struct slice *a, const struct slice *b, int depth, struct err *err)
{
	(void)name;
	(void)depth;
	if (walk(l, node, a, b, false, err) < 0 || walk(l, node, b, a, true, err) < 0)
		return -1;
	return tell_data(l, node, a, b, err);
}

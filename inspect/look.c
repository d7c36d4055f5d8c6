/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/look.h"

#include <string.h>

#include "inspect/pieces.h"

/** Around the first difference of what is too large to be read whole. */
#define WINDOW (64u << 10)

static bool is_tar(const unsigned char *head, size_t n)
{
	return n >= 512 && memcmp(head + 257, "ustar", 5) == 0;
}

static bool is_ar(const unsigned char *head, size_t n)
{
	return n >= 8 && memcmp(head, "!<arch>\n", 8) == 0;
}

static bool is_zip(const unsigned char *head, size_t n)
{
	return n >= 4 && (memcmp(head, "PK\3\4", 4) == 0 || memcmp(head, "PK\5\6", 4) == 0);
}

static bool is_codec(const unsigned char *head, size_t n)
{
	return look_codec_name(head, n) != NULL;
}

static bool is_elf(const unsigned char *head, size_t n)
{
	return n >= 16 && memcmp(head, "\177ELF", 4) == 0;
}

static bool is_png(const unsigned char *head, size_t n)
{
	return n >= 8 && memcmp(head, "\211PNG\r\n\032\n", 8) == 0;
}

/** PEP 3147: a number below that of any text, then CR LF; flags of PEP 552 behind it. */
static bool is_pyc(const unsigned char *head, size_t n)
{
	return n >= 16 && head[2] == '\r' && head[3] == '\n' && bytes_le32(head + 4) <= 3;
}

static const struct format {
	const char *name;
	bool (*is)(const unsigned char *head, size_t n);
	look_fn *look;
} formats[] = {
	{ "ELF", is_elf, look_elf }, { "ar", is_ar, look_ar }, { "zip", is_zip, look_zip }, { "PNG", is_png, look_png },
	{ "tar", is_tar, look_tar }, { "compressed", is_codec, look_codec }, { "pyc", is_pyc, look_pyc },
};

static bool is_compressed(const struct format *f)
{
	return f != NULL && f->look == look_codec;
}

static int find_format(const struct slice *s, const struct format **ret, struct err *err)
{
	unsigned char head[LOOK_HEAD];
	size_t n;

	if (bytes_read(s, 0, head, sizeof head, &n, err) < 0)
		return -1;
	*ret = NULL;
	for (size_t i = 0; *ret == NULL && i < ARRAY_LEN(formats); i++)
		if (formats[i].is(head, n))
			*ret = &formats[i];
	return 0;
}

/** A part of @p s around @p at, if it is larger than what is read whole. */
static struct slice window(const struct slice *s, uint64_t at)
{
	uint64_t from = at > WINDOW / 2 ? at - WINDOW / 2 : 0;

	if (s->size <= PIECES_BYTES)
		return *s;
	from = from < s->size ? from : s->size;
	return (struct slice){ .fd = s->fd, .offset = s->offset + from, .size = s->size - from < WINDOW ? s->size - from : WINDOW };
}

static int look_bytes(struct look *l, json_t *node, const struct slice *a, const struct slice *b, struct err *err)
{
	char head[LOOK_HEAD];
	uint64_t at;
	size_t n;

	if (bytes_differ_at(a, b, &at, err) < 0 || node_content(l, node, a, b, at, err) < 0)
		return -1;
	if (at == BYTES_SAME)
		return 0;
	struct slice x = window(a, at), y = window(b, at);
	if (bytes_read(a->size > 0 ? a : b, 0, head, sizeof head, &n, err) < 0)
		return -1;
	return pieces_compare(l, node, &x, &y, pieces_is_text(head, n), err);
}

/** Looks with a format's own reader. What is broken is told of, and no error. */
static int look_format(struct look *l, json_t *node, const struct format *f, const char *name, const struct slice *a, const struct slice *b,
		       int depth, bool *ret_done, struct err *err)
{
	struct err why = {0};
	auto_buf note = {0};
	uint64_t end = l->end;
	int result = f->look(l, node, name, a, b, depth, &why);

	l->end = end;
	*ret_done = result == 0;
	if (result == 0)
		return 0;
	if (why.kind != ERR_INPUT && why.kind != ERR_UNVERIFIED) {
		*err = why;
		return -1;
	}
	buf_addf(&note, "not looked into: %s: %s", f->name, why.msg);
	node_text(l, node, "note", note.failed ? "not looked into" : note.data);
	return 0;
}

/** One is compressed and the other is not, as a layer may be in two shapes of one image. */
static int look_unpacked(struct look *l, json_t *node, const char *name, const struct slice *a, const struct format *f, const struct slice *b,
			 const struct format *g, int depth, struct err *err)
{
	struct slice x = *a, y = *b;
	uint64_t at;

	if ((is_compressed(f) && look_unpack(l, a, NULL, &x, err) < 0) || (is_compressed(g) && look_unpack(l, b, NULL, &y, err) < 0) ||
	    bytes_differ_at(&x, &y, &at, err) < 0)
		return -1;
	node_text(l, node, "note", "one is compressed, the other is not");
	return at == BYTES_SAME ? 0 : look_into(l, node, name, &x, &y, depth + 1, err);
}

int look_into(struct look *l, json_t *node, const char *name, const struct slice *a, const struct slice *b, int depth, struct err *err)
{
	const struct format *f, *g;
	bool done = false;

	if (node == NULL)
		return 0;
	if (find_format(a, &f, err) < 0 || find_format(b, &g, err) < 0)
		return -1;
	if (is_compressed(f) != is_compressed(g) && depth < LOOK_DEPTH_MAX) {
		struct err why = {0};
		uint64_t end = l->end;
		int result = look_unpacked(l, node, name, a, f, b, g, depth, &why);

		l->end = end;
		if (result < 0 && why.kind == ERR_INTERNAL)
			*err = why;
		if (result == 0 || why.kind == ERR_INTERNAL)
			return result;
	}
	if (f != g)
		node_text(l, node, "note", "the two are of different formats");
	if (f == g && f != NULL && depth < LOOK_DEPTH_MAX) {
		node_text(l, node, "format", f->name);
		if (look_format(l, node, f, name, a, b, depth, &done, err) < 0)
			return -1;
	}
	if (!done)
		return look_bytes(l, node, a, b, err);
	if (!node_is_empty(node))
		return 0;
	/* Its members are the same, and what lies between them is not. */
	uint64_t at;
	if (bytes_differ_at(a, b, &at, err) < 0)
		return -1;
	node_text(l, node, "note", "all that is looked into is the same; what lies around it differs");
	return node_content(l, node, a, b, at, err);
}

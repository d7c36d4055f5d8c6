/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed streams: gzip, bzip2, xz, zstd, lz4, lzip, by libarchive's filters. */
#include <errno.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "inspect/look.h"
#include "rootfs/stream.h"

#define READ_BLOCK (64u << 10)

static const struct codec_format {
	const char *name, *magic;
	size_t nmagic;
	int filter;
} codecs[] = {
	{ "gzip", "\x1f\x8b\x08", 3, ARCHIVE_FILTER_GZIP }, { "bzip2", "BZh", 3, ARCHIVE_FILTER_BZIP2 },
	{ "xz", "\xfd" "7zXZ\0", 6, ARCHIVE_FILTER_XZ }, { "zstd", "\x28\xb5\x2f\xfd", 4, ARCHIVE_FILTER_ZSTD },
	{ "lz4", "\x04\x22\x4d\x18", 4, ARCHIVE_FILTER_LZ4 }, { "lzip", "LZIP\1", 5, ARCHIVE_FILTER_LZIP },
};

static const struct codec_format *find_codec(const unsigned char *head, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		if (n >= codecs[i].nmagic && memcmp(head, codecs[i].magic, codecs[i].nmagic) == 0)
			return &codecs[i];
	return NULL;
}

const char *look_codec_name(const unsigned char *head, size_t n)
{
	const struct codec_format *c = find_codec(head, n);

	return c == NULL ? NULL : c->name;
}

/* ---- unpacking ------------------------------------------------------------------------------ */

const struct look_wrap look_deflate = { "\x1f\x8b\x08\0\0\0\0\0\0\xff", "\0\0\0\0\0\0\0", 10, 8 };

/** A stream being read by libarchive: what stands before it, itself, what stands behind. */
struct feed {
	const struct slice *from;
	const struct look_wrap *wrap;
	uint64_t at;
	int stage;
	char *block;
	struct err *why;
	bool failed;
};

static la_ssize_t feed(struct archive *a, void *arg, const void **ret)
{
	struct feed *f = arg;
	size_t got;

	if (f->stage == 0 && f->wrap != NULL) {
		f->stage = 1;
		*ret = f->wrap->before;
		return (la_ssize_t)f->wrap->nbefore;
	}
	if (bytes_read(f->from, f->at, f->block, READ_BLOCK, &got, f->why) < 0) {
		f->failed = true;
		archive_set_error(a, EIO, "%s", "read");
		return -1;
	}
	f->at += got;
	*ret = f->block;
	if (got == 0 && f->stage == 1) {
		f->stage = 2;
		*ret = f->wrap->after;
		return (la_ssize_t)f->wrap->nafter;
	}
	return (la_ssize_t)got;
}

static inline void own_reader(struct archive **a)
{
	if (*a != NULL)
		archive_read_free(*a);
}
#define auto_reader __attribute__((cleanup(own_reader))) struct archive *

int look_append(struct look *l, const void *data, size_t n, struct err *err)
{
	if (l->end + n > LOOK_SCRATCH_MAX)
		return err_set(err, ERR_INPUT, 0, "it unpacks to more than is looked into");
	if (lseek(l->scratch, (off_t)l->end, SEEK_SET) < 0 || io_write_all(l->scratch, data, n, err) < 0)
		return err_set(err, ERR_INTERNAL, errno, "write to a temporary file (TMPDIR chooses another place)");
	l->end += n;
	return 0;
}

static int unpack_all(struct look *l, struct archive *a, struct feed *f, struct err *err)
{
	struct archive_entry *entry;
	uint64_t begin = l->end;
	int r = archive_read_next_header(a, &entry);

	while (r == ARCHIVE_OK) {
		const void *data;
		size_t n;
		la_int64_t offset;

		r = archive_read_data_block(a, &data, &n, &offset);
		if (r == ARCHIVE_OK && (look_append(l, data, n, err) < 0 || stream_check_ratio(f->at, l->end - begin, err) < 0))
			return -1;
	}
	if (r == ARCHIVE_EOF)
		return 0;
	if (f->failed)
		return -1;
	const char *why = archive_error_string(a);
	return err_set(err, ERR_INPUT, 0, "unpack: %s", why == NULL ? "it is damaged" : why);
}

int look_unpack(struct look *l, const struct slice *from, const struct look_wrap *wrap, struct slice *ret, struct err *err)
{
	unsigned char head[LOOK_HEAD];
	auto_reader a = archive_read_new();
	auto_free char *block = malloc(READ_BLOCK);
	struct feed f = { .from = from, .wrap = wrap, .block = block, .why = err };
	const struct codec_format *c = &codecs[0];
	uint64_t begin = l->end;
	size_t n;

	if (a == NULL || block == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "unpack");
	if (wrap == NULL) {
		if (bytes_read(from, 0, head, sizeof head, &n, err) < 0)
			return -1;
		c = find_codec(head, n);
	}
	if (c == NULL || archive_read_append_filter(a, c->filter) != ARCHIVE_OK || archive_read_support_format_raw(a) != ARCHIVE_OK)
		return err_set(err, ERR_INPUT, 0, "no reader for its codec");
	/* The first piece is unpacked here; where nothing comes of it, libarchive speaks of archives and formats. */
	if (archive_read_open(a, &f, NULL, feed, NULL) != ARCHIVE_OK)
		return f.failed ? -1 : err_set(err, ERR_INPUT, 0, "unpack: it is damaged, or ends too early");
	if (unpack_all(l, a, &f, err) < 0)
		return -1;
	*ret = (struct slice){ .fd = l->scratch, .offset = begin, .size = l->end - begin };
	return 0;
}

/* ---- gzip's header (RFC 1952) ------------------------------------------------------------------ */

#define GZIP_EXTRA 4
#define GZIP_NAME 8
#define GZIP_COMMENT 16
#define GZIP_CRC 2

struct gzip_header {
	unsigned char flags, xfl, os;
	uint32_t mtime;
	char name[256];
	uint64_t size;      /* of the header */
};

/** A string that ends with NUL; @p out may be NULL. */
static int gzip_text(const struct slice *s, uint64_t *at, char *out, size_t room, struct err *err)
{
	char c;

	for (size_t i = 0; ; i++) {
		if (bytes_exact(s, (*at)++, &c, 1, err) < 0)
			return -1;
		if (out != NULL && i < room)
			out[i] = i + 1 < room ? c : '\0';
		if (c == '\0')
			return 0;
		if (i > 65535)
			return err_set(err, ERR_INPUT, 0, "a name without an end");
	}
}

static int gzip_header(const struct slice *s, struct gzip_header *h, struct err *err)
{
	unsigned char p[10], extra[2];

	if (bytes_exact(s, 0, p, sizeof p, err) < 0)
		return -1;
	*h = (struct gzip_header){ .flags = p[3], .mtime = bytes_le32(p + 4), .xfl = p[8], .os = p[9], .size = 10 };
	if (h->flags & GZIP_EXTRA) {
		if (bytes_exact(s, 10, extra, 2, err) < 0)
			return -1;
		h->size += 2 + bytes_le16(extra);
	}
	if ((h->flags & GZIP_NAME && gzip_text(s, &h->size, h->name, sizeof h->name, err) < 0) ||
	    (h->flags & GZIP_COMMENT && gzip_text(s, &h->size, NULL, 0, err) < 0))
		return -1;
	h->size += h->flags & GZIP_CRC ? 2 : 0;
	return 0;
}

static void tell_gzip(struct look *l, json_t *node, const struct gzip_header *x, const struct gzip_header *y)
{
	if (x->mtime != y->mtime)
		node_field_time(l, node, "gzip MTIME", x->mtime, y->mtime);
	if (strcmp(x->name, y->name) != 0)
		node_field_words(l, node, "gzip FNAME", x->name, y->name);
	if (x->xfl != y->xfl)
		node_field_number(l, node, "gzip XFL", x->xfl, y->xfl, CAUSE_COMPRESSOR);
	if (x->os != y->os)
		node_field_number(l, node, "gzip OS", x->os, y->os, CAUSE_COMPRESSOR);
	if (x->flags != y->flags)
		node_field_number(l, node, "gzip FLG", x->flags, y->flags, CAUSE_NONE);
}

/* ---- two streams --------------------------------------------------------------------------------- */

/** Where the compressed bytes begin; of gzip what its header says is told of. */
static int tell_header(struct look *l, json_t *node, const struct slice *a, const struct slice *b, struct slice *body_a,
		       struct slice *body_b, struct err *err)
{
	struct gzip_header x, y;

	if (gzip_header(a, &x, err) < 0 || gzip_header(b, &y, err) < 0)
		return -1;
	tell_gzip(l, node, &x, &y);
	return bytes_part(a, x.size, a->size - x.size, "header", body_a, err) < 0 ? -1 :
	       bytes_part(b, y.size, b->size - y.size, "header", body_b, err);
}

int look_codec(struct look *l, json_t *node, const char *name, const struct slice *a, const struct slice *b, int depth, struct err *err)
{
	unsigned char head[8], other[8];
	struct slice body_a = *a, body_b = *b, x, y;
	size_t n, m;
	uint64_t at;

	if (bytes_read(a, 0, head, sizeof head, &n, err) < 0 || bytes_read(b, 0, other, sizeof other, &m, err) < 0)
		return -1;
	const char *codec = look_codec_name(head, n), *second = look_codec_name(other, m);
	node_text(l, node, "format", codec);
	if (codec != second)
		node_field(l, node, "codec", codec, second, CAUSE_COMPRESSOR);
	else if (strcmp(codec, "gzip") == 0 && tell_header(l, node, a, b, &body_a, &body_b, err) < 0)
		return -1;
	if (look_unpack(l, a, NULL, &x, err) < 0 || look_unpack(l, b, NULL, &y, err) < 0 || bytes_differ_at(&x, &y, &at, err) < 0)
		return -1;
	if (at != BYTES_SAME)
		return look_into(l, node, name, &x, &y, depth + 1, err);
	if (codec != second)
		return 0;
	if (bytes_differ_at(&body_a, &body_b, &at, err) < 0)
		return -1;
	if (at != BYTES_SAME)
		node_cause(l, node, CAUSE_COMPRESSOR, "what it unpacks to is the same, the compressed bytes differ");
	return node_content(l, node, &body_a, &body_b, at, err);
}

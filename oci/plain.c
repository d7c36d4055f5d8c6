/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/plain.h"

#include <errno.h>

#include <archive.h>
#include <archive_entry.h>
#include <zstd.h>
#include <zstd_errors.h>

struct plain {
	enum oci_compression codec;
	struct slice rest;        /* of the blob, not yet read */
	uint64_t size;            /* of the whole blob */
	struct hasher *blob;
	char *chunk;              /* SLICE_CHUNK stored bytes */
	struct archive *gzip;     /* OCI_GZIP */
	struct err *why;          /* what a callback of libarchive's failed with */
	bool failed;
	ZSTD_DCtx *zstd;          /* OCI_ZSTD */
	ZSTD_inBuffer in;         /* of `chunk`, not yet decompressed */
	size_t expects;           /* what libzstd hopes for next; 0: a frame has just ended */
};

void plain_free(struct plain *p)
{
	if (p == NULL)
		return;
	archive_read_free(p->gzip);
	ZSTD_freeDCtx(p->zstd);
	hasher_free(p->blob);
	free(p->chunk);
	free(p);
}

/** Stored bytes, hashed as they pass. */
static int take_stored(struct plain *p, void *data, size_t n, size_t *ret_got, struct err *err)
{
	size_t got;

	if (slice_take(&p->rest, data, n, ERR_UNVERIFIED, &got, err) < 0)
		return -1;
	hasher_add(p->blob, data, got);
	*ret_got = got;
	return 0;
}

/* ---- gzip ---------------------------------------------------------------- */

/** libarchive's read callback. */
static la_ssize_t feed(struct archive *a, void *arg, const void **ret)
{
	struct plain *p = arg;
	size_t got;

	if (take_stored(p, p->chunk, SLICE_CHUNK, &got, p->why) < 0) {
		p->failed = true;
		archive_set_error(a, EIO, "%s", "read");
		return -1;
	}
	*ret = p->chunk;
	return (la_ssize_t)got;
}

/** Turns libarchive's failure into ours, unless a callback has said why already. */
static int gunzip_failed(struct plain *p, struct err *err)
{
	if (p->failed)
		return -1;
	const char *text = archive_error_string(p->gzip);
	if (archive_errno(p->gzip) == ENOMEM)
		return err_set(err, ERR_INTERNAL, ENOMEM, "decompress");
	return err_set(err, ERR_UNVERIFIED, 0, "not a gzip stream to its end: %s", text != NULL ? text : "malformed");
}

/** One gzip filter and no guessing: with bidding on, gzip inside gzip would be undone twice. */
static int open_gunzip(struct plain *p, struct err *err)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;

	p->gzip = a;
	p->why = err;
	if (a == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a layer");
	if (archive_read_append_filter(a, ARCHIVE_FILTER_GZIP) != ARCHIVE_OK ||
	    archive_read_support_format_raw(a) != ARCHIVE_OK ||
	    archive_read_open(a, p, NULL, feed, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(a, &entry) != ARCHIVE_OK)
		return gunzip_failed(p, err);
	return 0;
}

static int gunzip(struct plain *p, void *data, size_t n, size_t *ret_got, struct err *err)
{
	size_t have = 0;

	p->why = err;
	while (have < n) {
		la_ssize_t got = archive_read_data(p->gzip, (char *)data + have, n - have);

		if (got == ARCHIVE_RETRY)
			continue;
		if (got < 0)
			return gunzip_failed(p, err);
		if (got == 0)
			break;
		have += (size_t)got;
	}
	*ret_got = have;
	return 0;
}

/* ---- zstd ---------------------------------------------------------------- */

static int open_unzstd(struct plain *p, struct err *err)
{
	p->zstd = ZSTD_createDCtx();
	if (p->zstd == NULL ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(p->zstd, ZSTD_d_windowLogMax, PLAIN_ZSTD_WINDOW_LOG)))
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a layer");
	p->in.src = p->chunk;
	/* A stream without any frame is none. */
	p->expects = 1;
	return 0;
}

/** More stored bytes where the chunk is used up; in.size stays 0 at their end. */
static int refill(struct plain *p, struct err *err)
{
	size_t got;

	if (p->in.pos < p->in.size)
		return 0;
	if (take_stored(p, p->chunk, SLICE_CHUNK, &got, err) < 0)
		return -1;
	p->in.size = got;
	p->in.pos = 0;
	return 0;
}

static int unzstd_failed(size_t code, struct err *err)
{
	switch (ZSTD_getErrorCode(code)) {
	case ZSTD_error_memory_allocation:
		return err_set(err, ERR_INTERNAL, ENOMEM, "decompress");
	case ZSTD_error_frameParameter_windowTooLarge:
		return err_set(err, ERR_UNVERIFIED, 0, "a zstd frame with a window over %u MiB",
			       1u << (PLAIN_ZSTD_WINDOW_LOG - 20));
	default:
		return err_set(err, ERR_UNVERIFIED, 0, "not a zstd stream to its end: %s", ZSTD_getErrorName(code));
	}
}

static int unzstd(struct plain *p, void *data, size_t n, size_t *ret_got, struct err *err)
{
	ZSTD_outBuffer out = { .dst = data, .size = n };

	while (out.pos < out.size) {
		size_t before = out.pos;

		if (refill(p, err) < 0)
			return -1;
		if (p->in.size == 0 && p->expects == 0)
			break;
		p->expects = ZSTD_decompressStream(p->zstd, &out, &p->in);
		if (ZSTD_isError(p->expects))
			return unzstd_failed(p->expects, err);
		/* What libzstd still holds comes out without input; when no more does, the rest is missing. */
		if (p->in.size == 0 && out.pos == before && p->expects != 0)
			return err_set(err, ERR_UNVERIFIED, 0, "not a zstd stream to its end: it ends within a frame");
	}
	*ret_got = out.pos;
	return 0;
}

/* ---- all of them ------------------------------------------------------------ */

static int open_codec(struct plain *p, struct err *err)
{
	switch (p->codec) {
	case OCI_GZIP:
		return open_gunzip(p, err);
	case OCI_ZSTD:
		return open_unzstd(p, err);
	case OCI_NONE:
		break;
	}
	return 0;
}

int plain_open(struct slice blob, enum oci_compression codec, struct plain **ret, struct err *err)
{
	auto_plain p = calloc(1, sizeof *p);

	if (p == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a layer");
	p->codec = codec;
	p->rest = blob;
	p->size = blob.size;
	p->blob = hasher_new();
	p->chunk = io_chunk(SLICE_CHUNK);
	if (p->blob == NULL || p->chunk == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a layer");
	if (open_codec(p, err) < 0)
		return -1;
	*ret = move_ptr(p);
	return 0;
}

int plain_read(struct plain *p, void *data, size_t n, size_t *ret_got, struct err *err)
{
	switch (p->codec) {
	case OCI_GZIP:
		return gunzip(p, data, n, ret_got, err);
	case OCI_ZSTD:
		return unzstd(p, data, n, ret_got, err);
	case OCI_NONE:
		break;
	}
	return take_stored(p, data, n, ret_got, err);
}

int plain_end(struct plain *p, struct digest *ret, struct err *err)
{
	/* libarchive stops without a word where a further member's header is not one: whatever it left is refused. */
	if (p->gzip != NULL && (uint64_t)archive_filter_bytes(p->gzip, -1) != p->size)
		return err_set(err, ERR_UNVERIFIED, 0, "bytes after the last gzip member, at %lld of %llu",
			       (long long)archive_filter_bytes(p->gzip, -1), (unsigned long long)p->size);
	return hasher_final(p->blob, ret, err);
}

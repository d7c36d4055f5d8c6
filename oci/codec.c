/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/codec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libdeflate.h>
#include <zstd.h>

/** What a thread compresses with: one of the two. */
struct tool {
	struct libdeflate_compressor *gzip;
	ZSTD_CCtx *zstd;
};

/** A chunk on its way. */
struct piece {
	uint8_t *chunk;                           /* `have` bytes to be compressed */
	size_t have;
	uint8_t *packed;                          /* room for the largest that they can become */
	size_t packed_size;
	bool given;                               /* to the crew, and not yet written out */
	uint64_t ticket;
};

struct codec {
	int out_fd;
	enum oci_compression how;
	struct hasher *diff;                      /* over what goes in */
	struct hasher *blob;                      /* over what comes out */
	uint64_t diff_size, blob_size;
	size_t chunk_max, packed_max;
	struct piece *pieces;                     /* a ring: filled, compressed and written out in turn */
	size_t npieces, at;                       /* `at` is being filled; the oldest that is not written out comes after it */
	struct tool tools[CODEC_THREADS_MAX];     /* one a thread */
	unsigned threads;
	struct crew *crew;                        /* NULL: OCI_NONE */
};

const char *oci_codec_name(enum oci_compression codec, char out[OCI_CODEC_NAME_SIZE])
{
	switch (codec) {
	case OCI_GZIP:
		snprintf(out, OCI_CODEC_NAME_SIZE, "gzip;libdeflate=" LIBDEFLATE_VERSION_STRING ";level=%d;member=%u",
			 CODEC_LEVEL, CODEC_CHUNK);
		break;
	case OCI_ZSTD:
		snprintf(out, OCI_CODEC_NAME_SIZE, "zstd;libzstd=%s;level=%d;frame=%u", ZSTD_versionString(),
			 CODEC_ZSTD_LEVEL, CODEC_ZSTD_CHUNK);
		break;
	case OCI_NONE:
		snprintf(out, OCI_CODEC_NAME_SIZE, "none");
		break;
	}
	return out;
}

static bool open_gzip(struct codec *c, struct tool *t)
{
	t->gzip = libdeflate_alloc_compressor(CODEC_LEVEL);
	if (t->gzip == NULL)
		return false;
	c->packed_max = libdeflate_gzip_compress_bound(t->gzip, c->chunk_max);
	return true;
}

/** One frame a chunk, made by one thread alone: nothing of the host decides where its blocks end. No checksum:
 *  the layer has a digest and a diff ID. */
static bool open_zstd(struct codec *c, struct tool *t)
{
	t->zstd = ZSTD_createCCtx();
	if (t->zstd == NULL || ZSTD_isError(ZSTD_CCtx_setParameter(t->zstd, ZSTD_c_compressionLevel, CODEC_ZSTD_LEVEL)))
		return false;
	c->packed_max = ZSTD_compressBound(c->chunk_max);
	return true;
}

static bool open_tools(struct codec *c)
{
	for (unsigned i = 0; i < c->threads; i++)
		if (!(c->how == OCI_GZIP ? open_gzip(c, &c->tools[i]) : open_zstd(c, &c->tools[i])))
			return false;
	return true;
}

/** How many threads, and how many chunks are on their way: each thread's, and some that wait, so that neither a slow chunk nor a
 *  slow reading makes the others idle. */
static void choose_size(struct codec *c)
{
	unsigned most = c->how == OCI_ZSTD ? CODEC_ZSTD_THREADS_MAX : CODEC_THREADS_MAX;
	unsigned sensible = crew_size();

	c->chunk_max = c->how == OCI_ZSTD ? CODEC_ZSTD_CHUNK : CODEC_CHUNK;
	c->threads = c->how == OCI_NONE ? 0 : sensible < most ? sensible : most;
	c->npieces = c->threads <= 1 ? 1 : c->threads + (c->how == OCI_ZSTD ? CODEC_ZSTD_WAITING : CODEC_WAITING);
}

/** Buffers and compressors; false when memory is short. */
static bool open_codec(struct codec *c)
{
	choose_size(c);
	c->diff = hasher_new();
	c->blob = hasher_new();
	c->pieces = calloc(c->npieces, sizeof *c->pieces);
	if (c->diff == NULL || c->blob == NULL || c->pieces == NULL || !open_tools(c))
		return false;
	for (size_t i = 0; i < c->npieces; i++) {
		c->pieces[i].chunk = io_chunk(c->chunk_max);
		c->pieces[i].packed = c->how == OCI_NONE ? NULL : malloc(c->packed_max);
		if (c->pieces[i].chunk == NULL || (c->how != OCI_NONE && c->pieces[i].packed == NULL))
			return false;
	}
	return true;
}

/** A thread's work: compresses a piece. */
static int pack_piece(void *arg, unsigned thread, void *job, struct err *err)
{
	struct codec *c = arg;
	struct tool *t = &c->tools[thread];
	struct piece *p = *(struct piece **)job;

	if (c->how == OCI_GZIP) {
		p->packed_size = libdeflate_gzip_compress(t->gzip, p->chunk, p->have, p->packed, c->packed_max);
	} else {
		size_t n = ZSTD_compress2(t->zstd, p->packed, c->packed_max, p->chunk, p->have);

		p->packed_size = ZSTD_isError(n) ? 0 : n;
	}
	if (p->packed_size == 0)
		return err_set(err, ERR_INTERNAL, 0, "compress a layer: the library broke its own bound, or memory is short");
	return 0;
}

static int open_crew(struct codec *c, struct err *err)
{
	const struct crew_plan plan = {
		.threads = c->threads, .job_size = sizeof(struct piece *), .depth = c->npieces, .work = pack_piece, .arg = c,
	};

	return c->how == OCI_NONE ? 0 : crew_start(&plan, &c->crew, err);
}

int codec_begin(int out_fd, enum oci_compression how, struct codec **ret, struct err *err)
{
	auto_codec c = calloc(1, sizeof *c);

	if (c == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "start a layer");
	c->out_fd = out_fd;
	c->how = how;
	if (!open_codec(c))
		return err_set(err, ERR_INTERNAL, ENOMEM, "start a layer");
	if (open_crew(c, err) < 0)
		return -1;
	*ret = move_ptr(c);
	return 0;
}

void codec_free(struct codec *c)
{
	if (c == NULL)
		return;
	crew_free(c->crew);
	hasher_free(c->diff);
	hasher_free(c->blob);
	for (unsigned i = 0; i < c->threads; i++) {
		libdeflate_free_compressor(c->tools[i].gzip);
		ZSTD_freeCCtx(c->tools[i].zstd);
	}
	for (size_t i = 0; c->pieces != NULL && i < c->npieces; i++) {
		free(c->pieces[i].packed);
		free(c->pieces[i].chunk);
	}
	free(c->pieces);
	free(c);
}

/** Appends finished bytes to the blob; the only place where their order counts. */
static int emit(struct codec *c, const void *data, size_t n, struct err *err)
{
	hasher_add(c->blob, data, n);
	c->blob_size += n;
	if (io_write_all(c->out_fd, data, n, err) < 0)
		return err_ctx(err, "write a layer");
	return 0;
}

/** Writes a piece out once it is compressed, if it has been given. */
static int write_out(struct codec *c, struct piece *p, struct err *err)
{
	if (!p->given)
		return 0;
	if (crew_wait(c->crew, p->ticket, err) < 0)
		return -1;
	p->given = false;
	p->have = 0;
	return emit(c, p->packed, p->packed_size, err);
}

/** Sends the chunk through the codec, and makes the next one free. */
static int flush_chunk(struct codec *c, struct err *err)
{
	struct piece *p = &c->pieces[c->at];

	if (c->how == OCI_NONE) {
		size_t n = p->have;

		hasher_add(c->diff, p->chunk, n);
		c->diff_size += n;
		p->have = 0;
		return emit(c, p->chunk, n, err);
	}
	/* Given away before it is hashed here: both only read it. */
	if (crew_give(c->crew, &p, &p->ticket, err) < 0)
		return -1;
	p->given = true;
	hasher_add(c->diff, p->chunk, p->have);
	c->diff_size += p->have;
	c->at = (c->at + 1) % c->npieces;
	return write_out(c, &c->pieces[c->at], err);
}

void *codec_room(struct codec *c, size_t *ret_n)
{
	struct piece *p = &c->pieces[c->at];

	*ret_n = c->chunk_max - p->have;
	return p->chunk + p->have;
}

int codec_commit(struct codec *c, size_t n, struct err *err)
{
	struct piece *p = &c->pieces[c->at];

	p->have += n;
	return p->have == c->chunk_max ? flush_chunk(c, err) : 0;
}

int codec_add(struct codec *c, const void *data, size_t n, struct err *err)
{
	const uint8_t *from = data;

	while (n > 0) {
		size_t room;
		void *to = codec_room(c, &room);
		size_t part = n < room ? n : room;

		memcpy(to, from, part);
		if (codec_commit(c, part, err) < 0)
			return -1;
		from += part;
		n -= part;
	}
	return 0;
}

uint64_t codec_size(const struct codec *c)
{
	return c->diff_size + c->pieces[c->at].have;
}

int codec_end(struct codec *c, struct oci_blob *ret, struct err *err)
{
	struct oci_blob blob;

	if (c->pieces[c->at].have != 0 && flush_chunk(c, err) < 0)
		return -1;
	/* What is still on its way, the oldest first. */
	for (size_t i = 0; i < c->npieces; i++)
		if (write_out(c, &c->pieces[(c->at + i) % c->npieces], err) < 0)
			return -1;
	blob.size = c->blob_size;
	blob.diff_size = c->diff_size;
	if (hasher_final(c->blob, &blob.digest, err) < 0 || hasher_final(c->diff, &blob.diff_id, err) < 0)
		return -1;
	*ret = blob;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/codec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libdeflate.h>
#include <zstd.h>

struct codec {
	int out_fd;
	enum oci_compression how;
	struct hasher *diff;                      /* over what goes in */
	struct hasher *blob;                      /* over what comes out */
	uint64_t diff_size, blob_size;
	uint8_t *chunk;                           /* `chunk_max` bytes, `have` of them filled */
	size_t have, chunk_max;
	struct libdeflate_compressor *gzip;       /* OCI_GZIP */
	ZSTD_CCtx *zstd;                          /* OCI_ZSTD */
	uint8_t *packed;                          /* room for the largest that a chunk can become; OCI_NONE: NULL */
	size_t packed_max;
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

static bool open_gzip(struct codec *c)
{
	c->gzip = libdeflate_alloc_compressor(CODEC_LEVEL);
	if (c->gzip == NULL)
		return false;
	c->packed_max = libdeflate_gzip_compress_bound(c->gzip, c->chunk_max);
	return true;
}

/** One frame a chunk, made by this thread alone: nothing of the host decides where its blocks end. No checksum:
 *  the layer has a digest and a diff ID. */
static bool open_zstd(struct codec *c)
{
	c->zstd = ZSTD_createCCtx();
	if (c->zstd == NULL || ZSTD_isError(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, CODEC_ZSTD_LEVEL)))
		return false;
	c->packed_max = ZSTD_compressBound(c->chunk_max);
	return true;
}

/** Buffers and compressor; false when memory is short. */
static bool open_codec(struct codec *c)
{
	c->chunk_max = c->how == OCI_ZSTD ? CODEC_ZSTD_CHUNK : CODEC_CHUNK;
	c->diff = hasher_new();
	c->blob = hasher_new();
	c->chunk = malloc(c->chunk_max);
	if (c->diff == NULL || c->blob == NULL || c->chunk == NULL)
		return false;
	if (c->how == OCI_NONE)
		return true;
	if (!(c->how == OCI_GZIP ? open_gzip(c) : open_zstd(c)))
		return false;
	c->packed = malloc(c->packed_max);
	return c->packed != NULL;
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
	*ret = move_ptr(c);
	return 0;
}

void codec_free(struct codec *c)
{
	if (c == NULL)
		return;
	hasher_free(c->diff);
	hasher_free(c->blob);
	libdeflate_free_compressor(c->gzip);
	ZSTD_freeCCtx(c->zstd);
	free(c->packed);
	free(c->chunk);
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

/** Compresses the chunk into `packed`. @return its size, 0 for none. */
static size_t pack_chunk(struct codec *c)
{
	if (c->how == OCI_GZIP)
		return libdeflate_gzip_compress(c->gzip, c->chunk, c->have, c->packed, c->packed_max);
	size_t n = ZSTD_compress2(c->zstd, c->packed, c->packed_max, c->chunk, c->have);
	return ZSTD_isError(n) ? 0 : n;
}

/** Sends the chunk through the codec. */
static int flush_chunk(struct codec *c, struct err *err)
{
	const uint8_t *out = c->chunk;
	size_t n = c->have;

	hasher_add(c->diff, c->chunk, c->have);
	c->diff_size += c->have;
	if (c->how != OCI_NONE) {
		out = c->packed;
		n = pack_chunk(c);
		if (n == 0)
			return err_set(err, ERR_INTERNAL, 0, "compress a layer: the library broke its own bound, or memory is short");
	}
	c->have = 0;
	return emit(c, out, n, err);
}

void *codec_room(struct codec *c, size_t *ret_n)
{
	*ret_n = c->chunk_max - c->have;
	return c->chunk + c->have;
}

int codec_commit(struct codec *c, size_t n, struct err *err)
{
	c->have += n;
	return c->have == c->chunk_max ? flush_chunk(c, err) : 0;
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
	return c->diff_size + c->have;
}

int codec_end(struct codec *c, struct oci_blob *ret, struct err *err)
{
	struct oci_blob blob;

	if (c->have != 0 && flush_chunk(c, err) < 0)
		return -1;
	blob.size = c->blob_size;
	blob.diff_size = c->diff_size;
	if (hasher_final(c->blob, &blob.digest, err) < 0 || hasher_final(c->diff, &blob.diff_id, err) < 0)
		return -1;
	*ret = blob;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/codec.h"

#include <errno.h>
#include <string.h>

#include <libdeflate.h>

struct codec {
	int out_fd;
	enum oci_compression how;
	struct hasher *diff;                      /* over what goes in */
	struct hasher *blob;                      /* over what comes out */
	uint64_t diff_size, blob_size;
	uint8_t *chunk;                           /* CODEC_CHUNK bytes, `have` of them filled */
	size_t have;
	struct libdeflate_compressor *compressor; /* OCI_GZIP */
	uint8_t *member;                          /* OCI_GZIP: room for the largest possible member */
	size_t member_max;
};

const char *oci_codec_name(enum oci_compression codec)
{
	_Static_assert(CODEC_LEVEL == 6 && CODEC_CHUNK == 1048576, "the name below says what is done");
	return codec == OCI_GZIP ? "gzip;libdeflate=" LIBDEFLATE_VERSION_STRING ";level=6;member=1048576"
				 : "none";
}

static int open_gzip(struct codec *c)
{
	c->compressor = libdeflate_alloc_compressor(CODEC_LEVEL);
	if (c->compressor == NULL)
		return -1;
	c->member_max = libdeflate_gzip_compress_bound(c->compressor, CODEC_CHUNK);
	c->member = malloc(c->member_max);
	return c->member != NULL ? 0 : -1;
}

int codec_begin(int out_fd, enum oci_compression how, struct codec **ret, struct err *err)
{
	auto_codec c = calloc(1, sizeof *c);

	if (c == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "start a layer");
	c->out_fd = out_fd;
	c->how = how;
	c->diff = hasher_new();
	c->blob = hasher_new();
	c->chunk = malloc(CODEC_CHUNK);
	if (c->diff == NULL || c->blob == NULL || c->chunk == NULL || (how == OCI_GZIP && open_gzip(c) < 0))
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
	libdeflate_free_compressor(c->compressor);
	free(c->member);
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

/** Sends the chunk through the codec. */
static int flush_chunk(struct codec *c, struct err *err)
{
	const uint8_t *out = c->chunk;
	size_t n = c->have;

	hasher_add(c->diff, c->chunk, c->have);
	c->diff_size += c->have;
	if (c->how == OCI_GZIP) {
		out = c->member;
		n = libdeflate_gzip_compress(c->compressor, c->chunk, c->have, c->member, c->member_max);
		if (n == 0)
			return err_set(err, ERR_INTERNAL, 0, "compress a layer: libdeflate broke its own bound");
	}
	c->have = 0;
	return emit(c, out, n, err);
}

void *codec_room(struct codec *c, size_t *ret_n)
{
	*ret_n = CODEC_CHUNK - c->have;
	return c->chunk + c->have;
}

int codec_commit(struct codec *c, size_t n, struct err *err)
{
	c->have += n;
	return c->have == CODEC_CHUNK ? flush_chunk(c, err) : 0;
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

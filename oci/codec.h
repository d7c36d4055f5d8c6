/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file codec.h
 * Tar bytes in, a finished blob out: diff ID, codec, digest, file, in bounded
 * memory. The caller's thread hashes and writes, a crew compresses. Private to oci/.
 *
 * gzip is a row of members (RFC 1952), zstd a row of frames (RFC 8878), each of exactly
 * a chunk of input but the last. A member or frame depends on its own chunk alone, so that they
 * are made in any order by any number of threads and the bytes stay the same.
 */
#ifndef GB_OCI_CODEC_H
#define GB_OCI_CODEC_H

#include "oci/oci.h"

/** Input bytes of one gzip member. Changing it changes every image. */
#define CODEC_CHUNK (1u << 20)
/** libdeflate's compression level. Changing it changes every image. */
#define CODEC_LEVEL 5

/** Input bytes of one zstd frame: its window is larger, and frames of 1 MiB would cost 8 % in size, of 4 MiB 2 %.
 *  Changing it changes every image. */
#define CODEC_ZSTD_CHUNK (4u << 20)
/** libzstd's compression level. Changing it changes every image. */
#define CODEC_ZSTD_LEVEL 3

/** Most threads that compress gzip members, and chunks beside theirs: two buffers each, some 50 MiB in all. */
#define CODEC_THREADS_MAX 16
#define CODEC_WAITING 8
/** The same for zstd frames, whose chunks are larger: some 60 MiB with the compressors. */
#define CODEC_ZSTD_THREADS_MAX 3
#define CODEC_ZSTD_WAITING 3

struct codec;

/** Starts a blob into @p out_fd (borrowed). */
int codec_begin(int out_fd, enum oci_compression how, struct codec **ret, struct err *err);
void codec_free(struct codec *c);
static inline void own_codec(struct codec **c)
{
	codec_free(*c);
}
#define auto_codec __attribute__((cleanup(own_codec))) struct codec *

/** Where the next bytes go: room for at least one byte; @p ret_n says for how many. Filled by the
 *  caller and handed over with codec_commit(): content is read straight into the chunk. */
void *codec_room(struct codec *c, size_t *ret_n);
/** Takes the first @p n bytes of the room over; a full chunk goes through the codec. */
int codec_commit(struct codec *c, size_t n, struct err *err);
/** Both of the above for bytes that lie somewhere already. */
int codec_add(struct codec *c, const void *data, size_t n, struct err *err);
/** Input bytes so far. */
uint64_t codec_size(const struct codec *c);
/** Pushes the last chunk through and says what came of it. */
int codec_end(struct codec *c, struct oci_blob *ret, struct err *err);

#endif

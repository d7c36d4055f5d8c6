/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file stream.h
 * Foreign bytes, read by confined processes, as a stream that this process takes from:
 *
 *     file ─(hashed, counted)→ unpack_bytes ─(hashed, counted)→ unpack_tar → stream_read()
 *     file, whose digest is known, ────────────────────────────→ unpack_zip → stream_read()
 *
 * Every byte between two of them passes through this process, which alone hashes and counts: what is refused is refused by what was
 * seen here; the reader of a zip has that file, to read. A reader that its input has taken over can end, or write other bytes; it has no other file, no network, no other
 * descriptor.
 */
#ifndef GB_ROOTFS_STREAM_H
#define GB_ROOTFS_STREAM_H

#include "base/base.h"
#include "rootfs/unpack.h"

/** Beyond STREAM_RATIO_FROM bytes, what unpacks to more than this times its size is a bomb. */
#define STREAM_RATIO_MAX 1000
#define STREAM_RATIO_FROM (1ull << 30)
/** Most bytes that one stream decompresses to. */
#define STREAM_PLAIN_MAX (128ull << 30)

/** A run of bytes in a seekable file; its own offset is neither used nor moved. */
struct stream_source {
	int fd;           /**< borrowed while the stream lives */
	uint64_t offset;
	uint64_t size;
};

/** What has passed. Digests are asked for by stream_end() alone. */
struct stream_sums {
	uint64_t stored, plain;                /**< bytes before and behind the codec */
	struct digest stored_digest, plain_digest;
};

struct stream;

/** What is read. */
enum stream_form {
	STREAM_BYTES,  /**< what the codec gives */
	STREAM_TAR,    /**< messages of wire.h: an archive */
	STREAM_LAYER,  /**< the same: a layer, whose digests are checked when it has ended */
	STREAM_ZIP,    /**< the same: a zip, which its reader reads here and there: a whole file of the store's, not hashed here */
};

/** Starts the readers: a decompressor unless @p codec is UNPACK_NONE, and behind it, unless @p form is STREAM_BYTES, one that takes the tar
 *  apart. */
int stream_open(const struct stream_source *from, enum unpack_codec codec, enum stream_form form, struct stream **ret, struct err *err);
/** A stream of what a reader has written already to @p out (borrowed). */
int stream_of(int out, struct stream **ret, struct err *err);
/** Stops the readers. */
void stream_free(struct stream *s);
static inline void own_stream(struct stream **s)
{
	stream_free(*s);
}
#define auto_stream __attribute__((cleanup(own_stream))) struct stream *

/** Takes exactly @p n bytes. ERR_INPUT, with the reader's own reason, when they end before. */
int stream_read(struct stream *s, void *data, size_t n, struct err *err);
/** Takes up to @p n bytes, fewer only at the end. */
int stream_take(struct stream *s, void *data, size_t n, size_t *ret_got, struct err *err);
/** Bytes so far. */
uint64_t stream_stored(const struct stream *s);
uint64_t stream_plain(const struct stream *s);
/** Whether @p unpacked bytes out of @p stored are a bomb: ERR_INPUT. */
int stream_check_ratio(uint64_t stored, uint64_t unpacked, struct err *err);
/** After the last byte: sees all of the source through, and that every reader has ended well. */
int stream_end(struct stream *s, struct stream_sums *ret, struct err *err);

#endif

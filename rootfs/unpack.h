/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file unpack.h
 * The readers of foreign bytes: codecs, tar and zip, by libarchive. Run in a confined process only (stream.c), with nothing but the two
 * descriptors; nothing is extracted, nothing is decided here.
 */
#ifndef GB_ROOTFS_UNPACK_H
#define GB_ROOTFS_UNPACK_H

#include "base/base.h"

/** How bytes are compressed. ANY: what they look like, several times over; none at all is fine too. */
enum unpack_codec { UNPACK_ANY, UNPACK_NONE, UNPACK_GZIP, UNPACK_ZSTD };

/** What a reader does: reads @p in (a stream) to its end and writes to @p out. ERR_INPUT: it is damaged, or not what was said.
 *  `sys` is EPIPE where nobody listens any more. */
typedef int unpack_fn(int in, int out, enum unpack_codec codec, struct err *err);

/** Decompresses: bytes to bytes. gzip, bzip2, xz, lzma, lzip, lz4, zstd, compress; never through another program. */
unpack_fn unpack_bytes;
/** Takes a tar apart (v7, ustar, pax, GNU): messages of wire.h to @p out. @p codec is UNPACK_NONE. */
unpack_fn unpack_tar;
/** The same for a layer, whose digest says whether it is whole: the last block may be cut short, as umoci insert leaves it. */
unpack_fn unpack_layer;
/** Takes a zip apart by its central directory, which says which entries there are: the same messages. @p in is a regular file, whose offset
 *  moves; @p codec is UNPACK_NONE. */
unpack_fn unpack_zip;

#endif

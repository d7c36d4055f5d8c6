/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file plain.h
 * A layer's stored bytes made plain again: read once, hashed as they are stored,
 * decompressed as they pass, in bounded memory. Private to oci/.
 */
#ifndef GB_OCI_PLAIN_H
#define GB_OCI_PLAIN_H

#include "oci/oci.h"
#include "oci/slice.h"

/** Largest window of a zstd frame that is read, as a power of two: 128 MiB, what the zstd program makes and takes
 *  without being asked for more. */
#define PLAIN_ZSTD_WINDOW_LOG 27

struct plain;

/** Begins to read @p blob. gzip: libarchive's filter, any members; zstd: any frames, skippable ones too. */
int plain_open(struct slice blob, enum oci_compression codec, struct plain **ret, struct err *err);
void plain_free(struct plain *p);
static inline void own_plain(struct plain **p)
{
	plain_free(*p);
}
#define auto_plain __attribute__((cleanup(own_plain))) struct plain *

/** Up to @p n plain bytes, fewer only at the end. What is no such stream is ERR_UNVERIFIED. */
int plain_read(struct plain *p, void *data, size_t n, size_t *ret_got, struct err *err);
/** To be called once plain_read() has come to the end: nothing stored may be left over. Gives the digest of the stored bytes. */
int plain_end(struct plain *p, struct digest *ret, struct err *err);

#endif

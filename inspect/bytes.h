/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bytes.h
 * Runs of bytes in files, read at any place and compared. Private to inspect/.
 */
#ifndef GB_INSPECT_BYTES_H
#define GB_INSPECT_BYTES_H

#include "oci/slice.h"

/** "They do not differ." */
#define BYTES_SAME UINT64_MAX

/** Reads up to @p n bytes from @p at on, fewer only at the slice's end. A file that is shorter than the slice is ERR_INPUT. */
int bytes_read(const struct slice *s, uint64_t at, void *data, size_t n, size_t *ret_got, struct err *err);
/** Reads exactly @p n bytes; ERR_INPUT where there are fewer. */
int bytes_exact(const struct slice *s, uint64_t at, void *data, size_t n, struct err *err);
/** Appends the first @p max bytes, or all there are. */
int bytes_load(const struct slice *s, size_t max, struct buf *out, struct err *err);
/** The first offset at which two slices differ, the shorter one's end included, or BYTES_SAME. */
int bytes_differ_at(const struct slice *a, const struct slice *b, uint64_t *ret, struct err *err);
/** A part of a slice; ERR_INPUT where it does not lie in it. @p what names it. */
int bytes_part(const struct slice *s, uint64_t at, uint64_t size, const char *what, struct slice *ret, struct err *err);

/** Numbers as they lie in memory, the least byte first. */
static inline uint32_t bytes_le16(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}
static inline uint32_t bytes_le32(const unsigned char *p)
{
	return bytes_le16(p) | bytes_le16(p + 2) << 16;
}
static inline uint64_t bytes_le64(const unsigned char *p)
{
	return bytes_le32(p) | (uint64_t)bytes_le32(p + 4) << 32;
}

#endif

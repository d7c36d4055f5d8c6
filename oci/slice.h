/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file slice.h
 * A run of bytes inside a seekable file, read with pread(2): the file's own
 * offset is never used nor moved. Private to oci/, but for inspect/.
 */
#ifndef GB_OCI_SLICE_H
#define GB_OCI_SLICE_H

#include <stdint.h>

#include "base/base.h"

/** Bytes read at once when a slice is hashed or copied. */
#define SLICE_CHUNK (256u << 10)

struct slice {
	int fd;           /**< borrowed */
	uint64_t offset;
	uint64_t size;
};

/** Reads up to @p n bytes from @p at on, fewer only where the file ends. ERR_INTERNAL when reading fails. */
int slice_pread(int fd, void *data, size_t n, uint64_t at, size_t *ret_got, struct err *err);

/** Takes up to @p n bytes off the front of @p s, 0 at its end. A file that is shorter
 *  than the slice is an error of kind @p kind that names the offset. */
int slice_take(struct slice *s, void *data, size_t n, enum err_kind kind, size_t *ret_got, struct err *err);

/** Hashes the whole slice, and writes it to @p out_fd unless that is -1. */
int slice_hash(struct slice s, int out_fd, enum err_kind kind, struct digest *ret, struct err *err);

#endif

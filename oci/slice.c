/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/slice.h"

#include <errno.h>

int slice_pread(int fd, void *data, size_t n, uint64_t at, size_t *ret_got, struct err *err)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = pread(fd, (char *)data + have, n - have, (off_t)(at + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_INTERNAL, errno, "read at offset %llu", (unsigned long long)(at + have));
		if (got == 0)
			break;
		have += (size_t)got;
	}
	*ret_got = have;
	return 0;
}

int slice_take(struct slice *s, void *data, size_t n, enum err_kind kind, size_t *ret_got, struct err *err)
{
	size_t want = s->size < n ? (size_t)s->size : n;
	size_t got;

	if (slice_pread(s->fd, data, want, s->offset, &got, err) < 0)
		return -1;
	if (got != want)
		return err_set(err, kind, 0, "the file ends at offset %llu, %llu bytes too early",
			       (unsigned long long)(s->offset + got), (unsigned long long)(s->size - got));
	s->offset += got;
	s->size -= got;
	*ret_got = got;
	return 0;
}

int slice_hash(struct slice s, int out_fd, enum err_kind kind, struct digest *ret, struct err *err)
{
	auto_hasher h = hasher_new();
	auto_free char *chunk = io_chunk(SLICE_CHUNK);
	size_t got;

	if (h == NULL || chunk == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "hash a blob");
	do {
		if (slice_take(&s, chunk, SLICE_CHUNK, kind, &got, err) < 0)
			return -1;
		hasher_add(h, chunk, got);
		if (out_fd != -1 && io_write_all(out_fd, chunk, got, err) < 0)
			return -1;
	} while (got != 0);
	return hasher_final(h, ret, err);
}

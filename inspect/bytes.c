/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/bytes.h"

#include <errno.h>
#include <string.h>

/** Compared at first, since most differences come early; then up to this. */
#define FIRST_CHUNK (4u << 10)
#define LAST_CHUNK (256u << 10)

int bytes_read(const struct slice *s, uint64_t at, void *data, size_t n, size_t *ret_got, struct err *err)
{
	uint64_t left = at < s->size ? s->size - at : 0;
	size_t want = left < n ? (size_t)left : n, got;

	if (slice_pread(s->fd, data, want, s->offset + at, &got, err) < 0)
		return -1;
	if (got != want)
		return err_set(err, ERR_INPUT, 0, "the file has become shorter while it was read");
	*ret_got = got;
	return 0;
}

int bytes_exact(const struct slice *s, uint64_t at, void *data, size_t n, struct err *err)
{
	size_t got;

	if (bytes_read(s, at, data, n, &got, err) < 0)
		return -1;
	return got == n ? 0 : err_set(err, ERR_INPUT, 0, "it ends too early");
}

int bytes_load(const struct slice *s, size_t max, struct buf *out, struct err *err)
{
	size_t n = s->size < max ? (size_t)s->size : max, got;
	char *to = buf_room(out, n);

	if (to == NULL)
		return buf_check(out, "read a file", err);
	if (bytes_read(s, 0, to, n, &got, err) < 0)
		return -1;
	buf_seal(out, out->len + got);
	return 0;
}

/** Where two equally long runs differ; they do. */
static size_t differ_in(const char *a, const char *b, size_t n)
{
	size_t i = 0;

	/* Whole words first; memcmp has said that there is a difference. */
	while (i + 64 <= n && memcmp(a + i, b + i, 64) == 0)
		i += 64;
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

int bytes_differ_at(const struct slice *a, const struct slice *b, uint64_t *ret, struct err *err)
{
	auto_free char *x = malloc(LAST_CHUNK);
	auto_free char *y = malloc(LAST_CHUNK);
	uint64_t n = a->size < b->size ? a->size : b->size, at = 0;
	size_t chunk = FIRST_CHUNK, got, got_b;

	if (x == NULL || y == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "compare");
	while (at < n) {
		size_t part = n - at < chunk ? (size_t)(n - at) : chunk;

		if (bytes_read(a, at, x, part, &got, err) < 0 || bytes_read(b, at, y, part, &got_b, err) < 0)
			return -1;
		if (memcmp(x, y, part) != 0) {
			*ret = at + differ_in(x, y, part);
			return 0;
		}
		at += part;
		chunk = LAST_CHUNK;
	}
	*ret = a->size == b->size ? BYTES_SAME : n;
	return 0;
}

int bytes_part(const struct slice *s, uint64_t at, uint64_t size, const char *what, struct slice *ret, struct err *err)
{
	if (at > s->size || size > s->size - at)
		return err_set(err, ERR_INPUT, 0, "its %.100s lies outside of it", what);
	*ret = (struct slice){ .fd = s->fd, .offset = s->offset + at, .size = size };
	return 0;
}

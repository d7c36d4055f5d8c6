/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/** First allocation: most buffers hold a path or a small JSON document. */
#define BUF_FIRST 256

char *buf_room(struct buf *b, size_t n)
{
	size_t need;

	if (b->failed)
		return NULL;
	if (__builtin_add_overflow(b->len, n, &need) || need == SIZE_MAX ||
	    (b->limit != 0 && need > b->limit)) {
		b->failed = true;
		b->full = true;
		return NULL;
	}
	if (need >= b->cap) {
		size_t cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;

		while (cap <= need && cap <= SIZE_MAX / 2)
			cap *= 2;
		char *grown = cap > need ? realloc(b->data, cap) : NULL;
		if (grown == NULL) {
			b->failed = true;
			return NULL;
		}
		b->data = grown;
		b->cap = cap;
		/* Also when the caller never seals what it wanted the room for. */
		b->data[b->len] = '\0';
	}
	return b->data + b->len;
}

void buf_seal(struct buf *b, size_t len)
{
	if (b->data == NULL)
		return;
	b->len = len;
	b->data[len] = '\0';
}

void buf_add(struct buf *b, const void *data, size_t n)
{
	char *to = buf_room(b, n);

	if (to == NULL)
		return;
	if (n != 0)
		memcpy(to, data, n);
	buf_seal(b, b->len + n);
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	char *to = n < 0 ? NULL : buf_room(b, (size_t)n);
	if (to != NULL) {
		vsnprintf(to, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	} else {
		b->failed = true;
	}
	va_end(again);
	va_end(ap);
}

void buf_clear(struct buf *b)
{
	b->failed = false;
	b->full = false;
	buf_seal(b, 0);
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .limit = b->limit };
}

void buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_free(b);
}

char *buf_take(struct buf *b)
{
	if (b->failed)
		return NULL;
	if (b->data == NULL)
		return strdup("");
	char *s = b->data;
	*b = (struct buf){ .limit = b->limit };
	return s;
}

int buf_check(const struct buf *b, const char *what, struct err *err)
{
	if (!b->failed)
		return 0;
	if (b->full && b->limit != 0)
		return err_set(err, ERR_INTERNAL, 0, "%s: larger than the limit of %zu bytes", what, b->limit);
	return err_set(err, ERR_INTERNAL, ENOMEM, "%s", what);
}

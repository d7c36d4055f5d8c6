/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/base64.h"

#include <stdint.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *data, size_t n, struct buf *out)
{
	const uint8_t *p = data;
	size_t groups = n / 3 + (n % 3 != 0);
	/* n / 3 * 4 can't overflow where n bytes could be held twice; buf_room() refuses the rest. */
	char *to = groups > SIZE_MAX / 4 ? NULL : buf_room(out, groups * 4);

	if (to == NULL) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i += 3, to += 4) {
		size_t left = n - i;
		uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
			     (left > 2 ? (uint32_t)p[i + 2] : 0);

		to[0] = alphabet[v >> 18];
		to[1] = alphabet[v >> 12 & 63];
		to[2] = left > 1 ? alphabet[v >> 6 & 63] : '=';
		to[3] = left > 2 ? alphabet[v & 63] : '=';
	}
	buf_seal(out, out->len + groups * 4);
}

/** The six bits of a character, or -1. */
static int value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/** Decodes four characters of which the first @p chars count; false when they are not the one text of those bytes. */
static bool decode_group(const char *text, size_t chars, char *to)
{
	uint32_t v = 0;

	for (size_t i = 0; i < 4; i++) {
		int bits = i < chars ? value(text[i]) : 0;

		if (bits < 0)
			return false;
		v = v << 6 | (uint32_t)bits;
	}
	for (size_t i = 0; i + 1 < chars; i++)
		to[i] = (char)(v >> (16 - 8 * i) & 0xff);
	/* Bits past the last byte would give one byte string several texts. */
	return chars == 4 || (v & (chars == 3 ? 0xff : 0xffff)) == 0;
}

bool base64_decode(const char *text, size_t n, struct buf *out)
{
	size_t pad = 0;

	if (n == 0)
		return true;
	if (n % 4 != 0)
		return false;
	if (text[n - 1] == '=')
		pad = text[n - 2] == '=' ? 2 : 1;
	char *to = buf_room(out, n / 4 * 3);
	if (to == NULL)
		return false;
	for (size_t i = 0; i < n; i += 4)
		if (!decode_group(text + i, i + 4 == n ? 4 - pad : 4, to + i / 4 * 3)) {
			/* What was begun lies past the content's end. */
			buf_seal(out, out->len);
			return false;
		}
	buf_seal(out, out->len + n / 4 * 3 - pad);
	return true;
}

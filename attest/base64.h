/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file base64.h
 * base64 of RFC 4648, section 4, with one text for every byte string: padding is
 * required, white space and other alphabets are refused, unused bits are zero.
 */
#ifndef GB_ATTEST_BASE64_H
#define GB_ATTEST_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/** Appends the text of @p n bytes. */
void base64_encode(const void *data, size_t n, struct buf *out);

/** Appends the bytes that exactly @p n characters stand for.
 *  @return whether @p text was their one text; @p out is untouched when not. Short memory sets `out->failed`. */
bool base64_decode(const char *text, size_t n, struct buf *out);

#endif

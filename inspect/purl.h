/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file purl.h
 * The parts that package URLs are made of (ECMA-427). Private to inspect/. Ask buf_check() for failure.
 */
#ifndef GB_INSPECT_PURL_H
#define GB_INSPECT_PURL_H

#include "base/buf.h"

/** Appends @p n bytes percent-encoded: all but letters, digits, ".-_~" and the colon. */
void purl_encode(const char *s, size_t n, struct buf *out);
/** Appends a qualifier, unless its value is NULL or empty. The caller appends them in the order of their keys; *@p first is true before the first. */
void purl_qualifier(const char *key, const char *value, bool *first, struct buf *out);

#endif

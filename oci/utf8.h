/* SPDX-License-Identifier: Apache-2.0 */
/** @file utf8.h Whether text is UTF-8. Private to oci/. */
#ifndef GB_OCI_UTF8_H
#define GB_OCI_UTF8_H

#include "base/text.h"

/** Whether all @p n bytes are valid UTF-8 (RFC 3629). */
static inline bool utf8_valid(const char *s, size_t n)
{
	while (n > 0) {
		size_t len = text_utf8_len(s, n);

		if (len == 0)
			return false;
		s += len;
		n -= len;
	}
	return true;
}

#endif

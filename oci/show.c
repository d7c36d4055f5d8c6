/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/show.h"

#include <stdio.h>

#include "base/base.h"

const char *show_name(const char *name, size_t n, char out[SHOW_SIZE])
{
	auto_buf text = { 0 };

	text_printable(&text, name, n < SHOW_MAX ? n : SHOW_MAX);
	snprintf(out, SHOW_SIZE, "%s%s", text.data != NULL ? text.data : "", n > SHOW_MAX ? "..." : "");
	return out;
}

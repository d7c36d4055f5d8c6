/* SPDX-License-Identifier: Apache-2.0 */
/* Python's compiled files (PEP 552): which Python, checked by what, then marshalled code. */
#include <string.h>

#include "inspect/look.h"
#include "inspect/pieces.h"

#define HEADER 16
#define BY_HASH 1

static int read_header(const struct slice *s, unsigned char p[HEADER], struct err *err)
{
	return bytes_exact(s, 0, p, HEADER, err);
}

int look_pyc(struct look *l, json_t *node, const char *name, const struct slice *a, const struct slice *b, int depth, struct err *err)
{
	unsigned char x[HEADER], y[HEADER];
	struct slice code_a, code_b;
	uint64_t at;

	(void)name;
	(void)depth;
	if (read_header(a, x, err) < 0 || read_header(b, y, err) < 0 || bytes_part(a, HEADER, a->size - HEADER, "code", &code_a, err) < 0 ||
	    bytes_part(b, HEADER, b->size - HEADER, "code", &code_b, err) < 0)
		return -1;
	if (memcmp(x, y, 4) != 0)
		node_field_number(l, node, "pyc magic number (version of Python)", bytes_le16(x), bytes_le16(y), CAUSE_VERSION);
	if (memcmp(x + 4, y + 4, 4) != 0)
		node_field_number(l, node, "pyc flags", bytes_le32(x + 4), bytes_le32(y + 4), CAUSE_NONE);
	bool times = !(x[4] & BY_HASH) && !(y[4] & BY_HASH);
	if (times && memcmp(x + 8, y + 8, 4) != 0)
		node_field_time(l, node, "pyc mtime of the source", bytes_le32(x + 8), bytes_le32(y + 8));
	if (times && memcmp(x + 12, y + 12, 4) != 0)
		node_field_number(l, node, "pyc size of the source", bytes_le32(x + 12), bytes_le32(y + 12), CAUSE_NONE);
	if (bytes_differ_at(&code_a, &code_b, &at, err) < 0)
		return -1;
	if (at == BYTES_SAME)
		return node_content(l, node, a, b, bytes_differ_at(a, b, &at, err) < 0 ? 0 : at, err);
	return node_content(l, node, a, b, at + HEADER, err) < 0 ? -1 : pieces_compare(l, node, &code_a, &code_b, false, err);
}

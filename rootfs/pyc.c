/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <string.h>

static bool is_pyc(const char *path)
{
	size_t n = strlen(path);

	return n > 4 && strcmp(path + n - 4, ".pyc") == 0;
}

void pyc_amend(const char *path, void *head, size_t n)
{
	static const unsigned char no_flags[4] = {0};
	unsigned char *h = head;

	/* A magic number ends in CR LF. The flags, little-endian: bit 0 says "checked by hash". Before Python 3.7 the mtime stood in
	 * their place; it is not 0, and such files are left alone too. */
	if (!is_pyc(path) || n < PYC_HEADER || h[2] != '\r' || h[3] != '\n' || memcmp(h + 4, no_flags, 4) != 0)
		return;
	for (int i = 0; i < 4; i++)
		h[8 + i] = (unsigned char)((unsigned)ROOTFS_MTIME >> (8 * i));
}

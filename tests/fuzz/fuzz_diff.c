/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes what looks into two files that differ: all formats, in one process. The first four bytes say how the second file
 * is made of the first: where a byte changes, by what, and how much of the end is cut. Promise under test: no crash, no leak; whatever
 * the bytes, there is a report, which passes the check of the process that asked, and can be printed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inspect/inspect.h"
#include "inspect/look.h"
#include "tests/fuzz/fuzz.h"

#define HEAD 4

static struct slice file_of(const uint8_t *data, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct err err = {0};

	MUST(fd >= 0 && io_write_all(fd, data, n, &err) == 0);
	return (struct slice){ .fd = fd, .size = n };
}

static void print(const json_t *node)
{
	struct err err = {0};
	auto_buf text = {0};
	auto_json report = json_pack("{s:{s:s, s:s}, s:{s:s, s:s}, s:b, s:[], s:[{s:s, s:s, s:O}], s:i}", "a", "path", "a", "kind", "file", "b", "path",
				     "b", "kind", "file", "same", 0, "causes", "differences", "path", "it", "kind", "changed", "inside",
				     json_object_get(node, "inside") != NULL ? json_object_get(node, "inside") : json_null(), "more", 0);

	MUST(report != NULL && diff_text(report, &text, &err) == 0);
	MUST(text_is_utf8(text.data));
}

static void compare(const struct slice *a, const struct slice *b)
{
	struct look l = { .scratch = memfd_create("fuzz", MFD_CLOEXEC) };
	struct err err = {0};
	auto_json node = json_object();
	size_t count = 0;

	MUST(l.scratch >= 0 && node != NULL);
	MUST(look_into(&l, node, "it", a, b, 0, &err) == 0 && !l.failed && l.end == 0);
	MUST(node_check(node, 0, &count, &err) == 0);
	print(node);
	close(l.scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size <= HEAD || size > 256 << 10)
		return 0;
	const uint8_t *content = data + HEAD;
	size_t n = size - HEAD, at = ((size_t)data[0] << 8 | data[1]) % n, cut = data[3] % n;
	uint8_t *other = malloc(n);

	MUST(other != NULL);
	memcpy(other, content, n);
	other[at] ^= data[2];
	struct slice a = file_of(content, n), b = file_of(other, n - cut);
	compare(&a, &b);
	close(a.fd);
	close(b.fd);
	free(other);
	return 0;
}

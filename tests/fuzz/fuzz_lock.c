/* SPDX-License-Identifier: Apache-2.0 */
/* buildspec.lock: whatever is read is written again as the same bytes. The checksum is made to fit, so that what lies behind it is reached. */
#include <stdlib.h>
#include <string.h>

#include "spec/lock.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/here.h"

static const char text[] =
	"apiVersion: platform.build/v1\nkind: BuildSpec\nmetadata: { name: x }\nspec:\n  rootfs: { ref: tiny }\n  build: { command: make }\n"
	"  sources:\n  - { name: z, url: \"https://h.example/z\" }\n  - { name: g, git: { url: r, ref: main } }\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_spec spec = NULL;
	auto_spec_lock lock = {0};
	auto_spec_lock again = {0};
	auto_buf in = {0};
	auto_buf out = {0};
	char hex[DIGEST_STR_SIZE];
	struct digest sum;
	struct err err = {0};

	if (spec_parse("s", text, sizeof text - 1, &spec, &err) < 0 || hash_bytes(data, size, &sum, &err) < 0)
		abort();
	buf_add(&in, data, size);
	buf_addf(&in, "checksum: \"%s\"\n", digest_str(&sum, hex));
	if (in.failed || spec_lock_parse("l", in.data, in.len, spec, &lock, &err) < 0)
		return 0;
	if (lock.n != 3 || spec_lock_write(&lock, &out, &err) < 0 || spec_lock_parse("l", out.data, out.len, spec, &again, &err) < 0)
		abort();
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes what sums up an image of two layers, in one process. The first two bytes say at which block of 512 the second layer begins. Promise under
 * test: no crash, no leak; what is found in layers that are none the worse passes the check of the process that asked.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "inspect/summary.h"
#include "tests/fuzz/fuzz.h"

#define HEAD 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size <= HEAD || size > 256 << 10)
		return 0;
	size_t n = size - HEAD, at = ((size_t)data[0] << 8 | data[1]) * 512 % n;
	int fd = memfd_create("fuzz", MFD_CLOEXEC), scratch = memfd_create("scratch", MFD_CLOEXEC);
	const struct slice layers[] = { { fd, 0, at }, { fd, at, n - at } };
	struct err err = {0};
	auto_json config = json_object();
	auto_json summary = NULL;

	if (fd < 0 || scratch < 0 || config == NULL || io_write_all(fd, data + HEAD, n, &err) < 0)
		abort();
	if (summary_find_here(layers, ARRAY_LEN(layers), scratch, &summary, &err) == 0 &&
	    summary_believe(summary, config, ARRAY_LEN(layers), &err) < 0)
		abort();
	close(fd);
	close(scratch);
	return 0;
}

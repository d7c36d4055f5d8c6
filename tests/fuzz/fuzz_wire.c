/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the messages of a reader of archives that has been taken over by its archive (rootfs/wire.h). The first byte says whether it is a
 * layer that is read. Promise under test: no crash, no leak; what is refused is ERR_INPUT with a message; what is taken is what another archive
 * could have had in it.
 */
#include <sys/mman.h>

#include "imported.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	auto_import_rows rows = {0};
	auto_fd out = memfd_create("fuzz", MFD_CLOEXEC);

	if (size == 0)
		return 0;
	bool layer = data[0] == 'L';
	MUST(out != -1 && io_write_all(out, data + 1, size - 1, &err) == 0);
	if (imported_rows(out, layer, TREE_ROOTFS, &rows, &err) < 0)
		MUST(err.kind == ERR_INPUT && err.msg[0] != '\0');
	/* Hard links and whiteouts of a layer wait for what is below it. */
	else if (!layer)
		imported_check(&rows);
	return 0;
}

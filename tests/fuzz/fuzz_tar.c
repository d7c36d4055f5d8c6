/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the import of archives: a tar in any codec, or a zip, which "PK" begins. Promise under test: no crash, no leak; what is refused
 * is ERR_INPUT with a message; what is taken is a tree: its manifest can be written, and
 * the strict reader takes it. (Memory cannot run short here; an archive that asks for
 * much is what the limits are for.)
 */
#include <string.h>
#include <sys/mman.h>

#include "rootfs/unpack.h"
#include "imported.h"
#include "tests/fuzz/fuzz.h"

/** Both sides in this one process, the reader first: forked, it would be out of the fuzzer's sight. */
static int read_entries(int in, bool zip, struct import_rows *rows, struct err *err)
{
	auto_fd plain = memfd_create("fuzz", MFD_CLOEXEC);
	auto_fd out = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(plain != -1 && out != -1);
	if (zip)
		return unpack_zip(in, out, UNPACK_NONE, err) < 0 ? -1 : imported_rows(out, false, TREE_SOURCE, rows, err);
	if (unpack_bytes(in, plain, UNPACK_ANY, err) < 0 || lseek(plain, 0, SEEK_SET) != 0 ||
	    unpack_tar(plain, out, UNPACK_NONE, err) < 0)
		return -1;
	return imported_rows(out, false, TREE_ROOTFS, rows, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	auto_import_rows rows = {0};
	auto_fd fd = memfd_create("fuzz", MFD_CLOEXEC);
	bool zip = size > 2 && memcmp(data, "PK", 2) == 0;

	MUST(fd != -1 && io_write_all(fd, data, size, &err) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	if (read_entries(fd, zip, &rows, &err) < 0)
		MUST(err.kind == ERR_INPUT && err.msg[0] != '\0');
	else
		imported_check(&rows);
	return 0;
}

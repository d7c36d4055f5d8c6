/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the import of archives. Promise under test: no crash, no leak; what is refused
 * is ERR_INPUT with a message; what is taken is a tree: its manifest can be written, and
 * the strict reader takes it. (Memory cannot run short here; an archive that asks for
 * much is what the limits are for.)
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "rootfs/import_table.h"
#include "rootfs/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition) \
	do {            \
		if (!(condition)) \
			abort(); \
	} while (0)

static void check_tree(struct tree_builder *b)
{
	struct err err = {0};
	auto_buf text = {0};
	auto_tree_reader r = NULL;
	struct tree_entry e;
	int more;

	MUST(tree_builder_manifest(b, &text, &err) == 0);
	MUST(tree_reader_from_text(text.data, text.len, "fuzz", &r, &err) == 0);
	while ((more = tree_reader_next(r, &e, &err)) > 0)
		MUST(e.type == TREE_LINK || (e.mode & ~TREE_MODE_BITS) == 0);
	MUST(more == 0);
}

/** Both sides in this one process, the reader first: forked, it would be out of the fuzzer's sight. */
static int read_entries(int in, struct import_rows *rows, struct err *err)
{
	struct import_totals totals = {0};
	auto_store_writer w = NULL;
	auto_import_table table = NULL;
	auto_stream s = NULL;
	auto_fd plain = memfd_create("fuzz", MFD_CLOEXEC);
	auto_fd out = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(plain != -1 && out != -1);
	if (unpack_bytes(in, plain, UNPACK_ANY, err) < 0 || lseek(plain, 0, SEEK_SET) != 0 ||
	    unpack_tar(plain, out, UNPACK_NONE, err) < 0)
		return -1;
	MUST(lseek(out, 0, SEEK_SET) == 0 && stream_of(out, &s, err) == 0);
	MUST(store_writer_begin(NULL, &w, err) == 0 && import_table_new(&totals, false, &table, err) == 0);
	if (import_entries(s, w, table, &totals, TREE_ROOTFS, err) < 0)
		return -1;
	import_table_take(table, rows);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	auto_tree_builder b = NULL;
	auto_import_rows rows = {0};
	auto_fd fd = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(fd != -1 && io_write_all(fd, data, size, &err) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	MUST(tree_builder_new(&b, &err) == 0);
	if (read_entries(fd, &rows, &err) < 0 || import_rows_hand_over(&rows, b, &err) < 0)
		MUST(err.kind == ERR_INPUT && err.msg[0] != '\0');
	else
		check_tree(b);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/** @file imported.h What fuzzers of archives do with the messages of a reader. */
#ifndef GB_FUZZ_IMPORTED_H
#define GB_FUZZ_IMPORTED_H

#include "rootfs/import_table.h"
#include "rootfs/stream.h"
#include "tests/fuzz/fuzz.h"

/** Takes all messages of @p out from its start. ERR_INPUT: refused. */
static inline int imported_rows(int out, bool layer, enum tree_form form, struct import_rows *rows, struct err *err)
{
	struct import_totals totals = {0};
	auto_store_writer w = NULL;
	auto_import_table table = NULL;
	auto_stream s = NULL;

	MUST(lseek(out, 0, SEEK_SET) == 0 && stream_of(out, &s, err) == 0);
	MUST(store_writer_begin(NULL, &w, err) == 0 && import_table_new(&totals, layer, &table, err) == 0);
	if (import_entries(s, w, table, &totals, form, err) < 0)
		return -1;
	import_table_take(table, rows);
	return 0;
}

/** What is taken is a tree: its manifest can be written, and the strict reader takes it. */
static inline void imported_check(struct import_rows *rows)
{
	struct err err = {0};
	auto_tree_builder b = NULL;
	auto_buf text = {0};
	auto_tree_reader r = NULL;
	struct tree_entry e;
	int more;

	MUST(tree_builder_new(&b, &err) == 0);
	if (import_rows_hand_over(rows, b, &err) < 0) {
		MUST(err.kind == ERR_INPUT && err.msg[0] != '\0');
		return;
	}
	MUST(tree_builder_manifest(b, &text, &err) == 0);
	MUST(tree_reader_from_text(text.data, text.len, "fuzz", &r, &err) == 0);
	while ((more = tree_reader_next(r, &e, &err)) > 0)
		MUST(e.type == TREE_LINK || (e.mode & ~TREE_MODE_BITS) == 0);
	MUST(more == 0);
}

#endif

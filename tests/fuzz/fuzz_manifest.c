/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the reader of manifests. Promise under test: what it takes has one form only,
 * so collecting the entries again and writing them gives the very same bytes; what it
 * does not take is ERR_INPUT with a message.
 */
#include <string.h>

#include "store/store.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	auto_tree_reader r = NULL;
	auto_tree_builder b = NULL;
	auto_buf again = {0};
	struct tree_entry e;
	int more;

	MUST(tree_reader_from_text((const char *)data, size, "fuzz", &r, &err) == 0);
	MUST(tree_builder_new(&b, &err) == 0);
	while ((more = tree_reader_next(r, &e, &err)) > 0)
		MUST(tree_builder_add(b, &e, &err) == 0);
	if (more < 0) {
		MUST(err.kind == ERR_INPUT && err.msg[0] != '\0');
		return 0;
	}
	MUST(tree_builder_manifest(b, &again, &err) == 0);
	MUST(again.len == size && memcmp(again.data, data, size) == 0);
	return 0;
}

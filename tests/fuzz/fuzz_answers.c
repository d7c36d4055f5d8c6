/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes what is believed of the answers of confined readers in inspect/. The first byte says whose answer the rest is, as JSON (fuzz_rows.c has the form
 * in which it comes). Promise under test: no crash, no leak; what is believed can be printed, or made a bill of materials of.
 */

#include "inspect/inspect.h"
#include "inspect/node.h"
#include "inspect/pkg_apart.h"
#include "inspect/sbom.h"
#include "inspect/summary.h"
#include "tests/fuzz/fuzz.h"

/** Of two layers. */
static void summary(json_t *j)
{
	struct err err = {0};
	auto_json config = json_object();

	if (summary_believe(j, config, 2, &err) < 0)
		MUST(err.kind == ERR_INPUT);
	else
		MUST(json_array_size(json_object_get(j, "layers")) == 2);
}

/** About two files. */
static void packages(const json_t *j)
{
	static const char *const paths[] = { "a", "b" };
	struct err err = {0};
	struct contents c = {0};
	auto_packages p = {0};
	auto_buf row = {0};
	const struct sbom_layer layer = { .created_by = "fuzz" };
	const struct sbom s = {
		.name = "fuzz", .architecture = "amd64", .version = "0", .layers = &layer, .nlayers = 1, .contents = &c, .packages = &p,
	};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const struct tree_entry e = { .type = TREE_FILE };

		MUST(contents_add(&c, &e, paths[i], 0, &err) == 0);
	}
	contents_lay(&c);
	json_to_row(j, &row);
	bool believed = pkg_believe(row.data, row.len, c.n, &p, &err) == 0;
	for (enum sbom_format f = 0; believed && f < SBOM_FORMATS; f++) {
		auto_json doc = NULL;

		MUST(sbom_make(f, &s, &doc, &err) == 0);
	}
	contents_clear(&c);
}

static void node(const json_t *j)
{
	struct err err = {0};
	size_t count = 0;
	auto_buf text = {0};

	if (node_check(j, 0, &count, &err) < 0) {
		MUST(err.kind == ERR_INPUT);
		return;
	}
	auto_json report = json_pack("{s:{s:s, s:s}, s:{s:s, s:s}, s:b, s:[], s:[{s:s, s:s, s:O}], s:i}", "a", "path", "a", "kind", "file", "b", "path",
				     "b", "kind", "file", "same", 0, "causes", "differences", "path", "it", "kind", "changed", "inside", j, "more", 0);
	MUST(report != NULL && diff_text(report, &text, &err) == 0 && text_is_utf8(text.data));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	auto_json j = NULL;

	if (size == 0 || json_parse((const char *)data + 1, size - 1, "fuzz", ERR_INPUT, &j, &err) < 0)
		return 0;
	if (data[0] == 'S')
		summary(j);
	else if (data[0] == 'P')
		packages(j);
	else
		node(j);
	return 0;
}

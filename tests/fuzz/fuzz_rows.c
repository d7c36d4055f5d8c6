/* SPDX-License-Identifier: Apache-2.0 */
/* What confined readers say, when what they read has taken them over: the first byte chooses whose answer the rest is. Nothing that is taken may
 * break the promises that sound answers keep. (Rows of git: fuzz_git.c.) */
#include <stdlib.h>
#include <string.h>

#include "oci/oci.h"
#include "spec/yaml.h"
#include "tests/fuzz/fuzz.h"

/** Whether a node, and all in it, is one that YAML can give. */
static bool is_sound(const struct node *node, unsigned depth)
{
	if (depth > SPEC_DEPTH_MAX || (node->kind == NODE_SCALAR) != (node->text != NULL) || (node->kind == NODE_SCALAR && node->first != NULL) ||
	    (node->up != NULL && (node->up->kind == NODE_MAP) != (node->key != NULL)))
		return false;
	for (const struct node *in = node->first; in != NULL; in = in->next)
		if (in->up != node || !is_sound(in, depth + 1) || (in->key != NULL && node_get(node, in->key) != in))
			return false;
	return true;
}

static void yaml(const char *data, size_t n)
{
	auto_node root = NULL;

	if (yaml_from_rows(data, n, &root) == 0 && !is_sound(root, 0))
		abort();
}

static void json(const char *data, size_t n)
{
	auto_json j = NULL;
	auto_json again = NULL;
	auto_buf row = {0};

	if (json_from_row(data, n, &j) < 0)
		return;
	json_to_row(j, &row);
	if (row.failed || json_from_row(row.data, row.len, &again) < 0 || !json_equal(j, again))
		abort();
}

static void image(const char *data, size_t n)
{
	auto_oci_image i = {0};
	struct err err = {0};

	if (oci_image_told(data, n, &i, &err) < 0)
		return;
	if (i.nlayers == 0 || json_array_size(json_object_get(i.manifest, "layers")) != i.nlayers || json_str(i.config, "architecture") == NULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	switch (data[0] & 3) {
	case 0:
		yaml(text, size - 1);
		break;
	case 1:
		json(text, size - 1);
		break;
	default:
		image(text, size - 1);
	}
	return 0;
}

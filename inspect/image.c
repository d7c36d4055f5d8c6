/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/** How deep a config is compared; below that as a whole. */
#define CONFIG_DEPTH 16

/* ---- config and history ------------------------------------------------------------------------- */

static char *value_text(const json_t *v)
{
	if (v == NULL)
		return strdup("(none)");
	return json_is_string(v) ? strdup(json_string_value(v)) : json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}

/** Whether two lists of strings hold the same ones. */
static bool same_elements(const json_t *a, const json_t *b)
{
	size_t i, j;
	json_t *x, *y;

	if (json_array_size(a) != json_array_size(b) || json_array_size(a) > 1000)
		return false;
	json_array_foreach(a, i, x) {
		bool found = false;

		json_array_foreach(b, j, y) {
			found = found || json_equal(x, y);
		}
		if (!found)
			return false;
	}
	return json_array_size(a) > 1;
}

/** One member that differs. What it is called helps to see what it is. */
static void tell_value(struct look *l, json_t *node, const char *path, const json_t *a, const json_t *b)
{
	auto_free char *x = value_text(a);
	auto_free char *y = value_text(b);
	auto_buf p = {0};
	auto_buf q = {0};

	if (x == NULL || y == NULL) {
		l->failed = true;
		return;
	}
	if (json_is_array(a) && json_is_array(b) && same_elements(a, b)) {
		node_field(l, node, path, x, y, CAUSE_ORDER);
		return;
	}
	node_field(l, node, path, x, y, CAUSE_NONE);
	buf_addf(&p, "%s=%s", path, x);
	buf_addf(&q, "%s=%s", path, y);
	if (p.failed || q.failed)
		l->failed = true;
	else if (a != NULL && b != NULL)
		node_causes(l, node, cause_of_words((struct words){ p.data, p.len }, (struct words){ q.data, q.len }), "",
			    (struct words){ p.data, p.len }, (struct words){ q.data, q.len });
}

static void walk_json(struct look *l, json_t *node, struct buf *path, const json_t *a, const json_t *b, int depth);

static void walk_member(struct look *l, json_t *node, struct buf *path, const char *name, const json_t *a, const json_t *b, int depth)
{
	size_t len = path->len;

	buf_addf(path, "%s%s", len == 0 || name[0] == '[' ? "" : ".", name);
	if (path->failed)
		l->failed = true;
	else
		walk_json(l, node, path, a, b, depth + 1);
	buf_seal(path, len);
}

static void walk_object(struct look *l, json_t *node, struct buf *path, json_t *a, json_t *b, int depth)
{
	const char *key;
	json_t *v;

	json_object_foreach(a, key, v) {
		/* Layers are told of by themselves. */
		if (strcmp(key, "diff_ids") != 0)
			walk_member(l, node, path, key, v, json_object_get(b, key), depth);
	}
	json_object_foreach(b, key, v) {
		if (json_object_get(a, key) == NULL)
			walk_member(l, node, path, key, NULL, v, depth);
	}
}

static void walk_json(struct look *l, json_t *node, struct buf *path, const json_t *a, const json_t *b, int depth)
{
	if (a != NULL && b != NULL && json_equal(a, b))
		return;
	if (json_is_object(a) && json_is_object(b) && depth < CONFIG_DEPTH) {
		walk_object(l, node, path, (json_t *)a, (json_t *)b, depth);
	} else if (json_is_array(a) && json_is_array(b) && depth < CONFIG_DEPTH && !same_elements(a, b)) {
		size_t n = json_array_size(a) > json_array_size(b) ? json_array_size(a) : json_array_size(b);

		for (size_t i = 0; i < n; i++) {
			char name[32];

			snprintf(name, sizeof name, "[%zu]", i);
			walk_member(l, node, path, name, json_array_get(a, i), json_array_get(b, i), depth);
		}
	} else {
		tell_value(l, node, path->len == 0 ? "" : path->data, a, b);
	}
}

void image_compare_json(struct look *l, json_t *node, const json_t *a, const json_t *b)
{
	auto_buf path = {0};

	if (node != NULL)
		walk_json(l, node, &path, a, b, 0);
}

/* ---- layers ---------------------------------------------------------------------------------------- */

/** One side's layers. */
struct stack {
	const struct oci_foreign *image;
	const struct oci_files *files;
	bool *paired;
};

static json_t *add_layer(struct look *l, json_t *node, size_t i, const char *kind)
{
	char name[32];

	snprintf(name, sizeof name, "layer %zu", i + 1);
	return node_add(l, node, name, kind);
}

/** Reads two layers, each from its own file. */
static int read_layers(struct look *l, json_t *node, const struct stack *a, size_t i, const struct stack *b, size_t j, struct err *err)
{
	auto_oci_part p = OCI_PART_NONE, q = OCI_PART_NONE;

	if (oci_files_find(a->files, a->image->layers[i].file, a->image->links, &p, err) < 0)
		return err_ctx(err, "layer %zu of A", i + 1);
	if (oci_files_find(b->files, b->image->layers[j].file, b->image->links, &q, err) < 0)
		return err_ctx(err, "layer %zu of B", j + 1);
	const struct slice x = { p.fd, p.offset, p.size }, y = { q.fd, q.offset, q.size };
	return look_apart(l, node, "layer.tar", &x, &y, 0, err) < 0 ? err_ctx(err, "layer %zu", i + 1) : 0;
}

/** Pairs a layer with one of the same content, wherever that is. */
static void pair_same(struct look *l, json_t *node, const struct stack *a, size_t i, const struct stack *b)
{
	const struct oci_foreign_layer *x = &a->image->layers[i];

	for (size_t j = 0; j < b->image->nlayers; j++) {
		const struct oci_foreign_layer *y = &b->image->layers[j];

		if (b->paired[j] || !digest_eq(&x->diff_id, &y->diff_id))
			continue;
		a->paired[i] = b->paired[j] = true;
		if (x->has_digest && y->has_digest && !digest_eq(&x->digest, &y->digest))
			node_cause(l, add_layer(l, node, i, "changed"), CAUSE_COMPRESSOR, "the diff IDs are the same, the digests are not");
		if (i != j)
			node_text(l, add_layer(l, node, i, "moved"), "note", "the same layer at another place");
		return;
	}
}

static int compare_layers(struct look *l, json_t *node, const struct stack *a, const struct stack *b, struct err *err)
{
	size_t j = 0;

	for (size_t i = 0; i < a->image->nlayers; i++)
		pair_same(l, node, a, i, b);
	for (size_t i = 0; i < a->image->nlayers; i++) {
		if (a->paired[i])
			continue;
		while (j < b->image->nlayers && b->paired[j])
			j++;
		json_t *layer = add_layer(l, node, i, j < b->image->nlayers ? "changed" : "removed");
		if (j < b->image->nlayers && read_layers(l, layer, a, i, b, j++, err) < 0)
			return -1;
	}
	for (; j < b->image->nlayers; j++)
		if (!b->paired[j])
			(void)add_layer(l, node, j, "added");
	return 0;
}

int image_compare(struct look *l, json_t *node, const struct oci_foreign *a, const struct oci_files *files_a, const struct oci_foreign *b,
		  const struct oci_files *files_b, struct err *err)
{
	auto_free bool *paired = calloc(a->nlayers + b->nlayers + 1, sizeof *paired);
	const struct stack x = { a, files_a, paired }, y = { b, files_b, paired + a->nlayers };

	if (paired == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "compare images");
	if (!json_equal(a->config, b->config)) {
		json_t *config = node_add(l, node, "config", "changed");

		image_compare_json(l, config, a->config, b->config);
		/* Only the layers' diff IDs differ. */
		if (config != NULL && node_is_empty(config)) {
			json_array_remove(json_object_get(node, "inside"), json_array_size(json_object_get(node, "inside")) - 1);
			l->nodes--;
		}
	}
	return compare_layers(l, node, &x, &y, err);
}

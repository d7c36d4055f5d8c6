/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "rootfs/import_table.h"
#include "rootfs/internal.h"
#include "rootfs/stream.h"

/** What the store keeps the result as: by the digest of the image's manifest. */
#define KIND "layertrees"

/* ---- reading ------------------------------------------------------------------------ */

static int read_layer(struct store *store, struct store_writer *writer, struct import_totals *totals, const struct oci_base *image, size_t i,
		      struct import_rows *rows, struct err *err)
{
	static const enum unpack_codec codecs[] = { [OCI_GZIP] = UNPACK_GZIP, [OCI_ZSTD] = UNPACK_ZSTD, [OCI_NONE] = UNPACK_NONE };
	const struct oci_blob *blob = &image->layers[i];
	struct stream_sums sums;
	auto_fd fd = -1;

	if (store_open_object(store, &blob->digest, &fd, err) < 0)
		return -1;
	const struct stream_source from = { .fd = fd, .size = blob->size };
	if (import_layer(writer, totals, &from, codecs[image->codecs[i]], TREE_SOURCE, i, rows, &sums, err) < 0)
		return -1;
	if (!digest_eq(&sums.stored_digest, &blob->digest) || !digest_eq(&sums.plain_digest, &blob->diff_id))
		return err_set(err, ERR_INPUT, 0, "its bytes are not what its digest and its diff ID say");
	return 0;
}

/* ---- one tree a layer ------------------------------------------------------------------ */

/** Adds the directories on the way to @p path that the path added before, @p last, does not share. */
static int add_parents(struct tree_builder *b, const char *last, const char *path, struct err *err)
{
	auto_free char *dir = strdup(path);

	if (dir == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "list a layer");
	for (char *slash = strchr(dir, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		const struct tree_entry e = { .path = dir, .type = TREE_DIR, .mode = 0755 };
		size_t n = (size_t)(slash - dir);
		bool shared = last != NULL && strncmp(last, dir, n + 1) == 0;

		*slash = '\0';
		if (!shared && tree_builder_add(b, &e, err) < 0)
			return -1;
		*slash = '/';
	}
	return 0;
}

static int put_tree(struct store *store, const struct import_rows *rows, size_t layer, struct digest *ret, struct err *err)
{
	auto_tree_builder b = NULL;
	const char *last = NULL;

	if (tree_builder_new(&b, err) < 0)
		return -1;
	for (size_t i = 0; i < rows->n; i++) {
		const struct import_row *r = rows->v[i];
		bool is_file = r->e.kind == IMPORT_FILE;
		const struct tree_entry e = {
			.path = r->path, .type = is_file ? TREE_FILE : TREE_LINK, .mode = (r->e.mode & 0100) != 0 ? 0755 : 0644, .size = r->e.size,
			.digest = r->e.digest, .link = r->e.link,
		};

		if (r->layer != layer || (!is_file && r->e.kind != IMPORT_LINK))
			continue;
		if (add_parents(b, last, r->path, err) < 0 || tree_builder_add(b, &e, err) < 0)
			return -1;
		last = r->path;
	}
	return store_put_tree(store, b, ret, err);
}

static int read_all(struct store *store, const struct oci_base *image, struct import_rows *rows, struct digest *ret, struct err *err)
{
	struct import_totals totals = {0};
	auto_store_writer writer = NULL;

	if (store_writer_begin(store, &writer, err) < 0)
		return -1;
	for (size_t i = 0; i < image->nlayers; i++)
		if (read_layer(store, writer, &totals, image, i, rows, err) < 0)
			return err_ctx(err, "layer %zu of %zu", i + 1, image->nlayers);
	for (size_t i = 0; i < image->nlayers; i++)
		if (put_tree(store, rows, i, &ret[i], err) < 0)
			return -1;
	return 0;
}

/* ---- once -------------------------------------------------------------------------------- */

/** Takes what the store remembers, where all of it is there. */
static bool recall(struct store *store, const struct oci_base *image, struct digest *ret)
{
	auto_json result = NULL;
	struct err ignored = {0};

	if (store_result_get(store, KIND, &image->manifest_digest, &result, &ignored) < 0 ||
	    json_array_size(json_object_get(result, "trees")) != image->nlayers)
		return false;
	for (size_t i = 0; i < image->nlayers; i++) {
		const char *text = json_string_value(json_array_get(json_object_get(result, "trees"), i));

		if (text == NULL || !digest_parse(text, &ret[i]) || store_check_tree(store, &ret[i], false, &ignored) < 0)
			return false;
	}
	return true;
}

static int remember(struct store *store, const struct oci_base *image, const struct digest *trees, struct err *err)
{
	auto_json list = json_array();
	char text[DIGEST_STR_SIZE];

	for (size_t i = 0; i < image->nlayers; i++)
		if (json_array_append_new(list, json_string(digest_str(&trees[i], text))) < 0)
			return err_set(err, ERR_INTERNAL, ENOMEM, "note an image's layers");
	auto_json result = json_pack("{s:O, s:[]}", "trees", list, "objects");
	return result == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "note an image's layers")
			      : store_result_put(store, KIND, &image->manifest_digest, result, err);
}

int rootfs_layer_trees(struct store *store, const struct oci_base *image, struct digest **ret, struct err *err)
{
	auto_free struct digest *trees = calloc(image->nlayers + 1, sizeof *trees);
	auto_import_rows rows = {0};

	if (trees == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "list an image's layers");
	if (!recall(store, image, trees) && (read_all(store, image, &rows, trees, err) < 0 || remember(store, image, trees, err) < 0))
		return -1;
	*ret = move_ptr(trees);
	return 0;
}

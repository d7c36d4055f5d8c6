/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "oci/reading.h"
#include "oci/unlayer.h"

void oci_image_clear(struct oci_image *image)
{
	json_decref(image->manifest);
	json_decref(image->config);
	free(image->layers);
	*image = (struct oci_image){ 0 };
}

/** Hashes a layer's bytes, and decompresses them where @p rules is there, which it is when reading deep. */
static int read_layer(struct slice s, enum oci_compression codec, bool kept, struct rules *rules, struct oci_blob *ret,
		      struct err *err)
{
	if (rules == NULL)
		return slice_hash(s, -1, ERR_UNVERIFIED, &ret->digest, err);
	return kept ? unlayer_kept(s, codec, rules, ret, err) : unlayer(s, codec, rules, ret, err);
}

/** Reads one layer's bytes: all of the promises that its descriptor and diff ID make. */
static int check_layer(struct oci_blob *layer, enum oci_compression codec, struct slice s, const char *name, bool kept,
		       struct rules *rules, struct err *err)
{
	struct oci_blob actual = *layer;

	if (read_layer(s, codec, kept, rules, &actual, err) < 0)
		return err_ctx(err, "member %s at offset %llu", name, (unsigned long long)s.offset);
	if (!digest_eq(&actual.digest, &layer->digest))
		return reading_refuse(err, name, &s, "its bytes have another digest than its name");
	if (!digest_eq(&actual.diff_id, &layer->diff_id))
		return reading_refuse(err, name, &s, "decompressed, it has another digest than the config's diff ID");
	*layer = actual;
	return 0;
}

static int check_layers(struct reading *r, bool deep, size_t nkept, struct err *err)
{
	auto_rules rules = deep ? rules_new() : NULL;
	char name[OUTER_BLOB_NAME_SIZE];

	if (deep && rules == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image");
	for (size_t i = 0; i < r->image.nlayers; i++) {
		struct oci_blob *layer = &r->image.layers[i];

		outer_blob_name(&layer->digest, name);
		if (check_layer(layer, r->layers[i].codec, r->layers[i].content, name, i < nkept, rules, err) < 0)
			return -1;
	}
	return 0;
}

/** The first layers are the base's, byte for byte. */
static int check_base(const struct reading *r, const struct oci_base *base, struct err *err)
{
	char name[OUTER_BLOB_NAME_SIZE];

	if (r->image.nlayers <= base->nlayers)
		return err_set(err, ERR_UNVERIFIED, 0, "%zu layers, and the base alone has %zu", r->image.nlayers, base->nlayers);
	for (size_t i = 0; i < base->nlayers; i++) {
		const struct oci_blob *layer = &r->image.layers[i];

		if (!digest_eq(&layer->digest, &base->layers[i].digest) || layer->size != base->layers[i].size ||
		    r->layers[i].codec != base->codecs[i])
			return reading_refuse(err, outer_blob_name(&layer->digest, name), &r->layers[i].content,
					      "layer %zu is not that of the base image", i + 1);
	}
	return 0;
}

int oci_image_read(int fd, bool deep, struct oci_image *ret, struct err *err)
{
	return oci_image_read_on(fd, deep, NULL, ret, err);
}

/** How much of the layers is read. */
enum depth { NO_LAYER, BYTES, ENTRIES };

static int read_image(int fd, enum depth depth, const struct oci_base *base, struct oci_image *ret, struct err *err)
{
	struct reading r = { 0 };
	int rc = -1;

	if (outer_scan(fd, &r.outer, err) < 0 || reading_documents(&r, err) < 0 ||
	    (base != NULL && check_base(&r, base, err) < 0) ||
	    (depth != NO_LAYER && check_layers(&r, depth == ENTRIES, base != NULL ? base->nlayers : 0, err) < 0)) {
		err_prefix(err, "read an image");
	} else {
		*ret = r.image;
		r.image = (struct oci_image){ 0 };
		rc = 0;
	}
	reading_clear(&r);
	return rc;
}

int oci_image_read_on(int fd, bool deep, const struct oci_base *base, struct oci_image *ret, struct err *err)
{
	return read_image(fd, deep ? ENTRIES : BYTES, base, ret, err);
}

int oci_image_documents(int fd, const struct oci_base *base, struct oci_image *ret, struct err *err)
{
	return read_image(fd, NO_LAYER, base, ret, err);
}

int oci_image_find(int fd, const struct digest *digest, uint64_t *ret_offset, uint64_t *ret_size, struct err *err)
{
	auto_outer o = { 0 };
	char text[DIGEST_STR_SIZE];

	if (outer_scan(fd, &o, err) < 0)
		return -1;
	const struct outer_blob *b = outer_find(&o, digest);
	if (b == NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "there is no blob %s in the archive", digest_str(digest, text));
	*ret_offset = b->content.offset;
	*ret_size = b->content.size;
	return 0;
}

const json_t *oci_history_next(const json_t *history, size_t *at)
{
	while (*at < json_array_size(history)) {
		const json_t *entry = json_array_get(history, (*at)++);

		if (!json_is_true(json_object_get(entry, "empty_layer")))
			return entry;
	}
	return NULL;
}

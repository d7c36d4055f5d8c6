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

/** Reads one layer's bytes: all of the promises that its descriptor and diff ID make. @p rules is NULL unless deep. */
static int check_layer(struct oci_blob *layer, enum oci_compression codec, struct slice s, const char *name,
		       struct rules *rules, struct err *err)
{
	struct oci_blob actual = *layer;

	if (rules == NULL ? slice_hash(s, -1, ERR_UNVERIFIED, &actual.digest, err) < 0
			  : unlayer(s, codec, rules, &actual, err) < 0)
		return err_ctx(err, "member %s at offset %llu", name, (unsigned long long)s.offset);
	if (!digest_eq(&actual.digest, &layer->digest))
		return reading_refuse(err, name, &s, "its bytes have another digest than its name");
	if (!digest_eq(&actual.diff_id, &layer->diff_id))
		return reading_refuse(err, name, &s, "decompressed, it has another digest than the config's diff ID");
	*layer = actual;
	return 0;
}

static int check_layers(struct reading *r, bool deep, struct err *err)
{
	auto_rules rules = deep ? rules_new() : NULL;
	char name[OUTER_BLOB_NAME_SIZE];

	if (deep && rules == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image");
	for (size_t i = 0; i < r->image.nlayers; i++) {
		struct oci_blob *layer = &r->image.layers[i];

		outer_blob_name(&layer->digest, name);
		if (check_layer(layer, r->layers[i].codec, r->layers[i].content, name, rules, err) < 0)
			return -1;
	}
	return 0;
}

int oci_image_read(int fd, bool deep, struct oci_image *ret, struct err *err)
{
	struct reading r = { 0 };
	int rc = -1;

	if (outer_scan(fd, &r.outer, err) < 0 || reading_documents(&r, err) < 0 || check_layers(&r, deep, err) < 0) {
		err_prefix(err, "read an image");
	} else {
		*ret = r.image;
		r.image = (struct oci_image){ 0 };
		rc = 0;
	}
	reading_clear(&r);
	return rc;
}

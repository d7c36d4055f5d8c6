/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/reading.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "oci/document.h"

void reading_clear(struct reading *r)
{
	outer_clear(&r->outer);
	buf_free(&r->index_text);
	buf_free(&r->manifest_text);
	buf_free(&r->config_text);
	oci_image_clear(&r->image);
	free(r->layers);
}

int reading_refuse(struct err *err, const char *name, const struct slice *at, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	return err_set(err, ERR_UNVERIFIED, 0, "member %s at offset %llu: %s", name, (unsigned long long)at->offset, why);
}

/** Reads a small member whole. */
static int load(const char *name, struct slice s, struct buf *out, struct err *err)
{
	size_t got;

	if (s.size > OCI_JSON_MAX)
		return reading_refuse(err, name, &s, "%llu bytes, and a document may have %u", (unsigned long long)s.size, OCI_JSON_MAX);
	char *to = buf_room(out, (size_t)s.size);
	if (to == NULL)
		return buf_check(out, name, err);
	size_t n = (size_t)s.size;
	if (slice_take(&s, to, n, ERR_UNVERIFIED, &got, err) < 0)
		return err_ctx(err, "member %s", name);
	buf_seal(out, n);
	return 0;
}

static int check_layout(const struct outer *o, struct err *err)
{
	auto_buf text = { 0 };

	if (load(OUTER_LAYOUT, o->layout, &text, err) < 0)
		return -1;
	if (text.len != strlen(OCI_LAYOUT_TEXT) || memcmp(text.data, OCI_LAYOUT_TEXT, text.len) != 0)
		return reading_refuse(err, OUTER_LAYOUT, &o->layout, "not %s", OCI_LAYOUT_TEXT);
	return 0;
}

/** Finds the blob that @p d names and marks it; a blob has one role, only layers may share one. */
static int claim(struct outer *o, const struct descriptor *d, enum outer_role role, struct outer_blob **ret,
		 struct err *err)
{
	char name[OUTER_BLOB_NAME_SIZE];
	struct outer_blob *b = outer_find(o, &d->digest);

	outer_blob_name(&d->digest, name);
	if (b == NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "member %s: missing", name);
	if (b->content.size != d->size)
		return reading_refuse(err, name, &b->content, "%llu bytes, and its descriptor says %llu",
			      (unsigned long long)b->content.size, (unsigned long long)d->size);
	if (b->role != OUTER_UNUSED && (role != OUTER_LAYER || b->role != OUTER_LAYER))
		return reading_refuse(err, name, &b->content, "one blob in two roles");
	b->role = role;
	*ret = b;
	return 0;
}

/** Loads, hashes and parses the JSON blob that @p d names; its text must be the canonical form. */
static int load_document(struct outer *o, const struct descriptor *d, struct buf *text, json_t **ret, struct err *err)
{
	char name[OUTER_BLOB_NAME_SIZE];
	struct outer_blob *b;
	struct digest actual;
	auto_json j = NULL;
	auto_buf canonical = { 0 };

	outer_blob_name(&d->digest, name);
	if (claim(o, d, OUTER_DOCUMENT, &b, err) < 0 || load(name, b->content, text, err) < 0 ||
	    hash_bytes(text->data, text->len, &actual, err) < 0)
		return -1;
	if (!digest_eq(&actual, &d->digest))
		return reading_refuse(err, name, &b->content, "its bytes have another digest than its name");
	if (json_parse(text->data, text->len, name, ERR_UNVERIFIED, &j, err) < 0 ||
	    json_canonical(j, &canonical, err) < 0)
		return -1;
	if (canonical.len != text->len || memcmp(canonical.data, text->data, text->len) != 0)
		return reading_refuse(err, name, &b->content, "JSON that is not in canonical form");
	*ret = move_ptr(j);
	return 0;
}

static int same_text(const char *name, const struct slice *at, const struct buf *have, const struct buf *want,
		     struct err *err)
{
	size_t i = 0;

	while (i < have->len && i < want->len && have->data[i] == want->data[i])
		i++;
	if (i == have->len && i == want->len)
		return 0;
	return reading_refuse(err, name, at, "differs from what glovebox writes, from offset %llu on",
		      (unsigned long long)(at->offset + i));
}

/** Follows index.json to the manifest. */
static int read_index(struct reading *r, struct descriptor *ret_manifest, const char **ret_tag, json_t **ret,
		      struct err *err)
{
	const struct slice *at = &r->outer.index;
	auto_json j = NULL;

	if (load(OUTER_INDEX, *at, &r->index_text, err) < 0 ||
	    json_parse(r->index_text.data, r->index_text.len, OUTER_INDEX, ERR_UNVERIFIED, &j, err) < 0)
		return -1;
	const json_t *list = json_object_get(j, "manifests");
	const json_t *entry = json_array_get(list, 0);
	const char *tag = json_str(json_object_get(entry, "annotations"), ANNOTATION_REF_NAME);
	if (json_array_size(list) != 1 || !document_descriptor(entry, ret_manifest))
		return reading_refuse(err, OUTER_INDEX, at, "not an index of exactly one manifest");
	if (tag != NULL && !document_is_tag(tag))
		return reading_refuse(err, OUTER_INDEX, at, "%s is not a reference name", ANNOTATION_REF_NAME);
	if (strcmp(ret_manifest->media_type, MEDIA_MANIFEST) != 0)
		return reading_refuse(err, OUTER_INDEX, at, "the manifest's media type is not " MEDIA_MANIFEST);
	*ret_tag = tag;
	*ret = move_ptr(j);
	return 0;
}

/** The index made again from what it said must be the index that stands there: nothing else hashes it. */
static int check_index(const struct reading *r, const struct descriptor *manifest, const char *tag, struct err *err)
{
	auto_buf want = { 0 };

	if (document_index(manifest, json_str(r->image.config, "architecture"), tag, &want, err) < 0)
		return -1;
	return same_text(OUTER_INDEX, &r->outer.index, &r->index_text, &want, err);
}

/** The layers as the manifest has them; @p at is the manifest. */
static int read_layers(struct reading *r, const struct slice *at, const char *name, struct descriptor **ret, struct err *err)
{
	const json_t *list = json_object_get(r->image.manifest, "layers");
	size_t n = json_array_size(list);

	if (n == 0 || n > OCI_LAYERS_MAX)
		return reading_refuse(err, name, at, "%zu layers (1 to %d are read)", n, OCI_LAYERS_MAX);
	auto_free struct descriptor *d = calloc(n, sizeof *d);
	r->image.layers = calloc(n, sizeof *r->image.layers);
	r->layers = calloc(n, sizeof *r->layers);
	if (d == NULL || r->image.layers == NULL || r->layers == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image");
	for (size_t i = 0; i < n; i++) {
		struct outer_blob *b;

		if (!document_descriptor(json_array_get(list, i), &d[i]) ||
		    !document_layer_codec(d[i].media_type, &r->layers[i].codec))
			return reading_refuse(err, name, at, "layer %zu: not a descriptor of a layer that glovebox reads", i);
		if (claim(&r->outer, &d[i], OUTER_LAYER, &b, err) < 0)
			return -1;
		r->layers[i].content = b->content;
		r->image.layers[i].digest = d[i].digest;
		r->image.layers[i].size = d[i].size;
	}
	r->image.nlayers = n;
	*ret = move_ptr(d);
	return 0;
}

static int read_manifest(struct reading *r, const struct descriptor *d, struct descriptor *ret_config, struct err *err)
{
	char name[OUTER_BLOB_NAME_SIZE];
	auto_free struct descriptor *layers = NULL;
	auto_buf want = { 0 };

	outer_blob_name(&d->digest, name);
	if (load_document(&r->outer, d, &r->manifest_text, &r->image.manifest, err) < 0)
		return -1;
	const struct slice *at = &outer_find(&r->outer, &d->digest)->content;
	if (!document_descriptor(json_object_get(r->image.manifest, "config"), ret_config) ||
	    strcmp(ret_config->media_type, MEDIA_CONFIG) != 0)
		return reading_refuse(err, name, at, "its config is not a descriptor of " MEDIA_CONFIG);
	if (read_layers(r, at, name, &layers, err) < 0 ||
	    document_manifest(ret_config, layers, r->image.nlayers, &want, err) < 0)
		return -1;
	r->image.manifest_digest = d->digest;
	r->image.config_digest = ret_config->digest;
	return same_text(name, at, &r->manifest_text, &want, err);
}

/** Why the config does not fit, or NULL. Fills the layers' diff IDs. */
static const char *check_config(struct reading *r)
{
	const json_t *c = r->image.config;
	const json_t *rootfs = json_object_get(c, "rootfs");
	const json_t *ids = json_object_get(rootfs, "diff_ids");
	const json_t *history = json_object_get(c, "history");
	const char *os = json_str(c, "os");
	const char *type = json_str(rootfs, "type");

	if (json_str(c, "architecture") == NULL || os == NULL || strcmp(os, "linux") != 0)
		return "a config without an architecture, or not for linux";
	if (type == NULL || strcmp(type, "layers") != 0 || json_array_size(ids) != r->image.nlayers)
		return "as many diff IDs as the manifest has layers are needed";
	if (history != NULL && document_history_layers(history) != r->image.nlayers)
		return "its history has another number of layers";
	for (size_t i = 0; i < r->image.nlayers; i++) {
		struct oci_blob *layer = &r->image.layers[i];
		const char *id = json_string_value(json_array_get(ids, i));

		if (id == NULL || !digest_parse(id, &layer->diff_id))
			return "a diff ID that is no SHA-256 digest";
		if (r->layers[i].codec == OCI_NONE && !digest_eq(&layer->diff_id, &layer->digest))
			return "the diff ID of a layer stored as it is differs from the layer's digest";
	}
	return NULL;
}

static int read_config(struct reading *r, const struct descriptor *d, struct err *err)
{
	char name[OUTER_BLOB_NAME_SIZE];

	if (load_document(&r->outer, d, &r->config_text, &r->image.config, err) < 0)
		return -1;
	const char *why = check_config(r);
	outer_blob_name(&d->digest, name);
	return why == NULL ? 0 : reading_refuse(err, name, &outer_find(&r->outer, &d->digest)->content, "%s", why);
}

static int check_leftovers(const struct outer *o, struct err *err)
{
	char name[OUTER_BLOB_NAME_SIZE];

	for (size_t i = 0; i < o->nblobs; i++)
		if (o->blobs[i].role == OUTER_UNUSED)
			return reading_refuse(err, outer_blob_name(&o->blobs[i].digest, name), &o->blobs[i].content,
				      "no part of the image names it");
	return 0;
}

int reading_documents(struct reading *r, struct err *err)
{
	auto_json index = NULL;  /* `tag` lies in it */
	struct descriptor manifest, config;
	const char *tag = NULL;

	if (check_layout(&r->outer, err) < 0 ||
	    read_index(r, &manifest, &tag, &index, err) < 0 ||
	    read_manifest(r, &manifest, &config, err) < 0 ||
	    read_config(r, &config, err) < 0 ||
	    check_index(r, &manifest, tag, err) < 0)
		return -1;
	return check_leftovers(&r->outer, err);
}

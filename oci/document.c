/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/document.h"

#include <errno.h>
#include <string.h>

#define TAG_MAX 255

#if defined __x86_64__
#define ARCHITECTURE "amd64"
#elif defined __aarch64__
#define ARCHITECTURE "arm64"
#elif defined __arm__
#define ARCHITECTURE "arm"
#elif defined __i386__
#define ARCHITECTURE "386"
#elif defined __riscv && __riscv_xlen == 64
#define ARCHITECTURE "riscv64"
#elif defined __powerpc64__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE "ppc64le"
#elif defined __s390x__
#define ARCHITECTURE "s390x"
#elif defined __loongarch64
#define ARCHITECTURE "loong64"
#else
#error "oci/: no GOARCH name known for this machine"
#endif

const char *oci_architecture(void)
{
	return ARCHITECTURE;
}

static const char *const layer_media[] = {
	[OCI_GZIP] = MEDIA_LAYER_GZIP, [OCI_ZSTD] = MEDIA_LAYER_ZSTD, [OCI_NONE] = MEDIA_LAYER_TAR,
};

const char *document_layer_media(enum oci_compression codec)
{
	return layer_media[codec];
}

bool document_layer_codec(const char *media_type, enum oci_compression *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(layer_media); i++)
		if (strcmp(media_type, layer_media[i]) == 0) {
			*ret = (enum oci_compression)i;
			return true;
		}
	return false;
}

bool document_descriptor(const json_t *j, struct descriptor *ret)
{
	struct descriptor d = { .media_type = json_str(j, "mediaType") };
	const char *digest = json_str(j, "digest");
	const json_t *size = json_object_get(j, "size");

	if (d.media_type == NULL || digest == NULL || !digest_parse(digest, &d.digest))
		return false;
	if (!json_is_integer(size) || json_integer_value(size) < 0)
		return false;
	d.size = (uint64_t)json_integer_value(size);
	*ret = d;
	return true;
}

size_t document_history_layers(const json_t *history)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(history); i++)
		if (!json_is_true(json_object_get(json_array_get(history, i), "empty_layer")))
			n++;
	return n;
}

static size_t alnum_run(const char *s)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
}

bool document_is_tag(const char *tag)
{
	const char *s = tag;

	/* image-spec, annotations: alphanum runs, between them "--" or one of -._:@/+ */
	for (;;) {
		size_t n = alnum_run(s);

		if (n == 0)
			return false;
		s += n;
		if (*s == '\0')
			return s - tag <= TAG_MAX;
		if (strchr("-._:@/+", *s) == NULL)
			return false;
		s += strncmp(s, "--", 2) == 0 ? 2 : 1;
	}
}

json_t *document_digest(const struct digest *d)
{
	char text[DIGEST_STR_SIZE];

	return json_string(digest_str(d, text));
}

int document_text(const json_t *j, struct buf *out, struct err *err)
{
	if (j == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "image documents");
	if (json_canonical(j, out, err) < 0)
		return -1;
	if (buf_check(out, "image documents", err) < 0)
		return -1;
	if (out->len > OCI_JSON_MAX)
		return err_set(err, ERR_USAGE, 0, "image documents: larger than the limit of %u bytes", OCI_JSON_MAX);
	return 0;
}

/*
 * Builders below return a new reference, or NULL when memory is short: text has
 * been checked. json_object_set_new() and json_array_append_new() take a NULL
 * value as failure, which makes the chains safe.
 */

static json_t *descriptor_json(const struct descriptor *d)
{
	auto_json o = json_pack("{s:s, s:I}", "mediaType", d->media_type, "size", (json_int_t)d->size);

	return json_object_set_new(o, "digest", document_digest(&d->digest)) < 0 ? NULL : move_ptr(o);
}

static json_t *descriptors_json(const struct descriptor *d, size_t n)
{
	auto_json array = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(array, descriptor_json(&d[i])) < 0)
			return NULL;
	return move_ptr(array);
}

int document_manifest(const struct descriptor *config, const struct descriptor *layers, size_t nlayers,
		      struct buf *out, struct err *err)
{
	auto_json o = json_pack("{s:i, s:s}", "schemaVersion", 2, "mediaType", MEDIA_MANIFEST);

	if (json_object_set_new(o, "config", descriptor_json(config)) < 0 ||
	    json_object_set_new(o, "layers", descriptors_json(layers, nlayers)) < 0)
		return document_text(NULL, out, err);
	return document_text(o, out, err);
}

int document_index(const struct descriptor *manifest, const char *architecture, const char *tag,
		   struct buf *out, struct err *err)
{
	auto_json o = json_pack("{s:i, s:s}", "schemaVersion", 2, "mediaType", MEDIA_INDEX);
	auto_json list = descriptors_json(manifest, 1);
	json_t *entry = json_array_get(list, 0);

	if (json_object_set_new(entry, "platform",
				json_pack("{s:s, s:s}", "architecture", architecture, "os", "linux")) < 0 ||
	    (tag != NULL && json_object_set_new(entry, "annotations",
						json_pack("{s:s}", ANNOTATION_REF_NAME, tag)) < 0) ||
	    json_object_set(o, "manifests", list) < 0)
		return document_text(NULL, out, err);
	return document_text(o, out, err);
}

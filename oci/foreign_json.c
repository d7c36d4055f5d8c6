/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/foreign_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oci/document.h"

#define DOCKER_INDEX "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define ANNOTATION_CONTAINERD_NAME "io.containerd.image.name"

static int bad(struct err *err, const char *why)
{
	return err_set(err, ERR_INPUT, 0, "%s", why);
}

/** Copies a word of a platform; absent is "". @return whether it fits and is a word. */
static bool word(const json_t *object, const char *key, char out[32])
{
	const json_t *j = json_object_get(object, key);
	const char *s = j == NULL ? "" : json_string_value(j);

	if (s == NULL || strlen(s) > 31 || strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(s))
		return false;
	snprintf(out, 32, "%s", s);
	return true;
}

static int platform(const json_t *object, struct oci_platform *ret, struct err *err)
{
	struct oci_platform p;

	if (!word(object, "os", p.os) || !word(object, "architecture", p.architecture) || !word(object, "variant", p.variant))
		return bad(err, "a platform that is none");
	*ret = p;
	return 0;
}

static int descriptor(const json_t *j, struct foreign_descriptor *ret, struct err *err)
{
	const char *digest = json_str(j, "digest");
	const json_t *size = json_object_get(j, "size");
	struct foreign_descriptor d = {0};

	if (digest == NULL)
		return bad(err, "a descriptor without a digest");
	if (!digest_parse(digest, &d.digest))
		return err_set(err, ERR_INPUT, 0, "digest '%.100s': not a SHA-256 one, and no others are read", digest);
	if (!json_is_integer(size) || json_integer_value(size) < 0)
		return err_set(err, ERR_INPUT, 0, "%s has no size", digest);
	d.size = (uint64_t)json_integer_value(size);
	*ret = d;
	return 0;
}

static enum foreign_kind kind_of(const json_t *entry)
{
	const char *type = json_str(entry, "mediaType");
	const json_t *p = json_object_get(entry, "platform");
	const char *os = json_str(p, "os");

	/* buildkit's attestations say so; artifacts do too. */
	if (type == NULL || json_object_get(entry, "artifactType") != NULL || (os != NULL && strcmp(os, "unknown") == 0))
		return FOREIGN_OTHER;
	if (strcmp(type, MEDIA_INDEX) == 0 || strcmp(type, DOCKER_INDEX) == 0)
		return FOREIGN_INDEX;
	return strcmp(type, MEDIA_MANIFEST) == 0 || strcmp(type, DOCKER_MANIFEST) == 0 ? FOREIGN_MANIFEST : FOREIGN_OTHER;
}

int foreign_entry(const json_t *index, size_t i, struct foreign_descriptor *ret, struct err *err)
{
	const json_t *entry = json_array_get(json_object_get(index, "manifests"), i);
	const json_t *notes = json_object_get(entry, "annotations");
	struct foreign_descriptor d = { .kind = kind_of(entry) };

	if (d.kind != FOREIGN_OTHER) {
		const json_t *p = json_object_get(entry, "platform");

		if (descriptor(entry, &d, err) < 0 || (p != NULL && platform(p, &d.platform, err) < 0))
			return err_ctx(err, "entry %zu", i);
		d.kind = kind_of(entry);
		d.has_platform = p != NULL;
		d.names[0] = json_str(notes, ANNOTATION_REF_NAME);
		d.names[1] = json_str(notes, ANNOTATION_CONTAINERD_NAME);
	}
	*ret = d;
	return 0;
}

int foreign_index(const json_t *index, size_t *ret, struct err *err)
{
	const json_t *list = json_object_get(index, "manifests");
	size_t n = json_array_size(list);

	if (!json_is_array(list))
		return bad(err, "not an index: it has no list of manifests");
	if (n > OCI_MANIFESTS_MAX)
		return err_set(err, ERR_INPUT, 0, "%zu entries, and an index may have %d", n, OCI_MANIFESTS_MAX);
	*ret = n;
	return 0;
}

/** Whether a layer of that media type is a tar; of which codec, its bytes tell. */
static bool is_layer_type(const char *type)
{
	static const char *const stems[] = {
		"application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.docker.image.rootfs.diff.tar", "application/vnd.docker.image.rootfs.foreign.diff.tar",
	};
	static const char *const codecs[] = { "", "+gzip", "+zstd", ".gzip", ".zstd" };

	for (size_t i = 0; i < ARRAY_LEN(stems); i++)
		for (size_t k = 0; text_starts(type, stems[i]) && k < ARRAY_LEN(codecs); k++)
			if (strcmp(type + strlen(stems[i]), codecs[k]) == 0)
				return true;
	return false;
}

static int layers(const json_t *list, struct foreign_descriptor *to, struct err *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		const char *type = json_str(j, "mediaType");

		if (descriptor(j, &to[i], err) < 0)
			return err_ctx(err, "layer %zu", i);
		if (type == NULL || !is_layer_type(type))
			return err_set(err, ERR_INPUT, 0, "layer %zu is of type '%.100s', which is no tar layer", i, type == NULL ? "" : type);
	}
	return 0;
}

int foreign_manifest(const json_t *manifest, struct foreign_descriptor *ret_config, struct foreign_descriptor **ret_layers,
		     size_t *ret_n, struct err *err)
{
	const json_t *list = json_object_get(manifest, "layers");
	const json_t *version = json_object_get(manifest, "schemaVersion");
	size_t n = json_array_size(list);
	struct foreign_descriptor config;

	if (!json_is_integer(version) || json_integer_value(version) != 2)
		return bad(err, "not an image manifest of schema version 2");
	if (n == 0 || n > OCI_LAYERS_MAX)
		return err_set(err, ERR_INPUT, 0, "%zu layers (1 to %d are read)", n, OCI_LAYERS_MAX);
	if (descriptor(json_object_get(manifest, "config"), &config, err) < 0)
		return err_ctx(err, "config");
	auto_free struct foreign_descriptor *d = calloc(n, sizeof *d);
	if (d == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a manifest");
	if (layers(list, d, err) < 0)
		return -1;
	*ret_config = config;
	*ret_layers = move_ptr(d);
	*ret_n = n;
	return 0;
}

int foreign_config_platform(const json_t *config, struct oci_platform *ret, struct err *err)
{
	struct oci_platform p;

	if (platform(config, &p, err) < 0)
		return -1;
	if (p.os[0] == '\0' || p.architecture[0] == '\0')
		return bad(err, "not an image config: it has no os or no architecture");
	*ret = p;
	return 0;
}

int foreign_config(const json_t *config, size_t n, struct oci_platform *ret, struct digest **ret_ids, struct err *err)
{
	const json_t *list = json_object_get(json_object_get(config, "rootfs"), "diff_ids");
	struct oci_platform p;

	if (foreign_config_platform(config, &p, err) < 0)
		return -1;
	if (!json_is_array(list) || json_array_size(list) != n)
		return err_set(err, ERR_INPUT, 0, "%zu diff IDs in the config, and %zu layers", json_array_size(list), n);
	auto_free struct digest *ids = calloc(n, sizeof *ids);
	if (ids == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a config");
	for (size_t i = 0; i < n; i++) {
		const char *id = json_string_value(json_array_get(list, i));

		if (id == NULL || !digest_parse(id, &ids[i]))
			return err_set(err, ERR_INPUT, 0, "diff ID %zu is no SHA-256 digest", i);
	}
	*ret = p;
	*ret_ids = move_ptr(ids);
	return 0;
}

static bool is_strings(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)))
			return false;
	return json_is_array(list);
}

int foreign_docker_entry(const json_t *list, size_t i, struct foreign_docker *ret, struct err *err)
{
	const json_t *entry = json_array_get(list, i);
	const json_t *tags = json_object_get(entry, "RepoTags");
	struct foreign_docker d = { .config = json_str(entry, "Config"), .layers = json_object_get(entry, "Layers") };
	size_t n = json_array_size(d.layers);

	if (d.config == NULL || !is_strings(d.layers))
		return err_set(err, ERR_INPUT, 0, "entry %zu: no Config, or no list of Layers", i);
	if (n == 0 || n > OCI_LAYERS_MAX)
		return err_set(err, ERR_INPUT, 0, "entry %zu: %zu layers (1 to %d are read)", i, n, OCI_LAYERS_MAX);
	if (tags != NULL && !json_is_null(tags) && !is_strings(tags))
		return err_set(err, ERR_INPUT, 0, "entry %zu: RepoTags is no list of names", i);
	d.tags = json_is_array(tags) ? tags : NULL;
	*ret = d;
	return 0;
}

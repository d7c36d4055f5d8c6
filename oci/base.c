/* SPDX-License-Identifier: Apache-2.0 */
/* The documents of an image made by any tool that is to lie below ours. */
#include <errno.h>
#include <string.h>

#include "oci/document.h"
#include "oci/show.h"

/** docker's names for what OCI took over (image manifest version 2, schema 2). */
#define DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar.gzip"

void oci_base_clear(struct oci_base *base)
{
	json_decref(base->config);
	free(base->layers);
	free(base->codecs);
	*base = (struct oci_base){ 0 };
}

static int bad(struct err *err, const char *what, const char *why)
{
	return err_set(err, ERR_INPUT, 0, "base image's %s: %s", what, why);
}

/** Refuses an index, which names an image a platform, with the digest to write instead. */
static int refuse_index(const json_t *index, struct err *err)
{
	const json_t *list = json_object_get(index, "manifests");
	const char *mine = oci_architecture();

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		const json_t *platform = json_object_get(entry, "platform");
		const char *architecture = json_str(platform, "architecture"), *os = json_str(platform, "os");
		const char *digest = json_str(entry, "digest");
		struct digest d;

		if (architecture != NULL && os != NULL && digest != NULL && strcmp(architecture, mine) == 0 &&
		    strcmp(os, "linux") == 0 && digest_parse(digest, &d))
			return err_set(err, ERR_INPUT, 0, "base image: the digest is that of an index of several platforms; "
				       "write that of the image for linux/%s: %s", mine, digest);
	}
	return err_set(err, ERR_INPUT, 0, "base image: the digest is that of an index, without an image for linux/%s", mine);
}

static bool is_one_of(const char *s, const char *a, const char *b)
{
	return s != NULL && (strcmp(s, a) == 0 || strcmp(s, b) == 0);
}

static int read_layer(const json_t *entry, struct oci_blob *blob, enum oci_compression *codec, struct err *err)
{
	struct descriptor d;
	char shown[SHOW_SIZE];

	if (!document_descriptor(entry, &d))
		return bad(err, "manifest", "a layer that is no descriptor");
	if (strcmp(d.media_type, DOCKER_LAYER) == 0)
		*codec = OCI_GZIP;
	else if (!document_layer_codec(d.media_type, codec))
		return err_set(err, ERR_INPUT, 0, "base image's manifest: a layer of type '%s', which glovebox does not read",
			       show_name(d.media_type, strlen(d.media_type), shown));
	if (d.size > OCI_BLOB_MAX)
		return bad(err, "manifest", "a layer that no image.tar can hold");
	*blob = (struct oci_blob){ .digest = d.digest, .size = d.size };
	return 0;
}

static int read_layers(const json_t *list, struct oci_base *b, struct err *err)
{
	size_t n = json_array_size(list);

	if (n == 0 || n >= OCI_LAYERS_MAX)
		return err_set(err, ERR_INPUT, 0, "base image's manifest: %zu layers (1 to %d are possible)", n, OCI_LAYERS_MAX - 1);
	b->layers = calloc(n, sizeof *b->layers);
	b->codecs = calloc(n, sizeof *b->codecs);
	if (b->layers == NULL || b->codecs == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a base image");
	for (size_t i = 0; i < n; i++)
		if (read_layer(json_array_get(list, i), &b->layers[i], &b->codecs[i], err) < 0)
			return -1;
	b->nlayers = n;
	return 0;
}

/** @p parse: json_parse() or json_parse_apart(). */
static int read_manifest(json_parse_fn *parse, const char *text, size_t n, struct oci_base *ret, struct err *err)
{
	auto_oci_base b = { 0 };
	auto_json j = NULL;
	struct descriptor config;

	if (n > OCI_JSON_MAX)
		return bad(err, "manifest", "larger than a document may be");
	if (parse(text, n, "base image's manifest", ERR_INPUT, &j, err) < 0 || hash_bytes(text, n, &b.manifest_digest, err) < 0)
		return -1;
	const char *type = json_str(j, "mediaType");
	if (is_one_of(type, MEDIA_INDEX, DOCKER_LIST) || json_object_get(j, "manifests") != NULL)
		return refuse_index(j, err);
	/* OCI lets a manifest leave its own type out. */
	if (type != NULL && !is_one_of(type, MEDIA_MANIFEST, DOCKER_MANIFEST))
		return bad(err, "manifest", "neither OCI's nor docker's schema 2");
	if (!document_descriptor(json_object_get(j, "config"), &config) ||
	    !is_one_of(config.media_type, MEDIA_CONFIG, DOCKER_CONFIG))
		return bad(err, "manifest", "its config is not that of an image");
	if (read_layers(json_object_get(j, "layers"), &b, err) < 0)
		return -1;
	b.config_digest = config.digest;
	b.config_size = config.size;
	*ret = b;
	b = (struct oci_base){ 0 };
	return 0;
}

int oci_base_manifest(const char *text, size_t n, struct oci_base *ret, struct err *err)
{
	return read_manifest(json_parse_apart, text, n, ret, err);
}

int oci_base_manifest_here(const char *text, size_t n, struct oci_base *ret, struct err *err)
{
	return read_manifest(json_parse, text, n, ret, err);
}

/** Whether @p j is absent, null, or an object whose members are of type @p of (JSON_NULL: of any). */
static bool is_map(const json_t *j, json_type of)
{
	const char *key;
	json_t *value;

	if (j == NULL || json_is_null(j))
		return true;
	if (!json_is_object(j))
		return false;
	json_object_foreach((json_t *)j, key, value)
		if (of != JSON_NULL && json_typeof(value) != of)
			return false;
	return true;
}

static bool is_strings(const json_t *j)
{
	if (j == NULL || json_is_null(j))
		return true;
	if (!json_is_array(j))
		return false;
	for (size_t i = 0; i < json_array_size(j); i++)
		if (!json_is_string(json_array_get(j, i)))
			return false;
	return true;
}

/** Why the config cannot be added to, or NULL. */
static const char *check_members(const json_t *c)
{
	const json_t *run = json_object_get(c, "config"), *history = json_object_get(c, "history");
	const char *os = json_str(c, "os");

	if (json_str(c, "architecture") == NULL || os == NULL || strcmp(os, "linux") != 0)
		return "without an architecture, or not for linux";
	if (!is_map(run, JSON_NULL) || !is_strings(json_object_get(run, "Env")) || !is_strings(json_object_get(run, "Cmd")) ||
	    !is_strings(json_object_get(run, "Entrypoint")) || !is_map(json_object_get(run, "Labels"), JSON_STRING) ||
	    !is_map(json_object_get(run, "ExposedPorts"), JSON_NULL) || !is_map(json_object_get(run, "Volumes"), JSON_NULL))
		return "a member of its 'config' is of another type than image-spec has";
	if (history != NULL && !json_is_null(history) && !json_is_array(history))
		return "its history is no list";
	return NULL;
}

/** The diff IDs, and that the history fits them. */
static const char *check_layers(const json_t *c, struct oci_base *b)
{
	const json_t *ids = json_object_get(json_object_get(c, "rootfs"), "diff_ids");
	const json_t *history = json_object_get(c, "history");

	if (json_array_size(ids) != b->nlayers)
		return "as many diff IDs as the manifest has layers are needed";
	if (json_array_size(history) != 0 && document_history_layers(history) != b->nlayers)
		return "its history has another number of layers";
	for (size_t i = 0; i < b->nlayers; i++) {
		const char *id = json_string_value(json_array_get(ids, i));

		if (id == NULL || !digest_parse(id, &b->layers[i].diff_id))
			return "a diff ID that is no SHA-256 digest";
	}
	return NULL;
}

int oci_base_config(struct oci_base *base, const char *text, size_t n, struct err *err)
{
	auto_json j = NULL;
	struct digest d;

	if (hash_bytes(text, n, &d, err) < 0)
		return -1;
	if (!digest_eq(&d, &base->config_digest))
		return bad(err, "config", "it has another digest than the manifest says");
	if (json_parse_apart(text, n, "base image's config", ERR_INPUT, &j, err) < 0)
		return -1;
	const char *why = check_members(j);
	if (why == NULL)
		why = check_layers(j, base);
	if (why != NULL)
		return bad(err, "config", why);
	json_decref(base->config);
	base->config = move_ptr(j);
	return 0;
}

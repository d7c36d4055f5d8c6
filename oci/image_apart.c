/* SPDX-License-Identifier: Apache-2.0 */
/* An image read by a confined child, which says: a struct told, so many struct oci_blob, and its two documents as one row of JSON. */
#include <errno.h>
#include <string.h>

#include "oci/document.h"

/** What a reader may take: the largest window of a codec is 128 MiB, and the paths of all layers are remembered. It mostly waits for disks. */
#define READER_MEMORY (1536ull << 20)
#define READER_CPU_S 3600
#define READER_WALL_MS (24u * 3600 * 1000)

struct told {
	struct digest manifest, config;
	uint64_t nlayers;
};

/** Most bytes of it: what json_parse_apart() allows for each document, and the layers. */
#define TOLD_MAX (sizeof(struct told) + OCI_LAYERS_MAX * sizeof(struct oci_blob) + 2 * 8 * (size_t)OCI_JSON_MAX)

int oci_image_tell(const struct oci_image *image, int out, struct err *err)
{
	const struct told t = { image->manifest_digest, image->config_digest, image->nlayers };
	auto_json documents = json_pack("{s:O, s:O}", "config", image->config, "manifest", image->manifest);
	auto_buf text = {0};

	if (documents == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image");
	buf_add(&text, &t, sizeof t);
	buf_add(&text, image->layers, image->nlayers * sizeof *image->layers);
	json_to_row(documents, &text);
	return buf_check(&text, "image", err) < 0 ? -1 : io_write_all(out, text.data, text.len, err);
}

/* ---- this side ------------------------------------------------------------------------- */

/** Whether the documents are such as struct oci_image promises. */
static bool is_sound(const struct oci_image *image)
{
	const json_t *layers = json_object_get(image->manifest, "layers");
	const json_t *rootfs = json_object_get(image->config, "rootfs"), *ids = json_object_get(rootfs, "diff_ids");
	const char *os = json_str(image->config, "os");
	enum oci_compression codec;
	struct descriptor d;
	struct digest id;

	if (!document_descriptor(json_object_get(image->manifest, "config"), &d) || !digest_eq(&d.digest, &image->config_digest) ||
	    json_str(image->config, "architecture") == NULL || os == NULL || strcmp(os, "linux") != 0 ||
	    json_array_size(layers) != image->nlayers || json_array_size(ids) != image->nlayers)
		return false;
	for (size_t i = 0; i < image->nlayers; i++) {
		const char *text = json_string_value(json_array_get(ids, i));

		if (!document_descriptor(json_array_get(layers, i), &d) || !document_layer_codec(d.media_type, &codec) ||
		    !digest_eq(&d.digest, &image->layers[i].digest) || d.size != image->layers[i].size || text == NULL ||
		    !digest_parse(text, &id) || !digest_eq(&id, &image->layers[i].diff_id))
			return false;
	}
	return true;
}

int oci_image_told(const char *data, size_t n, struct oci_image *ret, struct err *err)
{
	auto_oci_image image = {0};
	auto_json documents = NULL;
	struct told t = {0};

	if (n >= sizeof t)
		memcpy(&t, data, sizeof t);
	if (t.nlayers == 0 || t.nlayers > OCI_LAYERS_MAX || n - sizeof t < t.nlayers * sizeof *image.layers)
		return err_set(err, ERR_UNVERIFIED, 0, "the reader of the image says what makes no sense");
	size_t layers = t.nlayers * sizeof *image.layers;
	image.layers = malloc(layers);
	if (image.layers == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image");
	memcpy(image.layers, data + sizeof t, layers);
	image.nlayers = t.nlayers;
	image.manifest_digest = t.manifest;
	image.config_digest = t.config;
	if (json_from_row(data + sizeof t + layers, n - sizeof t - layers, &documents) == 0) {
		image.config = json_incref(json_object_get(documents, "config"));
		image.manifest = json_incref(json_object_get(documents, "manifest"));
	}
	if (!is_sound(&image))
		return err_set(err, ERR_UNVERIFIED, 0, "the reader of the image says what makes no sense");
	*ret = image;
	image = (struct oci_image){0};
	return 0;
}

int oci_image_run(confine_fn *fn, void *arg, int fd, struct oci_image *ret, struct err *err)
{
	const struct confine_conf conf = {
		.what = "the reader of the image", .fn = fn, .arg = arg, .fds = &fd, .nfds = 1, .kind = ERR_UNVERIFIED, .memory = READER_MEMORY,
		.cpu_s = READER_CPU_S, .wall_ms = READER_WALL_MS,
	};
	auto_buf text = {0};

	if (confine_run(&conf, TOLD_MAX, &text, err) < 0)
		return -1;
	return oci_image_told(text.data == NULL ? "" : text.data, text.len, ret, err);
}

/** An image in its reader. */
struct reading_apart {
	int fd;
	const struct oci_base *base;
};

static int read_apart(void *arg, int out, struct err *err)
{
	const struct reading_apart *r = arg;
	auto_oci_image image = {0};

	return oci_image_read_on(r->fd, false, r->base, &image, err) < 0 ? -1 : oci_image_tell(&image, out, err);
}

int oci_image_read_apart(int fd, const struct oci_base *base, struct oci_image *ret, struct err *err)
{
	struct reading_apart r = { fd, base };

	return oci_image_run(read_apart, &r, fd, ret, err);
}

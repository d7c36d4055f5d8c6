/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "oci/oci.h"

/** Opens an image.tar, or the one in the out directory of a run. */
static int open_image(const char *path, int *ret, struct err *err)
{
	auto_buf inside = {0};
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(err, ERR_INPUT, errno, "open '%s'", path);
	buf_addf(&inside, "%s%s", path, S_ISDIR(st.st_mode) ? "/image.tar" : "");
	if (buf_check(&inside, "path", err) < 0)
		return -1;
	*ret = open(inside.data, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return *ret < 0 ? err_set(err, ERR_INPUT, errno, "open '%s'", inside.data) : 0;
}

/** One layer, as manifest, config and history tell of it: new reference. */
static json_t *layer_json(const struct oci_image *image, size_t i, const json_t *history)
{
	const struct oci_blob *b = &image->layers[i];
	const json_t *d = json_array_get(json_object_get(image->manifest, "layers"), i);
	char digest[DIGEST_STR_SIZE], diff_id[DIGEST_STR_SIZE];

	return json_pack("{s:s, s:s, s:I, s:s, s:s?}", "digest", digest_str(&b->digest, digest), "mediaType", json_str(d, "mediaType"),
			 "size", (json_int_t)b->size, "diffId", digest_str(&b->diff_id, diff_id), "createdBy",
			 json_str(history, "created_by"));
}

static json_t *image_json(const struct oci_image *image)
{
	const json_t *history = json_object_get(image->config, "history");
	char manifest[DIGEST_STR_SIZE], config[DIGEST_STR_SIZE];
	auto_json layers = json_array();
	size_t at = 0;

	for (size_t i = 0; i < image->nlayers; i++)
		if (json_array_append_new(layers, layer_json(image, i, oci_history_next(history, &at))) < 0)
			return NULL;
	return json_pack("{s:s, s:s, s:O, s:O}", "digest", digest_str(&image->manifest_digest, manifest), "configDigest",
			 digest_str(&image->config_digest, config), "config", image->config, "layers", layers);
}

/** "name       text", where there is a text. */
static void print_line(const char *name, const char *text)
{
	if (text == NULL)
		return;
	printf("%-10s ", name);
	cli_print_safe(stdout, text);
}

/** A member of the configuration on one line: text as it is, all else as JSON. */
static int print_member(const char *name, const json_t *value, struct err *err)
{
	auto_buf text = {0};

	if (value == NULL || json_is_null(value))
		return 0;
	if (json_is_object(value) || json_is_array(value)) {
		if (json_canonical(value, &text, err) < 0)
			return -1;
		print_line(name, text.data);
	} else {
		print_line(name, json_string_value(value));
	}
	return 0;
}

static int print_config(const json_t *config, struct err *err)
{
	static const struct { const char *name, *key; } rows[] = {
		{ "entrypoint", "Entrypoint" }, { "cmd", "Cmd" }, { "user", "User" }, { "workdir", "WorkingDir" }, { "env", "Env" },
		{ "ports", "ExposedPorts" }, { "volumes", "Volumes" }, { "labels", "Labels" }, { "stopsignal", "StopSignal" },
		{ "health", "Healthcheck" },
	};
	const json_t *run = json_object_get(config, "config");
	auto_buf platform = {0};

	buf_addf(&platform, "%s/%s", json_str(config, "os"), json_str(config, "architecture"));
	if (buf_check(&platform, "platform", err) < 0)
		return -1;
	print_line("platform", platform.data);
	print_line("created", json_str(config, "created"));
	print_line("author", json_str(config, "author"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (print_member(rows[i].name, json_object_get(run, rows[i].key), err) < 0)
			return -1;
	return 0;
}

static int print_layers(const json_t *layers, struct err *err)
{
	json_t *layer;
	size_t i;

	json_array_foreach(layers, i, layer) {
		const char *media = json_str(layer, "mediaType"), *created_by = json_str(layer, "createdBy");
		auto_buf text = {0};

		buf_addf(&text, "%zu: %s, %" JSON_INTEGER_FORMAT " bytes, %s, diff ID %s%s%s", i + 1, json_str(layer, "digest"),
			 json_integer_value(json_object_get(layer, "size")), strrchr(media, '.') + 1, json_str(layer, "diffId"),
			 created_by != NULL ? ", by: " : "", created_by != NULL ? created_by : "");
		if (buf_check(&text, "layer", err) < 0)
			return -1;
		print_line("layer", text.data);
	}
	return 0;
}

static int print_image(const struct args *args, const struct oci_image *image, struct err *err)
{
	auto_json j = image_json(image);

	if (j == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "print an image");
	if (args_has(args, "json"))
		return cli_print_json(j, err);
	print_line("image", json_str(j, "digest"));
	print_line("config", json_str(j, "configDigest"));
	return print_config(image->config, err) < 0 ? -1 : print_layers(json_object_get(j, "layers"), err);
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	auto_oci_image image = {0};
	auto_fd fd = -1;

	(void)ret_code;
	if (open_image(args->positional[0], &fd, err) < 0 || oci_image_read_apart(fd, NULL, &image, err) < 0)
		return err_ctx(err, "image inspect '%s'", args->positional[0]);
	return print_image(args, &image, err);
}

static const struct opt_def opts[] = { OPT_JSON, OPT_HELP, OPT_END };

const struct command cmd_image_inspect = {
	"image inspect", "IMAGE [OPTION]…", "show an image's configuration, layers and history", opts, NULL, 1, 1, false, run,
};

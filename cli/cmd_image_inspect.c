/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "inspect/inspect.h"
#include "inspect/summary.h"
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

/** One layer, as manifest, config, history and its bytes tell of it: new reference. */
static json_t *layer_json(const struct oci_image *image, size_t i, const json_t *history, const json_t *counts)
{
	const struct oci_blob *b = &image->layers[i];
	const json_t *d = json_array_get(json_object_get(image->manifest, "layers"), i);
	char digest[DIGEST_STR_SIZE], diff_id[DIGEST_STR_SIZE];

	return json_pack("{s:s, s:s, s:I, s:s, s:s?, s:O}", "digest", digest_str(&b->digest, digest), "mediaType", json_str(d, "mediaType"),
			 "size", (json_int_t)b->size, "diffId", digest_str(&b->diff_id, diff_id), "createdBy",
			 json_str(history, "created_by"), "contents", counts);
}

static json_t *image_json(const struct oci_image *image, const json_t *summary)
{
	const json_t *history = json_object_get(image->config, "history");
	char manifest[DIGEST_STR_SIZE], config[DIGEST_STR_SIZE];
	auto_json layers = json_array();
	size_t at = 0;

	for (size_t i = 0; i < image->nlayers; i++)
		if (json_array_append_new(layers, layer_json(image, i, oci_history_next(history, &at),
								 json_array_get(json_object_get(summary, "layers"), i))) < 0)
			return NULL;
	auto_json j = json_pack("{s:s, s:s, s:O, s:O}", "digest", digest_str(&image->manifest_digest, manifest), "configDigest",
				digest_str(&image->config_digest, config), "config", image->config, "layers", layers);
	/* What is here already stands: the layers with all that is known of them. */
	return j == NULL || json_object_update_missing(j, (json_t *)summary) < 0 ? NULL : move_ptr(j);
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

static json_int_t number(const json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

/** "12 files, 3 directories, …": what there is none of is left out, but for files. */
static int print_counts(const char *name, const json_t *counts, struct err *err)
{
	static const struct { const char *key, *word; } rows[] = {
		{ "directories", "directories" }, { "links", "links" }, { "hardLinks", "hard links" }, { "others", "special files" },
		{ "whiteouts", "whiteouts" },
	};
	auto_buf text = {0};

	buf_addf(&text, "%" JSON_INTEGER_FORMAT " files", number(counts, "files"));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (number(counts, rows[i].key) > 0)
			buf_addf(&text, ", %" JSON_INTEGER_FORMAT " %s", number(counts, rows[i].key), rows[i].word);
	buf_addf(&text, ", %" JSON_INTEGER_FORMAT " bytes unpacked", number(counts, "unpackedBytes"));
	if (buf_check(&text, "counts", err) < 0)
		return -1;
	print_line(name, text.data);
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
		if (print_counts("", json_object_get(layer, "contents"), err) < 0)
			return -1;
	}
	return 0;
}

static int print_files(const json_t *image, struct err *err)
{
	json_t *file;
	size_t i;

	json_array_foreach(json_object_get(image, "biggest"), i, file) {
		auto_buf text = {0};

		buf_addf(&text, "%" JSON_INTEGER_FORMAT " bytes, %s, layer %" JSON_INTEGER_FORMAT, number(file, "size"), json_str(file, "path"),
			 number(file, "layer"));
		if (buf_check(&text, "file", err) < 0)
			return -1;
		print_line("biggest", text.data);
	}
	json_array_foreach(json_object_get(image, "setuid"), i, file) {
		auto_buf text = {0};

		buf_addf(&text, "%s, mode %s, owner %" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT, json_str(file, "path"),
			 json_str(file, "mode"), number(file, "uid"), number(file, "gid"));
		if (buf_check(&text, "file", err) < 0)
			return -1;
		print_line("setuid", text.data);
	}
	return 0;
}

/** How many of which kind: the list would hide all else. */
static int print_packages(const json_t *packages, struct err *err)
{
	const char *kind, *os = json_str(packages, "os");
	json_t *count;
	auto_buf text = {0};

	buf_addf(&text, "%" JSON_INTEGER_FORMAT, number(packages, "count"));
	json_object_foreach(json_object_get(packages, "kinds"), kind, count) {
		buf_addf(&text, ", %s %" JSON_INTEGER_FORMAT, kind, json_integer_value(count));
	}
	if (number(packages, "count") > 0)
		buf_adds(&text, " (--json lists them)");
	if (json_array_size(json_object_get(packages, "notes")) > 0)
		buf_addf(&text, "; not complete: %zu files cannot be read", json_array_size(json_object_get(packages, "notes")));
	if (buf_check(&text, "packages", err) < 0)
		return -1;
	print_line("system", os);
	print_line("packages", text.data);
	return 0;
}

static int print_findings(const json_t *findings, struct err *err)
{
	json_t *finding, *where;
	size_t i, j;

	json_array_foreach(findings, i, finding) {
		auto_buf text = {0};

		buf_addf(&text, "%s: %s; cure: %s", json_str(finding, "id"), json_str(finding, "why"), json_str(finding, "cure"));
		if (buf_check(&text, "finding", err) < 0)
			return -1;
		print_line("finding", text.data);
		json_array_foreach(json_object_get(finding, "where"), j, where) {
			print_line("", json_string_value(where));
		}
		buf_clear(&text);
		buf_addf(&text, "and %" JSON_INTEGER_FORMAT " more", number(finding, "count") - (json_int_t)j);
		if (buf_check(&text, "finding", err) < 0)
			return -1;
		if (j > 0 && number(finding, "count") > (json_int_t)j)
			print_line("", text.data);
	}
	return 0;
}

static int print_image(const struct args *args, const struct oci_image *image, const json_t *summary, struct err *err)
{
	auto_json j = image_json(image, summary);

	if (j == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "print an image");
	if (args_has(args, "json"))
		return cli_print_json(j, err);
	print_line("image", json_str(j, "digest"));
	print_line("config", json_str(j, "configDigest"));
	if (print_config(image->config, err) < 0 || print_layers(json_object_get(j, "layers"), err) < 0 ||
	    print_counts("total", json_object_get(j, "total"), err) < 0 || print_files(j, err) < 0 ||
	    print_packages(json_object_get(j, "packages"), err) < 0)
		return -1;
	return print_findings(json_object_get(j, "findings"), err);
}

/** Has the layers read, which lie in the archive as they are stored. */
static int sum_up(int fd, const struct oci_image *image, json_t **ret, struct err *err)
{
	auto_free struct slice *layers = calloc(image->nlayers + 1, sizeof *layers);
	auto_fd scratch = -1;

	if (layers == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image");
	for (size_t i = 0; i < image->nlayers; i++) {
		layers[i].fd = fd;
		if (oci_image_find(fd, &image->layers[i].digest, &layers[i].offset, &layers[i].size, err) < 0)
			return -1;
	}
	return inspect_scratch(cli_tmp_dir(), &scratch, err) < 0 ? -1 :
	       summary_find(image->config, layers, image->nlayers, scratch, ret, err);
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	auto_oci_image image = {0};
	auto_json summary = NULL;
	auto_fd fd = -1;

	(void)ret_code;
	if (open_image(args->positional[0], &fd, err) < 0 || oci_image_read_apart(fd, NULL, &image, err) < 0 ||
	    sum_up(fd, &image, &summary, err) < 0)
		return err_ctx(err, "image inspect '%s'", args->positional[0]);
	return print_image(args, &image, summary, err);
}

static const struct opt_def opts[] = { OPT_JSON, OPT_HELP, OPT_END };

const struct command cmd_image_inspect = {
	"image inspect", "IMAGE [OPTION]…", "show what is in an image: configuration, layers, largest files, packages, findings", opts, NULL, 1, 1, false, run,
};

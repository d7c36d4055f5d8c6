/* SPDX-License-Identifier: Apache-2.0 */
/* The wall that layers are read behind, and what is believed of the answer. */
#include "inspect/summary.h"

#include <errno.h>

#include "base/confine.h"
#include "inspect/harden.h"
#include "inspect/packages.h"

/** What the reader may take: a million entries with their names, windows of codecs, and texts that tell of packages. */
#define READER_MEMORY (3ull << 30)
#define READER_CPU_S 3600
#define READER_WALL_MS (24u * 3600 * 1000)
/** Most bytes of its answer. */
#define ANSWER_MAX JSON_INPUT_MAX
/** How deep the answer is. */
#define DEPTH_MAX 4

struct job {
	const struct slice *layers;
	size_t n;
	int scratch;
};

/** In the child. */
static int read_apart(void *arg, int out, struct err *err)
{
	const struct job *job = arg;
	auto_json summary = NULL;
	auto_buf row = {0};

	if (summary_find_here(job->layers, job->n, job->scratch, &summary, err) < 0)
		return -1;
	json_to_row(summary, &row);
	return buf_check(&row, "answer", err) < 0 ? -1 : io_write_all(out, row.data, row.len, err);
}

/* ---- on this side ---------------------------------------------------------------------------------- */

static int nonsense(struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "the reader of layers says what makes no sense: a layer has taken it over");
}

/** Whether there is nothing but numbers that are none below zero, texts, truths and lists of that. */
static bool is_plain(json_t *j, int depth)
{
	const char *key;
	json_t *v;
	size_t i;

	if (depth > DEPTH_MAX || json_is_real(j) || json_is_null(j))
		return false;
	if (json_is_integer(j))
		return json_integer_value(j) >= 0;
	json_object_foreach(j, key, v) {
		if (!is_plain(v, depth + 1))
			return false;
	}
	json_array_foreach(j, i, v) {
		if (!is_plain(v, depth + 1))
			return false;
	}
	return true;
}

/** Whether @p list has at most @p max elements, each of which @p is_one. */
static bool is_list(json_t *list, size_t max, bool (*is_one)(json_t *))
{
	size_t i;
	json_t *v;

	if (!json_is_array(list) || json_array_size(list) > max)
		return false;
	json_array_foreach(list, i, v) {
		if (!is_one(v))
			return false;
	}
	return true;
}

/** Whether an object has just these members. The format and what follows are json_unpack()'s. */
#define HAS(j, ...) (json_unpack_ex((j), NULL, JSON_STRICT | JSON_VALIDATE_ONLY, __VA_ARGS__) == 0)

static bool is_counts(json_t *j)
{
	return HAS(j, "{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "files", "directories", "links", "hardLinks", "others", "whiteouts", "unpackedBytes");
}

static bool is_big(json_t *j)
{
	return HAS(j, "{s:s, s:I, s:I}", "path", "size", "layer");
}

static bool is_setuid(json_t *j)
{
	return HAS(j, "{s:s, s:s, s:I, s:I}", "path", "mode", "uid", "gid");
}

static bool is_package(json_t *j)
{
	return HAS(j, "{s:s, s:s, s:b, s?s, s?s}", "kind", "name", "listed", "version", "arch");
}

static bool is_note(json_t *j)
{
	return HAS(j, "{s:s, s:s}", "path", "why");
}

static bool is_packages(json_t *j)
{
	const char *key;
	json_t *v, *kinds = json_object_get(j, "kinds"), *list = json_object_get(j, "list"), *notes = json_object_get(j, "notes");

	if (!HAS(j, "{s:I, s:o, s:o, s:o, s?s}", "count", "kinds", "list", "notes", "os") || !json_is_object(kinds))
		return false;
	json_object_foreach(kinds, key, v) {
		if (!json_is_integer(v))
			return false;
	}
	return is_list(list, PACKAGES_MAX, is_package) && is_list(notes, PACKAGE_NOTES_MAX, is_note);
}

/** Whether a finding's places are texts. */
static bool is_finding(json_t *j)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(j, "where"), i, v) {
		if (!json_is_string(v))
			return false;
	}
	return json_is_object(j);
}

int summary_believe(json_t *j, const json_t *config, size_t nlayers, struct err *err)
{
	json_t *layers = json_object_get(j, "layers"), *findings = json_object_get(j, "findings");
	auto_json all = json_array();

	if (!is_plain(j, 0) || !HAS(j, "{s:o, s:o, s:o, s:o, s:o, s:o}", "layers", "total", "biggest", "setuid", "findings", "packages") ||
	    !is_list(layers, nlayers, is_counts) || json_array_size(layers) != nlayers || !is_counts(json_object_get(j, "total")) ||
	    !is_list(json_object_get(j, "biggest"), SUMMARY_BIGGEST, is_big) ||
	    !is_list(json_object_get(j, "setuid"), SUMMARY_SETUID_MAX, is_setuid) || !is_list(findings, FINDINGS, is_finding) ||
	    !is_packages(json_object_get(j, "packages")))
		return nonsense(err);
	if (harden_config(config, all, err) < 0)
		return -1;
	if (json_array_extend(all, findings) < 0 || json_object_set(j, "findings", all) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "sum up an image");
	return harden_believe(all, err);
}

int summary_find(const json_t *config, const struct slice *layers, size_t n, int scratch, json_t **ret, struct err *err)
{
	struct job job = { layers, n, scratch };
	const int fds[] = { scratch, n > 0 ? layers[0].fd : scratch };
	const struct confine_conf conf = {
		.what = "the reader of layers", .fn = read_apart, .arg = &job, .fds = fds, .nfds = ARRAY_LEN(fds), .kind = ERR_INPUT,
		.memory = READER_MEMORY, .file_size = LOOK_SCRATCH_MAX, .cpu_s = READER_CPU_S, .wall_ms = READER_WALL_MS,
	};
	auto_buf answer = {0};
	auto_json summary = NULL;

	if (confine_run(&conf, ANSWER_MAX, &answer, err) < 0)
		return -1;
	if (json_from_row(answer.data == NULL ? "" : answer.data, answer.len, &summary) < 0)
		return nonsense(err);
	if (summary_believe(summary, config, n, err) < 0)
		return -1;
	*ret = move_ptr(summary);
	return 0;
}

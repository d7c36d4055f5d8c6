/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/limit.h"

#include <errno.h>
#include <string.h>

/** Of a spec's step, whose compilers fill /tmp; `exec` has the sandbox's own. */
#define DEFAULT_TMP (4ull << 30)

static uint64_t cpu_millis(const struct spec_limits *limits)
{
	uint64_t millis = 0;

	/* The spec's parser has taken it. */
	if (limits->cpu != NULL)
		(void)text_parse_cpus(limits->cpu, &millis);
	return millis;
}

struct sandbox_limits limit_of_step(const struct spec *spec, const struct spec_step *step, uint64_t grace_ms)
{
	const struct spec_limits *l = &step->limits;

	return (struct sandbox_limits){
		.timeout_ms = step->timeout_ms,
		.grace_ms = grace_ms,
		.memory_bytes = l->memory,
		.cpu_millis = cpu_millis(l),
		.pids = l->pids,
		.files = l->files,
		.file_bytes = l->file_size,
		.tmp_bytes = l->tmp == 0 ? DEFAULT_TMP : l->tmp,
		.work_bytes = l->work,
		.work_files = l->work_files,
		.output_bytes = l->output,
		.best_effort = spec->limits == SPEC_LIMITS_BEST_EFFORT,
	};
}

json_t *limit_json(const struct spec_limits *l)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "memory", l->memory }, { "pids", l->pids }, { "tmp", l->tmp }, { "files", l->files },
		{ "fileSize", l->file_size }, { "work", l->work }, { "workFiles", l->work_files }, { "output", l->output },
	};
	auto_json all = json_object();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].value != 0 && json_object_set_new(all, rows[i].name, json_integer((json_int_t)rows[i].value)) < 0)
			return NULL;
	if (l->cpu != NULL && json_object_set_new(all, "cpu", json_string(l->cpu)) < 0)
		return NULL;
	return move_ptr(all);
}

static json_t *left_json(const struct left *left)
{
	json_t *largest = left->largest_path == NULL ? NULL
			: json_pack("{s:o, s:I}", "path", json_bytes(left->largest_path, strlen(left->largest_path)), "bytes",
				    (json_int_t)left->largest);

	return json_pack("{s:I, s:I, s:o*}", "bytes", (json_int_t)left->bytes, "entries", (json_int_t)left->entries, "largest", largest);
}

int limit_add_json(json_t *account, const struct sandbox_result *result, const struct left *left, struct err *err)
{
	if (result->limit == SANDBOX_NO_LIMIT)
		return 0;
	auto_json limit = json_pack("{s:s, s:I}", "name", sandbox_limit_name(result->limit), "value", (json_int_t)result->limit_value);
	if (left != NULL && left->entries > 0 && json_object_set_new(limit, "left", left_json(left)) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write down a limit");
	if (json_object_set(account, "limit", limit) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write down a limit");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/confine.h"
#include "inspect/look.h"

/** What the reader may take: codecs have windows of up to 128 MiB. */
#define READER_MEMORY (768ull << 20)
#define READER_CPU_S 3600
#define READER_WALL_MS (24u * 3600 * 1000)
/** Most bytes of its answer. */
#define ANSWER_MAX (32u << 20)

struct job {
	struct look look;
	const char *name;
	struct slice a, b;
	int depth;
};

/** In the child. */
static int read_apart(void *arg, int out, struct err *err)
{
	struct job *j = arg;
	auto_json node = json_object();
	auto_buf text = {0};

	j->look.apart = false;
	if (node == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "compare");
	if (look_into(&j->look, node, j->name, &j->a, &j->b, j->depth, err) < 0)
		return -1;
	if (j->look.failed)
		return err_set(err, ERR_INTERNAL, ENOMEM, "compare");
	json_to_row(node, &text);
	return buf_check(&text, "answer", err) < 0 ? -1 : io_write_all(out, text.data, text.len, err);
}

int look_apart(struct look *l, json_t *node, const char *name, const struct slice *a, const struct slice *b, int depth, struct err *err)
{
	struct job job = { .look = *l, .name = name, .a = *a, .b = *b, .depth = depth };
	const int fds[] = { a->fd, b->fd, l->scratch };
	const struct confine_conf conf = {
		.what = "the reader of what differs", .fn = read_apart, .arg = &job, .fds = fds, .nfds = ARRAY_LEN(fds), .kind = ERR_INPUT,
		.memory = READER_MEMORY, .file_size = LOOK_SCRATCH_MAX, .cpu_s = READER_CPU_S, .wall_ms = READER_WALL_MS,
	};
	auto_buf text = {0};
	auto_json answer = NULL;
	size_t nodes = 0;

	if (node == NULL)
		return 0;
	if (confine_run(&conf, ANSWER_MAX, &text, err) < 0)
		return -1;
	if (json_from_row(text.data == NULL ? "" : text.data, text.len, &answer) < 0)
		return err_set(err, ERR_INPUT, 0, "%s says what makes no sense", conf.what);
	if (node_check(answer, 0, &nodes, err) < 0)
		return -1;
	l->nodes += nodes;
	/* What this process knows by itself stands. */
	if (json_object_update_missing(node, answer) < 0)
		l->failed = true;
	return 0;
}

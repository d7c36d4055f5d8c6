/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/junit.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

/** Most bytes that the reader of a report answers: a row is a status, a name and a NUL. */
#define ROWS_MAX ((size_t)JUNIT_CASES_MAX * (JUNIT_NAME_MAX + 2))
/** Longest time it takes. */
#define READER_S 30

void junit_clear(struct junit *j)
{
	for (size_t i = 0; i < j->n; i++)
		free(j->v[i].name);
	free(j->v);
	*j = (struct junit){0};
}

/** The confined process's work. */
struct reading {
	const char *data;
	size_t n;
};

static int read_apart(void *arg, int out, struct err *err)
{
	const struct reading *r = arg;
	auto_buf rows = {0};

	if (junit_parse(r->data, r->n, &rows, err) < 0)
		return -1;
	return io_write_all(out, rows.data, rows.len, err);
}

/** Whether a name is one that junit_parse() gives: nothing else reaches a statement or a terminal. */
static bool is_name(const char *s)
{
	size_t left = strlen(s);

	if (left == 0 || left > JUNIT_NAME_MAX || !text_is_utf8(s))
		return false;
	for (; left > 0; s++, left--)
		if (text_control_len(s, left) != 0)
			return false;
	return true;
}

static bool take_row(struct junit *j, char status, const char *name)
{
	if (status < '0' + JUNIT_PASSED || status > '0' + JUNIT_FAILED || !is_name(name) || j->n == JUNIT_CASES_MAX ||
	    !array_room(&j->v, j->n, &j->cap))
		return false;
	j->v[j->n].name = strdup(name);
	if (j->v[j->n].name == NULL)
		return false;
	j->v[j->n].status = (enum junit_status)(status - '0');
	j->count[j->v[j->n++].status]++;
	return true;
}

bool junit_take(const char *rows, size_t n, struct junit *ret)
{
	auto_junit j = {0};

	for (size_t at = 0; at < n;) {
		size_t len = strnlen(rows + at, n - at);

		if (len == n - at || !take_row(&j, rows[at], rows + at + 1))
			return false;
		at += len + 1;
	}
	*ret = j;
	j = (struct junit){0};
	return true;
}

int junit_read(const char *what, const char *data, size_t n, struct junit *ret, struct err *err)
{
	struct reading r = { data, n };
	const struct confine_conf conf = {
		.what = "the reader of a test report", .fn = read_apart, .arg = &r, .kind = ERR_STEP, .cpu_s = READER_S, .wall_ms = READER_S * 1000,
	};
	auto_buf rows = {0};

	if (confine_run(&conf, ROWS_MAX, &rows, err) < 0)
		return err_ctx(err, "%s", what);
	if (!junit_take(rows.data == NULL ? "" : rows.data, rows.len, ret))
		return err_set(err, ERR_INTERNAL, 0, "%s: the reader of a test report has said something else", what);
	return 0;
}

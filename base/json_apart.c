/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from outside, read by a confined child, which says the values in rows (json_row.c). */
#include "base/json.h"

#include <errno.h>

#include "base/confine.h"
#include "base/io.h"
#include "base/own.h"

/** Most bytes that a value takes besides those of its text and its key's. */
#define VALUE_BYTES 14
/** What a document is read with: memory of jansson for the most values, twice over. */
#define READER_MEMORY (1ull << 30)
#define READER_SECONDS 60

/** A document on its way into a child. */
struct reading {
	const char *data;
	size_t n;
	const char *what;
};

/** In the child. */
static int read_apart(void *arg, int out, struct err *err)
{
	const struct reading *r = arg;
	json_t *j = NULL; /* not freed: the process ends */
	auto_buf row = {0};

	if (json_parse(r->data, r->n, r->what, ERR_INPUT, &j, err) < 0)
		return -1;
	json_to_row(j, &row);
	if (buf_check(&row, r->what, err) < 0)
		return -1;
	return io_write_all(out, row.data, row.len, err);
}

int json_parse_apart(const char *data, size_t n, const char *what, enum err_kind kind, json_t **ret, struct err *err)
{
	struct reading r = { data != NULL ? data : "", n, what };
	const struct confine_conf conf = {
		.what = "the reader of JSON", .fn = read_apart, .arg = &r, .kind = kind, .memory = READER_MEMORY,
		.cpu_s = READER_SECONDS, .wall_ms = READER_SECONDS * 1000,
	};
	auto_secret row = {0}; /* a token may be in it */

	if (n > JSON_INPUT_MAX)
		return err_set(err, kind, 0, "%s: larger than the limit of %u bytes", what, JSON_INPUT_MAX);
	if (confine_run(&conf, n + (n / 2 + 1) * VALUE_BYTES, &row, err) < 0)
		return -1;
	if (json_from_row(row.data != NULL ? row.data : "", row.len, ret) < 0)
		return err_set(err, kind, 0, "%s: nested more than %d deep, or its reader says what makes no sense", what, JSON_ROW_DEPTH_MAX);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <string.h>

#include "base/text.h"

/** At most how many values a text holds: one stands first in each container, or behind each comma. */
static size_t values_bound(const char *data, size_t n)
{
	size_t values = 1;
	bool string = false;

	for (size_t i = 0; i < n; i++) {
		char c = data[i];

		if (string && c == '\\')
			i++;
		else if (c == '"')
			string = !string;
		else if (!string && (c == ',' || c == '[' || c == '{'))
			values++;
	}
	return values;
}

int json_parse(const char *data, size_t n, const char *what, enum err_kind kind, json_t **ret, struct err *err)
{
	json_error_t why;

	if (n > JSON_INPUT_MAX)
		return err_set(err, kind, 0, "%s: larger than the limit of %u bytes", what, JSON_INPUT_MAX);
	/* A value has a byte at least. */
	if (n >= JSON_VALUES_MAX && values_bound(data, n) > JSON_VALUES_MAX)
		return err_set(err, kind, 0, "%s: more than the limit of %u values", what, JSON_VALUES_MAX);
	json_t *j = json_loadb(data, n, JSON_REJECT_DUPLICATES, &why);
	if (j == NULL)
		return err_set(err, kind, 0, "%s:%d:%d: not valid JSON: %s", what, why.line, why.column, why.text);
	*ret = j;
	return 0;
}

static int append(const char *data, size_t n, void *buf)
{
	buf_add(buf, data, n);
	return ((struct buf *)buf)->failed ? -1 : 0;
}

static int dump(const json_t *j, size_t flags, struct buf *out, struct err *err)
{
	size_t start = out->len;

	if (json_dump_callback(j, append, out, flags | JSON_SORT_KEYS | JSON_ENCODE_ANY) == 0)
		return 0;
	buf_seal(out, start);
	if (buf_check(out, "write JSON", err) < 0)
		return -1;
	return err_set(err, ERR_INTERNAL, 0, "write JSON: a value that JSON cannot hold, or memory is short");
}

int json_canonical(const json_t *j, struct buf *out, struct err *err)
{
	return dump(j, JSON_COMPACT, out, err);
}

int json_pretty(const json_t *j, struct buf *out, struct err *err)
{
	size_t start = out->len;

	if (dump(j, JSON_INDENT(2), out, err) < 0)
		return -1;
	buf_addc(out, '\n');
	if (buf_check(out, "write JSON", err) < 0) {
		buf_seal(out, start);
		return -1;
	}
	return 0;
}

json_t *json_strings(const char *const *list, size_t n)
{
	auto_json array = json_array();

	for (size_t i = 0; i < n && list[i] != NULL; i++)
		if (json_array_append_new(array, json_string(list[i])) < 0)
			return NULL;
	return move_ptr(array);
}

const char *json_str(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

json_t *json_bytes(const char *data, size_t n)
{
	auto_buf text = {0};

	while (n > 0) {
		const char *slash = memchr(data, '\\', n);
		size_t run = slash == NULL ? n : (size_t)(slash - data);

		text_printable(&text, data, run);
		if (slash != NULL) {
			buf_adds(&text, "\\134");
			run++;
		}
		data += run;
		n -= run;
	}
	if (text.failed)
		return NULL;
	return json_stringn(text.data == NULL ? "" : text.data, text.len);
}

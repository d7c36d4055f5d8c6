/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <errno.h>

#include "base/text.h"

int json_parse(const char *data, size_t n, const char *what, enum err_kind kind, json_t **ret, struct err *err)
{
	json_error_t why;

	if (n > JSON_INPUT_MAX)
		return err_set(err, kind, 0, "%s: larger than the limit of %u bytes", what, JSON_INPUT_MAX);
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
	if (json_dump_callback(j, append, out, flags | JSON_SORT_KEYS | JSON_ENCODE_ANY) < 0)
		return err_set(err, ERR_INTERNAL, out->failed ? ENOMEM : 0, "write JSON");
	return 0;
}

int json_canonical(const json_t *j, struct buf *out, struct err *err)
{
	return dump(j, JSON_COMPACT, out, err);
}

int json_pretty(const json_t *j, struct buf *out, struct err *err)
{
	if (dump(j, JSON_INDENT(2), out, err) < 0)
		return -1;
	buf_addc(out, '\n');
	return buf_check(out, "write JSON", err);
}

const char *json_str(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

json_t *json_bytes(const char *data, size_t n)
{
	auto_buf text = {0};

	for (size_t i = 0; i < n; ) {
		size_t len = text_utf8_len(data + i, n - i);

		if (len == 0 || (unsigned char)data[i] < 0x20 || data[i] == 0x7f || data[i] == '\\') {
			buf_addf(&text, "\\%03o", (unsigned char)data[i]);
			i++;
			continue;
		}
		buf_add(&text, data + i, len);
		i += len;
	}
	if (text.failed)
		return NULL;
	return json_stringn(text.data == NULL ? "" : text.data, text.len);
}

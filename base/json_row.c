/* SPDX-License-Identifier: Apache-2.0 */
/* Values as a confined child says them: a row so simple that this process can read it without a parser worth attacking:
 *
 *     value   'n' | 't' | 'f' | 'i' and 8 bytes | 'r' and 8 bytes | 's' STRING | 'a' COUNT value… | 'o' COUNT (STRING value)…
 *     STRING  4 bytes of length, and so many bytes of UTF-8
 *     COUNT   4 bytes
 *
 * Both ends are the same program: numbers are as memory has them. */
#include "base/json.h"

#include <string.h>

/* ---- in the child ------------------------------------------------------------------- */

static void put_string(const char *s, size_t n, struct buf *out)
{
	uint32_t len = (uint32_t)n;

	buf_add(out, &len, sizeof len);
	buf_add(out, s, n);
}

static void put_count(char type, size_t n, struct buf *out)
{
	uint32_t count = (uint32_t)n;

	buf_addc(out, type);
	buf_add(out, &count, sizeof count);
}

static void put_value(const json_t *j, struct buf *out);

static void put_container(const json_t *j, struct buf *out)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_array(j)) {
		put_count('a', json_array_size(j), out);
		json_array_foreach(j, i, value)
			put_value(value, out);
		return;
	}
	put_count('o', json_object_size(j), out);
	/* Only the macro for objects that may change lacks const. */
	json_object_foreach((json_t *)(uintptr_t)j, key, value) {
		put_string(key, strlen(key), out);
		put_value(value, out);
	}
}

static void put_value(const json_t *j, struct buf *out)
{
	int64_t integer = json_integer_value(j);
	double real = json_real_value(j);

	switch (json_typeof(j)) {
	case JSON_NULL: buf_addc(out, 'n'); return;
	case JSON_TRUE: buf_addc(out, 't'); return;
	case JSON_FALSE: buf_addc(out, 'f'); return;
	case JSON_INTEGER: buf_addc(out, 'i'); buf_add(out, &integer, sizeof integer); return;
	case JSON_REAL: buf_addc(out, 'r'); buf_add(out, &real, sizeof real); return;
	case JSON_STRING: buf_addc(out, 's'); put_string(json_string_value(j), json_string_length(j), out); return;
	case JSON_ARRAY:
	case JSON_OBJECT: put_container(j, out);
	}
}

void json_to_row(const json_t *j, struct buf *out)
{
	put_value(j, out);
}

/* ---- what it says ------------------------------------------------------------------- */

/** A row being read; nothing in it is believed. */
struct row {
	const char *at, *end;
	size_t values;      /**< so far */
};

static bool take(struct row *r, void *to, size_t n)
{
	if ((size_t)(r->end - r->at) < n)
		return false;
	memcpy(to, r->at, n);
	r->at += n;
	return true;
}

/** A string in the row itself; no NUL is in it. */
static bool take_string(struct row *r, const char **ret, size_t *ret_n)
{
	uint32_t n;

	if (!take(r, &n, sizeof n) || (size_t)(r->end - r->at) < n || memchr(r->at, '\0', n) != NULL)
		return false;
	*ret = r->at;
	*ret_n = n;
	r->at += n;
	return true;
}

static json_t *take_value(struct row *r, unsigned depth);

static bool take_member(struct row *r, json_t *object, unsigned depth)
{
	const char *s;
	size_t n;

	if (!take_string(r, &s, &n))
		return false;
	auto_free char *key = strndup(s, n);
	return key != NULL && json_object_get(object, key) == NULL && json_object_set_new(object, key, take_value(r, depth)) == 0;
}

static json_t *take_container(struct row *r, bool object, unsigned depth)
{
	auto_json j = object ? json_object() : json_array();
	uint32_t n;

	if (j == NULL || depth == JSON_ROW_DEPTH_MAX || !take(r, &n, sizeof n))
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		if (object ? !take_member(r, j, depth + 1) : json_array_append_new(j, take_value(r, depth + 1)) < 0)
			return NULL;
	json_t *whole = j;
	j = NULL;
	return whole;
}

/** A new reference, or NULL: it makes no sense, or memory is short. */
static json_t *take_value(struct row *r, unsigned depth)
{
	int64_t integer;
	double real;
	const char *s;
	size_t n;
	char type;

	if (r->values++ > JSON_VALUES_MAX || !take(r, &type, 1))
		return NULL;
	switch (type) {
	case 'n': return json_null();
	case 't': return json_true();
	case 'f': return json_false();
	case 'i': return take(r, &integer, sizeof integer) ? json_integer(integer) : NULL;
	case 'r': return take(r, &real, sizeof real) ? json_real(real) : NULL;
	case 's': return take_string(r, &s, &n) ? json_stringn(s, n) : NULL;
	case 'a':
	case 'o': return take_container(r, type == 'o', depth);
	default: return NULL;
	}
}

int json_from_row(const char *data, size_t n, json_t **ret)
{
	struct row r = { data, data + n, 0 };
	auto_json j = n > 0 && (data[0] == 'a' || data[0] == 'o') ? take_value(&r, 0) : NULL;

	if (j == NULL || r.at != r.end)
		return -1;
	*ret = j;
	j = NULL;
	return 0;
}

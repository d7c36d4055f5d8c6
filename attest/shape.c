/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/shape.h"

#include <string.h>

/** Names of json_type's values, in their order. */
static const char *const type_names[] = {
	"an object", "an array", "a string", "an integer", "a real number", "true", "false", "null",
};

/** Offset of the first byte in which the two differ. */
static size_t first_difference(const char *a, size_t na, const char *b, size_t nb)
{
	size_t i = 0;

	while (i < na && i < nb && a[i] == b[i])
		i++;
	return i;
}

int shape_parse_canonical(const char *text, size_t n, size_t newlines, const char *what, json_t **ret, struct err *err)
{
	auto_json j = NULL;
	auto_buf canonical = {0};

	if (json_parse(text, n, what, ERR_UNVERIFIED, &j, err) < 0)
		return -1;
	if (json_canonical(j, &canonical, err) < 0)
		return err_ctx(err, "%s", what);
	for (size_t i = 0; i < newlines; i++)
		buf_addc(&canonical, '\n');
	if (buf_check(&canonical, what, err) < 0)
		return -1;
	if (canonical.len != n || memcmp(canonical.data, text, n) != 0)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: byte %zu is not as glovebox writes it (canonical JSON); use the "
			       "file as it was made, not a reformatted copy", what,
			       first_difference(canonical.data, canonical.len, text, n));
	*ret = move_ptr(j);
	return 0;
}

int shape_optional(const json_t *object, const char *name, json_type type, const char *where,
		   const json_t **ret, struct err *err)
{
	const json_t *j = json_object_get(object, name);

	if (j != NULL && json_typeof(j) != type)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: member '%s' must be %s, not %s", where, name,
			       type_names[type], type_names[json_typeof(j)]);
	*ret = j;
	return 0;
}

int shape_member(const json_t *object, const char *name, json_type type, const char *where,
		 const json_t **ret, struct err *err)
{
	const json_t *j = NULL;

	if (shape_optional(object, name, type, where, &j, err) < 0)
		return -1;
	if (j == NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: member '%s' is missing", where, name);
	*ret = j;
	return 0;
}

int shape_string(const json_t *object, const char *name, const char *where, const char **ret, struct err *err)
{
	const json_t *j;

	if (shape_member(object, name, JSON_STRING, where, &j, err) < 0)
		return -1;
	if (json_string_length(j) == 0)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: member '%s' is empty", where, name);
	*ret = json_string_value(j);
	return 0;
}

int shape_equals(const json_t *object, const char *name, const char *value, const char *where, struct err *err)
{
	const char *s;

	if (shape_string(object, name, where, &s, err) < 0)
		return -1;
	if (strcmp(s, value) != 0)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: member '%s' is '%.*s', must be '%s'", where, name,
			       SHAPE_SHOWN, s, value);
	return 0;
}

int shape_only(const json_t *object, const char *const *names, const char *where, struct err *err)
{
	const char *key;
	json_t *value;

	/* The iteration macro asks for a pointer it could write through; it does not. */
	json_object_foreach((json_t *)object, key, value) {
		const char *const *known = names;

		while (*known != NULL && strcmp(*known, key) != 0)
			known++;
		if (*known == NULL)
			return err_set(err, ERR_UNVERIFIED, 0, "%s: unknown member '%.*s'", where, SHAPE_SHOWN, key);
	}
	return 0;
}

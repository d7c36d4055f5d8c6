/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/node.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/** Sets a member to a new value, which may be NULL. */
static void set(struct look *l, json_t *object, const char *key, json_t *value)
{
	if (object != NULL && json_object_set_new(object, key, value) < 0)
		l->failed = true;
	else if (object == NULL)
		json_decref(value);
}

/** The array member @p key, made where it is not there yet; borrowed. */
static json_t *list(struct look *l, json_t *node, const char *key)
{
	json_t *v = node == NULL ? NULL : json_object_get(node, key);

	if (v == NULL && node != NULL) {
		v = json_array();
		set(l, node, key, v);
	}
	return node == NULL ? NULL : v;
}

static void append(struct look *l, json_t *array, json_t *value)
{
	if (array == NULL)
		json_decref(value);
	else if (json_array_append_new(array, value) < 0)
		l->failed = true;
}

static json_t *text(const char *s)
{
	return s == NULL ? json_null() : json_bytes(s, strlen(s));
}

static json_t *brief(const struct words *w)
{
	auto_buf shown = {0};

	if (w == NULL)
		return json_null();
	text_brief(&shown, w->s, w->n, NODE_STRING_BYTES);
	return shown.failed ? NULL : json_stringn(shown.data == NULL ? "" : shown.data, shown.len);
}

json_t *node_add(struct look *l, json_t *parent, const char *path, const char *kind)
{
	json_t *node;

	if (parent == NULL)
		return NULL;
	if (l->nodes >= NODES_MAX) {
		set(l, parent, "more", json_integer(json_integer_value(json_object_get(parent, "more")) + 1));
		return NULL;
	}
	l->nodes++;
	node = json_object();
	set(l, node, "path", text(path));
	set(l, node, "kind", json_string(kind));
	if (node == NULL)
		l->failed = true;
	else
		append(l, list(l, parent, "inside"), node);
	return l->failed ? NULL : node;
}

void node_text(struct look *l, json_t *node, const char *key, const char *s)
{
	if (node != NULL)
		set(l, node, key, text(s));
}

void node_field(struct look *l, json_t *node, const char *field, const char *a, const char *b, enum cause cause)
{
	if (node == NULL)
		return;
	append(l, list(l, node, "metadata"), json_pack("{s:s, s:o, s:o}", "field", field, "a", text(a), "b", text(b)));
	if (cause == CAUSE_NONE)
		return;
	auto_buf what = {0};
	buf_addf(&what, "%s: ", field);
	if (what.failed)
		l->failed = true;
	else
		node_causes(l, node, CAUSE_SET(cause), what.data, (struct words){ a, strlen(a) }, (struct words){ b, strlen(b) });
}

void node_field_words(struct look *l, json_t *node, const char *field, const char *a, const char *b)
{
	struct words x = { a, strlen(a) }, y = { b, strlen(b) };
	auto_buf what = {0};

	node_field(l, node, field, a, b, CAUSE_NONE);
	buf_addf(&what, "%s: ", field);
	if (what.failed)
		l->failed = true;
	else
		node_causes(l, node, cause_of_words(x, y), what.data, x, y);
}

void node_field_number(struct look *l, json_t *node, const char *field, uint64_t a, uint64_t b, enum cause cause)
{
	char x[24], y[24];

	snprintf(x, sizeof x, "%" PRIu64, a);
	snprintf(y, sizeof y, "%" PRIu64, b);
	node_field(l, node, field, x, y, cause);
}

void node_field_time(struct look *l, json_t *node, const char *field, int64_t a, int64_t b)
{
	char x[32], y[32];

	node_field(l, node, field, text_time(a, x), text_time(b, y), CAUSE_TIMESTAMP);
}

void node_cause(struct look *l, json_t *node, enum cause cause, const char *evidence)
{
	json_t *causes = cause == CAUSE_NONE ? NULL : list(l, node, "causes"), *c;
	size_t i;

	json_array_foreach(causes, i, c) {
		if (cause_named(json_str(c, "cause")) == cause) {
			set(l, c, "count", json_integer(json_integer_value(json_object_get(c, "count")) + 1));
			return;
		}
	}
	if (causes != NULL)
		append(l, causes, json_pack("{s:s, s:o, s:i}", "cause", cause_name(cause), "evidence", text(evidence), "count", 1));
}

void node_causes(struct look *l, json_t *node, cause_set causes, const char *what, struct words a, struct words b)
{
	auto_buf evidence = {0};

	if (node == NULL || causes == 0)
		return;
	buf_adds(&evidence, what);
	node_evidence(&evidence, a, b);
	l->failed = l->failed || evidence.failed;
	for (size_t c = 1; !evidence.failed && c < CAUSE_COUNT; c++)
		if (causes & CAUSE_SET(c))
			node_cause(l, node, (enum cause)c, evidence.data);
}

void node_strings(struct look *l, json_t *node, const struct words *a, const struct words *b)
{
	json_t *strings = list(l, node, "strings");

	if (strings != NULL && json_array_size(strings) < NODE_STRINGS)
		append(l, strings, json_pack("{s:o, s:o}", "a", brief(a), "b", brief(b)));
}

/** The part of @p w around the byte @p at. */
static struct words around(struct words w, size_t at)
{
	size_t from = at > NODE_STRING_BYTES / 2 ? at - NODE_STRING_BYTES / 2 : 0;

	return (struct words){ w.s + from, w.n - from };
}

void node_evidence(struct buf *out, struct words a, struct words b)
{
	size_t same = 0;

	while (same < a.n && same < b.n && a.s[same] == b.s[same])
		same++;
	a = around(a, same);
	b = around(b, same);
	buf_addc(out, '\'');
	text_brief(out, a.s, a.n, NODE_STRING_BYTES);
	buf_adds(out, "' in A, '");
	text_brief(out, b.s, b.n, NODE_STRING_BYTES);
	buf_adds(out, "' in B");
}

static json_t *hex(const unsigned char *p, size_t n)
{
	char out[2 * NODE_CONTEXT + 1] = "";

	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
	return json_string(out);
}

int node_content(struct look *l, json_t *node, const struct slice *a, const struct slice *b, uint64_t at, struct err *err)
{
	uint64_t from = at > NODE_BEFORE ? at - NODE_BEFORE : 0;
	unsigned char x[NODE_CONTEXT], y[NODE_CONTEXT];
	size_t n, m;

	if (node == NULL || at == BYTES_SAME)
		return 0;
	if (bytes_read(a, from, x, sizeof x, &n, err) < 0 || bytes_read(b, from, y, sizeof y, &m, err) < 0)
		return -1;
	set(l, node, "content", json_pack("{s:I, s:I, s:I, s:I, s:o, s:o}", "sizeA", (json_int_t)a->size, "sizeB", (json_int_t)b->size,
					  "offset", (json_int_t)at, "from", (json_int_t)from, "contextA", hex(x, n), "contextB", hex(y, m)));
	return 0;
}

bool node_is_empty(const json_t *node)
{
	static const char *const keys[] = { "metadata", "content", "causes", "inside", "strings", "more", "note" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (json_object_get(node, keys[i]) != NULL)
			return false;
	return true;
}

/* ---- what is believed --------------------------------------------------------------------------- */

static int refuse(struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "the reader's answer is none");
}

/** Whether an object has these members and no others, all text (or null), but those behind @p ntexts, whole numbers. */
static bool has_form(const json_t *object, const char *const *keys, size_t ntexts, size_t n)
{
	if (!json_is_object(object) || json_object_size(object) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_object_get(object, keys[i]);

		if (i < ntexts ? !json_is_string(v) && !json_is_null(v) : !json_is_integer(v) || json_integer_value(v) < 0)
			return false;
	}
	return true;
}

static bool all_have_form(const json_t *array, const char *const *keys, size_t ntexts, size_t n)
{
	size_t i;
	json_t *v;

	if (array != NULL && !json_is_array(array))
		return false;
	json_array_foreach(array, i, v) {
		if (!has_form(v, keys, ntexts, n))
			return false;
	}
	return true;
}

static bool has_sound_lists(const json_t *node)
{
	static const char *const field[] = { "field", "a", "b" }, *const strings[] = { "a", "b" };
	static const char *const cause[] = { "cause", "evidence", "count" };
	static const char *const content[] = { "contextA", "contextB", "sizeA", "sizeB", "offset", "from" };
	const json_t *causes = json_object_get(node, "causes"), *at = json_object_get(node, "content");
	size_t i;
	json_t *v;

	if (!all_have_form(json_object_get(node, "metadata"), field, 3, 3) ||
	    !all_have_form(json_object_get(node, "strings"), strings, 2, 2) || !all_have_form(causes, cause, 2, 3) ||
	    (at != NULL && !has_form(at, content, 2, 6)))
		return false;
	json_array_foreach(causes, i, v) {
		if (cause_named(json_str(v, "cause")) == CAUSE_NONE || json_str(v, "evidence") == NULL)
			return false;
	}
	return true;
}

static bool has_sound_texts(const json_t *node)
{
	static const char *const texts[] = { "path", "kind", "to", "format", "note" };
	const json_t *more = json_object_get(node, "more");
	size_t known = 0;

	if (!json_is_object(node))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const json_t *v = json_object_get(node, texts[i]);

		if (v != NULL && !json_is_string(v))
			return false;
		known += v != NULL;
	}
	for (size_t i = 0; i < 5; i++)
		known += json_object_get(node, (const char *const[]){ "metadata", "content", "strings", "causes", "inside" }[i]) != NULL;
	return (more == NULL || json_is_integer(more)) && known + (more != NULL) == json_object_size(node);
}

int node_check(const json_t *node, int depth, size_t *count, struct err *err)
{
	const json_t *inside = json_object_get(node, "inside");
	size_t i;
	json_t *v;

	if (depth > NODES_DEPTH || ++*count > NODES_MAX + 1 || !has_sound_texts(node) || !has_sound_lists(node) ||
	    (inside != NULL && !json_is_array(inside)))
		return refuse(err);
	json_array_foreach(inside, i, v) {
		if (json_str(v, "path") == NULL || json_str(v, "kind") == NULL)
			return refuse(err);
		if (node_check(v, depth + 1, count, err) < 0)
			return -1;
	}
	return 0;
}

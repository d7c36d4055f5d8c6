/* SPDX-License-Identifier: Apache-2.0 */
/* The report as text. Its strings come from json_bytes() or from a confined process: each is made printable here. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "inspect/inspect.h"
#include "inspect/node.h"

/** Differences that the text tells of; all are in the JSON. */
#define RENDER_NODES 200
/** Strings of one thing. */
#define RENDER_STRINGS 3

struct page {
	struct buf *out;
	size_t nodes;     /* so far */
	json_int_t left_out;
};

static void add_text(struct buf *out, const char *s)
{
	if (s != NULL)
		text_printable(out, s, strlen(s));
}

static void add_indent(struct page *p, int depth)
{
	for (int i = 0; i < depth; i++)
		buf_adds(p->out, "  ");
}

/** One line of hex and letters. */
static void add_context(struct page *p, int depth, const char *side, json_int_t from, const char *hex)
{
	size_t n = strlen(hex) / 2;

	add_indent(p, depth);
	buf_addf(p->out, "%s %08" PRIx64 "  ", side, (uint64_t)from);
	for (size_t i = 0; i < n; i++)
		buf_addf(p->out, "%.2s%s", hex + 2 * i, i % 4 == 3 ? " " : "");
	buf_adds(p->out, " |");
	for (size_t i = 0; i < n; i++) {
		const char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
		long c = strtol(digits, NULL, 16);

		buf_addc(p->out, c >= 0x20 && c < 0x7f ? (char)c : '.');
	}
	buf_adds(p->out, "|\n");
}

static bool is_hex(const char *s)
{
	return s != NULL && strlen(s) % 2 == 0 && s[strspn(s, "0123456789abcdef")] == '\0';
}

static void add_content(struct page *p, int depth, const json_t *content)
{
	const char *a = json_str(content, "contextA"), *b = json_str(content, "contextB");
	json_int_t x = json_integer_value(json_object_get(content, "sizeA")), y = json_integer_value(json_object_get(content, "sizeB"));
	json_int_t from = json_integer_value(json_object_get(content, "from"));

	if (content == NULL)
		return;
	add_indent(p, depth);
	buf_addf(p->out, "differs from byte %" JSON_INTEGER_FORMAT " on", json_integer_value(json_object_get(content, "offset")));
	if (x == y)
		buf_addf(p->out, ", of %" JSON_INTEGER_FORMAT "\n", x);
	else
		buf_addf(p->out, "; %" JSON_INTEGER_FORMAT " bytes in A, %" JSON_INTEGER_FORMAT " in B\n", x, y);
	if (!is_hex(a) || !is_hex(b))
		return;
	add_context(p, depth, "A", from, a);
	add_context(p, depth, "B", from, b);
}

/** "FIELD: a -> b", a line each. */
static void add_metadata(struct page *p, int depth, const json_t *fields)
{
	size_t i;
	json_t *f;

	json_array_foreach(fields, i, f) {
		add_indent(p, depth);
		add_text(p->out, json_str(f, "field"));
		buf_adds(p->out, ": '");
		add_text(p->out, json_str(f, "a"));
		buf_adds(p->out, "' in A, '");
		add_text(p->out, json_str(f, "b"));
		buf_adds(p->out, "' in B\n");
	}
}

static void add_strings(struct page *p, int depth, const json_t *strings)
{
	size_t i;
	json_t *s;

	json_array_foreach(strings, i, s) {
		const char *a = json_str(s, "a"), *b = json_str(s, "b");

		if (i >= RENDER_STRINGS)
			return;
		for (int side = 0; side < 2; side++) {
			if ((side == 0 ? a : b) == NULL)
				continue;
			add_indent(p, depth);
			buf_adds(p->out, side == 0 ? "- " : "+ ");
			add_text(p->out, side == 0 ? a : b);
			buf_addc(p->out, '\n');
		}
	}
}

static void add_causes(struct page *p, int depth, const json_t *causes)
{
	size_t i;
	json_t *c;

	json_array_foreach(causes, i, c) {
		add_indent(p, depth);
		buf_addf(p->out, "likely cause: %s: ", cause_name(cause_named(json_str(c, "cause"))));
		add_text(p->out, json_str(c, "evidence"));
		buf_addc(p->out, '\n');
	}
}

static json_int_t more_of(const json_t *node)
{
	return json_integer_value(json_object_get(node, "more"));
}

static void add_headline(struct page *p, int depth, const json_t *node)
{
	const char *kind = json_str(node, "kind"), *to = json_str(node, "to"), *format = json_str(node, "format");

	add_indent(p, depth);
	add_text(p->out, json_str(node, "path"));
	if (strcmp(kind, "added") == 0)
		buf_adds(p->out, ": only in B");
	else if (strcmp(kind, "removed") == 0)
		buf_adds(p->out, ": only in A");
	else if (to != NULL) {
		buf_adds(p->out, ": in B it is ");
		add_text(p->out, to);
	}
	if (format != NULL) {
		buf_adds(p->out, " (");
		add_text(p->out, format);
		buf_addc(p->out, ')');
	}
	buf_addc(p->out, '\n');
}

static void add_node(struct page *p, int depth, const json_t *node)
{
	size_t i;
	json_t *v;

	if (p->nodes >= RENDER_NODES) {
		p->left_out++;
		return;
	}
	p->nodes++;
	add_headline(p, depth, node);
	add_metadata(p, depth + 1, json_object_get(node, "metadata"));
	add_content(p, depth + 1, json_object_get(node, "content"));
	add_strings(p, depth + 1, json_object_get(node, "strings"));
	if (json_str(node, "note") != NULL) {
		add_indent(p, depth + 1);
		add_text(p->out, json_str(node, "note"));
		buf_addc(p->out, '\n');
	}
	add_causes(p, depth + 1, json_object_get(node, "causes"));
	p->left_out += more_of(node);
	json_array_foreach(json_object_get(node, "inside"), i, v) {
		add_node(p, depth + 1, v);
	}
}

static void add_sum(struct buf *out, const json_t *c)
{
	json_int_t n = json_integer_value(json_object_get(c, "count"));

	add_text(out, json_str(c, "cause"));
	if (n > 1)
		buf_addf(out, " (%" JSON_INTEGER_FORMAT " times)", n);
	buf_adds(out, ": ");
	add_text(out, json_str(c, "where"));
	buf_adds(out, json_str(c, "where")[0] != '\0' ? ": " : "");
	add_text(out, json_str(c, "evidence"));
}

static void add_side(struct buf *out, const json_t *report, const char *key, const char *label)
{
	const json_t *side = json_object_get(report, key);

	buf_addf(out, "%s ", label);
	add_text(out, json_str(side, "path"));
	buf_addf(out, " (%s)\n", json_str(side, "kind"));
}

static void add_conclusion(struct buf *out, const json_t *report)
{
	size_t i;
	json_t *c;

	if (diff_is_same(report)) {
		buf_adds(out, "same\n");
		return;
	}
	if (json_array_size(json_object_get(report, "causes")) == 0)
		buf_adds(out, "\nno cause that these differences show by themselves\n");
	else
		buf_adds(out, "\nLikely causes\n");
	json_array_foreach(json_object_get(report, "causes"), i, c) {
		buf_adds(out, "  ");
		add_sum(out, c);
		buf_adds(out, "\n    cure: ");
		add_text(out, json_str(c, "cure"));
		buf_addc(out, '\n');
	}
}

int diff_text(const json_t *report, struct buf *out, struct err *err)
{
	auto_buf text = {0};
	struct page p = { .out = &text, .left_out = more_of(report) };
	size_t i;
	json_t *v;

	add_side(&text, report, "a", "A");
	add_side(&text, report, "b", "B");
	json_array_foreach(json_object_get(report, "differences"), i, v) {
		add_node(&p, 0, v);
	}
	if (p.left_out > 0)
		buf_addf(&text, "and %" JSON_INTEGER_FORMAT " differences more (--json has up to %d)\n", p.left_out, NODES_MAX);
	add_conclusion(&text, report);
	if (buf_check(&text, "print the report", err) < 0)
		return -1;
	buf_add(out, text.data, text.len);
	return buf_check(out, "print the report", err);
}

int diff_summary(const json_t *report, struct buf *out, struct err *err)
{
	const json_t *causes = json_object_get(report, "causes"), *differences = json_object_get(report, "differences");
	size_t i;
	json_t *v;

	json_array_foreach(differences, i, v) {
		/* The things themselves are told of by the whole report. */
		if (i >= RENDER_STRINGS)
			break;
		buf_adds(out, i == 0 ? "" : ", ");
		add_text(out, json_str(v, "path"));
	}
	buf_adds(out, json_array_size(differences) > RENDER_STRINGS ? " and more differ" : " differs");
	json_array_foreach(causes, i, v) {
		buf_adds(out, i == 0 ? "; likely cause: " : "; ");
		add_sum(out, v);
	}
	return buf_check(out, "print the report", err);
}

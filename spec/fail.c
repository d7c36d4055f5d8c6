/* SPDX-License-Identifier: Apache-2.0 */
/* How the reader words its refusals. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "spec/reader.h"

/** Appends the path of @p node from the root, as people write it: spec.tests[0].name. */
static void add_path(struct buf *out, const struct node *node)
{
	char q[QUOTE_SIZE];

	if (node->up == NULL)
		return;
	add_path(out, node->up);
	if (node->up->kind == NODE_LIST) {
		size_t i = 0;

		for (const struct node *n = node->up->first; n != node; n = n->next)
			i++;
		buf_addf(out, "[%zu]", i);
		return;
	}
	if (out->len != 0)
		buf_addc(out, '.');
	/* Only names that anyone may choose need quotes. */
	buf_adds(out, text_is_name(node->key) ? node->key : quote(q, node->key));
}

__attribute__((format(printf, 4, 0)))
static int fail(const struct reader *r, struct spec_pos pos, const struct node *node, const char *fmt, va_list ap)
{
	char message[ERR_MSG_MAX];
	auto_buf path = {0};

	vsnprintf(message, sizeof message, fmt, ap);
	add_path(&path, node);
	if (path.failed)
		return reader_no_memory(r);
	const char *file = spec_file(r->spec, pos);
	if (path.len == 0)
		return yaml_error(file, pos, r->err, "%s", message);
	return yaml_error(file, pos, r->err, "%s: %s", path.data, message);
}

int value_error(const struct reader *r, const struct node *node, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(r, node->pos, node, fmt, ap);
	va_end(ap);
	return -1;
}

int key_error(const struct reader *r, const struct node *node, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(r, node->key_pos, node, fmt, ap);
	va_end(ap);
	return -1;
}

int reader_no_memory(const struct reader *r)
{
	return err_set(r->err, ERR_INTERNAL, ENOMEM, "%s: reading the spec", r->file);
}

/** Writes what @p node is, for a message. */
static const char *describe(char *out, size_t size, const struct node *node)
{
	char q[QUOTE_SIZE];

	if (node->kind != NODE_SCALAR)
		return node->kind == NODE_MAP ? "a mapping" : "a list";
	quote(q, node->text);
	if (!node->plain) {
		snprintf(out, size, "the string %s", q);
		return out;
	}
	switch (scalar_kind(node->text)) {
	case SCALAR_NULL:
		return "nothing";
	case SCALAR_BOOL:
		snprintf(out, size, "the boolean %s", node->text);
		break;
	case SCALAR_INT:
	case SCALAR_FLOAT:
		snprintf(out, size, "the number %s", q);
		break;
	case SCALAR_UNCLEAR:
		snprintf(out, size, "%s, which YAML readers take for different things", q);
		break;
	default:
		snprintf(out, size, "the string %s", q);
	}
	return out;
}

/** What to do about a value that should be of type @p want. */
static void add_hint(struct buf *out, const struct node *node, enum schema_type want)
{
	bool plain = node->kind == NODE_SCALAR && node->plain;

	if (plain && scalar_kind(node->text) == SCALAR_NULL)
		buf_adds(out, "give it a value or remove the key");
	else if (want == SCHEMA_MAP || want == SCHEMA_PAIRS)
		buf_adds(out, "write KEY: VALUE lines below it, indented");
	else if (want == SCHEMA_LIST || want == SCHEMA_STRINGS)
		buf_adds(out, "begin each entry with '- '");
	else if (want == SCHEMA_BOOL)
		buf_adds(out, "write true or false, without quotes");
	else if (want == SCHEMA_INT || want == SCHEMA_NUMBER)
		buf_adds(out, "write it in decimal digits, without quotes");
	else if (plain)
		buf_adds(out, "put it in quotes");
	else
		buf_adds(out, "write a single value");
}

int type_error(const struct reader *r, const struct node *node, enum schema_type want, const char *expected)
{
	char found[QUOTE_SIZE + 80];
	auto_buf hint = {0};

	add_hint(&hint, node, want);
	if (hint.failed)
		return reader_no_memory(r);
	return value_error(r, node, "expected %s, found %s; %s", expected, describe(found, sizeof found, node), hint.data);
}

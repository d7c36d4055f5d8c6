/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of the YAML tree, and what their scalars mean. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "spec/yaml.h"

/** Longest part of a value that a message repeats. */
#define QUOTE_BYTES 60

void node_free(struct node *node)
{
	if (node == NULL)
		return;
	/* Recursion is bounded by SPEC_DEPTH_MAX. */
	for (struct node *entry = node->first, *next; entry != NULL; entry = next) {
		next = entry->next;
		node_free(entry);
	}
	free(node->text);
	free(node->key);
	free(node);
}

void node_append(struct node *in, struct node *node)
{
	node->up = in;
	node->next = NULL;
	*(in->last != NULL ? &in->last->next : &in->first) = node;
	in->last = node;
	in->n++;
}

const struct node *node_get(const struct node *map, const char *key)
{
	if (map == NULL || map->kind != NODE_MAP)
		return NULL;
	for (const struct node *entry = map->first; entry != NULL; entry = entry->next)
		if (strcmp(entry->key, key) == 0)
			return entry;
	return NULL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool one_of(const char *text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcasecmp(text, *words) == 0)
			return true;
	return false;
}

/** Whether all of @p s (not empty) is digits of the kind that some YAML reader takes in a number. */
static bool is_loose_number(const char *s)
{
	size_t n = strlen(s);
	size_t digits = strspn(s, "0123456789_");

	if (digits == n)
		return is_digit(s[0]);
	if (s[0] == '0' && s[1] != '\0' && strchr("xXoObB", s[1]) != NULL)
		return s[2] != '\0' && strspn(s + 2, "0123456789abcdefABCDEF_") == n - 2;
	return false;
}

/** [0-9]*\.?[0-9]*([eE][+-]?[0-9]+)? with a digit before or after the point: a float of YAML 1.1 or 1.2. */
static bool is_float(const char *s)
{
	if (!is_digit(s[0]) && !(s[0] == '.' && is_digit(s[1])))
		return false;
	s += strspn(s, "0123456789_");
	if (*s == '.')
		s++;
	s += strspn(s, "0123456789_");
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '+' || *s == '-')
			s++;
		if (!is_digit(*s))
			return false;
		s += strspn(s, "0123456789");
	}
	return *s == '\0';
}

enum scalar_kind scalar_kind(const char *text)
{
	static const char *const nulls[] = { "", "~", "null", NULL };
	static const char *const unclear[] = { "true", "false", "yes", "no", "on", "off", "y", "n", NULL };
	static const char *const floats[] = { ".inf", ".nan", NULL };
	const char *digits = text + (text[0] == '-' || text[0] == '+');

	if (one_of(text, nulls))
		return SCALAR_NULL;
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return SCALAR_BOOL;
	if (one_of(text, unclear))
		return SCALAR_UNCLEAR;
	if (is_digit(digits[0]) && strspn(digits, "0123456789") == strlen(digits))
		return text[0] != '+' && (digits[0] != '0' || digits[1] == '\0') ? SCALAR_INT : SCALAR_UNCLEAR;
	if (is_loose_number(digits))
		return SCALAR_UNCLEAR;
	if (is_float(digits) || one_of(digits, floats))
		return SCALAR_FLOAT;
	return SCALAR_STRING;
}

int yaml_error(const char *file, struct spec_pos pos, struct err *err, const char *fmt, ...)
{
	char message[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	return err_set(err, ERR_USAGE, 0, "%s:%u:%u: %s", file, pos.line, pos.col, message);
}

const char *quote(char out[QUOTE_SIZE], const char *s)
{
	size_t all = strlen(s), n = 0, step;
	auto_buf b = {0};

	while (n < all && n < QUOTE_BYTES && (step = text_utf8_len(s + n, all - n)) != 0)
		n += step;
	buf_addc(&b, '\'');
	text_printable(&b, s, n);
	buf_adds(&b, n < all ? "…'" : "'");
	snprintf(out, QUOTE_SIZE, "%s", b.failed ? "it" : b.data);
	return out;
}

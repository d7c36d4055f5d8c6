/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of spec/ share: judging a text, and writing YAML from JSON values
 * while noting where each value stands. */
#ifndef GB_TEST_SPEC_HELPER_H
#define GB_TEST_SPEC_HELPER_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "spec/spec.h"

#define HEAD "apiVersion: platform.build/v1\nkind: BuildSpec\nmetadata:\n  name: x\nspec:\n"
#define BUILD "  build:\n    command: make\n"

/** Parses text that must be good. */
static inline struct spec *parse_good(const char *text, size_t n)
{
	struct spec *spec = NULL;
	struct err err = {0};

	if (spec_parse("b.yaml", text, n, &spec, &err) < 0)
		fail_msg("refused: %s\n%s", err.msg, text);
	return spec;
}

static inline struct spec *good(const char *text)
{
	return parse_good(text, strlen(text));
}

/** Parses text that must be refused with exactly this message. */
static inline void parse_bad(const char *text, size_t n, const char *want)
{
	struct spec *spec = (struct spec *)&spec;
	struct err err = {0};

	if (spec_parse("b.yaml", text, n, &spec, &err) == 0)
		fail_msg("accepted, but should be: %s\n%s", want, text);
	if (strcmp(err.msg, want) != 0)
		fail_msg("got:  %s\nwant: %s\n%s", err.msg, want, n < 4000 ? text : "(long)");
	assert_int_equal(err.kind, ERR_USAGE);
	/* Outputs stay untouched on failure. */
	assert_ptr_equal(spec, &spec);
}

static inline void bad(const char *text, const char *want)
{
	parse_bad(text, strlen(text), want);
}

/** Text with one value's place looked for. */
struct emitter {
	struct buf out;
	const char *want;            /**< path, such as spec.tests[0].name; "" is the document */
	struct spec_pos key, value;  /**< where it is */
	unsigned line;
	size_t line_start;
};

static inline struct spec_pos here(const struct emitter *e)
{
	return (struct spec_pos){ e->line, (unsigned)(e->out.len - e->line_start) + 1 };
}

static inline void new_line(struct emitter *e, int indent)
{
	buf_addc(&e->out, '\n');
	e->line++;
	e->line_start = e->out.len;
	for (int i = 0; i < indent; i++)
		buf_addc(&e->out, ' ');
}

static void emit(struct emitter *e, const json_t *v, int indent, const char *path);

static inline void emit_map(struct emitter *e, const json_t *v, int indent, const char *path)
{
	const char *key;
	json_t *value;
	bool first = true;

	json_object_foreach((json_t *)v, key, value) {
		char sub[1024];

		snprintf(sub, sizeof sub, "%s%s%s", path, *path != '\0' ? "." : "", key);
		if (!first)
			new_line(e, indent);
		first = false;
		if (strcmp(sub, e->want) == 0)
			e->key = here(e);
		buf_addf(&e->out, "%s:", key);
		bool nested = (json_is_object(value) || json_is_array(value)) &&
			(json_object_size(value) != 0 || json_array_size(value) != 0);
		if (nested)
			new_line(e, indent + 2);
		else
			buf_addc(&e->out, ' ');
		emit(e, value, indent + 2, sub);
	}
}

static inline void emit_list(struct emitter *e, const json_t *v, int indent, const char *path)
{
	for (size_t i = 0; i < json_array_size(v); i++) {
		char sub[1024];

		snprintf(sub, sizeof sub, "%s[%zu]", path, i);
		if (i != 0)
			new_line(e, indent);
		buf_adds(&e->out, "- ");
		if (strcmp(sub, e->want) == 0)
			e->key = here(e);
		emit(e, json_array_get(v, i), indent + 2, sub);
	}
}

/** Writes @p v where the line stands. A string that begins with "!raw " goes in as it is. */
static void emit(struct emitter *e, const json_t *v, int indent, const char *path)
{
	if (strcmp(path, e->want) == 0)
		e->value = here(e);
	if (json_object_size(v) != 0) {
		emit_map(e, v, indent, path);
	} else if (json_array_size(v) != 0) {
		emit_list(e, v, indent, path);
	} else if (json_is_string(v) && strncmp(json_string_value(v), "!raw ", 5) == 0) {
		buf_adds(&e->out, json_string_value(v) + 5);
	} else {
		char *text = json_dumps(v, JSON_ENCODE_ANY);

		buf_adds(&e->out, text);
		free(text);
	}
}

/** Reads a file of the tests whole. */
static inline void read_data(const char *name, struct buf *out)
{
	struct err err = {0};
	char path[256];

	snprintf(path, sizeof path, "tests/unit/spec/data/%s", name);
	if (io_read_file(AT_FDCWD, path, SPEC_TEXT_MAX, out, &err) < 0)
		fail_msg("%s", err.msg);
}

#endif

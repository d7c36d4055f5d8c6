/* SPDX-License-Identifier: Apache-2.0 */
/* The public face: text in, struct spec out. */
#include "spec/spec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "spec/reader.h"

static void clear_list(struct spec_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	*list = (struct spec_list){0};
}

static void clear_map(struct spec_map *map)
{
	for (size_t i = 0; i < map->n; i++) {
		free(map->v[i].name);
		free(map->v[i].value);
	}
	free(map->v);
	*map = (struct spec_map){0};
}

static void clear_items(const struct schema_row *row, void *base)
{
	char **items = (char **)((char *)base + row->at);
	size_t *n = (size_t *)((char *)base + row->n_at);

	for (size_t i = 0; i < *n; i++)
		clear_values(row, *items + i * row->item_size);
	free(*items);
	*items = NULL;
	*n = 0;
}

/** Frees what one row has stored. */
static void clear_value(const struct schema_row *row, void *base)
{
	char *at = (char *)base + row->at;

	switch (row->type) {
	case SCHEMA_STRING:
	case SCHEMA_WORD:
		free(*(char **)at);
		*(char **)at = NULL;
		break;
	case SCHEMA_STRINGS:
		clear_list((struct spec_list *)at);
		break;
	case SCHEMA_PAIRS:
		clear_map((struct spec_map *)at);
		break;
	case SCHEMA_LIST:
		clear_items(row, base);
		break;
	default:
		break;
	}
}

void clear_values(const struct schema_row *parent, void *base)
{
	const struct schema_row *row = NULL;

	while ((row = schema_next(parent, row)) != NULL) {
		if (row->type == SCHEMA_MAP && row->status != SCHEMA_LATER)
			clear_values(row, base);
		else if (row->at != SCHEMA_NOWHERE)
			clear_value(row, base);
	}
}

void spec_free(struct spec *spec)
{
	if (spec == NULL)
		return;
	for (size_t i = 0; i < spec->nincludes; i++) {
		free(spec->includes[i].file);
		buf_free(&spec->includes[i].text);
	}
	clear_values(&schema_root, spec);
	for (size_t i = 0; i < spec->nunsupported; i++)
		free(spec->unsupported[i].field);
	free(spec->unsupported);
	free(spec->build.name);
	free(spec->file);
	free(spec);
}

int spec_parse(const char *file, const char *text, size_t n, struct spec **ret, struct err *err)
{
	return spec_parse_with(file, text, n, NULL, NULL, ret, err);
}

int spec_parse_with(const char *file, const char *text, size_t n, spec_include_fn *bring, void *arg, struct spec **ret, struct err *err)
{
	auto_spec spec = NULL;
	auto_node root = NULL;

	if (yaml_read(file, text, n, &root, err) < 0)
		return -1;
	spec = calloc(1, sizeof *spec);
	struct reader r = { .file = file, .spec = spec, .err = err };
	if (spec == NULL || (spec->file = strdup(file)) == NULL)
		return reader_no_memory(&r);
	if (merge_includes(&r, root, bring, arg) < 0 || read_document(&r, root) < 0 || apply_rules(&r, root) < 0)
		return -1;
	*ret = move_ptr(spec);
	return 0;
}

int spec_check_value(const char *field, const char *value, struct err *err)
{
	const struct schema_row *row;
	size_t i = 0;

	while ((row = schema_at(i)) != NULL && strcmp(row->path, field) != 0)
		i++;
	if (row == NULL || row->form == NULL)
		return err_set(err, ERR_INTERNAL, 0, "%s: no field of a spec that is text", field);
	const struct schema_form *form = row->type == SCHEMA_PAIRS ? row->key_form : row->form;
	if (!text_is_utf8(value))
		return err_set(err, ERR_USAGE, 0, "not valid UTF-8");
	if (!schema_form_ok(form, value))
		return err_set(err, ERR_USAGE, 0, "expected %s, found '%s'; for example: %s", form->what, value, form->example);
	return 0;
}

const char *spec_file(const struct spec *spec, struct spec_pos pos)
{
	return pos.file == 0 || pos.file > spec->nincludes ? spec->file : spec->includes[pos.file - 1].file;
}

/** "FILE:LINE:COL", or the file alone: a default stands nowhere in the text. */
static void add_place(const struct spec *spec, struct spec_pos pos, struct buf *out)
{
	buf_adds(out, spec_file(spec, pos));
	if (pos.line != 0)
		buf_addf(out, ":%u:%u", pos.line, pos.col);
}

int spec_error(const struct spec *spec, struct spec_pos pos, enum err_kind kind, struct err *err, const char *fmt, ...)
{
	char message[ERR_MSG_MAX];
	auto_buf place = {0};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	add_place(spec, pos, &place);
	return err_set(err, kind, 0, "%s: %s", place.failed ? spec->file : place.data, message);
}

int spec_ctx(const struct spec *spec, struct spec_pos pos, struct err *err)
{
	auto_buf place = {0};

	add_place(spec, pos, &place);
	return err_ctx(err, "%s", place.failed ? spec->file : place.data);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The field list of glovebox-spec(5), in scdoc(5). */
#include <string.h>

#include "base/text.h"
#include "spec/schema.h"

/** Appends text with scdoc's own characters escaped. */
static void add_text(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (strchr("*_\\~.", *s) != NULL)
			buf_addc(out, '\\');
		buf_addc(out, *s);
	}
}

/** Appends what a value is. */
static void add_type(struct buf *out, const struct schema_row *row)
{
	static const char *const types[] = {
		[SCHEMA_MAP] = "mapping", [SCHEMA_LIST] = "list of mappings", [SCHEMA_STRING] = "string",
		[SCHEMA_STRINGS] = "list of strings", [SCHEMA_PAIRS] = "mapping of names to strings",
		[SCHEMA_BOOL] = "true or false", [SCHEMA_INT] = "whole number", [SCHEMA_NUMBER] = "number",
		[SCHEMA_DURATION] = "duration", [SCHEMA_SIZE] = "size",
	};

	if (row->words == NULL) {
		buf_adds(out, types[row->type]);
		if (row->type >= SCHEMA_INT) {
			buf_adds(out, ", ");
			schema_range(out, row);
		}
		if (row->or_fact != SPEC_NO_FACT) {
			buf_adds(out, ", or ");
			add_text(out, spec_fact_name(row->or_fact));
		}
		return;
	}
	for (size_t i = 0; row->words[i] != NULL; i++) {
		buf_adds(out, i == 0 ? "*" : row->words[i + 1] == NULL ? " or *" : ", *");
		add_text(out, row->words[i]);
		buf_addc(out, '*');
	}
}

static void add_row(struct buf *out, const struct schema_row *row)
{
	buf_addc(out, '*');
	add_text(out, row->path);
	buf_adds(out, "* (");
	add_type(out, row);
	if (row->required)
		buf_adds(out, "; required");
	if (row->dflt != NULL) {
		buf_adds(out, "; default ");
		add_text(out, row->dflt);
	}
	buf_adds(out, ")\n\t");
	add_text(out, row->help);
	if (row->type == SCHEMA_STRING && row->form->pattern != NULL) {
		buf_adds(out, " The value is ");
		add_text(out, row->form->what);
		buf_addc(out, '.');
	}
	if (row->one_of != NULL) {
		buf_adds(out, " Exactly one of *");
		text_words(out, row->one_of, "and");
		buf_adds(out, "* must be given.");
	}
	if (row->placeholders)
		buf_adds(out, " Placeholders are filled in.");
	if (row->status == SCHEMA_AT_RUN)
		buf_adds(out, " Accepted by *glovebox check* and *plan*; *glovebox run* refuses it in this version.");
	buf_adds(out, "\n\n");
}

/** Whether the map or list that @p row stands in is itself refused. */
static bool parent_later(const struct schema_row *row)
{
	const struct schema_row *r;

	for (size_t i = 0; (r = schema_at(i)) != row; i++) {
		size_t n = strlen(r->path);

		if (r->status == SCHEMA_LATER && text_starts(row->path, r->path) &&
		    (row->path[n] == '.' || row->path[n] == '['))
			return true;
	}
	return false;
}

int spec_fields_scdoc(struct buf *out, struct err *err)
{
	const struct schema_row *row;

	for (size_t i = 0; (row = schema_at(i)) != NULL; i++)
		if (row->status != SCHEMA_LATER)
			add_row(out, row);
	buf_adds(out, "## Known, but not implemented in this version\n\n"
		 "These are refused by name, so that no spec means less than it says:\n\n");
	for (size_t i = 0; (row = schema_at(i)) != NULL; i++) {
		if (row->status == SCHEMA_LATER && !parent_later(row)) {
			buf_adds(out, "- *");
			add_text(out, row->path);
			buf_adds(out, "*: ");
			add_text(out, row->help);
			buf_addc(out, '\n');
		}
	}
	buf_addc(out, '\n');
	return buf_check(out, "the field list of a spec", err);
}

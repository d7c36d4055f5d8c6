/* SPDX-License-Identifier: Apache-2.0 */
/* Placeholders: where they are used, and what they stand for. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "spec/reader.h"

static const char *const names[SPEC_FACTS] = {
	[SPEC_NO_FACT] = "", [SPEC_COMMIT] = "{git.sha}", [SPEC_COMMIT_TIME] = "{git.commitTime}", [SPEC_VERSION] = "{semver}",
};

const char *spec_fact_name(enum spec_fact fact)
{
	return names[fact];
}

bool spec_needs_facts(const struct spec *spec)
{
	for (int i = SPEC_NO_FACT + 1; i < SPEC_FACTS; i++)
		if (spec->facts[i].line != 0)
			return true;
	return false;
}

/** The fact whose placeholder begins at @p s. */
static enum spec_fact fact_at(const char *s)
{
	for (int i = SPEC_NO_FACT + 1; i < SPEC_FACTS; i++)
		if (text_starts(s, names[i]))
			return (enum spec_fact)i;
	return SPEC_NO_FACT;
}

void note_fact(const struct reader *r, enum spec_fact fact, bool needed, const struct node *node)
{
	struct spec_pos *first = &r->spec->facts[fact];
	bool *known_needed = &r->spec->facts_needed[fact];

	if (first->line == 0 || (needed && !*known_needed))
		*first = node->pos;
	*known_needed = *known_needed || needed;
}

/** Tags are the one list of strings that placeholders may be in. */
static bool is_tags(const struct schema_row *row)
{
	return row->type == SCHEMA_STRINGS;
}

int note_facts(const struct reader *r, const struct schema_row *row, const struct node *node)
{
	char q[QUOTE_SIZE];

	for (const char *at = node->text; (at = strchr(at, '{')) != NULL; at++) {
		enum spec_fact fact = fact_at(at);

		if (fact != SPEC_NO_FACT)
			note_fact(r, fact, !is_tags(row), node);
		/* Braces mean something else in many a label, but nothing in a tag. */
		else if (is_tags(row) || text_starts(at, "{git."))
			return value_error(r, node, "%s is no placeholder; known are {git.sha}, {git.commitTime} and {semver}", quote(q, at));
	}
	return 0;
}

/** Puts what the placeholders in @p *text stand for in their place. */
static int fill_text(char **text, const char *const facts[SPEC_FACTS], struct err *err)
{
	auto_buf out = {0};

	for (const char *s = *text; *s != '\0'; ) {
		enum spec_fact fact = fact_at(s);

		if (fact == SPEC_NO_FACT) {
			buf_addc(&out, *s++);
		} else {
			buf_adds(&out, facts[fact]);
			s += strlen(names[fact]);
		}
	}
	if (out.len == 0)
		return 0;
	char *filled = buf_take(&out);
	if (filled == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "fill in placeholders");
	free(*text);
	*text = filled;
	return 0;
}

/** Whether a text has the placeholder of a fact that is not there. */
static bool lacks_fact(const char *text, const char *const facts[SPEC_FACTS])
{
	for (const char *at = text; (at = strchr(at, '{')) != NULL; at++) {
		enum spec_fact fact = fact_at(at);

		if (fact != SPEC_NO_FACT && facts[fact] == NULL)
			return true;
	}
	return false;
}

static int fill_one(const struct spec *spec, const struct schema_row *row, struct spec_pos pos, char **text,
		    const char *const facts[SPEC_FACTS], struct err *err)
{
	char q[QUOTE_SIZE];

	if (strchr(*text, '{') == NULL || (is_tags(row) && lacks_fact(*text, facts)))
		return 0;
	if (fill_text(text, facts, err) < 0)
		return -1;
	if (!schema_form_ok(row->form, *text) || (is_tags(row) && strchr(*text, '{') != NULL))
		return spec_error(spec, pos, ERR_INPUT, err, "%s: expected %s, but with the placeholders filled in it is %s", row->path,
				  row->form->what, quote(q, *text));
	return 0;
}

/** The place of the first placeholder of all: entries of lists keep no place of their own. */
static struct spec_pos first_use(const struct spec *spec)
{
	for (int i = SPEC_NO_FACT + 1; i < SPEC_FACTS; i++)
		if (spec->facts[i].line != 0)
			return spec->facts[i];
	return spec->facts[SPEC_NO_FACT];
}

static int fill_row(struct spec *spec, const struct schema_row *row, const char *const facts[SPEC_FACTS], struct err *err)
{
	void *at = (char *)spec + row->at;
	struct spec_map *map = at;
	struct spec_list *list = at;

	for (size_t i = 0; row->type == SCHEMA_PAIRS && i < map->n; i++)
		if (fill_one(spec, row, map->v[i].pos, &map->v[i].value, facts, err) < 0)
			return -1;
	for (size_t i = 0; is_tags(row) && i < list->n; i++)
		if (fill_one(spec, row, first_use(spec), &list->v[i], facts, err) < 0)
			return -1;
	return 0;
}

static int fill_epoch(struct spec *spec, const struct schema_row *row, const char *seconds, struct err *err)
{
	char *end;

	errno = 0;
	int64_t v = strtoll(seconds, &end, 10);
	if (errno != 0 || *end != '\0' || v < row->min || v > row->max)
		return spec_error(spec, spec->epoch_pos, ERR_INPUT, err, "%s: the commit's time, %s, is out of range: write a time out",
				  row->path, seconds);
	spec->source_date_epoch = v;
	return 0;
}

int spec_fill(struct spec *spec, const char *const facts[SPEC_FACTS], struct err *err)
{
	const struct schema_row *row;

	for (size_t i = 0; (row = schema_at(i)) != NULL; i++) {
		if (row->placeholders && fill_row(spec, row, facts, err) < 0)
			return -1;
		if (row->or_fact != SPEC_NO_FACT && spec->epoch_is_fact && fill_epoch(spec, row, facts[row->or_fact], err) < 0)
			return -1;
	}
	return 0;
}

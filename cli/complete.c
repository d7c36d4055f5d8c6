/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/complete.h"
#include "profiles/profiles.h"

static struct span span(const char *s)
{
	return (struct span){ s, (int)strlen(s) };
}

static int add(struct places *p, struct place place, const char *above, struct span word, struct err *err)
{
	if (p->n == PLACES_MAX)
		return err_set(err, ERR_INTERNAL, 0, "completion: more than %d places", PLACES_MAX);
	int n = snprintf(place.path, sizeof place.path, "%s%s%.*s", above, above[0] == '\0' ? "" : " ", word.len, word.s);
	if (n >= (int)sizeof place.path)
		return err_set(err, ERR_INTERNAL, 0, "completion: '%s' is too long", place.path);
	p->v[p->n++] = place;
	return 0;
}

/** The length of the word in small letters that @p form begins with, or 0: a verb, where it begins an alternative. */
static int verb_len(const char *form)
{
	size_t len = strspn(form, "abcdefghijklmnopqrstuvwxyz");

	return form[len] == '\0' || form[len] == ' ' ? (int)len : 0;
}

/** The verbs that a synopsis names: "import NAME SOURCE | list". */
static int add_forms(struct places *p, const struct command *c, size_t parent, struct err *err)
{
	for (const char *form = c->synopsis; form != NULL;) {
		const char *end = strstr(form, " | ");
		int len = end == NULL ? (int)strlen(form) : (int)(end - form), verb = verb_len(form);
		struct place place = { .command = c, .parent = parent, .about = { form, len }, .form = { form + verb, len - verb } };

		if (verb > 0 && add(p, place, c->name, (struct span){ form, verb }, err) < 0)
			return -1;
		form = end == NULL ? NULL : end + 3;
	}
	return 0;
}

static int add_command(struct places *p, const struct command *c, struct err *err)
{
	size_t own = p->n;
	struct place place = { .command = c, .about = span(c->summary) };

	if (verb_len(c->synopsis) == 0)
		place.form = span(c->synopsis);
	if (add(p, place, "", span(c->name), err) < 0)
		return -1;
	if (c->verbs == NULL)
		return add_forms(p, c, own, err);
	for (const struct command *const *v = c->verbs; *v != NULL; v++) {
		struct place below = { .command = *v, .parent = own, .about = span((*v)->summary), .form = span((*v)->synopsis) };

		if (add(p, below, "", span((*v)->name), err) < 0)
			return -1;
	}
	return 0;
}

int places_read(const struct command *const *commands, struct places *ret, struct err *err)
{
	*ret = (struct places){ .n = 1 };
	for (; *commands != NULL; commands++)
		if (add_command(ret, *commands, err) < 0)
			return -1;
	return 0;
}

const char *place_word(const struct place *place)
{
	const char *space = strrchr(place->path, ' ');

	return space == NULL ? place->path : space + 1;
}

bool place_leads_on(const struct places *places, size_t place)
{
	for (size_t i = 1; i < places->n; i++)
		if (places->v[i].parent == place)
			return true;
	return false;
}

const struct opt_def *place_options(const struct place *place)
{
	static const struct opt_def top[] = {
		{ "help", NULL, "list the commands" }, { "version", NULL, "print the version" }, OPT_END,
	};
	/* What a command with others below it takes itself. */
	static const struct opt_def help[] = { OPT_HELP, OPT_END };

	if (place->command == NULL)
		return top;
	return place->command->opts != NULL ? place->command->opts : help;
}

bool place_argument(const struct place *place, size_t i, struct span *ret)
{
	const char *s = place->form.s, *end = s + place->form.len;

	while (s != NULL && s < end) {
		s += strspn(s, " ");
		int len = (int)strcspn(s, " ");

		/* Arguments come first: then options, in brackets or without. */
		if (s >= end || *s < 'A' || *s > 'Z')
			return false;
		if (i-- == 0) {
			*ret = (struct span){ s, len };
			return true;
		}
		s += len;
	}
	return false;
}

/** Names of values, in help texts and synopses, that stand for something of the host. */
static const struct {
	const char *name;
	bool files, dirs;
} known[] = {
	{ "DIR", .dirs = true }, { "SRC:DST", .dirs = true }, { "FILE", .files = true }, { "KEY", .files = true },
	{ "PUB", .files = true }, { "SPEC", .files = true }, { "SOURCE", .files = true }, { "PREFIX", .files = true },
	{ "IMAGE", .files = true }, { "OUT_OR_EVIDENCE", .files = true }, { "OUT_OR_IMAGE_OR_EVIDENCE", .files = true },
	{ "PATH_A", .files = true }, { "PATH_B", .files = true }, { "IMAGE_OR_OUT", .files = true }, { "FILE_OR_DIR", .files = true },
};

static void add_profiles(struct choice *c)
{
	const struct profile_builtin *p;

	for (size_t i = 0; (p = profile_builtin_at(i)) != NULL; i++) {
		size_t len = strlen(c->words);

		snprintf(c->words + len, sizeof c->words - len, "%s%s", len == 0 ? "" : " ", p->name);
	}
}

struct choice argument_choice(struct span name)
{
	struct choice c = {0};

	if (name.len == 1 && *name.s == 'P')
		add_profiles(&c);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if ((size_t)name.len == strlen(known[i].name) && strncmp(name.s, known[i].name, (size_t)name.len) == 0) {
			c.files = known[i].files;
			c.dirs = known[i].dirs;
		}
	return c;
}

struct choice option_choice(const struct opt_def *option)
{
	struct choice c = argument_choice(span(option->arg));

	/* A shipped profile shows its text; a step may have one of a file. */
	if (strcmp(option->arg, "P") == 0)
		c.files = true;
	if (option->words != NULL)
		snprintf(c.words, sizeof c.words, "%s", option->words);
	return c;
}

void quote_sh(struct buf *out, const char *s, int len)
{
	buf_addc(out, '\'');
	for (int i = 0; i < len; i++)
		if (s[i] == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, s[i]);
	buf_addc(out, '\'');
}

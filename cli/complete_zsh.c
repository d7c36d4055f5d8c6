/* SPDX-License-Identifier: Apache-2.0 */
/* Completion for zsh: a function for each place, which gives _arguments (zshcompsys(1)) its options and arguments. */
#include <string.h>

#include "cli/complete.h"

/** Appends @p s with a backslash before what has a meaning of its own in a specification. */
static void add_escaped(struct buf *spec, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strchr("[]:\\", s[i]) != NULL)
			buf_addc(spec, '\\');
		buf_addc(spec, s[i]);
	}
}

/** ":NAME:what completes it". */
static void add_action(struct buf *spec, const char *name, size_t len, struct choice c)
{
	buf_addc(spec, ':');
	add_escaped(spec, name, len);
	buf_addc(spec, ':');
	if (c.words[0] != '\0' && c.files)
		buf_addf(spec, " _glovebox_words_or_files %s", c.words);
	else if (c.words[0] != '\0')
		buf_addf(spec, "(%s)", c.words);
	else if (c.files || c.dirs)
		buf_adds(spec, c.files ? "_files" : "_files -/");
	else
		buf_addc(spec, ' ');
}

/** One line of an _arguments command. */
static void add_spec(struct buf *out, const struct buf *spec)
{
	buf_adds(out, " \\\n\t\t");
	quote_sh(out, spec->data == NULL ? "" : spec->data, (int)spec->len);
}

/** An option under one of its names; @p other is the one that it excludes, or NULL. */
static void add_option(struct buf *out, const struct opt_def *o, const char *name, const char *other)
{
	auto_buf spec = {0};

	if (o->repeat)
		buf_addc(&spec, '*');
	else if (other != NULL)
		buf_addf(&spec, "(%s)", other);
	buf_addf(&spec, "%s%s[", name, o->arg == NULL ? "" : name[1] == '-' ? "=" : "+");
	add_escaped(&spec, o->help, strlen(o->help));
	buf_addc(&spec, ']');
	if (o->arg != NULL)
		add_action(&spec, o->arg, strlen(o->arg), option_choice(o));
	add_spec(out, &spec);
}

static void add_options(struct buf *out, const struct place *place)
{
	for (const struct opt_def *o = place_options(place); o->name != NULL; o++) {
		char name[64], letter[] = { '-', o->letter, '\0' };

		snprintf(name, sizeof name, "--%s", o->name);
		add_option(out, o, name, o->letter == 0 ? NULL : letter);
		if (o->letter != 0)
			add_option(out, o, letter, name);
	}
}

static void add_arguments(struct buf *out, const struct place *place)
{
	struct span name;

	for (size_t i = 0; place_argument(place, i, &name); i++) {
		auto_buf spec = {0};

		buf_addf(&spec, "%zu", i + 1);
		add_action(&spec, name.s, (size_t)name.len, argument_choice(name));
		add_spec(out, &spec);
	}
	if (place->command != NULL && place->command->takes_rest)
		buf_adds(out, " \\\n\t\t'*:COMMAND:_files'");
}

/** The name of a place's function: its path, with underscores. */
static void add_name(struct buf *out, const struct place *place)
{
	buf_adds(out, "_glovebox");
	if (place->path[0] != '\0')
		buf_addc(out, '_');
	for (const char *s = place->path; *s != '\0'; s++)
		buf_addc(out, *s == ' ' ? '_' : *s);
}

/** A place that words lead on from: they are told apart from options, and the word's own function does the rest. */
static void add_words(struct buf *out, const struct places *p, size_t place)
{
	buf_adds(out, " \\\n\t\t'1: :->word' '*:: :->rest' && return\n\tcase $state in\n\tword)\n\t\twords_here=(");
	for (size_t i = 1; i < p->n; i++) {
		auto_buf word = {0};

		if (p->v[i].parent != place)
			continue;
		buf_addf(&word, "%s:", place_word(&p->v[i]));
		buf_add(&word, p->v[i].about.s, (size_t)p->v[i].about.len);
		buf_adds(out, "\n\t\t\t");
		quote_sh(out, word.data == NULL ? "" : word.data, (int)word.len);
	}
	buf_adds(out, "\n\t\t)\n\t\t_describe -t commands command words_here\n\t\t;;\n\trest)\n\t\t(( $+functions[");
	add_name(out, &p->v[place]);
	buf_adds(out, "_$words[1]] )) && ");
	add_name(out, &p->v[place]);
	buf_adds(out, "_$words[1]\n\t\t;;\n\tesac\n");
}

static void add_place(struct buf *out, const struct places *p, size_t i)
{
	bool leads_on = place_leads_on(p, i);

	add_name(out, &p->v[i]);
	buf_adds(out, "()\n{\n");
	if (leads_on)
		buf_adds(out, "\tlocal curcontext=$curcontext state line\n\tlocal -a words_here\n\tlocal -A opt_args\n");
	buf_addf(out, "\t_arguments%s -S", leads_on ? " -C" : "");
	add_options(out, &p->v[i]);
	if (leads_on) {
		add_words(out, p, i);
	} else {
		add_arguments(out, &p->v[i]);
		buf_addc(out, '\n');
	}
	buf_adds(out, "}\n\n");
}

void complete_zsh(const struct places *places, struct buf *out)
{
	buf_adds(out, "#compdef glovebox\n# zsh completion for glovebox(1), written by: glovebox completion zsh\n\n"
		      "_glovebox_words_or_files()\n{\n\t_alternative \"words:word:($*)\" 'files:file:_files'\n}\n\n");
	for (size_t i = 0; i < places->n; i++)
		add_place(out, places, i);
	/* Found by its name below fpath the file is the function's body; else it was sourced. */
	buf_adds(out, "if [ \"$funcstack[1]\" = _glovebox ]; then\n\t_glovebox \"$@\"\nelse\n\tcompdef _glovebox glovebox\nfi\n");
}

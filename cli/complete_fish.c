/* SPDX-License-Identifier: Apache-2.0 */
/* Completion for fish: a `complete` line for each word, option and argument, with the place that it belongs to as its condition. */
#include <string.h>

#include "cli/complete.h"

/** Between single quotes fish knows two escapes: of the quote and of the backslash. */
static void quote(struct buf *out, const char *s, size_t len)
{
	buf_addc(out, '\'');
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\'' || s[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, s[i]);
	}
	buf_addc(out, '\'');
}

/** What completes a value or an argument, where something does. */
static void add_choice(struct buf *out, struct choice c)
{
	if (c.words[0] != '\0')
		buf_addf(out, " -a '%s'", c.words);
	if (c.files)
		buf_adds(out, " -F");
	else if (c.dirs)
		buf_adds(out, " -a '(__fish_complete_directories (commandline -ct))'");
}

static void add_option(struct buf *out, const struct place *place, const struct opt_def *o)
{
	buf_addf(out, "complete -c glovebox -n \"__glovebox_at '%s'\" -l %s", place->path, o->name);
	if (o->letter != 0)
		buf_addf(out, " -s %c", o->letter);
	if (o->arg != NULL) {
		buf_adds(out, option_choice(o).files ? " -r" : " -x");
		add_choice(out, option_choice(o));
	}
	buf_adds(out, " -d ");
	quote(out, o->help, strlen(o->help));
	buf_addc(out, '\n');
}

static void add_place(struct buf *out, const struct places *p, size_t i)
{
	const struct place *place = &p->v[i];
	struct span name;

	if (i > 0) {
		buf_addf(out, "\ncomplete -c glovebox -n \"__glovebox_at '%s' 0\" -a %s -d ", p->v[place->parent].path, place_word(place));
		quote(out, place->about.s, (size_t)place->about.len);
		buf_addc(out, '\n');
	}
	for (const struct opt_def *o = place_options(place); o->name != NULL; o++)
		add_option(out, place, o);
	for (size_t a = 0; place_argument(place, a, &name); a++) {
		struct choice c = argument_choice(name);

		if (c.words[0] == '\0' && !c.files && !c.dirs)
			continue;
		buf_addf(out, "complete -c glovebox -n \"__glovebox_at '%s' %zu\"", place->path, a);
		add_choice(out, c);
		buf_addc(out, '\n');
	}
}

/** The paths of all places, and the options that take a value, each behind its path. */
static void add_lists(struct buf *out, const struct places *p)
{
	buf_adds(out, "set -g __glovebox_places");
	for (size_t i = 1; i < p->n; i++)
		buf_addf(out, " '%s'", p->v[i].path);
	buf_adds(out, "\nset -g __glovebox_values");
	for (size_t i = 1; i < p->n; i++)
		for (const struct opt_def *o = place_options(&p->v[i]); o->name != NULL; o++) {
			if (o->arg != NULL)
				buf_addf(out, " '%s --%s'", p->v[i].path, o->name);
			if (o->arg != NULL && o->letter != 0)
				buf_addf(out, " '%s -%c'", p->v[i].path, o->letter);
		}
	buf_adds(out, "\n\n");
}

static const char walk[] =
	"# Whether the words so far lead to the place $argv[1], with $argv[2] arguments where that is given.\n"
	"function __glovebox_at\n"
	"\tset -l typed (commandline -opc)\n"
	"\tset -e typed[1]\n"
	"\tset -l path\n"
	"\tset -l arguments 0\n"
	"\tset -l value no\n"
	"\tfor word in $typed\n"
	"\t\tif test $value = yes\n"
	"\t\t\tset value no\n"
	"\t\telse if test \"$word\" = --\n"
	"\t\t\tset path --\n"
	"\t\t\tbreak\n"
	"\t\telse if string match -q -- '-*' \"$word\"\n"
	"\t\t\tcontains -- \"$path $word\" $__glovebox_values; and set value yes\n"
	"\t\telse if contains -- (string join ' ' -- $path \"$word\") $__glovebox_places\n"
	"\t\t\tset path (string join ' ' -- $path \"$word\")\n"
	"\t\telse\n"
	"\t\t\tset arguments (math $arguments + 1)\n"
	"\t\tend\n"
	"\tend\n"
	"\ttest \"$path\" = \"$argv[1]\"; or return 1\n"
	"\ttest (count $argv) = 1; or test $argv[2] = $arguments\n"
	"end\n"
	"\n"
	"complete -c glovebox -f\n"
	"complete -c glovebox -n '__glovebox_at --' -F\n";

void complete_fish(const struct places *places, struct buf *out)
{
	buf_adds(out, "# fish completion for glovebox(1), written by: glovebox completion fish\n\n");
	add_lists(out, places);
	buf_adds(out, walk);
	for (size_t i = 0; i < places->n; i++)
		add_place(out, places, i);
}

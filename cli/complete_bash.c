/* SPDX-License-Identifier: Apache-2.0 */
/* Completion for bash: one table of what each place takes, and fixed code that walks to the place. Needs no other file. */
#include "cli/complete.h"

/** "none,loopback,@files": what the code below takes for one value. The comma behind it makes it never empty. */
static void add_choice(struct buf *out, struct choice c)
{
	for (const char *w = c.words; *w != '\0'; w++)
		buf_addc(out, *w == ' ' ? ',' : *w);
	buf_addc(out, ',');
	buf_adds(out, c.files ? "@files," : c.dirs ? "@dirs," : "");
}

static void add_words(const struct places *p, size_t place, struct buf *out)
{
	const char *sep = "";

	buf_adds(out, "\t\twords='");
	for (size_t i = 1; i < p->n; i++)
		if (p->v[i].parent == place) {
			buf_addf(out, "%s%s", sep, place_word(&p->v[i]));
			sep = " ";
		}
	buf_adds(out, "'\n");
}

static void add_options(const struct place *place, struct buf *out)
{
	buf_adds(out, "\t\toptions='");
	for (const struct opt_def *o = place_options(place); o->name != NULL; o++) {
		if (o->letter != 0)
			buf_addf(out, "-%c ", o->letter);
		buf_addf(out, "--%s%s", o->name, o[1].name == NULL ? "" : " ");
	}
	buf_adds(out, "'\n\t\tvalues='");
	for (const struct opt_def *o = place_options(place); o->name != NULL; o++) {
		if (o->arg == NULL)
			continue;
		if (o->letter != 0) {
			buf_addf(out, " -%c=", o->letter);
			add_choice(out, option_choice(o));
		}
		buf_addf(out, " --%s=", o->name);
		add_choice(out, option_choice(o));
	}
	buf_adds(out, " '\n");
}

static void add_place(const struct places *p, size_t i, struct buf *out)
{
	const struct place *place = &p->v[i];
	struct span name;

	buf_addf(out, "\t'%s')\n", place->path);
	add_words(p, i, out);
	add_options(place, out);
	buf_adds(out, "\t\targuments=(");
	for (size_t a = 0; place_argument(place, a, &name); a++) {
		buf_adds(out, a == 0 ? "'" : " '");
		add_choice(out, argument_choice(name));
		buf_addc(out, '\'');
	}
	buf_addf(out, ")\n\t\trest=%d\n\t\t;;\n", place->command != NULL && place->command->takes_rest);
}

static const char head[] =
	"# bash completion for glovebox(1), written by: glovebox completion bash\n"
	"# shellcheck shell=bash\n"
	"\n"
	"# What can be typed after the words $1; fails where they lead nowhere.\n"
	"_glovebox_place()\n"
	"{\n"
	"\tcase $1 in\n";

/* bash splits words at '=' and ':' too (COMP_WORDBREAKS): `--ro=a:/b` comes as five. */
static const char tail[] =
	"\t*)\n"
	"\t\treturn 1\n"
	"\t\t;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"# Adds what of $1, such as none,loopback,@files, begins with $2.\n"
	"_glovebox_add()\n"
	"{\n"
	"\tlocal choice choices found\n"
	"\tIFS=, read -ra choices <<<\"$1\"\n"
	"\tfor choice in \"${choices[@]}\"; do\n"
	"\t\tcase $choice in\n"
	"\t\t@files) mapfile -t found < <(compgen -f -- \"$2\") ;;\n"
	"\t\t@dirs) mapfile -t found < <(compgen -d -- \"$2\") ;;\n"
	"\t\t*) mapfile -t found < <(compgen -W \"$choice\" -- \"$2\") ;;\n"
	"\t\tesac\n"
	"\t\tCOMPREPLY+=(\"${found[@]}\")\n"
	"\t\t[[ $choice != @* ]] || compopt -o filenames 2>/dev/null\n"
	"\tdone\n"
	"}\n"
	"\n"
	"_glovebox()\n"
	"{\n"
	"\tlocal IFS=$' \\t\\n' current=${COMP_WORDS[COMP_CWORD]} path='' word value='' n=0 i\n"
	"\tlocal words options values arguments rest\n"
	"\tCOMPREPLY=()\n"
	"\t_glovebox_place ''\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [[ $word == = && -n $value ]]; then\n"
	"\t\t\tcontinue\n"
	"\t\telif [[ $word == [:=]* ]]; then\n"
	"\t\t\t((++i)) # the other half of a value\n"
	"\t\telif [[ -n $value ]]; then\n"
	"\t\t\tvalue=''\n"
	"\t\telif [[ $word == -- && $rest == 1 ]]; then\n"
	"\t\t\t_glovebox_add @files \"$current\"\n"
	"\t\t\treturn\n"
	"\t\telif [[ $word == -* ]]; then\n"
	"\t\t\tvalue=${values#*\" $word=\"}\n"
	"\t\t\t[[ $value != \"$values\" ]] && value=${value%% *} || value=''\n"
	"\t\telif [[ \" $words \" == *\" $word \"* ]]; then\n"
	"\t\t\tpath=${path:+$path }$word\n"
	"\t\t\t_glovebox_place \"$path\"\n"
	"\t\telse\n"
	"\t\t\t((++n))\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif [[ $current == = && -n $value ]]; then\n"
	"\t\tcurrent=''\n"
	"\telif [[ $current == [:=]* ]] || ((i > COMP_CWORD)); then\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tif [[ -n $value ]]; then\n"
	"\t\t_glovebox_add \"$value\" \"$current\"\n"
	"\telif [[ $current == -* ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n"
	"\telif [[ -n $words && $n == 0 ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
	"\telse\n"
	"\t\t_glovebox_add \"${arguments[n]-}\" \"$current\"\n"
	"\tfi\n"
	"}\n"
	"complete -F _glovebox glovebox\n";

void complete_bash(const struct places *places, struct buf *out)
{
	buf_adds(out, head);
	for (size_t i = 0; i < places->n; i++)
		add_place(places, i, out);
	buf_adds(out, tail);
}

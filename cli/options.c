/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"

static const struct opt_def *find(const struct command *command, const char *name, size_t len)
{
	for (const struct opt_def *o = command->opts; o->name != NULL; o++)
		if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

/** The option that "-x" stands for. */
static const struct opt_def *find_letter(const struct command *command, char letter)
{
	for (const struct opt_def *o = command->opts; o->name != NULL; o++)
		if (o->letter != 0 && o->letter == letter)
			return o;
	return NULL;
}

static int unknown_option(const struct command *command, const char *arg, struct err *err)
{
	const char *names[64];
	size_t n = 0, len = strcspn(arg, "=");

	for (const char *const *l = command->later; l != NULL && *l != NULL; l++)
		if (len == strlen(*l) + 2 && strncmp(arg, "--", 2) == 0 && strncmp(arg + 2, *l, len - 2) == 0)
			return err_set(err, ERR_USAGE, 0, "%s: --%s is not in this version of glovebox (%s)", command->name,
				       *l, GB_VERSION);
	for (const struct opt_def *o = command->opts; o->name != NULL && n + 1 < ARRAY_LEN(names); o++)
		names[n++] = o->name;
	names[n] = NULL;
	const char *near = arg[1] == '-' ? text_did_you_mean(arg + 2, names) : NULL;
	if (near != NULL)
		return err_set(err, ERR_USAGE, 0, "%s: no option '%s' (did you mean '--%s'?)", command->name, arg, near);
	return err_set(err, ERR_USAGE, 0, "%s: no option '%s'; see glovebox %s --help", command->name, arg, command->name);
}

/** Takes the option at argv[*i], with its value from after "=" or from the next argument. */
static int take_option(struct args *a, char **argv, size_t *i, struct err *err)
{
	const char *arg = argv[*i];
	size_t len = strcspn(arg, "=");
	const struct opt_def *def = arg[1] == '-' ? find(a->command, arg + 2, len - 2) : arg[2] == '\0' ? find_letter(a->command, arg[1]) : NULL;
	const char *value = arg[len] == '=' ? arg + len + 1 : NULL;

	if (def == NULL)
		return unknown_option(a->command, arg, err);
	if (def->arg == NULL && value != NULL)
		return err_set(err, ERR_USAGE, 0, "%s: --%s takes no value", a->command->name, def->name);
	if (def->arg != NULL && value == NULL) {
		value = argv[*i + 1];
		if (value == NULL)
			return err_set(err, ERR_USAGE, 0, "%s: --%s needs a value: --%s %s", a->command->name, def->name,
				       def->name, def->arg);
		(*i)++;
	}
	if (!def->repeat && args_has(a, def->name))
		return err_set(err, ERR_USAGE, 0, "%s: --%s is given twice", a->command->name, def->name);
	a->given[a->ngiven++] = (struct opt_given){ def, value == NULL ? "" : value };
	return 0;
}

static int check_counts(const struct args *a, struct err *err)
{
	const struct command *c = a->command;

	if (args_has(a, "help"))
		return 0;
	if (a->npositional < c->min_args)
		return err_set(err, ERR_USAGE, 0, "%s: an argument is missing; usage: glovebox %s %s", c->name, c->name,
			       c->synopsis);
	if (a->npositional > c->max_args)
		return err_set(err, ERR_USAGE, 0, "%s: unexpected argument '%s'; usage: glovebox %s %s", c->name,
			       a->positional[c->max_args], c->name, c->synopsis);
	if (c->takes_rest && (a->rest == NULL ? !c->rest_optional : a->rest[0] == NULL))
		return err_set(err, ERR_USAGE, 0, "%s: no command given; put it after '--': glovebox %s %s", c->name,
			       c->name, c->synopsis);
	return 0;
}

int args_parse(const struct command *command, char **argv, struct args *ret, struct err *err)
{
	size_t n = 0;

	while (argv[n] != NULL)
		n++;
	struct args a = {
		.command = command,
		.given = calloc(n + 1, sizeof *a.given),
		.positional = calloc(n + 1, sizeof *a.positional),
	};
	int result = a.given == NULL || a.positional == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "read the command line") : 0;
	for (size_t i = 0; result == 0 && argv[i] != NULL; i++) {
		if (strcmp(argv[i], "--") == 0 && command->takes_rest) {
			a.rest = (const char *const *)argv + i + 1;
			break;
		}
		if (argv[i][0] == '-' && argv[i][1] != '\0')
			result = take_option(&a, argv, &i, err);
		else
			a.positional[a.npositional++] = argv[i];
	}
	if (result == 0)
		result = check_counts(&a, err);
	if (result < 0)
		args_clear(&a);
	else
		*ret = a;
	return result;
}

void args_clear(struct args *args)
{
	free(args->given);
	free(args->positional);
	*args = (struct args){0};
}

const char *args_nth(const struct args *args, const char *name, size_t i)
{
	for (size_t g = 0; g < args->ngiven; g++)
		if (strcmp(args->given[g].def->name, name) == 0 && i-- == 0)
			return args->given[g].value;
	return NULL;
}

const char *args_get(const struct args *args, const char *name)
{
	const char *value = NULL;

	for (size_t g = 0; g < args->ngiven; g++)
		if (strcmp(args->given[g].def->name, name) == 0)
			value = args->given[g].value;
	return value;
}

bool args_has(const struct args *args, const char *name)
{
	return args_get(args, name) != NULL;
}

int args_duration(const struct args *args, const char *name, uint64_t *ret_ms, struct err *err)
{
	const char *value = args_get(args, name);

	if (value != NULL && (!text_parse_duration(value, ret_ms) || *ret_ms == 0))
		return err_set(err, ERR_USAGE, 0, "--%s %s: not a time; write 90s, 10m, 1h30m, 250ms", name, value);
	return 0;
}

int args_size(const struct args *args, const char *name, uint64_t *ret, struct err *err)
{
	const char *value = args_get(args, name);

	if (value != NULL && (!text_parse_size(value, ret) || *ret == 0))
		return err_set(err, ERR_USAGE, 0, "--%s %s: not a number above 0; write 4096, 512Mi, 2Gi", name, value);
	return 0;
}

int args_cpus(const struct args *args, const char *name, uint64_t *ret_millis, struct err *err)
{
	const char *value = args_get(args, name);

	if (value != NULL && !text_parse_cpus(value, ret_millis))
		return err_set(err, ERR_USAGE, 0, "--%s %s: not a number of processors; write 2, 0.5, 1.25", name, value);
	return 0;
}

/** A command that has others below it. */
static void help_verbs(const struct command *c)
{
	printf("usage: glovebox %s %s\n%s.\n", c->name, c->synopsis, c->summary);
	for (const struct command *const *v = c->verbs; *v != NULL; v++) {
		putchar('\n');
		help_command(*v);
	}
}

void help_command(const struct command *c)
{
	if (c->verbs != NULL) {
		help_verbs(c);
		return;
	}
	printf("usage: glovebox %s %s\n%s.\n\noptions:\n", c->name, c->synopsis, c->summary);
	for (const struct opt_def *o = c->opts; o->name != NULL; o++) {
		auto_buf left = {0};

		if (o->letter != 0)
			buf_addf(&left, "-%c, ", o->letter);
		buf_addf(&left, "--%s%s%s", o->name, o->arg == NULL ? "" : " ", o->arg == NULL ? "" : o->arg);
		printf("  %-24s %s\n", left.data == NULL ? o->name : left.data, o->help);
	}
}

void help_program(const struct command *const *commands)
{
	puts("usage: glovebox COMMAND [ARGUMENT]…\n"
	     "Runs build steps in a sealed box, hashes all that goes in and comes out, and proves it.\n\ncommands:");
	for (; *commands != NULL; commands++)
		printf("  %-12s %s\n", (*commands)->name, (*commands)->summary);
	puts("\n`glovebox COMMAND --help` lists a command's options; `man glovebox` tells the rest.");
}

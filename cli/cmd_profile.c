/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"
#include "profiles/profiles.h"

static int list(void)
{
	const struct profile_builtin *p;

	for (size_t i = 0; (p = profile_builtin_at(i)) != NULL; i++) {
		char text[DIGEST_STR_SIZE];

		printf("%-10s %s\n", p->name, digest_str(&p->text_digest, text));
	}
	return 0;
}

static int show(const char *name, struct err *err)
{
	const struct profile_builtin *p = profile_builtin(name);

	if (p == NULL)
		return err_set(err, ERR_USAGE, 0, "no shipped profile '%s'; see glovebox profile list", name);
	fwrite(p->text, 1, p->text_len, stdout);
	return 0;
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	const char *verb = args->positional[0];

	(void)ret_code;
	if (strcmp(verb, "list") == 0 && args->npositional == 1)
		return list();
	if (strcmp(verb, "show") == 0 && args->npositional == 2)
		return show(args->positional[1], err);
	return err_set(err, ERR_USAGE, 0, "usage: glovebox profile list | show P");
}

static const struct opt_def opts[] = { OPT_HELP, OPT_END };

const struct command cmd_profile = {
	"profile", "list | show P", "the seccomp profiles that are part of the program", opts, NULL, 1, 2, false, run,
};

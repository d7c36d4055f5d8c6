/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "profiles/profiles.h"

static int list(const struct args *args, int *ret_code, struct err *err)
{
	const struct profile_builtin *p;

	(void)args;
	(void)ret_code;
	(void)err;
	for (size_t i = 0; (p = profile_builtin_at(i)) != NULL; i++) {
		char text[DIGEST_STR_SIZE];

		printf("%-10s %s\n", p->name, digest_str(&p->text_digest, text));
	}
	return 0;
}

static int show(const struct args *args, int *ret_code, struct err *err)
{
	const char *name = args->positional[0];
	const struct profile_builtin *p = profile_builtin(name);

	(void)ret_code;
	if (p == NULL)
		return err_set(err, ERR_USAGE, 0, "no shipped profile '%s'; see glovebox profile list", name);
	fwrite(p->text, 1, p->text_len, stdout);
	return 0;
}

static const struct opt_def opts[] = { OPT_HELP, OPT_END };

const struct command cmd_profile_list = {
	"profile list", "[OPTION]…", "list the shipped profiles", opts, NULL, 0, 0, false, list,
};

const struct command cmd_profile_show = {
	"profile show", "P [OPTION]…", "print a shipped profile's text", opts, NULL, 1, 1, false, show,
};

static const struct command *const verbs[] = {
	&cmd_profile_list, &cmd_profile_show, &cmd_profile_check, &cmd_profile_explain, &cmd_profile_learn, NULL,
};

const struct command cmd_profile = {
	.name = "profile", .synopsis = "list | show P | check FILE | explain P SYSCALL [ARGUMENT]… | learn --rootfs REF [OPTION]… -- COMMAND [ARGUMENT]…",
	.summary = "the seccomp profiles: what they say, whether they mean it, and one that just fits a command", .verbs = verbs,
};

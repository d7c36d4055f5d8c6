/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/exec.h"
#include "profiles/profiles.h"

/** The ceiling: what is learnt never allows more. One that is open to what no learnt profile may have would make that a lie. */
static int find_ceiling(const struct args *args, const struct profile_builtin **ret, struct err *err)
{
	const char *name = args_has(args, "profile") ? args_get(args, "profile") : "default";

	if (strcmp(name, "default") != 0 && strcmp(name, "strict") != 0)
		return err_set(err, ERR_USAGE, 0, "--profile %s: what to learn under is 'default' or 'strict'; what they refuse is never learnt", name);
	*ret = profile_builtin(name);
	return 0;
}

/** The command line as a shell would take it, for people. */
static int command_line(const char *const *argv, struct buf *out, struct err *err)
{
	for (size_t i = 0; argv[i] != NULL; i++) {
		buf_adds(out, i == 0 ? "" : " ");
		text_shell(out, argv[i]);
	}
	return buf_check(out, "the command line", err);
}

static int hand_over(const struct args *args, const struct exec_receipt *place, const struct profile_learner *learner, struct err *err)
{
	auto_buf command = {0}, text = {0};

	if (command_line(args->rest, &command, err) < 0 || profile_learner_write(learner, command.data, &text, err) < 0)
		return -1;
	if (place->dir != -1)
		return exec_receipt_publish(place, text.data, text.len, err) < 0 ? err_ctx(err, "--write %s", args_get(args, "write")) : 0;
	fwrite(text.data, 1, text.len, stdout);
	return 0;
}

static int learn(const struct args *args, const struct exec_receipt *place, struct exec_options *opt, int *ret_code, struct err *err)
{
	const struct profile_builtin *ceiling = NULL;
	auto_profile_learner learner = NULL;

	if (find_ceiling(args, &ceiling, err) < 0 || profile_learner_new(ceiling, &learner, err) < 0)
		return -1;
	opt->profile = ceiling->name;
	opt->learn = exec_learn;
	opt->learn_arg = learner;
	if (cli_exec(args, opt, ret_code, err) < 0 || hand_over(args, place, learner, err) < 0)
		return -1;
	if (*ret_code != 0)
		fprintf(stderr, "glovebox: the command ended with %d: what it would have done then is not in the profile\n", *ret_code);
	return 0;
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	bool beside = args_has(args, "write");
	auto_exec_receipt place = EXEC_NO_RECEIPT;
	/* Standard output is the profile's, where that goes to no file. */
	auto_fd out = cli_open_again(beside ? STDOUT_FILENO : STDERR_FILENO, O_WRONLY);
	auto_fd err_out = cli_open_again(STDERR_FILENO, O_WRONLY);
	const int relay[2] = { out, err_out };
	struct exec_options opt = { .relay = relay };

	if (out < 0 || err_out < 0)
		return err_set(err, ERR_INTERNAL, errno, "open standard output");
	if (beside && exec_receipt_open("write", args_get(args, "write"), &place, err) < 0)
		return -1;
	return learn(args, &place, &opt, ret_code, err);
}

static const struct opt_def opts[] = {
	{ "write", "FILE", "write the profile to FILE; else it goes to standard output, and what the command writes there to standard error" },
	{ "profile", "P", "what to learn under: default (the default) or strict; no more than it allows is learnt", .words = "default strict" },
	EXEC_BOX_OPTIONS,
	OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END,
};

const struct command cmd_profile_learn = {
	"profile learn", "--rootfs REF [OPTION]… -- COMMAND [ARGUMENT]…", "run a command, and print the smallest profile that it passes under", opts, NULL,
	0, 0, true, run, .passes_code = true,
};

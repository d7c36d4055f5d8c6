/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/exec.h"

static int run(const struct args *args, int *ret_code, struct err *err)
{
	/* Before the store, as the caller: what root asks for is root's. */
	auto_fd out = cli_open_again(STDOUT_FILENO, O_WRONLY);
	auto_fd err_out = cli_open_again(STDERR_FILENO, O_WRONLY);
	const int relay[2] = { out, err_out };
	struct exec_options opt = {
		.profile = args_has(args, "profile") ? args_get(args, "profile") : "default",
		.relay = relay,
	};

	if (out < 0 || err_out < 0)
		return err_set(err, ERR_INTERNAL, errno, "open standard output");
	return cli_exec(args, &opt, ret_code, err);
}

static const struct opt_def opts[] = {
	{ "profile", "P", "seccomp profile: a shipped one's name, or a file (default: default)" },
	EXEC_BOX_OPTIONS,
	OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END,
};

const struct command cmd_exec = {
	"exec", "--rootfs REF [OPTION]… -- COMMAND [ARGUMENT]…", "run one command in the box", opts, NULL, 0, 0, true, run,
	.passes_code = true,
};

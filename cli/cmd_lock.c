/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/cli.h"
#include "runner/runner.h"

static int run(const struct args *args, int *ret_code, struct err *err)
{
	auto_store store = NULL;
	auto_buf text = {0};
	struct fetch_net net = cli_net();

	(void)ret_code;
	if (cli_open_store(args, &store, err) < 0)
		return -1;
	auto_fd cancel = cli_catch_signals(err);
	net.cancel_fd = cancel;
	if (cancel < 0 || lock_write(store, args->positional[0], args_get(args, "rootfs"), &net, &text, err) < 0)
		return -1;
	fwrite(text.data, 1, text.len, stdout);
	return 0;
}

static const struct opt_def opts[] = {
	{ "rootfs", "NAME", "the imported root filesystem to pin (default: the name in the spec)" },
	OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END,
};

const struct command cmd_lock = {
	"lock", "SPEC [OPTION]…", "pin what a spec leaves open, into buildspec.lock beside it", opts, NULL, 1, 1, false, run,
};

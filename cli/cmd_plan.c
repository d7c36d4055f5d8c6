/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "runner/runner.h"

static int run(const struct args *args, int *ret_code, struct err *err)
{
	auto_store store = NULL;
	auto_plan plan = NULL;
	auto_json j = NULL;
	struct fetch_net net = cli_net();
	const struct plan_options how = { .out_dir = args_get(args, "out"), .net = &net };

	(void)ret_code;
	if (cli_open_store(args, &store, err) < 0)
		return -1;
	auto_fd cancel = cli_catch_signals(err);
	net.cancel_fd = cancel;
	if (cancel < 0 || plan_resolve(store, args->positional[0], &how, &plan, err) < 0 || plan_json(plan, &j, err) < 0)
		return -1;
	return cli_print_json(j, err);
}

static const struct opt_def opts[] = {
	{ "out", "DIR", "the out directory of the run to come, left out of sources that hold it" },
	OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END,
};

const struct command cmd_plan = {
	"plan", "SPEC [OPTION]…", "print the resolved plan as JSON, every input pinned by digest", opts, NULL, 1, 1, false, run,
};

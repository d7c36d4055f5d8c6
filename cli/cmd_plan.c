/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/registry.h"
#include "runner/runner.h"

static int run(const struct args *args, int *ret_code, struct err *err)
{
	auto_store store = NULL;
	auto_plan plan = NULL;
	auto_json j = NULL;
	auto_cli_registry registry = {0};
	const struct plan_options how = { .out_dir = args_get(args, "out"), .net = &registry.net, .registry = &registry.conf };

	(void)ret_code;
	if (cli_open_store(args, &store, err) < 0)
		return -1;
	auto_fd cancel = cli_catch_signals(err);
	if (cancel < 0 || cli_registry_open(args, cancel, store_ident(store), &registry, err) < 0 ||
	    plan_resolve(store, args->positional[0], &how, &plan, err) < 0 ||
	    (args_has(args, "explain-cache") ? plan_explain_cache(store, plan, &j, err) : plan_json(plan, &j, err)) < 0)
		return -1;
	return cli_print_json(j, err);
}

static const struct opt_def opts[] = {
	{ "out", "DIR", "the out directory of the run to come, left out of sources that hold it" },
	{ "explain-cache", NULL, "print instead which steps a run would take from the cache, and what has changed for the others" },
	OPT_REGISTRY_MAP, OPT_INSECURE_REGISTRY, OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END,
};

const struct command cmd_plan = {
	"plan", "SPEC [OPTION]…", "print the resolved plan as JSON, every input pinned by digest", opts, NULL, 1, 1, false, run,
};

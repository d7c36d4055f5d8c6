/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/registry.h"
#include "runner/runner.h"

static int run(const struct args *args, int *ret_code, struct err *err)
{
	auto_store store = NULL;
	auto_buf text = {0};
	auto_cli_registry registry = {0};

	(void)ret_code;
	if (cli_open_store(args, &store, err) < 0)
		return -1;
	auto_fd cancel = cli_catch_signals(err);
	if (cancel < 0 || cli_registry_open(args, cancel, store_ident(store), &registry, err) < 0 ||
	    lock_write(store, args->positional[0], args_get(args, "rootfs"), &registry.net, &registry.conf, &text, err) < 0)
		return -1;
	fwrite(text.data, 1, text.len, stdout);
	return 0;
}

static const struct opt_def opts[] = {
	{ "rootfs", "NAME", "the imported root filesystem to pin, or oci:HOST/REPOSITORY:TAG (default: the name in the spec)" },
	OPT_REGISTRY_MAP, OPT_INSECURE_REGISTRY, OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END,
};

const struct command cmd_lock = {
	"lock", "SPEC [OPTION]…", "pin what a spec leaves open, into buildspec.lock beside it", opts, NULL, 1, 1, false, run,
};

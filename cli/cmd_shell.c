/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/terminal.h"
#include "runner/shell.h"

/** A terminal's kind as it may stand in an environment of ours. */
#define TERM_MAX 64

static const char *term(void)
{
	const char *value = getenv("TERM");
	size_t n = value == NULL ? 0 : strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+_-");

	return n == 0 || n > TERM_MAX || value[n] != '\0' ? NULL : value;
}

/** Last before the command starts: until then the terminal is as people know it, ^C included. */
static int ready(void *arg, struct err *err)
{
	fflush(stderr);
	return terminal_raw(*(const int *)arg, err);
}

static int enter(const struct args *args, struct shell_options *opt, struct shell_report *ret, struct err *err)
{
	const char *spec = args->positional[0];
	auto_store store = NULL;
	auto_plan plan = NULL;
	struct fetch_net net = cli_net();
	/* The out directory of a run, beside the spec, is no part of its source. */
	auto_free char *out = cli_default_out(spec);
	const struct plan_options how = { .out_dir = args_has(args, "out") ? args_get(args, "out") : out, .net = &net };

	if (out == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "path of the out directory");
	if (args_duration(args, "grace", &opt->grace_ms, err) < 0 || cli_open_store(args, &store, err) < 0)
		return -1;
	auto_fd cancel = cli_catch_signals(err);
	opt->cancel_fd = net.cancel_fd = cancel;
	if (cancel < 0 || plan_resolve(store, spec, &how, &plan, err) < 0)
		return -1;
	return shell_enter(store, plan, opt, ret, err);
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	bool interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	struct shell_report report = {0};

	if (!interactive && args->rest == NULL)
		return err_set(err, ERR_USAGE, 0, "shell: standard input and output are not a terminal; give a command: glovebox shell SPEC STEP -- "
			       "COMMAND");
	/* Before the store, as the caller. */
	auto_fd in = interactive ? cli_open_again(STDIN_FILENO, O_RDONLY) : -1;
	auto_fd out = cli_open_again(STDOUT_FILENO, O_WRONLY);
	auto_fd err_out = cli_open_again(STDERR_FILENO, O_WRONLY);
	auto_fd resized = interactive ? terminal_catch_resize(err) : -1;
	if ((interactive && (in < 0 || resized < 0)) || out < 0 || err_out < 0)
		return err_set(err, ERR_INTERNAL, errno, "open standard input and output");
	const struct sandbox_terminal terminal = { .in = in, .out = out, .resized = resized };
	const int relay[2] = { out, err_out };
	struct shell_options opt = {
		.step = args->positional[1], .failed = args_has(args, "failed"), .argv = args->rest, .term = term(),
		.terminal = interactive ? &terminal : NULL, .relay = interactive ? NULL : relay,
		.ready = interactive ? ready : NULL, .arg = (void *)(uintptr_t)&in,
		.event = args_has(args, "quiet") ? NULL : cli_progress,
	};
	(void)signal(SIGPIPE, SIG_IGN);
	int result = enter(args, &opt, &report, err);
	terminal_restore();
	terminal_end();
	if (result < 0)
		return -1;
	if (!report.entered && !args_has(args, "quiet"))
		fprintf(stderr, "glovebox: the step has passed: there is no failure to enter\n");
	*ret_code = report.exit_code;
	return 0;
}

static const struct opt_def opts[] = {
	{ "failed", NULL, "run the step first, and enter what it leaves when it fails" },
	{ "out", "DIR", "the out directory of runs, left out of sources that hold it (default: 'out' beside the spec)" },
	OPT_GRACE, { "quiet", NULL, "do not say what is writable, and no progress" }, OPT_STORE, OPT_STEP_USER, OPT_HELP, OPT_END,
};

const struct command cmd_shell = {
	"shell", "SPEC STEP [OPTION]… [-- COMMAND [ARGUMENT]…]", "enter the sandbox of a step, on a terminal of its own", opts, NULL, 2, 2, true, run,
	.rest_optional = true,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* One command in the box: what `exec` and `profile learn` share. */
#include "cli/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** The pairs and strings that exec's options point to. */
struct exec_lists {
	struct exec_bind *ro, *rw, *outputs;
	const char **env;
	char **copies;       /**< halves that had to be cut out */
	size_t ncopies;
};

static void lists_clear(struct exec_lists *l)
{
	for (size_t i = 0; i < l->ncopies; i++)
		free(l->copies[i]);
	free(l->copies);
	free(l->ro);
	free(l->rw);
	free(l->outputs);
	free(l->env);
}

/** Splits `A<sep>B` at the last separator: paths outside may hold one, paths inside have no need to. */
static int split(struct exec_lists *l, const char *option, const char *value, char sep, bool outside_first,
		 struct exec_bind *ret, struct err *err)
{
	const char *at = outside_first ? strrchr(value, sep) : strchr(value, sep);
	const char *form = outside_first ? "SRC:DST" : "PATH=DIR";

	if (at == NULL || at == value || at[1] == '\0')
		return err_set(err, ERR_USAGE, 0, "--%s %s: write it as %s", option, value, form);
	char *first = strndup(value, (size_t)(at - value));
	if (first == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "--%s", option);
	l->copies[l->ncopies++] = first;
	*ret = outside_first ? (struct exec_bind){ first, at + 1 } : (struct exec_bind){ at + 1, first };
	if (!text_path_is_absolute(ret->inside) || ret->inside[1] == '\0')
		return err_set(err, ERR_USAGE, 0, "--%s %s: '%s' must be an absolute path without '.', '..' or '//'", option,
			       value, ret->inside);
	/* A receipt is JSON and names the places inside as they are. */
	if (!text_is_utf8(ret->inside))
		return err_set(err, ERR_USAGE, 0, "--%s: the path inside, '%s', is not valid UTF-8", option, ret->inside);
	return 0;
}

static int fill_binds(struct exec_lists *l, const struct args *args, const char *option, char sep, bool outside_first,
		      struct exec_bind *out, size_t *ret_n, struct err *err)
{
	const char *value;

	for (*ret_n = 0; (value = args_nth(args, option, *ret_n)) != NULL; (*ret_n)++)
		if (split(l, option, value, sep, outside_first, &out[*ret_n], err) < 0)
			return -1;
	return 0;
}

static int fill_env(struct exec_lists *l, const struct args *args, struct exec_options *opt, struct err *err)
{
	const char *value;

	for (opt->nenv = 0; (value = args_nth(args, "env", opt->nenv)) != NULL; opt->nenv++) {
		if (value[0] == '=' || strchr(value, '=') == NULL)
			return err_set(err, ERR_USAGE, 0, "--env %s: write it as NAME=VALUE", value);
		l->env[opt->nenv] = value;
	}
	opt->env = l->env;
	return 0;
}

static int fill_lists(struct exec_lists *l, const struct args *args, struct exec_options *opt, struct err *err)
{
	size_t n = args->ngiven + 1;

	l->ro = calloc(n, sizeof *l->ro);
	l->rw = calloc(n, sizeof *l->rw);
	l->outputs = calloc(n, sizeof *l->outputs);
	l->env = calloc(n, sizeof *l->env);
	l->copies = calloc(n, sizeof *l->copies);
	if (l->ro == NULL || l->rw == NULL || l->outputs == NULL || l->env == NULL || l->copies == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read the options");
	if (fill_binds(l, args, "ro", ':', true, l->ro, &opt->nro, err) < 0 ||
	    fill_binds(l, args, "rw", ':', true, l->rw, &opt->nrw, err) < 0 ||
	    fill_binds(l, args, "output", '=', false, l->outputs, &opt->noutputs, err) < 0)
		return -1;
	opt->ro = l->ro;
	opt->rw = l->rw;
	opt->outputs = l->outputs;
	return fill_env(l, args, opt, err);
}

static int fill_limits(const struct args *args, struct sandbox_limits *l, struct err *err)
{
	const char *mode = args_get(args, "limits");
	const struct {
		const char *name;
		uint64_t *to;
	} sizes[] = {
		{ "memory", &l->memory_bytes }, { "pids", &l->pids }, { "files", &l->files }, { "file-size", &l->file_bytes },
		{ "tmp-size", &l->tmp_bytes }, { "work-size", &l->work_bytes }, { "work-files", &l->work_files },
		{ "output-size", &l->output_bytes },
	};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		if (args_size(args, sizes[i].name, sizes[i].to, err) < 0)
			return -1;
	if (mode != NULL && strcmp(mode, "enforce") != 0 && strcmp(mode, "best-effort") != 0)
		return err_set(err, ERR_USAGE, 0, "--limits %s: it is 'enforce' or 'best-effort'", mode);
	l->best_effort = mode != NULL && strcmp(mode, "best-effort") == 0;
	return args_duration(args, "timeout", &l->timeout_ms, err) < 0 ||
			       args_duration(args, "grace", &l->grace_ms, err) < 0 ||
			       args_cpus(args, "cpus", &l->cpu_millis, err) < 0 ? -1 : 0;
}

static int fill_options(struct exec_lists *l, const struct args *args, struct exec_options *opt, struct err *err)
{
	const char *network = args_get(args, "network");

	if (opt->rootfs == NULL)
		return err_set(err, ERR_USAGE, 0, "%s: in which root filesystem? give --rootfs NAME, or NAME@sha256:…", args->command->name);
	if (network != NULL && strcmp(network, "none") != 0 && strcmp(network, "loopback") != 0)
		return err_set(err, ERR_USAGE, 0, "--network %s: it is 'none' or 'loopback'", network);
	if (opt->workdir != NULL && !text_path_is_absolute(opt->workdir))
		return err_set(err, ERR_USAGE, 0, "--workdir %s: must be an absolute path", opt->workdir);
	opt->loopback = network != NULL && strcmp(network, "loopback") == 0;
	if (fill_limits(args, &opt->limits, err) < 0)
		return -1;
	return fill_lists(l, args, opt, err);
}

static void explain_limit(const char *command, const struct exec_report *r, struct buf *line)
{
	buf_addf(line, "glovebox: command '%s' %s its limit ", command,
		 strcmp(r->end, "limited") == 0 ? "was ended by" : "failed at");
	sandbox_limit_text(line, r->limit, r->limit_value);
}

static void print_notes(const char *notes)
{
	for (const char *end; notes != NULL && (end = strchr(notes, '\n')) != NULL; notes = end + 1)
		fprintf(stderr, "glovebox: note: %.*s\n", (int)(end - notes), notes);
}

/** What a bare exit code would leave unsaid. */
static void explain(const struct args *args, const struct exec_report *r)
{
	auto_buf line = {0};

	if (strcmp(r->end, "notFound") == 0)
		buf_addf(&line, "glovebox: command '%s' was not found in the rootfs", args->rest[0]);
	else if (strcmp(r->end, "notExecutable") == 0)
		buf_addf(&line, "glovebox: command '%s' cannot be executed: %s", args->rest[0],
			 strerror(r->code));
	else if (strcmp(r->end, "timeout") == 0)
		buf_addf(&line, "glovebox: command '%s' was ended at its timeout of %s", args->rest[0],
			 args_get(args, "timeout"));
	else if (strcmp(r->end, "signaled") == 0 && r->code == SIGSYS)
		buf_addf(&line, "glovebox: command '%s' was killed by its seccomp profile, or for a call of a foreign ABI (i386, x32)",
			 args->rest[0]);
	else if (r->limit != SANDBOX_NO_LIMIT)
		explain_limit(args->rest[0], r, &line);
	if (line.len == 0 && r->refused == NULL)
		return;
	/* Not at the price of waiting for a reader that does not read: that may be what the timeout was about. */
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	if (poll(&p, 1, 0) <= 0)
		return;
	if (line.len > 0)
		cli_print_safe(stderr, line.data);
	print_notes(r->notes);
	if (r->exit_code != 0)
		cli_print_refused(r->refused);
}

static int exec_in_store(const struct args *args, struct exec_options *opt, struct exec_report *ret, struct err *err)
{
	auto_store store = NULL;

	if (cli_open_store(args, &store, err) < 0)
		return -1;
	auto_fd cancel = cli_catch_signals(err);
	opt->cancel_fd = cancel;
	return cancel < 0 ? -1 : exec_command(store, opt, ret, err);
}

/** The exit code of this process, as main() will have it. */
static int exit_code(int result, const struct exec_report *r, const struct err *err)
{
	bool interrupted = result < 0 ? err->kind == ERR_INTERRUPTED : strcmp(r->end, "cancelled") == 0;

	if (interrupted)
		return cli_caught_signal() != 0 ? 128 + cli_caught_signal() : ERR_INTERRUPTED;
	return result < 0 ? ERR_INTERNAL : r->exit_code;
}

static int run_with_receipt(const struct args *args, struct exec_options *opt, int *ret_code, struct err *err)
{
	auto_exec_report report = {0};
	struct err writing = {0};
	int result = exec_in_store(args, opt, &report, err);
	int code = exit_code(result, &report, err);

	/* Also when there was no command to report of: then it says why. */
	if (exec_receipt_write(opt->receipt, report.receipt, err, code, &writing) < 0 && result == 0) {
		*err = writing;
		return -1;
	}
	if (result < 0)
		return -1;
	explain(args, &report);
	*ret_code = code;
	return 0;
}

int cli_exec(const struct args *args, struct exec_options *opt, int *ret_code, struct err *err)
{
	__attribute__((cleanup(lists_clear))) struct exec_lists lists = {0};
	auto_exec_receipt receipt = EXEC_NO_RECEIPT;

	opt->rootfs = args_get(args, "rootfs");
	opt->load_profile = program_load_profile;
	opt->workdir = args_get(args, "workdir");
	opt->argv = args->rest;
	opt->receipt = &receipt;
	if (fill_options(&lists, args, opt, err) < 0 ||
	    (args_has(args, "receipt") && exec_receipt_open("receipt", args_get(args, "receipt"), &receipt, err) < 0))
		return -1;
	/* A reader that has gone is told as the failure of a write, after all is put in order. */
	(void)signal(SIGPIPE, SIG_IGN);
	return run_with_receipt(args, opt, ret_code, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the two programs' main() have in common. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/cli.h"

/** With 0, 1 or 2 closed, the next file opened would be taken for standard output. */
static int fill_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", (fd == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC) != fd)
			return -1;
	return 0;
}

int program_directory(char dir[PATH_MAX], struct err *err)
{
	ssize_t n = readlink("/proc/self/exe", dir, PATH_MAX - 1);

	if (n <= 0)
		return err_set(err, ERR_INTERNAL, errno, "find the directory of this program (is /proc mounted?)");
	dir[n] = '\0';
	strrchr(dir, '/')[1] = '\0';
	return 0;
}

int program_begin(void)
{
	const struct rlimit none = {0};

	if (fill_stdio() < 0)
		return -1;
	/* A core file would hold keys; and a file that grows past the caller's limit is an error to tell, not to die of. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGXFSZ, SIG_IGN);
	return 0;
}

static int run_command(const struct command *command, char **argv, int *ret_code, struct err *err)
{
	auto_args args = {0};

	if (args_parse(command, argv, &args, err) < 0)
		return -1;
	if (args_has(&args, "help")) {
		help_command(command);
		return 0;
	}
	return command->run(&args, ret_code, err);
}

int program_run(const struct command *command, char **argv, int *ret_code, struct err *err)
{
	int result = run_command(command, argv, ret_code, err);

	if (result < 0 && command->passes_code && err->kind != ERR_INTERRUPTED)
		err->kind = ERR_INTERNAL;
	return result;
}

void program_version(void)
{
	puts("glovebox " GB_VERSION);
}

/** Says once what went wrong, and gives the exit code of it. */
static int report(const struct err *err)
{
	fputs("glovebox: ", stderr);
	cli_print_safe(stderr, err->msg);
	if (err->kind == ERR_INTERRUPTED && cli_caught_signal() != 0)
		return 128 + cli_caught_signal();
	return (int)err->kind;
}

int program_end(int result, int code, const struct err *err)
{
	if (result < 0)
		code = report(err);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("glovebox: write to standard output");
		return code == 0 ? ERR_INTERNAL : code;
	}
	return code;
}

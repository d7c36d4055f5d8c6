/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/terminal.h"

/* A handler can reach nothing else; these are the program's only mutable globals. */
static volatile sig_atomic_t first_signal;
static volatile sig_atomic_t signals_seen;
static volatile sig_atomic_t event_fd = -1;

static const int caught[] = { SIGINT, SIGTERM, SIGHUP };

static void on_signal(int sig)
{
	int saved = errno;
	unsigned long long one = 1;

	if (first_signal == 0)
		first_signal = sig;
	/* The first asks for an end, the second for an end now; whoever sends a third is not to be kept waiting
	 * by a file system that hangs. What is in the box dies with this process. */
	if (++signals_seen > 2) {
		terminal_restore();
		_exit(128 + first_signal);
	}
	(void)!write(event_fd, &one, sizeof one);
	errno = saved;
}

int cli_catch_signals(struct err *err)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);

	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "eventfd");
	event_fd = fd;
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(caught); i++) {
		struct sigaction before;

		if (sigaction(caught[i], NULL, &before) < 0 ||
		    /* nohup(1), or a shell's background job: whoever ignores a signal for us means it. */
		    (before.sa_handler != SIG_IGN && sigaction(caught[i], &sa, NULL) < 0)) {
			close(fd);
			return err_set(err, ERR_INTERNAL, errno, "catch signals");
		}
	}
	return fd;
}

int cli_caught_signal(void)
{
	return first_signal;
}

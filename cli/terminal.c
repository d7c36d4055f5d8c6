/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Handlers can reach nothing else. */
static volatile sig_atomic_t resized_fd = -1;
static volatile sig_atomic_t is_raw;
static struct termios before;
static int terminal = -1;
/** The process apart, and the pipe whose end tells it that this one is gone. */
static pid_t guard = -1;
static int guard_pipe = -1;

static void on_resize(int sig)
{
	int saved = errno;
	unsigned long long one = 1;

	(void)sig;
	(void)!write(resized_fd, &one, sizeof one);
	errno = saved;
}

int terminal_catch_resize(struct err *err)
{
	struct sigaction sa = { .sa_handler = on_resize, .sa_flags = SA_RESTART };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "eventfd");
	resized_fd = fd;
	sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGWINCH, &sa, NULL);
	return fd;
}

/** In a session of its own: neither the terminal's signals nor its hang-up end it, and it may set what is not its own terminal. */
static void guard_run(int from)
{
	sigset_t all;
	char byte;
	ssize_t n;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	do
		n = read(from, &byte, 1);
	while (n < 0 && errno == EINTR);
	/* A byte: all is in order. The end without one: killed. */
	if (n == 0)
		(void)tcsetattr(terminal, TCSAFLUSH, &before);
	_exit(0);
}

static int start_guard(struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_set(err, ERR_INTERNAL, errno, "make a pipe");
	guard = fork();
	if (guard == 0) {
		close(fds[1]);
		guard_run(fds[0]);
	}
	close(fds[0]);
	guard_pipe = fds[1];
	return guard < 0 ? err_set(err, ERR_INTERNAL, errno, "start a process") : 0;
}

int terminal_raw(int fd, struct err *err)
{
	static const int stops[] = { SIGTSTP, SIGTTIN, SIGTTOU };
	struct termios raw;

	if (tcgetattr(fd, &before) != 0)
		return err_set(err, ERR_INTERNAL, errno, "read the terminal's settings");
	terminal = fd;
	if (start_guard(err) < 0)
		return -1;
	raw = before;
	cfmakeraw(&raw);
	is_raw = 1;
	if (tcsetattr(fd, TCSADRAIN, &raw) != 0) {
		is_raw = 0;
		return err_set(err, ERR_INTERNAL, errno, "make the terminal raw");
	}
	/* Stopped, it would leave a terminal that nobody can type into. */
	for (size_t i = 0; i < ARRAY_LEN(stops); i++)
		(void)signal(stops[i], SIG_IGN);
	return 0;
}

void terminal_restore(void)
{
	if (!is_raw)
		return;
	is_raw = 0;
	/* Not read yet: typed for whoever was inside, or what the terminal answered to them. The caller's shell would run it. */
	(void)tcsetattr(terminal, TCSAFLUSH, &before);
}

void terminal_end(void)
{
	if (guard < 0)
		return;
	(void)!write(guard_pipe, "", 1);
	close(guard_pipe);
	while (waitpid(guard, NULL, 0) < 0 && errno == EINTR)
		;
	guard = -1;
}

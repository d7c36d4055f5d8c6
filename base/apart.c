/* SPDX-License-Identifier: Apache-2.0 */
#include "base/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"

/** What comes through the pipe; the answer's bytes behind it where @c result is 0. */
struct message {
	int result;
	struct err err;
};

static void work(apart_fn *fn, const void *arg, size_t n, int to)
{
	struct message m = {0};
	struct err ignored = {0};
	void *answer = calloc(1, n + 1);

	m.result = answer == NULL ? err_set(&m.err, ERR_INTERNAL, ENOMEM, "start a process") : fn(arg, answer, &m.err);
	if (io_write_all(to, &m, sizeof m, &ignored) == 0 && m.result == 0)
		(void)io_write_all(to, answer, n, &ignored);
}

static int died(struct err *err)
{
	return err_set(err, ERR_INTERNAL, 0, "a process of glovebox's own has died before it answered");
}

static int take_answer(int from, void *ret_answer, size_t n, struct err *err)
{
	char *answer = malloc(n + 1);
	size_t got;

	if (answer == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "hear a process");
	int result = io_read_full(from, answer, n, &got, err);
	if (result == 0 && got != n)
		result = died(err);
	if (result == 0)
		memcpy(ret_answer, answer, n);
	explicit_bzero(answer, n);
	free(answer);
	return result;
}

static int take(int from, void *ret_answer, size_t n, struct err *err)
{
	struct message m;
	size_t got;

	if (io_read_full(from, &m, sizeof m, &got, err) < 0)
		return -1;
	if (got != sizeof m)
		return died(err);
	if (m.result < 0) {
		*err = m.err;
		return -1;
	}
	return take_answer(from, ret_answer, n, err);
}

static void await(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int apart_run(apart_fn *fn, const void *arg, void *ret_answer, size_t n, struct err *err)
{
	int ends[2];

	if (n > APART_ANSWER_MAX)
		return err_set(err, ERR_INTERNAL, EINVAL, "ask a process apart for %zu bytes", n);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a pipe");
	auto_fd from = ends[0];
	pid_t pid = fork();
	if (pid == 0) {
		work(fn, arg, n, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0)
		return err_set(err, ERR_INTERNAL, errno, "start a process");
	int result = take(from, ret_answer, n, err);
	await(pid);
	return result;
}

/** fork(2) with all signals blocked, in the child for good: no handler of the caller's may run there. */
static pid_t fork_deaf(void)
{
	sigset_t all, before;

	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid != 0) {
		int saved = errno;

		(void)sigprocmask(SIG_SETMASK, &before, NULL);
		errno = saved;
	}
	return pid;
}

int apart_start(apart_stay_fn *fn, const void *arg, struct apart *ret, struct err *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a pair of sockets");
	pid_t pid = fork_deaf();
	if (pid == 0) {
		close(ends[0]);
		/* Without it the process would be no better a place for a secret than the caller. */
		if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
			fn(arg, ends[1]);
		_exit(0);
	}
	int saved = errno;
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return err_set(err, ERR_INTERNAL, saved, "start a process");
	}
	*ret = (struct apart){ .pid = pid, .sock = ends[0] };
	return 0;
}

int apart_send(int sock, const void *data, size_t n, struct err *err)
{
	for (const char *p = data; n > 0;) {
		ssize_t sent = send(sock, p, n, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EPIPE || errno == ECONNRESET ? died(err)
				: err_set(err, ERR_INTERNAL, errno, "ask a process of glovebox's own");
		p += sent;
		n -= (size_t)sent;
	}
	return 0;
}

int apart_receive(int sock, void *data, size_t n, struct err *err)
{
	size_t got;

	if (io_read_full(sock, data, n, &got, err) < 0)
		return -1;
	return got == n ? 0 : died(err);
}

void apart_end(struct apart *apart)
{
	if (apart->sock >= 0) {
		/* Whatever was forked meanwhile has this end, too: closing it here alone would end nothing. */
		(void)shutdown(apart->sock, SHUT_RDWR);
		close(apart->sock);
	}
	if (apart->pid > 0)
		await(apart->pid);
	*apart = APART_NONE;
}

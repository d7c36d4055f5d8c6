/* SPDX-License-Identifier: Apache-2.0 */
#include "base/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"

/** What comes through the pipe, in one piece. */
struct message {
	int result;
	struct err err;
	unsigned char answer[APART_ANSWER_MAX];
};

static void work(apart_fn *fn, const void *arg, int to)
{
	struct message m = {0};
	struct err ignored = {0};

	m.result = fn(arg, m.answer, &m.err);
	(void)io_write_all(to, &m, sizeof m, &ignored);
}

static int take(int from, void *ret_answer, size_t n, struct err *err)
{
	struct message m;
	size_t got;

	if (io_read_full(from, &m, sizeof m, &got, err) < 0)
		return -1;
	if (got != sizeof m)
		return err_set(err, ERR_INTERNAL, 0, "a process of glovebox's own has died before it answered");
	if (m.result < 0) {
		*err = m.err;
		return -1;
	}
	memcpy(ret_answer, m.answer, n);
	return 0;
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
		work(fn, arg, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0)
		return err_set(err, ERR_INTERNAL, errno, "start a process");
	int result = take(from, ret_answer, n, err);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return result;
}

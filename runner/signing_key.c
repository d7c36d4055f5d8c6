/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/signing_key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int signing_key_load(const struct ident *id, const char *path, struct key **ret, struct err *err)
{
	auto_buf pem = BUF_LIMIT(ATTEST_KEY_MAX + (256 << 10));

	if (ident_read_begin(id, err) < 0)
		return -1;
	int result = ident_read_done(id, io_read_file(AT_FDCWD, path, ATTEST_KEY_MAX, &pem, err), err);
	if (result == 0)
		result = key_read_private(pem.data, pem.len, path, ret, err);
	if (pem.data != NULL)
		explicit_bzero(pem.data, pem.len);
	return result < 0 ? err_ctx(err, "--key") : 0;
}

/** What the process apart answers, in one write: smaller than PIPE_BUF. */
struct answer {
	int result;
	char id[45];
	struct err err;
};

static void answer(const struct ident *id, const char *path, int to)
{
	struct answer a = {0};
	struct err ignored = {0};
	auto_key key = NULL;

	a.result = signing_key_load(id, path, &key, &a.err);
	if (a.result == 0)
		a.result = key_id(key, a.id, &a.err);
	(void)io_write_all(to, &a, sizeof a, &ignored);
}

static int take_answer(int from, char ret[45], struct err *err)
{
	struct answer a;
	size_t got;

	if (io_read_full(from, &a, sizeof a, &got, err) < 0)
		return -1;
	if (got != sizeof a)
		return err_set(err, ERR_INTERNAL, 0, "--key: the process that looks at the key has died");
	if (a.result < 0) {
		*err = a.err;
		return -1;
	}
	memcpy(ret, a.id, sizeof a.id);
	return 0;
}

int signing_key_id(const struct ident *id, const char *path, char ret[45], struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, ERR_INTERNAL, errno, "--key: make a pipe");
	auto_fd from = ends[0];
	pid_t pid = fork();
	if (pid == 0) {
		answer(id, path, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0)
		return err_set(err, ERR_INTERNAL, errno, "--key: start a process to look at the key");
	int result = take_answer(from, ret, err);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return result;
}

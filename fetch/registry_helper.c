/* SPDX-License-Identifier: Apache-2.0 */
/* docker's credential helpers: programs named docker-credential-NAME, which are told a host and answer with JSON. They run
 * with an environment that the caller made, with no descriptor of ours, and not for long. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "fetch/registry_client.h"

#define HELPER "docker-credential-"
/** How long one may take: it may have to ask somebody. */
#define HELPER_SECONDS 60

static bool is_helper_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= 64 && name[0] != '-' && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

/** The first program of that name along the path; relative directories in it are nobody's. */
static char *find_helper(const char *path, const char *name)
{
	while (path != NULL && *path != '\0') {
		size_t n = strcspn(path, ":");
		auto_free char *file = NULL;
		struct stat st;

		if (path[0] == '/' && asprintf(&file, "%.*s/" HELPER "%s", (int)n, path, name) < 0)
			return file = NULL;
		if (file != NULL && stat(file, &st) == 0 && S_ISREG(st.st_mode) && faccessat(AT_FDCWD, file, X_OK, AT_EACCESS) == 0)
			return move_ptr(file);
		path += n + (path[n] == ':');
	}
	return NULL;
}

/** What it reads on standard input: a file in memory, since a pipe that it does not read would end us. */
static int question(const char *host, int *ret_fd, struct err *err)
{
	auto_fd fd = memfd_create("host", MFD_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "ask a credential helper");
	if (io_write_all(fd, host, strlen(host), err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_INTERNAL, errno, "ask a credential helper");
	*ret_fd = move_fd(&fd);
	return 0;
}

static int start(const char *file, const char *const *env, int in, int out, pid_t *ret)
{
	static const char *const none[] = { NULL };
	const char *const argv[] = { file, "get", NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t all, empty;

	sigfillset(&all);
	sigemptyset(&empty);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	int e = posix_spawn_file_actions_adddup2(&files, in, 0);
	if (e == 0)
		e = posix_spawn_file_actions_adddup2(&files, out, 1);
	if (e == 0)
		e = posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	/* What our caller left open for us is not meant for it. */
	if (e == 0)
		e = posix_spawn_file_actions_addclosefrom_np(&files, 3);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &empty);
	/* As the caller: where we work as a step's user, that is not whose credentials they are. */
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_RESETIDS);
	if (e == 0)
		e = posix_spawn(ret, file, &files, &attr, (char *const *)argv, (char *const *)(env != NULL ? env : none));
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return e;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/** Reads its answer up to the end of file, or of its time. */
static int listen_to(int fd, int cancel_fd, const char *name, struct buf *answer, struct err *err)
{
	int64_t end = now_ms() + HELPER_SECONDS * 1000;
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = cancel_fd, .events = POLLIN } };

	for (;;) {
		int64_t left = end - now_ms();
		int n = left <= 0 ? 0 : poll(fds, ARRAY_LEN(fds), (int)left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_INTERNAL, errno, "wait for " HELPER "%s", name);
		if (n == 0)
			return err_set(err, ERR_USAGE, 0, HELPER "%s did not answer within %d s", name, HELPER_SECONDS);
		if (fds[1].revents != 0)
			return err_set(err, ERR_INTERRUPTED, 0, "interrupted");
		char *room = buf_room(answer, 4096);
		ssize_t got = room == NULL ? -1 : read(fd, room, 4096);
		if (room == NULL)
			return err_set(err, ERR_USAGE, 0, HELPER "%s: its answer is larger than %u bytes", name, REGISTRY_CREDENTIALS_MAX);
		if (got < 0 && errno != EINTR)
			return err_set(err, ERR_INTERNAL, errno, "read from " HELPER "%s", name);
		if (got == 0)
			return 0;
		if (got > 0)
			buf_seal(answer, answer->len + (size_t)got);
	}
}

/** Its end, forced where it has not answered. */
static int await(pid_t pid, bool force)
{
	int status = 0;

	if (force)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

int helper_get(const struct registry_conf *conf, const char *name, const char *host, struct buf *answer, struct err *err)
{
	auto_fd in = -1;
	int ends[2];
	pid_t pid;

	if (!is_helper_name(name))
		return err_set(err, ERR_USAGE, 0, "docker's configuration: '%.100s' cannot be the name of a credential helper", name);
	/* Looked for as it is run: by the caller, whose own directories a step's user cannot enter. */
	if (conf->ident != NULL && ident_caller_begin(conf->ident, err) < 0)
		return -1;
	auto_free char *file = find_helper(conf->helper_path, name);
	if (conf->ident != NULL && ident_caller_done(conf->ident, 0, err) < 0)
		return -1;
	if (file == NULL)
		return err_set(err, ERR_USAGE, 0, "docker's configuration names the credential helper '" HELPER "%s', which is not in the PATH",
			       name);
	if (question(host, &in, err) < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a pipe");
	auto_fd out = ends[0];
	int e = start(file, conf->helper_env, in, ends[1], &pid);
	close(ends[1]);
	if (e != 0)
		return err_set(err, ERR_USAGE, e, "run '%s'", file);
	int result = listen_to(out, conf->net->cancel_fd, name, answer, err);
	int status = await(pid, result < 0);
	if (result < 0 || status == 0)
		return result;
	/* docker's own helpers say so, and end with 1, where they have nothing for the host. */
	bool none = answer->data != NULL && strstr(answer->data, "not found") != NULL;
	buf_clear(answer);
	return none ? 0 : err_set(err, ERR_USAGE, 0, HELPER "%s failed for '%s'", name, host);
}

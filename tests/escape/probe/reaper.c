/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a command. As a child subreaper (PR_SET_CHILD_SUBREAPER) this process becomes the parent of whatever
 * the command leaves behind, however it hides; ECHILD from wait means that there is nothing. */
#include "probe.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/** How long all may take to be gone after kill -9. */
#define GONE_MS 1000

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static pid_t start(char **argv, int out)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (out >= 0)
		dup2(out, 1);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(126);
}

/** Reaps what has ended. @return whether anything is alive. */
static bool some_live(void)
{
	for (;;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG | __WALL);

		if (pid < 0)
			return errno != ECHILD;
		if (pid == 0)
			return true;
	}
}

/** probe alone COMMAND…: ends as it does, but with 90 when anything of it is alive right then. */
int alone_main(int argc, char **argv)
{
	int status = 0;

	if (argc < 1)
		return 2;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t pid = start(argv, -1);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (some_live()) {
		fprintf(stderr, "something of %s is alive\n", argv[0]);
		return 90;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/** Waits for what the command says, but no longer than that. @return whether it said anything. */
static bool heard(int fd, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool any = false;
	char text[256];

	for (int64_t left; (left = until - now_us()) > 0;) {
		struct timespec t = { left / 1000000, left % 1000000 * 1000 };

		if (ppoll(&p, any ? 0 : 1, &t, NULL) > 0) {
			if (read(fd, text, sizeof text) <= 0)
				break;
			any = true;
		}
	}
	return any;
}

static int64_t time_to_end(void)
{
	int64_t begun = now_us();

	while (some_live()) {
		if (now_us() - begun > GONE_MS * 1000)
			return -1;
		usleep(500);
	}
	return now_us() - begun;
}

static char *mounts(void)
{
	static char text[1 << 20];

	return slurp("/proc/self/mountinfo", text, sizeof text) < 0 ? NULL : strdup(text);
}

/** Kills the command after this time. @return how long the rest lived in µs, -1: longer than it may. */
static int64_t one_kill(char **argv, int64_t after_us, bool *ran)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	int64_t begun = now_us();
	pid_t pid = start(argv, ends[1]);
	close(ends[1]);
	*ran = heard(ends[0], begun + after_us);
	kill(pid, SIGKILL);
	int64_t took = time_to_end();
	close(ends[0]);
	return took;
}

/** probe kills TIMES MAX_MS COMMAND…: kills the command at that many random moments before MAX_MS. */
int kills_main(int argc, char **argv)
{
	int times = argc > 2 ? atoi(argv[0]) : 0, max_ms = argc > 2 ? atoi(argv[1]) : 0, ran = 0;
	int64_t longest = 0;

	if (times <= 0 || max_ms <= 0)
		return fprintf(stderr, "probe kills: TIMES MAX_MS COMMAND\n"), 2;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	char *before = mounts();
	for (int i = 0; i < times; i++) {
		uint32_t random;
		bool was_up = false;

		if (getrandom(&random, sizeof random, 0) != sizeof random)
			return 2;
		int64_t after = random % ((int64_t)max_ms * 1000), took = one_kill(argv + 2, after, &was_up);
		ran += was_up;
		if (took < 0)
			return printf("killed after %ld us: something is alive %d ms later\n", (long)after, GONE_MS), 1;
		longest = took > longest ? took : longest;
		char *left = mounts();
		if (before == NULL || left == NULL || strcmp(before, left) != 0)
			return printf("killed after %ld us: a mount is left\n", (long)after), 1;
		free(left);
	}
	printf("%d kills, %d of them of a running step; the last process went after %ld us\n", times, ran, (long)longest);
	return 0;
}

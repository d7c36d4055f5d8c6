/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ending: how long commands take to end with all that they have started, in turn like interleave's.
 *
 *     ending RUNS [NAME=] COMMAND… ::: COMMAND…
 *
 * Each is started as a process group of its own; when it has written something, the group is sent SIGTERM. The time runs
 * from there until the command has been waited for and nobody holds its output open any more.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "series.h"

static void run_once(struct series *s, size_t at)
{
	int fds[2];
	char byte;

	if (pipe2(fds, O_CLOEXEC) < 0)
		exit(1);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, fds[1], 1);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
	pid_t pid;
	if (posix_spawnp(&pid, s->argv[0], &files, &attr, s->argv, environ) != 0 || close(fds[1]) < 0 || read(fds[0], &byte, 1) != 1) {
		fprintf(stderr, "ending: %s does not start\n", s->name);
		exit(1);
	}
	usleep(2000); /* for the last of them to lie down */
	double start = now_us();
	(void)kill(-pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	while (read(fds[0], &byte, 1) > 0)
		;
	s->wall[at] = now_us() - start;
	close(fds[0]);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
}

int main(int argc, char **argv)
{
	struct series all[COMMANDS_MAX];

	if (argc < 3 || atoi(argv[1]) < 4) {
		fputs("usage: ending RUNS [NAME=] COMMAND… ::: COMMAND…  (at least 4 runs)\n", stderr);
		return 2;
	}
	size_t runs = (size_t)atoi(argv[1]), n = series_split(argv + 2, runs, all);
	for (size_t r = 0; r < runs + WARMUP; r++)
		for (size_t i = 0; i < n; i++)
			run_once(&all[i], r);
	series_print(all, n, runs);
	return 0;
}

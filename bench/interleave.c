/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interleave: times several commands in turn, A B C A B C …, so that a machine
 * whose speed drifts drifts for all of them alike.
 *
 *     interleave RUNS COMMAND… ::: COMMAND… [::: COMMAND…]…
 *
 * Prints for each command the lower quartile, the median and the upper quartile of
 * its wall time in microseconds, its CPU time, and the ratio of lower quartiles to the first command's. Output
 * of the commands is thrown away; one that fails ends the measurement.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 16
/** Runs of each command that are not counted. */
#define WARMUP 3

extern char **environ;

struct series {
	char **argv;
	double *wall, *cpu;  /**< µs a run */
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double cpu_us(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e6 + (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
}

static void run_once(const struct series *s, const posix_spawn_file_actions_t *quiet, double *wall, double *cpu)
{
	struct rusage usage;
	int status;
	pid_t pid;
	double start = now_us();
	int e = posix_spawnp(&pid, s->argv[0], quiet, NULL, s->argv, environ);

	if (e != 0) {
		fprintf(stderr, "interleave: %s: %s\n", s->argv[0], strerror(e));
		exit(1);
	}
	while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	*wall = now_us() - start;
	*cpu = cpu_us(&usage);
	if (status != 0) {
		fprintf(stderr, "interleave: %s failed with wait status %d\n", s->argv[0], status);
		exit(1);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static size_t split(char **argv, struct series *all)
{
	size_t n = 0;

	while (*argv != NULL && n < COMMANDS_MAX) {
		all[n++].argv = argv;
		while (*argv != NULL && strcmp(*argv, ":::") != 0)
			argv++;
		if (*argv != NULL)
			*argv++ = NULL;
	}
	return n;
}

int main(int argc, char **argv)
{
	struct series all[COMMANDS_MAX] = {0};
	posix_spawn_file_actions_t quiet;

	if (argc < 3 || atoi(argv[1]) < 4) {
		fputs("usage: interleave RUNS COMMAND… ::: COMMAND…  (at least 4 runs)\n", stderr);
		return 2;
	}
	size_t runs = (size_t)atoi(argv[1]), n = split(argv + 2, all);
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
	for (size_t i = 0; i < n; i++) {
		all[i].wall = calloc(runs + WARMUP, sizeof(double));
		all[i].cpu = calloc(runs + WARMUP, sizeof(double));
		if (all[i].wall == NULL || all[i].cpu == NULL)
			return 1;
	}
	for (size_t r = 0; r < runs + WARMUP; r++)
		for (size_t i = 0; i < n; i++)
			run_once(&all[i], &quiet, &all[i].wall[r], &all[i].cpu[r]);
	printf("%-28s %10s %10s %10s %10s %8s\n", "command", "p25 µs", "median", "p75", "cpu p25", "ratio");
	double first = 0;
	for (size_t i = 0; i < n; i++) {
		double *w = all[i].wall + WARMUP, *c = all[i].cpu + WARMUP;

		qsort(w, runs, sizeof *w, compare);
		qsort(c, runs, sizeof *c, compare);
		if (i == 0)
			first = w[runs / 4];
		printf("%-28.28s %10.0f %10.0f %10.0f %10.0f %8.2f\n", strrchr(all[i].argv[0], '/') != NULL
			       ? strrchr(all[i].argv[0], '/') + 1 : all[i].argv[0],
		       w[runs / 4], w[runs / 2], w[runs * 3 / 4], c[runs / 4], w[runs / 4] / first);
		free(all[i].wall);
		free(all[i].cpu);
	}
	posix_spawn_file_actions_destroy(&quiet);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file series.h
 * What the measuring programs of bench/ share: commands in turn, and their quantiles.
 */
#ifndef GB_BENCH_SERIES_H
#define GB_BENCH_SERIES_H

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
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

/** A command and what it took. */
struct series {
	const char *name;    /**< as it is printed */
	char **argv;
	posix_spawn_file_actions_t files;
	double *wall, *cpu;  /**< µs a run; the first WARMUP are not counted */
};

static inline double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/** Takes what stands before a command: NAME= for the table, N<FILE for a descriptor that it finds open. */
static inline void series_prefix(struct series *s)
{
	for (;; s->argv++) {
		char *at = s->argv[0] == NULL ? NULL : strpbrk(s->argv[0], "=<");

		if (at == NULL || at == s->argv[0])
			return;
		if (*at == '=' && at[1] == '\0') {
			*at = '\0';
			s->name = s->argv[0];
		} else if (*at == '<') {
			posix_spawn_file_actions_addopen(&s->files, atoi(s->argv[0]), at + 1, O_RDONLY, 0);
		} else {
			return;
		}
	}
}

/** Splits `A… ::: B… ::: C…`. @return how many. */
static inline size_t series_split(char **argv, size_t runs, struct series *all)
{
	size_t n = 0;

	while (*argv != NULL && n < COMMANDS_MAX) {
		struct series *s = &all[n++];

		*s = (struct series){ .argv = argv, .wall = calloc(runs + WARMUP, sizeof(double)),
				      .cpu = calloc(runs + WARMUP, sizeof(double)) };
		if (s->wall == NULL || s->cpu == NULL)
			exit(1);
		while (*argv != NULL && strcmp(*argv, ":::") != 0)
			argv++;
		if (*argv != NULL)
			*argv++ = NULL;
		posix_spawn_file_actions_init(&s->files);
		series_prefix(s);
		if (s->argv[0] == NULL) {
			fputs("a command is missing\n", stderr);
			exit(2);
		}
		if (s->name == NULL)
			s->name = strrchr(s->argv[0], '/') != NULL ? strrchr(s->argv[0], '/') + 1 : s->argv[0];
	}
	return n;
}

static inline pid_t series_start(const struct series *s)
{
	pid_t pid;
	int e = posix_spawnp(&pid, s->argv[0], &s->files, NULL, s->argv, environ);

	if (e != 0) {
		fprintf(stderr, "%s: %s\n", s->argv[0], strerror(e));
		exit(1);
	}
	return pid;
}

/** Throws away what a command writes. */
static inline void series_silence(struct series *s)
{
	posix_spawn_file_actions_addopen(&s->files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&s->files, 2, "/dev/null", O_WRONLY, 0);
}

/** Waits for run @p at, which began at @p start, and takes its times, with those of all that it waited for. One that failed ends the measurement. */
static inline void series_reap(struct series *s, pid_t pid, size_t at, double start)
{
	struct rusage u = { 0 };
	int status = 0;

	while (wait4(pid, &status, 0, &u) < 0 && errno == EINTR)
		;
	s->wall[at] = now_us() - start;
	s->cpu[at] = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
	if (status != 0) {
		fprintf(stderr, "%s failed with wait status %d\n", s->name, status);
		exit(1);
	}
}

static inline int series_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/** Prints the lower quartile, the median and the upper quartile of each, and the ratio of lower quartiles to the first's. */
static inline void series_print(struct series *all, size_t n, size_t runs)
{
	double first = 0;

	printf("%-28s %10s %10s %10s %10s %8s\n", "command", "p25 µs", "median", "p75", "cpu p25", "ratio");
	for (size_t i = 0; i < n; i++) {
		double *w = all[i].wall + WARMUP, *c = all[i].cpu + WARMUP;

		qsort(w, runs, sizeof *w, series_compare);
		qsort(c, runs, sizeof *c, series_compare);
		if (i == 0)
			first = w[runs / 4];
		printf("%-28.28s %10.0f %10.0f %10.0f %10.0f %8.2f\n", all[i].name, w[runs / 4], w[runs / 2], w[runs * 3 / 4],
		       c[runs / 4], w[runs / 4] / first);
	}
}

#endif

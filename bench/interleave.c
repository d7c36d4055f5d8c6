/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interleave: times several commands in turn, A B C A B C …, so that a machine
 * whose speed drifts drifts for all of them alike.
 *
 *     interleave [--pairs] RUNS [NAME=] [N<FILE]… COMMAND… ::: COMMAND… [::: COMMAND…]…
 *
 * Prints for each command the lower quartile, the median and the upper quartile of
 * its wall time in microseconds, its CPU time, and the ratio of lower quartiles to the first command's. With
 * --pairs also, of each round's CPU times, the ratio to the first command's: the median, and the upper 95 % bound of
 * that median by bootstrap. A command whose name is given as "NAME=" is called so; with "N<FILE" it finds the file
 * open as descriptor N. Output of the commands is thrown away; one that fails ends the measurement.
 */
#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "series.h"

/** Resamples of the bootstrap. */
#define RESAMPLES 10000

static double cpu_us(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e6 + (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
}

static void run_once(const struct series *s, size_t at)
{
	struct rusage usage;
	int status;
	double start = now_us();
	pid_t pid = series_start(s);

	while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
		;
	s->wall[at] = now_us() - start;
	s->cpu[at] = cpu_us(&usage);
	if (status != 0) {
		fprintf(stderr, "interleave: %s failed with wait status %d\n", s->name, status);
		exit(1);
	}
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof *v, series_compare);
	return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/** The median of CPU time ratios, round by round, and how high it may be. */
static void print_pairs(const struct series *first, const struct series *s, size_t runs)
{
	double *ratio = calloc(runs, sizeof *ratio), *sample = calloc(runs, sizeof *sample);
	double *medians = calloc(RESAMPLES, sizeof *medians);

	if (ratio == NULL || sample == NULL || medians == NULL)
		exit(1);
	for (size_t r = 0; r < runs; r++)
		ratio[r] = s->cpu[WARMUP + r] / first->cpu[WARMUP + r];
	srandom(1); /* the same figures give the same bound */
	for (size_t k = 0; k < RESAMPLES; k++) {
		for (size_t r = 0; r < runs; r++)
			sample[r] = ratio[(size_t)random() % runs];
		medians[k] = median(sample, runs);
	}
	qsort(medians, RESAMPLES, sizeof *medians, series_compare);
	printf("%s / %s, user + system time: median %.4f of %zu pairs, upper 95 %% bound %.4f\n", s->name, first->name,
	       median(ratio, runs), runs, medians[RESAMPLES * 95 / 100]);
	free(ratio);
	free(sample);
	free(medians);
}

int main(int argc, char **argv)
{
	struct series all[COMMANDS_MAX];
	bool pairs = argc > 1 && strcmp(argv[1], "--pairs") == 0;

	argv += pairs;
	argc -= pairs;
	if (argc < 3 || atoi(argv[1]) < 4) {
		fputs("usage: interleave [--pairs] RUNS [NAME=] [N<FILE]… COMMAND… ::: COMMAND…  (at least 4 runs)\n", stderr);
		return 2;
	}
	size_t runs = (size_t)atoi(argv[1]), n = series_split(argv + 2, runs, all);
	for (size_t i = 0; i < n; i++) {
		posix_spawn_file_actions_addopen(&all[i].files, 1, "/dev/null", O_WRONLY, 0);
		posix_spawn_file_actions_addopen(&all[i].files, 2, "/dev/null", O_WRONLY, 0);
	}
	/* Pairs are long: one round warms them. */
	for (size_t r = pairs ? WARMUP - 1 : 0; r < runs + WARMUP; r++)
		for (size_t i = 0; i < n; i++)
			run_once(&all[i], r);
	for (size_t i = 1; pairs && i < n; i++)
		print_pairs(&all[0], &all[i], runs);
	series_print(all, n, runs);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* confined ROUNDS: what a confined child costs (base/confine.h) beside a bare fork that does the same and has lost nothing, in turn, from callers
 * that have touched more and more memory: µs, quarter quantiles and medians. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#define ROUNDS_MAX 10000

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int answer(void *arg, int out, struct err *err)
{
	(void)arg;
	return io_write_all(out, "x", 1, err);
}

static void must(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "confined: %s\n", what);
	exit(1);
}

static void confined(void)
{
	const struct confine_conf conf = { .what = "the reader", .fn = answer, .kind = ERR_INPUT };
	struct err err = {0};
	auto_buf out = {0};

	must(confine_run(&conf, 1, &out, &err) == 0, err.msg);
}

/** As confine.c copies a process where there is one thread. */
static void bare(void)
{
	int ends[2], status;
	char byte;

	must(pipe2(ends, O_CLOEXEC) == 0, "pipe");
	pid_t pid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
	if (pid == 0) {
		(void)!write(ends[1], "x", 1);
		_exit(0);
	}
	close(ends[1]);
	must(read(ends[0], &byte, 1) == 1, "read");
	close(ends[0]);
	must(waitpid(pid, &status, __WALL) == pid, "wait");
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double timed(void (*fn)(void))
{
	double start = now_us();

	fn();
	return now_us() - start;
}

static void measure(size_t mib, size_t rounds)
{
	static double c[ROUNDS_MAX], b[ROUNDS_MAX];
	char *touched = malloc((mib << 20) + 1);

	must(touched != NULL, "memory");
	memset(touched, 1, (mib << 20) + 1);
	for (size_t i = 0; i < rounds; i++) {
		c[i] = timed(confined);
		b[i] = timed(bare);
	}
	qsort(c, rounds, sizeof *c, by_value);
	qsort(b, rounds, sizeof *b, by_value);
	printf("%8zu MiB %12.0f %12.0f %12.0f %12.0f %12.0f\n", mib, c[rounds / 4], c[rounds / 2], b[rounds / 4], b[rounds / 2],
	       c[rounds / 4] - b[rounds / 4]);
	free(touched);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 0, 16, 64, 256 };
	size_t rounds = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;

	must(rounds > 3 && rounds <= ROUNDS_MAX, "usage: confined ROUNDS");
	printf("%12s %12s %12s %12s %12s %12s\n", "touched", "confined p25", "median", "bare p25", "median", "difference");
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		measure(sizes[i], rounds);
	return 0;
}

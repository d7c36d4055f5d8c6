/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pairs: the CPU time of two long commands, each made of many short jobs that wait for their turn (turn.c), so
 * that a machine whose speed drifts within seconds drifts for both alike.
 *
 *     pairs RUNS NAME= TURNS COMMAND… ::: NAME= TURNS COMMAND…
 *
 * Each round starts both commands at once and lets one job at a time run, of the one, of the other, of the other, of the one, and so on;
 * TURNS is the directory with the FIFOs "ask" and "go" of that command. Prints of each round's CPU times the ratio to the
 * first command's: the median of all rounds, and the upper 95 % bound of that median by bootstrap.
 */
#include <poll.h>
#include <sys/syscall.h>

#include "series.h"

/** Resamples of the bootstrap. */
#define RESAMPLES 10000

/** One of the two, and the way to its jobs. */
struct side {
	struct series *series;
	int ask, go;
	pid_t pid;
	int pidfd;
	bool ended;
};

static void die(const char *what)
{
	fprintf(stderr, "pairs: %s: %s\n", what, strerror(errno));
	exit(1);
}

/** Opened for both directions, a FIFO neither waits for the other end nor comes to an end. */
static int open_fifo(const char *dir, const char *name)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

static void start(struct side *side)
{
	side->pid = series_start(side->series);
	side->pidfd = (int)syscall(SYS_pidfd_open, side->pid, 0);
	if (side->pidfd < 0)
		die("pidfd_open");
	side->ended = false;
}

/** Waits for the next word of a side's jobs. @return false: there are none any more. */
static bool hears(struct side *side)
{
	struct pollfd fds[2] = { { .fd = side->ask, .events = POLLIN }, { .fd = side->pidfd, .events = POLLIN } };
	char word;

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			die("poll");
	if ((fds[0].revents & POLLIN) == 0) {
		side->ended = true;
		return false;
	}
	if (read(side->ask, &word, 1) != 1)
		die("a job's word");
	return true;
}

static void run_round(struct side side[2], size_t at)
{
	double begin = now_us();

	for (int i = 0; i < 2; i++)
		start(&side[i]);
	/* 0 1 1 0 0 1 1 0 …, and the other way round in every other round. */
	for (size_t k = 0; !side[0].ended || !side[1].ended; k++) {
		struct side *turn = &side[((k + 1) / 2 + at) % 2];

		if (turn->ended)
			continue;
		if (hears(turn) && write(turn->go, "", 1) != 1)
			die("a turn");
		if (!turn->ended)
			hears(turn);
	}
	for (int i = 0; i < 2; i++) {
		series_reap(side[i].series, side[i].pid, at, begin);
		close(side[i].pidfd);
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
		die("room for the figures");
	for (size_t r = 0; r < runs; r++)
		ratio[r] = s->cpu[WARMUP + r] / first->cpu[WARMUP + r];
	srandom(1); /* the same figures give the same bound */
	for (size_t k = 0; k < RESAMPLES; k++) {
		for (size_t r = 0; r < runs; r++)
			sample[r] = ratio[(size_t)random() % runs];
		medians[k] = median(sample, runs);
	}
	qsort(medians, RESAMPLES, sizeof *medians, series_compare);
	printf("%s / %s, user + system time: median %.4f of %zu pairs, upper 95 %% bound %.4f\npairs:", s->name, first->name,
	       median(ratio, runs), runs, medians[RESAMPLES * 95 / 100]);
	for (size_t r = 0; r < runs; r++)
		printf(" %.4f", ratio[r]);
	putchar('\n');
	free(ratio);
	free(sample);
	free(medians);
}

int main(int argc, char **argv)
{
	struct series all[COMMANDS_MAX];
	size_t runs = argc > 2 ? (size_t)atoi(argv[1]) : 0;
	struct side side[2];

	if (runs < 1 || series_split(argv + 2, runs, all) != 2 || all[0].argv[1] == NULL || all[1].argv[1] == NULL) {
		fputs("usage: pairs RUNS NAME= TURNS COMMAND… ::: NAME= TURNS COMMAND…\n", stderr);
		return 2;
	}
	for (int i = 0; i < 2; i++) {
		const char *turns = *all[i].argv++;

		series_silence(&all[i]);
		side[i] = (struct side){ .series = &all[i], .ask = open_fifo(turns, "ask"), .go = open_fifo(turns, "go") };
	}
	/* They are long: one round warms them. */
	for (size_t r = WARMUP - 1; r < runs + WARMUP; r++)
		run_round(side, r);
	print_pairs(&all[0], &all[1], runs);
	series_print(all, 2, runs);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interleave: times several commands in turn, A B C A B C …, so that a machine
 * whose speed drifts drifts for all of them alike.
 *
 *     interleave RUNS [NAME=] [N<FILE]… COMMAND… ::: COMMAND… [::: COMMAND…]…
 *
 * Prints for each command the lower quartile, the median and the upper quartile of
 * its wall time in microseconds, its CPU time, and the ratio of lower quartiles to the first command's. A command whose name
 * is given as "NAME=" is called so; with "N<FILE" it finds the file open as descriptor N. Output of the commands is
 * thrown away; one that fails ends the measurement.
 */
#include "series.h"

int main(int argc, char **argv)
{
	struct series all[COMMANDS_MAX];

	if (argc < 3 || atoi(argv[1]) < 4) {
		fputs("usage: interleave RUNS [NAME=] [N<FILE]… COMMAND… ::: COMMAND…  (at least 4 runs)\n", stderr);
		return 2;
	}
	size_t runs = (size_t)atoi(argv[1]), n = series_split(argv + 2, runs, all);

	for (size_t i = 0; i < n; i++)
		series_silence(&all[i]);
	for (size_t r = 0; r < runs + WARMUP; r++)
		for (size_t i = 0; i < n; i++)
			series_reap(&all[i], series_start(&all[i]), r, now_us());
	series_print(all, n, runs);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/cause.h"

#include <string.h>

/** Elements of a row that are looked at: pairs of them are counted. */
#define PLACES_COUNTED 2000
/** Rows shorter than this tell no kind of order from another. */
#define PLACES_FEW 6

static const struct {
	const char *name, *cure;
} causes[CAUSE_COUNT] = {
	[CAUSE_TIMESTAMP] = { "timestamp", "take times from SOURCE_DATE_EPOCH, or leave them out: tar --mtime=@$SOURCE_DATE_EPOCH, gzip -n, zip -X after "
			      "touch -d, ar rcsD, -Wdate-time in place of __DATE__, python3 -m compileall --invalidation-mode unchecked-hash" },
	[CAUSE_BUILD_PATH] = { "build path", "build at the same path each time, or map it away: -ffile-prefix-map=$PWD=. (gcc, clang), "
			       "--remap-path-prefix (rustc), -trimpath (go), compileall -s" },
	[CAUSE_BUILD_ID] = { "build id", "-Wl,--build-id=sha1, which depends on the content alone, or -Wl,--build-id=none; never uuid" },
	[CAUSE_RANDOM] = { "random seed", "give a fixed seed (-frandom-seed=, PYTHONHASHSEED=0, --seed), and make names from content in place of "
			   "random ones" },
	[CAUSE_HASH_ORDER] = { "hash order", "sort what comes out of a set, a map or a directory before it is written; PYTHONHASHSEED=0 shows whether "
			       "it is that" },
	[CAUSE_PARALLEL_ORDER] = { "parallel order", "collect results in the order of their names and not of their end: sort the list of inputs "
				   "(tar --sort=name, $(sort $(wildcard …))), or run this step with one job" },
	[CAUSE_ORDER] = { "order", "sort before writing: the order is that of a set, of a directory, or of jobs that ran beside one another" },
	[CAUSE_OWNER] = { "uid or owner name", "give owners as numbers that are always the same: tar --owner=0 --group=0 --numeric-owner, zip -X, "
			  "ar rcsD; write no user name" },
	[CAUSE_LOCALE] = { "locale", "LC_ALL=C.UTF-8 for all that sorts, formats numbers and dates, or prints messages" },
	[CAUSE_VERSION] = { "version string", "pin the tool: the same root filesystem, by its digest, for both builds" },
	[CAUSE_HOST] = { "host name", "write no host name; where it has to be one, a fixed one" },
	[CAUSE_CPU] = { "CPU feature", "name the machine: -march=x86-64-v2 or the like in place of -march=native; no detection while building" },
	[CAUSE_COMPRESSOR] = { "compressor", "the same compressor in the same version, at the same level, with the same number of threads" },
};

const char *cause_name(enum cause c)
{
	return causes[c].name;
}

const char *cause_cure(enum cause c)
{
	return causes[c].cure;
}

enum cause cause_named(const char *name)
{
	for (size_t i = 1; name != NULL && i < CAUSE_COUNT; i++)
		if (strcmp(causes[i].name, name) == 0)
			return (enum cause)i;
	return CAUSE_NONE;
}

enum cause cause_of_places(const size_t *place, size_t n)
{
	size_t pairs, swapped = 0;

	n = n < PLACES_COUNTED ? n : PLACES_COUNTED;
	if (n < PLACES_FEW)
		return CAUSE_ORDER;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			swapped += place[i] > place[j];
	pairs = n * (n - 1) / 2;
	/* Jobs that run beside one another overtake their neighbours; a hash throws all about, so that half of all pairs are swapped. */
	if (swapped * 10 < pairs * 2)
		return CAUSE_PARALLEL_ORDER;
	return swapped * 10 > pairs * 3 ? CAUSE_HASH_ORDER : CAUSE_ORDER;
}

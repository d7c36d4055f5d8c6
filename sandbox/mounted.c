/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/mounted.h"

#include <mntent.h>
#include <string.h>

/** Longest line that is read whole: two paths and an overlay's many layers. */
#define LINE_SIZE (64u << 10)

static inline void own_table(FILE **f)
{
	if (*f != NULL)
		endmntent(*f);
}
#define auto_table auto_own(table) FILE *

/** Calls @p fn with each mount point until it wants no more. @return whether the table could be read. */
static bool each(bool (*fn)(void *arg, const char *target), void *arg)
{
	auto_free char *line = malloc(LINE_SIZE);
	auto_table table = setmntent("/proc/self/mounts", "re");
	struct mntent m;

	if (line == NULL || table == NULL)
		return false;
	while (getmntent_r(table, &m, line, LINE_SIZE) != NULL)
		if (!fn(arg, m.mnt_dir))
			break;
	return true;
}

static bool find_root(void *found, const char *target)
{
	*(bool *)found = strcmp(target, "/") == 0;
	return !*(bool *)found;
}

bool mounted_in_chroot(void)
{
	bool found = false;

	return each(find_root, &found) && !found;
}

struct covers {
	struct buf *out;
	size_t n, max;
};

static bool add_cover(void *arg, const char *target)
{
	struct covers *c = arg;

	if (text_starts(target, "/proc/"))
		buf_addf(c->out, "%s%s", c->n++ == 0 ? "" : ", ", target);
	return c->n < c->max;
}

void mounted_on_proc(struct buf *out, size_t max)
{
	struct covers c = { .out = out, .max = max };

	(void)each(add_cover, &c);
}

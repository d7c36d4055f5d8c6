/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/mountinfo.h"

#include <libmount/libmount.h>

#define MOUNTINFO "/proc/self/mountinfo"

static inline void own_table(struct libmnt_table **t)
{
	mnt_unref_table(*t);
}
static inline void own_iter(struct libmnt_iter **i)
{
	mnt_free_iter(*i);
}
#define auto_table auto_own(table) struct libmnt_table *
#define auto_iter auto_own(iter) struct libmnt_iter *

bool mountinfo_in_chroot(void)
{
	auto_table table = mnt_new_table_from_file(MOUNTINFO);

	return table != NULL && mnt_table_find_target(table, "/", MNT_ITER_FORWARD) == NULL;
}

void mountinfo_proc_covers(struct buf *out, size_t max)
{
	auto_table table = mnt_new_table_from_file(MOUNTINFO);
	auto_iter iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	size_t n = 0;

	if (table == NULL || iter == NULL)
		return;
	while (n < max && mnt_table_next_fs(table, iter, &fs) == 0) {
		const char *target = mnt_fs_get_target(fs);

		if (target == NULL || !text_starts(target, "/proc/"))
			continue;
		buf_addf(out, "%s%s", n++ == 0 ? "" : ", ", target);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/layout.h"

int rootfs_materialise(struct store *store, const struct digest *d, int dirfd, struct err *err)
{
	auto_tree_reader r = NULL;
	struct tree_entry e;
	int more;
	auto_layout l = {0};

	if (contents_begin(store, dirfd, &l.contents, err) < 0 || store_read_tree(store, d, &r, err) < 0)
		return -1;
	layout_begin(&l, dirfd);
	while ((more = tree_reader_next(r, &e, err)) > 0) {
		int fd = -1;

		if (layout_make(&l, &e, &fd, err) < 0 || (fd != -1 && contents_fill(l.contents, fd, &e, err) < 0))
			return -1;
	}
	return more < 0 || contents_finish(l.contents, err) < 0 ? -1 : layout_finish(&l, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A directory becomes a tree of the store, and a rootfs: both copies are made of one reading and one hashing. */
#include <errno.h>

#include "rootfs/layout.h"

struct import_along {
	struct store *store;
	struct store_scratch *scratch; /**< borrowed */
	int root;                      /**< the new rootfs in it */
	struct layout layout;
};

void import_along_free(struct import_along *a)
{
	if (a == NULL)
		return;
	layout_clear(&a->layout);
	own_fd(&a->root);
	free(a);
}

static int begin(struct store *store, struct store_scratch *scratch, struct import_along **ret, struct err *err)
{
	auto_import_along a = calloc(1, sizeof *a);

	if (a == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "lay out a tree");
	a->store = store;
	a->scratch = scratch;
	a->root = -1;
	if (rootfs_begin(scratch, &a->root, err) < 0)
		return -1;
	layout_begin(&a->layout, a->root);
	*ret = move_ptr(a);
	return 0;
}

static void amend(void *arg, const char *path, void *head, size_t n)
{
	(void)arg;
	pyc_amend(path, head, n);
}

static int make(void *arg, const struct tree_entry *e, int *ret_fd, struct err *err)
{
	struct import_along *a = arg;

	return layout_make(&a->layout, e, ret_fd, err);
}

static int filled(void *arg, const struct tree_entry *e, int fd, struct err *err)
{
	const struct import_along *a = arg;
	auto_fd own = fd;

	return contents_settle(own, e->mode) < 0 ? contents_failed(a->root, 0, e->path, errno, err) : 0;
}

int import_dir(struct store *store, int fd, struct store_scratch *scratch, struct tree_builder *b, struct import_along **ret, struct err *err)
{
	auto_import_along a = NULL;
	struct snapshot_copy copy = { .make = make, .filled = filled };
	struct snapshot_options opt = { .form = TREE_ROOTFS, .skip_odd = true, .amend = amend };
	struct snapshot_stats stats;

	if (scratch != NULL) {
		if (begin(store, scratch, &a, err) < 0)
			return -1;
		copy.arg = a;
		opt.copy = &copy;
	}
	if (store_snapshot(store, fd, &opt, b, &stats, err) < 0)
		return -1;
	*ret = move_ptr(a);
	return 0;
}

int import_along_place(struct import_along *a, const struct digest *d, struct err *err)
{
	return layout_finish(&a->layout, err) < 0 ? -1 : rootfs_place(a->store, d, a->scratch, err);
}

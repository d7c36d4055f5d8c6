/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/harvest.h"

int harvest(struct store *store, int dirfd, struct digest *ret, uint64_t *ret_odd, struct err *err)
{
	static const struct snapshot_options opt = { .form = TREE_SOURCE, .skip_odd = true };
	auto_tree_builder tree = NULL;
	struct snapshot_stats stats;

	if (tree_builder_new(&tree, err) < 0 || store_snapshot(store, dirfd, &opt, tree, &stats, err) < 0 ||
	    store_put_tree(store, tree, ret, err) < 0)
		return -1;
	*ret_odd = stats.odd;
	return 0;
}

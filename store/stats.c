/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

/** What count() counts into. */
struct counting {
	struct store *store;
	struct store_counts counts;
};

static int count(void *arg, const struct store_thing *t, struct err *err)
{
	struct counting *c = arg;

	(void)err;
	c->counts.of[t->kind].n++;
	c->counts.of[t->kind].bytes += store_thing_bytes(c->store, t);
	return 0;
}

int store_stats(struct store *store, struct store_counts *ret, struct err *err)
{
	struct counting c = { .store = store };

	for (int kind = 0; kind < STORE_KINDS; kind++)
		if (store_visit(store, (enum store_kind)kind, count, &c, err) < 0)
			return -1;
	*ret = c.counts;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/digest_set.h"

#include <errno.h>
#include <string.h>

void digest_set_clear(struct digest_set *set)
{
	free(set->slots);
	*set = (struct digest_set){0};
}

/** Where @p d is, or would be. Digests are as good as random: their first bytes are the hash. */
static struct digest_slot *slot_of(struct digest_slot *slots, size_t cap, const struct digest *d)
{
	size_t i;

	memcpy(&i, d->b, sizeof i);
	for (i &= cap - 1; slots[i].used && !digest_eq(&slots[i].d, d); i = (i + 1) & (cap - 1))
		;
	return &slots[i];
}

static int grow(struct digest_set *set, struct err *err)
{
	size_t cap = set->cap == 0 ? 1024 : 2 * set->cap;
	struct digest_slot *slots = calloc(cap, sizeof *slots);

	if (slots == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "count what the store holds");
	for (size_t i = 0; i < set->cap; i++)
		if (set->slots[i].used)
			*slot_of(slots, cap, &set->slots[i].d) = set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->cap = cap;
	return 0;
}

int digest_set_add(struct digest_set *set, const struct digest *d, uint8_t **ret, struct err *err)
{
	if (2 * set->n >= set->cap && grow(set, err) < 0)
		return -1;
	struct digest_slot *slot = slot_of(set->slots, set->cap, d);
	if (!slot->used) {
		*slot = (struct digest_slot){ .d = *d, .used = 1 };
		set->n++;
	}
	if (ret != NULL)
		*ret = &slot->mark;
	return 0;
}

uint8_t *digest_set_find(const struct digest_set *set, const struct digest *d)
{
	struct digest_slot *slot = set->cap == 0 ? NULL : slot_of(set->slots, set->cap, d);

	return slot != NULL && slot->used ? &slot->mark : NULL;
}

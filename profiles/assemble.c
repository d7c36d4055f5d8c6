/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles/assemble.h"

static const struct sock_filter *at(const struct assembly *a, label l)
{
	return &a->code[PROFILE_BPF_MAX - l];
}

static label put(struct assembly *a, struct sock_filter i)
{
	if (a->len == PROFILE_BPF_MAX) {
		a->full = true;
		return PROFILE_BPF_MAX;
	}
	a->len++;
	a->code[PROFILE_BPF_MAX - a->len] = i;
	return (label)a->len;
}

label assemble_return(struct assembly *a, uint32_t action)
{
	for (label l = 1; l <= a->len; l++)
		if (at(a, l)->code == (BPF_RET | BPF_K) && at(a, l)->k == action)
			return l;
	return put(a, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

label assemble_load(struct assembly *a, uint32_t offset)
{
	return put(a, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

label assemble_and(struct assembly *a, uint32_t mask)
{
	return put(a, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
}

label assemble_goto(struct assembly *a, label target)
{
	if (target == a->len)
		return target;
	/* An end costs no more than the way to it. */
	if (at(a, target)->code == (BPF_RET | BPF_K))
		return put(a, *at(a, target));
	return put(a, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)a->len - target));
}

/** A place that does what @p target does, near enough for a jump that stands two instructions further on. */
static label near(struct assembly *a, label target)
{
	size_t i;
	label copy;

	if (a->len + 1 - target <= ASSEMBLE_NEAR)
		return target;
	for (i = 0; i < a->ncopies; i++)
		if (a->copies[i].target == target) {
			if (a->len + 1 - a->copies[i].copy <= ASSEMBLE_NEAR)
				return a->copies[i].copy;
			break;
		}
	copy = assemble_goto(a, target);
	if (i < ASSEMBLE_COPIES) {
		a->copies[i].target = target;
		a->copies[i].copy = copy;
		if (i == a->ncopies)
			a->ncopies++;
	}
	return copy;
}

label assemble_jump(struct assembly *a, uint16_t op, uint32_t k, label yes, label no)
{
	if (yes == no)
		return assemble_goto(a, yes);
	if (a->full)
		return PROFILE_BPF_MAX;
	/* The second may put one instruction between the first and the jump, which near() allows for. */
	yes = near(a, yes);
	no = near(a, no);
	return put(a, (struct sock_filter)BPF_JUMP(BPF_JMP | op | BPF_K, k, (uint8_t)(a->len - yes), (uint8_t)(a->len - no)));
}

label assemble_loaded(const struct assembly *a, label target, uint32_t offset)
{
	const struct sock_filter *i = at(a, target);

	return i->code == (BPF_LD | BPF_W | BPF_ABS) && i->k == offset ? target - 1 : target;
}

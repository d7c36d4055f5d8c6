/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles/edges.h"

/** Most masked comparisons of one argument that are tried against each other. */
#define MASKS_MAX 64
/** In the upper half that the kernel drops from an int argument. */
#define HIGH_BIT (1ull << 32)

static void add_value(struct edges *edges, uint64_t v)
{
	for (size_t i = 0; i < edges->n; i++)
		if (edges->v[i] == v)
			return;
	if (edges->n < EDGES_MAX)
		edges->v[edges->n++] = v;
}

/** Values at which @p c and its neighbours turn. */
static void add_around(struct edges *edges, const struct policy_cond *c)
{
	if (c->op == SCMP_CMP_MASKED_EQ) {
		add_value(edges, c->value_two);
		add_value(edges, c->value_two | ~c->value);
		add_value(edges, c->value_two ^ (c->value & -c->value));
		add_value(edges, c->value_two ^ (c->value != 0 ? 1ull << (63 - __builtin_clzll(c->value)) : 0));
		return;
	}
	add_value(edges, c->value);
	add_value(edges, c->value - 1);
	add_value(edges, c->value + 1);
	add_value(edges, c->value | HIGH_BIT);
}

/** Masked comparisons of one argument that differ. */
struct masks {
	const struct policy_cond *c[MASKS_MAX];
	size_t n;
};

static void add_mask(struct masks *masks, const struct policy_cond *c)
{
	for (size_t i = 0; i < masks->n; i++)
		if (masks->c[i]->value == c->value && masks->c[i]->value_two == c->value_two)
			return;
	if (masks->n < MASKS_MAX)
		masks->c[masks->n++] = c;
}

void edges_add(struct edges *edges, const struct policy_rule *rules, size_t n, unsigned index)
{
	struct masks masks = {0};

	add_value(edges, 0);
	for (size_t i = 0; i < n; i++)
		for (unsigned c = 0; c < rules[i].nconds; c++) {
			const struct policy_cond *cond = &rules[i].conds[c];

			if (cond->index != index)
				continue;
			add_around(edges, cond);
			if (cond->op == SCMP_CMP_MASKED_EQ)
				add_mask(&masks, cond);
		}
	/* Values that satisfy two masks at once, where rules overlap. */
	for (size_t i = 0; i < masks.n; i++)
		for (size_t j = 0; j < masks.n; j++)
			if (masks.c[i]->value != masks.c[j]->value)
				add_value(edges, masks.c[i]->value_two | (masks.c[j]->value_two & ~masks.c[i]->value));
}

int edges_each(const struct policy *const *policies, size_t n, int nr, uint64_t most, edges_fn *fn, void *arg)
{
	struct edges edges[POLICY_ARGS];
	uint64_t total = 1, step;
	int result = 0;

	for (unsigned a = 0; a < POLICY_ARGS; a++) {
		edges[a].n = 0;
		for (size_t i = 0; i < n; i++)
			edges_add(&edges[a], policies[i]->rules + policies[i]->first[nr],
				  policies[i]->first[nr + 1] - policies[i]->first[nr], a);
		total *= edges[a].n; /* 256^6 = 2^48 */
	}
	/* An odd step meets every value of every argument when most of their counts are even. */
	step = total > most ? (total / most) | 1 : 1;
	for (uint64_t t = 0; result == 0 && t < total; t += step) {
		uint64_t args[POLICY_ARGS], rest = t;

		for (unsigned a = 0; a < POLICY_ARGS; a++) {
			args[a] = edges[a].v[rest % edges[a].n];
			rest /= edges[a].n;
		}
		result = fn(arg, nr, args);
	}
	return result;
}

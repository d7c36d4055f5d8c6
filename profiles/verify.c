/* SPDX-License-Identifier: Apache-2.0 */
/* Is the program what the text says? A call's arguments are tried at the values where an answer can change:
 * for each argument the values around every comparison that the call's rules make, in every combination. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "profiles/bpf.h"
#include "profiles/policy.h"

/** Most values tried for one argument. */
#define VALUES_MAX 128
/** Most masked comparisons of one argument that are tried against each other. */
#define MASKS_MAX 64
/** Most combinations tried for one call; of more, so many are taken at even distance. */
#define TRIES_MAX 1024
/** In the upper half that the kernel drops from an int argument. */
#define HIGH_BIT (1ull << 32)
/** Numbers from here are x32's (asm/unistd.h, __X32_SYSCALL_BIT). */
#define X32_BIT 0x40000000

struct values {
	uint64_t v[VALUES_MAX];
	size_t n;
};

struct check {
	const struct policy *policy;
	const char *file;
	const struct sock_filter *bpf;
	size_t len;
	struct err *err;
};

static void add_value(struct values *values, uint64_t v)
{
	for (size_t i = 0; i < values->n; i++)
		if (values->v[i] == v)
			return;
	if (values->n < VALUES_MAX)
		values->v[values->n++] = v;
}

/** Values at which @p c and its neighbours turn. */
static void add_edges(struct values *values, const struct policy_cond *c)
{
	if (c->op == SCMP_CMP_MASKED_EQ) {
		add_value(values, c->value_two);
		add_value(values, c->value_two | ~c->value);
		add_value(values, c->value_two ^ (c->value & -c->value));
		add_value(values, c->value_two ^ (c->value != 0 ? 1ull << (63 - __builtin_clzll(c->value)) : 0));
		return;
	}
	add_value(values, c->value);
	add_value(values, c->value - 1);
	add_value(values, c->value + 1);
	add_value(values, c->value | HIGH_BIT);
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

/** The values to try for argument @p index of call @p nr: never none. */
static void make_values(const struct policy *p, int nr, unsigned index, struct values *values)
{
	struct masks masks = {0};

	values->n = 0;
	add_value(values, 0);
	for (size_t i = p->first[nr]; i < p->first[nr + 1]; i++)
		for (unsigned c = 0; c < p->rules[i].nconds; c++) {
			const struct policy_cond *cond = &p->rules[i].conds[c];

			if (cond->index != index)
				continue;
			add_edges(values, cond);
			if (cond->op == SCMP_CMP_MASKED_EQ)
				add_mask(&masks, cond);
		}
	/* Values that satisfy two masks at once, where rules overlap. */
	for (size_t i = 0; i < masks.n; i++)
		for (size_t j = 0; j < masks.n; j++)
			if (masks.c[i]->value != masks.c[j]->value)
				add_value(values, masks.c[i]->value_two | (masks.c[j]->value_two & ~masks.c[i]->value));
}

static int check_call(const struct check *c, int nr, const uint64_t *args)
{
	struct seccomp_data data = { .nr = nr, .arch = c->policy->arch->token };
	const struct policy_rule *rule = policy_match(c->policy, nr, args);
	uint32_t want = rule != NULL ? rule->action : c->policy->default_action, got;

	memcpy(data.args, args, sizeof data.args);
	if (bpf_answer(c->bpf, c->len, &data, &got) && got == want)
		return 0;
	return err_set(c->err, ERR_INTERNAL, 0, "%s: the compiled filter answers otherwise than its text to call %d(0x%" PRIx64
		       ", 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ", …); this is a bug of glovebox, please report it with the file",
		       c->file, nr, args[0], args[1], args[2], args[3]);
}

/** Tries call @p nr; @p values is room for the six arguments. */
static int check_number(const struct check *c, int nr, struct values values[POLICY_ARGS])
{
	uint64_t total = 1, step;

	for (unsigned a = 0; a < POLICY_ARGS; a++) {
		make_values(c->policy, nr, a, &values[a]);
		total *= values[a].n; /* 128^6 = 2^42 */
	}
	/* An odd step meets every value of every argument when most of their counts are even. */
	step = total > TRIES_MAX ? (total / TRIES_MAX) | 1 : 1;
	for (uint64_t t = 0; t < total; t += step) {
		uint64_t args[POLICY_ARGS], rest = t;

		for (unsigned a = 0; a < POLICY_ARGS; a++) {
			args[a] = values[a].v[rest % values[a].n];
			rest /= values[a].n;
		}
		if (check_call(c, nr, args) < 0)
			return -1;
	}
	return 0;
}

/** Foreign ABIs are killed, and so are x32's numbers; a call skipped by a tracer, and one from the future, is no such thing. */
static int check_foreign(const struct check *c)
{
	bool x86 = c->policy->arch->token == SCMP_ARCH_X86_64;
	const struct seccomp_data foreign[] = {
		{ .nr = 1, .arch = SCMP_ARCH_X86 },
		{ .nr = 1, .arch = SCMP_ARCH_ARM },
		{ .nr = 1, .arch = x86 ? SCMP_ARCH_AARCH64 : SCMP_ARCH_X86_64 },
		{ .nr = X32_BIT, .arch = c->policy->arch->token },
		{ .nr = X32_BIT | 520, .arch = c->policy->arch->token },
	};
	const struct seccomp_data unknown[] = {
		{ .nr = -1, .arch = c->policy->arch->token },
		{ .nr = POLICY_NR_MAX, .arch = c->policy->arch->token },
		{ .nr = X32_BIT - 1, .arch = c->policy->arch->token },
	};
	uint32_t got;

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		if (!bpf_answer(c->bpf, c->len, &unknown[i], &got) || got != c->policy->default_action)
			return err_set(c->err, ERR_INTERNAL, 0, "%s: the compiled filter does not answer unknown calls by the default;"
				       " this is a bug of glovebox, please report it with the file", c->file);
	for (size_t i = 0; i < (x86 ? ARRAY_LEN(foreign) : 3); i++)
		if (!bpf_answer(c->bpf, c->len, &foreign[i], &got) || got != SECCOMP_RET_KILL_PROCESS)
			return err_set(c->err, ERR_INTERNAL, 0, "%s: the compiled filter does not kill foreign ABIs; this is a bug of"
				       " glovebox, please report it with the file", c->file);
	return 0;
}

int policy_verify(const struct policy *p, const char *file, const struct sock_filter *bpf, size_t len, struct err *err)
{
	const struct check c = { p, file, bpf, len, err };
	auto_free struct values *values = calloc(POLICY_ARGS, sizeof *values);

	if (values == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "checking the filter");
	if (check_foreign(&c) < 0)
		return -1;
	for (int nr = 0; nr < POLICY_NR_MAX; nr++)
		if (check_number(&c, nr, values) < 0)
			return -1;
	return 0;
}

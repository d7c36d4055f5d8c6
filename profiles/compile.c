/* SPDX-License-Identifier: Apache-2.0 */
/* Rules to BPF. A generator of its own, not libseccomp's (2.5.4): that one silently drops rules that its trees can't
 * hold, runs for more than a minute on eight rules of six comparisons by order, and writes programs more than twice
 * as long. What is written here is checked by verify.c, and against libseccomp's answers in a unit test.
 *
 * The program: is it this architecture (and not x32)? then a binary search over the runs of numbers that have the
 * same answer; for calls with conditions, their rules one after the other. It is written backwards. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/seccomp.h>

#include "base/own.h"
#include "profiles/assemble.h"
#include "profiles/policy.h"

/** Numbers from here are x32's (asm/unistd.h, __X32_SYSCALL_BIT). */
#define X32_BIT 0x40000000
/** The number -1: a tracer's way to skip a call, after which the kernel asks the filter again. No call of x32. */
#define SKIPPED UINT32_MAX

/** Calls from `first` up to the next run's have the same answer. */
struct run {
	uint32_t first;
	label answer;
};

#define RUNS_MAX (POLICY_NR_MAX + 1)

struct compiler {
	const struct policy *policy;
	struct assembly a;
	label answers[POLICY_NR_MAX + 1];
	struct run runs[RUNS_MAX];
	size_t nruns;
};

static uint32_t offset_low(unsigned index)
{
	return (uint32_t)(offsetof(struct seccomp_data, args) + index * sizeof(uint64_t));
}

static uint32_t offset_high(unsigned index)
{
	return offset_low(index) + (uint32_t)sizeof(uint32_t);
}

/** (word & mask) == value. Without a mask the word stays loaded, which the next comparison may use. */
static label word_equal(struct assembly *a, uint32_t offset, uint32_t mask, uint32_t value, label yes, label no)
{
	if (mask == 0)
		return value == 0 ? yes : no;
	if (mask == UINT32_MAX) {
		yes = assemble_loaded(a, yes, offset);
		no = assemble_loaded(a, no, offset);
	}
	assemble_jump(a, BPF_JEQ, value, yes, no);
	if (mask != UINT32_MAX)
		assemble_and(a, mask);
	return assemble_load(a, offset);
}

static label masked_equal(struct assembly *a, unsigned index, uint64_t mask, uint64_t value, label yes, label no)
{
	label low = word_equal(a, offset_low(index), (uint32_t)mask, (uint32_t)value, yes, no);

	return word_equal(a, offset_high(index), (uint32_t)(mask >> 32), (uint32_t)(value >> 32), low, no);
}

/** argument > value (BPF_JGT) or >= value (BPF_JGE): by the upper halves, if they are equal by the lower ones. */
static label ordered(struct assembly *a, unsigned index, uint16_t op, uint64_t value, label yes, label no)
{
	label low, equal;

	if (op == BPF_JGE && value == 0)
		return yes;
	assemble_jump(a, op, (uint32_t)value, yes, no);
	low = assemble_load(a, offset_low(index));
	equal = assemble_jump(a, BPF_JEQ, (uint32_t)(value >> 32), low, no);
	assemble_jump(a, BPF_JGT, (uint32_t)(value >> 32), yes, equal);
	return assemble_load(a, offset_high(index));
}

static label condition(struct assembly *a, const struct policy_cond *c, label yes, label no)
{
	switch (c->op) {
	case SCMP_CMP_EQ:
		return masked_equal(a, c->index, UINT64_MAX, c->value, yes, no);
	case SCMP_CMP_NE:
		return masked_equal(a, c->index, UINT64_MAX, c->value, no, yes);
	case SCMP_CMP_MASKED_EQ:
		return masked_equal(a, c->index, c->value, c->value_two, yes, no);
	case SCMP_CMP_GT:
		return ordered(a, c->index, BPF_JGT, c->value, yes, no);
	case SCMP_CMP_LE:
		return ordered(a, c->index, BPF_JGT, c->value, no, yes);
	case SCMP_CMP_GE:
		return ordered(a, c->index, BPF_JGE, c->value, yes, no);
	default: /* SCMP_CMP_LT: the vocabulary has no other */
		return ordered(a, c->index, BPF_JGE, c->value, no, yes);
	}
}

/** The rules of call @p nr: the first that matches, else the default. */
static label answer(struct compiler *c, int nr)
{
	const struct policy *p = c->policy;
	label next = assemble_return(&c->a, p->default_action);

	for (size_t i = p->first[nr + 1]; i > p->first[nr] && !c->a.full; i--) {
		const struct policy_rule *rule = &p->rules[i - 1];
		label yes = assemble_return(&c->a, rule->action);

		for (unsigned k = rule->nconds; k > 0; k--)
			yes = condition(&c->a, &rule->conds[k - 1], yes, next);
		next = yes;
	}
	return next;
}

static bool same_rules(const struct policy *p, int a, int b)
{
	size_t n = p->first[a + 1] - p->first[a];

	if (n != p->first[b + 1] - p->first[b])
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct policy_rule *x = &p->rules[p->first[a] + i], *y = &p->rules[p->first[b] + i];

		if (x->action != y->action || x->nconds != y->nconds || memcmp(x->conds, y->conds, x->nconds * sizeof *x->conds) != 0)
			return false;
	}
	return true;
}

/** The answer to call @p nr: one that an earlier call has too, or a new one. */
static label shared_answer(struct compiler *c, int nr)
{
	for (int earlier = 0; earlier < nr; earlier++)
		if (same_rules(c->policy, earlier, nr))
			return c->answers[earlier];
	return answer(c, nr);
}

static void find_runs(struct compiler *c)
{
	for (int nr = 0; nr <= POLICY_NR_MAX; nr++) {
		label l = nr < POLICY_NR_MAX ? shared_answer(c, nr) : assemble_return(&c->a, c->policy->default_action);

		c->answers[nr] = l;
		if (c->nruns == 0 || c->runs[c->nruns - 1].answer != l)
			c->runs[c->nruns++] = (struct run){ (uint32_t)nr, l };
	}
}

/** The search over runs from @p from up to @p to. Depth: the logarithm of RUNS_MAX. */
static label search(struct compiler *c, size_t from, size_t to)
{
	size_t middle = from + (to - from) / 2;
	label above, below;

	if (to - from == 1)
		return c->runs[from].answer;
	above = search(c, middle, to);
	below = search(c, from, middle);
	return assemble_jump(&c->a, BPF_JGE, c->runs[middle].first, above, below);
}

static void write_program(struct compiler *c)
{
	label native, kill, x32;

	/* The answers most calls get stand where most jumps reach them: written first, copied where too far. */
	kill = assemble_return(&c->a, SECCOMP_RET_KILL_PROCESS);
	find_runs(c);
	native = search(c, 0, c->nruns);
	if (c->policy->arch->token == SCMP_ARCH_X86_64) {
		x32 = assemble_jump(&c->a, BPF_JEQ, SKIPPED, assemble_return(&c->a, c->policy->default_action), kill);
		native = assemble_jump(&c->a, BPF_JGE, X32_BIT, x32, native);
	}
	assemble_goto(&c->a, native);
	native = assemble_load(&c->a, offsetof(struct seccomp_data, nr));
	assemble_jump(&c->a, BPF_JEQ, c->policy->arch->token, native, kill);
	assemble_load(&c->a, offsetof(struct seccomp_data, arch));
}

int policy_compile(const struct policy *p, const char *file, struct sock_filter **ret_bpf, size_t *ret_len,
		   struct err *err)
{
	auto_free struct compiler *c = calloc(1, sizeof *c);
	struct sock_filter *bpf;

	if (c == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "compiling the profile");
	c->policy = p;
	write_program(c);
	if (c->a.full)
		return err_set(err, ERR_USAGE, 0, "%s:1:1: the filter has more than the %d instructions that the kernel takes;"
			       " use fewer conditions", file, PROFILE_BPF_MAX);
	bpf = calloc(c->a.len, sizeof *bpf);
	if (bpf == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "compiling the profile");
	memcpy(bpf, &c->a.code[PROFILE_BPF_MAX - c->a.len], c->a.len * sizeof *bpf);
	*ret_bpf = bpf;
	*ret_len = c->a.len;
	return 0;
}

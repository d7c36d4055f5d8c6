/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile hardly means: contradictions, rules that never decide, comparisons that a caller can pass by, calls that libc falls back
 * from on ENOSYS alone. Only what is proven is told: where two rules overlap there is an example, and the text's own first-match order
 * is what counts. */
#include "profiles/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "profiles/edges.h"
#include "profiles/vocabulary.h"

/** Combinations of arguments that a pair of rules, and a call, are tried with at most. */
#define TRIES 65536
/** More rules of one call than edges.h has room for the values of: no verdict on what never decides. */
#define RULES_OF_CALL_MAX 48
/** In the upper half that the kernel drops from an int argument. */
#define HIGH_BIT (1ull << 32)

int check_tell(struct checker *c, enum severity severity, struct spec_pos pos, const char *fmt, ...)
{
	char message[ERR_MSG_MAX];
	va_list ap;

	if (c->full)
		return 0;
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);
	/* What engines read in another way than first-match is no contradiction of the file's own. */
	if (severity == SEVERITY_CONTRADICTION)
		severity = c->engine ? SEVERITY_WARNING : SEVERITY_ERROR;
	c->full = json_array_size(c->findings) == CHECK_FINDINGS_MAX;
	if (c->full)
		snprintf(message, sizeof message, "there is more than %d findings, which is not told", CHECK_FINDINGS_MAX);
	json_t *one = json_pack("{s:i, s:i, s:s, s:s}", "line", (int)pos.line, "column", (int)pos.col, "severity",
				severity == SEVERITY_ERROR ? "error" : "warning", "message", message);
	return json_array_append_new(c->findings, one) < 0 ? err_set(c->err, ERR_INTERNAL, ENOMEM, "checking '%s'", c->file) : 0;
}

static const char *call_name(const struct checker *c, int nr)
{
	free(c->name_of_call[0]);
	c->name_of_call[0] = seccomp_syscall_resolve_num_arch(c->policy.arch->token, nr);
	return c->name_of_call[0] == NULL ? "a call without a name" : c->name_of_call[0];
}

/* ---- two rules of one call ------------------------------------------------------------------ */

static bool is_mask(const struct policy_cond *c)
{
	return c->op == SCMP_CMP_EQ || c->op == SCMP_CMP_MASKED_EQ;
}

static uint64_t mask_of(const struct policy_cond *c)
{
	return c->op == SCMP_CMP_EQ ? UINT64_MAX : c->value;
}

static uint64_t bits_of(const struct policy_cond *c)
{
	return c->op == SCMP_CMP_EQ ? c->value : c->value_two;
}

/** The values of a comparison by order, as a closed range. @return false where it is none. */
static bool range_of(const struct policy_cond *c, uint64_t *low, uint64_t *high)
{
	*low = c->op == SCMP_CMP_GE || c->op == SCMP_CMP_EQ ? c->value : c->op == SCMP_CMP_GT ? c->value + 1 : 0;
	*high = c->op == SCMP_CMP_LE || c->op == SCMP_CMP_EQ ? c->value : c->op == SCMP_CMP_LT ? c->value - 1 : UINT64_MAX;
	return c->op != SCMP_CMP_NE && c->op != SCMP_CMP_MASKED_EQ;
}

/** Whether @p a holds wherever @p b does, of one argument. */
static bool follows(const struct policy_cond *a, const struct policy_cond *b)
{
	uint64_t la, ha, lb, hb;

	if (a->op == b->op && a->value == b->value && a->value_two == b->value_two)
		return true;
	if (is_mask(a) && is_mask(b))
		return (mask_of(a) & ~mask_of(b)) == 0 && (bits_of(b) & mask_of(a)) == bits_of(a);
	return range_of(a, &la, &ha) && range_of(b, &lb, &hb) && la <= lb && hb <= ha;
}

/** Whether @p a decides wherever @p b would. */
static bool covers(const struct policy_rule *a, const struct policy_rule *b)
{
	for (unsigned i = 0; i < a->nconds; i++) {
		bool implied = policy_cond_always(&a->conds[i]);

		for (unsigned k = 0; k < b->nconds && !implied; k++)
			implied = a->conds[i].index == b->conds[k].index && follows(&a->conds[i], &b->conds[k]);
		if (!implied)
			return false;
	}
	return true;
}

struct pair {
	struct checker *c;
	const struct policy_rule *first, *second;
	bool found;
	uint64_t args[POLICY_ARGS]; /**< for which both hold, and the first decides: small ones, where there are */
};

static bool is_smaller(const uint64_t a[POLICY_ARGS], const uint64_t b[POLICY_ARGS])
{
	long double x = 0, y = 0;

	for (unsigned i = 0; i < POLICY_ARGS; i++) {
		x += (long double)a[i];
		y += (long double)b[i];
	}
	return x < y;
}

/** Whether these arguments are an example. */
static int overlap(void *arg, int nr, const uint64_t *args)
{
	struct pair *pair = arg;

	pair->c->tries++;
	if (policy_match(&pair->c->policy, nr, args) != pair->first || !policy_rule_holds(pair->second, args))
		return 0;
	if (!pair->found || is_smaller(args, pair->args))
		memcpy(pair->args, args, sizeof pair->args);
	pair->found = true;
	return 0;
}

/** Goes through the values around the comparisons of these two alone. @return whether there is an example. */
static bool find_overlap(struct pair *pair)
{
	struct policy_rule rules[] = { *pair->first, *pair->second };
	int nr = pair->first->nr;
	struct policy two = { .rules = rules, .nrules = 2, .first = { 0 } };
	const struct policy *policies[] = { &two };

	two.first[nr + 1] = 2;
	if (pair->c->tries < CHECK_TRIES_MAX)
		(void)edges_each(policies, 1, nr, TRIES, overlap, pair);
	return pair->found;
}

static void add_example(struct buf *out, const struct pair *pair)
{
	unsigned last = 0;

	for (unsigned i = 0; i < pair->first->nconds; i++)
		last = pair->first->conds[i].index > last ? pair->first->conds[i].index : last;
	for (unsigned i = 0; i < pair->second->nconds; i++)
		last = pair->second->conds[i].index > last ? pair->second->conds[i].index : last;
	for (unsigned i = 0; i <= last; i++)
		buf_addf(out, "%s%#" PRIx64, i == 0 ? "" : ", ", pair->args[i]);
}

static const char *verb(uint32_t action)
{
	return policy_allows(action) ? "allowed" : "refused";
}

/** One that an earlier rule has taken everything from. */
static int tell_covered(struct checker *c, const struct policy_rule *first, const struct policy_rule *second)
{
	if (first->action == second->action)
		return check_tell(c, SEVERITY_WARNING, second->pos, "%s: this rule never decides: line %u has given the same answer to all that it is for",
				  call_name(c, second->nr), first->pos.line);
	if (policy_allows(first->action) != policy_allows(second->action))
		return check_tell(c, SEVERITY_CONTRADICTION, second->pos, "%s is %s here, but line %u has %s all of that; the first rule decides, this one never"
				  " does: remove one of them, or put this one first", call_name(c, second->nr), verb(second->action),
				  first->pos.line, verb(first->action));
	return check_tell(c, SEVERITY_CONTRADICTION, second->pos, "%s: this rule never decides: line %u has given another answer to all that it is for",
			  call_name(c, second->nr), first->pos.line);
}

/** A refusal with a hole in it. One that goes on from exceptions to "any other" has none: it covers them. */
static int check_hole(struct checker *c, const struct policy_rule *first, const struct policy_rule *second)
{
	struct pair pair = { .c = c, .first = first, .second = second };
	auto_buf example = {0};

	if (!policy_allows(first->action) || policy_allows(second->action) || covers(second, first) || !find_overlap(&pair))
		return 0;
	add_example(&example, &pair);
	if (example.failed)
		return err_set(c->err, ERR_INTERNAL, ENOMEM, "checking '%s'", c->file);
	return check_tell(c, SEVERITY_CONTRADICTION, second->pos, "%s(%s) is refused here and allowed in line %u; the first rule decides, so it is allowed:"
			  " put the refusal first, or take what it is for out of line %u", call_name(c, first->nr), example.data,
			  first->pos.line, first->pos.line);
}

/** Compares a rule with those before it. @p ret_covered: one of them leaves nothing to it. */
static int check_pairs(struct checker *c, const struct policy_rule *first, const struct policy_rule *rule, bool *ret_covered)
{
	for (const struct policy_rule *r = first; r < rule; r++)
		if (covers(r, rule)) {
			*ret_covered = true;
			return tell_covered(c, r, rule);
		}
	for (const struct policy_rule *r = first; r < rule; r++)
		if (check_hole(c, r, rule) < 0)
			return -1;
	return 0;
}

/* ---- one rule -------------------------------------------------------------------------------- */

static bool is_impossible(const struct policy_cond *c)
{
	return (c->op == SCMP_CMP_LT && c->value == 0) || (c->op == SCMP_CMP_GT && c->value == UINT64_MAX) ||
	       (c->op == SCMP_CMP_MASKED_EQ && (c->value_two & ~c->value) != 0);
}

struct search {
	struct checker *c;
	const struct policy_rule *rule;
	uint64_t tried;
};

static int decides(void *arg, int nr, const uint64_t *args)
{
	struct search *s = arg;

	s->tried++;
	s->c->tries++;
	return policy_match(&s->c->policy, nr, args) == s->rule;
}

/** Whether rules before it, each a part, leave it nothing at all. Asked only where all values can be tried. */
static int check_parts(struct checker *c, const struct policy_rule *rule)
{
	const struct policy *p = &c->policy;
	struct search s = { c, rule, 0 };

	if (c->tries >= CHECK_TRIES_MAX || p->first[rule->nr + 1] - p->first[rule->nr] > RULES_OF_CALL_MAX || edges_each(&p, 1, rule->nr, TRIES, decides, &s) != 0 ||
	    s.tried >= TRIES)
		return 0;
	return check_tell(c, SEVERITY_WARNING, rule->pos, "%s: this rule never decides: those before it have answered all that it is for",
			  call_name(c, rule->nr));
}

/** Arguments that a call takes as int: what a caller puts into the upper half of the register is dropped by the kernel, but not by a
 *  comparison of 64 bits. */
static const struct { const char *name; unsigned args; } ints[] = {
	{ "socket", 7 }, { "socketpair", 7 }, { "ioctl", 2 }, { "fcntl", 2 }, { "prctl", 1 }, { "personality", 1 }, { "setns", 2 },
	{ "seccomp", 3 }, { "ptrace", 1 }, { "keyctl", 1 }, { "bpf", 1 }, { "open", 2 }, { "openat", 4 }, { "prlimit64", 3 },
	{ "setsockopt", 6 },
};

static bool is_int(const char *call, unsigned index)
{
	for (size_t i = 0; i < ARRAY_LEN(ints); i++)
		if (strcmp(ints[i].name, call) == 0)
			return (ints[i].args & 1u << index) != 0;
	return false;
}

/** A value for which the comparison holds. */
static uint64_t sample(const struct policy_cond *c)
{
	switch (c->op) {
	case SCMP_CMP_MASKED_EQ:
		return c->value_two;
	case SCMP_CMP_NE:
	case SCMP_CMP_GT:
		return c->value + 1;
	case SCMP_CMP_LT:
		return c->value - 1;
	default:
		return c->value;
	}
}

/** Arguments for which every condition of the rule holds by itself. */
static void make_sample(const struct policy_rule *rule, uint64_t args[POLICY_ARGS])
{
	memset(args, 0, POLICY_ARGS * sizeof *args);
	for (unsigned i = 0; i < rule->nconds; i++)
		args[rule->conds[i].index] = sample(&rule->conds[i]);
}

/** Whether what a 64-bit comparison says of a value is passed by when the upper half is not 0. */
static int check_high_bits(struct checker *c, const struct policy_rule *rule)
{
	for (unsigned i = 0; i < rule->nconds; i++) {
		const struct policy_cond *cond = &rule->conds[i];
		bool refuses = cond->op == SCMP_CMP_EQ && !policy_allows(rule->action), but = cond->op == SCMP_CMP_NE && policy_allows(rule->action);
		uint64_t args[POLICY_ARGS];

		if ((!refuses && !but) || cond->value >= HIGH_BIT || !is_int(call_name(c, rule->nr), cond->index))
			continue;
		make_sample(rule, args);
		args[cond->index] = cond->value | HIGH_BIT;
		if (policy_allows(policy_answer(&c->policy, rule->nr, args)) &&
		    check_tell(c, SEVERITY_WARNING, rule->pos, "%s: argument %u is an int, and %#" PRIx64 " passes as %#" PRIx64 ", which the kernel takes"
			       " for the same; compare 32 bits: {op: SCMP_CMP_MASKED_EQ, value: 0xffffffff, valueTwo: %#" PRIx64 "}",
			       call_name(c, rule->nr), cond->index, cond->value, args[cond->index], cond->value) < 0)
			return -1;
	}
	return 0;
}

static int check_rule(struct checker *c, const struct policy_rule *first, const struct policy_rule *rule)
{
	bool covered = false;

	for (unsigned i = 0; i < rule->nconds; i++)
		if (is_impossible(&rule->conds[i]))
			return check_tell(c, SEVERITY_ERROR, rule->pos, "%s: this rule never decides: its condition on argument %u can never be true",
					  call_name(c, rule->nr), rule->conds[i].index);
	if (check_pairs(c, first, rule, &covered) < 0 || check_high_bits(c, rule) < 0)
		return -1;
	return covered || rule == first ? 0 : check_parts(c, rule);
}

int check_rules(struct checker *c)
{
	const struct policy *p = &c->policy;

	for (size_t i = 0; i < p->nrules; i++) {
		const struct policy_rule *rule = &p->rules[i];

		if (check_rule(c, &p->rules[p->first[rule->nr]], rule) < 0)
			return -1;
	}
	if (c->tries >= CHECK_TRIES_MAX)
		return check_tell(c, SEVERITY_WARNING, c->at_default, "there are too many rules of one call: not all of them were compared with each other");
	return 0;
}

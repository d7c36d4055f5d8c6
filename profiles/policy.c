/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/seccomp.h>

#include "base/array.h"
#include "profiles/refusal.h"

void policy_clear(struct policy *p)
{
	free(p->rules);
	*p = (struct policy){0};
}

int policy_add(struct policy *p, const struct policy_rule *rule, struct err *err)
{
	if (!array_room(&p->rules, p->nrules, &p->cap))
		return err_set(err, ERR_INTERNAL, ENOMEM, "reading the profile");
	p->rules[p->nrules++] = *rule;
	return 0;
}

int policy_index(struct policy *p, struct err *err)
{
	size_t next[POLICY_NR_MAX + 1] = {0};
	struct policy_rule *sorted = calloc(p->nrules + 1, sizeof *sorted);

	if (sorted == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "reading the profile");
	for (size_t i = 0; i < p->nrules; i++)
		next[p->rules[i].nr + 1]++;
	for (int nr = 0; nr < POLICY_NR_MAX; nr++)
		next[nr + 1] += next[nr];
	memcpy(p->first, next, sizeof next);
	for (size_t i = 0; i < p->nrules; i++)
		sorted[next[p->rules[i].nr]++] = p->rules[i];
	free(p->rules);
	p->rules = sorted;
	p->cap = p->nrules + 1;
	return 0;
}

bool policy_allows(uint32_t action)
{
	uint32_t kind = action & SECCOMP_RET_ACTION_FULL;

	return kind == SECCOMP_RET_ALLOW || kind == SECCOMP_RET_LOG;
}

bool policy_cond_always(const struct policy_cond *cond)
{
	return cond->value == 0 && (cond->op == SCMP_CMP_GE || cond->op == SCMP_CMP_MASKED_EQ);
}

bool policy_rule_always(const struct policy_rule *rule)
{
	for (unsigned c = 0; c < rule->nconds; c++)
		if (!policy_cond_always(&rule->conds[c]))
			return false;
	return true;
}

int policy_check_reach(const struct policy *p, const char *file, struct err *err)
{
	const struct policy_rule *decides = NULL;

	for (size_t i = 0; i < p->nrules; i++) {
		const struct policy_rule *rule = &p->rules[i];

		if (decides != NULL && decides->nr == rule->nr) {
			if (decides->action != rule->action)
				return yaml_error(file, rule->pos, err, "this rule never decides: line %u has decided about the call,"
						  " whatever its arguments; remove one of them, or put this one first",
						  decides->pos.line);
			continue;
		}
		decides = policy_rule_always(rule) ? rule : NULL;
	}
	return 0;
}

bool policy_rule_holds(const struct policy_rule *rule, const uint64_t args[POLICY_ARGS])
{
	unsigned c = 0;

	while (c < rule->nconds &&
	       refusal_holds((int)rule->conds[c].op, rule->conds[c].value, rule->conds[c].value_two, args[rule->conds[c].index]))
		c++;
	return c == rule->nconds;
}

const struct policy_rule *policy_match(const struct policy *p, int nr, const uint64_t args[POLICY_ARGS])
{
	for (size_t i = p->first[nr]; i < p->first[nr + 1]; i++)
		if (policy_rule_holds(&p->rules[i], args))
			return &p->rules[i];
	return NULL;
}

uint32_t policy_answer(const struct policy *p, int nr, const uint64_t args[POLICY_ARGS])
{
	const struct policy_rule *rule = policy_match(p, nr, args);

	return rule != NULL ? rule->action : p->default_action;
}

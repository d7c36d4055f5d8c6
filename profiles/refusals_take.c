/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "profiles/refusal.h"

/** ENOSYS is no refusal: it says that a call is not there. */
static bool refuses(const struct policy_rule *rule)
{
	return (rule->action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && (rule->action & SECCOMP_RET_DATA) != ENOSYS;
}

int refusals_take(const struct policy *p, struct profile_program *ret, struct err *err)
{
	struct profile_refusal *rows = calloc(p->nrules + 1, sizeof *rows);
	struct profile_cond *conds = calloc(p->nrules * POLICY_ARGS + 1, sizeof *conds);
	size_t n = 0, nconds = 0;

	if (rows == NULL || conds == NULL) {
		free(rows);
		free(conds);
		return err_set(err, ERR_INTERNAL, ENOMEM, "compiling the profile");
	}
	for (size_t i = 0; i < p->nrules; i++) {
		const struct policy_rule *rule = &p->rules[i];

		if (!refuses(rule))
			continue;
		rows[n++] = (struct profile_refusal){ .nr = (uint16_t)rule->nr, .nconds = (uint16_t)rule->nconds,
						      .first_cond = (uint32_t)nconds, .line = rule->pos.line, .col = rule->pos.col };
		for (unsigned k = 0; k < rule->nconds; k++)
			conds[nconds++] = (struct profile_cond){ (uint8_t)rule->conds[k].index, (uint8_t)rule->conds[k].op,
								 rule->conds[k].value, rule->conds[k].value_two };
	}
	ret->refusals = rows;
	ret->nrefusals = n;
	ret->conds = conds;
	ret->nconds = nconds;
	return 0;
}

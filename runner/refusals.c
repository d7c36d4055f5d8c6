/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/refusals.h"

#include <errno.h>
#include <string.h>

/** A text in which a refusal may stand. */
struct source {
	const char *name, *text;
	size_t len;
	const struct profile_refusals *refusals;
};

static json_t *describe(const struct source *from, const struct sandbox_refused *call)
{
	const struct profile_refusal *rule = profile_find_refusal(from->refusals, call->nr, call->args);
	auto_buf words = {0};

	if (rule == NULL)
		return NULL;
	profile_describe_call(rule, from->text, from->len, call->args, &words);
	if (words.failed)
		return NULL;
	return json_pack("{s:s, s:s, s:I}", "call", words.data, "profile", from->name, "line", (json_int_t)rule->line);
}

/** A rule that is default only has no line. */
static json_t *describe_default(const struct plan_profile *p, const struct sandbox_refused *call)
{
	char words[40];

	snprintf(words, sizeof words, "system call %d", call->nr);
	return json_pack("{s:s, s:s}", "call", words, "profile", p->name);
}

int refusals_json(const struct plan_profile *p, const struct sandbox_result *r, json_t **ret, struct err *err)
{
	const struct profile_builtin *floor = profile_floor();
	const struct source sources[] = {
		{ p->name, p->source, p->source_len, &p->refusals },
		{ floor->name, floor->text, floor->text_len, &floor->refusals },
	};
	auto_json all = json_array();

	for (size_t i = 0; i < r->nrefused; i++) {
		json_t *one = describe(&sources[0], &r->refused[i]);

		if (one == NULL && p->floor != NULL)
			one = describe(&sources[1], &r->refused[i]);
		if (one == NULL)
			one = describe_default(p, &r->refused[i]);
		if (json_array_append_new(all, one) < 0)
			return err_set(err, ERR_INTERNAL, ENOMEM, "note what was refused");
	}
	if (all == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "note what was refused");
	*ret = move_ptr(all);
	return 0;
}

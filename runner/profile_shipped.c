/* SPDX-License-Identifier: Apache-2.0 */
/* Shipped profiles, apart from users' own (profile.c): these need neither YAML nor libseccomp, so a small program can do with them. */
#include "runner/plan.h"

#include <errno.h>
#include <string.h>

void plan_profile_clear(struct plan_profile *p)
{
	free(p->name);
	profile_program_clear(&p->own);
	free(p->own_text);
	*p = (struct plan_profile){0};
}

int plan_load_shipped_profile(struct store *store, int dirfd, const char *name, struct plan_profile *ret, struct err *err)
{
	const struct profile_builtin *b = profile_builtin(name);

	(void)store;
	(void)dirfd;
	if (b == NULL)
		return err_set(err, ERR_USAGE, 0, "profile '%s' is not a shipped one", name);
	ret->name = strdup(name);
	if (ret->name == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "profile '%s'", name);
	ret->filter = b->bpf;
	ret->filter_len = b->bpf_len;
	ret->text = b->text_digest;
	ret->bpf = b->bpf_digest;
	ret->source = b->text;
	ret->source_len = b->text_len;
	ret->refusals = b->refusals;
	return 0;
}

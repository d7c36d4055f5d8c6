/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/plan.h"

#include <errno.h>
#include <string.h>

int plan_compile_profile(struct plan_profile *p, const struct buf *text, struct err *err)
{
	p->own_text = strndup(text->data == NULL ? "" : text->data, text->len);
	if (p->own_text == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "profile '%s'", p->name);
	p->source = p->own_text;
	p->source_len = strlen(p->own_text);
	if (profile_compile(p->name, text->data == NULL ? "" : text->data, text->len, &p->own, err) < 0)
		return -1;
	p->refusals = (struct profile_refusals){ p->own.refusals, p->own.nrefusals, p->own.conds };
	p->filter = p->own.bpf;
	p->filter_len = p->own.bpf_len;
	p->bpf = p->own.bpf_digest;
	p->floor = profile_floor()->bpf;
	p->floor_len = profile_floor()->bpf_len;
	return 0;
}

int plan_load_profile(struct store *store, int dirfd, const char *name, struct plan_profile *ret, struct err *err)
{
	auto_buf text = {0};

	if (profile_builtin(name) != NULL)
		return plan_load_shipped_profile(store, dirfd, name, ret, err);
	ret->name = strdup(name);
	if (ret->name == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "profile '%s'", name);
	if (ident_read_begin(store_ident(store), err) < 0)
		return -1;
	if (ident_read_done(store_ident(store), io_read_file(dirfd, name, PROFILE_TEXT_MAX, &text, err), err) < 0)
		return err_ctx(err, "profile '%s' (not a shipped one, so taken as a file)", name);
	if (plan_compile_profile(ret, &text, err) < 0)
		return -1;
	return store_put_bytes(store, text.data, text.len, &ret->text, err);
}

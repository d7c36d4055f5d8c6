/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/plan.h"

#include <errno.h>
#include <string.h>

/** Name of compiled profiles in the store, and the most bytes of one. */
#define CACHE_KIND "profile"
#define CACHE_MAX (4u << 20)

/** Compiling takes longer than many starts, and gives the same for the same text. A store that cannot be written to costs no more than
 *  that time. */
static int compile(struct store *store, const char *name, const char *text, size_t n, struct profile_program *ret, struct err *err)
{
	struct digest key;
	struct err ignored = {0};
	auto_buf packed = {0};

	if (profile_pack_key(text, n, &key, err) < 0)
		return -1;
	if (store_derived_get(store, CACHE_KIND, &key, CACHE_MAX, &packed) &&
	    profile_unpack(packed.data, packed.len, ret, &ignored) == 0)
		return 0;
	if (profile_compile(name, text, n, ret, err) < 0)
		return -1;
	buf_clear(&packed);
	if (profile_pack(ret, &packed, &ignored) == 0)
		(void)store_derived_put(store, CACHE_KIND, &key, packed.data, packed.len, &ignored);
	return 0;
}

int plan_compile_profile(struct store *store, struct plan_profile *p, const struct buf *text, struct err *err)
{
	p->own_text = strndup(text->data == NULL ? "" : text->data, text->len);
	if (p->own_text == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "profile '%s'", p->name);
	p->source = p->own_text;
	p->source_len = strlen(p->own_text);
	if (compile(store, p->name, text->data == NULL ? "" : text->data, text->len, &p->own, err) < 0)
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
	if (plan_compile_profile(store, ret, &text, err) < 0)
		return -1;
	return store_put_bytes(store, text.data, text.len, &ret->text, err);
}

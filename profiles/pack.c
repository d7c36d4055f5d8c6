/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled profile as bytes and back: compiling and proving one takes longer than many starts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <seccomp.h>

#include "base/own.h"
#include "profiles/policy.h"
#include "profiles/profiles.h"

/** What comes first: counts, and the digest of the text. The rest are the arrays, in this order. */
struct head {
	uint32_t ninstructions, nrefusals, nconds;
	struct digest text;
};

int profile_pack_key(const void *text, size_t n, struct digest *ret, struct err *err)
{
	const struct scmp_version *lib = seccomp_version();
	const struct arch *arch = arch_native();
	auto_buf all = {0};

	/* Names and numbers of calls are the library's, and the program is the compiler's. */
	buf_addf(&all, "compiled profile 1, glovebox " GB_VERSION ", libseccomp %u.%u.%u, %s\n", lib->major, lib->minor, lib->micro,
		 arch == NULL ? "" : arch->oci_name);
	buf_add(&all, text, n);
	return buf_check(&all, "profile", err) < 0 ? -1 : hash_bytes(all.data, all.len, ret, err);
}

int profile_pack(const struct profile_program *p, struct buf *out, struct err *err)
{
	const struct head head = { (uint32_t)p->bpf_len, (uint32_t)p->nrefusals, (uint32_t)p->nconds, p->text_digest };

	buf_add(out, &head, sizeof head);
	buf_add(out, p->bpf, p->bpf_len * sizeof *p->bpf);
	buf_add(out, p->refusals, p->nrefusals * sizeof *p->refusals);
	buf_add(out, p->conds, p->nconds * sizeof *p->conds);
	return buf_check(out, "profile", err);
}

/** A copy of the next @p n elements; *at moves on. */
static void *take(const char **at, size_t n, size_t size)
{
	void *copy = malloc(n * size + 1);

	if (copy != NULL)
		memcpy(copy, *at, n * size);
	*at += n * size;
	return copy;
}

static bool are_sound(const struct profile_program *p)
{
	for (size_t i = 0; i < p->nrefusals; i++) {
		const struct profile_refusal *r = &p->refusals[i];

		if (r->nconds > POLICY_ARGS || r->first_cond > p->nconds || r->nconds > p->nconds - r->first_cond)
			return false;
	}
	for (size_t i = 0; i < p->nconds; i++)
		if (p->conds[i].index >= POLICY_ARGS)
			return false;
	return true;
}

int profile_unpack(const char *data, size_t n, struct profile_program *ret, struct err *err)
{
	auto_profile_program p = {0};
	struct head head;
	const char *at = data + sizeof head;

	if (n >= sizeof head)
		memcpy(&head, data, sizeof head);
	if (n < sizeof head || head.ninstructions == 0 || head.ninstructions > PROFILE_BPF_MAX || head.nrefusals > POLICY_RULES_MAX ||
	    head.nconds > POLICY_RULES_MAX * POLICY_ARGS ||
	    n - sizeof head != head.ninstructions * sizeof *p.bpf + head.nrefusals * sizeof *p.refusals + head.nconds * sizeof *p.conds)
		return err_set(err, ERR_INPUT, 0, "no compiled profile");
	p = (struct profile_program){ .bpf_len = head.ninstructions, .nrefusals = head.nrefusals, .nconds = head.nconds,
				      .text_digest = head.text };
	p.bpf = take(&at, p.bpf_len, sizeof *p.bpf);
	p.refusals = take(&at, p.nrefusals, sizeof *p.refusals);
	p.conds = take(&at, p.nconds, sizeof *p.conds);
	if (p.bpf == NULL || p.refusals == NULL || p.conds == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "compiled profile");
	if (!are_sound(&p))
		return err_set(err, ERR_INPUT, 0, "no compiled profile");
	if (hash_bytes(p.bpf, p.bpf_len * sizeof *p.bpf, &p.bpf_digest, err) < 0)
		return -1;
	*ret = p;
	p = (struct profile_program){0};
	return 0;
}

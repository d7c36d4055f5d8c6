/* SPDX-License-Identifier: Apache-2.0 */
/* Is the program what the text says? A call's arguments are tried where an answer can change (edges.h). */
#include <inttypes.h>
#include <string.h>

#include "base/own.h"
#include "profiles/bpf.h"
#include "profiles/edges.h"
#include "profiles/policy.h"

/** Most combinations tried for one call. */
#define TRIES_MAX 1024
/** Numbers from here are x32's (asm/unistd.h, __X32_SYSCALL_BIT). */
#define X32_BIT 0x40000000

struct check {
	const struct policy *policy;
	const char *file;
	const struct sock_filter *bpf;
	size_t len;
	struct err *err;
};

static int check_call(void *arg, int nr, const uint64_t *args)
{
	const struct check *c = arg;
	struct seccomp_data data = { .nr = nr, .arch = c->policy->arch->token };
	uint32_t want = policy_answer(c->policy, nr, args), got;

	memcpy(data.args, args, sizeof data.args);
	if (bpf_answer(c->bpf, c->len, &data, &got) && got == want)
		return 0;
	return err_set(c->err, ERR_INTERNAL, 0, "%s: the compiled filter answers otherwise than its text to call %d(0x%" PRIx64
		       ", 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ", …); this is a bug of glovebox, please report it with the file",
		       c->file, nr, args[0], args[1], args[2], args[3]);
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
	struct check c = { p, file, bpf, len, err };

	if (check_foreign(&c) < 0)
		return -1;
	for (int nr = 0; nr < POLICY_NR_MAX; nr++)
		if (edges_each(&p, 1, nr, TRIES_MAX, check_call, &c) != 0)
			return -1;
	return 0;
}

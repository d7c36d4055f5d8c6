/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles/bpf.h"

#include <string.h>

/** Whether the condition of a jump holds; unconditional jumps are not asked here. */
static bool taken(uint16_t op, uint32_t a, uint32_t k)
{
	switch (op) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	default: /* BPF_JSET */
		return (a & k) != 0;
	}
}

/** @param known  so many bytes of @p data may be looked at */
static bool run(const struct sock_filter *bpf, size_t len, const struct seccomp_data *data, size_t known, uint32_t *ret_action)
{
	uint32_t a = 0;

	/* Jumps only lead forward, so this ends. */
	for (size_t pc = 0; pc < len; pc++) {
		const struct sock_filter *i = &bpf[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (i->k % 4 != 0 || i->k > known - sizeof a)
				return false;
			memcpy(&a, (const char *)data + i->k, sizeof a);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += taken(BPF_OP(i->code), a, i->k) ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			*ret_action = i->k;
			return true;
		default:
			return false;
		}
	}
	return false;
}

bool bpf_answer(const struct sock_filter *bpf, size_t len, const struct seccomp_data *data, uint32_t *ret_action)
{
	return run(bpf, len, data, sizeof *data, ret_action);
}

bool bpf_always_allows(const struct sock_filter *bpf, size_t len, uint32_t arch, int nr)
{
	const struct seccomp_data data = { .nr = nr, .arch = arch };
	uint32_t action;

	return run(bpf, len, &data, offsetof(struct seccomp_data, instruction_pointer), &action) && action == SECCOMP_RET_ALLOW;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/own.h"
#include "profiles/policy.h"

static const struct arch arches[] = {
	{ SCMP_ARCH_X86_64, "SCMP_ARCH_X86_64", "amd64" },
	{ SCMP_ARCH_AARCH64, "SCMP_ARCH_AARCH64", "arm64" },
};

const struct arch *arch_at(size_t i)
{
	return i < ARRAY_LEN(arches) ? &arches[i] : NULL;
}

const struct arch *arch_native(void)
{
	for (size_t i = 0; i < ARRAY_LEN(arches); i++)
		if (arches[i].token == seccomp_arch_native())
			return &arches[i];
	return NULL;
}

int arch_call_number(const struct arch *arch, const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(arch->token, name);

	return nr < POLICY_NR_MAX ? nr : -1;
}

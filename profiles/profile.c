/* SPDX-License-Identifier: Apache-2.0 */
#include "base/own.h"
#include "profiles/compile.h"
#include "profiles/refusal.h"

int profile_compile_for(const struct arch *arch, const char *file, const char *text, size_t n,
			struct profile_program *ret, struct err *err)
{
	auto_policy policy = {0};
	auto_profile_program program = {0};

	if (policy_parse(file, text, n, arch, &policy, err) < 0 ||
	    policy_compile(&policy, file, &program.bpf, &program.bpf_len, err) < 0 ||
	    policy_verify(&policy, file, program.bpf, program.bpf_len, err) < 0 ||
	    refusals_take(&policy, &program, err) < 0 ||
	    hash_bytes(text, n, &program.text_digest, err) < 0 ||
	    hash_bytes(program.bpf, program.bpf_len * sizeof *program.bpf, &program.bpf_digest, err) < 0)
		return -1;
	*ret = program;
	program = (struct profile_program){0};
	return 0;
}

int profile_compile(const char *file, const char *text, size_t n, struct profile_program *ret, struct err *err)
{
	const struct arch *arch = arch_native();

	if (arch == NULL)
		return err_set(err, ERR_HOST, 0, "compiling the profile: glovebox makes filters for x86_64 and aarch64 only");
	return profile_compile_for(arch, file, text, n, ret, err);
}

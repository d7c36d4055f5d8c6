/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer entry: any bytes as a profile, for every architecture. Besides memory safety: a refusal says where,
 * and what is accepted is a program that the kernel could load, which kills foreign ABIs. What is checked, and found to have no error,
 * is accepted; and what is accepted can be explained. */
#include <stdlib.h>

#include "base/json.h"
#include "base/text.h"
#include "profiles/bpf.h"
#include "profiles/compile.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/here.h"

#define FILE_NAME "fuzz.yaml"

static void must(int truth)
{
	if (!truth)
		abort();
}

static void check_program(const struct profile_program *p)
{
	const struct seccomp_data foreign = { .nr = 1, .arch = SCMP_ARCH_X86 };
	uint32_t action;

	must(p->bpf_len > 0 && p->bpf_len <= PROFILE_BPF_MAX);
	must(bpf_answer(p->bpf, p->bpf_len, &foreign, &action));
	must(action == SECCOMP_RET_KILL_PROCESS);
}

static void check_words(const char *text, size_t n)
{
	static const char *const args[] = { "_", "TIOCSTI" };
	auto_profile_program p = {0};
	auto_json findings = NULL;
	auto_json words = NULL;
	struct err err = {0}, ignored = {0};
	bool loads = profile_compile(FILE_NAME, text, n, &p, &ignored) == 0;

	must(profile_check(FILE_NAME, text, n, &findings, &err) == 0);
	must(loads || profile_found_error(findings));
	must((profile_explain(FILE_NAME, text, n, "ioctl", args, 2, &words, &err) == 0) == (words != NULL));
	must(!loads || words != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_words((const char *)data, size);
	for (size_t i = 0; arch_at(i) != NULL; i++) {
		auto_profile_program p = {0};
		struct err err = {0};

		if (profile_compile_for(arch_at(i), FILE_NAME, (const char *)data, size, &p, &err) == 0) {
			check_program(&p);
			continue;
		}
		must(p.bpf == NULL);
		must(err.kind == ERR_USAGE);
		must(text_starts(err.msg, FILE_NAME ":"));
	}
	return 0;
}

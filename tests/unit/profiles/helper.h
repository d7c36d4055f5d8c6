/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of profiles/ share: judging a text, asking a program, and a child under a filter. */
#ifndef GB_TEST_PROFILES_HELPER_H
#define GB_TEST_PROFILES_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiles/bpf.h"
#include "profiles/compile.h"

#define ALLOW SECCOMP_RET_ALLOW
#define KILL SECCOMP_RET_KILL_PROCESS
#define ERRNO(e) (SECCOMP_RET_ERRNO | (uint32_t)(e))

/** Compiles text that must be good. */
static inline void compile_good(const struct arch *arch, const char *text, struct profile_program *ret)
{
	struct err err = {0};

	if (profile_compile_for(arch, "p.yaml", text, strlen(text), ret, &err) < 0)
		fail_msg("refused: %s\n%s", err.msg, text);
}

/** Compiles text that must be refused with exactly this message. */
static inline void compile_bad(const char *text, const char *want)
{
	struct profile_program program = { .bpf_len = 77 };
	struct err err = {0};

	if (profile_compile("p.yaml", text, strlen(text), &program, &err) == 0)
		fail_msg("accepted, but should be: %s\n%s", want, text);
	if (strcmp(err.msg, want) != 0)
		fail_msg("got:  %s\nwant: %s\n%s", err.msg, want, strlen(text) < 4000 ? text : "(long)");
	assert_int_equal(err.kind, ERR_USAGE);
	/* Outputs stay untouched on failure. */
	assert_int_equal(program.bpf_len, 77);
	assert_null(program.bpf);
}

/** What a program answers to a call of @p arch by name. */
static inline uint32_t ask(const struct arch *arch, const struct sock_filter *bpf, size_t len, const char *name,
			   uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	struct seccomp_data data = { .arch = arch->token, .args = { a0, a1, a2, a3 } };
	uint32_t action;

	data.nr = seccomp_syscall_resolve_name_arch(arch->token, name);
	if (data.nr < 0)
		fail_msg("no call %s on %s", name, arch->oci_name);
	assert_true(bpf_answer(bpf, len, &data, &action));
	return action;
}

/** Puts the calling process under a shipped profile, by raw calls alone. @return 0, or -1. */
static inline int enter_profile(const struct profile_builtin *p)
{
	struct sock_fprog prog = { .len = (unsigned short)p->bpf_len, .filter = (struct sock_filter *)p->bpf };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile may not say, and where the message points. */
#include "helper.h"

#include <stdlib.h>

#include "base/buf.h"

#define HEAD "defaultAction: SCMP_ACT_ERRNO\n"
#define ONE HEAD "syscalls:\n- names: [read]\n  action: SCMP_ACT_ALLOW\n"

struct bad {
	const char *text, *want;
};

static void run_all(const struct bad *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		compile_bad(rows[i].text, rows[i].want);
}

static void yaml_is_strict(void **state)
{
	static const struct bad rows[] = {
		{ HEAD "defaultAction: SCMP_ACT_ALLOW\n", "p.yaml:2:1: key 'defaultAction' is there twice, first at line 1; remove one of them" },
		{ HEAD "syscalls: [", "p.yaml:3:1: not valid YAML: did not find expected node content (while parsing a flow node that began at line 3)" },
		{ "[]", "p.yaml:1:1: profile: must be a mapping" },
		{ "x", "p.yaml:1:1: profile: must be a mapping" },
	};
	static const char *const refused[] = {
		"defaultAction: &a SCMP_ACT_ALLOW\n", "defaultAction: *x\n", "defaultAction: !!str SCMP_ACT_ALLOW\n",
		HEAD "---\n" HEAD, HEAD "syscalls: [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]\n", "", "\xff",
	};
	struct err err = {0};
	struct profile_program p;

	(void)state;
	run_all(rows, sizeof rows / sizeof *rows);
	/* The wording of these belongs to the YAML reader. */
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		assert_int_equal(profile_compile("p.yaml", refused[i], strlen(refused[i]), &p, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_int_equal(strncmp(err.msg, "p.yaml:", 7), 0);
	}
	assert_int_equal(profile_compile("p.yaml", "a\0b", 3, &p, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
}

static void top_level(void **state)
{
	static const struct bad rows[] = {
		{ "syscalls: []\n", "p.yaml:1:1: profile: defaultAction is missing" },
		{ "defaultActions: SCMP_ACT_ALLOW\n", "p.yaml:1:1: profile: unknown key 'defaultActions' (did you mean 'defaultAction'?)" },
		{ HEAD "extends: default\n", "p.yaml:2:1: profile: unknown key 'extends'; see glovebox-profile(5)" },
		{ "defaultAction: SCMP_ACT_ALOW\n", "p.yaml:1:16: action: 'SCMP_ACT_ALOW' is not known (did you mean 'SCMP_ACT_ALLOW'?)" },
		{ "defaultAction: SCMP_ACT_NOTIFY\n",
		  "p.yaml:1:16: action: 'SCMP_ACT_NOTIFY' is not one of SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, SCMP_ACT_KILL, "
		  "SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_LOG, SCMP_ACT_TRAP" },
		{ "defaultAction: [a]\n", "p.yaml:1:16: action: must be a string" },
		{ "defaultAction: 1\n", "p.yaml:1:16: action: must be a string" },
		{ "defaultAction: SCMP_ACT_ALLOW\ndefaultErrnoRet: 1\n",
		  "p.yaml:2:18: an errno goes with SCMP_ACT_ERRNO only, not with SCMP_ACT_ALLOW" },
		{ HEAD "defaultErrnoRet: 4096\n",
		  "p.yaml:2:18: errnoRet: must be a whole number (decimal, 0x… or 0o…) from 0 to 4095" },
		{ HEAD "defaultErrnoRet: -1\n", "p.yaml:2:18: errnoRet: must be a whole number (decimal, 0x… or 0o…) from 0 to 4095" },
		{ HEAD "defaultErrnoRet: 010\n", "p.yaml:2:18: errnoRet: must be a whole number (decimal, 0x… or 0o…) from 0 to 4095" },
		{ HEAD "defaultErrnoRet: \"1\"\n", "p.yaml:2:18: errnoRet: must be a whole number (decimal, 0x… or 0o…) from 0 to 4095" },
		{ HEAD "defaultErrno: EPREM\n", "p.yaml:2:15: errno: 'EPREM' is not the name of an error (EPERM, ENOSYS, …)" },
		{ HEAD "defaultErrnoRet: 1\ndefaultErrno: ENOSYS\n",
		  "p.yaml:3:15: errno: 'ENOSYS' is 38, but errnoRet says 1; remove one of them" },
		{ HEAD "architectures: SCMP_ARCH_X86_64\n", "p.yaml:2:16: architectures: must be a list" },
		{ HEAD "architectures: [SCMP_ARCH_X86_65]\n",
		  "p.yaml:2:17: architecture: 'SCMP_ARCH_X86_65' is not known (SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, …)" },
		{ HEAD "architectures: [x86_64]\n",
		  "p.yaml:2:17: architecture: 'x86_64' is not known (SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, …)" },
		{ HEAD "syscalls: {}\n", "p.yaml:2:11: syscalls: must be a list" },
		{ HEAD "flags: [SECCOMP_FILTER_FLAG_LOG]\n",
		  "p.yaml:2:8: flags: glovebox loads the filter itself, without flags and without a listener; remove it" },
		{ HEAD "listenerPath: /x\n",
		  "p.yaml:2:15: listenerPath: glovebox loads the filter itself, without flags and without a listener; remove it" },
		{ HEAD "archMap: [{subArchitectures: []}]\n", "p.yaml:2:11: archMap: an entry needs architecture" },
	};

	(void)state;
	run_all(rows, sizeof rows / sizeof *rows);
}

static void foreign_profile(void **state)
{
	char want[200];

	(void)state;
	snprintf(want, sizeof want, "p.yaml:2:16: architectures: the profile is not written for %s; add it if it means the same there",
		 arch_native()->oci_name);
	compile_bad(HEAD "architectures: [SCMP_ARCH_S390X]\n", want);
}

static void groups(void **state)
{
	static const struct bad rows[] = {
		{ HEAD "syscalls:\n- 1\n", "p.yaml:3:3: syscalls: must be a mapping" },
		{ HEAD "syscalls:\n- names: [read]\n", "p.yaml:3:3: syscalls: a group needs an action" },
		{ HEAD "syscalls:\n- action: SCMP_ACT_ALLOW\n", "p.yaml:3:3: syscalls: a group needs names, a list of system calls" },
		{ ONE "  name: write\n", "p.yaml:3:3: syscalls: a group needs names, a list of system calls" },
		{ HEAD "syscalls:\n- names: read\n  action: SCMP_ACT_ALLOW\n", "p.yaml:3:10: names: must be a list" },
		{ HEAD "syscalls:\n- names: []\n  action: SCMP_ACT_ALLOW\n", "p.yaml:3:10: names: the list is empty" },
		{ HEAD "syscalls:\n- names: [1]\n  action: SCMP_ACT_ALLOW\n", "p.yaml:3:11: names: must be a string" },
		{ HEAD "syscalls:\n- names: [read, raed]\n  action: SCMP_ACT_ALLOW\n",
		  "p.yaml:3:17: 'raed' is not a system call that this libseccomp knows (did you mean 'read'?); if it is only newer, "
		  "put it in a group with 'optional: true'" },
		{ HEAD "syscalls:\n- names: [zzzzzzzzzz]\n  action: SCMP_ACT_ALLOW\n",
		  "p.yaml:3:11: 'zzzzzzzzzz' is not a system call that this libseccomp knows; if it is only newer, "
		  "put it in a group with 'optional: true'" },
		{ ONE "  reason: x\n", "p.yaml:5:3: syscalls: unknown key 'reason'; see glovebox-profile(5)" },
		{ ONE "  arg: []\n", "p.yaml:5:3: syscalls: unknown key 'arg' (did you mean 'args'?)" },
		{ ONE "  comment: 1\n", "p.yaml:5:12: comment: must be a string" },
		{ ONE "  optional: yes\n", "p.yaml:5:13: optional: must be true or false" },
		{ ONE "  optional: \"true\"\n", "p.yaml:5:13: optional: must be true or false" },
		{ ONE "  errnoRet: 1\n", "p.yaml:5:13: an errno goes with SCMP_ACT_ERRNO only, not with SCMP_ACT_ALLOW" },
		{ ONE "  includes: {kernel: 4.8}\n", "p.yaml:5:14: includes: unknown key 'kernel'; see glovebox-profile(5)" },
		{ ONE "  excludes: {minKernel: x}\n", "p.yaml:5:25: minKernel: must be MAJOR.MINOR, such as 4.8" },
		{ ONE "  includes: {minKernel: 4.8.1}\n", "p.yaml:5:25: minKernel: must be MAJOR.MINOR, such as 4.8" },
		{ ONE "  includes: {caps: CAP_X}\n", "p.yaml:5:20: caps: must be a list" },
	};

	(void)state;
	run_all(rows, sizeof rows / sizeof *rows);
}

static void conditions(void **state)
{
	static const struct bad rows[] = {
		{ ONE "  args: {}\n", "p.yaml:5:9: args: must be a list" },
		{ ONE "  args: [{index: 0, value: 1}]\n", "p.yaml:5:10: args: a condition needs index, value and op" },
		{ ONE "  args: [{index: 6, value: 1, op: SCMP_CMP_EQ}]\n",
		  "p.yaml:5:18: index: must be a whole number (decimal, 0x… or 0o…) from 0 to 5" },
		{ ONE "  args: [{index: 0, value: 0x10000000000000000, op: SCMP_CMP_EQ}]\n",
		  "p.yaml:5:28: value: must be a whole number (decimal, 0x… or 0o…) from 0 to 18446744073709551615" },
		{ ONE "  args: [{index: 0, value: 0x, op: SCMP_CMP_EQ}]\n",
		  "p.yaml:5:28: value: must be a whole number (decimal, 0x… or 0o…) from 0 to 18446744073709551615" },
		{ ONE "  args: [{index: 0, value: 0o8, op: SCMP_CMP_EQ}]\n",
		  "p.yaml:5:28: value: must be a whole number (decimal, 0x… or 0o…) from 0 to 18446744073709551615" },
		{ ONE "  args: [{index: 0, value: 1, op: SCMP_CMP_EG}]\n",
		  "p.yaml:5:35: op: 'SCMP_CMP_EG' is not known (did you mean 'SCMP_CMP_EQ'?)" },
		{ ONE "  args: [{index: 0, value: 1, valueTwo: 2, op: SCMP_CMP_MASKED_EQ}]\n",
		  "p.yaml:5:10: args: valueTwo has bits outside the mask (value), so this can never be true" },
		{ ONE "  args: [{index: 0, value: 1, op: SCMP_CMP_EQ, mask: 1}]\n",
		  "p.yaml:5:48: args: unknown key 'mask'; see glovebox-profile(5)" },
	};

	(void)state;
	run_all(rows, sizeof rows / sizeof *rows);
}

/** Appends @p n flow entries of @p text. */
static void repeat(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s%s", i == 0 ? "" : ", ", text);
}

static void limits(void **state)
{
	auto_buf b = {0};
	struct profile_program p;
	struct err err = {0};

	(void)state;
	buf_adds(&b, ONE "  args: [");
	repeat(&b, "{index: 0, value: 1, op: SCMP_CMP_EQ}", 49);
	buf_adds(&b, "]\n");
	assert_int_equal(profile_compile("p.yaml", b.data, b.len, &p, &err), -1);
	assert_non_null(strstr(err.msg, "args: more than 48 conditions in one group"));

	buf_clear(&b);
	buf_adds(&b, HEAD "syscalls:\n");
	for (int g = 0; g < 2; g++) {
		buf_adds(&b, "- action: SCMP_ACT_ALLOW\n  args: [");
		repeat(&b, "{index: 0, value: 1, op: SCMP_CMP_EQ}", 48);
		buf_adds(&b, "]\n  names: [");
		repeat(&b, "read", 100);
		buf_adds(&b, "]\n");
	}
	assert_int_equal(profile_compile("p.yaml", b.data, b.len, &p, &err), -1);
	assert_non_null(strstr(err.msg, "more than 4096 rules in one profile"));

	buf_clear(&b);
	buf_adds(&b, HEAD "#");
	for (size_t i = 0; i < PROFILE_TEXT_MAX; i++)
		buf_addc(&b, 'x');
	assert_int_equal(profile_compile("p.yaml", b.data, b.len, &p, &err), -1);
	assert_non_null(strstr(err.msg, "p.yaml:1:1: the profile has 1048607 bytes; the limit is 1048576"));
}

static void too_long_for_the_kernel(void **state)
{
	auto_buf b = {0};
	struct profile_program p;
	struct err err = {0};

	(void)state;
	buf_adds(&b, HEAD "syscalls:\n");
	for (unsigned i = 0; i < 1000; i++)
		buf_addf(&b, "- {names: [write], action: SCMP_ACT_ALLOW, args: [{index: 0, value: %u, op: SCMP_CMP_EQ},"
			     " {index: 1, value: %u, op: SCMP_CMP_EQ}]}\n", i * 2, i);
	assert_int_equal(profile_compile("p.yaml", b.data, b.len, &p, &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.msg, "p.yaml:1:1: the filter has more than the 4096 instructions that the kernel takes; use fewer conditions"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml_is_strict), cmocka_unit_test(top_level), cmocka_unit_test(foreign_profile),
		cmocka_unit_test(groups),	  cmocka_unit_test(conditions), cmocka_unit_test(limits),
		cmocka_unit_test(too_long_for_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

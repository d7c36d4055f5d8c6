/* SPDX-License-Identifier: Apache-2.0 */
/* What a compiled profile answers: the vocabulary, the order of rules, engines' files. */
#include "helper.h"

#include <errno.h>
#include <stdlib.h>

#include "base/own.h"

#define HEAD "defaultAction: SCMP_ACT_ERRNO\ndefaultErrnoRet: 38\nsyscalls:\n"

static uint32_t ask_native(const struct profile_program *p, const char *name, uint64_t a0, uint64_t a1)
{
	return ask(arch_native(), p->bpf, p->bpf_len, name, a0, a1, 0, 0);
}

static void actions(void **state)
{
	static const struct {
		const char *word;
		uint32_t action;
	} rows[] = {
		{ "SCMP_ACT_ALLOW", ALLOW }, { "SCMP_ACT_ERRNO", ERRNO(EPERM) }, { "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
		{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD }, { "SCMP_ACT_KILL_PROCESS", KILL },
		{ "SCMP_ACT_LOG", SECCOMP_RET_LOG }, { "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
		{ "SCMP_ACT_ERRNO, errnoRet: 95", ERRNO(EOPNOTSUPP) }, { "SCMP_ACT_ERRNO, errno: EAGAIN", ERRNO(EAGAIN) },
		{ "SCMP_ACT_ERRNO, errno: EROFS, errnoRet: 0x1e", ERRNO(EROFS) }, { "SCMP_ACT_ERRNO, errnoRet: 0", ERRNO(0) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_profile_program p = {0};
		char text[200];

		snprintf(text, sizeof text, HEAD "- {names: [kill], action: %s}\n", rows[i].word);
		compile_good(arch_native(), text, &p);
		assert_int_equal(ask_native(&p, "kill", 0, 0), rows[i].action);
		assert_int_equal(ask_native(&p, "read", 0, 0), ERRNO(ENOSYS));
	}
}

static void comparisons(void **state)
{
	static const struct {
		const char *op;
		uint64_t yes, no;
	} rows[] = {
		{ "value: 0x100000002, op: SCMP_CMP_EQ", 0x100000002, 2 },
		{ "value: 0x100000002, op: SCMP_CMP_NE", 2, 0x100000002 },
		{ "value: 0x100000002, op: SCMP_CMP_LT", 0x100000001, 0x100000002 },
		{ "value: 0x100000002, op: SCMP_CMP_LE", 0x100000002, 0x100000003 },
		{ "value: 0x100000002, op: SCMP_CMP_GT", 0x100000003, 0x100000002 },
		{ "value: 0x100000002, op: SCMP_CMP_GE", 0x100000002, 0x100000001 },
		{ "value: 0o6000, valueTwo: 0o2000, op: SCMP_CMP_MASKED_EQ", 0xffffffff000003ff | 02000, 06000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_profile_program p = {0};
		char text[300];

		snprintf(text, sizeof text, HEAD "- {names: [kill], action: SCMP_ACT_ALLOW, args: [{index: 1, %s}]}\n", rows[i].op);
		compile_good(arch_native(), text, &p);
		assert_int_equal(ask_native(&p, "kill", 0, rows[i].yes), ALLOW);
		assert_int_equal(ask_native(&p, "kill", 0, rows[i].no), ERRNO(ENOSYS));
	}
}

static void all_conditions_or_any(void **state)
{
	auto_profile_program all = {0}, any = {0};

	(void)state;
	compile_good(arch_native(), HEAD "- {names: [kill], action: SCMP_ACT_ALLOW, args: [{index: 0, value: 1, op: SCMP_CMP_EQ},"
					 " {index: 1, value: 2, op: SCMP_CMP_EQ}]}\n", &all);
	assert_int_equal(ask_native(&all, "kill", 1, 2), ALLOW);
	assert_int_equal(ask_native(&all, "kill", 1, 3), ERRNO(ENOSYS));
	/* A repeated index turns the whole group into alternatives, as in OCI runtimes. */
	compile_good(arch_native(), HEAD "- {names: [kill], action: SCMP_ACT_ALLOW, args: [{index: 0, value: 1, op: SCMP_CMP_EQ},"
					 " {index: 0, value: 5, op: SCMP_CMP_EQ}, {index: 1, value: 2, op: SCMP_CMP_EQ}]}\n", &any);
	assert_int_equal(ask_native(&any, "kill", 1, 0), ALLOW);
	assert_int_equal(ask_native(&any, "kill", 5, 0), ALLOW);
	assert_int_equal(ask_native(&any, "kill", 0, 2), ALLOW);
	assert_int_equal(ask_native(&any, "kill", 0, 0), ERRNO(ENOSYS));
}

static void foreign_abis_die(void **state)
{
	/* Even where all is allowed, and where the profile lists them. */
	static const char text[] = "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"SCMP_ARCH_X86_64\", \"SCMP_ARCH_X86\","
				   " \"SCMP_ARCH_X32\", \"SCMP_ARCH_AARCH64\"]}";

	(void)state;
	for (size_t i = 0; arch_at(i) != NULL; i++) {
		auto_profile_program p = {0};
		struct seccomp_data data = { .nr = 20, .arch = SCMP_ARCH_X86 };
		uint32_t action;

		compile_good(arch_at(i), text, &p);
		assert_true(bpf_answer(p.bpf, p.bpf_len, &data, &action));
		assert_int_equal(action, KILL);
		data.arch = arch_at(i)->token;
		assert_true(bpf_answer(p.bpf, p.bpf_len, &data, &action));
		assert_int_equal(action, ALLOW);
		data.nr = 0x40000000 | 20;
		assert_true(bpf_answer(p.bpf, p.bpf_len, &data, &action));
		if (arch_at(i)->token == SCMP_ARCH_X86_64)
			assert_int_equal(action, KILL);
	}
}

static void unknown_names(void **state)
{
	auto_profile_program optional = {0}, engine = {0}, other = {0};

	(void)state;
	compile_good(arch_native(), HEAD "- {names: [read, from_the_future], action: SCMP_ACT_ALLOW, optional: true}\n", &optional);
	assert_int_equal(ask_native(&optional, "read", 0, 0), ALLOW);
	compile_good(arch_native(), "archMap: [{architecture: SCMP_ARCH_X86_64, subArchitectures: null}, {architecture: SCMP_ARCH_AARCH64},"
				    " {architecture: SCMP_ARCH_FUTURE}]\n"
				    HEAD "- {names: [read, from_the_future], action: SCMP_ACT_ALLOW}\n", &engine);
	assert_int_equal(engine.bpf_len, optional.bpf_len);
	/* A call of other architectures is no slip of the pen. */
	compile_good(arch_native(), HEAD "- {names: [socketcall, read], action: SCMP_ACT_ALLOW}\n", &other);
	assert_true(digest_eq(&other.bpf_digest, &optional.bpf_digest));
}

/* The form of Docker's and Podman's own files, with every key that occurs in one of them. */
static const char engine_json[] =
	"{\n\t\"defaultAction\": \"SCMP_ACT_ERRNO\",\n\t\"defaultErrnoRet\": 38,\n\t\"defaultErrno\": \"ENOSYS\",\n"
	"\t\"archMap\": [\n\t\t{ \"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": [\"SCMP_ARCH_X86\", \"SCMP_ARCH_X32\"] },\n"
	"\t\t{ \"architecture\": \"SCMP_ARCH_AARCH64\", \"subArchitectures\": [\"SCMP_ARCH_ARM\"] },\n"
	"\t\t{ \"architecture\": \"SCMP_ARCH_RISCV64\", \"subArchitectures\": null }\n\t],\n\t\"syscalls\": [\n"
	"\t\t{ \"names\": [\"read\", \"_llseek\", \"epoll_pwait3\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [], \"comment\": \"\","
	" \"includes\": {}, \"excludes\": {} },\n"
	"\t\t{ \"names\": [\"ptrace\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": null, \"includes\": { \"minKernel\": \"4.8\" } },\n"
	"\t\t{ \"names\": [\"kcmp\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"minKernel\": \"6.1\" } },\n"
	"\t\t{ \"names\": [\"mount\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"caps\": [\"CAP_SYS_ADMIN\"] } },\n"
	"\t\t{ \"names\": [\"mount\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 1, \"errno\": \"EPERM\", \"excludes\":"
	" { \"caps\": [\"CAP_SYS_ADMIN\"] } },\n"
	"\t\t{ \"names\": [\"write\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"arches\": [\"amd64\", \"arm64\"] } },\n"
	"\t\t{ \"names\": [\"writev\"], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"arches\": [\"s390\"] } },\n"
	"\t\t{ \"names\": [\"clone\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [ { \"index\": 0, \"value\": 2114060288,"
	" \"op\": \"SCMP_CMP_MASKED_EQ\" } ], \"excludes\": { \"arches\": [\"s390\", \"s390x\"], \"caps\": [\"CAP_SYS_ADMIN\"] } },\n"
	"\t\t{ \"names\": [\"clone3\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 38 },\n"
	"\t\t{ \"names\": [\"socket\"], \"action\": \"SCMP_ACT_ERRNO\", \"args\": [ { \"index\": 0, \"value\": 16, \"valueTwo\": 0,"
	" \"op\": \"SCMP_CMP_EQ\" }, { \"index\": 2, \"value\": 9, \"valueTwo\": 0, \"op\": \"SCMP_CMP_EQ\" } ], \"errnoRet\": 22,"
	" \"errno\": \"EINVAL\" },\n"
	"\t\t{ \"names\": [\"socket\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [ { \"index\": 2, \"value\": 9, \"valueTwo\": 0,"
	" \"op\": \"SCMP_CMP_NE\" } ] },\n"
	"\t\t{ \"names\": [\"socket\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [ { \"index\": 0, \"value\": 16, \"valueTwo\": 0,"
	" \"op\": \"SCMP_CMP_NE\" } ] },\n"
	"\t\t{ \"name\": \"umask\", \"action\": \"SCMP_ACT_ALLOW\" }\n\t]\n}\n";

static void engine_form(void **state)
{
	auto_profile_program p = {0};

	(void)state;
	compile_good(arch_native(), engine_json, &p);
	assert_int_equal(ask_native(&p, "read", 0, 0), ALLOW);
	assert_int_equal(ask_native(&p, "umask", 0, 0), ALLOW);
	assert_int_equal(ask_native(&p, "write", 0, 0), ALLOW);
	assert_int_equal(ask_native(&p, "writev", 0, 0), ERRNO(ENOSYS));
	/* Old enough for every kernel that glovebox supports; too new for some. */
	assert_int_equal(ask_native(&p, "ptrace", 0, 0), ALLOW);
	assert_int_equal(ask_native(&p, "kcmp", 0, 0), ERRNO(ENOSYS));
	/* A step has no capability. */
	assert_int_equal(ask_native(&p, "mount", 0, 0), ERRNO(EPERM));
	assert_int_equal(ask_native(&p, "clone", 17, 0), ALLOW);
	assert_int_equal(ask_native(&p, "clone", 0x10000000, 0), ERRNO(ENOSYS));
	assert_int_equal(ask(arch_native(), p.bpf, p.bpf_len, "socket", 16, 3, 0, 0), ALLOW);
	assert_int_equal(ask(arch_native(), p.bpf, p.bpf_len, "socket", 16, 3, 9, 0), ERRNO(EINVAL));
	assert_int_equal(ask(arch_native(), p.bpf, p.bpf_len, "socket", 2, 3, 9, 0), ALLOW);
}

static void first_match_decides(void **state)
{
	auto_profile_program permit = {0}, refuse = {0}, repeat = {0};

	(void)state;
	/* libseccomp drops the first rule of each of these without a word. */
	compile_good(arch_native(), HEAD "- {names: [kill], action: SCMP_ACT_ALLOW, args: [{index: 0, value: 1, op: SCMP_CMP_EQ}]}\n"
					 "- {names: [kill], action: SCMP_ACT_ERRNO, errnoRet: 1}\n", &permit);
	assert_int_equal(ask_native(&permit, "kill", 1, 0), ALLOW);
	assert_int_equal(ask_native(&permit, "kill", 2, 0), ERRNO(EPERM));
	compile_good(arch_native(), HEAD "- {names: [kill], action: SCMP_ACT_ERRNO, errnoRet: 1, args: [{index: 1, value: 9, op: SCMP_CMP_EQ}]}\n"
					 "- {names: [kill], action: SCMP_ACT_ALLOW}\n", &refuse);
	assert_int_equal(ask_native(&refuse, "kill", 0, 9), ERRNO(EPERM));
	assert_int_equal(ask_native(&refuse, "kill", 0, 8), ALLOW);
	/* A refusal that repeats the default, before a wider permission. */
	compile_good(arch_native(), HEAD "- {names: [kill], action: SCMP_ACT_ERRNO, errnoRet: 38, args: [{index: 1, value: 9, op: SCMP_CMP_EQ}]}\n"
					 "- {names: [kill], action: SCMP_ACT_ALLOW}\n", &repeat);
	assert_int_equal(ask_native(&repeat, "kill", 0, 9), ERRNO(ENOSYS));
	assert_int_equal(ask_native(&repeat, "kill", 0, 8), ALLOW);
}

static void rules_that_never_decide(void **state)
{
	(void)state;
	compile_bad(HEAD "- {names: [ptrace], action: SCMP_ACT_ALLOW}\n- {names: [read, ptrace], action: SCMP_ACT_ERRNO}\n",
		    "p.yaml:5:18: this rule never decides: line 4 has decided about the call, whatever its arguments; remove one of "
		    "them, or put this one first");
	compile_bad(HEAD "- {names: [kill], action: SCMP_ACT_ALLOW, args: [{index: 3, value: 0, op: SCMP_CMP_GE}]}\n"
			 "- {names: [kill], action: SCMP_ACT_ERRNO, args: [{index: 1, value: 9, op: SCMP_CMP_EQ}]}\n",
		    "p.yaml:5:12: this rule never decides: line 4 has decided about the call, whatever its arguments; remove one of "
		    "them, or put this one first");
}

/** libseccomp takes more than a minute for eight of these rules. */
static void no_text_takes_long(void **state)
{
	auto_buf b = {0};
	auto_profile_program p = {0};

	(void)state;
	buf_adds(&b, HEAD);
	for (unsigned g = 0; g < 100; g++) {
		buf_adds(&b, "- {names: [kill], action: SCMP_ACT_ALLOW, args: [");
		for (unsigned i = 0; i < 6; i++)
			buf_addf(&b, "%s{index: %u, value: %u, op: SCMP_CMP_%s}", i == 0 ? "" : ", ", i, g * (i + 3) % 97 + 1, g % 2 == 0 ? "GE" : "GT");
		buf_adds(&b, "]}\n");
	}
	compile_good(arch_native(), b.data, &p);
	assert_int_equal(ask_native(&p, "kill", 0, 0), ERRNO(ENOSYS));
}

static void any_other(void **state)
{
	auto_profile_program p = {0};

	(void)state;
	compile_good(arch_native(), HEAD
		     "- {names: [kill], action: SCMP_ACT_ERRNO, errnoRet: 1, args: [{index: 1, value: 0xffffffff, valueTwo: 9,"
		     " op: SCMP_CMP_MASKED_EQ}]}\n"
		     "- {names: [kill], action: SCMP_ACT_ALLOW, args: [{index: 0, value: 0, op: SCMP_CMP_GE}]}\n", &p);
	assert_int_equal(ask_native(&p, "kill", 0, 9), ERRNO(EPERM));
	assert_int_equal(ask_native(&p, "kill", UINT64_MAX, 1ull << 32 | 9), ERRNO(EPERM));
	assert_int_equal(ask_native(&p, "kill", UINT64_MAX, 8), ALLOW);
	assert_int_equal(ask_native(&p, "kill", 0, 8), ALLOW);
}

static void same_text_same_bytes(void **state)
{
	auto_profile_program one = {0}, two = {0};
	struct digest digest;
	struct err err = {0};

	(void)state;
	compile_good(arch_native(), engine_json, &one);
	compile_good(arch_native(), engine_json, &two);
	assert_int_equal(one.bpf_len, two.bpf_len);
	assert_memory_equal(one.bpf, two.bpf, one.bpf_len * sizeof *one.bpf);
	assert_int_equal(hash_bytes(one.bpf, one.bpf_len * sizeof *one.bpf, &digest, &err), 0);
	assert_true(digest_eq(&digest, &one.bpf_digest) && digest_eq(&digest, &two.bpf_digest));
	assert_int_equal(hash_bytes(engine_json, strlen(engine_json), &digest, &err), 0);
	assert_true(digest_eq(&digest, &one.text_digest));
}

static void interpreter_refuses_nonsense(void **state)
{
	const struct sock_filter runs_off[] = { BPF_JUMP(BPF_JMP | BPF_JA, 100, 0, 0), BPF_STMT(BPF_RET | BPF_K, ALLOW) };
	const struct sock_filter outside[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), BPF_STMT(BPF_RET | BPF_K, ALLOW) };
	const struct sock_filter other[] = { BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), BPF_STMT(BPF_RET | BPF_K, ALLOW) };
	struct seccomp_data data = {0};
	uint32_t action;

	(void)state;
	assert_false(bpf_answer(runs_off, 2, &data, &action));
	assert_false(bpf_answer(outside, 2, &data, &action));
	assert_false(bpf_answer(other, 2, &data, &action));
	assert_false(bpf_answer(other, 0, &data, &action));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(all_conditions_or_any),
		cmocka_unit_test(foreign_abis_die),
		cmocka_unit_test(unknown_names),
		cmocka_unit_test(engine_form),
		cmocka_unit_test(first_match_decides),
		cmocka_unit_test(rules_that_never_decide),
		cmocka_unit_test(no_text_takes_long),
		cmocka_unit_test(any_other),
		cmocka_unit_test(same_text_same_bytes),
		cmocka_unit_test(interpreter_refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

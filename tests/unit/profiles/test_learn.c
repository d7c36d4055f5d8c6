/* SPDX-License-Identifier: Apache-2.0 */
/* What is learnt of a row of calls: enough for them, and nothing beyond. */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/buf.h"
#include "profiles/learn.h"
#include "profiles/profiles.h"

struct lesson {
	struct profile_learner *learner;
	struct buf text;
	struct profile_program program;
};

static void begin(struct lesson *l, const char *within)
{
	struct err err = {0};

	*l = (struct lesson){0};
	if (profile_learner_new(profile_builtin(within), &l->learner, &err) < 0)
		fail_msg("%s", err.msg);
}

static void see(struct lesson *l, int nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	const uint64_t args[6] = { a0, a1, a2, a3 };
	char **who = profile_learn(l->learner, nr, args);

	if (who != NULL)
		*who = strdup("first (/bin/first)");
}

static void end(struct lesson *l)
{
	struct err err = {0};

	if (profile_learner_write(l->learner, "a command", &l->text, &err) < 0)
		fail_msg("%s\n%s", err.msg, l->text.data == NULL ? "" : l->text.data);
	compile_good(arch_native(), l->text.data, &l->program);
}

static void forget(struct lesson *l)
{
	profile_learner_free(l->learner);
	buf_free(&l->text);
	profile_program_clear(&l->program);
}

static uint32_t says(const struct lesson *l, const char *name, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	return ask(arch_native(), l->program.bpf, l->program.bpf_len, name, a0, a1, a2, a3);
}

static void assert_text(const struct lesson *l, const char *want)
{
	if (strstr(l->text.data, want) == NULL)
		fail_msg("not in it: %s\n%s", want, l->text.data);
}

static void test_calls_are_counted_and_named(void **state)
{
	struct lesson l;

	(void)state;
	begin(&l, "default");
	for (int i = 0; i < 12; i++)
		see(&l, SYS_read, 3, 0, 100, 0);
	see(&l, SYS_getrandom, 0, 8, 0, 0);
	end(&l);
	assert_text(&l, "- names: [read]\n  action: SCMP_ACT_ALLOW\n  comment: \"12 times, first by first (/bin/first)\"\n");
	assert_text(&l, "- names: [getrandom]\n  action: SCMP_ACT_ALLOW\n  comment: \"once, by first (/bin/first)\"\n");
	assert_text(&l, "# Nothing was refused.\n");
	assert_int_equal(says(&l, "read", 3, 0, 0, 0), ALLOW);
	assert_int_equal(says(&l, "execve", 0, 0, 0, 0), ALLOW);
	assert_int_equal(says(&l, "exit_group", 0, 0, 0, 0), ALLOW);
	/* Not seen, however harmless. */
	assert_int_equal(says(&l, "write", 1, 0, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(says(&l, "ioctl", 1, TCGETS, 0, 0), ERRNO(ENOSYS));
	forget(&l);
}

/** A command of ioctl that was seen says nothing of the next. */
static void test_arguments_are_narrowed(void **state)
{
	struct lesson l;

	(void)state;
	begin(&l, "default");
	see(&l, SYS_ioctl, 1, TCGETS, 0, 0);
	see(&l, SYS_ioctl, 0, TIOCGWINSZ, 0, 0);
	see(&l, SYS_socket, 1, 1 | 02000000, 0, 0);
	see(&l, SYS_socket, 16, 3, 0, 0);
	see(&l, SYS_fcntl, 3, F_GETFL, 0, 0);
	end(&l);
	assert_int_equal(says(&l, "ioctl", 9, TCGETS, 0, 0), ALLOW);
	assert_int_equal(says(&l, "ioctl", 9, TIOCGWINSZ, 0, 0), ALLOW);
	assert_int_equal(says(&l, "ioctl", 9, FIONREAD, 0, 0), ERRNO(ENOTTY));
	assert_int_equal(says(&l, "ioctl", 9, TIOCSTI, 0, 0), ERRNO(ENOTTY));
	assert_int_equal(says(&l, "ioctl", 9, TIOCSTI | 1ull << 32, 0, 0), ERRNO(ENOTTY));
	assert_int_equal(says(&l, "socket", 1, 1, 0, 0), ALLOW);
	assert_int_equal(says(&l, "socket", 1, 2, 0, 0), ERRNO(EAFNOSUPPORT));
	assert_int_equal(says(&l, "socket", 2, 1, 0, 0), ERRNO(EAFNOSUPPORT));
	assert_int_equal(says(&l, "socket", 40, 1, 0, 0), ERRNO(EAFNOSUPPORT));
	/* NETLINK_ROUTE alone, as the ceiling has it, though the protocol was not selected by. */
	assert_int_equal(says(&l, "socket", 16, 3, 0, 0), ALLOW);
	assert_int_not_equal(says(&l, "socket", 16, 3, 9, 0), ALLOW);
	assert_int_equal(says(&l, "fcntl", 3, F_GETFL, 0, 0), ALLOW);
	assert_int_equal(says(&l, "fcntl", 3, 1024, 0, 0), ERRNO(EINVAL));
	forget(&l);
}

/** More values than are worth a line each: as wide as the ceiling, and no wider. */
static void test_many_values(void **state)
{
	struct lesson l;

	(void)state;
	begin(&l, "default");
	for (unsigned i = 0; i < 100; i++)
		see(&l, SYS_ioctl, 1, 0x9000 + i, 0, 0);
	end(&l);
	assert_text(&l, "100 times");
	assert_int_equal(says(&l, "ioctl", 1, 0x9001, 0, 0), ALLOW);
	assert_int_equal(says(&l, "ioctl", 1, 0x8fff, 0, 0), ALLOW);
	assert_int_equal(says(&l, "ioctl", 1, TIOCSTI, 0, 0), ERRNO(EPERM));
	assert_int_equal(says(&l, "ioctl", 1, 0x541c | 1ull << 40, 0, 0), ERRNO(EPERM));
	assert_int_equal(says(&l, "ioctl", 1, 0xc020660b, 0, 0), ERRNO(ENOTTY));
	forget(&l);
}

/** What was refused is refused with the same errno, and named with what it would have opened. */
static void test_refusals_are_kept(void **state)
{
	struct lesson l;

	(void)state;
	begin(&l, "default");
	see(&l, SYS_ptrace, 0, 0, 0, 0);
	see(&l, SYS_unshare, CLONE_NEWUSER, 0, 0, 0);
	see(&l, SYS_clone3, 0, 88, 0, 0);
	see(&l, SYS_clone, CLONE_NEWUSER, 0, 0, 0);
	see(&l, SYS_clone, SIGCHLD, 0, 0, 0);
	see(&l, SYS_socket, 40, 1, 0, 0);
	see(&l, SYS_setxattr, 0, 0, 0, 0);
	see(&l, 999, 0, 0, 0, 0);
	see(&l, 4000, 0, 0, 0, 0);
	see(&l, -1, 0, 0, 0, 0);
	end(&l);
	assert_text(&l, "#   ptrace (once, by first (/bin/first)): it would open other processes of the step");
	assert_text(&l, "#   socket (once, by first (/bin/first)): it would open the hypervisor");
	assert_text(&l, "#   clone3 (");
	assert_text(&l, "#   system call 999 (once, by first (/bin/first)): the profile default does not know it\n");
	assert_text(&l, "#   numbers that no call has (2 times)\n");
	assert_int_equal(says(&l, "ptrace", 0, 0, 0, 0), ERRNO(EPERM));
	assert_int_equal(says(&l, "unshare", 0, 0, 0, 0), ERRNO(EPERM));
	assert_int_equal(says(&l, "clone3", 0, 0, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(says(&l, "clone", CLONE_NEWUSER, 0, 0, 0), ERRNO(EPERM));
	assert_int_equal(says(&l, "clone", SIGCHLD, 0, 0, 0), ALLOW);
	assert_int_equal(says(&l, "clone", 0x80, 0, 0, 0), ERRNO(EPERM));
	assert_int_equal(says(&l, "setxattr", 0, 0, 0, 0), ERRNO(EOPNOTSUPP));
	assert_int_not_equal(says(&l, "socket", 40, 1, 0, 0), ALLOW);
	assert_int_not_equal(says(&l, "mount", 0, 0, 0, 0), ALLOW);
	forget(&l);
}

/** Threads and handlers need calls that come and go between two runs. */
static void test_companions(void **state)
{
	struct lesson l;

	(void)state;
	begin(&l, "default");
	see(&l, SYS_clone, SIGCHLD, 0, 0, 0);
	see(&l, SYS_rt_sigaction, 2, 0, 0, 8);
	end(&l);
	assert_int_equal(says(&l, "futex", 0, 0, 0, 0), ALLOW);
	assert_int_equal(says(&l, "exit", 0, 0, 0, 0), ALLOW);
	assert_int_equal(says(&l, "rt_sigreturn", 0, 0, 0, 0), ALLOW);
	assert_int_equal(says(&l, "restart_syscall", 0, 0, 0, 0), ALLOW);
	forget(&l);
	begin(&l, "default");
	see(&l, SYS_read, 0, 0, 0, 0);
	end(&l);
	assert_int_equal(says(&l, "futex", 0, 0, 0, 0), ERRNO(ENOSYS));
	assert_int_equal(says(&l, "rt_sigreturn", 0, 0, 0, 0), ERRNO(ENOSYS));
	forget(&l);
}

/** Every call that there is, with arguments that open what can be opened: the whole of the ceiling, and nothing of what it refuses. */
static void test_everything_at_once(void **state)
{
	static const char *const within[] = { "default", "strict" };
	static const uint64_t values[] = { 0, 1, 2, 10, 16, 17, 38, 40, 0x5401, 0x5412, 0x541c, 04755, 0x10000000, 0x7e020080, 0xffffffff,
					   0x100005412, UINT64_MAX };

	(void)state;
	for (size_t w = 0; w < ARRAY_LEN(within); w++) {
		const struct profile_builtin *ceiling = profile_builtin(within[w]);
		struct lesson l;

		begin(&l, within[w]);
		for (int nr = 0; nr < POLICY_NR_MAX; nr++)
			for (size_t i = 0; i < ARRAY_LEN(values); i++)
				for (size_t k = 0; k < ARRAY_LEN(values); k++)
					see(&l, nr, values[i], values[k], values[(i + k) % ARRAY_LEN(values)], values[i]);
		end(&l);
		for (int nr = 0; nr < POLICY_NR_MAX; nr++)
			for (size_t i = 0; i < ARRAY_LEN(values); i++)
				for (size_t k = 0; k < ARRAY_LEN(values); k++) {
					const struct seccomp_data call = { .nr = nr, .arch = arch_native()->token,
						.args = { values[i], values[k], values[(i + k) % ARRAY_LEN(values)], values[i] } };
					uint32_t want, got;

					assert_true(bpf_answer(ceiling->bpf, ceiling->bpf_len, &call, &want));
					assert_true(bpf_answer(l.program.bpf, l.program.bpf_len, &call, &got));
					if (got != want)
						fail_msg("%s: call %d(%#lx, %#lx): %#x, the ceiling %#x", within[w], nr, (unsigned long)values[i],
							 (unsigned long)values[k], got, want);
				}
		forget(&l);
	}
}

/** Names that a program gives itself are harmless where they are written. */
static void test_hostile_names(void **state)
{
	static const char *const names[] = { "\"\n- names: [mount]\n  action: SCMP_ACT_ALLOW\n", "a\\", "\x1b[2J", "\xff\xfe", "'", "{a: b}", "" };
	const uint64_t args[6] = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct lesson l;
		struct err err = {0};

		begin(&l, "default");
		*profile_learn(l.learner, SYS_read, args) = strdup(names[i]);
		*profile_learn(l.learner, SYS_mount, args) = strdup(names[i]);
		if (profile_learner_write(l.learner, names[i], &l.text, &err) < 0)
			fail_msg("%s\n%s", err.msg, names[i]);
		compile_good(arch_native(), l.text.data, &l.program);
		assert_int_equal(says(&l, "mount", 0, 0, 0, 0), ERRNO(EPERM));
		forget(&l);
	}
}

/** The proof can fail: what allows more than its ceiling is not handed out. */
static void test_the_proof(void **state)
{
	static const char *const wider[] = {
		"defaultAction: SCMP_ACT_ERRNO\nsyscalls:\n- names: [mount]\n  action: SCMP_ACT_ALLOW\n",
		"defaultAction: SCMP_ACT_ERRNO\nsyscalls:\n- names: [ioctl]\n  action: SCMP_ACT_ALLOW\n",
		"defaultAction: SCMP_ACT_ERRNO\nsyscalls:\n- names: [ioctl]\n  action: SCMP_ACT_ALLOW\n"
		"  args: [{index: 1, value: 0x5412, op: SCMP_CMP_EQ}]\n",
		"defaultAction: SCMP_ACT_ERRNO\nsyscalls:\n- names: [clone]\n  action: SCMP_ACT_ALLOW\n"
		"  args: [{index: 0, value: 0x7e020000, valueTwo: 0, op: SCMP_CMP_MASKED_EQ}]\n",
	};
	const struct profile_builtin *b = profile_builtin("default");
	struct policy ceiling = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(policy_parse("default", b->text, b->text_len, arch_native(), &ceiling, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(wider); i++) {
		struct policy p = {0};

		assert_int_equal(policy_parse("wider", wider[i], strlen(wider[i]), arch_native(), &p, &err), 0);
		assert_int_equal(policy_within(&p, &ceiling, "wider", &err), -1);
		assert_int_equal(err.kind, ERR_INTERNAL);
		policy_clear(&p);
	}
	assert_int_equal(policy_within(&ceiling, &ceiling, "default", &err), 0);
	policy_clear(&ceiling);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls_are_counted_and_named),
		cmocka_unit_test(test_arguments_are_narrowed),
		cmocka_unit_test(test_many_values),
		cmocka_unit_test(test_refusals_are_kept),
		cmocka_unit_test(test_companions),
		cmocka_unit_test(test_everything_at_once),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_the_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

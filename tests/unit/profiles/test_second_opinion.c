/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped profiles mean the same to the OCI runtimes: translated by libseccomp, as runc and crun do, they give the
 * same answers. Two generators that share no code agree, and policy_verify() is seen to notice where they would not. */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/base.h"

/** libseccomp takes the numbers of the building host, whatever architecture it writes for. */
static int host_number(const struct arch *arch, int nr)
{
	auto_free char *name = seccomp_syscall_resolve_num_arch(arch->token, nr);

	return seccomp_syscall_resolve_name(name);
}

static void add_rules(scmp_filter_ctx ctx, const struct policy *p)
{
	for (size_t i = 0; i < p->nrules; i++) {
		const struct policy_rule *rule = &p->rules[i];
		struct scmp_arg_cmp cmp[POLICY_ARGS];

		/* It takes no rule that repeats the default. */
		if (rule->action == p->default_action)
			continue;
		for (unsigned c = 0; c < rule->nconds; c++)
			cmp[c] = (struct scmp_arg_cmp){ .arg = rule->conds[c].index, .op = rule->conds[c].op,
							.datum_a = rule->conds[c].value, .datum_b = rule->conds[c].value_two };
		assert_int_equal(seccomp_rule_add_array(ctx, rule->action, host_number(p->arch, rule->nr), rule->nconds, cmp), 0);
	}
}

static size_t translate(const struct policy *p, struct sock_filter *bpf, size_t max)
{
	auto_fd fd = memfd_create("profile", MFD_CLOEXEC);
	scmp_filter_ctx ctx;
	struct err err = {0};
	size_t got = 0;

	/* Level 3 has all actions; without it libseccomp asks the running kernel. */
	assert_int_equal(seccomp_api_set(3), 0);
	ctx = seccomp_init(p->default_action);
	assert_non_null(ctx);
	if (p->arch->token != seccomp_arch_native()) {
		assert_int_equal(seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE), 0);
		assert_int_equal(seccomp_arch_add(ctx, p->arch->token), 0);
	}
	assert_int_equal(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), 0);
	assert_int_equal(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), 0);
	add_rules(ctx, p);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	seccomp_release(ctx);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(io_read_full(fd, bpf, max * sizeof *bpf, &got, &err), 0);
	assert_true(got < max * sizeof *bpf);
	return got / sizeof *bpf;
}

static void opinion(const char *file, const char *text, const struct arch *arch, bool agrees)
{
	static struct sock_filter bpf[PROFILE_BPF_MAX + 1];
	auto_policy p = {0};
	struct err err = {0};
	int result;

	if (policy_parse(file, text, strlen(text), arch, &p, &err) < 0)
		fail_msg("%s", err.msg);
	result = policy_verify(&p, file, bpf, translate(&p, bpf, ARRAY_LEN(bpf)), &err);
	if (result != (agrees ? 0 : -1))
		fail_msg("%s on %s: %s", file, arch->oci_name, agrees ? err.msg : "the difference went unnoticed");
}

static void shipped_profiles(void **state)
{
	(void)state;
	for (size_t i = 0; profile_builtin_at(i) != NULL; i++)
		for (size_t a = 0; arch_at(a) != NULL; a++)
			opinion(profile_builtin_at(i)->name, profile_builtin_at(i)->text, arch_at(a), true);
	for (size_t a = 0; arch_at(a) != NULL; a++)
		opinion(profile_floor()->name, profile_floor()->text, arch_at(a), true);
}

static void differences_are_noticed(void **state)
{
	(void)state;
	/* Of these, libseccomp keeps the last rule only. */
	opinion("lost", "defaultAction: SCMP_ACT_ERRNO\nsyscalls:\n"
			"- {names: [kill], action: SCMP_ACT_KILL, args: [{index: 1, value: 9, op: SCMP_CMP_EQ}]}\n"
			"- {names: [kill], action: SCMP_ACT_ALLOW}\n", arch_native(), false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped_profiles),
		cmocka_unit_test(differences_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

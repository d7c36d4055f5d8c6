/* SPDX-License-Identifier: Apache-2.0 */
/* Rules to BPF by libseccomp 2.5, which can only write a program to a file: here, one in memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/own.h"
#include "profiles/policy.h"
#include "profiles/profiles.h"

/** SCMP_FLTATR_CTL_OPTIMIZE: a binary tree over the numbers; loads in less than half the time of a list. */
#define OPTIMIZE_TREE 2
/** With this level given, libseccomp does not ask the running kernel which actions it has. */
#define API_LEVEL 3

OWN_DEFINE(filter, scmp_filter_ctx, NULL, seccomp_release)

static int library_error(struct err *err, int rc, const char *doing)
{
	return err_set(err, ERR_INTERNAL, -rc, "compiling the profile: libseccomp: %s", doing);
}

/** An empty filter for the policy's architecture alone. */
static int start(const struct policy *p, scmp_filter_ctx *ret, struct err *err)
{
	auto_own(filter) scmp_filter_ctx ctx = NULL;
	int rc = seccomp_api_set(API_LEVEL);

	if (rc == 0)
		ctx = seccomp_init(p->default_action);
	if (ctx == NULL)
		return library_error(err, rc, "starting a filter");
	if (p->arch->token != seccomp_arch_native()) {
		rc = seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE);
		if (rc == 0)
			rc = seccomp_arch_add(ctx, p->arch->token);
	}
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_TREE);
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc != 0)
		return library_error(err, rc, "setting up the filter");
	*ret = move_ptr(ctx);
	return 0;
}

/** The number by which libseccomp wants to hear of a call: the building host's, whatever architecture the filter is for. */
static int host_number(const struct arch *arch, int nr)
{
	auto_free char *name = NULL;

	if (arch->token == seccomp_arch_native())
		return nr;
	name = seccomp_syscall_resolve_num_arch(arch->token, nr);
	return name != NULL ? seccomp_syscall_resolve_name(name) : __NR_SCMP_ERROR;
}

static int add_rule(scmp_filter_ctx ctx, const struct policy *p, const struct policy_rule *rule, const char *file,
		    struct err *err)
{
	struct scmp_arg_cmp cmp[POLICY_ARGS];
	int rc;

	/* libseccomp takes no rule that repeats the default; whether one is missed is policy_verify()'s to say. */
	if (rule->action == p->default_action)
		return 0;
	for (unsigned i = 0; i < rule->nconds; i++)
		cmp[i] = (struct scmp_arg_cmp){ .arg = rule->conds[i].index, .op = rule->conds[i].op,
						.datum_a = rule->conds[i].value, .datum_b = rule->conds[i].value_two };
	rc = seccomp_rule_add_array(ctx, rule->action, host_number(p->arch, rule->nr), rule->nconds, cmp);
	if (rc == 0 || rc == -EEXIST)
		return 0;
	if (rc == -ENOMEM)
		return library_error(err, rc, "adding a rule");
	return yaml_error(file, rule->pos, err, "libseccomp does not take this rule (%s)", strerror(-rc));
}

static int export(scmp_filter_ctx ctx, const char *file, struct sock_filter **ret_bpf, size_t *ret_len, struct err *err)
{
	auto_fd fd = memfd_create("glovebox-profile", MFD_CLOEXEC);
	auto_free struct sock_filter *bpf = NULL;
	struct stat st;
	size_t got, len;
	int rc;

	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "compiling the profile: making a file in memory");
	rc = seccomp_export_bpf(ctx, fd);
	if (rc != 0)
		return library_error(err, rc, "writing the program");
	if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_INTERNAL, errno, "compiling the profile: reading the program back");
	len = (size_t)st.st_size / sizeof *bpf;
	if (len > PROFILE_BPF_MAX)
		return err_set(err, ERR_USAGE, 0, "%s: the filter has %zu instructions, the kernel takes %d; use fewer conditions",
			       file, len, PROFILE_BPF_MAX);
	bpf = calloc(len + 1, sizeof *bpf);
	if (bpf == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "compiling the profile");
	if (io_read_full(fd, bpf, len * sizeof *bpf, &got, err) < 0)
		return -1;
	if (len == 0 || got != len * sizeof *bpf)
		return err_set(err, ERR_INTERNAL, 0, "compiling the profile: the program came back short");
	*ret_bpf = move_ptr(bpf);
	*ret_len = len;
	return 0;
}

int policy_compile(const struct policy *p, const char *file, struct sock_filter **ret_bpf, size_t *ret_len,
		   struct err *err)
{
	auto_own(filter) scmp_filter_ctx ctx = NULL;

	if (start(p, &ctx, err) < 0)
		return -1;
	for (size_t i = 0; i < p->nrules; i++)
		if (add_rule(ctx, p, &p->rules[i], file, err) < 0)
			return -1;
	return export(ctx, file, ret_bpf, ret_len, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is loaded for a profile (parent's side; seccomp(2)): one program of profile and floor, and the same one with init
 * asked where it refuses, so that a step that fails of a refusal can be told which. init never lets a call through:
 * it answers with the very errno that the profile has for it (listen.c). A command that is learnt from has its parent asked about
 * everything, which answers as the program does (learn.c). */
#include "sandbox/plan.h"

#include <errno.h>
#include <string.h>

#include <linux/seccomp.h>

#include "profiles/bpf.h"
#include "profiles/profiles.h"
#include "sandbox/sys.h"

static bool is_return(const struct sock_filter *i)
{
	return i->code == (BPF_RET | BPF_K);
}

static uint32_t action_of(const struct sock_filter *i)
{
	return is_return(i) ? i->k & SECCOMP_RET_ACTION_FULL : SECCOMP_RET_KILL_PROCESS;
}

/** Whether a filter lets anything through that the kernel is to log. */
static bool logs(const struct sock_filter *filter, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (action_of(&filter[i]) == SECCOMP_RET_LOG)
			return true;
	return false;
}

static size_t joined_len(const struct sandbox_conf *conf)
{
	return conf->filter_len + conf->floor_len * (logs(conf->filter, conf->filter_len) ? 2 : 1);
}

/** Sends what the profile lets through with @p action on to the floor at @p to. */
static void lead_on(struct sock_filter *profile, size_t n, uint32_t action, size_t to)
{
	for (size_t i = 0; i < n; i++)
		if (action_of(&profile[i]) == action)
			profile[i] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)(to - i - 1));
}

/** Profile first, then the floor wherever that allows: as the kernel would ask two filters, but that a refusal of the profile's
 *  is the answer also where the floor would kill. What the profile logs has a floor of its own, which logs what it allows. */
static int join(struct plan_box *box, const struct sandbox_conf *conf, struct err *err)
{
	size_t n = conf->filter_len, len = joined_len(conf);
	struct sock_filter *all = plan_alloc(box, len * sizeof *all);

	if (all == NULL)
		return plan_no_memory(err);
	memcpy(all, conf->filter, n * sizeof *all);
	for (size_t at = n; at < len; at += conf->floor_len)
		memcpy(all + at, conf->floor, conf->floor_len * sizeof *all);
	lead_on(all, n, SECCOMP_RET_ALLOW, n);
	lead_on(all, n, SECCOMP_RET_LOG, n + conf->floor_len);
	for (size_t i = n + conf->floor_len; i < len; i++)
		if (action_of(&all[i]) == SECCOMP_RET_ALLOW)
			all[i].k = SECCOMP_RET_LOG;
	box->plan.filter = all;
	box->plan.filter_len = len;
	return 0;
}

/** ENOSYS is no refusal to be told of: the C library asks for calls that may not be there, often. An errno of 0 is none
 *  at all: the call does nothing, and is said to have succeeded. */
static bool refuses(const struct sock_filter *i)
{
	uint32_t sys = i->k & SECCOMP_RET_DATA;

	return is_return(i) && (i->k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && sys != ENOSYS && sys != 0;
}

/** Between the loading of the filter and the command there is nobody to answer: init waits for that. */
static bool command_can_start(const struct plan *plan)
{
	return bpf_always_allows(plan->filter, plan->filter_len, SYS_AUDIT_ARCH, SYS_execve) &&
	       bpf_always_allows(plan->filter, plan->filter_len, SYS_AUDIT_ARCH, SYS_exit_group);
}

static int make_telling(struct plan_box *box, struct err *err)
{
	size_t n = box->plan.filter_len;
	struct sock_filter *copy = plan_alloc(box, n * sizeof *copy);

	if (copy == NULL)
		return plan_no_memory(err);
	for (size_t i = 0; i < n; i++) {
		copy[i] = box->plan.filter[i];
		if (refuses(&copy[i]))
			copy[i].k = SECCOMP_RET_USER_NOTIF;
	}
	box->plan.telling = copy;
	box->plan.telling_len = n;
	return 0;
}

/** What would wait for an answer before anybody listens: the command's start, and its end where it cannot be started. */
static const struct sock_filter unasked[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_AUDIT_ARCH, 0, 4),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/** Whether a call with this answer goes on, with or without success, so that its caller can wait for somebody to say so. */
static bool is_answer(const struct sock_filter *i)
{
	uint32_t action = action_of(i);

	return is_return(i) && (action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG || action == SECCOMP_RET_ERRNO);
}

static int make_learning(struct plan_box *box, struct err *err)
{
	size_t n = box->plan.filter_len, len = n + ARRAY_LEN(unasked);
	struct sock_filter *copy;

	if (box->plan.floor != NULL || len > PROFILE_BPF_MAX)
		return plan_refuse(err, "the filter is too long to be learnt under");
	if (box->plan.asking != NULL)
		return plan_refuse(err, "a command that finds another clock or order of directories cannot be learnt from: there is one listener");
	if (!command_can_start(&box->plan))
		return plan_refuse(err, "a filter to learn under must allow execve and exit_group");
	copy = plan_alloc(box, len * sizeof *copy);
	if (copy == NULL)
		return plan_no_memory(err);
	memcpy(copy, unasked, sizeof unasked);
	for (size_t i = 0; i < n; i++) {
		const struct sock_filter ask = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);

		copy[ARRAY_LEN(unasked) + i] = is_answer(&box->plan.filter[i]) ? ask : box->plan.filter[i];
	}
	box->plan.telling = copy;
	box->plan.telling_len = len;
	box->plan.learning = true;
	return 0;
}

int plan_filter(struct plan_box *box, const struct sandbox_conf *conf, struct err *err)
{
	struct plan *plan = &box->plan;

	plan->filter = conf->filter;
	plan->filter_len = conf->filter_len;
	if (conf->floor != NULL && joined_len(conf) > PROFILE_BPF_MAX) {
		/* Two filters cannot both ask init: what they refuse stays untold. */
		plan->floor = conf->floor;
		plan->floor_len = conf->floor_len;
		return conf->learn != NULL ? make_learning(box, err) : 0;
	}
	if (conf->floor != NULL && join(box, conf, err) != 0)
		return -1;
	if (conf->learn != NULL)
		return make_learning(box, err);
	/* Two filters cannot both ask init. */
	return plan->asking == NULL && command_can_start(plan) ? make_telling(box, err) : 0;
}

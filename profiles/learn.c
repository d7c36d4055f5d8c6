/* SPDX-License-Identifier: Apache-2.0 */
/* A command's calls, counted by what decided about them. */
#include "profiles/learn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "profiles/edges.h"

/** Combinations of arguments that a learnt call is tried with. */
#define WITHIN_TRIES 16384

static const struct narrowing narrowings[] = {
	{ "arch_prctl", { { 0, UINT32_MAX } }, EINVAL },
	{ "fcntl", { { 1, UINT32_MAX } }, EINVAL },
	{ "ioctl", { { 1, UINT32_MAX } }, ENOTTY },
	{ "personality", { { 0, UINT32_MAX } }, EINVAL },
	{ "prctl", { { 0, UINT32_MAX } }, EINVAL },
	{ "seccomp", { { 0, UINT32_MAX } }, EINVAL },
	/* The type without SOCK_CLOEXEC and SOCK_NONBLOCK. */
	{ "socket", { { 0, UINT32_MAX }, { 1, 0xf } }, EAFNOSUPPORT },
	{ "socketpair", { { 0, UINT32_MAX }, { 1, 0xf } }, EAFNOSUPPORT },
};

/** Asked once: libseccomp looks through all names each time. */
static void find_narrowings(struct profile_learner *l)
{
	for (size_t i = 0; i < ARRAY_LEN(narrowings); i++) {
		int nr = arch_call_number(l->ceiling.arch, narrowings[i].name);

		if (nr >= 0)
			l->narrow[nr] = &narrowings[i];
	}
}

const char *learn_name(const struct arch *arch, int nr, char out[LEARN_NAME_SIZE])
{
	char *name = seccomp_syscall_resolve_num_arch(arch->token, nr);

	if (name != NULL)
		snprintf(out, LEARN_NAME_SIZE, "%s", name);
	else
		snprintf(out, LEARN_NAME_SIZE, "system call %d", nr);
	free(name);
	return out;
}

/* ---- remembering ------------------------------------------------------------------ */

int profile_learner_new(const struct profile_builtin *within, struct profile_learner **ret, struct err *err)
{
	const struct arch *arch = arch_native();
	auto_profile_learner l = calloc(1, sizeof *l);

	if (arch == NULL)
		return err_set(err, ERR_HOST, 0, "learning a profile: glovebox makes filters for x86_64 and aarch64 only");
	if (l == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "learning a profile");
	l->name = within->name;
	if (policy_parse(within->name, within->text, within->text_len, arch, &l->ceiling, err) < 0)
		return -1;
	l->rules = calloc(l->ceiling.nrules + 1, sizeof *l->rules);
	if (l->rules == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "learning a profile");
	find_narrowings(l);
	*ret = l;
	l = NULL;
	return 0;
}

static void clear_seen(struct seen *seen)
{
	for (size_t i = 0; i < seen->nchoices; i++)
		free(seen->choices[i].who);
	free(seen->choices);
	free(seen->who);
}

void profile_learner_free(struct profile_learner *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; l->rules != NULL && i < l->ceiling.nrules; i++)
		clear_seen(&l->rules[i]);
	for (size_t i = 0; i < POLICY_NR_MAX; i++)
		clear_seen(&l->unnamed[i]);
	clear_seen(&l->beyond);
	free(l->rules);
	policy_clear(&l->ceiling);
	free(l);
}

static void select_values(const struct narrowing *by, const uint64_t args[POLICY_ARGS], uint32_t v[LEARN_SELECT_MAX])
{
	for (size_t i = 0; i < LEARN_SELECT_MAX; i++)
		v[i] = (uint32_t)args[by->by[i].index] & by->by[i].mask;
}

/** The entry for these values, made where it is new; NULL where there are too many, or memory is short. */
static struct choice *find_choice(struct seen *seen, const uint32_t v[LEARN_SELECT_MAX])
{
	for (size_t i = 0; i < seen->nchoices; i++)
		if (memcmp(seen->choices[i].v, v, sizeof seen->choices[i].v) == 0)
			return &seen->choices[i];
	if (seen->choices == NULL)
		seen->choices = calloc(LEARN_CHOICES_MAX, sizeof *seen->choices);
	if (seen->choices == NULL || seen->nchoices == LEARN_CHOICES_MAX) {
		seen->many = true;
		return NULL;
	}
	struct choice *c = &seen->choices[seen->nchoices++];
	memcpy(c->v, v, sizeof c->v);
	return c;
}

static struct seen *find_seen(struct profile_learner *l, int nr, const uint64_t args[POLICY_ARGS])
{
	const struct policy_rule *rule;

	if (nr < 0 || nr >= POLICY_NR_MAX)
		return &l->beyond;
	rule = policy_match(&l->ceiling, nr, args);
	return rule == NULL ? &l->unnamed[nr] : &l->rules[rule - l->ceiling.rules];
}

char **profile_learn(struct profile_learner *l, int nr, const uint64_t args[POLICY_ARGS])
{
	struct seen *seen = find_seen(l, nr, args);
	const struct narrowing *by = seen == &l->beyond ? NULL : l->narrow[nr];
	struct choice *choice = NULL;
	uint32_t v[LEARN_SELECT_MAX];

	l->calls++;
	if (seen->count++ == 0)
		memcpy(seen->args, args, sizeof seen->args);
	if (by != NULL && !seen->many) {
		select_values(by, args, v);
		choice = find_choice(seen, v);
	}
	if (choice != NULL && choice->count++ == 0)
		return &choice->who;
	return seen->who == NULL && choice == NULL ? &seen->who : NULL;
}

/* ---- the proof ----------------------------------------------------------------------- */

struct within {
	const struct policy *p, *ceiling;
	const char *file;
	struct err *err;
};

static int is_within(void *arg, int nr, const uint64_t *args)
{
	const struct within *w = arg;

	if (!policy_allows(policy_answer(w->p, nr, args)) || policy_allows(policy_answer(w->ceiling, nr, args)))
		return 0;
	return err_set(w->err, ERR_INTERNAL, 0, "%s: system call %d would be allowed where its ceiling refuses it; this is a bug of glovebox",
		       w->file, nr);
}

int policy_within(const struct policy *p, const struct policy *ceiling, const char *file, struct err *err)
{
	const struct policy *both[] = { p, ceiling };
	struct within w = { p, ceiling, file, err };

	for (int nr = 0; nr < POLICY_NR_MAX; nr++)
		if (p->first[nr] != p->first[nr + 1] && edges_each(both, 2, nr, WITHIN_TRIES, is_within, &w) != 0)
			return -1;
	return 0;
}

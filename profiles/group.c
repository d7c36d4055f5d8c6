/* SPDX-License-Identifier: Apache-2.0 */
/* A group: {names, action, errnoRet, args, comment} of the runtime-spec; errno, includes and excludes of
 * Docker's and Podman's files; optional of glovebox's. */
#include "profiles/group.h"

#include <stdio.h>
#include <string.h>

/** What all names of one group share. */
struct group {
	uint32_t action;
	bool optional;              /**< names that libseccomp does not know are skipped */
	bool any_of;                /**< each condition is a rule of its own */
	struct policy_cond conds[POLICY_ARGS * 8];
	size_t nconds;
};

static int read_cond(const struct place *at, const struct node *node, struct policy_cond *ret)
{
	static const char *const keys[] = { "index", "op", "value", "valueTwo", NULL };
	const struct node *index, *op, *value, *two;
	struct policy_cond c = {0};
	uint64_t i;

	if (vocabulary_keys(at, node, "args", keys) < 0)
		return -1;
	index = vocabulary_get(node, "index");
	op = vocabulary_get(node, "op");
	value = vocabulary_get(node, "value");
	two = vocabulary_get(node, "valueTwo");
	if (index == NULL || op == NULL || value == NULL)
		return yaml_error(at->file, node->pos, at->err, "args: a condition needs index, value and op");
	if (vocabulary_number(at, index, "index", POLICY_ARGS - 1, &i) < 0 || vocabulary_compare(at, op, &c.op) < 0 ||
	    vocabulary_number(at, value, "value", UINT64_MAX, &c.value) < 0 ||
	    (two != NULL && vocabulary_number(at, two, "valueTwo", UINT64_MAX, &c.value_two) < 0))
		return -1;
	if (c.op == SCMP_CMP_MASKED_EQ && (c.value_two & ~c.value) != 0)
		return yaml_error(at->file, node->pos, at->err,
				  "args: valueTwo has bits outside the mask (value), so this can never be true");
	c.index = (unsigned)i;
	*ret = c;
	return 0;
}

static int read_args(const struct place *at, const struct node *args, struct group *g)
{
	unsigned seen = 0;

	if (args == NULL)
		return 0;
	if (vocabulary_list(at, args, "args") < 0)
		return -1;
	for (const struct node *n = args->first; n != NULL; n = n->next) {
		struct policy_cond *c = &g->conds[g->nconds];

		if (g->nconds == sizeof g->conds / sizeof *g->conds)
			return yaml_error(at->file, n->pos, at->err, "args: more than %zu conditions in one group",
					  sizeof g->conds / sizeof *g->conds);
		if (read_cond(at, n, c) < 0)
			return -1;
		/* OCI runtimes read repeated conditions on one argument as alternatives, and then all of the group's. */
		g->any_of |= (seen & 1u << c->index) != 0;
		seen |= 1u << c->index;
		g->nconds++;
	}
	return 0;
}

/** Whether the list @p node has @p word (NULL: anything at all). */
static int list_has(const struct place *at, const struct node *node, const char *what, const char *word, bool *ret)
{
	bool found = false;

	if (vocabulary_list(at, node, what) < 0)
		return -1;
	for (const struct node *n = node->first; n != NULL; n = n->next) {
		const char *text = "";

		if (vocabulary_string(at, n, what, &text) < 0)
			return -1;
		found |= word == NULL || strcmp(word, text) == 0;
	}
	*ret = found;
	return 0;
}

/** Whether the kernel that glovebox supports is at least "MAJOR.MINOR". */
static int kernel_reached(const struct place *at, const struct node *node, bool *ret)
{
	const char *text = node->kind == NODE_SCALAR ? node->text : "";
	unsigned major, minor;
	int end = -1;

	if (strlen(text) > 16 || sscanf(text, "%u.%u%n", &major, &minor, &end) != 2 || text[end] != '\0')
		return yaml_error(at->file, node->pos, at->err, "minKernel: must be MAJOR.MINOR, such as 4.8");
	*ret = major != POLICY_KERNEL_MAJOR ? major < POLICY_KERNEL_MAJOR : minor <= POLICY_KERNEL_MINOR;
	return 0;
}

/** What an includes or excludes says about a step: which of its conditions are there, and which are met. */
struct filter {
	bool arches, arch_met, caps, kernel, kernel_met;
};

static int read_filter(const struct place *at, const struct node *node, const char *what, const struct arch *arch,
		       struct filter *f)
{
	static const char *const keys[] = { "arches", "caps", "minKernel", NULL };
	const struct node *arches, *caps, *kernel;

	if (node == NULL)
		return 0;
	if (vocabulary_keys(at, node, what, keys) < 0)
		return -1;
	arches = vocabulary_get(node, "arches");
	caps = vocabulary_get(node, "caps");
	kernel = vocabulary_get(node, "minKernel");
	if (arches != NULL && (list_has(at, arches, "arches", NULL, &f->arches) < 0 ||
			       list_has(at, arches, "arches", arch->go_name, &f->arch_met) < 0))
		return -1;
	if (caps != NULL && list_has(at, caps, "caps", NULL, &f->caps) < 0)
		return -1;
	f->kernel = kernel != NULL && !(kernel->kind == NODE_SCALAR && kernel->text[0] == '\0');
	return f->kernel ? kernel_reached(at, kernel, &f->kernel_met) : 0;
}

/** Whether the group is for a step: no capability is ever there. */
static int applies(const struct place *at, const struct node *node, const struct arch *arch, bool *ret)
{
	struct filter in = {0}, out = {0};

	if (read_filter(at, vocabulary_get(node, "includes"), "includes", arch, &in) < 0 ||
	    read_filter(at, vocabulary_get(node, "excludes"), "excludes", arch, &out) < 0)
		return -1;
	*ret = (!in.arches || in.arch_met) && !in.caps && (!in.kernel || in.kernel_met) &&
	       !(out.arches && out.arch_met) && !(out.kernel && out.kernel_met);
	return 0;
}

static int add_rules(const struct place *at, const struct group *g, const struct node *name, int nr, struct policy *policy)
{
	struct policy_rule rule = { .nr = nr, .action = g->action, .pos = name->pos };
	size_t alternatives = g->any_of ? g->nconds : 1;

	if (policy->nrules + alternatives > POLICY_RULES_MAX)
		return yaml_error(at->file, name->pos, at->err, "more than %d rules in one profile", POLICY_RULES_MAX);
	for (size_t i = 0; i < alternatives; i++) {
		rule.nconds = g->any_of ? 1 : (unsigned)g->nconds;
		memcpy(rule.conds, &g->conds[i], rule.nconds * sizeof *g->conds);
		if (policy_add(policy, &rule, at->err) < 0)
			return -1;
	}
	return 0;
}

static int read_name(const struct place *at, const struct group *g, const struct node *node, struct policy *policy)
{
	const char *name = "";
	char near[80], q[QUOTE_SIZE];
	int nr;

	if (vocabulary_string(at, node, "names", &name) < 0)
		return -1;
	nr = vocabulary_syscall(policy->arch, name, near);
	if (nr >= POLICY_NR_MAX)
		return yaml_error(at->file, node->pos, at->err, "%s has number %d; this version of glovebox knows numbers below %d",
				  quote(q, name), nr, POLICY_NR_MAX);
	if (nr >= 0)
		return add_rules(at, g, node, nr, policy);
	if (nr == __NR_SCMP_ERROR && !g->optional)
		return yaml_error(at->file, node->pos, at->err,
				  "%s is not a system call that this libseccomp knows%s; if it is only newer, put it in a group with 'optional: true'",
				  quote(q, name), near);
	return 0;
}

/** The group's names: a list, or the single `name` of older files. */
static int read_names(const struct place *at, const struct node *node, const struct group *g, struct policy *policy)
{
	const struct node *names = vocabulary_get(node, "names"), *name = vocabulary_get(node, "name");

	if ((names == NULL) == (name == NULL))
		return yaml_error(at->file, node->pos, at->err, "syscalls: a group needs names, a list of system calls");
	if (name != NULL)
		return read_name(at, g, name, policy);
	if (vocabulary_list(at, names, "names") < 0)
		return -1;
	if (names->n == 0)
		return yaml_error(at->file, names->pos, at->err, "names: the list is empty");
	for (const struct node *n = names->first; n != NULL; n = n->next)
		if (read_name(at, g, n, policy) < 0)
			return -1;
	return 0;
}

int group_read(const struct place *at, const struct node *node, bool engine, struct policy *policy)
{
	static const char *const keys[] = { "action", "args", "comment", "errno", "errnoRet", "excludes",
					    "includes", "name", "names", "optional", NULL };
	const struct node *action, *comment, *optional;
	struct group g = { .optional = engine };
	const char *text = "";
	bool wanted;

	if (vocabulary_keys(at, node, "syscalls", keys) < 0)
		return -1;
	action = vocabulary_get(node, "action");
	comment = vocabulary_get(node, "comment");
	optional = vocabulary_get(node, "optional");
	if (action == NULL)
		return yaml_error(at->file, node->pos, at->err, "syscalls: a group needs an action");
	if (comment != NULL && vocabulary_string(at, comment, "comment", &text) < 0)
		return -1;
	if (optional != NULL && vocabulary_bool(at, optional, "optional", &g.optional) < 0)
		return -1;
	if (vocabulary_action(at, action, vocabulary_get(node, "errnoRet"), vocabulary_get(node, "errno"), &g.action) < 0 ||
	    read_args(at, vocabulary_get(node, "args"), &g) < 0 || applies(at, node, policy->arch, &wanted) < 0)
		return -1;
	if (!wanted)
		return 0;
	return read_names(at, node, &g, policy);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile says to one call, in words. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "profiles/danger.h"
#include "profiles/refusal.h"
#include "profiles/vocabulary.h"

/** Numbers that have a name, as arguments. */
static const struct { const char *name; uint64_t value; } constants[] = {
	{ "AF_UNIX", 1 }, { "AF_INET", 2 }, { "AF_INET6", 10 }, { "AF_KEY", 15 }, { "AF_NETLINK", 16 }, { "AF_PACKET", 17 },
	{ "AF_BLUETOOTH", 31 }, { "AF_ALG", 38 }, { "AF_VSOCK", 40 }, { "AF_XDP", 44 },
	{ "SOCK_STREAM", 1 }, { "SOCK_DGRAM", 2 }, { "SOCK_RAW", 3 }, { "SOCK_SEQPACKET", 5 }, { "SOCK_CLOEXEC", 02000000 },
	{ "CLONE_NEWTIME", 0x80 }, { "CLONE_NEWNS", 0x20000 }, { "CLONE_NEWCGROUP", 0x2000000 }, { "CLONE_NEWUTS", 0x4000000 },
	{ "CLONE_NEWIPC", 0x8000000 }, { "CLONE_NEWUSER", 0x10000000 }, { "CLONE_NEWPID", 0x20000000 }, { "CLONE_NEWNET", 0x40000000 },
	{ "TCGETS", 0x5401 }, { "TIOCSTI", 0x5412 }, { "TIOCLINUX", 0x541c }, { "FIONREAD", 0x541b }, { "AT_FDCWD", (uint64_t)-100 },
	{ "F_SETLEASE", 1024 }, { "F_NOTIFY", 1026 }, { "PR_SET_MM", 35 }, { "O_CREAT", 0100 }, { "S_ISUID", 04000 }, { "S_ISGID", 02000 },
};

/** What is asked about. */
struct question {
	const struct policy *policy;
	const struct node *root;     /**< of its text, for comments */
	int nr;
	bool given[POLICY_ARGS];     /**< else it may be anything */
	uint64_t args[POLICY_ARGS];
};

/* ---- the question ------------------------------------------------------------------------ */

static bool read_constant(const char *word, size_t n, uint64_t *ret)
{
	char text[32], *end;

	if (n == 0 || n >= sizeof text)
		return false;
	memcpy(text, word, n);
	text[n] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(constants); i++)
		if (strcmp(constants[i].name, text) == 0) {
			*ret = constants[i].value;
			return true;
		}
	errno = 0;
	*ret = text_starts(text, "0o") ? strtoull(text + 2, &end, 8) : strtoull(text, &end, 0);
	return (text[0] >= '0' && text[0] <= '9') && *end == '\0' && errno == 0;
}

/** `A|B|0x10`; "_" is anything. */
static int read_arg(const char *text, bool *ret_given, uint64_t *ret, struct err *err)
{
	uint64_t all = 0, one;
	const char *at = text;

	if (strcmp(text, "_") == 0)
		return 0;
	for (;;) {
		size_t n = strcspn(at, "|");

		if (!read_constant(at, n, &one))
			return err_set(err, ERR_USAGE, 0, "argument '%s': write a number (decimal, 0x or 0o), a name such as AF_VSOCK,"
				       " CLONE_NEWUSER or TIOCSTI, several of them with | between, or _ for any", text);
		all |= one;
		if (at[n] == '\0')
			break;
		at += n + 1;
	}
	*ret_given = true;
	*ret = all;
	return 0;
}

static int read_call(const struct arch *arch, const char *name, int *ret_nr, struct err *err)
{
	char near[80] = "", *end;
	int nr = vocabulary_syscall(arch, name, near);

	if (name[0] >= '0' && name[0] <= '9') {
		unsigned long number = strtoul(name, &end, 10);

		nr = *end != '\0' || number >= POLICY_NR_MAX ? __NR_SCMP_ERROR : (int)number;
	}
	if (nr == __NR_SCMP_ERROR || nr >= POLICY_NR_MAX)
		return err_set(err, ERR_USAGE, 0, "'%s' is not a system call that this libseccomp knows%s", name, near);
	if (nr < 0)
		return err_set(err, ERR_USAGE, 0, "'%s' is not a system call of %s", name, arch->go_name);
	*ret_nr = nr;
	return 0;
}

/* ---- rules in words ------------------------------------------------------------------------ */

static const char *answer_name(uint32_t action)
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		return "allowed";
	case SECCOMP_RET_ERRNO:
		return "refused";
	case SECCOMP_RET_TRAP:
		return "trapped";
	case SECCOMP_RET_LOG:
		return "logged";
	default:
		return "killed";
	}
}

/** Adds how a call is answered. A NULL among the values makes the whole NULL. */
static int add_answer(json_t *to, uint32_t action)
{
	const char *name = strerrorname_np((int)(action & SECCOMP_RET_DATA));

	if (json_object_set_new(to, "answer", json_string(answer_name(action))) < 0)
		return -1;
	if ((action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
		return 0;
	if (json_object_set_new(to, "errno", json_integer(action & SECCOMP_RET_DATA)) < 0)
		return -1;
	return name == NULL ? 0 : json_object_set_new(to, "error", json_string(name));
}

static json_t *describe_cond(const struct policy_cond *c)
{
	static const char *const words[] = {
		[SCMP_CMP_NE] = "is not", [SCMP_CMP_LT] = "is below", [SCMP_CMP_LE] = "is at most", [SCMP_CMP_EQ] = "is",
		[SCMP_CMP_GE] = "is at least", [SCMP_CMP_GT] = "is above",
	};
	auto_buf text = {0};

	if (c->op == SCMP_CMP_MASKED_EQ)
		buf_addf(&text, "argument %u & %#" PRIx64 " is %#" PRIx64, c->index, c->value, c->value_two);
	else
		buf_addf(&text, "argument %u %s %#" PRIx64, c->index, words[c->op], c->value);
	return text.failed ? NULL : json_string(text.data);
}

static json_t *describe_conds(const struct policy_rule *rule)
{
	auto_json all = json_array();

	for (unsigned i = 0; i < rule->nconds; i++)
		if (!policy_cond_always(&rule->conds[i]) && json_array_append_new(all, describe_cond(&rule->conds[i])) < 0)
			return NULL;
	return move_ptr(all);
}

/** Whether one of @p names (a list, or a single one) stands at @p pos. */
static bool stands_in(const struct node *names, struct spec_pos pos)
{
	if (names == NULL)
		return false;
	if (names->kind == NODE_SCALAR)
		return names->pos.line == pos.line && names->pos.col == pos.col;
	for (const struct node *n = names->first; n != NULL; n = n->next)
		if (n->pos.line == pos.line && n->pos.col == pos.col)
			return true;
	return false;
}

/** The comment of the group that the rule stands in, or NULL. */
static const char *comment_of(const struct node *root, const struct policy_rule *rule)
{
	const struct node *groups = vocabulary_get(root, "syscalls");

	for (const struct node *g = groups == NULL ? NULL : groups->first; g != NULL; g = g->next) {
		const struct node *comment = vocabulary_get(g, "comment");

		if (stands_in(vocabulary_get(g, "names"), rule->pos) || stands_in(vocabulary_get(g, "name"), rule->pos))
			return comment == NULL || comment->kind != NODE_SCALAR ? NULL : comment->text;
	}
	return NULL;
}

static json_t *describe_rule(const struct question *q, const struct policy_rule *rule)
{
	const char *comment = comment_of(q->root, rule);
	auto_json one = json_pack("{s:i, s:o}", "line", (int)rule->pos.line, "where", describe_conds(rule));

	if (one == NULL || add_answer(one, rule->action) < 0)
		return NULL;
	if (comment != NULL && comment[0] != '\0' && json_object_set_new(one, "comment", json_string(comment)) < 0)
		return NULL;
	return move_ptr(one);
}

static json_t *describe_default(const struct question *q)
{
	const struct node *at = vocabulary_get(q->root, "defaultAction");
	auto_json one = json_pack("{s:i, s:b, s:[]}", "line", at == NULL ? 1 : (int)at->pos.line, "default", 1, "where");

	return one == NULL || add_answer(one, q->policy->default_action) < 0 ? NULL : move_ptr(one);
}

/* ---- which rules answer ---------------------------------------------------------------------- */

enum holds { HOLDS_NOT, HOLDS_PERHAPS, HOLDS };

static enum holds rule_holds(const struct question *q, const struct policy_rule *rule)
{
	enum holds all = HOLDS;

	for (unsigned i = 0; i < rule->nconds; i++) {
		const struct policy_cond *c = &rule->conds[i];

		if (policy_cond_always(c))
			continue;
		if (!q->given[c->index])
			all = HOLDS_PERHAPS;
		else if (!refusal_holds((int)c->op, c->value, c->value_two, q->args[c->index]))
			return HOLDS_NOT;
	}
	return all;
}

/** Those that can decide, in their order, up to one that does, or to the default. */
static json_t *describe_answers(const struct question *q)
{
	const struct policy *p = q->policy;
	auto_json all = json_array();
	enum holds last = HOLDS_NOT;

	for (size_t i = p->first[q->nr]; i < p->first[q->nr + 1] && last != HOLDS; i++) {
		last = rule_holds(q, &p->rules[i]);
		if (last != HOLDS_NOT && json_array_append_new(all, describe_rule(q, &p->rules[i])) < 0)
			return NULL;
	}
	if (last != HOLDS && json_array_append_new(all, describe_default(q)) < 0)
		return NULL;
	return move_ptr(all);
}

/** What is behind it: what the given arguments open, what the call does whatever they are, or all that some arguments would. */
static json_t *describe_dangers(const struct question *q, const char *name)
{
	const char *of_call = danger_of_call(name), *one = NULL;
	auto_json all = json_array();
	bool any = false;

	for (size_t i = 0; i < POLICY_ARGS; i++)
		any |= q->given[i];
	if (of_call != NULL && json_array_append_new(all, json_string(of_call)) < 0)
		return NULL;
	if (any && (one = danger_of_args(name, q->args)) != NULL && json_array_append_new(all, json_string(one)) < 0)
		return NULL;
	for (size_t i = 0; !any && (one = danger_nth(name, i)) != NULL; i++)
		if (json_array_append_new(all, json_string(one)) < 0)
			return NULL;
	return move_ptr(all);
}

/* ---- the whole ----------------------------------------------------------------------------------- */

/** Answers from one text; @p q has all but policy and root. */
static int ask(const char *file, const char *text, size_t n, struct question *q, json_t **ret, struct err *err)
{
	auto_policy p = {0};
	auto_node root = NULL;

	if (yaml_read(file, text, n, &root, err) < 0 || policy_read(file, root, arch_native(), false, &p, err) < 0 ||
	    (!policy_is_engines(root) && policy_check_reach(&p, file, err) < 0))
		return -1;
	q->policy = &p;
	q->root = root;
	*ret = describe_answers(q);
	return *ret == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "explaining '%s'", file) : 0;
}

static int read_question(const char *call, const char *const *args, size_t nargs, struct question *q, struct err *err)
{
	if (arch_native() == NULL)
		return err_set(err, ERR_HOST, 0, "explaining a profile: glovebox makes filters for x86_64 and aarch64 only");
	if (nargs > POLICY_ARGS)
		return err_set(err, ERR_USAGE, 0, "a system call has no more than %d arguments", POLICY_ARGS);
	if (read_call(arch_native(), call, &q->nr, err) < 0)
		return -1;
	for (size_t i = 0; i < nargs; i++)
		if (read_arg(args[i], &q->given[i], &q->args[i], err) < 0)
			return -1;
	return 0;
}

int profile_explain(const char *file, const char *text, size_t n, const char *call, const char *const *args, size_t nargs,
		    json_t **ret, struct err *err)
{
	const struct profile_builtin *shipped = profile_builtin(file), *floor = profile_floor();
	struct question q = {0};
	auto_json rules = NULL;
	auto_json below = NULL;

	if (read_question(call, args, nargs, &q, err) < 0 || ask(file, text, n, &q, &rules, err) < 0 ||
	    (shipped == NULL && ask(floor->name, floor->text, floor->text_len, &q, &below, err) < 0))
		return -1;
	auto_free char *name = seccomp_syscall_resolve_num_arch(arch_native()->token, q.nr);
	auto_json all = json_pack("{s:s, s:s, s:i, s:O, s:o}", "profile", file, "call", name == NULL ? call : name, "number", q.nr,
				  "rules", rules, "opens", describe_dangers(&q, name == NULL ? call : name));
	if (all == NULL || (below != NULL && json_object_set(all, "floor", below) < 0))
		return err_set(err, ERR_INTERNAL, ENOMEM, "explaining '%s'", file);
	*ret = move_ptr(all);
	return 0;
}

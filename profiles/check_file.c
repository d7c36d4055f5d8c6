/* SPDX-License-Identifier: Apache-2.0 */
/* A profile's text as a whole: whether it can be read, which names it has, what it lets run, what libc makes of its answers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "profiles/check.h"
#include "profiles/profiles.h"
#include "profiles/vocabulary.h"

/** Calls that are new, and what their callers do without: only when they hear ENOSYS. From the sources named. */
static const struct { const char *name; bool needed; const char *fallback; } fallbacks[] = {
	{ "clone3", true, "libc falls back to clone (and no thread or process can be made without)" },
	{ "faccessat2", false, "libc's faccessat() falls back to faccessat" },
	{ "fchmodat2", false, "libc's fchmodat() falls back to a way by /proc" },
	{ "statx", false, "libc's statx() falls back to newfstatat" },
	{ "openat2", false, "its callers (tar, systemd, samba) fall back to openat" },
	{ "preadv2", false, "libc's preadv2() falls back to preadv" },
	{ "pwritev2", false, "libc's pwritev2() falls back to pwritev" },
	{ "execveat", false, "libc's fexecve() falls back to execve by /proc/self/fd" },
};

/** Whether this answer keeps a caller from its fall-back. */
static bool misleads(uint32_t action)
{
	return !policy_allows(action) && action != (SECCOMP_RET_ERRNO | ENOSYS);
}

/** What a call is answered with, in words. */
static void answer_text(uint32_t action, char out[40])
{
	const char *name = strerrorname_np((int)(action & SECCOMP_RET_DATA));

	if ((action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO)
		snprintf(out, 40, "a signal that kills");
	else if (name != NULL)
		snprintf(out, 40, "%s", name);
	else
		snprintf(out, 40, "errno %u", action & SECCOMP_RET_DATA);
}

static int check_fallbacks(struct checker *c)
{
	const uint64_t args[POLICY_ARGS] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(fallbacks); i++) {
		int nr = arch_call_number(c->policy.arch, fallbacks[i].name);
		const struct policy_rule *rule = nr < 0 ? NULL : policy_match(&c->policy, nr, args);
		uint32_t action = rule != NULL ? rule->action : c->policy.default_action;
		char said[40];

		if (nr < 0 || !misleads(action))
			continue;
		answer_text(action, said);
		if (check_tell(c, fallbacks[i].needed ? SEVERITY_CONTRADICTION : SEVERITY_WARNING, rule != NULL ? rule->pos : c->at_default,
			       "%s gets %s%s; %s only when it hears ENOSYS: refuse it with errnoRet: 38", fallbacks[i].name, said,
			       rule != NULL ? "" : ", by the default", fallbacks[i].fallback) < 0)
			return -1;
	}
	return 0;
}

/** Without these no command starts. */
static int check_start(struct checker *c)
{
	static const char *const needed[] = { "execve", "exit_group" };
	const uint64_t args[POLICY_ARGS] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		int nr = arch_call_number(c->policy.arch, needed[i]);
		const struct policy_rule *rule = policy_match(&c->policy, nr, args);

		if (!policy_allows(policy_answer(&c->policy, nr, args)) &&
		    check_tell(c, SEVERITY_ERROR, rule != NULL ? rule->pos : c->at_default, "%s is not allowed: no command can %s", needed[i],
			       i == 0 ? "be started" : "end") < 0)
			return -1;
	}
	return 0;
}

/** What is allowed here and refused by the floor is not allowed. Told where the floor allows nothing of the call. */
static int check_floor(struct checker *c)
{
	const struct profile_builtin *b = profile_floor();
	auto_policy floor = {0};

	if (policy_parse(b->name, b->text, b->text_len, c->policy.arch, &floor, c->err) < 0)
		return -1;
	for (size_t i = 0; i < c->policy.nrules; i++) {
		const struct policy_rule *rule = &c->policy.rules[i];
		bool any = false;

		for (size_t k = floor.first[rule->nr]; k < floor.first[rule->nr + 1]; k++)
			any |= policy_allows(floor.rules[k].action);
		auto_free char *name = seccomp_syscall_resolve_num_arch(c->policy.arch->token, rule->nr);
		if (policy_allows(rule->action) && !any &&
		    check_tell(c, SEVERITY_WARNING, rule->pos, "%s is allowed here, and refused all the same: the floor, which lies below every profile"
			       " that is not a shipped one, has no place for it", name == NULL ? "a call" : name) < 0)
			return -1;
	}
	return 0;
}

/* ---- names, all of them ------------------------------------------------------------------------ */

static bool is_true(const struct node *node)
{
	return node != NULL && node->kind == NODE_SCALAR && strcmp(node->text, "true") == 0;
}

/** @param lenient  names that are not known are skipped when it is loaded. */
static int check_name(struct checker *c, const struct node *node, bool lenient)
{
	char near[80] = "", q[QUOTE_SIZE];

	if (c->full || node->kind != NODE_SCALAR || vocabulary_syscall(arch_native(), node->text, near) != __NR_SCMP_ERROR)
		return 0;
	if (lenient)
		return check_tell(c, SEVERITY_WARNING, node->pos, "%s is not a system call that this libseccomp knows%s; it is skipped",
				  quote(q, node->text), near);
	return check_tell(c, SEVERITY_ERROR, node->pos, "%s is not a system call that this libseccomp knows%s; if it is only newer, put it in a group"
			  " with 'optional: true'", quote(q, node->text), near);
}

static int check_names(struct checker *c, const struct node *root)
{
	const struct node *groups = vocabulary_get(root, "syscalls");

	for (const struct node *g = groups == NULL ? NULL : groups->first; g != NULL; g = g->next) {
		const struct node *names = vocabulary_get(g, "names"), *name = vocabulary_get(g, "name");
		bool lenient = c->engine || is_true(vocabulary_get(g, "optional"));

		if (name != NULL && check_name(c, name, lenient) < 0)
			return -1;
		for (const struct node *n = names == NULL ? NULL : names->first; n != NULL; n = n->next)
			if (check_name(c, n, lenient) < 0)
				return -1;
	}
	return 0;
}

/* ---- the whole --------------------------------------------------------------------------------------- */

/** An error of reading, "FILE:LINE:COL: message", as a finding. */
static int tell_unreadable(struct checker *c, const struct err *why)
{
	struct spec_pos pos = { 1, 1 };
	const char *message = why->msg;
	size_t n = strlen(c->file);
	int used = 0;

	if (why->kind != ERR_USAGE) {
		*c->err = *why;
		return -1;
	}
	if (strncmp(message, c->file, n) == 0 && sscanf(message + n, ":%u:%u: %n", &pos.line, &pos.col, &used) == 2 && used > 0)
		message += n + (size_t)used;
	return check_tell(c, SEVERITY_ERROR, pos, "%s", message);
}

static bool has_error(const struct checker *c)
{
	json_t *one;
	size_t i;

	json_array_foreach(c->findings, i, one)
		if (strcmp(json_str(one, "severity"), "error") == 0)
			return true;
	return false;
}

/** What only compiling finds: a program that is too long. */
static int check_compiles(struct checker *c, const char *text, size_t n)
{
	auto_profile_program program = {0};
	struct err why = {0};

	return profile_compile(c->file, text, n, &program, &why) < 0 ? tell_unreadable(c, &why) : 0;
}

static int look(struct checker *c, const char *text, size_t n)
{
	struct err why = {0};
	auto_node root = NULL;
	const struct node *action;

	if (n > PROFILE_TEXT_MAX)
		return check_tell(c, SEVERITY_ERROR, (struct spec_pos){ 1, 1 }, "the profile has %zu bytes; the limit is %u", n, PROFILE_TEXT_MAX);
	if (yaml_read(c->file, text, n, &root, &why) < 0)
		return tell_unreadable(c, &why);
	c->engine = policy_is_engines(root);
	action = vocabulary_get(root, "defaultAction");
	c->at_default = action == NULL ? root->pos : action->pos;
	if (check_names(c, root) < 0)
		return -1;
	if (policy_read(c->file, root, arch_native(), true, &c->policy, &why) < 0)
		return tell_unreadable(c, &why);
	if (check_rules(c) < 0 || check_start(c) < 0 || check_fallbacks(c) < 0 || check_floor(c) < 0)
		return -1;
	return has_error(c) ? 0 : check_compiles(c, text, n);
}

/** In the order of lines; those of one line as they were found. */
static int sort(const json_t *found, json_t *to)
{
	json_int_t line = 0, next;

	for (;; line = next) {
		size_t i;
		json_t *one;

		next = INT32_MAX;
		json_array_foreach(found, i, one) {
			json_int_t at = json_integer_value(json_object_get(one, "line"));

			if (at == line && json_array_append(to, one) < 0)
				return -1;
			if (at > line && at < next)
				next = at;
		}
		if (next == INT32_MAX)
			return 0;
	}
}

int profile_check(const char *file, const char *text, size_t n, json_t **ret, struct err *err)
{
	auto_free char *name = NULL;
	auto_json found = json_array();
	auto_json sorted = json_array();
	struct checker c = { .file = file, .findings = found, .name_of_call = &name, .err = err };

	if (arch_native() == NULL)
		return err_set(err, ERR_HOST, 0, "checking a profile: glovebox makes filters for x86_64 and aarch64 only");
	if (found == NULL || sorted == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "checking '%s'", file);
	int result = look(&c, text, n);
	policy_clear(&c.policy);
	if (result < 0)
		return -1;
	if (sort(found, sorted) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "checking '%s'", file);
	*ret = move_ptr(sorted);
	return 0;
}

bool profile_found_error(const json_t *findings)
{
	size_t i;
	json_t *one;

	json_array_foreach(findings, i, one)
		if (strcmp(json_str(one, "severity"), "error") == 0)
			return true;
	return false;
}

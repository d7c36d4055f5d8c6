/* SPDX-License-Identifier: Apache-2.0 */
/* What was seen, as a profile. Rules stay in the order that they have in the ceiling: those that allowed something, narrowed down to
 * what was seen; and of those that refuse, what was met, and what stands before an allowing rule and could overlap it. Nothing
 * that comes from the command (names of programs) is written but as printable ASCII within quotes. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/own.h"
#include "profiles/danger.h"
#include "profiles/learn.h"
#include "profiles/vocabulary.h"

/** Conditions of one group that are alternatives: what group.c reads. */
#define ALTERNATIVES_MAX (POLICY_ARGS * 8)
/** Most bytes of a command line, and of a program's name, that are shown. */
#define COMMAND_MAX 200
#define WHO_MAX 160

struct writer {
	const struct profile_learner *l;
	struct buf *out;
};

/** Conditions that hold together. */
struct conds {
	struct policy_cond c[POLICY_ARGS];
	unsigned n;
};

static uint32_t kind_of(uint32_t action)
{
	return action & SECCOMP_RET_ACTION_FULL;
}

static bool is_enosys(uint32_t action)
{
	return action == (SECCOMP_RET_ERRNO | ENOSYS);
}

static const struct seen *seen_of(const struct writer *w, const struct policy_rule *rule)
{
	return &w->l->rules[rule - w->l->ceiling.rules];
}

/* ---- words ------------------------------------------------------------------------------ */

/** As part of a comment or of a quoted scalar. */
static void add_plain(struct buf *out, const char *s, size_t max)
{
	for (size_t i = 0; s[i] != '\0' && i < max; i++)
		buf_addc(out, s[i] >= ' ' && s[i] <= '~' && s[i] != '"' && s[i] != '\\' ? s[i] : '?');
	if (strlen(s) > max)
		buf_adds(out, "...");
}

static void add_times(struct buf *out, uint64_t count, const char *who)
{
	if (count == 1)
		buf_adds(out, "once, by ");
	else
		buf_addf(out, "%" PRIu64 " times, first by ", count);
	add_plain(out, who == NULL ? "a program that has no name any more" : who, WHO_MAX);
}

/** What was refused would open this; "" where that is not known here. */
static const char *opens(const char *name, const uint64_t args[POLICY_ARGS])
{
	const char *text = danger_of_args(name, args);

	if (text == NULL)
		text = danger_of_call(name);
	return text;
}

static void add_condition(struct buf *out, const struct policy_cond *c)
{
	buf_addf(out, "{index: %u, value: %#" PRIx64, c->index, c->value);
	if (c->op == SCMP_CMP_MASKED_EQ)
		buf_addf(out, ", valueTwo: %#" PRIx64, c->value_two);
	buf_addf(out, ", op: %s}", vocabulary_compare_name(c->op));
}

/** A group up to its comment's first quote. Its conditions are alternatives when one argument is in several. */
static void begin_group(const struct writer *w, int nr, uint32_t action, const struct policy_cond *conds, size_t n)
{
	char name[LEARN_NAME_SIZE];

	buf_addf(w->out, "- names: [%s]\n", learn_name(w->l->ceiling.arch, nr, name));
	if (kind_of(action) == SECCOMP_RET_ALLOW)
		buf_adds(w->out, "  action: SCMP_ACT_ALLOW\n");
	else
		buf_addf(w->out, "  action: SCMP_ACT_ERRNO\n  errnoRet: %u\n",
			 kind_of(action) == SECCOMP_RET_ERRNO ? action & SECCOMP_RET_DATA : EPERM);
	for (size_t i = 0; i < n; i++) {
		buf_adds(w->out, i == 0 ? "  args:\n  - " : "  - ");
		add_condition(w->out, &conds[i]);
		buf_addc(w->out, '\n');
	}
	buf_adds(w->out, "  comment: \"");
}

static void end_group(const struct writer *w)
{
	buf_adds(w->out, "\"\n");
}

/* ---- conditions -------------------------------------------------------------------------- */

/** Those of the rule that say something. */
static struct conds own_conds(const struct policy_rule *rule)
{
	struct conds all = {0};

	for (unsigned i = 0; i < rule->nconds; i++)
		if (!policy_cond_always(&rule->conds[i]))
			all.c[all.n++] = rule->conds[i];
	return all;
}

/** Puts `(argument & mask) == v` in the place of what it implies. Where the rule asks about more bits of that argument, its own condition
 *  stays: only alternatives can name an argument twice. */
static void narrow(struct conds *all, const struct select *by, uint32_t v)
{
	const struct policy_cond exact = { by->index, SCMP_CMP_MASKED_EQ, by->mask, v };

	if (by->mask == 0)
		return;
	for (unsigned i = 0; i < all->n; i++) {
		struct policy_cond *c = &all->c[i];

		if (c->index != by->index)
			continue;
		if (c->op == SCMP_CMP_MASKED_EQ && (c->value & ~(uint64_t)by->mask) == 0)
			*c = exact;
		return;
	}
	all->c[all->n++] = exact;
}

static struct conds chosen_conds(const struct writer *w, const struct policy_rule *rule, const struct choice *choice)
{
	const struct narrowing *by = w->l->narrow[rule->nr];
	struct conds all = own_conds(rule);

	for (size_t i = 0; by != NULL && i < LEARN_SELECT_MAX; i++)
		narrow(&all, &by->by[i], choice->v[i]);
	return all;
}

static bool narrowed(const struct writer *w, const struct policy_rule *rule)
{
	return w->l->narrow[rule->nr] != NULL && !seen_of(w, rule)->many;
}

/** Whether some bit of an argument must be different in the two. */
static bool are_apart(const struct policy_rule *rule, const struct conds *other)
{
	for (unsigned i = 0; i < rule->nconds; i++)
		for (unsigned k = 0; k < other->n; k++) {
			const struct policy_cond *a = &rule->conds[i], *b = &other->c[k];

			if (a->index == b->index && a->op == SCMP_CMP_MASKED_EQ && b->op == SCMP_CMP_MASKED_EQ &&
			    ((a->value_two ^ b->value_two) & a->value & b->value) != 0)
				return true;
		}
	return false;
}

/** Whether what refuses, @p rule, could hold for something that @p allowed lets through as it will be written. */
static bool guards(const struct writer *w, const struct policy_rule *rule, const struct policy_rule *allowed)
{
	const struct seen *seen = seen_of(w, allowed);
	struct conds all;

	if (!narrowed(w, allowed)) {
		all = own_conds(allowed);
		return !are_apart(rule, &all);
	}
	for (size_t i = 0; i < seen->nchoices; i++) {
		all = chosen_conds(w, allowed, &seen->choices[i]);
		if (!are_apart(rule, &all))
			return true;
	}
	return false;
}

/* ---- the rules of one call --------------------------------------------------------------------- */

struct call {
	int nr;
	const struct policy_rule *rules, *end;
	bool allowed;   /**< a rule that allows was seen */
};

static void write_allowed(const struct writer *w, const struct policy_rule *rule)
{
	const struct seen *seen = seen_of(w, rule);
	struct conds all = own_conds(rule);

	if (!narrowed(w, rule)) {
		begin_group(w, rule->nr, rule->action, all.c, all.n);
		add_times(w->out, seen->count, seen->who != NULL || seen->nchoices == 0 ? seen->who : seen->choices[0].who);
		end_group(w);
		return;
	}
	for (size_t i = 0; i < seen->nchoices; i++) {
		all = chosen_conds(w, rule, &seen->choices[i]);
		begin_group(w, rule->nr, rule->action, all.c, all.n);
		add_times(w->out, seen->choices[i].count, seen->choices[i].who);
		end_group(w);
	}
}

static bool is_guard(const struct writer *w, const struct call *call, const struct policy_rule *rule)
{
	if (policy_allows(rule->action) || !call->allowed)
		return false;
	for (const struct policy_rule *r = rule + 1; r < call->end; r++)
		if (policy_allows(r->action) && seen_of(w, r)->count > 0 && guards(w, rule, r))
			return true;
	/* What such a call hears that is not allowed: a library may go by it. */
	return policy_rule_always(rule) && !is_enosys(rule->action);
}

/** Writes a rule that refuses, and those after it that are of its kind: alternatives of one group. @return the last of them. */
static const struct policy_rule *write_guards(const struct writer *w, const struct call *call, const struct policy_rule *rule)
{
	struct policy_cond conds[ALTERNATIVES_MAX];
	const struct policy_rule *last = rule;
	size_t n = 0;

	for (unsigned i = 0; i < rule->nconds; i++)
		conds[n++] = rule->conds[i];
	while (rule->nconds == 1 && n < ALTERNATIVES_MAX && last + 1 < call->end && last[1].nconds == 1 &&
	       last[1].action == rule->action && last[1].conds[0].index == rule->conds[0].index && is_guard(w, call, last + 1))
		conds[n++] = (++last)->conds[0];
	begin_group(w, rule->nr, rule->action, conds, policy_rule_always(rule) ? 0 : n);
	buf_addf(w->out, "as in the profile %s, line %u", w->l->name, rule->pos.line);
	end_group(w);
	return last;
}

/** What was refused by a rule gets the same answer again. */
static void write_refused(const struct writer *w, const struct policy_rule *rule)
{
	const struct seen *seen = seen_of(w, rule);
	struct conds all = own_conds(rule);

	begin_group(w, rule->nr, rule->action, all.c, all.n);
	buf_adds(w->out, "refused ");
	add_times(w->out, seen->count, seen->who != NULL || seen->nchoices == 0 ? seen->who : seen->choices[0].who);
	end_group(w);
}

/** What is narrowed down says the kernel's own "unknown" to the rest, where nothing else was to be said. */
static void write_rest(const struct writer *w, const struct call *call)
{
	const struct narrowing *by = w->l->narrow[call->nr];
	const struct policy_rule *last = call->end - 1;

	if (by == NULL || !policy_allows(last->action) || !policy_rule_always(last) || !narrowed(w, last))
		return;
	begin_group(w, call->nr, SECCOMP_RET_ERRNO | by->sys, NULL, 0);
	buf_adds(w->out, "any other: was not seen");
	end_group(w);
}

static void write_call(const struct writer *w, const struct call *call)
{
	for (const struct policy_rule *r = call->rules; r < call->end; r++) {
		bool was_seen = seen_of(w, r)->count > 0;

		if (policy_allows(r->action)) {
			if (was_seen)
				write_allowed(w, r);
		} else if (was_seen && !is_enosys(r->action) && kind_of(r->action) == SECCOMP_RET_ERRNO) {
			write_refused(w, r);
		} else if (is_guard(w, call, r)) {
			r = write_guards(w, call, r);
		}
	}
	if (call->allowed)
		write_rest(w, call);
}

static struct call find_call(const struct writer *w, int nr)
{
	const struct policy *p = &w->l->ceiling;
	struct call call = { .nr = nr, .rules = p->rules + p->first[nr], .end = p->rules + p->first[nr + 1] };

	for (const struct policy_rule *r = call.rules; r < call.end; r++)
		call.allowed |= policy_allows(r->action) && seen_of(w, r)->count > 0;
	return call;
}

/* ---- what chance decides ------------------------------------------------------------------------ */

/** Calls that come or stay away between two runs of one command. */
static const struct { const char *name, *with, *why; } companions[] = {
	{ "execve", NULL, "always: the sandbox starts the command by it" },
	{ "exit_group", NULL, "always: the command ends by it" },
	{ "restart_syscall", NULL, "not seen; the kernel itself makes it after an interruption" },
	{ "clock_gettime", NULL, "not seen; answered without the kernel on most hosts (vDSO), by this call on others" },
	{ "getcpu", NULL, "not seen; answered without the kernel on most hosts (vDSO), by this call on others" },
	{ "gettimeofday", NULL, "not seen; answered without the kernel on most hosts (vDSO), by this call on others" },
	{ "time", NULL, "not seen; answered without the kernel on most hosts (vDSO), by this call on others" },
	{ "rt_sigreturn", "rt_sigaction", "not seen; how the handler of a signal ends" },
	{ "exit", "clone", "not seen; how a thread ends" },
	{ "futex", "clone", "not seen; threads that meet at a lock wait by it" },
	{ "sched_yield", "futex", "not seen; threads that meet at a lock may wait by it" },
};

static void write_companions(const struct writer *w)
{
	for (size_t i = 0; i < ARRAY_LEN(companions); i++) {
		const struct arch *arch = w->l->ceiling.arch;
		int nr = arch_call_number(arch, companions[i].name);
		int with = companions[i].with == NULL ? -1 : arch_call_number(arch, companions[i].with);
		struct call call;

		if (nr < 0 || (companions[i].with != NULL && (with < 0 || !find_call(w, with).allowed)))
			continue;
		call = find_call(w, nr);
		if (call.allowed || call.rules == call.end || !policy_allows(call.rules->action) || !policy_rule_always(call.rules))
			continue;
		begin_group(w, nr, call.rules->action, NULL, 0);
		buf_adds(w->out, companions[i].why);
		end_group(w);
	}
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static void tell_refused(const struct writer *w, int nr, const struct seen *seen, bool named)
{
	char name[LEARN_NAME_SIZE];
	const char *would = opens(learn_name(w->l->ceiling.arch, nr, name), seen->args);

	if (seen->count == 0)
		return;
	buf_addf(w->out, "#   %s (", name);
	add_times(w->out, seen->count, seen->who != NULL || seen->nchoices == 0 ? seen->who : seen->choices[0].who);
	if (would != NULL)
		buf_addf(w->out, "): it would open %s\n", would);
	else
		buf_addf(w->out, named ? "): the profile %s refuses it\n" : "): the profile %s does not know it\n", w->l->name);
}

static void tell_all_refused(const struct writer *w)
{
	const struct policy *p = &w->l->ceiling;
	size_t before = w->out->len;

	buf_adds(w->out, "# Refused while it ran, and refused by this profile too:\n");
	size_t nothing = w->out->len;
	for (int nr = 0; nr < POLICY_NR_MAX; nr++) {
		for (size_t i = p->first[nr]; i < p->first[nr + 1]; i++)
			if (!policy_allows(p->rules[i].action))
				tell_refused(w, nr, &w->l->rules[i], true);
		tell_refused(w, nr, &w->l->unnamed[nr], false);
	}
	if (w->l->beyond.count > 0)
		buf_addf(w->out, "#   numbers that no call has (%" PRIu64 " times)\n", w->l->beyond.count);
	if (w->out->len == nothing) {
		buf_seal(w->out, before);
		buf_adds(w->out, "# Nothing was refused.\n");
	}
}

static unsigned kinds_of(const struct writer *w)
{
	unsigned n = 0;

	for (int nr = 0; nr < POLICY_NR_MAX; nr++)
		n += find_call(w, nr).allowed;
	return n;
}

static void write_head(const struct writer *w, const char *command)
{
	buf_adds(w->out, "# Learnt by glovebox " GB_VERSION " of the command: ");
	add_plain(w->out, command, COMMAND_MAX);
	buf_addf(w->out, "\n# which ran under the profile %s and made %" PRIu64 " calls; %u kinds of them were allowed. Whatever was not seen"
		 " is not\n# there (ENOSYS), but where a comment says otherwise. The floor of glovebox-profile(5) lies below this.\n#\n",
		 w->l->name, w->l->calls, kinds_of(w));
	tell_all_refused(w);
	buf_addf(w->out, "defaultAction: SCMP_ACT_ERRNO\ndefaultErrnoRet: %d\narchitectures: [%s]\nsyscalls:\n", ENOSYS,
		 w->l->ceiling.arch->oci_name);
}

/** What is handed out can be read back, says what it is to say, and allows nothing that its ceiling does not. */
static int prove(const struct profile_learner *l, const char *text, size_t n, struct err *err)
{
	auto_policy p = {0};
	auto_profile_program program = {0};

	if (profile_compile("the learnt profile", text, n, &program, err) < 0 ||
	    policy_parse("the learnt profile", text, n, l->ceiling.arch, &p, err) < 0) {
		err->kind = ERR_INTERNAL;
		return err_ctx(err, "reading it back");
	}
	return policy_within(&p, &l->ceiling, "the learnt profile", err);
}

int profile_learner_write(const struct profile_learner *l, const char *command, struct buf *out, struct err *err)
{
	auto_buf text = {0};
	const struct writer w = { l, &text };

	write_head(&w, command);
	for (int nr = 0; nr < POLICY_NR_MAX; nr++) {
		const struct call call = find_call(&w, nr);

		write_call(&w, &call);
	}
	write_companions(&w);
	if (buf_check(&text, "the learnt profile", err) < 0 || prove(l, text.data, text.len, err) < 0)
		return -1;
	buf_add(out, text.data, text.len);
	return buf_check(out, "the learnt profile", err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/shell.h"

#include <errno.h>
#include <string.h>

#include "runner/exec.h"
#include "runner/limit.h"
#include "runner/work.h"

/** bash where the rootfs has it. */
static const char *const default_argv[] = {
	"/bin/sh", "-c", "[ ! -x /bin/bash ] || exec /bin/bash; exec /bin/sh -i", NULL,
};

/** One visit. */
struct visit {
	const struct plan *plan;
	const struct shell_options *opt;
	const struct spec_step *step;
	struct work work;
	struct step_outcome built; /**< of the build, where a test is visited */
};

static int find_step(struct visit *v, struct err *err)
{
	const struct spec *spec = v->plan->spec;
	auto_free const char **names = calloc(spec->ntests + 2, sizeof *names);

	if (names == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "find a step");
	for (size_t i = 0; i <= spec->ntests; i++) {
		const struct spec_step *step = i == 0 ? &spec->build : &spec->tests[i - 1];

		names[i] = step->name;
		if (strcmp(step->name, v->opt->step) == 0)
			v->step = step;
	}
	if (v->step != NULL)
		return 0;
	auto_buf all = {0};
	text_words(&all, names, "and");
	const char *near = text_did_you_mean(v->opt->step, names);
	return err_set(err, ERR_USAGE, 0, "%s: no step '%s'%s%s%s; it has %s", spec->file, v->opt->step, near == NULL ? "" : " (did you mean '",
		       near == NULL ? "" : near, near == NULL ? "" : "'?)", all.data == NULL ? "" : all.data);
}

static void tell(const struct visit *v, enum run_event_type type, const char *text)
{
	if (v->opt->event != NULL && text != NULL)
		v->opt->event(v->opt->event_arg, &(struct run_event){ .type = type, .step = v->step->name, .text = text });
}

static int run_step(struct visit *v, const struct spec_step *step, struct step_outcome *ret, struct err *err)
{
	if (work_check_cancel(v->work.cancel_fd, err) < 0 || work_step(&v->work, step, ret, err) < 0)
		return -1;
	if (ret->result.end == SANDBOX_CANCELLED)
		return err_set(err, ERR_INTERRUPTED, 0, "step '%s' was interrupted", step->name);
	return 0;
}

/** Lays out what the step begins with, which for a test is what the build leaves. */
static int begin(struct visit *v, struct store *store, struct err *err)
{
	const struct spec_step *build = &v->plan->spec->build;

	v->built.result.view_fd = -1;
	v->work = (struct work){ .store = store, .plan = v->plan, .grace_ms = v->opt->grace_ms, .cancel_fd = v->opt->cancel_fd };
	tell(v, RUN_PHASE, "lay out rootfs and sources");
	if (work_begin(&v->work, err) < 0)
		return -1;
	if (v->step == build)
		return 0;
	tell(v, RUN_PHASE, "run the build, whose output the test begins with");
	if (run_step(v, build, &v->built, err) < 0)
		return -1;
	if (!v->built.ok)
		return err_set(err, ERR_STEP, 0, "step '%s' failed: %s; enter that one: glovebox shell --failed %s %s", build->name,
			       v->built.how, v->plan->spec->file, build->name);
	return 0;
}

/** --failed. @p ret: whether it has. */
static int run_first(struct visit *v, bool *ret, struct err *err)
{
	auto_step_outcome o = { .result.view_fd = -1 };
	auto_buf text = {0};

	tell(v, RUN_PHASE, "run the step");
	if (run_step(v, v->step, &o, err) < 0)
		return -1;
	*ret = !o.ok;
	buf_addf(&text, "step %s: %s", v->step->name, o.how);
	tell(v, RUN_PHASE, text.data);
	return 0;
}

/** As a shell would be told: what the step runs. */
static void add_command(struct buf *out, const struct spec_command *command)
{
	if (command->shell != NULL) {
		text_printable(out, command->shell, strlen(command->shell));
		return;
	}
	for (size_t i = 0; i < command->argv.n; i++) {
		buf_addc(out, i == 0 ? '[' : ' ');
		text_printable(out, command->argv.v[i], strlen(command->argv.v[i]));
	}
	buf_addc(out, ']');
}

static void tell_where(const struct visit *v, bool after)
{
	const struct spec *spec = v->plan->spec;
	const char *kept = v->plan->sources[work_build_source(v->plan)].mount;
	auto_buf writable = {0};
	auto_buf outputs = {0};
	auto_buf command = {0};

	buf_adds(&writable, "writable:");
	work_writable(&v->work, v->step, &writable);
	buf_addf(&writable, "; all else is read-only%s", after ? "; it is as the failed step left it" : "");
	tell(v, RUN_NOTE, writable.data);
	if (v->step == &spec->build)
		buf_addf(&outputs, "outputs: in a run, what is left in %s is the output; of this visit nothing is kept", kept);
	else
		buf_addf(&outputs, "outputs: none, a test has its own copy of %s; of this visit nothing is kept", kept);
	tell(v, RUN_NOTE, outputs.data);
	buf_adds(&command, "the step's command: ");
	add_command(&command, &v->step->command);
	tell(v, RUN_NOTE, command.data);
}

/** The step's environment; with a terminal what that needs, too. Borrows from @p own; free() the array. */
static const char **environment(const struct visit *v, char *const *own, struct buf *term, struct buf *prompt)
{
	size_t n = 0, at = 0;

	while (own[n] != NULL)
		n++;
	const char **env = calloc(n + 3, sizeof *env);
	if (env == NULL)
		return NULL;
	for (; at < n; at++)
		env[at] = own[at];
	if (v->opt->terminal == NULL)
		return env;
	buf_addf(term, "TERM=%s", v->opt->term == NULL ? "dumb" : v->opt->term);
	buf_addf(prompt, "PS1=(glovebox %s) $PWD \\$ ", v->step->name);
	env[at++] = term->data;
	env[at++] = prompt->data;
	return env;
}

static int enter(struct visit *v, bool after, struct shell_report *ret, struct err *err)
{
	auto_sandbox_result result = { .view_fd = -1 };
	auto_buf term = {0};
	auto_buf prompt = {0};
	char **own = NULL;

	tell_where(v, after);
	if (plan_env(v->plan->spec, &own, err) < 0)
		return -1;
	auto_free const char **env = environment(v, own, &term, &prompt);
	const struct work_visit visit = {
		.argv = v->opt->argv == NULL ? default_argv : v->opt->argv, .env = env, .terminal = v->opt->terminal, .relay = v->opt->relay,
		.after = after,
	};
	int done = env == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "build an environment")
		 : v->opt->ready != NULL && v->opt->ready(v->opt->arg, err) < 0 ? -1
		 : work_visit(&v->work, v->step, &visit, &result, err);
	plan_env_free(own);
	if (done < 0)
		return err_ctx(err, "step '%s'", v->step->name);
	if (result.end == SANDBOX_CANCELLED)
		return err_set(err, ERR_INTERRUPTED, 0, "the visit to step '%s' was interrupted", v->step->name);
	if (result.end == SANDBOX_NOT_FOUND)
		return err_set(err, ERR_USAGE, 0, "step '%s': the rootfs has no '%s'%s", v->step->name, visit.argv[0],
			       v->opt->argv == NULL ? "; name what it has after --" : "");
	*ret = (struct shell_report){ .entered = true, .exit_code = exec_exit_code(&result) };
	return 0;
}

static int visit_step(struct visit *v, struct store *store, struct shell_report *ret, struct err *err)
{
	bool failed = false;

	if (begin(v, store, err) < 0 || (v->opt->failed && run_first(v, &failed, err) < 0))
		return -1;
	if (v->opt->failed && !failed) {
		*ret = (struct shell_report){ .entered = false };
		return 0;
	}
	return enter(v, failed, ret, err);
}

int shell_enter(struct store *store, const struct plan *plan, const struct shell_options *opt, struct shell_report *ret, struct err *err)
{
	struct visit v = { .plan = plan, .opt = opt };

	if (find_step(&v, err) < 0)
		return -1;
	const struct sandbox_limits limits = limit_of_step(plan->spec, v.step, opt->grace_ms);
	if (sandbox_check_limits(&limits, err) < 0)
		return err_ctx(err, "step '%s'", v.step->name);
	int result = visit_step(&v, store, ret, err);
	step_outcome_clear(&v.built);
	work_end(&v.work);
	return result;
}

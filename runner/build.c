/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/build.h"

#include <errno.h>
#include <string.h>

void build_clear(struct build *b)
{
	size_t ntests = b->work.plan == NULL ? 0 : b->work.plan->spec->ntests;

	step_outcome_clear(&b->outcome);
	harvest_clear(&b->left.output);
	for (size_t i = 0; b->tests != NULL && i < ntests; i++)
		cache_answer_clear(&b->tests[i]);
	free(b->tests);
	cache_image_clear(&b->image);
	if (b->work.store != NULL)
		work_end(&b->work);
	*b = (struct build){0};
}

/* ---- running ---------------------------------------------------------------- */

static int tell_started(struct report *report, const struct spec_step *step, struct err *err)
{
	return report == NULL ? 0 : report_event(report, &(struct run_event){ .type = RUN_STEP_STARTED, .step = step->name }, err);
}

/** Lays out what steps find, unless that is done: with every step taken from the cache there is no need. */
static int make_ready(struct build *b, struct report *report, bool for_test, struct err *err)
{
	if (b->work.begun)
		return 0;
	if (report != NULL && report_phase(report, "lay out rootfs and sources", err) < 0)
		return -1;
	if (work_begin(&b->work, err) < 0)
		return -1;
	if (!for_test)
		return 0;
	return work_use(&b->work, &b->left.output.tree, &b->left.upper, err) < 0 ? -1 : work_restore(&b->work, &b->left.upper, err);
}

static void note_answer(struct step_outcome *o, const struct cache_answer *a, enum step_origin origin)
{
	o->origin = a->key == NULL ? STEP_UNCACHED : origin;
	o->have_key = a->key != NULL;
	o->key = a->digest;
	snprintf(o->why, sizeof o->why, "%s", a->why);
}

/** A test that did not leave what it had to has failed, however it ended. */
static void fail_test(struct step_outcome *o, const char *why)
{
	size_t n = strlen(o->how);

	if (o->ok)
		snprintf(o->how + n, sizeof o->how - n, ", but %.200s", why);
	o->ok = false;
}

/** Finds and reads the reports of a test that has run. */
static int take_reports(struct build *b, struct step_outcome *o, struct err *err)
{
	const struct spec_step *step = o->step;
	struct err why = {0};
	auto_fd fd = -1;

	if (step->junit == NULL || o->result.end == SANDBOX_CANCELLED)
		return 0;
	if (work_written(&b->work, step, &fd, &why) < 0 ||
	    (fd >= 0 && reports_find(b->work.store, fd, step->junit, &o->reports, &why) < 0)) {
		if (why.kind == ERR_STEP) {
			fail_test(o, why.msg);
			return 0;
		}
		*err = why;
		return -1;
	}
	if (!o->reports.any && step->junit_pos.line != 0)
		fail_test(o, "it left no report as spec.tests[].reports.junit has it");
	return reports_read(b->work.store, &o->reports, err);
}

/** Runs one step and reports it. */
static int run_step(struct build *b, struct report *report, const struct spec_step *step, const struct cache_answer *a,
		    struct step_outcome *ret, struct err *err)
{
	if (make_ready(b, report, step != &b->work.plan->spec->build, err) < 0 || tell_started(report, step, err) < 0)
		return -1;
	if (work_check_cancel(b->work.cancel_fd, err) < 0 || work_step(&b->work, step, ret, err) < 0 ||
	    take_reports(b, ret, err) < 0)
		return -1;
	note_answer(ret, a, STEP_MISSED);
	if (report != NULL && report_step(report, ret, err) < 0)
		return -1;
	if (ret->result.end == SANDBOX_CANCELLED)
		return err_set(err, ERR_INTERRUPTED, 0, "step '%s' was interrupted", step->name);
	return 0;
}

/** Fills in and reports a step that need not run. */
static int take_step(struct build *b, struct report *report, const struct spec_step *step, const struct cache_answer *a,
		     struct step_outcome *ret, struct err *err)
{
	if (work_check_cancel(b->work.cancel_fd, err) < 0 || cache_adopt(a, step, ret, err) < 0 ||
	    reports_read(b->work.store, &ret->reports, err) < 0)
		return -1;
	note_answer(ret, a, STEP_HIT);
	cache_note_latest(b->work.store, b->work.plan, a, step);
	return report == NULL ? 0 : report_step(report, ret, err);
}

/** A result that could not be recorded costs time later, and nothing else: the run goes on. */
static int tell_unrecorded(struct report *report, const char *step, const struct err *why, struct err *err)
{
	auto_buf text = {0};

	if (report == NULL)
		return 0;
	buf_addf(&text, "the result of step '%s' is not kept for later runs: %s", step, why->msg);
	return buf_check(&text, "note", err) < 0 ? -1 : report_note(report, step, text.data, err);
}

/* ---- the build ---------------------------------------------------------------- */

/** Tells what of it was not kept: promised, not to be looked for in vain. */
static int tell_lost(const struct build *b, struct report *report, const char *step, struct err *err)
{
	auto_buf text = {0};

	if (report == NULL || b->left.output.odd + b->left.output.setid == 0)
		return 0;
	buf_addf(&text, "output of step '%s': ", step);
	harvest_text(&text, &b->left.output);
	if (buf_check(&text, "note", err) < 0)
		return -1;
	return report_note(report, step, text.data, err);
}

/** Whether what the build left could not be read for the step's doing: it is too odd, or closed. A disk that fails is not. */
static bool is_steps_doing(const struct err *err)
{
	return err->kind == ERR_INPUT && (err->sys == 0 || err->sys == EACCES || err->sys == EPERM || err->sys == ENAMETOOLONG);
}

/** Reads back what the build left, through the view of its overlay. */
static int take_output(struct build *b, const struct plan *plan, struct err *err)
{
	if (harvest(b->work.store, b->outcome.result.view_fd, &b->left.output, err) < 0) {
		/* Neither is a missing input of the run's. */
		if (err->kind == ERR_INPUT)
			err->kind = is_steps_doing(err) ? ERR_STEP : ERR_INTERNAL;
		return err_ctx(err, "collect what step '%s' left", plan->spec->build.name);
	}
	b->have_output = true;
	/* The tests' overlays use what this view shows as their lower layer. */
	own_fd(&b->outcome.result.view_fd);
	b->outcome.result.view_fd = -1;
	return 0;
}

/** Runs the build, and records it. */
static int run_build(struct build *b, const struct build_conf *conf, const struct cache_answer *a, struct err *err)
{
	const struct spec_step *step = &conf->plan->spec->build;
	struct err why = {0};

	if (run_step(b, conf->report, step, a, &b->outcome, err) < 0)
		return -1;
	if (!b->outcome.ok)
		return 0;
	if (conf->report != NULL && report_phase(conf->report, "collect the output", err) < 0)
		return -1;
	if (take_output(b, conf->plan, err) < 0)
		return -1;
	if (b->use == CACHE_NONE)
		return work_use(&b->work, &b->left.output.tree, NULL, err);
	b->have_upper = work_record(&b->work, &b->left.output.tree, &b->left.upper, &why) == 0;
	if (work_use(&b->work, &b->left.output.tree, b->have_upper ? &b->left.upper : NULL, err) < 0)
		return -1;
	if (b->have_upper && cache_record(conf->store, conf->plan, a, &b->outcome, &b->left, &why) == 0)
		return 0;
	return tell_unrecorded(conf->report, step->name, &why, err);
}

/** Asks for all that follows a build that is a hit. @p ret_all: nothing has to run, and the image is there. */
static int ask_ahead(struct build *b, const struct build_conf *conf, struct err *err)
{
	const struct plan *plan = conf->plan;
	const struct built_state built = { b->left.output.tree, b->left.upper.state };

	b->tests = calloc(plan->spec->ntests + 1, sizeof *b->tests);
	if (b->tests == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "look into the cache");
	for (size_t i = 0; i < plan->spec->ntests; i++)
		if (cache_ask(conf->store, plan, &plan->spec->tests[i], &built, b->use, &b->tests[i], err) < 0)
			return -1;
	return cache_ask_image(conf->store, plan, &built.tree, b->use, &b->image, err);
}

/** Forgets what a build that turned out to be none left. */
static void forget(struct build *b, size_t ntests)
{
	for (size_t i = 0; i < ntests; i++)
		cache_answer_clear(&b->tests[i]);
	free(b->tests);
	b->tests = NULL;
	cache_image_clear(&b->image);
	harvest_clear(&b->left.output);
	b->left = (struct cache_build){0};
}

/** Whether anybody will read the contents of what the build left: a test that has to run, or the packing. */
static bool is_read(const struct build *b, size_t ntests)
{
	bool all = b->image.hit;

	for (size_t i = 0; i < ntests; i++)
		all = all && b->tests[i].result != NULL;
	return !all;
}

/** Takes what the build left from a hit, checked as far as it will be used. Where that does not hold, @p a is a miss afterwards. */
static int take_left(struct build *b, const struct build_conf *conf, struct cache_answer *a, struct err *err)
{
	size_t ntests = conf->plan->spec->ntests;
	struct cache_build checked;

	if (!cache_build_of(conf->store, a, false, &b->left))
		return 0;
	if (ask_ahead(b, conf, err) < 0)
		return -1;
	if (!is_read(b, ntests))
		return 0;
	if (cache_build_of(conf->store, a, true, &checked))
		harvest_clear(&checked.output);
	else
		forget(b, ntests);
	return 0;
}

int build_run(struct build *b, const struct build_conf *conf, struct err *err)
{
	const struct plan *plan = conf->plan;
	const struct spec_step *step = &plan->spec->build;
	auto_cache_answer a = {0};

	b->outcome.result.view_fd = -1;
	b->use = conf->use;
	b->work = (struct work){ .store = conf->store, .plan = plan, .grace_ms = conf->grace_ms, .cancel_fd = conf->cancel_fd,
				 .rootfs_held = -1 };
	if (conf->vary != NULL) {
		b->work.varied = true;
		b->work.vary = *conf->vary;
	}
	b->output_path = plan->sources[work_build_source(plan)].mount;
	if (cache_ask(conf->store, plan, step, NULL, b->use, &a, err) < 0 || (a.result != NULL && take_left(b, conf, &a, err) < 0))
		return -1;
	if (a.result == NULL)
		return run_build(b, conf, &a, err) < 0 ? -1 : b->have_output ? tell_lost(b, conf->report, step->name, err) : 0;
	b->have_output = b->have_upper = true;
	if (take_step(b, conf->report, step, &a, &b->outcome, err) < 0)
		return -1;
	return tell_lost(b, conf->report, step->name, err);
}

/* ---- a test --------------------------------------------------------------------- */

/** Asks for a test, unless that was done ahead. What the build left has no key where it could not be written down. */
static int ask_test(struct build *b, size_t i, struct cache_answer *ret, struct err *err)
{
	const struct plan *plan = b->work.plan;
	const struct built_state built = { b->left.output.tree, b->left.upper.state };

	if (b->tests != NULL) {
		*ret = b->tests[i];
		b->tests[i] = (struct cache_answer){0};
		return 0;
	}
	if (b->use == CACHE_NONE || b->have_upper)
		return cache_ask(b->work.store, plan, &plan->spec->tests[i], &built, b->use, ret, err);
	snprintf(ret->why, sizeof ret->why, "what the build left cannot be written down");
	return 0;
}

int build_test(struct build *b, struct report *report, size_t i, struct step_outcome *ret, struct err *err)
{
	const struct spec_step *step = &b->work.plan->spec->tests[i];
	auto_cache_answer a = {0};
	struct err why = {0};

	if (ask_test(b, i, &a, err) < 0)
		return -1;
	if (a.result != NULL)
		return take_step(b, report, step, &a, ret, err);
	if (run_step(b, report, step, &a, ret, err) < 0)
		return -1;
	return cache_record(b->work.store, b->work.plan, &a, ret, NULL, &why) == 0 ? 0 : tell_unrecorded(report, step->name, &why, err);
}

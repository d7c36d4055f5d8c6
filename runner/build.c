/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/build.h"

void build_clear(struct build *b)
{
	step_outcome_clear(&b->outcome);
	harvest_clear(&b->output);
	work_end(&b->work);
	*b = (struct build){0};
}

int build_step(struct build *b, struct report *report, const struct spec_step *step, struct step_outcome *ret,
	       struct err *err)
{
	if (report != NULL &&
	    report_event(report, &(struct run_event){ .type = RUN_STEP_STARTED, .step = step->name }, err) < 0)
		return -1;
	if (work_check_cancel(b->work.cancel_fd, err) < 0 || work_step(&b->work, step, ret, err) < 0)
		return -1;
	if (report != NULL && report_step(report, ret, err) < 0)
		return -1;
	if (ret->result.end == SANDBOX_CANCELLED)
		return err_set(err, ERR_INTERRUPTED, 0, "step '%s' was interrupted", step->name);
	return 0;
}

/** Tells what of it was not kept: promised, not to be looked for in vain. */
static int tell_lost(const struct build *b, struct report *report, const char *step, struct err *err)
{
	auto_buf text = {0};

	if (report == NULL || b->output.odd + b->output.setid == 0)
		return 0;
	buf_addf(&text, "output of step '%s': ", step);
	harvest_text(&text, &b->output);
	if (buf_check(&text, "note", err) < 0)
		return -1;
	return report_event(report, &(struct run_event){ .type = RUN_NOTE, .step = step, .text = text.data }, err);
}

/** Reads back what the build left, through the view of its overlay. */
static int take_output(struct build *b, const struct plan *plan, struct err *err)
{
	if (harvest(b->work.store, b->outcome.result.view_fd, &b->output, err) < 0) {
		/* What cannot be collected is the step's doing, not a missing input of the run's. */
		if (err->kind == ERR_INPUT)
			err->kind = ERR_STEP;
		return err_ctx(err, "collect what step '%s' left", plan->spec->build.name);
	}
	b->have_output = true;
	b->output_path = plan->sources[work_build_source(plan)].mount;
	/* The tests' overlays use what this view shows as their lower layer. */
	own_fd(&b->outcome.result.view_fd);
	b->outcome.result.view_fd = -1;
	return 0;
}

int build_run(struct build *b, struct store *store, const struct plan *plan, uint64_t grace_ms, int cancel_fd,
	      struct report *report, struct err *err)
{
	b->outcome.result.view_fd = -1;
	b->work = (struct work){ .store = store, .plan = plan, .grace_ms = grace_ms, .cancel_fd = cancel_fd };
	if (report != NULL && report_phase(report, "lay out rootfs and sources", err) < 0)
		return -1;
	if (work_begin(&b->work, err) < 0 || build_step(b, report, &plan->spec->build, &b->outcome, err) < 0)
		return -1;
	if (!b->outcome.ok)
		return 0;
	if (report != NULL && report_phase(report, "collect the output", err) < 0)
		return -1;
	return take_output(b, plan, err) < 0 ? -1 : tell_lost(b, report, plan->spec->build.name, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file report.h
 * The running account of a run: events as they happen, logs, and result.json.
 * Private to runner/.
 */
#ifndef GB_RUNNER_REPORT_H
#define GB_RUNNER_REPORT_H

#include "runner/harvest.h"
#include "runner/outdir.h"
#include "runner/provenance.h"
#include "runner/sbom.h"
#include "runner/work.h"

struct report {
	const struct plan *plan;
	struct outdir *out;
	run_event_fn *event;
	void *event_arg;
	json_t *steps;               /**< array, owned */
	json_t *cached;              /**< names of those that are from the cache; array, owned */
	struct run_log *logs;        /**< room for all steps, owned */
	size_t nlogs;
	int64_t started;
};
void report_clear(struct report *r);
#define auto_report __attribute__((cleanup(report_clear))) struct report

/** @p ret keeps @p plan and @p out. */
int report_begin(const struct plan *plan, struct outdir *out, run_event_fn *event, void *event_arg,
		 struct report *ret, struct err *err);

/** Tells an event: to the caller, and as a line of events.jsonl. */
int report_event(struct report *r, const struct run_event *event, struct err *err);
/** Tells that a phase begins. */
int report_phase(struct report *r, const char *text, struct err *err);
/** Writes a finished step's log and reports, remembers its outcome, and tells the event. Sets o->refused where the step ran. */
int report_step(struct report *r, struct step_outcome *o, struct err *err);
/** Tells something worth knowing about a step, or (NULL) the run. */
int report_note(struct report *r, const char *step, const char *text, struct err *err);

/** How a run ended, for result.json. */
struct run_end {
	const char *outcome;         /**< "passed", "failed", "error" */
	const char *message;         /**< of a failure, or NULL */
	const struct built_image *image; /**< or NULL */
	const struct harvest *output; /**< or NULL */
	bool is_signed;
	const char *key_id;          /**< or NULL */
	const char *builder_id;
	const struct run_sboms *sboms;
	json_t *published;           /**< publishing_json(), or NULL: that was not asked for */
	const struct reproduce_report *again; /**< what building again has found, or NULL: that was not asked for */
};

/** Writes result.json; @p ret is a new reference to it. */
int report_finish(struct report *r, const struct run_end *end, json_t **ret, struct err *err);

#endif

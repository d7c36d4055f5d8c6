/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/refusals.h"
#include "runner/report.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "runner/limit.h"

/** How much of a report's path people are shown. */
#define PATH_SHOWN 100

int report_begin(const struct plan *plan, struct outdir *out, run_event_fn *event, void *event_arg,
		 struct report *ret, struct err *err)
{
	struct report r = {
		.plan = plan, .out = out, .event = event, .event_arg = event_arg, .started = time(NULL),
		.steps = json_array(), .cached = json_array(),
		.logs = calloc(1 + plan->spec->ntests, sizeof *r.logs),
	};

	if (r.steps == NULL || r.cached == NULL || r.logs == NULL) {
		report_clear(&r);
		return err_set(err, ERR_INTERNAL, ENOMEM, "begin the report");
	}
	*ret = r;
	return 0;
}

void report_clear(struct report *r)
{
	json_decref(r->steps);
	json_decref(r->cached);
	for (size_t i = 0; i < r->nlogs; i++)
		free(r->logs[i].path);
	free(r->logs);
	*r = (struct report){0};
}

static const char *event_name(enum run_event_type type)
{
	static const char *const names[] = {
		[RUN_PHASE] = "phase", [RUN_STEP_STARTED] = "stepStarted", [RUN_STEP_ENDED] = "stepEnded",
		[RUN_NOTE] = "note",
	};

	return names[type];
}

int report_event(struct report *r, const struct run_event *e, struct err *err)
{
	char when[32];
	auto_buf line = {0};
	auto_json j = json_pack("{s:s, s:s, s:s*, s:s*}", "event", event_name(e->type), "time",
				text_time(time(NULL), when), "step", e->step, "text", e->text);

	if (j != NULL && e->type == RUN_STEP_ENDED) {
		json_object_set_new(j, "ok", json_boolean(e->ok));
		json_object_set_new(j, "wallMs", json_integer((json_int_t)e->ms));
	}
	if (j == NULL || json_canonical(j, &line, err) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write an event");
	buf_addc(&line, '\n');
	if (buf_check(&line, "event", err) < 0 || io_write_all(r->out->events_fd, line.data, line.len, err) < 0)
		return err_ctx(err, "events.jsonl");
	if (r->event != NULL)
		r->event(r->event_arg, e);
	return 0;
}

int report_phase(struct report *r, const char *text, struct err *err)
{
	return report_event(r, &(struct run_event){ .type = RUN_PHASE, .text = text }, err);
}

int report_note(struct report *r, const char *step, const char *text, struct err *err)
{
	return report_event(r, &(struct run_event){ .type = RUN_NOTE, .step = step, .text = text }, err);
}

static int write_log(struct report *r, const struct step_outcome *o, struct run_log *log, struct err *err)
{
	auto_buf text = {0};

	if (asprintf(&log->path, "logs/%s.log", o->step->name) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write a log");
	r->nlogs++;
	log->written = o->origin == STEP_HIT ? o->log_written : step_log_size(&o->log);
	if (step_log_text(&o->log, &text, err) < 0 || hash_bytes(text.data, text.len, &log->digest, err) < 0)
		return -1;
	log->size = text.len;
	return outdir_write_log(r->out, log->path + strlen("logs/"), text.data, text.len, err);
}

static json_t *step_json(const struct report *r, const struct step_outcome *o, const struct run_log *log)
{
	static const char *const origins[] = { [STEP_UNCACHED] = "off", [STEP_MISSED] = "miss", [STEP_HIT] = "hit" };
	char digest[DIGEST_STR_SIZE], key[DIGEST_STR_SIZE];
	const struct sandbox_result *s = &o->result;
	bool is_build = o->step == &r->plan->spec->build;

	return json_pack("{s:s, s:s, s:b, s:b, s:s, s:i, s:I, s:I, s:I, s:I, s:{s:s, s:s, s:I, s:I}, s:s, s:s, s:s*, s:O, s:O?}",
			 "name", o->step->name, "type", is_build ? "build" : "test",
			 "required", (int)o->step->required, "ok", (int)o->ok, "ended", o->how, "code", s->code,
			 "wallUs", (json_int_t)s->wall_us, "userUs", (json_int_t)s->user_us,
			 "systemUs", (json_int_t)s->sys_us, "maxRssKiB", (json_int_t)s->max_rss_kib,
			 "log", "path", log->path, "digest", digest_str(&log->digest, digest),
			 "bytes", (json_int_t)log->size, "written", (json_int_t)log->written,
			 "cache", origins[o->origin], "cacheReason", o->why, "stepKey", o->have_key ? digest_str(&o->key, key) : NULL,
			 "refused", o->refused, "receipt", s->receipt);
}

/** Tells of a file that matches and is no report: it stays where it is. */
static int tell_fault(struct report *r, const struct step_outcome *o, const struct report_file *f, struct err *err)
{
	auto_buf text = {0};

	buf_addc(&text, '\'');
	text_brief(&text, f->path, strlen(f->path), PATH_SHOWN);
	buf_addf(&text, "' is not read as a report: %s", f->fault);
	return buf_check(&text, "note", err) < 0 ? -1 : report_note(r, o->step->name, text.data, err);
}

/** Copies a test's reports to junit/: TEST.xml, then TEST+2.xml, a name that no test has. */
static int write_reports(struct report *r, const struct step_outcome *o, struct err *err)
{
	size_t written = 0;

	for (size_t i = 0; i < o->reports.n; i++) {
		const struct report_file *f = &o->reports.v[i];
		auto_buf name = {0};

		if (f->fault != NULL) {
			if (tell_fault(r, o, f, err) < 0)
				return -1;
			continue;
		}
		buf_adds(&name, o->step->name);
		if (++written > 1)
			buf_addf(&name, "+%zu", written);
		buf_adds(&name, ".xml");
		if (buf_check(&name, "report", err) < 0 || outdir_write_report(r->out, name.data, f->text.data, f->text.len, err) < 0)
			return -1;
	}
	return 0;
}

static int add_reports(json_t *step, const struct step_outcome *o, struct err *err)
{
	if (o->reports.any && json_object_set_new(step, "reports", reports_json(&o->reports)) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "note step '%s'", o->step->name);
	return 0;
}

int report_step(struct report *r, struct step_outcome *o, struct err *err)
{
	struct run_log *log = &r->logs[r->nlogs];
	bool hit = o->origin == STEP_HIT;
	char text[sizeof o->how + 32];

	if (write_log(r, o, log, err) < 0 || write_reports(r, o, err) < 0 || (!hit && refusals_json(&r->plan->profile, &o->result, &o->refused, err) < 0))
		return -1;
	json_t *step = step_json(r, o, log);
	if (step != NULL && (limit_add_json(step, &o->result, &o->left, err) < 0 || add_reports(step, o, err) < 0)) {
		json_decref(step);
		return -1;
	}
	if (json_array_append_new(r->steps, step) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "note step '%s'", o->step->name);
	if (hit && json_array_append_new(r->cached, json_string(o->step->name)) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "note step '%s'", o->step->name);
	snprintf(text, sizeof text, "%s%s", o->how, hit ? ", from the cache" : "");
	struct run_event e = {
		.type = RUN_STEP_ENDED, .step = o->step->name, .text = text, .ok = o->ok,
		.ms = hit ? 0 : o->result.wall_us / 1000,
	};
	return report_event(r, &e, err);
}

static void add_image(json_t *j, const struct built_image *image)
{
	char manifest[DIGEST_STR_SIZE], tar[DIGEST_STR_SIZE];

	if (image != NULL)
		json_object_set_new(j, "image", json_pack("{s:s, s:s, s:s, s:I}", "path", "image.tar", "digest",
							  digest_str(&image->manifest, manifest), "tarDigest",
							  digest_str(&image->tar, tar), "tarBytes",
							  (json_int_t)image->tar_size));
}

static int add_output(json_t *j, const struct run_end *end, struct err *err)
{
	if (end->output == NULL)
		return 0;
	auto_json output = json_object();
	if (harvest_add_json(output, end->output, err) < 0)
		return -1;
	return json_object_set(j, "output", output) < 0 ? err_set(err, ERR_INTERNAL, ENOMEM, "write result.json") : 0;
}

/** Where it did not come to that, there is nothing to tell. */
static void add_again(json_t *j, const struct reproduce_report *again)
{
	if (again == NULL || (again->broken_by == NULL && again->varied == NULL))
		return;
	json_object_set_new(j, "reproducible", json_pack("{s:b, s:i, s:O*, s:s*, s:s*}", "ok", again->broken_by == NULL, "rounds",
							 (int)again->rounds, "varied", again->varied, "brokenBy", again->broken_by,
							 "account", again->broken_by == NULL ? NULL : again->account));
}

int report_finish(struct report *r, const struct run_end *end, json_t **ret, struct err *err)
{
	char text_digest[DIGEST_STR_SIZE], started[32], finished[32];
	auto_json j = json_pack("{s:s, s:s, s:s, s:s*, s:{s:s, s:s, s:s}, s:O, s:b, s:s*, s:s, s:s, s:s, s:O*}",
				"schema", RESULT_SCHEMA, "glovebox", GB_VERSION, "outcome", end->outcome,
				"message", end->message,
				"spec", "name", r->plan->spec->name, "file", r->plan->spec->file,
				"digest", digest_str(&r->plan->text_digest, text_digest),
				"steps", r->steps, "signed", (int)end->is_signed, "keyId", end->key_id,
				"builderId", end->builder_id, "startedOn", text_time(r->started, started),
				"finishedOn", text_time(time(NULL), finished),
				"published", end->published);

	if (j == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write result.json");
	add_image(j, end->image);
	add_again(j, end->again);
	if (add_output(j, end, err) < 0 || run_sboms_json(end->sboms, end->is_signed, j, err) < 0 || outdir_write_json(r->out, "result.json", j, err) < 0)
		return -1;
	*ret = move_ptr(j);
	return 0;
}

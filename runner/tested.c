/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/tested.h"

#include <errno.h>

#include "attest/attest.h"
#include "runner/inputs.h"

void tested_clear(struct tested *t)
{
	json_decref(t->passed);
	json_decref(t->warned);
	json_decref(t->failed);
	json_decref(t->tests);
	*t = (struct tested){0};
}

static int no_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, ENOMEM, "write the test result");
}

int tested_begin(struct tested *t, struct err *err)
{
	*t = (struct tested){ json_array(), json_array(), json_array(), json_array() };
	return t->passed == NULL || t->warned == NULL || t->failed == NULL || t->tests == NULL ? no_memory(err) : 0;
}

/** Names one of a report's cases, unless there are enough names. */
static int name_case(json_t *list, const char *test, const struct junit_case *c, struct err *err)
{
	if (json_array_size(list) >= TESTED_NAMED_MAX)
		return 0;
	return json_array_append_new(list, json_sprintf("%s/%s", test, c->name)) < 0 ? no_memory(err) : 0;
}

static int name_cases(struct tested *t, const struct step_outcome *o, const struct report_file *f, struct err *err)
{
	json_t *const lists[] = {
		[JUNIT_PASSED] = t->passed, [JUNIT_SKIPPED] = NULL, [JUNIT_FAILED] = o->step->required ? t->failed : t->warned,
	};

	for (size_t i = 0; i < f->cases.n; i++) {
		json_t *list = lists[f->cases.v[i].status];

		if (list != NULL && name_case(list, o->step->name, &f->cases.v[i], err) < 0)
			return -1;
	}
	return 0;
}

int tested_add(struct tested *t, const struct step_outcome *o, struct err *err)
{
	json_t *list = o->ok ? t->passed : o->step->required ? t->failed : t->warned;
	json_t *test = json_pack("{s:s, s:s*, s:b, s:b, s:s, s:b, s:o}", "name", o->step->name, "kind", o->step->kind, "required",
				 (int)o->step->required, "ok", (int)o->ok, "ended", o->how, "cached", (int)(o->origin == STEP_HIT), "reports",
				 reports_json(&o->reports));

	if (json_array_append_new(t->tests, test) < 0 || json_array_append_new(list, json_string(o->step->name)) < 0)
		return no_memory(err);
	for (size_t i = 0; i < o->reports.n; i++)
		if (name_cases(t, o, &o->reports.v[i], err) < 0)
			return -1;
	return 0;
}

int tested_statement(const struct tested *t, const struct plan *plan, const struct built_image *image, struct buf *out, struct err *err)
{
	static const char *const produced[] = { "failedTests", "glovebox_tests.reports", "passedTests", "warnedTests" };
	auto_inputs inputs = {0};

	if (inputs_of(plan, &inputs, err) < 0)
		return -1;
	const struct attest_tests tests = {
		.image_name = plan_image_name(plan),
		.image_digest = image->manifest, .image_tar_digest = image->tar,
		.configuration = inputs.v, .nconfiguration = inputs.n,
		.passed = t->passed, .warned = t->warned, .failed = t->failed, .tests = t->tests,
		.step_produced = produced, .nstep_produced = ARRAY_LEN(produced),
	};

	return attest_test_result(&tests, out, err);
}

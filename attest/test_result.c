/* SPDX-License-Identifier: Apache-2.0 */
/* in-toto test result v0.1: what the tests of a build came to. */
#include <string.h>

#include "attest/attest.h"
#include "attest/shape.h"
#include "attest/statement.h"

static const char where[] = "test result";

/** A list of names, which may be absent; must be empty unless @p may_be, for what is in it contradicts the result. */
static int check_names(const json_t *predicate, const char *list, const char *result, bool may_be, struct err *err)
{
	const json_t *names, *name;
	size_t i;

	if (shape_optional(predicate, list, JSON_ARRAY, where, &names, err) < 0)
		return -1;
	json_array_foreach(names, i, name)
		if (!json_is_string(name))
			return err_set(err, ERR_UNVERIFIED, 0, "%s: '%s' has something in it that is no name", where, list);
	if (may_be || json_array_size(names) == 0)
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "%s: 'result' is '%s', and '%s' has %zu", where, result, list, json_array_size(names));
}

int test_result_check(const json_t *predicate, struct err *err)
{
	const char *result;

	if (shape_string(predicate, "result", where, &result, err) < 0)
		return -1;
	bool passed = strcmp(result, "PASSED") == 0, failed = strcmp(result, "FAILED") == 0;
	if (!passed && !failed && strcmp(result, "WARNED") != 0)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: 'result' is '%.*s'; it is PASSED, WARNED or FAILED", where, SHAPE_SHOWN, result);
	if (check_names(predicate, "passedTests", result, true, err) < 0 || check_names(predicate, "warnedTests", result, !passed, err) < 0)
		return -1;
	return check_names(predicate, "failedTests", result, failed, err);
}

static json_t *predicate_json(const struct attest_tests *t)
{
	const char *result = json_array_size(t->failed) > 0 ? "FAILED" : json_array_size(t->warned) > 0 ? "WARNED" : "PASSED";

	return json_pack("{s:s, s:o, s:O, s:O, s:O, s:O, s:o}", "result", result, "configuration",
			 statement_descriptors(t->configuration, t->nconfiguration), "passedTests", t->passed, "warnedTests", t->warned,
			 "failedTests", t->failed, ATTEST_OWN_TESTS, t->tests, ATTEST_STEP_PRODUCED,
			 json_strings(t->step_produced, t->nstep_produced));
}

int attest_test_result(const struct attest_tests *t, struct buf *out, struct err *err)
{
	auto_json j = json_pack("{s:s, s:s, s:o, s:o}", "_type", ATTEST_STATEMENT_TYPE, "predicateType", ATTEST_TEST_RESULT_TYPE, "subject",
				statement_subjects(t->image_name, &t->image_digest, &t->image_tar_digest), "predicate", predicate_json(t));

	if (j == NULL)
		return err_set(err, ERR_INTERNAL, 0, "make the test result: a text in it is not UTF-8, or memory is short");
	/* Never hand out what our own verifier would refuse. */
	if (test_result_check(json_object_get(j, "predicate"), err) < 0) {
		err->kind = ERR_INTERNAL;
		return err_ctx(err, "make the test result");
	}
	return json_canonical(j, out, err);
}

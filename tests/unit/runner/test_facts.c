/* SPDX-License-Identifier: Apache-2.0 */
/* Facts from a provenance: exactly those that the spec uses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runner/plan.h"

#define SHA "0123456789abcdef0123456789abcdef01234567"
#define SPEC "apiVersion: platform.build/v1\nkind: BuildSpec\nmetadata: { name: x }\nspec:\n  build: { command: a }\n"

static struct plan *plan_of(const char *text)
{
	struct plan *plan = calloc(1, sizeof *plan);
	struct err err = {0};
	auto_buf copy = {0};

	assert_non_null(plan);
	buf_adds(&copy, text);
	if (plan_load_spec(plan, "b.yaml", &copy, NULL, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	return plan;
}

/** Loads the facts of @p recorded (JSON; NULL: none); @p want: what the refusal has in it, or NULL. */
static void load(const char *text, const char *recorded, const char *want)
{
	auto_plan plan = plan_of(text);
	auto_json facts = recorded == NULL ? NULL : json_loads(recorded, 0, NULL);
	struct err err = {0};
	int result = plan_load_facts(plan, facts, &err);

	assert_true(recorded == NULL || facts != NULL);
	if (want == NULL) {
		auto_json again = plan_facts_json(plan);
		auto_json empty = json_object();

		if (result < 0)
			fail_msg("%s", err.msg);
		assert_true(json_equal(again, facts == NULL ? empty : facts));
		return;
	}
	assert_int_equal(result, -1);
	assert_int_equal(err.kind, ERR_UNVERIFIED);
	if (strstr(err.msg, want) == NULL)
		fail_msg("got:  %s\nwant: %s", err.msg, want);
}

static void test_recorded_facts_are_those_that_are_used(void **state)
{
	static const char tags[] = SPEC "  publish: { tags: [\"{git.sha}-{semver}\"] }\n";
	static const char label[] = SPEC "  sandbox: { env: { V: \"{semver}\" } }\n  publish: { tags: [\"{semver}\"] }\n";
	static const char clock[] = SPEC "  sandbox: { clock: { sourceDateEpoch: \"{git.commitTime}\" } }\n";

	(void)state;
	load(SPEC, NULL, NULL);
	load(SPEC, "{\"semver\":\"1.2.3\"}", "more than its spec uses");
	load(tags, "{\"gitSha\":\"" SHA "\",\"semver\":\"1.2.3\"}", NULL);
	load(tags, NULL, "no gitSha");
	/* Tags can do without a version, nothing else can. */
	load(tags, "{\"gitSha\":\"" SHA "\"}", NULL);
	load(tags, "{\"gitSha\":\"" SHA "\",\"semver\":1}", "no semver");
	load(label, "{}", "no semver");
	load(tags, "{\"gitSha\":\"" SHA SHA "\",\"semver\":\"1.2.3\"}", "no gitSha");
	load(tags, "{\"gitSha\":\"" SHA "\",\"semver\":\"1.2.3\",\"gitCommitTime\":1}", "more than its spec uses");
	load(tags, "{\"gitSha\":\"" SHA "\",\"semver\":\"1.2.3+b\"}", "provenance: b.yaml:6:21: spec.publish.tags: ");
	load(clock, "{\"gitCommitTime\":1700000001}", NULL);
	load(clock, "{\"gitCommitTime\":\"1\"}", "no gitCommitTime");
	load(clock, "{\"gitCommitTime\":-1}", "out of range");
	load(clock, "{\"gitCommitTime\":9223372036854775807}", "out of range");
}

static void test_facts_are_filled_in(void **state)
{
	auto_plan plan = plan_of(SPEC "  sandbox: { clock: { sourceDateEpoch: \"{git.commitTime}\" }, env: { V: \"{git.sha}\" } }\n");
	auto_json facts = json_pack("{s:s, s:i}", "gitSha", SHA, "gitCommitTime", 7);
	struct err err = {0};

	(void)state;
	assert_int_equal(plan_load_facts(plan, facts, &err), 0);
	assert_int_equal(plan->spec->source_date_epoch, 7);
	assert_string_equal(plan->spec->env.v[0].value, SHA);
	assert_null(plan->facts.v[SPEC_VERSION]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_facts_are_those_that_are_used),
		cmocka_unit_test(test_facts_are_filled_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is to go where, and how it is told. The registries are in tests/e2e/publish.bats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runner/publish.h"

#define SHA "0123456789abcdef0123456789abcdef01234567"
#define ZEROS "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define SPEC "apiVersion: platform.build/v1\nkind: BuildSpec\nmetadata: { name: x }\nspec:\n  build: { command: a%s }\n  publish: { %s }\n"
#define NAMED ", artifact: { imageName: registry.example.com/team/app }"

static const struct fetch_net net = { .cancel_fd = -1 };

/** A plan of a spec whose build and spec.publish are as given, at a commit without a version. */
static struct plan *plan_of(const char *build, const char *publish)
{
	struct plan *plan = calloc(1, sizeof *plan);
	auto_json facts = json_pack("{s:s}", "gitSha", SHA);
	auto_buf text = {0};
	struct err err = {0};

	assert_non_null(plan);
	buf_addf(&text, SPEC, build, publish);
	if (plan_load_spec(plan, "b.yaml", &text, NULL, NULL, &err) < 0 ||
	    plan_load_facts(plan, plan->spec->facts[SPEC_COMMIT].line != 0 ? facts : NULL, &err) < 0)
		fail_msg("%s", err.msg);
	return plan;
}

static void test_tags_and_patience(void **state)
{
	static const struct registry_conf plain = { .net = &net };
	static const struct run_publish how = { .registry = &plain };
	auto_plan plan = plan_of(NAMED, "tags: [a, \"{git.sha}\", a, \"{semver}\", \"v{semver}\", \"{semver}\", " SHA "], "
					"retry: { attempts: 7, initialDelay: 2s, maxDelay: 3s }");
	struct publishing p = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(publishing_begin(plan, &how, &p, &err), 0);
	assert_int_equal(p.ntags, 2);
	assert_string_equal(p.tags[0], "a");
	assert_string_equal(p.tags[1], SHA);
	assert_int_equal(p.nleft_out, 2);
	assert_string_equal(p.left_out[0], "{semver}");
	assert_string_equal(p.left_out[1], "v{semver}");
	assert_string_equal(p.where, "https://registry.example.com/v2/team/app");
	assert_int_equal(p.net.attempts, 7);
	assert_int_equal(p.net.first_wait_ms, 2000);
	assert_int_equal(p.net.most_wait_ms, 3000);
	assert_ptr_equal(p.conf.net, &p.net);
	assert_int_equal(p.outcome, PUBLISH_NOT);
	publishing_clear(&p);
}

static void test_refused(void **state)
{
	static const char *const no_map[] = { "registry.example.com=-" }, *const in_the_clear[] = { "registry.example.com=http://r.example.com" };
	static const struct {
		const char *build;
		const char *const *map;
		const char *why;
	} rows[] = {
		{ "", NULL, "b.yaml: spec.build.artifact.imageName is not given" },
		{ ", artifact: { base: scratch }", NULL, "b.yaml:5:34: spec.build.artifact.imageName is not given" },
		{ ", artifact: { imageName: team/app }", NULL, "b.yaml:5:47: spec.build.artifact.imageName: 'team/app'" },
		{ NAMED, no_map, "b.yaml:5:47: spec.build.artifact.imageName: " },
		{ NAMED, in_the_clear, "not encrypted" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct registry_conf conf = { .net = &net, .maps = rows[i].map, .nmaps = rows[i].map != NULL };
		const struct run_publish how = { .registry = &conf };
		auto_plan plan = plan_of(rows[i].build, "tags: [a]");
		struct publishing p = {0};
		struct err err = {0};

		assert_int_equal(publishing_begin(plan, &how, &p, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		if (strstr(err.msg, rows[i].why) == NULL)
			fail_msg("got:  %s\nwant: %s", err.msg, rows[i].why);
		publishing_clear(&p);
	}
}

/** Compares what is told of @p p with JSON in which ' stands for ", and ^ for '. */
static void told(const struct publishing *p, const char *out_dir, const char *want)
{
	auto_buf text = {0};
	auto_json got = NULL;
	struct err err = {0};

	for (; *want != '\0'; want++)
		buf_addc(&text, *want == '\'' ? '"' : *want == '^' ? '\'' : *want);
	auto_json expected = json_loads(text.data, 0, NULL);
	assert_non_null(expected);
	if (publishing_json(p, out_dir, &got, &err) < 0)
		fail_msg("%s", err.msg);
	if (!json_equal(got, expected)) {
		auto_free char *have = json_dumps(got, JSON_SORT_KEYS);

		fail_msg("%s", have);
	}
}

#define WHERE "'repository': 'registry.example.com/team/app', 'url': 'http://127.0.0.1:5000/v2/its/team/app', 'tagsLeftOut': ['{semver}'], "
#define TAG(name, given) "{'tag': '" name "', 'reference': 'registry.example.com/team/app:" name "', 'given': " given "}"
#define IMAGE "'digest': '" ZEROS "', 'reference': 'registry.example.com/team/app@" ZEROS "', "
#define SENT "'blobs': {'sent': 2, 'mounted': 1, 'present': 3}, 'fallbackTag': true, 'attached': 1, "
#define LATER(out, tag) "'glovebox image push " out " registry.example.com/team/app:" tag " --attestations --registry-map registry.example.com=127.0.0.1:5000/its'"

static void test_told(void **state)
{
	static const char *const quiet_maps[] = { "registry.example.com=127.0.0.1:5000/its" };
	static const struct registry_conf conf = { .net = &net, .maps = quiet_maps, .nmaps = 1 };
	static const struct run_publish how = { .registry = &conf };
	auto_plan plan = plan_of(NAMED, "tags: [a, b, \"{semver}\"]");
	struct publishing p = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(publishing_begin(plan, &how, &p, &err), 0);
	told(&p, "out", "{'outcome': 'notPublished', 'reason': 'the run did not get so far', " WHERE "'tags': [" TAG("a", "false") ", "
	     TAG("b", "false") "]}");
	publishing_give_up(&p, "a \x1b\xff");
	assert_string_equal(p.why.data, "a \\033\\377");
	buf_clear(&p.why);
	p.is_signed = true;
	p.outcome = PUBLISH_DRY;
	told(&p, "out", "{'outcome': 'dryRun', " IMAGE WHERE "'tags': [" TAG("a", "false") ", " TAG("b", "false") "]}");
	p.pushed = (struct registry_pushed){ .sent = 2, .mounted = 1, .present = 3, .fallback = true };
	p.nattached = 1;
	p.sent = true;
	p.ntagged = 2;
	p.outcome = PUBLISH_DONE;
	told(&p, "out", "{'outcome': 'published', " IMAGE SENT WHERE "'tags': [" TAG("a", "true") ", " TAG("b", "true") "]}");
	p.ntagged = 1;
	p.outcome = PUBLISH_FAILED;
	buf_adds(&p.why, "no");
	told(&p, "-it's out", "{'outcome': 'failed', 'reason': 'no', " IMAGE SENT WHERE "'tags': [" TAG("a", "true") ", " TAG("b", "false")
	     "], 'later': [" LATER("./^-it^\\\\^^s out^", "b") "]}");
	p.sent = false;
	p.ntagged = 0;
	told(&p, "/x/out", "{'outcome': 'failed', 'reason': 'no', " WHERE "'tags': [" TAG("a", "false") ", " TAG("b", "false")
	     "], 'later': [" LATER("/x/out", "a") ", " LATER("/x/out", "b") "]}");
	publishing_clear(&p);
}

static void test_text(void **state)
{
	static const struct registry_conf conf = { .net = &net };
	static const struct run_publish how = { .registry = &conf };
	auto_plan plan = plan_of(NAMED, "tags: [a, b]");
	auto_plan untagged = plan_of(NAMED, "tags: []");
	auto_buf done = {0}, bare = {0}, not = {0};
	struct publishing p = {0}, q = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(publishing_begin(plan, &how, &p, &err), 0);
	assert_int_equal(publishing_text(&p, &not, &err), 0);
	assert_string_equal(not.data, "not published: the run did not get so far");
	p.outcome = PUBLISH_DONE;
	p.is_signed = true;
	assert_int_equal(publishing_text(&p, &done, &err), 0);
	assert_string_equal(done.data, "published registry.example.com/team/app@" ZEROS " as a, b to https://registry.example.com/v2/team/app, "
				       "with its attestations");
	publishing_clear(&p);
	assert_int_equal(publishing_begin(untagged, &how, &q, &err), 0);
	q.outcome = PUBLISH_DRY;
	assert_int_equal(publishing_text(&q, &bare, &err), 0);
	assert_string_equal(bare.data, "dry run, would publish registry.example.com/team/app@" ZEROS ", without a tag, to "
				       "https://registry.example.com/v2/team/app, unsigned (no --key was given)");
	publishing_clear(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tags_and_patience),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

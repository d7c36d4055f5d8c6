/* SPDX-License-Identifier: Apache-2.0 */
/* Included files: merged below the spec's own, good by themselves, told of under their own names; and placeholders filled in. */
#include "base/hash.h"
#include "tests/unit/spec/helper.h"

#define PART "apiVersion: platform.build/v1\nkind: BuildSpec\nspec:\n"

/** Files that a spec includes: p0, p1, … */
struct files {
	const char *texts[3];
	size_t asked;
};

static int bring(void *arg, const struct spec_include *include, struct buf *ret, struct err *err)
{
	struct files *files = arg;
	const char *text = files->texts[files->asked++];

	assert_int_equal(include->path[0], 'p');
	if (text == NULL)
		return err_set(err, ERR_INPUT, 0, "no such file");
	buf_adds(ret, text);
	return 0;
}

/** A spec that includes the files, with @p body. */
static void write_spec(const struct files *files, const char *body, struct buf *out)
{
	char digest[DIGEST_STR_SIZE];
	struct digest d;
	struct err err = {0};

	buf_adds(out, HEAD "  include:\n");
	for (size_t i = 0; i < 3 && files->texts[i] != NULL; i++) {
		assert_int_equal(hash_bytes(files->texts[i], strlen(files->texts[i]), &d, &err), 0);
		buf_addf(out, "    - { path: p%zu.yaml, digest: \"%s\" }\n", i, digest_str(&d, digest));
	}
	buf_adds(out, body);
}

static struct spec *good_with(struct files files, const char *body)
{
	auto_buf text = {0};
	struct spec *spec = NULL;
	struct err err = {0};

	write_spec(&files, body, &text);
	if (spec_parse_with("dir/b.yaml", text.data, text.len, bring, &files, &spec, &err) < 0)
		fail_msg("refused: %s\n%s", err.msg, text.data);
	return spec;
}

static void bad_with(struct files files, const char *body, const char *want)
{
	auto_buf text = {0};
	struct spec *spec = NULL;
	struct err err = {0};

	write_spec(&files, body, &text);
	if (spec_parse_with("dir/b.yaml", text.data, text.len, bring, &files, &spec, &err) == 0)
		fail_msg("accepted, but should be: %s", want);
	assert_string_equal(err.msg, want);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_null(spec);
}

static void merged(void **state)
{
	struct files files = { {
		PART "  build: { argv: [a, b], timeout: 5s, artifact: { base: scratch, config: { labels: { x: one, z: one } } } }\n"
		     "  sandbox: { env: { A: one, B: one, C: one }, hostname: one }\n",
		PART "  sandbox: { env: { B: two, C: two }, hostname: two }\n  publish: { tags: [t] }\n"
		     "  sources: [{ name: s, path: s }, { name: t, path: t }]\n",
	} };
	struct spec *s = good_with(files, "  build: { command: make }\n  sandbox: { env: { C: own } }\n"
					  "  sources: [{ name: own, path: own }]\n");
	(void)state;

	assert_int_equal(s->nincludes, 2);
	assert_string_equal(s->includes[1].file, "dir/p1.yaml");
	assert_string_equal(s->includes[1].text.data, files.texts[1]);
	/* A command takes the place of an argv. */
	assert_string_equal(s->build.command.shell, "make");
	assert_int_equal(s->build.command.argv.n, 0);
	assert_int_equal(s->build.timeout_ms, 5000);
	assert_string_equal(s->artifact.base, "scratch");
	assert_int_equal(s->artifact.config.labels.n, 2);
	assert_string_equal(s->hostname, "two");
	assert_int_equal(s->env.n, 3);
	assert_string_equal(s->env.v[0].value, "own");
	assert_string_equal(s->env.v[1].name, "B");
	assert_string_equal(s->env.v[1].value, "two");
	assert_string_equal(s->env.v[2].name, "A");
	assert_string_equal(s->env.v[2].value, "one");
	/* Lists are not merged. */
	assert_int_equal(s->nsources, 1);
	assert_string_equal(s->sources[0].name, "own");
	assert_string_equal(s->publish_tags.v[0], "t");
	assert_string_equal(spec_file(s, s->artifact.base_pos), "dir/p0.yaml");
	assert_int_equal(s->artifact.base_pos.line, 4);
	assert_string_equal(spec_file(s, s->build.command.pos), "dir/b.yaml");
	spec_free(s);
}

/* What a whole spec needs may be in an included file; rules between fields tell of the file that breaks them. */
static void together(void **state)
{
	struct spec *s = good_with((struct files){ { PART "  build: { command: make, workdir: /own }\n" } },
				   "  sources: [{ name: own, path: own }]\n");
	(void)state;

	assert_string_equal(s->build.workdir, "/own");
	spec_free(s);
	bad_with((struct files){ { PART "  build: { command: make, workdir: /own }\n" } }, "  language: c\n",
		 "dir/p0.yaml:4:36: spec.build.workdir: /own is not at or below the mount of a source; these are: /src");
	bad_with((struct files){ { PART "  language: c\n" } }, "  language: c\n",
		 "dir/b.yaml:6:3: spec: 'build' is missing; add it: The build step, named build, and what comes out of it.");
}

static void refused(void **state)
{
	static const struct { const char *part, *body, *want; } rows[] = {
		/* A cycle, or any other depth. */
		{ PART "  include: [{ path: b.yaml, digest: x }]\n", BUILD,
		  "dir/p0.yaml:4:3: spec.include: an included file cannot include others; name them in the spec that is built" },
		{ PART "  nonsense: 1\n  build: { command: x }\n", BUILD, NULL },
		{ PART "  build: { command: 5 }\n", BUILD,
		  "dir/p0.yaml:4:21: spec.build.command: expected a string, found the number '5'; put it in quotes" },
		{ PART "  sandbox: [a]\n", BUILD, "dir/p0.yaml:4:12: spec.sandbox: expected a mapping, found a list; write KEY: VALUE lines below it, indented" },
		{ PART "  sandbox: { hostname: a }\n", BUILD "  sandbox: [a]\n",
		  "dir/b.yaml:10:12: spec.sandbox: a list here, but a mapping at dir/p0.yaml:4:12; make them the same" },
		{ PART "  tests: [{ command: a }]\n", BUILD,
		  "dir/p0.yaml:4:11: spec.tests[0]: 'name' is missing; add it: Name, unique among the tests, and not build." },
		{ PART "  build: { command: a, argv: [b] }\n", BUILD,
		  "dir/p0.yaml:4:24: spec.build.argv: command and argv exclude each other; remove one of them" },
		{ "apiVersion: platform.build/v1\nkind: BuildSpec\nmetadata: { name: x }\nspec: {}\n", BUILD,
		  "dir/p0.yaml:3:1: metadata: an included file has apiVersion, kind and spec alone; remove it" },
		{ "kind: BuildSpec\nspec: {}\n", BUILD,
		  "dir/p0.yaml:1:1: 'apiVersion' is missing; an included file has apiVersion, kind and spec" },
		{ "[]\n", BUILD, "dir/p0.yaml:1:1: expected a mapping, found a list; write KEY: VALUE lines below it, indented" },
		{ "a: &x b\n", BUILD, NULL },
		{ "", BUILD, NULL },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct files files = { { rows[i].part } };
		auto_buf text = {0};
		struct spec *spec = NULL;
		struct err err = {0};

		if (rows[i].want != NULL) {
			bad_with(files, rows[i].body, rows[i].want);
			continue;
		}
		write_spec(&files, rows[i].body, &text);
		assert_int_equal(spec_parse_with("dir/b.yaml", text.data, text.len, bring, &files, &spec, &err), -1);
		assert_int_equal(strncmp(err.msg, "dir/p0.yaml:", 12), 0);
	}
}

static void brought(void **state)
{
	static const char text[] = HEAD BUILD "  include: [{ path: p, digest: \"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\" }]\n";
	struct spec *spec = NULL;
	struct err err = {0};
	struct files none = {0}, other = { { PART } };
	(void)state;

	assert_int_equal(spec_parse_with("b.yaml", text, strlen(text), bring, &none, &spec, &err), -1);
	assert_string_equal(err.msg, "b.yaml:8:13: included file 'p': no such file");
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(spec_parse_with("b.yaml", text, strlen(text), bring, &other, &spec, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.msg, "b.yaml:8:32: included file 'p' is sha256:"));
	assert_non_null(strstr(err.msg, ", not sha256:e3b0c4"));
}

/* No map grows beyond what one text could have. */
static void much(void **state)
{
	struct buf parts[3] = {0};
	struct files files = {0};
	(void)state;

	for (size_t p = 0; p < 3; p++) {
		buf_adds(&parts[p], PART "  sandbox:\n    env:\n");
		for (size_t i = 0; i < 400; i++)
			buf_addf(&parts[p], "      E%zu_%zu: x\n", p, i);
		files.texts[p] = parts[p].data;
	}
	bad_with(files, BUILD, "dir/p0.yaml:230:7: spec.sandbox.env.E0_224: more than 1024 entries with those of the included files");
	for (size_t p = 0; p < 3; p++)
		buf_free(&parts[p]);
}

static void filled(void **state)
{
	const char *const facts[SPEC_FACTS] = {
		[SPEC_COMMIT] = "0123abc", [SPEC_COMMIT_TIME] = "1700000001", [SPEC_VERSION] = "1.2.3",
	};
	struct spec *s = good(HEAD BUILD "    artifact: { config: { labels: { a: \"{\\\"x\\\": {git.sha}{git.sha}}\", b: \"\", c: plain }, env: { V: \"v{semver}\" } } }\n"
			      "  sandbox: { clock: { sourceDateEpoch: \"{git.commitTime}\" }, env: { T: \"{git.commitTime}\" } }\n"
			      "  publish: { tags: [\"{git.sha}\", \"v{semver}-x\", \"plain\"] }\n");
	struct err err = {0};
	(void)state;

	assert_true(spec_needs_facts(s));
	assert_int_equal(s->facts[SPEC_COMMIT].line, 8);
	assert_int_equal(s->facts[SPEC_COMMIT].col, 40);
	assert_int_equal(s->facts[SPEC_COMMIT_TIME].line, 9);
	assert_int_equal(s->facts[SPEC_VERSION].line, 8);
	assert_int_equal(spec_fill(s, facts, &err), 0);
	assert_string_equal(s->artifact.config.labels.v[0].value, "{\"x\": 0123abc0123abc}");
	assert_string_equal(s->artifact.config.labels.v[1].value, "");
	assert_string_equal(s->artifact.config.env.v[0].value, "v1.2.3");
	assert_int_equal(s->source_date_epoch, 1700000001);
	assert_string_equal(s->env.v[0].value, "1700000001");
	assert_string_equal(s->publish_tags.v[0], "0123abc");
	assert_string_equal(s->publish_tags.v[1], "v1.2.3-x");
	spec_free(s);
	s = good(HEAD BUILD);
	assert_false(spec_needs_facts(s));
	spec_free(s);
}

/* A tag can do without a version; whatever else names one cannot, and is the place that is told. */
static void without_version(void **state)
{
	const char *const facts[SPEC_FACTS] = { [SPEC_COMMIT] = "0123abc" };
	struct spec *s = good(HEAD "  publish: { tags: [\"{git.sha}\", \"{git.sha}-{semver}\", \"{semver}\"] }\n" BUILD);
	struct err err = {0};
	(void)state;

	assert_true(spec_needs_facts(s));
	assert_int_equal(s->facts[SPEC_VERSION].line, 6);
	assert_false(s->facts_needed[SPEC_VERSION]);
	assert_int_equal(spec_fill(s, facts, &err), 0);
	assert_string_equal(s->publish_tags.v[0], "0123abc");
	assert_string_equal(s->publish_tags.v[1], "{git.sha}-{semver}");
	assert_string_equal(s->publish_tags.v[2], "{semver}");
	spec_free(s);
	s = good(HEAD "  publish: { tags: [\"{semver}\"] }\n" BUILD "    artifact: { config: { labels: { v: \"{semver}\" } } }\n");
	assert_true(s->facts_needed[SPEC_VERSION]);
	assert_int_equal(s->facts[SPEC_VERSION].line, 9);
	spec_free(s);
}

/* What comes out may not be what may stand there. */
static void unfit(void **state)
{
	const char *const facts[SPEC_FACTS] = { "", "a", "-1", "1.0.0+b" };
	struct spec *s = good(HEAD BUILD "  publish: { tags: [\"v{semver}\"] }\n");
	struct err err = {0};
	(void)state;

	assert_int_equal(spec_fill(s, facts, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.msg, "b.yaml:8:21: spec.publish.tags: expected a tag of letters, digits, '.', '_' and '-', with placeholders such as "
			    "{git.sha}, but with the placeholders filled in it is 'v1.0.0+b'");
	spec_free(s);
	s = good(HEAD BUILD "  sandbox: { clock: { sourceDateEpoch: \"{git.commitTime}\" } }\n");
	assert_int_equal(spec_fill(s, facts, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.msg, "b.yaml:8:40: spec.sandbox.clock.sourceDateEpoch: the commit's time, -1, is out of range: write a time out");
	spec_free(s);
	bad(HEAD BUILD "  sandbox: { clock: { sourceDateEpoch: \"{git.sha}\" } }\n",
	    "b.yaml:8:40: spec.sandbox.clock.sourceDateEpoch: expected a whole number, found the string '{git.sha}'; "
	    "write it in decimal digits, without quotes");
	bad(HEAD BUILD "  publish: { tags: [\"{sha}\"] }\n",
	    "b.yaml:8:21: spec.publish.tags[0]: '{sha}' is no placeholder; known are {git.sha}, {git.commitTime} and {semver}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merged),
		cmocka_unit_test(together),
		cmocka_unit_test(refused),
		cmocka_unit_test(brought),
		cmocka_unit_test(much),
		cmocka_unit_test(filled),
		cmocka_unit_test(without_version),
		cmocka_unit_test(unfit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

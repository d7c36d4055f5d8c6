/* SPDX-License-Identifier: Apache-2.0 */
/* Whole specs: what they mean, and the rules between fields. */
#include "spec/schema.h"
#include "spec/yaml.h"
#include "tests/unit/spec/helper.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void seed(void **state)
{
	auto_buf text = {0};
	(void)state;

	read_data("seed.yaml", &text);
	struct spec *s = parse_good(text.data, text.len);
	assert_string_equal(s->name, "checkout-service");
	assert_string_equal(s->language, "nodejs");
	assert_string_equal(s->runtime_version, "20");
	assert_string_equal(s->build.command.shell, "pnpm build");
	assert_int_equal(s->build.command.pos.line, 9);
	assert_int_equal(s->build.command.pos.col, 14);
	assert_string_equal(s->artifact.image_name, "registry.example.com/checkout");
	assert_int_equal(s->ntests, 2);
	assert_string_equal(s->tests[1].name, "integration");
	assert_int_equal(s->tests[1].pos.line, 17);
	assert_int_equal(s->tests[1].pos.col, 7);
	assert_int_equal(s->publish_tags.n, 2);
	assert_string_equal(s->publish_tags.v[0], "{git.sha}");
	assert_true(s->caching);
	assert_string_equal(s->caching_keys.v[0], "pnpm-lock.yaml");
	assert_int_equal(s->nunsupported, 2);
	assert_string_equal(s->unsupported[0].field, "spec.qualityGates.coverageMinPct");
	assert_int_equal(s->unsupported[0].pos.line, 21);
	assert_int_equal(s->unsupported[0].pos.col, 5);
	assert_string_equal(s->unsupported[1].field, "spec.qualityGates.vulnMaxSeverity");
	spec_free(s);
}

/* Every key of a text is a row of the table, to any depth. */
static size_t known_fields(const struct schema_row *row, const struct node *node)
{
	size_t n = 0;

	for (const struct node *entry = node->first; entry != NULL; entry = entry->next) {
		if (node->kind == NODE_LIST) {
			if (entry->kind == NODE_MAP)
				n += known_fields(row, entry);
			continue;
		}
		const struct schema_row *field = schema_field(row, entry->key);
		if (field == NULL)
			fail_msg("line %u: %s.%s is not in the table", entry->key_pos.line, row->path, entry->key);
		n++;
		if (field->type == SCHEMA_MAP || field->type == SCHEMA_LIST)
			n += known_fields(field, entry);
	}
	return n;
}

static void full(void **state)
{
	auto_buf text = {0};
	auto_node root = NULL;
	struct err err = {0};
	(void)state;

	read_data("full.yaml", &text);
	assert_int_equal(yaml_read("full.yaml", text.data, text.len, &root, &err), 0);
	assert_true(known_fields(&schema_root, root) > 150);
	parse_bad(text.data, text.len,
		  "b.yaml:10:7: includes 'build/common.yaml', which is not at hand here");
}

static void least(void **state)
{
	struct spec *s = good(HEAD BUILD);
	(void)state;

	assert_string_equal(s->file, "b.yaml");
	assert_true(s->default_source);
	assert_int_equal(s->nsources, 1);
	assert_string_equal(s->sources[0].name, "src");
	assert_string_equal(s->sources[0].path, ".");
	assert_string_equal(s->sources[0].mount, "/src");
	assert_true(s->sources[0].gitignore);
	assert_int_equal(s->sources[0].pos.line, 0);
	assert_string_equal(s->build.name, "build");
	assert_string_equal(s->build.workdir, "/src");
	assert_true(s->build.required);
	assert_int_equal(s->build.network, SPEC_NET_NONE);
	assert_int_equal(s->build.timeout_ms, 0);
	assert_int_equal(s->build.pos.line, 7);
	assert_int_equal(s->build.pos.col, 5);
	assert_int_equal(s->build.command.argv.n, 0);
	assert_string_equal(s->profile, "default");
	assert_int_equal(s->profile_pos.line, 0);
	assert_int_equal(s->uid, 1000);
	assert_int_equal(s->gid, 1000);
	assert_string_equal(s->hostname, "glovebox");
	assert_int_equal(s->source_date_epoch, 315532800);
	assert_int_equal(s->workdir, SPEC_WORKDIR_MEMORY);
	assert_string_equal(s->artifact.base, "rootfs");
	assert_null(s->artifact.image_name);
	assert_int_equal(s->artifact.nlayers, 0);
	assert_int_equal(s->artifact.compression, SPEC_GZIP);
	assert_null(s->rootfs_ref);
	assert_true(s->caching);
	assert_int_equal(s->ntests, 0);
	assert_int_equal(s->nunsupported, 0);
	spec_free(s);
}

static void much(void **state)
{
	struct spec *s = good(
		"apiVersion: platform.build/v1\nkind: BuildSpec\nmetadata: { name: x, labels: { team: a, \"tier\": \"\" } }\nspec:\n"
		"  rootfs: { ref: \"oci:registry.example.com:5000/base/c@" DIGEST "\", mode: readonly }\n"
		"  sandbox: { profile: policy/own.yaml, network: loopback, user: { uid: 0, gid: 65533 }, hostname: a.b-c,\n"
		"    clock: { sourceDateEpoch: 0 }, env: { B: \"1\", A: \"\" }, proc: masked, workdir: disk, limits: best-effort }\n"
		"  sources:\n"
		"    - { name: app, path: ../app, mount: /srv/app, exclude: [node_modules, \"*.log\"], gitignore: true }\n"
		"    - { name: lib, path: /usr/share/lib }\n"
		"  build:\n"
		"    argv: [make, \"\", \"-j2\"]\n    workdir: /lib/sub\n    timeout: 1h30m\n"
		"    resources: { pids: 512, tmp: 1Gi, files: 4096, cpu: \"1.5\", memory: 2Gi, fileSize: 3Gi, work: 4Gi, workFiles: 99, output: 5Mi }\n"
		"    artifact: { base: scratch, imageName: team/x, config: { entrypoint: [/bin/x], cmd: [a], env: { P: q }, user: \"0\",\n"
		"      labels: { a.b: c }, workingDir: / } }\n"
		"  tests:\n"
		"    - { name: t, command: \"a \\u263A\", network: none, timeout: 90, required: false, kind: unit, workdir: /srv/app }\n"
		"    - { name: u, argv: [b] }\n"
		"  caching: { enabled: false }\n"
		"  provenance: { format: slsa-v1, requireBuilderId: \"https://ci.example.com/1\" }\n");
	(void)state;

	assert_int_equal(s->labels.n, 2);
	assert_string_equal(s->labels.v[1].name, "tier");
	assert_string_equal(s->labels.v[1].value, "");
	assert_int_equal(s->labels.v[1].pos.col, 41);
	assert_int_equal(s->rootfs_pos.line, 5);
	assert_int_equal(s->rootfs_pos.col, 18);
	assert_string_equal(s->profile, "policy/own.yaml");
	assert_int_equal(s->build.network, SPEC_NET_LOOPBACK);
	assert_int_equal(s->uid, 0);
	assert_int_equal(s->gid, 65533);
	assert_int_equal(s->source_date_epoch, 0);
	/* Maps keep the order of the text. */
	assert_string_equal(s->env.v[0].name, "B");
	assert_int_equal(s->workdir, SPEC_WORKDIR_DISK);
	assert_false(s->default_source);
	assert_int_equal(s->nsources, 2);
	assert_true(s->sources[0].gitignore);
	assert_false(s->sources[1].gitignore);
	assert_string_equal(s->sources[1].mount, "/lib");
	assert_int_equal(s->sources[1].pos.line, 10);
	assert_string_equal(s->build.workdir, "/lib/sub");
	assert_null(s->build.command.shell);
	assert_int_equal(s->build.command.argv.n, 3);
	assert_string_equal(s->build.command.argv.v[1], "");
	assert_int_equal(s->build.command.pos.col, 11);
	assert_int_equal(s->build.timeout_ms, 5400000);
	assert_int_equal(s->build.limits.tmp, 1 << 30);
	assert_string_equal(s->build.limits.cpu, "1.5");
	assert_int_equal(s->build.limits.memory, 2ll << 30);
	assert_int_equal(s->build.limits.file_size, 3ll << 30);
	assert_int_equal(s->build.limits.work, 4ll << 30);
	assert_int_equal(s->build.limits.work_files, 99);
	assert_int_equal(s->build.limits.output, 5 << 20);
	assert_int_equal(s->limits, SPEC_LIMITS_BEST_EFFORT);
	assert_string_equal(s->artifact.config.workdir, "/");
	assert_int_equal(s->tests[0].network, SPEC_NET_NONE);
	assert_int_equal(s->tests[0].timeout_ms, 90000);
	assert_string_equal(s->tests[0].command.shell, "a \xe2\x98\xba");
	assert_string_equal(s->tests[1].workdir, "/srv/app");
	assert_int_equal(s->tests[1].network, SPEC_NET_LOOPBACK);
	assert_true(s->tests[1].required);
	assert_string_equal(s->require_builder_id, "https://ci.example.com/1");
	spec_free(s);
}

static void mounts(void **state)
{
	static const char *const taken[] = { "/", "/dev", "/dev/x", "/proc", "/sys/a", "/etc/x", "/tmp", "/build", "/build/home" };
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		auto_buf text = {0}, want = {0};

		buf_addf(&text, HEAD BUILD "  sources:\n    - { name: a, path: b, mount: %s }\n", taken[i]);
		buf_addf(&want, "b.yaml:9:34: spec.sources[0].mount: expected %s, found '%s'; for example: /src", form_mount.what, taken[i]);
		bad(text.data, want.data);
	}
	spec_free(good(HEAD BUILD "  sources: [{ name: a, path: b, mount: /device }, { name: b, path: c, mount: /devic }]\n"));
	bad(HEAD BUILD "  sources:\n  - { name: tmp, path: a }\n",
	    "b.yaml:9:13: spec.sources[0].name: the implied mount /tmp is a place that the sandbox needs; add a mount, such as /src");
	bad(HEAD BUILD "  sources:\n  - { name: a, path: a, mount: /x }\n  - { name: a, path: b }\n",
	    "b.yaml:10:13: spec.sources[1].name: the name 'a' is taken by the source at line 9; choose another");
	bad(HEAD BUILD "  sources:\n  - { name: a, path: a }\n  - { name: b, path: b, mount: /a }\n",
	    "b.yaml:10:32: spec.sources[1].mount: source 'a' is mounted on /a already (line 9); choose another mount");
	bad(HEAD BUILD "  sources:\n  - { name: a, path: a, mount: /b }\n  - { name: b, path: b }\n",
	    "b.yaml:10:5: spec.sources[1]: source 'a' is mounted on /b already (line 9); choose another mount");
	bad(HEAD BUILD "  sources:\n  - { name: a, path: a }\n  - { name: b, path: b, mount: /a/b }\n",
	    "b.yaml:10:32: spec.sources[1].mount: /a/b and source 'a' on /a (line 9) lie one inside the other, which is not implemented "
	    "in this version of glovebox; choose mounts beside each other");
	bad(HEAD BUILD "  sources:\n  - { name: b, path: b, mount: /a/b }\n  - { name: a, path: a }\n",
	    "b.yaml:10:5: spec.sources[1]: /a and source 'b' on /a/b (line 9) lie one inside the other, which is not implemented "
	    "in this version of glovebox; choose mounts beside each other");
}

static void gitignore(void **state)
{
	struct spec *s = good(HEAD BUILD "  gitignore: false\n");
	(void)state;

	assert_false(s->sources[0].gitignore);
	spec_free(s);
	s = good(HEAD BUILD "  gitignore: true\n");
	assert_true(s->sources[0].gitignore);
	spec_free(s);
	bad(HEAD BUILD "  sources: [{ name: a, path: a }]\n  gitignore: false\n",
	    "b.yaml:9:3: spec.gitignore: it is about the implied source, but there are sources; set gitignore in each source instead");
}

static void workdirs(void **state)
{
	(void)state;
	spec_free(good(HEAD BUILD "    workdir: /src/a/b\n"));
	bad(HEAD BUILD "    workdir: /srcs\n",
	    "b.yaml:8:14: spec.build.workdir: /srcs is not at or below the mount of a source; these are: /src");
	bad(HEAD BUILD "  sources: [{ name: a, path: a }, { name: b, path: b }]\n  tests: [{ name: t, command: c, workdir: /usr }]\n",
	    "b.yaml:9:43: spec.tests[0].workdir: /usr is not at or below the mount of a source; these are: /a, /b");
}

static void tests(void **state)
{
	(void)state;
	bad(HEAD BUILD "  tests:\n  - { name: build, command: c }\n",
	    "b.yaml:9:13: spec.tests[0].name: 'build' is the build step's name; choose another");
	bad(HEAD BUILD "  tests:\n  - { name: t, command: c }\n  - { name: u, command: c }\n  - { name: t, command: c }\n",
	    "b.yaml:11:13: spec.tests[2].name: the name 't' is taken by the test at line 9; choose another");
	bad(HEAD BUILD "  tests:\n  - { name: ../t, command: c }\n",
	    "b.yaml:9:13: spec.tests[0].name: expected a name of letters, digits, '.', '_' and '-' that begins with a letter or digit, "
	    "found '../t'; for example: web-1");
	bad(HEAD "  build: { argv: [a], command: b }\n",
	    "b.yaml:6:23: spec.build.command: command and argv exclude each other; remove one of them");
	bad(HEAD "  build: {}\n", "b.yaml:6:10: spec.build: 'command' is missing; add command or argv");
	bad(HEAD "  build: { command: \" \\n\" }\n",
	    "b.yaml:6:21: spec.build.command: expected a command line that is not blank, found ' \\012'; for example: make");
}

static void artifacts(void **state)
{
	struct spec *s = good(HEAD BUILD
		"    workdir: /lib/sub\n"
		"    artifact:\n"
		"      base: oci:./base@" DIGEST "\n"
		"      compression: none\n"
		"      layers:\n"
		"      - { from: app, to: /srv }\n"
		"      - { from: \"build:lib\", to: /, uid: 7, gid: 4294967294, mode: \"0640\" }\n"
		"      config:\n"
		"        exposedPorts: [\"8080\", 53/udp]\n"
		"        volumes: [/data]\n"
		"        stopSignal: SIGINT\n"
		"        author: a b\n"
		"        healthcheck: { argv: [/bin/ask, me], interval: 30s, timeout: 500ms, startPeriod: 1m, retries: 3 }\n"
		"  sources: [{ name: app, path: a }, { name: lib, path: b }]\n");
	const struct spec_image_config *c = &s->artifact.config;
	(void)state;

	assert_int_equal(s->artifact.compression, SPEC_UNCOMPRESSED);
	assert_int_equal(s->artifact.base_pos.line, 10);
	assert_int_equal(s->artifact.nlayers, 2);
	assert_string_equal(s->artifact.layers[0].from, "app");
	assert_null(s->artifact.layers[0].mode);
	assert_string_equal(s->artifact.layers[1].to, "/");
	assert_int_equal(s->artifact.layers[1].uid, 7);
	assert_int_equal(s->artifact.layers[1].gid, 4294967294u);
	assert_string_equal(s->artifact.layers[1].mode, "0640");
	assert_int_equal(s->artifact.layers[1].pos.line, 14);
	assert_string_equal(c->ports.v[1], "53/udp");
	assert_string_equal(c->volumes.v[0], "/data");
	assert_string_equal(c->stop_signal, "SIGINT");
	assert_string_equal(c->author, "a b");
	assert_int_equal(c->health.command.argv.n, 2);
	assert_int_equal(c->health.interval_ms, 30000);
	assert_int_equal(c->health.timeout_ms, 500);
	assert_int_equal(c->health.start_period_ms, 60000);
	assert_int_equal(c->health.retries, 3);
	spec_free(s);
	bad(HEAD BUILD "    artifact: { layers: [{ from: bin, to: / }] }\n",
	    "b.yaml:8:34: spec.build.artifact.layers[0].from: there is no 'bin' to make a layer of; there are: build:src, src");
	bad(HEAD BUILD "    artifact: { layers: [{ from: \"build:app\", to: / }] }\n  sources: [{ name: lib, path: b }, { name: app, path: a }]\n",
	    "b.yaml:8:34: spec.build.artifact.layers[0].from: there is no 'build:app' to make a layer of; there are: build:lib, lib, app");
	bad(HEAD BUILD "    artifact: { layers: [{ from: \"src:src\", to: / }] }\n",
	    "b.yaml:8:34: spec.build.artifact.layers[0].from: there is no 'src:src' to make a layer of; there are: build:src, src");
}

static void publishing(void **state)
{
	struct spec *s = good(HEAD BUILD "  publish: { tags: [a], when: [tag, main], retry: { attempts: 4, backoff: exponential, initialDelay: 1s, maxDelay: 60s } }\n");
	(void)state;

	assert_int_equal(s->publish_when.n, 2);
	assert_string_equal(s->publish_when.v[1], "main");
	assert_int_equal(s->publish_when_pos.line, 8);
	assert_int_equal(s->publish_when_pos.col, 31);
	assert_int_equal(s->publish_retry.attempts, 4);
	assert_int_equal(s->publish_retry.first_ms, 1000);
	assert_int_equal(s->publish_retry.most_ms, 60000);
	spec_free(s);
	s = good(HEAD BUILD);
	assert_int_equal(s->publish_when.n, 0);
	assert_int_equal(s->publish_retry.attempts, 5);
	assert_int_equal(s->publish_retry.first_ms, 500);
	assert_int_equal(s->publish_retry.most_ms, 30000);
	spec_free(s);
	bad(HEAD BUILD "  publish: { when: [] }\n", "b.yaml:8:20: spec.publish.when: needs at least 1 entry; add one or remove the key");
	bad(HEAD BUILD "  publish: { when: [branch] }\n",
	    "b.yaml:8:21: spec.publish.when[0]: expected tag or main, found 'branch'; for example: tag");
	bad(HEAD BUILD "  publish: { retry: { attempts: 0 } }\n", "b.yaml:8:33: spec.publish.retry.attempts: '0' is out of range; expected 1 to 20");
	bad(HEAD BUILD "  publish: { retry: { initialDelay: 3s, maxDelay: 2s } }\n",
	    "b.yaml:8:51: spec.publish.retry.maxDelay: shorter than spec.publish.retry.initialDelay");
	s = good(HEAD BUILD "  publish: { retry: { initialDelay: 31s } }\n");
	assert_int_equal(s->publish_retry.most_ms, 31000);
	spec_free(s);
}

static void reproducible(void **state)
{
	struct spec *s = good(HEAD BUILD "    reproducible: { check: 3, vary: [time, hostname, readdir-order, cpus] }\n");
	(void)state;

	assert_int_equal(s->reproducible.check, 3);
	assert_int_equal(s->reproducible.vary.n, 4);
	assert_string_equal(s->reproducible.vary.v[2], "readdir-order");
	spec_free(s);
	s = good(HEAD BUILD);
	assert_int_equal(s->reproducible.check, 0);
	assert_int_equal(s->reproducible.vary.n, 0);
	spec_free(s);
	bad(HEAD BUILD "    reproducible: { check: 1 }\n", "b.yaml:8:28: spec.build.reproducible.check: '1' is out of range; expected 2 to 100");
	bad(HEAD BUILD "    reproducible: { check: 2, vary: [order] }\n", "b.yaml:8:38: spec.build.reproducible.vary[0]: expected all, cpus, host-path, host-uid, load, pids, readdir-order or time, or hostname, "
	    "locale, path, timezone or uid, found 'order'; for example: readdir-order");
	bad(HEAD BUILD "    reproducible: { check: 2, vary: [cpus, all] }\n", "b.yaml:8:37: spec.build.reproducible.vary: all stands alone: it is one run with everything that the host can vary");
}

static void single_values(void **state)
{
	struct err err = {0};
	(void)state;

	assert_int_equal(spec_check_value("spec.build.artifact.config.user", "7:8", &err), 0);
	assert_int_equal(spec_check_value("spec.build.artifact.config.exposedPorts", "80/tcp", &err), 0);
	assert_int_equal(spec_check_value("spec.build.artifact.config.env", "A", &err), 0);
	assert_int_equal(spec_check_value("spec.build.artifact.config.env", "A B", &err), -1);
	assert_string_equal(err.msg, "expected a variable's name: letters, digits and '_', not beginning with a digit, found 'A B'; "
				     "for example: LANG");
	assert_int_equal(spec_check_value("spec.build.artifact.config.user", "\xff", &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(spec_check_value("spec.build", "x", &err), -1);
	assert_int_equal(err.kind, ERR_INTERNAL);
}

static void environment(void **state)
{
	(void)state;
	spec_free(good(HEAD BUILD "  sandbox: { env: { LANG: C, TZ: UTC, PATH: /x, _a1: \"\" } }\n"));
	bad(HEAD BUILD "  sandbox:\n    env:\n      SOURCE_DATE_EPOCH: \"1\"\n",
	    "b.yaml:10:7: spec.sandbox.env.SOURCE_DATE_EPOCH: set by glovebox itself; write spec.sandbox.clock.sourceDateEpoch instead");
	bad(HEAD BUILD "  sandbox: { env: { 1A: x } }\n",
	    "b.yaml:8:21: spec.sandbox.env.1A: expected a variable's name: letters, digits and '_', not beginning with a digit, "
	    "found '1A'; for example: LANG");
	bad(HEAD BUILD "  sandbox: { env: { \"A=B\": x } }\n",
	    "b.yaml:8:21: spec.sandbox.env.'A=B': expected a variable's name: letters, digits and '_', not beginning with a digit, "
	    "found 'A=B'; for example: LANG");
	bad(HEAD BUILD "  sandbox: { env: { no: x } }\n",
	    "b.yaml:8:21: spec.sandbox.env.no: the name 'no' is not a string to every YAML reader; put it in quotes");
	bad(HEAD BUILD "  sandbox: { env: { CI: true } }\n",
	    "b.yaml:8:25: spec.sandbox.env.CI: expected a string, found the boolean true; put it in quotes");
	bad(HEAD BUILD "  sandbox: { clock: { sourceDateEpoch: \"1\" } }\n",
	    "b.yaml:8:40: spec.sandbox.clock.sourceDateEpoch: expected a whole number, found the string '1'; "
	    "write it in decimal digits, without quotes");
	bad(HEAD BUILD "  runtimeVersion: 1.20\n",
	    "b.yaml:8:19: spec.runtimeVersion: expected a string, found the number '1.20'; put it in quotes");
}

/* Errors come in the order of the text, so that the first thing to mend is said first. */
static void first_error_first(void **state)
{
	(void)state;
	bad("kind: BuildSpek\napiVersoin: x\n", "b.yaml:1:7: kind: expected BuildSpec, found 'BuildSpek'; did you mean 'BuildSpec'?");
	bad("apiVersion: platform.build/v2\n",
	    "b.yaml:1:13: apiVersion: expected platform.build/v1, found 'platform.build/v2'; did you mean 'platform.build/v1'?");
}

static void errors_of_callers(void **state)
{
	struct spec *s = good(HEAD BUILD);
	struct err err = {0};
	(void)state;

	assert_int_equal(spec_error(s, s->build.pos, ERR_INPUT, &err, "no such %s", "thing"), -1);
	assert_string_equal(err.msg, "b.yaml:7:5: no such thing");
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(spec_error(s, s->profile_pos, ERR_USAGE, &err, "no"), -1);
	assert_string_equal(err.msg, "b.yaml: no");
	spec_free(s);
	spec_free(NULL);
}

/* The page's list names every field that can be given, and those that cannot yet. */
static void manual(void **state)
{
	auto_buf out = {0};
	struct err err = {0};
	const struct schema_row *row;
	size_t n = 0;
	(void)state;

	assert_int_equal(spec_fields_scdoc(&out, &err), 0);
	char *later = strstr(out.data, "## Known");
	assert_non_null(later);
	for (size_t i = 0; (row = schema_at(i)) != NULL; i++) {
		char name[128], *to = name;

		*to++ = '*';
		for (const char *c = row->path; *c != '\0'; c++) {
			if (*c == '.')
				*to++ = '\\';
			*to++ = *c;
		}
		strcpy(to, "*");
		const char *at = strstr(out.data, name);
		if (row->status != SCHEMA_LATER) {
			assert_non_null(at);
			assert_true(at < later);
			n++;
		} else {
			assert_true(at == NULL || at > later);
		}
	}
	assert_true(n > 60);
	assert_non_null(strstr(later, "- *spec\\.steps*: "));
}

static void kinds_of_sources(void **state)
{
	struct spec *s;

	(void)state;
	s = good(HEAD BUILD "  sources:\n"
		 "  - { name: z, url: \"https://h.example/z.tgz\", digest: \"sha256:4444444444444444444444444444444444444444444444444444444444444444\", size: 12, unpack: true }\n"
		 "  - { name: g, git: { url: ., ref: main, submodules: true } }\n"
		 "  - { name: h, git: { url: ., commit: 4b220de5058abfd01ff619c9d2ff6b09a049bea0 } }\n");
	assert_null(s->sources[0].path);
	assert_string_equal(s->sources[0].url, "https://h.example/z.tgz");
	assert_int_equal(s->sources[0].size, 12);
	assert_true(s->sources[0].unpack);
	assert_false(s->sources[1].unpack);
	assert_true(s->sources[1].git_submodules);
	assert_string_equal(s->sources[1].git_ref, "main");
	assert_null(s->sources[1].git_commit);
	assert_false(s->sources[2].git_submodules);
	spec_free(s);
	bad(HEAD BUILD "  sources: [{ name: a, path: b, size: 1 }]\n",
	    "b.yaml:8:33: spec.sources[0].size: it is about a source with a url; remove it");
	bad(HEAD BUILD "  sources: [{ name: a, path: b, unpack: true }]\n",
	    "b.yaml:8:33: spec.sources[0].unpack: it is about a source with a url; remove it");
	bad(HEAD BUILD "  sources: [{ name: a, url: \"https://h/a\", gitignore: true }]\n",
	    "b.yaml:8:44: spec.sources[0].gitignore: it is about a source with a path; remove it");
	bad(HEAD BUILD "  sources: [{ name: a, path: b, url: \"https://h/a\" }]\n",
	    "b.yaml:8:33: spec.sources[0].url: path and url exclude each other; remove one of them");
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(seed),
		cmocka_unit_test(full),
		cmocka_unit_test(least),
		cmocka_unit_test(much),
		cmocka_unit_test(mounts),
		cmocka_unit_test(gitignore),
		cmocka_unit_test(workdirs),
		cmocka_unit_test(tests),
		cmocka_unit_test(artifacts),
		cmocka_unit_test(publishing),
		cmocka_unit_test(reproducible),
		cmocka_unit_test(single_values),
		cmocka_unit_test(environment),
		cmocka_unit_test(first_error_first),
		cmocka_unit_test(errors_of_callers),
		cmocka_unit_test(manual),
		cmocka_unit_test(kinds_of_sources),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}

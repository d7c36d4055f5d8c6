/* SPDX-License-Identifier: Apache-2.0 */
/* buildspec.lock: written, read back, and refused where it is stale, changed or malformed. */
#include "spec/lock.h"
#include "tests/unit/spec/helper.h"

#define OPEN HEAD "  rootfs: { ref: tiny }\n" BUILD "  sources:\n" \
	"  - { name: z, url: \"https://h.example/z\" }\n  - { name: g, git: { url: r, ref: main } }\n  - { name: d, path: d }\n"
#define COMMIT "4b220de5058abfd01ff619c9d2ff6b09a049bea0"

/** A full lock's text for a spec (free). */
static char *lock_for(const struct spec *spec)
{
	auto_spec_lock lock = {0};
	struct err err = {0};
	auto_buf out = {0};

	assert_int_equal(spec_lock_wants(spec, &lock, &err), 0);
	for (size_t i = 0; i < lock.n; i++) {
		lock.v[i].rootfs = strdup("tiny@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
		lock.v[i].commit = strdup(COMMIT);
		lock.v[i].size = 12;
	}
	assert_int_equal(spec_lock_write(&lock, &out, &err), 0);
	return buf_take(&out);
}

static void there_and_back(void **state)
{
	auto_spec spec = good(OPEN);
	auto_free char *text = lock_for(spec);
	auto_spec_lock lock = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(spec_lock_parse("l", text, strlen(text), spec, &lock, &err), 0);
	assert_int_equal(lock.n, 3);
	assert_string_equal(lock.v[0].at, "rootfs");
	assert_string_equal(lock.v[0].rootfs, "tiny@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	assert_string_equal(lock.v[1].at, "sources.z");
	assert_int_equal(lock.v[1].size, 12);
	assert_int_equal(lock.v[2].source, 1);
	assert_string_equal(lock.v[2].commit, COMMIT);
	auto_free char *again = lock_for(spec);
	assert_string_equal(text, again);
}

static void what_is_open(void **state)
{
	static const struct {
		const char *rest;
		size_t n;
	} rows[] = {
		{ "", 0 }, { "  rootfs: { ref: a }\n", 1 }, { "  language: c\n", 1 }, { "  runtimeVersion: \"1\"\n", 0 },
		{ "  rootfs: { ref: \"a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\" }\n", 0 },
		{ "  sources: [{ name: a, git: { url: r, commit: " COMMIT " } }]\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf text = {0};
		auto_spec_lock lock = {0};
		struct err err = {0};

		buf_addf(&text, HEAD BUILD "%s", rows[i].rest);
		auto_spec spec = good(text.data);
		assert_int_equal(spec_lock_wants(spec, &lock, &err), 0);
		assert_int_equal(lock.n, rows[i].n);
	}
}

static void refuse(const struct spec *spec, const char *text, size_t n, const char *want)
{
	struct spec_lock lock = {0};
	struct err err = {0};

	assert_int_equal(spec_lock_parse("l", text, n, spec, &lock, &err), -1);
	if (strncmp(err.msg, want, strlen(want)) != 0)
		fail_msg("'%s' does not begin with '%s'", err.msg, want);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_null(lock.v);
}

/** The text with a checksum that fits, whatever it says: what a forger would write. */
static void refuse_summed(const struct spec *spec, const char *body, const char *want)
{
	char digest[DIGEST_STR_SIZE];
	struct err err = {0};
	struct digest d;
	auto_buf text = {0};

	assert_int_equal(hash_bytes(body, strlen(body), &d, &err), 0);
	buf_addf(&text, "%schecksum: \"%s\"\n", body, digest_str(&d, digest));
	refuse(spec, text.data, text.len, want);
}

static void refusals(void **state)
{
	static const char *const others[] = {
		HEAD "  rootfs: { ref: other }\n" BUILD "  sources:\n  - { name: z, url: \"https://h.example/z\" }\n  - { name: g, git: { url: r, ref: main } }\n",
		HEAD "  rootfs: { ref: tiny }\n" BUILD "  sources:\n  - { name: z, url: \"https://h.example/y\" }\n  - { name: g, git: { url: r, ref: main } }\n",
		HEAD "  rootfs: { ref: tiny }\n" BUILD "  sources:\n  - { name: z, url: \"https://h.example/z\" }\n  - { name: g, git: { url: r, ref: dev } }\n",
		HEAD "  rootfs: { ref: tiny }\n" BUILD "  sources:\n  - { name: z, url: \"https://h.example/z\" }\n",
		OPEN "  - { name: more, url: \"https://h.example/z\" }\n",
	};
	static const char *const stale[] = { "l:4:5: stale: ", "l:7:5: stale: ", "l:11:5: stale: ", "l:11:5: stale: ", "l:4:3: stale: 'sources.more'" };
	auto_spec spec = good(OPEN);
	auto_free char *text = lock_for(spec);
	size_t n = strlen(text);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		auto_spec other = good(others[i]);

		refuse(other, text, n, stale[i]);
	}
	/* Any byte that is changed, and any end that is cut off. */
	for (size_t i = 0; i < n; i++) {
		char was = text[i];

		text[i] = was == 'x' ? 'y' : 'x';
		refuse(spec, text, n, "l:");
		text[i] = was;
		refuse(spec, text, i, "l:");
	}
	refuse_summed(spec, "", "l:1:1: ");
	refuse_summed(spec, "schema: x\npins: []\n", "l:1:9: of another schema");
	refuse_summed(spec, "pins: []\n", "l:1:1: 'schema' is missing");
	refuse_summed(spec, "schema: " SPEC_LOCK_SCHEMA "\n", "l:1:1: 'pins' is missing");
	refuse_summed(spec, "schema: " SPEC_LOCK_SCHEMA "\npins: []\n", "l:2:7: stale: 'rootfs'");
	refuse_summed(spec, "schema: " SPEC_LOCK_SCHEMA "\npins: [1]\n", "l:2:8: not a mapping");
	refuse_summed(spec, "schema: " SPEC_LOCK_SCHEMA "\npins: [{ at: rootfs }]\n", "l:2:8: 'asks' is missing");
	refuse_summed(spec, "schema: " SPEC_LOCK_SCHEMA "\npins: [{ at: rootfs, asks: x }]\n", "l:2:28: 'asks' is malformed");
	refuse_summed(spec, "- a\n", "l:");
	refuse_summed(spec, "a: &b c\n", "l:1:4: anchor");
}

/** A pin's value that has another form than it may. */
static void malformed_pins(void **state)
{
	static const char *const rows[][2] = {
		{ "rootfs: \"tiny@", "rootfs: \"tiny" }, { "commit: \"4", "commit: \"g" }, { "size: 12", "size: -1" }, { "digest: \"sha256:0", "digest: \"sha256:g" },
		{ "size: 12", "size: 9999999999999999999" },
	};
	auto_spec spec = good(OPEN);
	auto_free char *text = lock_for(spec);

	(void)state;
	*strstr(text, "checksum") = '\0';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *at = strstr(text, rows[i][0]);
		auto_buf body = {0};

		assert_non_null(at);
		buf_add(&body, text, (size_t)(at - text));
		buf_addf(&body, "%s%s", rows[i][1], at + strlen(rows[i][0]));
		refuse_summed(spec, body.data, "l:");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(what_is_open),
		cmocka_unit_test(refusals),
		cmocka_unit_test(malformed_pins),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/** @file helper.h Keys of every kind, a small build and its bundle, for the tests of attest/. */
#ifndef GB_TEST_ATTEST_HELPER_H
#define GB_TEST_ATTEST_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>

#include "attest/attest.h"

/** Asserts success and shows the message otherwise. */
#define must(call)                                                             \
	do {                                                                   \
		if ((call) < 0)                                                \
			fail_msg("%s: kind %d: %s", #call, err.kind, err.msg); \
	} while (0)

/** Asserts failure of that kind, and that the message says @p text. */
#define must_fail(call, want_kind, text)                                                      \
	do {                                                                                  \
		err = (struct err){0};                                                        \
		if ((call) == 0)                                                              \
			fail_msg("%s: passed, expected \"%s\"", #call, text);                 \
		if (strstr(err.msg, text) == NULL)                                            \
			fail_msg("%s: said \"%s\", expected \"%s\"", #call, err.msg, text);   \
		assert_int_equal(err.kind, want_kind);                                        \
	} while (0)

/** A key pair in text and parsed. */
struct pair {
	struct buf secret_pem, public_pem;
	struct key *secret, *open;
};

static inline void pair_clear(struct pair *p)
{
	buf_free(&p->secret_pem);
	buf_free(&p->public_pem);
	key_free(p->secret);
	key_free(p->open);
}
#define auto_pair __attribute__((cleanup(pair_clear))) struct pair

static inline struct pair pair_of(enum key_type type)
{
	struct err err = {0};
	struct pair p = {0};

	must(key_generate(type, &p.secret_pem, &p.public_pem, &err));
	must(key_read_private(p.secret_pem.data, p.secret_pem.len, "new.pem", &p.secret, &err));
	must(key_read_public(p.public_pem.data, p.public_pem.len, "new.pub.pem", &p.open, &err));
	return p;
}

static inline struct pair pair_new(void)
{
	return pair_of(KEY_P256);
}

/** A file of the test's data, read from the top of the tree. */
static inline void read_data(const char *name, struct buf *out)
{
	struct err err = {0};
	char path[200];

	snprintf(path, sizeof path, "tests/unit/attest/data/%s", name);
	must(io_read_file(AT_FDCWD, path, 1 << 20, out, &err));
}

/** externalParameters of a spec with this text. */
static inline json_t *external_of(const char *text)
{
	struct err err = {0};
	struct digest d;
	char hex[DIGEST_HEX_SIZE];

	must(hash_bytes(text, strlen(text), &d, &err));
	json_t *j = json_pack("{s:{s:s, s:{s:s}, s:s}, s:{s:i}}", "spec", "fileName", "build.yaml", "digest", "sha256",
			      digest_hex(&d, hex), "text", text, "options", "sourceDateEpoch", 315532800);
	assert_non_null(j);
	return j;
}

/** A digest all of whose bytes are @p byte. */
static inline struct digest digest_of(uint8_t byte)
{
	struct digest d;

	memset(d.b, byte, sizeof d.b);
	return d;
}

/** The statement of a small build whose every value is fixed; @p spec is the spec's text. */
static inline void statement_of(const char *spec, struct digest image, struct digest tar, struct buf *out)
{
	struct err err = {0};
	auto_json external = external_of(spec);
	auto_json internal = json_pack("{s:s, s:s}", "codec", "none", "network", "none");
	const struct attest_dependency deps[] = {
		{ "rootfs", "glovebox:rootfs/debian12", digest_of(0x33), "glovebox-tree-sha256" },
		{ "src", "file:.", digest_of(0x44), "glovebox-tree-sha256" },
		{ "profile", NULL, digest_of(0x55), "sha256" },
	};
	const struct attest_dependency logs[] = { { "build.log", "file:logs/build.log", digest_of(0x66), "sha256" } };
	const struct attest_build build = {
		.image_name = "hello", .image_digest = image, .image_tar_digest = tar,
		.external = external, .internal = internal,
		.deps = deps, .ndeps = ARRAY_LEN(deps),
		.builder_id = "https://ci.example.com/runners/1", .version = "0.1.0", .binary = digest_of(0x77),
		.invocation_id = "urn:uuid:6f1f2b9a-2b3e-4a52-9a62-2f3f5a0a5b11",
		.started = 1767225600, .finished = 1767225607,
		.byproducts = logs, .nbyproducts = ARRAY_LEN(logs),
	};

	must(attest_statement(&build, out, &err));
}

/** That statement signed. */
static inline void bundle_of(const struct key *key, const char *spec, struct buf *out)
{
	struct err err = {0};
	auto_buf statement = {0};

	statement_of(spec, digest_of(0x11), digest_of(0x22), &statement);
	must(attest_sign(key, statement.data, statement.len, out, &err));
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <sys/mman.h>

/* FIPS 180-4 examples, and the million "a" of NIST's test vectors. */
static const struct {
	const char *text;
	size_t times;
	const char *hex;
} known[] = {
	{ "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu", 1,
	  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
	{ "aaaaaaaaaa", 100000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
};

static void known_answers(void **state)
{
	struct err err = {0};
	char hex[DIGEST_HEX_SIZE];
	auto_hasher h = hasher_new();

	(void)state;
	assert_non_null(h);
	/* One hasher for all: each final starts afresh. */
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct digest d;

		for (size_t k = 0; k < known[i].times; k++)
			hasher_add(h, known[i].text, strlen(known[i].text));
		assert_int_equal(hasher_final(h, &d, &err), 0);
		assert_string_equal(digest_hex(&d, hex), known[i].hex);
	}
}

static void known_answers_in_one_call(void **state)
{
	struct err err = {0};
	char hex[DIGEST_HEX_SIZE];
	struct digest d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (known[i].times != 1)
			continue;
		assert_int_equal(hash_bytes(known[i].text, strlen(known[i].text), &d, &err), 0);
		assert_string_equal(digest_hex(&d, hex), known[i].hex);
	}
	assert_int_equal(hash_bytes(NULL, 0, &d, &err), 0);
	assert_string_equal(digest_hex(&d, hex), known[0].hex);
}

static void pieces_do_not_matter(void **state)
{
	struct err err = {0};
	struct digest whole, pieces;
	unsigned char data[1000];
	auto_hasher h = hasher_new();

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 7);
	assert_int_equal(hash_bytes(data, sizeof data, &whole, &err), 0);
	for (size_t step = 1; step < 200; step += 13) {
		for (size_t i = 0; i < sizeof data; i += step)
			hasher_add(h, data + i, step < sizeof data - i ? step : sizeof data - i);
		assert_int_equal(hasher_final(h, &pieces, &err), 0);
		assert_true(digest_eq(&whole, &pieces));
	}
}

static void a_file_from_its_offset(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	struct digest d, want;
	uint64_t size = 0;
	size_t n = 600000; /* more than two reads */
	auto_free char *data = malloc(n);

	assert_non_null(data);
	for (size_t i = 0; i < n; i++)
		data[i] = (char)(i >> 3);
	put(p, "f", data, n, 0600);
	auto_fd fd = openat(p->fd, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(hash_fd(fd, &d, &size, &err), 0);
	assert_int_equal(hash_bytes(data, n, &want, &err), 0);
	assert_true(digest_eq(&d, &want));
	assert_int_equal(size, n);

	/* At the end there is nothing left. */
	assert_int_equal(hash_fd(fd, &d, &size, &err), 0);
	assert_int_equal(size, 0);

	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	assert_int_equal(hash_fd(fd, &d, NULL, &err), 0);
	assert_int_equal(hash_bytes(data + 5, n - 5, &want, &err), 0);
	assert_true(digest_eq(&d, &want));

	/* All of it, and the offset has no part in that. */
	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	assert_int_equal(hash_file(fd, &d, &err), 0);
	assert_int_equal(hash_bytes(data, n, &want, &err), 0);
	assert_true(digest_eq(&d, &want));
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
}

static void a_failure_touches_no_output(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	struct digest d, before;
	uint64_t size = 77;

	memset(&d, 0x5a, sizeof d);
	before = d;
	assert_int_equal(hash_fd(p->fd, &d, &size, &err), -1);
	assert_error(err, ERR_INTERNAL, EISDIR, "read a file to hash it");
	assert_int_equal(hash_fd(-1, &d, &size, &err), -1);
	assert_int_equal(err.sys, EBADF);
	assert_true(digest_eq(&d, &before));
	assert_int_equal(size, 77);
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void text_form_and_back(void **state)
{
	struct digest d = {0}, e;
	char hex[DIGEST_HEX_SIZE], str[DIGEST_STR_SIZE];

	(void)state;
	assert_true(digest_parse_hex(HEX64, &d));
	assert_int_equal(d.b[0], 0x01);
	assert_int_equal(d.b[31], 0xef);
	assert_string_equal(digest_hex(&d, hex), HEX64);
	assert_string_equal(digest_str(&d, str), "sha256:" HEX64);
	assert_int_equal(strlen(str) + 1, DIGEST_STR_SIZE);
	assert_true(digest_parse(str, &e));
	assert_true(digest_eq(&d, &e));
	for (size_t i = 0; i < DIGEST_LEN; i++) {
		e = d;
		e.b[i] ^= 1;
		assert_false(digest_eq(&d, &e));
	}
}

static void parsing_is_strict(void **state)
{
	static const char *const bad_hex[] = {
		"", "0", (HEX64 "0"), (HEX64 "\n"), (" " HEX64),
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
		"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		"0123456789abcdeg0123456789abcdef0123456789abcdef0123456789abcdef",
		"0x23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"/123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde:",
	};
	static const char *const bad[] = {
		"", HEX64, "sha256", "sha256:", ("SHA256:" HEX64), ("sha256:" HEX64 "0"), ("sha256: " HEX64),
		("sha512:" HEX64), (" sha256:" HEX64), ("sha256:" HEX64 "@"), ("sha256-" HEX64),
	};
	struct digest d, before;

	(void)state;
	memset(&d, 0x5a, sizeof d);
	before = d;
	for (size_t i = 0; i < ARRAY_LEN(bad_hex); i++)
		assert_false(digest_parse_hex(bad_hex[i], &d));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(digest_parse(bad[i], &d));
	assert_true(digest_eq(&d, &before));
}

/* No byte behind the closing NUL is looked at: under the address sanitizer a longer read is a crash. */
static void short_text_is_not_overrun(void **state)
{
	struct digest d;

	(void)state;
	for (size_t n = 0; n < 64; n++) {
		auto_free char *s = malloc(n + 1);

		memset(s, 'a', n);
		s[n] = '\0';
		assert_false(digest_parse_hex(s, &d));
	}
}

/* FIPS 180-4's examples. */
static void sha1_known_answers(void **state)
{
	static const struct { const char *text, *hex; } rows[] = {
		{ "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		{ "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
	};
	char hex[SHA1_HEX_SIZE];
	struct err err = {0};
	struct sha1 d;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_fd fd = memfd_create("sha1", MFD_CLOEXEC);

		assert_int_equal(hash_sha1_bytes(rows[i].text, strlen(rows[i].text), &d, &err), 0);
		assert_string_equal(sha1_hex(&d, hex), rows[i].hex);
		assert_int_equal(io_write_all(fd, rows[i].text, strlen(rows[i].text), &err), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(hash_sha1_fd(fd, &d, &err), 0);
		assert_string_equal(sha1_hex(&d, hex), rows[i].hex);
	}
}

static void sha1_of_what_cannot_be_read(void **state)
{
	struct err err = {0};
	struct sha1 d = { { 7 } };

	(void)state;
	assert_int_equal(hash_sha1_fd(-1, &d, &err), -1);
	assert_int_equal(err.kind, ERR_INTERNAL);
	assert_int_equal(d.b[0], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(known_answers_in_one_call),
		cmocka_unit_test(pieces_do_not_matter),
		test_in_place(a_file_from_its_offset),
		test_in_place(a_failure_touches_no_output),
		cmocka_unit_test(text_form_and_back),
		cmocka_unit_test(parsing_is_strict),
		cmocka_unit_test(short_text_is_not_overrun),
		cmocka_unit_test(sha1_known_answers),
		cmocka_unit_test(sha1_of_what_cannot_be_read),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/attest/helper.h"

#include "attest/base64.h"

/* RFC 4648, section 10. */
static const struct {
	const char *bytes, *text;
} vectors[] = {
	{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/" },
};

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		auto_buf text = {0}, bytes = {0};

		base64_encode(vectors[i].bytes, strlen(vectors[i].bytes), &text);
		assert_false(text.failed);
		assert_string_equal(text.data, vectors[i].text);
		assert_true(base64_decode(text.data, text.len, &bytes));
		assert_int_equal(bytes.len, strlen(vectors[i].bytes));
		if (bytes.len > 0)
			assert_memory_equal(bytes.data, vectors[i].bytes, bytes.len);
	}
}

/** What every text must be: the one text of the bytes it decodes to, or refused. */
static bool is_the_text(const char *text, size_t n)
{
	auto_buf bytes = {0}, again = {0};

	buf_adds(&bytes, "before");
	if (!base64_decode(text, n, &bytes)) {
		assert_int_equal(bytes.len, 6);
		assert_string_equal(bytes.data, "before");
		return false;
	}
	base64_encode(bytes.data + 6, bytes.len - 6, &again);
	assert_int_equal(again.len, n);
	assert_memory_equal(again.data, text, n);
	return true;
}

/** All texts of two characters, padded: exactly 256 are right; with one free character before the padding, 64 * 256 are. */
static void test_one_text_for_all_bytes(void **state)
{
	unsigned one = 0, two = 0;

	(void)state;
	for (unsigned v = 0; v < 65536; v++) {
		const char a[4] = { (char)(v >> 8), (char)v, '=', '=' };
		const char b[4] = { 'Q', (char)(v >> 8), (char)v, '=' };

		one += is_the_text(a, 4);
		/* Not counted where the third is itself padding: that is the form above. */
		two += b[2] != '=' && is_the_text(b, 4);
	}
	assert_int_equal(one, 256);
	assert_int_equal(two, 64 * 16);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zg==Zg==", "Zm9v=", "Zm9v====", "Zg=a", "=g==", "Zm=v",
		" Zg==", "Zg== ", "Zg==\n", "Zm9v\nYmFy", "Zm9v\r\nYm==", "Zh==", "Zm9=", "-_-_", "Zm9\xc3", "Zm9*", "Zm9v Zg=",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (is_the_text(bad[i], strlen(bad[i])))
			fail_msg("accepted '%s'", bad[i]);
	assert_false(is_the_text("Zm9\0", 4));
}

static void test_limit(void **state)
{
	struct buf out = BUF_LIMIT(7);

	(void)state;
	base64_encode("foobar", 6, &out);
	assert_true(out.failed);
	assert_int_equal(out.len, 0);
	buf_free(&out);
	out.limit = 2;
	out.failed = false;
	assert_false(base64_decode("Zm9v", 4, &out));
	assert_true(out.failed);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_one_text_for_all_bytes),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

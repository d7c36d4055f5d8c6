/* SPDX-License-Identifier: Apache-2.0 */
/* Archives in the form of image.tar around any index: evidence is one. Written to the same bytes each time, and refused for each other one. */
#include "tests/unit/oci/helper.h"

static struct err err;

/** What the archive below must always be: evidence of every version has this form. */
#define GOLDEN "b2c8a15200a461af249230592d74526740db616c754b07c8e3555db32613313c"

static const char index_text[] = "{\"manifests\":[],\"schemaVersion\":2}";
static const char *const contents[] = { "{}", "a text\n", "", "{}" };

/** Its blobs, each in a file of its own after some other bytes; close the descriptors. */
static void blobs_of(struct oci_member blobs[static ARRAY_LEN(contents)])
{
	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		char text[64];
		int n = snprintf(text, sizeof text, "before%s", contents[i]);

		blobs[i] = (struct oci_member){ .size = (size_t)n - 6, .fd = mem_file(text, (size_t)n), .offset = 6 };
		must(hash_bytes(contents[i], blobs[i].size, &blobs[i].digest, &err));
	}
}

static int archive(size_t n)
{
	struct oci_member blobs[ARRAY_LEN(contents)];
	auto_buf index = {0};
	int fd = mem_file("", 0);

	blobs_of(blobs);
	buf_adds(&index, index_text);
	must(oci_archive_write(fd, &index, blobs, n, &err));
	for (size_t i = 0; i < ARRAY_LEN(contents); i++)
		close(blobs[i].fd);
	return fd;
}

static void test_golden(void **state)
{
	auto_fd fd = archive(ARRAY_LEN(contents));
	char hex[DIGEST_HEX_SIZE];
	struct digest d;

	(void)state;
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	must(hash_fd(fd, &d, NULL, &err));
	assert_string_equal(digest_hex(&d, hex), GOLDEN);
}

static void test_read(void **state)
{
	auto_fd fd = archive(ARRAY_LEN(contents));
	auto_oci_archive a = NULL;
	auto_buf index = {0}, text = {0};
	struct oci_member m;
	struct digest d, none = {{ 1 }};

	(void)state;
	must(oci_archive_open(fd, &a, &err));
	/* What is equal is there once. */
	assert_int_equal(oci_archive_count(a), 3);
	must(oci_archive_index(a, &index, &err));
	assert_string_equal(index.data, index_text);
	must(hash_bytes("a text\n", 7, &d, &err));
	must(oci_archive_find(a, &d, &m, &err));
	assert_int_equal(m.size, 7);
	assert_int_equal(m.fd, fd);
	buf_adds(&text, "kept ");
	must(oci_archive_text(a, &d, 7, &text, &err));
	assert_string_equal(text.data, "kept a text\n");
	must_fail(oci_archive_text(a, &d, 6, &text, &err), ERR_UNVERIFIED, "the limit is 6");
	must_fail(oci_archive_find(a, &none, &m, &err), ERR_UNVERIFIED, "there is no blob sha256:01");
	must(hash_bytes("", 0, &d, &err));
	must(oci_archive_find(a, &d, &m, &err));
	assert_int_equal(m.size, 0);
}

/** Every byte is checked: those of the form at once, those of a blob when it is asked for. The index is nobody's here but its reader's. */
static void test_flips(void **state)
{
	auto_fd fd = archive(2);
	size_t n, missed = 0;
	auto_free uint8_t *good = slurp(fd, &n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct oci_member blobs[ARRAY_LEN(contents)];
		auto_oci_archive a = NULL;
		uint8_t changed = good[i] ^ 1;
		struct oci_member m;
		auto_buf index = {0};

		assert_int_equal(pwrite(fd, &changed, 1, (off_t)i), 1);
		blobs_of(blobs);
		bool refused = oci_archive_open(fd, &a, &err) < 0 || oci_archive_find(a, &blobs[0].digest, &m, &err) < 0 ||
			       oci_archive_find(a, &blobs[1].digest, &m, &err) < 0;
		if (refused)
			assert_int_equal(err.kind, ERR_UNVERIFIED);
		else if (oci_archive_index(a, &index, &err) == 0 && strcmp(index.data, index_text) == 0)
			missed++;
		for (size_t k = 0; k < ARRAY_LEN(contents); k++)
			close(blobs[k].fd);
		assert_int_equal(pwrite(fd, &good[i], 1, (off_t)i), 1);
	}
	/* The text of oci-layout is for who reads it, too. */
	assert_int_equal(missed, strlen(OCI_LAYOUT_TEXT));
	/* Cut anywhere, it is refused. */
	for (size_t cut = n - 1; cut > 0; cut -= cut > 97 ? 97 : cut) {
		auto_oci_archive a = NULL;

		assert_int_equal(ftruncate(fd, (off_t)cut), 0);
		assert_int_equal(oci_archive_open(fd, &a, &err), -1);
		assert_int_equal(err.kind, ERR_UNVERIFIED);
		assert_null(a);
	}
}

static void test_lies_of_the_writer(void **state)
{
	struct oci_member blobs[ARRAY_LEN(contents)];
	auto_fd fd = mem_file("", 0);
	auto_buf index = {0};

	(void)state;
	blobs_of(blobs);
	buf_adds(&index, index_text);
	blobs[1].digest.b[0] ^= 1;
	must_fail(oci_archive_write(fd, &index, blobs, 2, &err), ERR_INPUT, "");
	blobs[1].digest.b[0] ^= 1;
	blobs[1].size++;
	assert_int_equal(oci_archive_write(fd, &index, blobs, 2, &err), -1);
	for (size_t i = 0; i < ARRAY_LEN(contents); i++)
		close(blobs[i].fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_lies_of_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

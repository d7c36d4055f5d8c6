/* SPDX-License-Identifier: Apache-2.0 */
/* Writing layers: what is refused, what the digests say, where members end. */
#include "tests/unit/oci/helper.h"

#include <errno.h>
#include <sched.h>

#include <libdeflate.h>
#include <zstd.h>

#include "oci/codec.h"

static struct err err;

/** One entry into a fresh layer: must be refused, and nothing may follow. */
static void refuse(struct oci_entry e, const char *text)
{
	auto_fd out = mem_file("", 0);
	auto_fd content = mem_file("", 0);
	auto_oci_layer layer = NULL;
	struct oci_blob blob;

	must(oci_layer_begin(out, OCI_NONE, 0, &layer, &err));
	must_fail(oci_layer_add(layer, &e, content, &err), ERR_INPUT, text);
	must_fail(oci_layer_end(layer, &blob, &err), ERR_INTERNAL, "after an error");
	e = (struct oci_entry){ .path = "good", .type = OCI_DIR };
	must_fail(oci_layer_add(layer, &e, -1, &err), ERR_INTERNAL, "after an error");
}

static void entries_that_no_reader_takes_are_refused(void **state)
{
	(void)state;
	static const struct { struct oci_entry entry; const char *text; } cases[] = {
		{ { .path = "" }, "empty, '.' or '..'" },
		{ { .path = "." }, "empty, '.' or '..'" },
		{ { .path = "./a" }, "empty, '.' or '..'" },
		{ { .path = "/etc/passwd", .type = OCI_FILE }, "absolute" },
		{ { .path = "../a", .type = OCI_FILE }, "'..'" },
		{ { .path = "a/../b", .type = OCI_FILE }, "'..'" },
		{ { .path = "a//b", .type = OCI_FILE }, "empty" },
		{ { .path = "a/", .type = OCI_DIR }, "empty" },
		{ { .path = "su", .type = OCI_FILE, .mode = 04755 }, "setuid" },
		{ { .path = "sg", .type = OCI_DIR, .mode = 02755 }, "setgid" },
		{ { .path = "m", .type = OCI_FILE, .mode = 0100644 }, "permission bits" },
		{ { .path = "l", .type = OCI_LINK, .link = "" }, "no target" },
		{ { .path = ".wh.a", .type = OCI_FILE }, ".wh." },
		{ { .path = "a/.wh..wh..opq", .type = OCI_FILE }, ".wh." },
		{ { .path = ".wh.d/a", .type = OCI_FILE }, ".wh." },
		{ { .path = "big", .type = OCI_FILE, .size = UINT64_MAX }, "larger" },
		{ { .path = "short", .type = OCI_FILE, .size = 1 }, "ends after 0 of 1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		refuse(cases[i].entry, cases[i].text);
	char path[TAR_PATH_MAX + 2];
	memset(path, 'p', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	refuse((struct oci_entry){ .path = path, .type = OCI_FILE }, "4095");
	refuse((struct oci_entry){ .path = "l", .type = OCI_LINK, .link = path }, "4095");
}

static void error_names_the_entry_printably(void **state)
{
	(void)state;
	auto_fd out = mem_file("", 0);
	auto_oci_layer layer = NULL;
	struct oci_entry e = { .path = "a\033[2J/../b", .type = OCI_DIR };

	must(oci_layer_begin(out, OCI_NONE, 0, &layer, &err));
	must_fail(oci_layer_add(layer, &e, -1, &err), ERR_INPUT, "layer entry 'a\\033[2J/../b'");
}

static void more_content_than_announced_is_refused(void **state)
{
	(void)state;
	auto_fd out = mem_file("", 0);
	auto_fd content = mem_file("12", 2);
	auto_oci_layer layer = NULL;
	struct oci_entry e = { .path = "f", .type = OCI_FILE, .size = 1 };

	must(oci_layer_begin(out, OCI_NONE, 0, &layer, &err));
	must_fail(oci_layer_add(layer, &e, content, &err), ERR_INPUT, "more than 1 bytes");
}

static void time_must_fit(void **state)
{
	(void)state;
	auto_oci_layer layer = NULL;

	must_fail(oci_layer_begin(-1, OCI_NONE, -1, &layer, &err), ERR_USAGE, "-1");
	must_fail(oci_layer_begin(-1, OCI_NONE, TAR_NUMBER_MAX + 1, &layer, &err), ERR_USAGE, "cannot hold the time");
	assert_null(layer);
}

/** What the reader would not take is not written. */
static void paths_have_a_limit(void **state)
{
	(void)state;
	auto_fd out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	auto_oci_layer layer = NULL;
	char path[4001];
	struct oci_entry e = { .path = path, .type = OCI_LINK, .link = "x" };

	memset(path, 'p', 4000);
	path[4000] = '\0';
	must(oci_layer_begin(out, OCI_NONE, 0, &layer, &err));
	for (unsigned i = 0; i < OCI_PATH_BYTES_MAX / 4000; i++)
		must(oci_layer_add(layer, &e, -1, &err));
	must_fail(oci_layer_add(layer, &e, -1, &err), ERR_INPUT, "grows past a limit");
}

static void full_disk_is_an_error(void **state)
{
	(void)state;
	auto_fd out = open("/dev/full", O_WRONLY | O_CLOEXEC);
	auto_oci_layer layer = NULL;
	struct oci_blob blob;
	struct oci_entry e = { .path = "d", .type = OCI_DIR };

	assert_true(out >= 0);
	must(oci_layer_begin(out, OCI_GZIP, 0, &layer, &err));
	must(oci_layer_add(layer, &e, -1, &err));
	must_fail(oci_layer_end(layer, &blob, &err), ERR_INTERNAL, "write a layer");
	assert_int_equal(err.sys, ENOSPC);
}

static void empty_layer_is_two_zero_blocks(void **state)
{
	(void)state;
	auto_fd out = mem_file("", 0);
	auto_oci_layer layer = NULL;
	struct oci_blob blob;
	size_t n;
	char zeros[TAR_END] = { 0 };

	must(oci_layer_begin(out, OCI_NONE, 0, &layer, &err));
	must(oci_layer_end(layer, &blob, &err));
	auto_free uint8_t *data = slurp(out, &n);
	assert_int_equal(n, TAR_END);
	assert_memory_equal(data, zeros, TAR_END);
	assert_true(digest_eq(&blob.digest, &blob.diff_id));
	assert_int_equal(blob.size, TAR_END);
}

/** A layer of one file of @p size pseudo-random bytes. */
static int layer_of_size(enum oci_compression codec, size_t size, struct oci_blob *blob)
{
	auto_free uint8_t *content = malloc(size + 1);
	auto_oci_layer layer = NULL;
	uint32_t x = 1;
	int out = mem_file("", 0);

	for (size_t i = 0; i < size; i++)
		content[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 28);
	auto_fd in = mem_file(content, size);
	struct oci_entry e = { .path = "f", .type = OCI_FILE, .mode = 0644, .size = size };
	must(oci_layer_begin(out, codec, 0, &layer, &err));
	must(oci_layer_add(layer, &e, in, &err));
	must(oci_layer_end(layer, blob, &err));
	return out;
}

/** Undoes each member with libdeflate, which checks its CRC, and looks at its size and header. */
static void check_members(const uint8_t *gz, size_t ngz, const uint8_t *tar, size_t ntar)
{
	static const uint8_t header[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	auto_free uint8_t *plain = malloc(CODEC_CHUNK);

	while (ngz > 0) {
		size_t in, out, want = ntar < CODEC_CHUNK ? ntar : CODEC_CHUNK;

		assert_memory_equal(gz, header, sizeof header);
		assert_int_equal(libdeflate_gzip_decompress_ex(d, gz, ngz, plain, CODEC_CHUNK, &in, &out), 0);
		assert_int_equal(out, want);
		assert_memory_equal(plain, tar, out);
		gz += in;
		ngz -= in;
		tar += out;
		ntar -= out;
	}
	assert_int_equal(ntar, 0);
	libdeflate_free_decompressor(d);
}

static void members_hold_one_mebibyte_each(void **state)
{
	(void)state;
	/* Tar sizes just below, at and above one and two chunks: content plus header and end. */
	static const size_t sizes[] = {
		0, CODEC_CHUNK - 2048, CODEC_CHUNK - 1536, CODEC_CHUNK - 1535, CODEC_CHUNK, 2 * CODEC_CHUNK - 1536,
	};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct oci_blob plain, packed;
		struct digest d;
		size_t n, m;
		auto_fd a = layer_of_size(OCI_NONE, sizes[i], &plain);
		auto_fd b = layer_of_size(OCI_GZIP, sizes[i], &packed);
		auto_free uint8_t *tar = slurp(a, &n);
		auto_free uint8_t *gz = slurp(b, &m);

		assert_int_equal(n, plain.size);
		assert_int_equal(m, packed.size);
		assert_int_equal(packed.diff_size, n);
		assert_true(digest_eq(&plain.digest, &packed.diff_id));
		must(hash_bytes(tar, n, &d, &err));
		assert_true(digest_eq(&d, &plain.digest));
		must(hash_bytes(gz, m, &d, &err));
		assert_true(digest_eq(&d, &packed.digest));
		check_members(gz, m, tar, n);
	}
}

/** Undoes each frame with libzstd, and looks at its size: one frame a chunk, whatever the host. */
static void check_frames(const uint8_t *zst, size_t nzst, const uint8_t *tar, size_t ntar)
{
	auto_free uint8_t *plain = malloc(CODEC_ZSTD_CHUNK);

	while (nzst > 0) {
		size_t in = ZSTD_findFrameCompressedSize(zst, nzst);
		size_t want = ntar < CODEC_ZSTD_CHUNK ? ntar : CODEC_ZSTD_CHUNK;

		assert_false(ZSTD_isError(in));
		assert_int_equal(ZSTD_getFrameContentSize(zst, nzst), want);
		assert_int_equal(ZSTD_decompress(plain, CODEC_ZSTD_CHUNK, zst, in), want);
		assert_memory_equal(plain, tar, want);
		zst += in;
		nzst -= in;
		tar += want;
		ntar -= want;
	}
	assert_int_equal(ntar, 0);
}

static void frames_hold_four_mebibytes_each(void **state)
{
	(void)state;
	static const size_t sizes[] = {
		0, CODEC_ZSTD_CHUNK - 2048, CODEC_ZSTD_CHUNK - 1536, CODEC_ZSTD_CHUNK - 1535, 2 * CODEC_ZSTD_CHUNK - 1536,
	};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct oci_blob plain, packed;
		size_t n, m;
		auto_fd a = layer_of_size(OCI_NONE, sizes[i], &plain);
		auto_fd b = layer_of_size(OCI_ZSTD, sizes[i], &packed);
		auto_free uint8_t *tar = slurp(a, &n);
		auto_free uint8_t *zst = slurp(b, &m);

		assert_int_equal(m, packed.size);
		assert_int_equal(packed.diff_size, n);
		assert_true(digest_eq(&plain.digest, &packed.diff_id));
		check_frames(zst, m, tar, n);
	}
}

/** On how many processors it runs, a layer does not show. */
static void threads_do_not_change_a_byte(void **state)
{
	static const enum oci_compression codecs[] = { OCI_GZIP, OCI_ZSTD, OCI_NONE };
	cpu_set_t all, one;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
	CPU_ZERO(&one);
	for (int i = 0; CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	for (size_t i = 0; i < ARRAY_LEN(codecs); i++) {
		struct oci_blob a, b;

		auto_fd many = layer_of_size(codecs[i], 29u << 20, &a);
		assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
		auto_fd single = layer_of_size(codecs[i], 29u << 20, &b);
		assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
		assert_memory_equal(&a, &b, sizeof a);
		struct digest d;
		assert_int_equal(lseek(many, 0, SEEK_SET), 0);
		must(hash_fd(many, &d, NULL, &err));
		assert_true(digest_eq(&d, &a.digest));
	}
}

static void writing_starts_at_the_current_offset(void **state)
{
	(void)state;
	auto_fd out = mem_file("before", 6);
	auto_oci_layer layer = NULL;
	struct oci_blob blob;
	size_t n;

	assert_int_equal(lseek(out, 6, SEEK_SET), 6);
	must(oci_layer_begin(out, OCI_NONE, 0, &layer, &err));
	must(oci_layer_end(layer, &blob, &err));
	auto_free uint8_t *data = slurp(out, &n);
	assert_int_equal(n, 6 + TAR_END);
	assert_memory_equal(data, "before", 6);
}

static void codec_has_its_name(void **state)
{
	(void)state;
	char name[OCI_CODEC_NAME_SIZE], zstd[OCI_CODEC_NAME_SIZE];

	assert_string_equal(oci_codec_name(OCI_NONE, name), "none");
	assert_string_equal(oci_codec_name(OCI_GZIP, name),
			    "gzip;libdeflate=" LIBDEFLATE_VERSION_STRING ";level=5;member=1048576");
	snprintf(zstd, sizeof zstd, "zstd;libzstd=%s;level=3;frame=4194304", ZSTD_versionString());
	assert_string_equal(oci_codec_name(OCI_ZSTD, name), zstd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_that_no_reader_takes_are_refused),
		cmocka_unit_test(error_names_the_entry_printably),
		cmocka_unit_test(more_content_than_announced_is_refused),
		cmocka_unit_test(time_must_fit),
		cmocka_unit_test(paths_have_a_limit),
		cmocka_unit_test(full_disk_is_an_error),
		cmocka_unit_test(empty_layer_is_two_zero_blocks),
		cmocka_unit_test(members_hold_one_mebibyte_each),
		cmocka_unit_test(frames_hold_four_mebibytes_each),
		cmocka_unit_test(threads_do_not_change_a_byte),
		cmocka_unit_test(writing_starts_at_the_current_offset),
		cmocka_unit_test(codec_has_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

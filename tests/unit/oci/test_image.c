/* SPDX-License-Identifier: Apache-2.0 */
/* image.tar written and read back; golden digests; no byte of it can change unseen. */
#include "tests/unit/oci/helper.h"

#include <errno.h>

static struct err err;

/** One line a thing: its name, its digest. */
static void golden_line(struct buf *out, const char *name, const struct digest *d)
{
	char text[DIGEST_STR_SIZE];

	buf_addf(out, "%s %s\n", name, digest_str(d, text));
}

static void golden_image(struct buf *out, const char *name, enum oci_compression codec)
{
	char line[64];
	struct digest manifest, tar;
	auto_oci_image image = { 0 };
	auto_fd fd = small_image(codec, "latest", &manifest);

	must(oci_image_read(fd, true, &image, &err));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	must(hash_fd(fd, &tar, NULL, &err));
	snprintf(line, sizeof line, "%s.diff-id", name);
	golden_line(out, line, &image.layers[0].diff_id);
	snprintf(line, sizeof line, "%s.layer", name);
	golden_line(out, line, &image.layers[0].digest);
	snprintf(line, sizeof line, "%s.config", name);
	golden_line(out, line, &image.config_digest);
	snprintf(line, sizeof line, "%s.manifest", name);
	golden_line(out, line, &image.manifest_digest);
	snprintf(line, sizeof line, "%s.image.tar", name);
	golden_line(out, line, &tar);
}

/** The small image of helper.h has the digests that it has always had. */
static void golden_digests_hold(void **state)
{
	(void)state;
	auto_buf have = { 0 }, want = { 0 };
	char name[OCI_CODEC_NAME_SIZE];

	/* The gzip lines belong to one libdeflate, the zstd lines to one libzstd: another version may give other bytes, and says so here first. */
	buf_addf(&have, "gzip.codec %s\n", oci_codec_name(OCI_GZIP, name));
	buf_addf(&have, "zstd.codec %s\n", oci_codec_name(OCI_ZSTD, name));
	golden_image(&have, "none", OCI_NONE);
	golden_image(&have, "gzip", OCI_GZIP);
	golden_image(&have, "zstd", OCI_ZSTD);
	must(io_read_file(AT_FDCWD, "tests/golden/oci_image.txt", 1 << 16, &want, &err));
	assert_string_equal(have.data, want.data);
}

static void image_reads_back(void **state)
{
	(void)state;
	for (int deep = 0; deep < 2; deep++) {
		struct digest manifest;
		auto_oci_image image = { 0 };
		auto_fd fd = small_image(OCI_GZIP, NULL, &manifest);

		must(oci_image_read(fd, deep, &image, &err));
		assert_true(digest_eq(&manifest, &image.manifest_digest));
		assert_int_equal(image.nlayers, 1);
		assert_string_equal(json_str(image.config, "created"), "1980-01-01T00:00:00Z");
		assert_int_equal(image.layers[0].diff_size != 0, deep);
	}
}

static void config_is_exact(void **state)
{
	(void)state;
	static const char want[] =
		"{\"architecture\":\"amd64\",\"config\":{\"Cmd\":[\"--who\",\"w\303\266rld\"],\"Entrypoint\":[\"/bin/hello\"],"
		"\"Env\":[\"PATH=/bin\",\"A=b=c\"],\"Labels\":{\"org.opencontainers.image.title\":\"hello\"},"
		"\"User\":\"1000:1000\",\"WorkingDir\":\"/\"},\"created\":\"1980-01-01T00:00:00Z\","
		"\"history\":[{\"created\":\"1980-01-01T00:00:00Z\",\"created_by\":\"glovebox step:build\"}],"
		"\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[\"sha256:"
		"0000000000000000000000000000000000000000000000000000000000000000\"],\"type\":\"layers\"}}";
	auto_buf out = { 0 };
	struct oci_config config = small_config();
	struct oci_layer_file file = { .created_by = "glovebox step:build" };

	must(document_config(&config, &file, 1, &out, &err));
	assert_string_equal(out.data, want);
}

static void bare_config_has_no_empty_members(void **state)
{
	(void)state;
	auto_buf out = { 0 };
	struct oci_config config = { .architecture = "arm64" };
	struct oci_layer_file file = { 0 };

	must(document_config(&config, &file, 1, &out, &err));
	assert_non_null(strstr(out.data, "\"config\":{}"));
	assert_non_null(strstr(out.data, "\"history\":[{\"created\":\"1970-01-01T00:00:00Z\"}]"));
}

static void config_that_json_cannot_hold_is_refused(void **state)
{
	(void)state;
	static const struct oci_kv twice[] = { { "A", "1" }, { "A", "2" } };
	static const struct oci_kv equals[] = { { "A=B", "1" } };
	static const struct oci_kv empty[] = { { "", "1" } };
	static const struct oci_kv raw[] = { { "A", "\377" } };
	static const char *const raw_list[] = { "\377" };
	const struct { struct oci_config config; const char *text; } cases[] = {
		{ { .architecture = "amd64", .env = twice, .nenv = 2 }, "environment variable A is given twice" },
		{ { .architecture = "amd64", .env = equals, .nenv = 1 }, "'A=B' has '='" },
		{ { .architecture = "amd64", .labels = empty, .nlabels = 1 }, "name is empty" },
		{ { .architecture = "amd64", .env = raw, .nenv = 1 }, "environment variable A is not valid UTF-8" },
		{ { .architecture = "amd64", .cmd = raw_list, .ncmd = 1 }, "cmd is not valid UTF-8" },
		{ { .architecture = "amd64", .user = "\300\200" }, "user is not valid UTF-8" },
		{ { .architecture = "amd64", .created = -1 }, "outside 1970 to 9999" },
		{ { .architecture = "amd64", .created = 253402300800 }, "outside 1970 to 9999" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_buf out = { 0 };
		struct oci_layer_file file = { 0 };

		must_fail(document_config(&cases[i].config, &file, 1, &out, &err), ERR_USAGE, cases[i].text);
	}
}

static void tags_follow_the_grammar(void **state)
{
	(void)state;
	static const char *const good[] = { "latest", "a", "v1.2.3", "a/b:c@d+e", "a--b", "A_b-c" };
	static const char *const bad[] = { "", "-a", "a-", "a..b", "a b", "a---b", "a\n", "\303\244", "a/" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(document_is_tag(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(document_is_tag(bad[i]));
	char longest[258];
	memset(longest, 'a', 257);
	longest[256] = '\0';
	assert_false(document_is_tag(longest));
	longest[255] = '\0';
	assert_true(document_is_tag(longest));
}

static void arguments_are_checked(void **state)
{
	(void)state;
	struct oci_config config = small_config();
	struct oci_layer_file file = { .fd = -1 };
	struct digest d;

	must_fail(oci_image_write(-1, &config, &file, 0, NULL, &d, &err), ERR_USAGE, "0 layers");
	must_fail(oci_image_write(-1, &config, &file, OCI_LAYERS_MAX + 1, NULL, &d, &err), ERR_USAGE, "513 layers");
	must_fail(oci_image_write(-1, &config, &file, 1, "no tag", &d, &err), ERR_USAGE, "'no tag'");
	file.blob.size = OCI_BLOB_MAX + 1;
	must_fail(oci_image_write(-1, &config, &file, 1, NULL, &d, &err), ERR_USAGE, "split it");
}

/** A layer file that changed after it was written must not become part of an image. */
static void changed_layer_file_is_noticed(void **state)
{
	(void)state;
	struct oci_config config = small_config();
	struct oci_layer_file file;
	struct digest d;
	auto_fd out = mem_file("", 0);

	small_layer(OCI_NONE, "hello", &file);
	assert_int_equal(pwrite(file.fd, "x", 1, 700), 1);
	must_fail(oci_image_write(out, &config, &file, 1, NULL, &d, &err), ERR_INPUT, "other content");
	assert_int_equal(ftruncate(file.fd, 1024), 0);
	must_fail(oci_image_write(out, &config, &file, 1, NULL, &d, &err), ERR_INPUT, "too early");
	close(file.fd);
}

static void full_disk_is_an_error(void **state)
{
	(void)state;
	struct oci_config config = small_config();
	struct oci_layer_file file;
	struct digest d;
	auto_fd out = open("/dev/full", O_WRONLY | O_CLOEXEC);

	small_layer(OCI_NONE, "hello", &file);
	must_fail(oci_image_write(out, &config, &file, 1, NULL, &d, &err), ERR_INTERNAL, "write an image");
	assert_int_equal(err.sys, ENOSPC);
	close(file.fd);
}

/** Two layers that are one blob, and one that differs: the blob is stored once. */
static void equal_layers_share_a_blob(void **state)
{
	(void)state;
	struct oci_config config = small_config();
	struct oci_layer_file files[3];
	struct digest d;
	auto_oci_image image = { 0 };
	auto_fd out = mem_file("", 0);

	small_layer(OCI_GZIP, "hello", &files[0]);
	small_layer(OCI_NONE, "other", &files[1]);
	files[2] = files[0];
	must(oci_image_write(out, &config, files, 3, NULL, &d, &err));
	must(oci_image_read(out, true, &image, &err));
	assert_int_equal(image.nlayers, 3);
	assert_true(digest_eq(&image.layers[0].digest, &image.layers[2].digest));
	close(files[0].fd);
	close(files[1].fd);
}

/** Flips bits of every single byte. Accepted is nothing but another tag in the tag's place, which is part of no result. */
static void check_every_byte(int fd, const char *tag)
{
	static const uint8_t masks[] = { 0x01, 0x20, 0x80, 0xff };
	size_t n, refused = 0, accepted = 0;
	auto_free uint8_t *data = slurp(fd, &n);
	const uint8_t *at = tag != NULL ? memmem(data, n, tag, strlen(tag)) : NULL;

	for (size_t i = 0; i < n; i++) {
		bool in_tag = at != NULL && data + i >= at && data + i < at + strlen(tag);

		for (size_t m = 0; m < ARRAY_LEN(masks); m++) {
			uint8_t flipped = data[i] ^ masks[m];

			assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i), 1);
			err = (struct err){ 0 };
			if (try_read(fd, false, &err) == 0) {
				if (!in_tag)
					fail_msg("byte %zu ^ %#x was accepted", i, masks[m]);
				accepted++;
				continue;
			}
			assert_int_equal(err.kind, ERR_UNVERIFIED);
			refused++;
		}
		assert_int_equal(pwrite(fd, &data[i], 1, (off_t)i), 1);
	}
	assert_true(refused + accepted == 4 * n && (tag != NULL) == (accepted != 0));
	must(try_read(fd, false, &err));
}

static void every_flipped_byte_is_refused(void **state)
{
	(void)state;
	struct digest d;
	auto_fd fd = small_image(OCI_GZIP, NULL, &d);

	check_every_byte(fd, NULL);
}

static void every_flipped_byte_but_the_tag_is_refused(void **state)
{
	(void)state;
	struct digest d;
	auto_fd fd = small_image(OCI_GZIP, "aaaaaaaa", &d);

	check_every_byte(fd, "aaaaaaaa");
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	struct digest d;
	size_t n;
	auto_fd fd = small_image(OCI_NONE, "latest", &d);
	auto_free uint8_t *data = slurp(fd, &n);

	for (size_t len = 0; len < n; len += len % 512 == 511 ? 1 : 511 - len % 512) {
		assert_int_equal(ftruncate(fd, (off_t)len), 0);
		must_fail(try_read(fd, true, &err), ERR_UNVERIFIED, "archive ends within");
		assert_int_equal(pwrite(fd, data, n, 0), (ssize_t)n);
	}
	must(try_read(fd, true, &err));
}

static void trailing_bytes_are_refused(void **state)
{
	(void)state;
	struct digest d;
	size_t n;
	auto_fd fd = small_image(OCI_NONE, NULL, &d);
	auto_free uint8_t *data = slurp(fd, &n);

	assert_int_equal(pwrite(fd, "", 1, (off_t)n), 1);
	must_fail(try_read(fd, false, &err), ERR_UNVERIFIED, "1 bytes follow the end");
	assert_int_equal(pwrite(fd, data, n, (off_t)n), (ssize_t)n);
	must_fail(try_read(fd, false, &err), ERR_UNVERIFIED, "bytes follow the end");
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	int ends[2];
	auto_fd dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_fd empty = mem_file("", 0);

	must_fail(try_read(dir, false, &err), ERR_UNVERIFIED, "not a regular file");
	must_fail(try_read(empty, false, &err), ERR_UNVERIFIED, "oci-layout at offset 0");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	must_fail(try_read(ends[0], false, &err), ERR_UNVERIFIED, "not a regular file");
	close(ends[0]);
	close(ends[1]);
	must_fail(try_read(-1, false, &err), ERR_INTERNAL, "stat");
}

static void failure_leaves_the_output_alone(void **state)
{
	(void)state;
	struct oci_image image, before;
	auto_fd empty = mem_file("", 0);

	memset(&image, 0x5a, sizeof image);
	before = image;
	must_fail(oci_image_read(empty, true, &image, &err), ERR_UNVERIFIED, "read an image");
	assert_memory_equal(&image, &before, sizeof image);
}

/** A confined reader tells of the same image; what it cannot have told is refused. */
static void an_image_is_told(void **state)
{
	struct digest manifest;
	auto_fd fd = small_image(OCI_GZIP, "v1", &manifest);
	auto_oci_image here = {0};
	auto_oci_image apart = {0};
	auto_oci_image none = {0};
	auto_buf text = {0};

	(void)state;
	must(oci_image_read(fd, false, &here, &err));
	must(oci_image_read_apart(fd, NULL, &apart, &err));
	assert_true(digest_eq(&here.manifest_digest, &apart.manifest_digest) && digest_eq(&here.config_digest, &apart.config_digest));
	assert_int_equal(here.nlayers, apart.nlayers);
	assert_memory_equal(here.layers, apart.layers, here.nlayers * sizeof *here.layers);
	assert_true(json_equal(here.manifest, apart.manifest) && json_equal(here.config, apart.config));
	auto_fd said = memfd_create("said", MFD_CLOEXEC);
	must(oci_image_tell(&here, said, &err));
	assert_int_equal(lseek(said, 0, SEEK_SET), 0);
	must(io_read_all(said, 1 << 20, &text, &err));
	for (size_t n = 0; n < text.len; n++)
		must_fail(oci_image_told(text.data, n, &none, &err), ERR_UNVERIFIED, "makes no sense");
	/* Digests, and how many layers there are: each byte of them is in the documents, too. */
	for (size_t i = sizeof(struct digest); i < 2 * sizeof(struct digest) + sizeof(uint64_t) + sizeof(struct digest); i++) {
		text.data[i] ^= 1;
		must_fail(oci_image_told(text.data, text.len, &none, &err), ERR_UNVERIFIED, "makes no sense");
		text.data[i] ^= 1;
	}
	must(oci_image_told(text.data, text.len, &none, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_digests_hold),
		cmocka_unit_test(image_reads_back),
		cmocka_unit_test(config_is_exact),
		cmocka_unit_test(bare_config_has_no_empty_members),
		cmocka_unit_test(config_that_json_cannot_hold_is_refused),
		cmocka_unit_test(tags_follow_the_grammar),
		cmocka_unit_test(arguments_are_checked),
		cmocka_unit_test(changed_layer_file_is_noticed),
		cmocka_unit_test(full_disk_is_an_error),
		cmocka_unit_test(equal_layers_share_a_blob),
		cmocka_unit_test(every_flipped_byte_is_refused),
		cmocka_unit_test(every_flipped_byte_but_the_tag_is_refused),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(trailing_bytes_are_refused),
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test(failure_leaves_the_output_alone),
		cmocka_unit_test(an_image_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

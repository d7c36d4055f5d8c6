/* SPDX-License-Identifier: Apache-2.0 */
/* A verified statement against an archive's own bytes. */
#include "tests/unit/attest/helper.h"

#include <sys/mman.h>

static struct err err;

static int mem_file(const void *data, size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	must(io_write_all(fd, data, n, &err));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/** An image with one small file. */
static int image_new(const char *content, struct digest *ret_manifest)
{
	auto_fd layer_fd = mem_file("", 0);
	auto_fd content_fd = mem_file(content, strlen(content));
	auto_oci_layer layer = NULL;
	struct oci_layer_file file = { .fd = layer_fd, .codec = OCI_GZIP, .created_by = "test" };
	const struct oci_entry entry = { .path = "hello", .type = OCI_FILE, .mode = 0644, .size = strlen(content) };
	const struct oci_config config = { .architecture = "amd64", .created = 315532800 };
	int fd = mem_file("", 0);

	must(oci_layer_begin(layer_fd, OCI_GZIP, 315532800, &layer, &err));
	must(oci_layer_add(layer, &entry, content_fd, &err));
	must(oci_layer_end(layer, &file.blob, &err));
	must(oci_image_write(fd, &config, &file, 1, NULL, ret_manifest, &err));
	return fd;
}

static struct digest digest_of_file(int fd)
{
	struct digest d;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	must(hash_fd(fd, &d, NULL, &err));
	return d;
}

/** A verified statement about these two digests. */
static struct attest_verified verified(struct digest image, struct digest tar)
{
	auto_pair p = pair_new();
	auto_buf statement = {0}, bundle = {0};
	struct attest_verified v = {0};
	const struct key *keys[] = { p.open };
	const struct attest_policy policy = { .keys = keys, .nkeys = 1 };

	statement_of("make\n", image, tar, &statement);
	must(attest_sign(p.secret, statement.data, statement.len, &bundle, &err));
	must(attest_verify_bundle(bundle.data, bundle.len, &policy, &v, &err));
	return v;
}

static int judge(const struct attest_verified *v, int fd, bool deep)
{
	auto_oci_image image = {0};
	int result = attest_verify_image(v, fd, deep, &image, &err);

	assert_true((result == 0) == (image.manifest != NULL));
	return result;
}

static void test_good(void **state)
{
	struct digest manifest;
	auto_fd fd = image_new("hello\n", &manifest);
	auto_attest_verified v = verified(manifest, digest_of_file(fd));

	(void)state;
	/* The offset that an earlier reader left is no matter. */
	must(judge(&v, fd, false));
	must(judge(&v, fd, true));
}

static void test_other_image(void **state)
{
	struct digest manifest, other_manifest;
	auto_fd fd = image_new("hello\n", &manifest);
	auto_fd other = image_new("jello\n", &other_manifest);
	auto_attest_verified v = verified(manifest, digest_of_file(fd));
	auto_attest_verified wrong_tar = verified(manifest, other_manifest);
	auto_attest_verified wrong_manifest = verified(other_manifest, digest_of_file(fd));

	(void)state;
	must_fail(judge(&v, other, false), ERR_UNVERIFIED, "the image archive is sha256:");
	must_fail(judge(&wrong_tar, fd, false), ERR_UNVERIFIED, "the image archive is sha256:");
	must_fail(judge(&wrong_manifest, fd, false), ERR_UNVERIFIED, "the image's manifest is sha256:");
}

/** Any byte of the archive, padding too. */
static void test_flips(void **state)
{
	struct digest manifest;
	auto_fd fd = image_new("hello\n", &manifest);
	auto_attest_verified v = verified(manifest, digest_of_file(fd));
	off_t size = lseek(fd, 0, SEEK_END);

	(void)state;
	for (off_t i = 0; i < size; i++) {
		unsigned char c, changed;

		assert_int_equal(pread(fd, &c, 1, i), 1);
		changed = c ^ (unsigned char)(1u << i % 8);
		assert_int_equal(pwrite(fd, &changed, 1, i), 1);
		must_fail(judge(&v, fd, false), ERR_UNVERIFIED, "the image archive is sha256:");
		assert_int_equal(pwrite(fd, &c, 1, i), 1);
	}
	assert_int_equal(ftruncate(fd, size - 1), 0);
	must_fail(judge(&v, fd, false), ERR_UNVERIFIED, "the image archive is");
	assert_int_equal(ftruncate(fd, 0), 0);
	must_fail(judge(&v, fd, false), ERR_UNVERIFIED, "the image archive is");
}

/** Bytes that a statement names, and that are no image. */
static void test_not_an_image(void **state)
{
	auto_fd fd = mem_file("hello", 5);
	auto_attest_verified v = verified(digest_of(1), digest_of_file(fd));

	(void)state;
	assert_int_equal(judge(&v, fd, false), -1);
	assert_int_equal(err.kind, ERR_UNVERIFIED);
}

/** A layer whose bytes are not those of its name, though whoever signed says that the archive is this: only looking deep tells. */
static void test_layer(void **state)
{
	struct digest manifest;
	auto_fd fd = image_new("hello\n", &manifest);
	auto_oci_image image = {0};
	uint64_t at, size;
	char c;

	(void)state;
	must(oci_image_read(fd, true, &image, &err));
	must(oci_image_find(fd, &image.layers[0].digest, &at, &size, &err));
	assert_int_equal(pread(fd, &c, 1, (off_t)at + 4), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, (off_t)at + 4), 1);
	auto_attest_verified v = verified(manifest, digest_of_file(fd));
	must(judge(&v, fd, false));
	assert_int_equal(judge(&v, fd, true), -1);
	assert_int_equal(err.kind, ERR_UNVERIFIED);
	/* Shallow, it is in no other way less than it was: of the layers' sizes, too, the manifest is believed alone. */
	assert_int_equal(ftruncate(fd, (off_t)(at + size)), 0);
	auto_attest_verified cut = verified(manifest, digest_of_file(fd));
	assert_int_equal(judge(&cut, fd, false), -1);
	assert_int_equal(err.kind, ERR_UNVERIFIED);
}

/** A base: its layers are those of a manifest whose digest is a resolved dependency. */
static void test_base(void **state)
{
	static const char zeros[] = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
	struct digest manifest, base_digest;
	auto_fd fd = image_new("hello\n", &manifest);
	auto_attest_verified v = verified(manifest, digest_of_file(fd));
	json_t *definition = json_object_get(json_object_get(v.statement, "predicate"), "buildDefinition");
	json_t *internal = json_object_get(definition, "internalParameters");
	json_t *deps = json_object_get(definition, "resolvedDependencies");
	auto_buf text = {0};
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	buf_addf(&text, "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\","
		 "\"size\":2},\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":1024}]}",
		 zeros, zeros);
	must(hash_bytes(text.data, text.len, &base_digest, &err));
	digest_hex(&base_digest, hex);
	json_object_set_new(internal, "base", json_pack("{s:s}", "manifest", text.data));
	/* Nothing pins it; a source of that name and digest does not either. */
	must_fail(judge(&v, fd, false), ERR_UNVERIFIED, "is no resolved dependency 'base'");
	json_array_append_new(deps, json_pack("{s:s, s:s, s:{s:s}}", "name", "base", "uri", "file:base", "digest", "sha256", hex));
	must_fail(judge(&v, fd, false), ERR_UNVERIFIED, "is no resolved dependency 'base'");
	json_array_append_new(deps, json_pack("{s:s, s:s, s:{s:s}}", "name", "base", "uri", "oci:./b", "digest", "sha256", hex + 1));
	must_fail(judge(&v, fd, false), ERR_UNVERIFIED, "is no resolved dependency 'base'");
	json_array_append_new(deps, json_pack("{s:s, s:s, s:{s:s}}", "name", "base", "uri", "oci:./b", "digest", "sha256", hex));
	/* Now it counts: the image is not on it. */
	must_fail(judge(&v, fd, false), ERR_UNVERIFIED, "1 layers, and the base alone has 1");
	json_object_set_new(internal, "base", json_pack("{s:s}", "manifest", "{}"));
	must_fail(judge(&v, fd, false), ERR_UNVERIFIED, "internalParameters.base: ");
	json_object_set_new(internal, "base", json_string(zeros));
	assert_int_equal(judge(&v, fd, false), -1);
	assert_int_equal(err.kind, ERR_UNVERIFIED);
}

static void test_subjects(void **state)
{
	struct digest manifest;
	auto_fd fd = image_new("hello\n", &manifest);
	auto_attest_verified v = verified(manifest, digest_of_file(fd));
	json_t *subjects = json_object_get(v.statement, "subject");

	(void)state;
	/* A further subject is nobody's harm. */
	json_array_append_new(subjects, json_pack("{s:s, s:{s:s}}", "name", "sbom.cdx.json", "digest", "sha256", "x"));
	must(judge(&v, fd, false));
	json_object_set_new(json_array_get(subjects, 1), "name", json_string("image.tgz"));
	must_fail(judge(&v, fd, false), ERR_UNVERIFIED, "no subject 'image.tar'");
	json_object_set_new(json_array_get(subjects, 0), "name", json_string("image.tar"));
	must_fail(judge(&v, fd, false), ERR_UNVERIFIED, "subject[0] is not an image");
}

/** Something that is no file has no bytes to compare. */
static void test_pipe(void **state)
{
	auto_attest_verified v = verified(digest_of(1), digest_of(2));
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[1]);
	must_fail(judge(&v, ends[0], false), ERR_INTERNAL, "read a file to hash it");
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_other_image),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_not_an_image),
		cmocka_unit_test(test_layer),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

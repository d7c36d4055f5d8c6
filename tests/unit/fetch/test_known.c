/* SPDX-License-Identifier: Apache-2.0 */
/* References of pinned images, and what the store remembers of them. */
#include "tests/unit/store/help.h"

#include "fetch/registry.h"

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void test_reference(void **state)
{
	static const char *const images[] = {
		"oci:registry.example.com/a@" DIGEST, "oci:127.0.0.1:5000/a/b@" DIGEST, "oci:registry.example.com/a:1@" DIGEST, "oci:word@" DIGEST,
	};
	static const char *const others[] = {
		"oci:", "oci:@", "oci:/dir@" DIGEST, "oci:./dir@" DIGEST, "oci:../dir@" DIGEST, "oci:registry.example.com/a:1", "registry.example.com/a@" DIGEST,
		"oci:registry.example.com/a@sha256:0", "oci-archive:a@" DIGEST, "name@" DIGEST, DIGEST, "",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(images); i++)
		assert_true(registry_is_image(images[i]));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(registry_is_image(others[i]));
}

static void test_parse(void **state)
{
	static const char *const bad[] = {
		"oci:word@" DIGEST, "oci:registry.example.com/a", "oci:registry.example.com/a:1", "oci:registry.example.com/A@" DIGEST,
		"registry.example.com/a@" DIGEST, "oci:registry.example.com/a@md5:0",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_registry_ref ref = {0};
		struct err err = {0};

		assert_int_equal(registry_image_parse(bad[i], &ref, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_null(ref.host);
	}
	auto_registry_ref ref = {0};
	struct err err = {0};
	assert_int_equal(registry_image_parse("oci:registry.example.com:5000/a/b:tag@" DIGEST, &ref, &err), 0);
	assert_string_equal(ref.host, "registry.example.com:5000");
	assert_string_equal(ref.path, "a/b");
	assert_true(ref.pinned);
}

static void test_memory(void **state)
{
	struct digest named, value, other, got;
	const char *tmp = getenv("TMPDIR");
	char dir[200], damage[400];
	struct err err = {0};
	struct ident id = same_ident();

	(void)state;
	snprintf(dir, sizeof dir, "%s/glovebox-unit.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	{
		auto_store store = NULL;

		assert_int_equal(store_open(dir, &id, &store, &err), 0);
		assert_int_equal(hash_bytes("named", 5, &named, &err), 0);
		assert_int_equal(hash_bytes("value", 5, &value, &err), 0);
		assert_int_equal(hash_bytes("other", 5, &other, &err), 0);
		assert_false(registry_recall(store, REGISTRY_TREE, &named, NULL, &got));
		assert_int_equal(registry_remember(store, REGISTRY_TREE, &named, "linux/arm64", &value, &err), 0);
		/* Each platform, each kind and each image has its own. */
		assert_true(registry_recall(store, REGISTRY_TREE, &named, "linux/aarch64", &got));
		assert_true(digest_eq(&got, &value));
		assert_false(registry_recall(store, REGISTRY_TREE, &named, "linux/arm64/v8", &got));
		assert_false(registry_recall(store, REGISTRY_TREE, &named, "linux/riscv64", &got));
		assert_false(registry_recall(store, REGISTRY_MANIFEST, &named, "linux/arm64", &got));
		assert_false(registry_recall(store, REGISTRY_TREE, &other, "linux/arm64", &got));
		assert_int_equal(registry_remember(store, REGISTRY_TREE, &named, "linux/arm64", &other, &err), 0);
		assert_true(registry_recall(store, REGISTRY_TREE, &named, "linux/arm64", &got));
		assert_true(digest_eq(&got, &other));
		assert_int_equal(registry_remember(store, REGISTRY_TREE, &named, "no platform", &other, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_false(registry_recall(store, REGISTRY_TREE, &named, "no platform", &got));
		/* What was changed is not believed. */
		auto_fd derived = openat(store_fd(store), "derived", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(derived >= 0);
		snprintf(damage, sizeof damage, "for f in /proc/self/fd/%d/*; do printf x | dd of=\"$f\" bs=1 conv=notrunc status=none; done", derived);
		assert_int_equal(fcntl(derived, F_SETFD, 0), 0);
		assert_int_equal(system(damage), 0);
		assert_false(registry_recall(store, REGISTRY_TREE, &named, "linux/arm64", &got));
	}
	assert_int_equal(io_remove_tree(AT_FDCWD, dir, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reference), cmocka_unit_test(test_parse), cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

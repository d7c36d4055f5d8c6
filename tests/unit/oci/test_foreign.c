/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms, the look of image archives, whiteouts, and limits of what other tools' images may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>

#include "oci/foreign.h"
#include "oci/rules.h"
#include "oci/tar.h"

static void platforms_are_read(void **state)
{
	static const struct {
		const char *text, *os, *architecture, *variant;
	} rows[] = {
		{ "linux/arm64", "linux", "arm64", "" }, { "linux/arm/v7", "linux", "arm", "v7" }, { "arm64", "linux", "arm64", "" },
		{ "x86_64", "linux", "amd64", "" }, { "linux/aarch64/v8", "linux", "arm64", "v8" }, { "windows/amd64", "windows", "amd64", "" },
	};
	static const char *const bad[] = {
		"", "/", "linux/", "/arm64", "linux/arm64/", "linux/arm64/v8/", "linux/arm64/v8/x", "Linux/arm64", "linux/arm 64", "a b",
		"linux/../x", "linux//v8", "linux/arm64\n", "linux/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	struct err err = {0};
	struct oci_platform p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(oci_platform_parse(rows[i].text, &p, &err), 0);
		assert_string_equal(p.os, rows[i].os);
		assert_string_equal(p.architecture, rows[i].architecture);
		assert_string_equal(p.variant, rows[i].variant);
	}
	assert_int_equal(oci_platform_parse(NULL, &p, &err), 0);
	assert_string_equal(p.architecture, oci_architecture());
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct oci_platform untouched = { .os = "x" };

		if (oci_platform_parse(bad[i], &untouched, &err) != -1)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_string_equal(untouched.os, "x");
	}
}

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void members_of_images_are_known(void **state)
{
	static const char *const members[] = {
		"", "oci-layout", "index.json", "manifest.json", "repositories", "blobs", "blobs/sha256/x", HEX, HEX ".json", HEX ".tar",
		HEX ".tar.gz", HEX "/layer.tar", HEX "/VERSION", ("sha256:" HEX),
	};
	static const char *const others[] = {
		"bin", "bin/sh", "blobs2", "oci-layout/x", HEX "0", HEX ".txt", "sha256:x", "index.json.bak", "etc/manifest.json",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (!oci_is_image_member(members[i]))
			fail_msg("'%s'", members[i]);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (oci_is_image_member(others[i]))
			fail_msg("'%s'", others[i]);
}

static void whiteouts_are_about_something(void **state)
{
	static const struct {
		const char *path;
		enum rules_mark mark;
		const char *victim;   /**< NULL: refused */
	} rows[] = {
		{ "a", RULES_PLAIN, "" }, { "wh.a", RULES_PLAIN, "" }, { ".wh", RULES_PLAIN, "" }, { "a/x.wh.b", RULES_PLAIN, "" },
		{ ".wh.a", RULES_WHITEOUT, "a" }, { "d/e/.wh.a b", RULES_WHITEOUT, "d/e/a b" }, { ".wh...a", RULES_WHITEOUT, "..a" },
		{ ".wh..wh..opq", RULES_OPAQUE, "" }, { "d/e/.wh..wh..opq", RULES_OPAQUE, "d/e" },
		{ ".wh.", 0, NULL }, { ".wh..", 0, NULL }, { "a/.wh...", 0, NULL }, { ".wh..wh.a", 0, NULL }, { ".wh.a/b", 0, NULL },
		{ ".wh..wh..opq/b", 0, NULL }, { "d/.wh.a/.wh.b/c", 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf victim = {0};
		enum rules_mark mark;
		const char *why = rules_whiteout(rows[i].path, true, &mark, &victim);

		if ((why == NULL) != (rows[i].victim != NULL))
			fail_msg("'%s': %s", rows[i].path, why == NULL ? "taken" : why);
		if (why != NULL)
			continue;
		assert_int_equal(mark, rows[i].mark);
		assert_string_equal(victim.data == NULL ? "" : victim.data, rows[i].victim);
		assert_true(mark == RULES_PLAIN || rules_whiteout(rows[i].path, false, &mark, &victim) != NULL);
	}
}

/** A tar of @p n empty files, all of one image's. */
static int many_files(unsigned n)
{
	static const char end[TAR_END];
	struct err err = {0};
	auto_buf tar = {0};
	char name[64];
	int fd = memfd_create("image", MFD_CLOEXEC);

	for (unsigned i = 0; i < n; i++) {
		struct tar_member m = { .type = TAR_FILE, .path = name, .mode = 0644 };

		snprintf(name, sizeof name, "blobs/sha256/%u", i);
		tar_add_member(&m, &tar);
	}
	buf_add(&tar, end, sizeof end);
	assert_false(tar.failed);
	assert_int_equal(io_write_all(fd, tar.data, tar.len, &err), 0);
	return fd;
}

static void an_archive_may_hold_so_many_files(void **state)
{
	struct err err = {0};
	auto_oci_files files = NULL;
	auto_oci_files none = NULL;
	auto_fd all = many_files(OCI_FILES_MAX);
	auto_fd more = many_files(OCI_FILES_MAX + 1);
	auto_oci_part part = OCI_PART_NONE;

	(void)state;
	assert_int_equal(oci_files_open_tar(all, true, &files, &err), 0);
	assert_int_equal(oci_files_find(files, "blobs/sha256/65535", false, &part, &err), 0);
	assert_int_equal(part.size, 0);
	assert_int_equal(oci_files_find(files, "blobs/sha256/65536", false, &part, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(oci_files_open_tar(more, true, &none, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.msg, "more than 65536 files"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(platforms_are_read),
		cmocka_unit_test(members_of_images_are_known),
		cmocka_unit_test(whiteouts_are_about_something),
		cmocka_unit_test(an_archive_may_hold_so_many_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of tars laid one over the other, what is counted and found in them, and what is believed of that. */
#include "helper.h"
#include "inspect/harden.h"
#include "inspect/summary.h"
#include "oci/tar.h"

/** An entry; `text` is a file's content. */
struct entry {
	const char *path;
	enum tar_type type;
	unsigned mode, uid;
	const char *text, *link;
};
#define FILE_AT(at, content) { .path = (at), .type = TAR_FILE, .mode = 0644, .text = (content) }
#define DIR_AT(at) { .path = (at), .type = TAR_DIR, .mode = 0755 }

static struct slice layer_of(const struct entry *v, size_t n)
{
	static const char zeros[TAR_END];
	auto_buf tar = {0};

	for (size_t i = 0; i < n; i++) {
		size_t size = v[i].text == NULL ? 0 : strlen(v[i].text);
		const struct tar_member m = {
			.type = v[i].type, .path = v[i].path, .link = v[i].link, .mode = v[i].mode, .uid = v[i].uid, .size = size,
		};

		tar_add_member(&m, &tar);
		if (size > 0) {
			buf_adds(&tar, v[i].text);
			buf_add(&tar, zeros, tar_padding(size));
		}
	}
	buf_add(&tar, zeros, sizeof zeros);
	assert_false(tar.failed);
	return slice_of(tar.data, tar.len);
}
#define LAYER(...) layer_of((const struct entry[]){ __VA_ARGS__ }, sizeof((const struct entry[]){ __VA_ARGS__ }) / sizeof(struct entry))

/** What is seen of @p n layers, "path:layer " after each other. */
static void assert_seen(struct slice *layers, size_t n, const char *want)
{
	struct err err = {0};
	auto_overlay o = {0};
	auto_buf is = {0};

	for (size_t i = 0; i < n; i++)
		if (overlay_add(&o, &layers[i], &err) < 0)
			fail_msg("%s", err.msg);
	assert_int_equal(overlay_lay(&o, &err), 0);
	for (size_t i = 0; i < o.n; i++)
		buf_addf(&is, "%s%s:%zu", i > 0 ? " " : "", o.v[i]->path, overlay_layer_of(&o, o.v[i]));
	buf_adds(&is, "");
	assert_string_equal(is.data, want);
	for (size_t i = 0; i < n; i++)
		close(layers[i].fd);
}

static void whiteouts_take_away_what_is_below(void **state)
{
	struct slice layers[] = {
		LAYER(DIR_AT("a"), FILE_AT("a/x", "1"), DIR_AT("a/d"), FILE_AT("a/d/y", "1"), FILE_AT("a-b", "1"), FILE_AT("b", "1")),
		LAYER(FILE_AT("a/.wh.x", NULL), FILE_AT("a/.wh.d", NULL), DIR_AT("a/d"), FILE_AT("a/d/z", "2"), FILE_AT("b", "22")),
		LAYER(FILE_AT("a/x", "3"), FILE_AT(".wh.none", NULL), FILE_AT(".wh..wh.plnk", NULL)),
	};

	(void)state;
	assert_seen(layers, 3, "a:0 a/d:1 a/d/z:1 a/x:2 a-b:0 b:1");
}

static void opaque_directories_hide_only_lower_layers(void **state)
{
	/* The mark stands behind what its own layer puts there. */
	struct slice layers[] = {
		LAYER(DIR_AT("a"), FILE_AT("a/x", "1"), DIR_AT("a/d"), FILE_AT("a/d/y", "1"), FILE_AT("b", "1")),
		LAYER(DIR_AT("a"), FILE_AT("a/n", "2"), FILE_AT("a/.wh..wh..opq", NULL)),
	};
	struct slice root[] = {
		LAYER(DIR_AT("a"), FILE_AT("a/x", "1")),
		LAYER(FILE_AT("n", "2"), FILE_AT(".wh..wh..opq", NULL)),
	};

	(void)state;
	assert_seen(layers, 2, "a:1 a/n:1 b:0");
	assert_seen(root, 2, "n:1");
}

static void what_is_no_directory_hides_what_was_below(void **state)
{
	struct slice layers[] = {
		LAYER(DIR_AT("a"), FILE_AT("a/x", "1")),
		LAYER({ .path = "a", .type = TAR_LINK, .link = "b" }),
		LAYER(DIR_AT("a"), FILE_AT("a/y", "1")),
	};
	struct slice twice[] = { LAYER(FILE_AT("a", "1"), FILE_AT("a", "22")) };

	(void)state;
	assert_seen(layers, 3, "a:2 a/y:2");
	assert_seen(twice, 1, "a:0");
}

static void uncertain_paths_are_refused(void **state)
{
	struct slice tar = LAYER(FILE_AT("a/../b", "1"));
	struct err err = {0};
	auto_overlay o = {0};

	(void)state;
	assert_int_equal(overlay_add(&o, &tar, &err), -1);
	close(tar.fd);
}

/* ---- the summary ------------------------------------------------------------------------------------ */

/** All layers behind each other in one file, read in a confined process. */
static json_t *sum_up(const json_t *config, struct slice *layers, size_t n)
{
	int fd = memfd_create("image", MFD_CLOEXEC), scratch = memfd_create("scratch", MFD_CLOEXEC);
	struct err err = {0};
	json_t *summary = NULL;
	uint64_t at = 0;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(lseek(layers[i].fd, 0, SEEK_SET), 0);
		assert_int_equal(io_copy(layers[i].fd, fd, layers[i].size, &err), 0);
		close(layers[i].fd);
		layers[i] = (struct slice){ fd, at, layers[i].size };
		at += layers[i].size;
	}
	if (summary_find(config, layers, n, scratch, &summary, &err) < 0)
		fail_msg("%s", err.msg);
	close(fd);
	close(scratch);
	return summary;
}

/** "id:count[where,…] " of all findings. */
static void assert_findings(const json_t *summary, const char *want)
{
	auto_buf is = {0};
	json_t *finding, *where;
	size_t i, j;

	json_array_foreach(json_object_get(summary, "findings"), i, finding) {
		buf_addf(&is, "%s%s:%lld[", i > 0 ? " " : "", json_str(finding, "id"),
			 (long long)json_integer_value(json_object_get(finding, "count")));
		json_array_foreach(json_object_get(finding, "where"), j, where) {
			buf_addf(&is, "%s%s", j > 0 ? "," : "", json_string_value(where));
		}
		buf_adds(&is, "]");
		assert_non_null(json_str(finding, "why"));
		assert_non_null(json_str(finding, "cure"));
	}
	buf_adds(&is, "");
	assert_string_equal(is.data, want);
}

static json_int_t number(const json_t *j, const char *a, const char *b)
{
	return json_integer_value(json_object_get(json_object_get(j, a), b));
}

#define KEY "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----\n"

static void findings_have_their_places(void **state)
{
	struct slice layers[] = {
		LAYER(DIR_AT("bin"), { .path = "bin/sh", .type = TAR_LINK, .link = "busybox" }, { .path = "bin/su", .type = TAR_FILE, .mode = 04755 },
		      { .path = "usr/bin/apt", .type = TAR_FILE, .mode = 0755, .uid = 7 }, { .path = "tmp", .type = TAR_DIR, .mode = 01777 },
		      { .path = "open", .type = TAR_DIR, .mode = 0777 }, { .path = "open/file", .type = TAR_FILE, .mode = 0666 },
		      FILE_AT("root/id", KEY), FILE_AT("key.c", "\tputs(\"-----BEGIN RSA PRIVATE KEY-----\");\n"),
		      FILE_AT("cert.pem", "-----BEGIN CERTIFICATE-----\nx\n"), FILE_AT("app/.npmrc", "//registry.example.com/:_authToken=x\n"),
		      FILE_AT("home/.npmrc", "fund=false\n"), DIR_AT("app/.git"), FILE_AT("opt/sh", "no shell")),
		LAYER(FILE_AT("root/.wh.id", NULL), { .path = "bin/su", .type = TAR_FILE, .mode = 06755 }),
	};
	auto_json config = json_pack("{s:{s:[s, s, s, s], s:s, s:{s:s}}}", "config", "Env", "DB_PASSWORD=x", "TOKEN=", "TOKEN_FILE=/run/token", "A=b",
				     "User", "00:5", "Labels", "org.example", "x");
	auto_json summary = sum_up(config, layers, 2);

	(void)state;
	assert_findings(summary, "root-user:1[00:5] no-labels:1[] secret-variable:1[DB_PASSWORD] setuid:1[bin/su] world-writable-file:1[open/file] "
			"world-writable-directory:1[open] program-owner:1[usr/bin/apt] shell:1[bin/sh] package-manager:1[usr/bin/apt] "
			"private-key:1[root/id (hidden, but in layer 1)] credentials:1[app/.npmrc] repository:1[app/.git]");
	const json_t *setuid = json_array_get(json_object_get(summary, "setuid"), 0);
	assert_string_equal(json_str(setuid, "mode"), "6755");
	assert_int_equal(json_array_size(json_object_get(summary, "setuid")), 1);
}

static void a_hardened_image_has_no_findings(void **state)
{
	struct slice layers[] = { LAYER({ .path = "app", .type = TAR_FILE, .mode = 0755, .text = "x" }) };
	auto_json config = json_pack("{s:{s:s, s:{s:s}}}", "config", "User", "1000", "Labels", "org.opencontainers.image.source", "x");
	auto_json summary = sum_up(config, layers, 1);

	(void)state;
	assert_findings(summary, "");
}

static void counts_biggest_and_packages(void **state)
{
	struct slice layers[] = {
		LAYER(DIR_AT("a"), FILE_AT("a/small", "1"), FILE_AT("a/large", "1234567890"), { .path = "l", .type = TAR_LINK, .link = "a" },
		      FILE_AT("var/lib/dpkg/status", "Package: old\nStatus: install ok installed\nVersion: 1\n")),
		LAYER(FILE_AT("a/.wh.small", NULL), FILE_AT("meta", "Package: new\nStatus: install ok installed\nVersion: 2\n"),
		      { .path = "var/lib/dpkg/status", .type = TAR_HARDLINK, .link = "meta" }),
	};
	auto_json config = json_object();
	auto_json summary = sum_up(config, layers, 2);
	const json_t *biggest = json_object_get(summary, "biggest"), *packages = json_object_get(summary, "packages");

	(void)state;
	assert_int_equal(number(summary, "total", "files"), 2);
	assert_int_equal(number(summary, "total", "hardLinks"), 1);
	assert_int_equal(number(summary, "total", "directories"), 1);
	assert_int_equal(number(summary, "total", "links"), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(summary, "layers"), 0), "files")), 3);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(summary, "layers"), 1), "whiteouts")), 1);
	assert_int_equal(json_array_size(biggest), 2);
	assert_string_equal(json_str(json_array_get(biggest, 0), "path"), "meta");
	assert_string_equal(json_str(json_array_get(biggest, 1), "path"), "a/large");
	assert_int_equal(number(packages, "kinds", "deb"), 1);
	assert_string_equal(json_str(json_array_get(json_object_get(packages, "list"), 0), "name"), "new");
}

static void only_the_ten_largest(void **state)
{
	static const char text[] = "xxxxxxxxxxxxxxxxxxxxxxxx";
	struct entry v[20];
	char names[20][8];

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		snprintf(names[i], sizeof names[i], "f%02zu", i);
		v[i] = (struct entry)FILE_AT(names[i], text + sizeof text - 1 - (i * 7 % 20));
	}
	struct slice layers[] = { layer_of(v, 20) };
	auto_json config = json_object();
	auto_json summary = sum_up(config, layers, 1);
	const json_t *biggest = json_object_get(summary, "biggest");

	assert_int_equal(json_array_size(biggest), SUMMARY_BIGGEST);
	for (size_t i = 0; i < SUMMARY_BIGGEST; i++)
		assert_int_equal(json_integer_value(json_object_get(json_array_get(biggest, i), "size")), 19 - i);
}

static void a_damaged_layer_is_refused(void **state)
{
	char garbage[1024];
	memset(garbage, 'x', sizeof garbage);
	struct slice layers[] = { slice_of(garbage, sizeof garbage) };
	int scratch = memfd_create("scratch", MFD_CLOEXEC);
	auto_json config = json_object();
	struct err err = {0};
	json_t *summary = NULL;

	(void)state;
	assert_int_equal(summary_find(config, layers, 1, scratch, &summary, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_null(summary);
	close(layers[0].fd);
	close(scratch);
}

/** The wall: of an answer that has been changed nothing is taken. */
static void nonsense_is_not_believed(void **state)
{
	static const char *const wrong[] = {
		"{\"layers\": []}", "{\"total\": {\"files\": -1}}", "{\"total\": 3}", "{\"findings\": [{\"id\": \"none\", \"count\": 1, \"where\": []}]}",
		"{\"findings\": [{\"id\": \"setuid\", \"count\": 0, \"where\": []}]}", "{\"findings\": [{\"id\": \"setuid\", \"count\": 1, \"where\": [3]}]}",
		"{\"biggest\": [{\"path\": 3, \"size\": 1, \"layer\": 1}]}", "{\"setuid\": [{}]}", "{\"packages\": {}}", "{\"more\": 1}",
	};
	struct slice layers[] = { LAYER(FILE_AT("a", "1")) };
	int scratch = memfd_create("scratch", MFD_CLOEXEC);
	auto_json good = NULL;
	auto_json config = json_object();
	struct err err = {0};

	(void)state;
	assert_int_equal(summary_find_here(layers, 1, scratch, &good, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		auto_json answer = json_deep_copy(good);
		auto_json change = NULL;

		assert_int_equal(json_parse(wrong[i], strlen(wrong[i]), "test", ERR_INPUT, &change, &err), 0);
		json_object_update(answer, change);
		if (summary_believe(answer, config, 1, &err) == 0)
			fail_msg("believed: %s", wrong[i]);
	}
	assert_int_equal(summary_believe(good, config, 1, &err), 0);
	close(layers[0].fd);
	close(scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whiteouts_take_away_what_is_below),
		cmocka_unit_test(opaque_directories_hide_only_lower_layers),
		cmocka_unit_test(what_is_no_directory_hides_what_was_below),
		cmocka_unit_test(uncertain_paths_are_refused),
		cmocka_unit_test(findings_have_their_places),
		cmocka_unit_test(a_hardened_image_has_no_findings),
		cmocka_unit_test(counts_biggest_and_packages),
		cmocka_unit_test(only_the_ten_largest),
		cmocka_unit_test(a_damaged_layer_is_refused),
		cmocka_unit_test(nonsense_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

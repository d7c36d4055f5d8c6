/* SPDX-License-Identifier: Apache-2.0 */
/* Both forms of a bill of materials, byte for byte (tests/golden), and what they say of odd images. */
#include <fcntl.h>

#include "inspect/sbom.h"
#include "packages_helper.h"

#define SITE "usr/lib/python3/site-packages/"

static const struct row base_rows[] = {
	{ "etc/os-release", "ID=debian\nVERSION_ID=12\nNAME=\"Debian GNU/Linux\"\n", NULL },
	{ "usr/bin/hello", "hello\n", NULL },
	{ "usr/share/doc/hello/copyright", "Format: x\n\nFiles: *\nLicense: GPL-3+ and own-words\n", NULL },
	{ "var/lib/dpkg/info/hello.list", "/usr/bin/hello\n/usr/share/doc/hello/copyright\n", NULL },
	{ "var/lib/dpkg/status",
	  "Package: hello\nStatus: install ok installed\nMaintainer: Jane Doe <jane@example.com>\nArchitecture: amd64\nVersion: 2.10-3+b1\nDepends: libc6\n\n"
	  "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9\n", NULL },
};

static const struct row app_rows[] = {
	{ "app/package.json", "{\"name\":\"shop\",\"version\":\"1.0.0\",\"license\":\"MIT OR ISC\",\"dependencies\":{\"@s/a\":\"1\"}}", NULL },
	{ "app/node_modules/@s/a/package.json", "{\"name\":\"@s/a\",\"version\":\"1.2.3\",\"license\":\"MIT\",\"author\":\"Ann\"}", NULL },
	{ "app/node_modules/@s/a/i.js", "x", NULL },
	{ "app/data.bin", "data", NULL },
	{ "app/link", NULL, "data.bin" },
	{ SITE "w-1.dist-info/METADATA", "Name: w\nVersion: 1\n", NULL },
};

/** The image of both, and its packages. */
static void make(struct contents *c, struct packages *p)
{
	struct row all[ARRAY_LEN(base_rows) + ARRAY_LEN(app_rows)];
	auto_contents here = {0};
	struct err err = {0};

	memcpy(all, base_rows, sizeof base_rows);
	memcpy(all + ARRAY_LEN(base_rows), app_rows, sizeof app_rows);
	FIND_HERE(all, &here, p);
	add_rows(c, base_rows, ARRAY_LEN(base_rows), 0);
	add_rows(c, app_rows, ARRAY_LEN(app_rows), 1);
	contents_lay(c);
	for (size_t i = 0; i < c->n; i++)
		assert_int_equal(hash_sha1_bytes(c->v[i].path, strlen(c->v[i].path), &c->v[i].sha1, &err), 0);
}

static struct digest digest_of(const char *text)
{
	struct digest d;
	struct err err = {0};

	assert_int_equal(hash_bytes(text, strlen(text), &d, &err), 0);
	return d;
}

static struct sbom document(const struct contents *c, const struct packages *p, struct sbom_layer layers[2], struct sbom_material materials[2])
{
	layers[0] = (struct sbom_layer){ digest_of("layer 0"), digest_of("diff 0"), "application/vnd.oci.image.layer.v1.tar+gzip", "glovebox rootfs" };
	layers[1] = (struct sbom_layer){ digest_of("layer 1"), digest_of("diff 1"), "application/vnd.oci.image.layer.v1.tar+gzip", NULL };
	materials[0] = (struct sbom_material){ "rootfs", "glovebox:rootfs/base", digest_of("rootfs"), NULL, true };
	materials[1] = (struct sbom_material){ "src", "git+https://git.example.com/x", digest_of("src"), "4b220de5058abfd01ff619c9d2ff6b09a049bea0", false };
	return (struct sbom){
		.name = "registry.example.com/Shop/checkout", .manifest = digest_of("manifest"), .architecture = "amd64", .created = GB_EPOCH,
		.supplier = "Example", .version = "0.0.0", .layers = layers, .nlayers = 2, .materials = materials, .nmaterials = 2,
		.contents = c, .packages = p,
	};
}

/** Compares with tests/golden/NAME; GB_GOLDEN in the environment writes it anew, for who has looked at what changed. */
static void assert_golden(const json_t *doc, const char *name)
{
	struct err err = {0};
	auto_buf is = {0};
	auto_buf want = {0};
	char path[256];

	snprintf(path, sizeof path, "tests/golden/%s", name);
	assert_int_equal(json_pretty(doc, &is, &err), 0);
	if (getenv("GB_GOLDEN") != NULL)
		assert_int_equal(io_publish(AT_FDCWD, path, is.data, is.len, 0644, 0, &err), 0);
	if (io_read_file(AT_FDCWD, path, 1 << 20, &want, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(is.data, want.data);
}

static void golden(void **state)
{
	auto_contents c = {0};
	auto_packages p = {0};
	struct sbom_layer layers[2];
	struct sbom_material materials[2];
	struct err err = {0};

	(void)state;
	make(&c, &p);
	const struct sbom s = document(&c, &p, layers, materials);
	for (enum sbom_format f = 0; f < SBOM_FORMATS; f++) {
		auto_json doc = NULL;
		auto_json again = NULL;

		if (sbom_make(f, &s, &doc, &err) < 0)
			fail_msg("%s", err.msg);
		assert_golden(doc, sbom_kinds[f].file);
		assert_int_equal(sbom_make(f, &s, &again, &err), 0);
		assert_true(json_equal(doc, again));
	}
}

/** An image with nothing in it, and one whose reader had something to note. */
static void empty_and_incomplete(void **state)
{
	auto_contents c = {0};
	auto_packages p = {0};
	struct sbom_layer layers[2];
	struct sbom_material materials[2];
	struct err err = {0};

	(void)state;
	FIND_HERE(((const struct row[]){ { "a\xff\n", "x", NULL } }), &c, &p);
	free(p.notes);
	p.notes = calloc(1, sizeof *p.notes);
	assert_non_null(p.notes);
	p.notes[0] = (struct package_note){ 0, strdup("not read") };
	p.nnotes = 1;
	struct sbom s = document(&c, &p, layers, materials);
	for (int i = 0; i < 2; i++) {
		auto_json cdx = NULL;
		auto_json spdx = NULL;

		if (i == 1) {
			free(p.notes[0].why);
			p.nnotes = 0;
		}
		assert_int_equal(sbom_make(SBOM_CYCLONEDX, &s, &cdx, &err), 0);
		assert_int_equal(sbom_make(SBOM_SPDX, &s, &spdx, &err), 0);
		const char *aggregate = json_str(json_array_get(json_object_get(cdx, "compositions"), 0), "aggregate");
		assert_string_equal(aggregate, i == 0 ? "incomplete" : "complete");
		if (i == 0)
			assert_string_equal(json_str(spdx, "comment"), "This list is not complete.\n/a\\377\\012: not read");
		else
			assert_null(json_object_get(spdx, "comment"));
		assert_string_equal(json_str(json_array_get(json_object_get(spdx, "files"), 0), "fileName"), "./a\\377\\012");
	}
}

/** The serial number is the image's and glovebox's, and a UUID of version 5. */
static void serial_number(void **state)
{
	auto_contents c = {0};
	auto_packages p = {0};
	struct sbom_layer layers[2];
	struct sbom_material materials[2];
	struct err err = {0};
	auto_json a = NULL;
	auto_json b = NULL;

	(void)state;
	make(&c, &p);
	struct sbom s = document(&c, &p, layers, materials);
	assert_int_equal(sbom_make(SBOM_CYCLONEDX, &s, &a, &err), 0);
	s.manifest = digest_of("another");
	assert_int_equal(sbom_make(SBOM_CYCLONEDX, &s, &b, &err), 0);
	const char *x = json_str(a, "serialNumber"), *y = json_str(b, "serialNumber");
	assert_string_not_equal(x, y);
	assert_int_equal(strlen(x), strlen("urn:uuid:") + 36);
	assert_int_equal(x[9 + 14], '5');
	assert_non_null(strchr("89ab", x[9 + 19]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
		cmocka_unit_test(empty_and_incomplete),
		cmocka_unit_test(serial_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

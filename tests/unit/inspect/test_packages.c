/* SPDX-License-Identifier: Apache-2.0 */
/* Each format of what tells of packages; what is hostile in it; and the wall between who reads it and who believes it. */
#include "packages_helper.h"

static const char os_release[] = "NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_ID=\"12\"\n";

static void dpkg(void **state)
{
	static const struct row rows[] = {
		{ "usr/lib/os-release", os_release, NULL },
		{ "etc/os-release", NULL, "../usr/lib/os-release" },
		{ "bin", NULL, "usr/bin" },
		{ "usr/bin/hello", "x", NULL },
		{ "usr/bin/stray", "y", NULL },
		{ "usr/lib/libx.so.1", "z", NULL },
		{ "usr/share/doc/libx1/copyright",
		  "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: someone\n"
		  "License: GPL-2+ or Artistic, and Expat\n text\n .\n more\n\nFiles: y\nLicense: BSD-3-clause\n\nLicense: LGPL-3\n text\n", NULL },
		{ "usr/share/doc/hello", NULL, "libx1" },
		{ "var/lib/dpkg/info/hello.list", "/.\n/bin\n/bin/hello\n/usr/share/doc/hello\n/not/there\n", NULL },
		{ "var/lib/dpkg/info/libx1:amd64.list", "/usr/lib/libx.so.1\n/usr/share/doc/libx1/copyright\n", NULL },
		{ "var/lib/dpkg/info/gone.list", "/usr/bin/stray\n", NULL },
		{ "var/lib/dpkg/status",
		  "Package: hello\nStatus: install ok installed\nMaintainer: Jane Doe <jane@example.com>\nArchitecture: amd64\n"
		  "Version: 1:2.10-3+b1\nPre-Depends: none | libx1 (>= 1)\nDepends: virtual:any, missing\nDescription: x\n more: lines\n .\n\n"
		  "Package: libx1\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1~rc1\nMulti-Arch: same\n\n"
		  "Package: prov\nStatus: install ok triggers-pending\nArchitecture: all\nVersion: 3\nProvides: virtual (= 1), other\n\n"
		  "Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 4\n", NULL },
	};
	auto_contents c = {0};
	auto_packages p = {0};

	(void)state;
	FIND_HERE(rows, &c, &p);
	assert_int_equal(p.n, 3);
	assert_text(p.os_id, "debian");
	assert_text(p.os_name, "Debian GNU/Linux");
	assert_text(named(&p, "hello")->version, "1:2.10-3+b1");
	assert_text(named(&p, "hello")->supplier, "Jane Doe");
	assert_text(named(&p, "hello")->licence, "(GPL-2.0-or-later OR Artistic-1.0) AND MIT AND BSD-3-Clause");
	assert_text(named(&p, "libx1")->licence, "(GPL-2.0-or-later OR Artistic-1.0) AND MIT AND BSD-3-Clause");
	assert_text(named(&p, "prov")->licence, NULL);
	assert_purl(&p, "hello", "pkg:deb/debian/hello@1:2.10-3%2Bb1?arch=amd64&distro=debian-12");
	assert_purl(&p, "libx1", "pkg:deb/debian/libx1@1~rc1?arch=amd64&distro=debian-12");
	assert_needs(&p, "hello", "libx1 prov");
	assert_needs(&p, "libx1", "");
	assert_owner(&p, &c, "usr/bin/hello", "hello");
	assert_owner(&p, &c, "bin", "hello");
	assert_owner(&p, &c, "usr/share/doc/hello", "hello");
	assert_owner(&p, &c, "usr/lib/libx.so.1", "libx1");
	assert_owner(&p, &c, "usr/bin/stray", NULL);
}

static void dpkg_without_dpkg(void **state)
{
	static const struct row rows[] = {
		{ "var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n", NULL },
		{ "var/lib/dpkg/status.d/base.md5sums", "d41d8cd98f00b204e9800998ecf8427e  etc/issue\nbad\n", NULL },
		{ "etc/issue", "x", NULL },
	};
	auto_contents c = {0};
	auto_packages p = {0};

	(void)state;
	FIND_HERE(rows, &c, &p);
	assert_int_equal(p.n, 1);
	assert_purl(&p, "base-files", "pkg:deb/debian/base-files@12.4?arch=amd64");
	assert_owner(&p, &c, "etc/issue", "base-files");
	assert_owner(&p, &c, "var/lib/dpkg/status.d/base.md5sums", "base-files");
}

static void npm(void **state)
{
	static const struct row rows[] = {
		{ "app/package.json", "{\"name\":\"shop\",\"version\":\"1.0.0\",\"license\":\"UNLICENSED\",\"dependencies\":{\"a\":\"1\",\"@s/b\":\"2\",\"d\":\"*\"}}", NULL },
		{ "app/server.js", "x", NULL },
		{ "app/node_modules/a/package.json",
		  "\xef\xbb\xbf{\"name\":\"a\",\"version\":\"1.2.3\",\"license\":{\"type\":\"MIT\"},\"author\":\"Ann <a@example.com> (https://example.com)\",\"dependencies\":{\"@s/b\":\"1\"}}", NULL },
		{ "app/node_modules/a/lib/x.js", "x", NULL },
		{ "app/node_modules/a/lib/package.json", "{\"type\":\"module\"}", NULL },
		{ "app/node_modules/a/node_modules/@s/b/package.json",
		  "{\"name\":\"@S/B\",\"version\":\"1.0.0-rc.1+x\",\"licenses\":[{\"type\":\"MIT\"},{\"type\":\"Apache-2.0\"}],\"maintainers\":[{\"name\":\"Bob\"}]}", NULL },
		{ "app/node_modules/a/node_modules/@s/b/y.js", "y", NULL },
		{ "app/node_modules/@s/b/package.json", "{\"name\":\"@s/b\",\"version\":\"2.0.0\",\"license\":\"(MIT OR Apache-2.0)\"}", NULL },
		{ "app/package-lock.json",
		  "{\"lockfileVersion\":3,\"packages\":{\"\":{\"name\":\"shop\"},\"node_modules/a\":{\"version\":\"1.2.3\"},"
		  "\"node_modules/d\":{\"version\":\"4.0.0\",\"license\":\"ISC\",\"dependencies\":{\"a\":\"1\"}},\"packages/w\":{\"version\":\"1\"},"
		  "\"node_modules/w\":{\"link\":true,\"resolved\":\"packages/w\"},\"node_modules/al\":{\"name\":\"alias-of\",\"version\":\"5.0.0\"}}}", NULL },
	};
	auto_contents c = {0};
	auto_packages p = {0};

	(void)state;
	FIND_HERE(rows, &c, &p);
	assert_int_equal(p.n, 6);
	assert_text(named(&p, "shop")->licence, "LicenseRef-UNLICENSED");
	assert_text(named(&p, "a")->licence, "MIT");
	assert_text(named(&p, "a")->supplier, "Ann");
	assert_text(named(&p, "@S/B")->licence, "MIT OR Apache-2.0");
	assert_text(named(&p, "@S/B")->supplier, "Bob");
	assert_text(named(&p, "@s/b")->licence, "(MIT OR Apache-2.0)");
	assert_purl(&p, "@S/B", "pkg:npm/%40s/b@1.0.0-rc.1%2Bx");
	/* Each finds the nearest. */
	assert_needs(&p, "a", "@S/B");
	assert_needs(&p, "shop", "@s/b a d");
	assert_needs(&p, "d", "a");
	assert_true(named(&p, "d")->listed);
	assert_true(named(&p, "alias-of")->listed);
	assert_false(named(&p, "a")->listed);
	assert_owner(&p, &c, "app/node_modules/a/lib/x.js", "a");
	assert_owner(&p, &c, "app/node_modules/a/node_modules/@s/b/y.js", "@S/B");
	assert_owner(&p, &c, "app/server.js", NULL);
	assert_owner(&p, &c, "app/package.json", "shop");
}

#define SITE "usr/lib/python3/site-packages/"

static void pip(void **state)
{
	static const struct row rows[] = {
		{ SITE "My.Proj_x-1.0.dist-info/METADATA",
		  "Metadata-Version: 2.1\nName: My.Proj_x\nVersion: 1.0\nAuthor-email: \"Jo, Inc\" <jo@example.com>\nLicense: UNKNOWN\n"
		  "Classifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: MIT License\nRequires-Dist: Req_Uests[socks] (>=2.0) ; python_version < '4'\n"
		  "Requires-Dist: old>=1; extra == 'dev'\n\nName: not-this\n", NULL },
		{ SITE "My.Proj_x-1.0.dist-info/RECORD",
		  "my/__init__.py,sha256=abc,1\n\"my/a,\"\"b.py\",,\n../../../bin/my,,\n/etc/my.conf,,\n../../../../../../../x,,\nMy.Proj_x-1.0.dist-info/RECORD,,\n", NULL },
		{ SITE "my/__init__.py", "", NULL },
		{ SITE "my/a,\"b.py", "", NULL },
		{ "usr/bin/my", "", NULL },
		{ "etc/my.conf", "", NULL },
		{ SITE "req_uests-2.egg-info/PKG-INFO", "Metadata-Version: 1.1\r\nName: req-uests\r\nVersion: 2\r\nLicense: Apache 2.0\r\n", NULL },
		{ SITE "req_uests-2.egg-info/installed-files.txt", "../req.py\nPKG-INFO\n", NULL },
		{ SITE "req.py", "", NULL },
		{ SITE "old-1.egg-info", "Name: old\nVersion: 1\nLicense-Expression: bsd-3-clause and Foo\n", NULL },
	};
	auto_contents c = {0};
	auto_packages p = {0};

	(void)state;
	FIND_HERE(rows, &c, &p);
	assert_int_equal(p.n, 3);
	assert_purl(&p, "My.Proj_x", "pkg:pypi/my-proj-x@1.0");
	assert_text(named(&p, "My.Proj_x")->supplier, "Jo, Inc");
	assert_text(named(&p, "My.Proj_x")->licence, "MIT");
	assert_text(named(&p, "req-uests")->licence, "Apache-2.0");
	assert_text(named(&p, "req-uests")->version, "2");
	assert_text(named(&p, "old")->licence, "BSD-3-Clause AND LicenseRef-Foo");
	assert_needs(&p, "My.Proj_x", "req-uests");
	assert_owner(&p, &c, SITE "my/__init__.py", "My.Proj_x");
	assert_owner(&p, &c, SITE "my/a,\"b.py", "My.Proj_x");
	assert_owner(&p, &c, "usr/bin/my", "My.Proj_x");
	assert_owner(&p, &c, "etc/my.conf", "My.Proj_x");
	assert_owner(&p, &c, SITE "req.py", "req-uests");
	assert_owner(&p, &c, SITE "old-1.egg-info", "old");
}

static void apk(void **state)
{
	static const struct row rows[] = {
		{ "etc/os-release", "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.3\n", NULL },
		{ "lib/apk/db/installed",
		  "C:Q1x=\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\nm:Timo <timo@example.com>\np:so:libc.musl-x86_64.so.1=1\nF:lib\nR:ld-musl.so.1\na:0:0:755\nZ:Q1y=\n\n"
		  "P:busybox\nV:1.36.1-r29\nA:x86_64\nL:GPL-2.0-only\nD:so:libc.musl-x86_64.so.1 !other missing>=1\nF:\nF:bin\nR:busybox\nF:etc\nR:none\n\n"
		  "P:ca-bundle\nV:1\nA:noarch\nL:MPL-2.0 AND MIT\n", NULL },
		{ "lib/ld-musl.so.1", "x", NULL },
		{ "bin/busybox", "x", NULL },
		{ "bin/sh", NULL, "busybox" },
	};
	auto_contents c = {0};
	auto_packages p = {0};

	(void)state;
	FIND_HERE(rows, &c, &p);
	assert_int_equal(p.n, 3);
	assert_purl(&p, "musl", "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.3");
	assert_text(named(&p, "musl")->supplier, "Timo");
	assert_text(named(&p, "ca-bundle")->licence, "MPL-2.0 AND MIT");
	assert_needs(&p, "busybox", "musl");
	assert_owner(&p, &c, "bin/busybox", "busybox");
	assert_owner(&p, &c, "lib/ld-musl.so.1", "musl");
	assert_owner(&p, &c, "bin/sh", NULL);
}

static void go_mod_and_cargo_lock(void **state)
{
	static const struct row rows[] = {
		{ "src/go.mod",
		  "module example.com/App // x\n\ngo 1.22\nrequire github.com/One/two v1.0.0\nrequire (\n\tgolang.org/x/sys v0.1.0 // indirect\n\tbad\n)\nexclude (\n\ta v1\n)\n", NULL },
		{ "src/Cargo.lock",
		  "version = 3\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"rand 0.8.5\",\n \"libc\",\n]\n\n"
		  "[[package]]\nname = \"libc\"\nversion = \"0.2.1\"\nsource = \"registry+x\"\n\n[[package]]\nname = \"rand\"\nversion = \"0.7.0\"\n\n"
		  "[[package]]\nname = \"rand\"\nversion = \"0.8.5\"\n\n[metadata]\nname = \"none\"\n", NULL },
	};
	auto_contents c = {0};
	auto_packages p = {0};

	(void)state;
	FIND_HERE(rows, &c, &p);
	assert_int_equal(p.n, 7);
	assert_purl(&p, "example.com/App", "pkg:golang/example.com/app");
	assert_purl(&p, "github.com/One/two", "pkg:golang/github.com/one/two@v1.0.0");
	assert_needs(&p, "example.com/App", "github.com/One/two golang.org/x/sys");
	assert_purl(&p, "libc", "pkg:cargo/libc@0.2.1");
	assert_needs(&p, "app", "libc rand");
	assert_text(p.v[named(&p, "app")->needs[1]].version, "0.8.5");
	assert_true(named(&p, "libc")->listed);
}

/** What Go puts into a program, behind @p before bytes that are none of it. */
static void go_program(struct buf *out, size_t before, const char *version, const char *modules)
{
	buf_adds(out, "\x7f" "ELF");
	while (out->len < before)
		buf_addc(out, '.');
	size_t start = out->len;
	buf_add(out, PKG_GO_MAGIC "\x08\x02", 16);
	while (out->len < start + 32)
		buf_addc(out, '\0');
	buf_addc(out, (char)strlen(version));
	buf_adds(out, version);
	size_t n = strlen(modules) + 32;
	buf_addc(out, (char)(0x80 | (n & 0x7f)));
	buf_addc(out, (char)(n >> 7));
	buf_adds(out, "0123456789abcdef");
	buf_adds(out, modules);
	buf_adds(out, "0123456789abcdef");
	buf_adds(out, "and more");
	assert_false(out->failed);
}

static const char go_modules[] = "path\texample.com/app/cmd\nmod\texample.com/app\tv1.2.3\th1:x=\ndep\tgithub.com/a/b\tv0.1.0\th1:y=\n"
	"dep\tgithub.com/old/c\tv1.0.0\n=>\tgithub.com/new/c\tv2.0.0\th1:z=\ndep\tlocal.example/d\tv0.0.0\n=>\t./d\t(devel)\nbuild\tCGO_ENABLED=0\n";

/** A file of bytes that are no text, opened as packages_find() does. */
static int open_buf(void *arg, const struct content *file, int *ret_fd, struct err *err)
{
	const struct buf *b = arg;
	auto_fd fd = memfd_create("program", MFD_CLOEXEC);

	(void)file;
	if (io_write_all(fd, b->data, b->len, err) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	*ret_fd = move_fd(&fd);
	return 0;
}

static void find_in_program(const struct buf *program, struct contents *c, struct packages *p)
{
	const struct tree_entry e = { .type = TREE_FILE, .mode = 0755, .size = program->len };
	struct err err = {0};

	assert_int_equal(contents_add(c, &e, "usr/bin/app", 0, &err), 0);
	contents_lay(c);
	if (packages_find(c, open_buf, (void *)program, p, &err) < 0)
		fail_msg("%s", err.msg);
}

static void go_programs(void **state)
{
	/* Also across two pieces that are looked at one after the other; and where it is at no place that 16 divides, it is a text. */
	static const struct { size_t before; size_t packages; } rows[] = { { 600 << 10, 5 }, { (768 << 10) - 16, 5 }, { (600 << 10) + 8, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf program = {0};
		auto_contents c = {0};
		auto_packages p = {0};

		go_program(&program, rows[i].before, "go1.22.1 X:none", go_modules);
		find_in_program(&program, &c, &p);
		assert_int_equal(p.n, rows[i].packages);
		assert_int_equal(p.nnotes, 0);
		if (p.n == 0)
			continue;
		assert_purl(&p, "example.com/app", "pkg:golang/example.com/app@v1.2.3");
		assert_purl(&p, "github.com/new/c", "pkg:golang/github.com/new/c@v2.0.0");
		assert_purl(&p, "local.example/d", "pkg:golang/local.example/d@v0.0.0");
		assert_purl(&p, "stdlib", "pkg:golang/stdlib@1.22.1");
		assert_needs(&p, "example.com/app", "github.com/a/b github.com/new/c local.example/d stdlib");
		assert_owner(&p, &c, "usr/bin/app", "example.com/app");
	}
}

/** Cut anywhere, it is a note or nothing. */
static void go_program_that_is_cut(void **state)
{
	auto_buf whole = {0};
	struct err err = {0};

	(void)state;
	go_program(&whole, 4, "go1.22.1", go_modules);
	for (size_t n = 0; n < whole.len - 4; n++) {
		struct contents c = {0};
		auto_pkg_found f = {0};
		auto_free char *text = calloc(1, n + 1);
		const struct tree_entry e = { .type = TREE_FILE };

		memcpy(text, whole.data + 4, n);
		assert_int_equal(contents_add(&c, &e, "a", 0, &err), 0);
		assert_int_equal(pkg_found_begin(&f, &c, &err), 0);
		const struct pkg_file file = { .at = 0, .path = "a", .text = text, .n = n };
		if (pkg_read(&f, PKG_GO_BINARY, &file, &err) < 0)
			assert_int_equal(err.kind, ERR_INPUT);
		pkg_found_clear(&f);
		contents_clear(&c);
	}
}

/** What is of two makers: the database's package has what its list names, the other the rest. */
static void database_owns_before_language(void **state)
{
	static const struct row rows[] = {
		{ "var/lib/dpkg/status", "Package: python3-foo\nStatus: install ok installed\nVersion: 1\n", NULL },
		{ "var/lib/dpkg/info/python3-foo.list", "/" SITE "foo.py\n", NULL },
		{ SITE "foo-1.dist-info/METADATA", "Name: foo\nVersion: 1\n", NULL },
		{ SITE "foo-1.dist-info/RECORD", "foo.py,,\nbar.py,,\n", NULL },
		{ SITE "foo.py", "", NULL },
		{ SITE "bar.py", "", NULL },
	};
	auto_contents c = {0};
	auto_packages p = {0};

	(void)state;
	FIND_HERE(rows, &c, &p);
	assert_owner(&p, &c, SITE "foo.py", "python3-foo");
	assert_owner(&p, &c, SITE "bar.py", "foo");
}

static void hostile_files_are_refused(void **state)
{
	static const struct { const char *path, *text; size_t n; } rows[] = {
#define ROW(path, text) { path, text, sizeof text - 1 }
		ROW("var/lib/dpkg/status", "Version: 1\n"),
		ROW("var/lib/dpkg/status", "Package: a\0b\nVersion: 1\n"),
		ROW("a/package.json", "{\"name\":\"a\",\"name\":\"b\",\"version\":\"1\"}"),
		ROW("a/package.json", "{\"name\":\"a\",\"version\":\"1\""),
		ROW("a/package.json", "{\"name\":\"a\\u0000b\",\"version\":\"1\"}"),
		ROW("a/package-lock.json", "{\"lockfileVersion\":1,\"dependencies\":{\"a\":{\"version\":\"1\"}}}"),
		ROW("a/x.egg-info", "Version: 1\n"),
		ROW("a/x.egg-info", ""),
		ROW("lib/apk/db/installed", "V:1\nF:bin\nR:x\n"),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {0};

		if (read_one(rows[i].path, rows[i].text, rows[i].n, &err) == 0)
			fail_msg("row %zu is taken", i);
		assert_int_equal(err.kind, ERR_INPUT);
	}
}

static void odd_files_are_nothing(void **state)
{
	static const struct { const char *path, *text; } rows[] = {
		{ "var/lib/dpkg/status", "" }, { "var/lib/dpkg/status", "\n\n\n" }, { "var/lib/dpkg/status", "no colon\n: no name\n more\n" },
		{ "a/package.json", "{}" }, { "a/package.json", "{\"name\":7,\"version\":[]}" }, { "a/package.json", "[]" },
		{ "a/package-lock.json", "{\"packages\":{\"node_modules/a\":1,\"x\":{}}}" },
		{ "a.dist-info/RECORD", "x,,\n" }, { "lib/apk/db/installed", "\n\nX:\nnone\n:\n" }, { "etc/os-release", "=\nID\nID=\n'\"" },
		{ "usr/share/doc/x/copyright", "Format: 1\nLicense:\n\nFiles: *\nLicense: \n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = {0};

		if (read_one(rows[i].path, rows[i].text, strlen(rows[i].text), &err) < 0)
			fail_msg("row %zu: %s", i, err.msg);
	}
}

static void long_texts_are_refused(void **state)
{
	auto_buf text = {0};
	struct err err = {0};

	(void)state;
	buf_adds(&text, "Package: a\nVersion: ");
	for (int i = 0; i < PACKAGE_TEXT_MAX; i++)
		buf_addc(&text, '1');
	assert_int_equal(read_one("var/lib/dpkg/status", text.data, text.len, &err), 0);
	buf_addc(&text, '1');
	assert_int_equal(read_one("var/lib/dpkg/status", text.data, text.len, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
}

/* ---- the wall ------------------------------------------------------------------------------ */

/** What the fake store has. */
struct shelf {
	const struct row *rows;
	size_t n;
};

static int open_row(void *arg, const struct content *file, int *ret_fd, struct err *err)
{
	const struct shelf *s = arg;
	const char *text = text_of_row(s->rows, s->n, file->path);
	auto_fd fd = memfd_create("row", MFD_CLOEXEC);

	assert_true(fd >= 0);
	if (io_write_all(fd, text, strlen(text), err) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	*ret_fd = move_fd(&fd);
	return 0;
}

static void confined_reader_finds_and_notes(void **state)
{
	static const struct row rows[] = {
		{ "var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\n", NULL },
		{ "x/package.json", "not json", NULL },
		{ "y/package.json", "{\"name\":\"y\",\"version\":\"\xff\"}", NULL },
		{ "z/package.json", "{\"name\":\"z\",\"version\":\"1\"}", NULL },
	};
	const struct shelf shelf = { rows, ARRAY_LEN(rows) };
	struct err err = {0};
	auto_contents c = {0};
	auto_packages p = {0};

	(void)state;
	add_rows(&c, rows, ARRAY_LEN(rows), 0);
	contents_lay(&c);
	if (packages_find(&c, open_row, (void *)&shelf, &p, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.nnotes, 2);
	assert_string_equal(c.v[p.notes[0].file].path, "x/package.json");
	assert_string_equal(c.v[p.notes[1].file].path, "y/package.json");
	assert_owner(&p, &c, "z/package.json", "z");
}

/** What is believed of a document, about two files. */
static int believe(const char *text, struct packages *ret, struct err *err)
{
	auto_json j = NULL;
	auto_buf row = {0};

	assert_int_equal(json_parse(text, strlen(text), "answer", ERR_INTERNAL, &j, err), 0);
	json_to_row(j, &row);
	assert_false(row.failed);
	return pkg_believe(row.data, row.len, 2, ret, err);
}

static void answers_are_checked(void **state)
{
#define REST ",\"notes\":[],\"os\":{}}"
	static const char *const good = "{\"packages\":[{\"k\":0,\"f\":0,\"n\":\"a\",\"d\":[]}],\"owner\":[0,-1]" REST;
	static const char *const bad[] = {
		"[]", "{}", "{\"packages\":[],\"owner\":[]" REST, "{\"packages\":[{}],\"owner\":[0,-1]" REST,
		"{\"packages\":[{\"k\":9,\"f\":0,\"n\":\"a\",\"d\":[]}],\"owner\":[0,-1]" REST,
		"{\"packages\":[{\"k\":0,\"f\":2,\"n\":\"a\",\"d\":[]}],\"owner\":[0,-1]" REST,
		"{\"packages\":[{\"k\":0,\"f\":-1,\"n\":\"a\",\"d\":[]}],\"owner\":[0,-1]" REST,
		"{\"packages\":[{\"k\":0,\"f\":0,\"n\":\"\",\"d\":[]}],\"owner\":[0,-1]" REST,
		"{\"packages\":[{\"k\":0,\"f\":0,\"n\":7,\"d\":[]}],\"owner\":[0,-1]" REST,
		"{\"packages\":[{\"k\":0,\"f\":0,\"d\":[]}],\"owner\":[0,-1]" REST,
		"{\"packages\":[{\"k\":0,\"f\":0,\"n\":\"a\",\"d\":[1]}],\"owner\":[0,-1]" REST,
		"{\"packages\":[{\"k\":0,\"f\":0,\"n\":\"a\",\"d\":[0,0]}],\"owner\":[0,-1]" REST,
		"{\"packages\":[{\"k\":0,\"f\":0,\"n\":\"a\",\"d\":[],\"l\":\"MIT\\u0022\"}],\"owner\":[0,-1]" REST,
		"{\"packages\":[{\"k\":0,\"f\":0,\"n\":\"a\",\"d\":[]}],\"owner\":[1,-1]" REST,
		"{\"packages\":[{\"k\":0,\"f\":0,\"n\":\"a\",\"d\":[]}],\"owner\":[-2,-1]" REST,
		"{\"packages\":[{\"k\":0,\"f\":0,\"n\":\"a\",\"d\":[]}],\"owner\":[0,-1,0]" REST,
		"{\"packages\":[],\"owner\":[-1,-1],\"notes\":[{\"f\":0}],\"os\":{}}",
		"{\"packages\":[],\"owner\":[-1,-1],\"notes\":[{\"f\":5,\"why\":\"x\"}],\"os\":{}}",
		"{\"packages\":[],\"owner\":[-1,-1],\"notes\":[],\"os\":{\"id\":7}}",
	};
	struct err err = {0};
	auto_packages p = {0};

	(void)state;
	assert_int_equal(believe(good, &p, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_packages no = {0};

		if (believe(bad[i], &no, &err) == 0)
			fail_msg("row %zu is believed", i);
		assert_int_equal(err.kind, ERR_INPUT);
	}
	/* JSON itself is none: no parser waits for it here. */
	auto_packages no = {0};
	assert_int_equal(pkg_believe(good, strlen(good), 2, &no, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(pkg_believe("", 0, 2, &no, &err), -1);
}

static void formats_by_path(void **state)
{
	static const struct { const char *path; enum pkg_format format; } rows[] = {
		{ "var/lib/dpkg/status", PKG_DPKG_STATUS }, { "x/var/lib/dpkg/status", PKG_NO_FORMAT },
		{ "var/lib/dpkg/info/a:amd64.list", PKG_DPKG_LIST }, { "var/lib/dpkg/info/a/b.list", PKG_NO_FORMAT },
		{ "var/lib/dpkg/status.d/a", PKG_DPKG_STATUS_D }, { "var/lib/dpkg/status.d/a.md5sums", PKG_DPKG_SUMS },
		{ "usr/share/doc/a/copyright", PKG_COPYRIGHT }, { "usr/share/doc/a/b/copyright", PKG_NO_FORMAT },
		{ "usr/share/doc/copyright", PKG_NO_FORMAT }, { "copyright", PKG_NO_FORMAT },
		{ "package.json", PKG_NPM_PACKAGE }, { "a/b/package.json", PKG_NPM_PACKAGE }, { "a/xpackage.json", PKG_NO_FORMAT },
		{ "a-1.dist-info/METADATA", PKG_PIP_METADATA }, { "METADATA", PKG_NO_FORMAT }, { "x/METADATA", PKG_NO_FORMAT },
		{ "x/a.egg-info", PKG_PIP_METADATA }, { "x/a.egg-info/PKG-INFO", PKG_PIP_METADATA }, { "a.egg/EGG-INFO/PKG-INFO", PKG_PIP_METADATA },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (pkg_format_of(rows[i].path) != rows[i].format)
			fail_msg("%s: %d", rows[i].path, pkg_format_of(rows[i].path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dpkg),
		cmocka_unit_test(dpkg_without_dpkg),
		cmocka_unit_test(npm),
		cmocka_unit_test(pip),
		cmocka_unit_test(apk),
		cmocka_unit_test(go_mod_and_cargo_lock),
		cmocka_unit_test(go_programs),
		cmocka_unit_test(go_program_that_is_cut),
		cmocka_unit_test(database_owns_before_language),
		cmocka_unit_test(hostile_files_are_refused),
		cmocka_unit_test(odd_files_are_nothing),
		cmocka_unit_test(long_texts_are_refused),
		cmocka_unit_test(confined_reader_finds_and_notes),
		cmocka_unit_test(answers_are_checked),
		cmocka_unit_test(formats_by_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

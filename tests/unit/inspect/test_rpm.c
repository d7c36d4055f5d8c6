/* SPDX-License-Identifier: Apache-2.0 */
/* Databases of rpm's in their three forms, and what is hostile in them. */
#include "rpm_helper.h"

#include "inspect/pkg_rpm.h"

#define SQLITE "usr/lib/sysimage/rpm/rpmdb.sqlite"
#define NDB "usr/lib/sysimage/rpm/Packages.db"
#define BDB "var/lib/rpm/Packages"

static const struct form {
	const char *path;
	void (*make)(const struct buf *headers, size_t n, struct buf *out);
} forms[] = { { SQLITE, make_sqlite }, { NDB, make_ndb }, { BDB, make_bdb } };

/** A package with all that is read, and longer than a page. */
static void full_header(struct buf *out)
{
	static const uint32_t epoch[] = { 2 }, dirs[] = { 0, 1, 1, 0, 1 };
	auto_buf pad = {0};
	struct made m = {0};

	string(&m, 1000, "hello");
	string(&m, 1001, "1.0~rc1");
	string(&m, 1002, "3.fc40");
	numbers(&m, 1003, epoch, 1);
	for (int i = 0; i < 1200; i++)
		buf_addc(&pad, 'x');
	string(&m, 1005, pad.data);
	string(&m, 1011, "Example Project");
	string(&m, 1014, "GPLv2+ and MIT");
	string(&m, 1022, "x86_64");
	entry(&m, 1029, 1, 5);
	buf_add(&m.store, "\0\0\1\0\2", 5);
	strings(&m, 1047, "hello libhello.so.1()(64bit)");
	strings(&m, 1049, "/bin/sh libc libc missing rpmlib(X) (a if b)");
	numbers(&m, 1116, dirs, 5);
	strings(&m, 1117, "hello replaced_not a.conf gone other");
	strings(&m, 1118, "/usr/bin/ /etc/");
	finish_header(&m, out);
}

static void small_header(const char *name, const char *provides, struct buf *out)
{
	static const uint32_t dirs[] = { 0 };
	struct made m = {0};

	string(&m, 1000, name);
	string(&m, 1001, "1");
	string(&m, 1002, "1");
	string(&m, 1010, "Example Linux");
	string(&m, 1014, "MIT");
	strings(&m, 1047, provides);
	numbers(&m, 1116, dirs, 1);
	strings(&m, 1117, "sh");
	strings(&m, 1118, "/usr/bin/");
	/* What the installation added counts. */
	string(&m, 1022, "no");
	string(&m, 1022, "noarch");
	finish_header(&m, out);
}

/** A file of any bytes. */
struct file {
	const char *path;
	const struct buf *bytes;
};

struct shelf {
	const struct file *v;
	size_t n;
};

static int open_file(void *arg, const struct content *file, int *ret_fd, struct err *err)
{
	const struct shelf *s = arg;
	auto_fd fd = memfd_create("file", MFD_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].path, file->path) == 0 && s->v[i].bytes != NULL &&
		    io_write_all(fd, s->v[i].bytes->data, s->v[i].bytes->len, err) < 0)
			return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	*ret_fd = move_fd(&fd);
	return 0;
}

/** As an image's packages are found: in a confined process. */
static void find(const struct file *files, size_t n, struct contents *c, struct packages *p)
{
	const struct shelf shelf = { files, n };
	struct err err = {0};

	for (size_t i = 0; i < n; i++) {
		const struct tree_entry e = { .type = TREE_FILE, .mode = 0644, .size = files[i].bytes == NULL ? 0 : files[i].bytes->len };

		assert_int_equal(contents_add(c, &e, files[i].path, 0, &err), 0);
	}
	contents_lay(c);
	if (packages_find(c, open_file, (void *)&shelf, p, &err) < 0)
		fail_msg("%s", err.msg);
}
#define FIND(files, c, p) find((files), ARRAY_LEN(files), (c), (p))

/** Reads one file in this process; @p notes: how many packages made no sense. 0, or -1 with ERR_INPUT. */
static int read_here(const char *path, const char *bytes, size_t n, size_t *notes, struct err *err)
{
	const struct tree_entry e = { .type = TREE_FILE };
	struct contents c = {0};
	auto_pkg_found f = {0};
	auto_fd fd = memfd_create("file", MFD_CLOEXEC);

	assert_true(fd >= 0 && io_write_all(fd, bytes, n, err) == 0);
	assert_int_equal(contents_add(&c, &e, path, 0, err), 0);
	contents_lay(&c);
	assert_int_equal(pkg_found_begin(&f, &c, err), 0);
	const struct pkg_file file = { .at = 0, .path = path, .bytes = { fd, 0, n } };
	int result = pkg_read(&f, pkg_format_of(path), &file, err);
	if (result < 0)
		assert_int_equal(err->kind, ERR_INPUT);
	*notes = f.nnotes;
	contents_clear(&c);
	return result;
}

static void two_headers(struct buf headers[2])
{
	full_header(&headers[0]);
	small_header("bash", "bash libc", &headers[1]);
}

/* ---- what is there ------------------------------------------------------------------ */

static void every_form_gives_the_same(void **state)
{
	auto_buf os = {0};
	struct buf headers[2] = {{0}};

	(void)state;
	two_headers(headers);
	buf_adds(&os, "ID=fedora\nVERSION_ID=40\n");
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		auto_contents c = {0};
		auto_packages p = {0};
		auto_buf database = {0};
		const struct file files[] = {
			{ forms[i].path, &database }, { "etc/os-release", &os }, { "usr/bin/hello", NULL }, { "usr/bin/sh", NULL }, { "etc/a.conf", NULL },
			{ "etc/replaced_not", NULL }, { "usr/bin/gone", NULL }, { "etc/other", NULL }, { "bin/sh", NULL },
		};

		forms[i].make(headers, 2, &database);
		FIND(files, &c, &p);
		assert_int_equal(p.nnotes, 0);
		assert_int_equal(p.n, 2);
		assert_text(named(&p, "hello")->version, "2:1.0~rc1-3.fc40");
		assert_text(named(&p, "hello")->supplier, "Example Project");
		assert_text(named(&p, "hello")->licence, "GPL-2.0-or-later AND MIT");
		assert_text(named(&p, "bash")->arch, "noarch");
		assert_text(named(&p, "bash")->supplier, "Example Linux");
		assert_purl(&p, "hello", "pkg:rpm/fedora/hello@1.0~rc1-3.fc40?arch=x86_64&distro=fedora-40&epoch=2");
		assert_needs(&p, "hello", "bash");
		assert_owner(&p, &c, "usr/bin/hello", "hello");
		assert_owner(&p, &c, "usr/bin/gone", "hello");
		assert_owner(&p, &c, "usr/bin/sh", "bash");
		assert_owner(&p, &c, "etc/replaced_not", "hello");
		/* Another package's now, or left out when it was installed. */
		assert_owner(&p, &c, "etc/a.conf", NULL);
		assert_owner(&p, &c, "etc/other", NULL);
	}
	buf_free(&headers[0]);
	buf_free(&headers[1]);
}

static void a_needed_file_is_its_packages(void **state)
{
	struct made m = {0};
	struct buf headers[2] = {{0}};
	auto_buf database = {0};
	auto_contents c = {0};
	auto_packages p = {0};
	const struct file files[] = { { NDB, &database }, { "usr/bin/sh", NULL } };

	(void)state;
	string(&m, 1000, "script");
	strings(&m, 1049, "/usr/bin/sh /not/there");
	finish_header(&m, &headers[0]);
	small_header("dash", "dash", &headers[1]);
	make_ndb(headers, 2, &database);
	FIND(files, &c, &p);
	assert_needs(&p, "script", "dash");
	assert_text(named(&p, "script")->version, NULL);
	assert_purl(&p, "dash", "pkg:rpm/dash@1-1?arch=noarch");
	buf_free(&headers[0]);
	buf_free(&headers[1]);
}

static void vendors(void **state)
{
	static const struct { const char *id, *purl; } rows[] = {
		{ "fedora", "pkg:rpm/fedora/a@1-1?distro=fedora-9" }, { "rhel", "pkg:rpm/redhat/a@1-1?distro=rhel-9" },
		{ "opensuse-leap", "pkg:rpm/opensuse/a@1-1?distro=opensuse-leap-9" }, { "sles", "pkg:rpm/suse/a@1-1?distro=sles-9" },
	};
	struct package a = { .kind = PACKAGE_RPM, .name = (char *)"a", .version = (char *)"1-1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct packages p = { .v = &a, .n = 1, .os_id = (char *)rows[i].id, .os_version = (char *)"9" };

		assert_purl(&p, "a", rows[i].purl);
	}
}

/* ---- what is not ---------------------------------------------------------------------- */

static void a_broken_header_is_noted_and_others_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct buf headers[3] = {{0}};
		auto_contents c = {0};
		auto_packages p = {0};
		auto_buf database = {0};
		const struct file files[] = { { forms[i].path, &database } };

		two_headers(headers);
		buf_adds(&headers[2], "no header");
		const struct buf last = headers[2];
		headers[2] = headers[1];
		headers[1] = last;
		forms[i].make(headers, 3, &database);
		FIND(files, &c, &p);
		assert_int_equal(p.n, 2);
		assert_int_equal(p.nnotes, 1);
		assert_text(p.notes[0].why, "package 2: its index and its size do not agree");
		for (size_t k = 0; k < 3; k++)
			buf_free(&headers[k]);
	}
}

static void lists_that_do_not_agree(void **state)
{
	static const uint32_t two[] = { 0, 0 }, far[] = { 1 };
	static const char *const why[] = { "package 1: its lists of files do not agree", "package 1: a file of it has no name or no directory",
					   "package 1: it has more directories than it can", "package 1: a package without a name" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(why); i++) {
		struct made m = {0};
		auto_buf header = {0};
		auto_buf database = {0};
		auto_contents c = {0};
		auto_packages p = {0};
		const struct file files[] = { { NDB, &database } };

		if (i != 3)
			string(&m, 1000, "a");
		numbers(&m, 1116, i == 0 ? two : i == 1 ? far : two, i == 0 ? 2 : 1);
		strings(&m, 1117, "x");
		strings(&m, 1118, "/");
		if (i == 2)
			set_le(&m.index, m.index.len - 4, 0xff, 1);
		finish_header(&m, &header);
		make_ndb(&header, 1, &database);
		FIND(files, &c, &p);
		assert_int_equal(p.nnotes, 1);
		assert_text(p.notes[0].why, why[i]);
	}
}

static void nothing_is_read_twice(void **state)
{
	struct buf headers[2] = {{0}};
	auto_buf ndb = {0};
	auto_buf sqlite = {0};
	auto_buf bdb = {0};
	struct err err = {0};
	size_t notes;

	(void)state;
	two_headers(headers);
	make_ndb(headers, 2, &ndb);
	/* Every slot leads to the first one's blob. */
	for (size_t slot = 1; slot < 254; slot++)
		memcpy(ndb.data + 32 + 16 * slot, ndb.data + 32, 16);
	assert_int_equal(read_here(NDB, ndb.data, ndb.len, &notes, &err), -1);
	assert_text(err.msg, "headers that lie in one another: packages from there on are not listed");
	make_sqlite(headers, 2, &sqlite);
	/* The root of the table is its own child. */
	sqlite.data[SQLITE_PAGE + 11] = 2;
	assert_int_equal(read_here(SQLITE, sqlite.data, sqlite.len, &notes, &err), -1);
	assert_non_null(strstr(err.msg, "packages from there on are not listed"));
	make_bdb(headers, 2, &bdb);
	/* A bucket's page is followed by itself. */
	set_le(&bdb, 2 * BDB_PAGE + 16, 2, 4);
	assert_int_equal(read_here(BDB, bdb.data, bdb.len, &notes, &err), -1);
	assert_non_null(strstr(err.msg, "packages from there on are not listed"));
	buf_free(&headers[0]);
	buf_free(&headers[1]);
}

/** Whatever is cut off or changed: an error, a note, or another package; never more. */
static void every_byte_may_be_wrong(void **state)
{
	struct buf headers[2] = {{0}};

	(void)state;
	two_headers(headers);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		auto_buf database = {0};
		struct err err = {0};
		size_t notes;

		forms[i].make(headers, 2, &database);
		assert_int_equal(read_here(forms[i].path, database.data, database.len, &notes, &err), 0);
		assert_int_equal(notes, 0);
		for (size_t n = 0; n < database.len; n += n < 600 ? 7 : 61)
			assert_int_equal(read_here(forms[i].path, database.data, n, &notes, &err), -1);
		for (size_t at = 0; at < database.len; at += at < 700 ? 1 : 5)
			for (int change = 0; change < 3; change++) {
				const char before = database.data[at];

				database.data[at] = (char)(change == 0 ? ~before : change == 1 ? 0 : before + 1);
				(void)read_here(forms[i].path, database.data, database.len, &notes, &err);
				database.data[at] = before;
			}
	}
	buf_free(&headers[0]);
	buf_free(&headers[1]);
}

static void other_files_are_none(void **state)
{
	static const char *const texts[] = { "", "x", "SQLite format 3", "RpmP" };
	struct err err = {0};
	size_t notes;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		for (size_t k = 0; k < ARRAY_LEN(texts); k++)
			assert_int_equal(read_here(forms[i].path, texts[k], strlen(texts[k]), &notes, &err), -1);
}

static void one_database_is_believed(void **state)
{
	auto_buf header = {0};
	auto_buf sqlite = {0};
	auto_buf ndb = {0};
	auto_contents c = {0};
	auto_packages p = {0};
	const struct file files[] = { { SQLITE, &sqlite }, { NDB, &ndb } };

	(void)state;
	small_header("a", "a", &header);
	make_sqlite(&header, 1, &sqlite);
	make_ndb(&header, 1, &ndb);
	FIND(files, &c, &p);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.nnotes, 1);
	assert_string_equal(c.v[p.notes[0].file].path, NDB);
	assert_text(p.notes[0].why, "a second database of rpm's: packages in it are not listed");
}

static void changes_beside_are_told(void **state)
{
	auto_buf header = {0};
	auto_buf sqlite = {0};
	auto_buf wal = {0};

	(void)state;
	small_header("a", "a", &header);
	make_sqlite(&header, 1, &sqlite);
	for (int full = 0; full < 2; full++) {
		auto_contents c = {0};
		auto_packages p = {0};
		const struct file files[] = { { SQLITE, &sqlite }, { SQLITE "-wal", &wal } };

		if (full)
			buf_adds(&wal, "frames");
		FIND(files, &c, &p);
		assert_int_equal(p.n, 1);
		assert_int_equal(p.nnotes, full);
	}
}

/** Many files below one directory, whose name is as long as a header can be: looking at it must not cost the one times the other. */
static void a_long_directory_of_many_files(void **state)
{
	static const char letters[] = "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	const uint32_t files = 1000000;
	struct made m = {0};
	auto_contents c = {0};
	auto_packages p = {0};
	auto_buf header = {0}, db = {0};

	(void)state;
	string(&m, 1000, "wide");
	entry(&m, 1116, 4, files);
	fill(&m.store, m.store.len + 4 * files);
	entry(&m, 1117, 8, files);
	fill(&m.store, m.store.len + files);
	entry(&m, 1118, 8, 1);
	for (size_t i = 0; i < (16u << 20) / (sizeof letters - 1); i++)
		buf_add(&m.store, letters, sizeof letters - 1);
	buf_addc(&m.store, 0);
	finish_header(&m, &header);
	make_ndb(&header, 1, &db);
	const struct file file[] = { { NDB, &db } };
	FIND(file, &c, &p);
	assert_int_equal(p.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_gives_the_same),
		cmocka_unit_test(a_needed_file_is_its_packages),
		cmocka_unit_test(vendors),
		cmocka_unit_test(a_broken_header_is_noted_and_others_are_read),
		cmocka_unit_test(lists_that_do_not_agree),
		cmocka_unit_test(nothing_is_read_twice),
		cmocka_unit_test(a_long_directory_of_many_files),
		cmocka_unit_test(every_byte_may_be_wrong),
		cmocka_unit_test(other_files_are_none),
		cmocka_unit_test(one_database_is_believed),
		cmocka_unit_test(changes_beside_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

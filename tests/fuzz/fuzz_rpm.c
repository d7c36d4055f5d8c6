/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the readers of rpm's databases. The first byte says what the rest is: a header, or a database in one of three forms. Promise under test: no
 * crash, no leak, no work beyond what the file's size allows; whatever the bytes, an error is ERR_INPUT, and an answer is one that the process that asked
 * believes.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "inspect/pkg_rpm.h"
#include "tests/fuzz/found.h"

/** The databases, and what a package may own and need. */
static const char *const paths[] = { "var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages.db", "var/lib/rpm/Packages", "usr/bin/a", "etc/a" };
#define FORMS 3

static int read_database(struct pkg_found *f, unsigned form, const uint8_t *data, size_t size, struct err *err)
{
	struct pkg_file file = { .at = contents_find(f->contents, paths[form % FORMS]), .path = paths[form % FORMS] };
	auto_fd fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct rpm_db db;

	MUST(fd >= 0 && io_write_all(fd, data, size, err) == 0);
	file.bytes = (struct slice){ .fd = fd, .size = size };
	if (form < FORMS)
		return pkg_read(f, pkg_format_of(file.path), &file, err);
	MUST(rpm_begin(&db, f, &file, err) == 0 && rpm_expect(&db, size, err) == 0);
	return rpm_take(&db, data, size, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	struct contents c = {0};
	struct pkg_found f = {0};
	struct packages p = {0};

	if (size == 0 || size > 256 << 10)
		return 0;
	found_files(&c, paths, ARRAY_LEN(paths));
	contents_lay(&c);
	MUST(pkg_found_begin(&f, &c, &err) == 0);
	if (read_database(&f, data[0] % (FORMS + 1), data + 1, size - 1, &err) < 0)
		MUST(err.kind == ERR_INPUT);
	found_believe(&f, &p);
	packages_clear(&p);
	pkg_found_clear(&f);
	contents_clear(&c);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What images drop and a comparison needs: times and names of owners, by header and by pax. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "oci/untar.h"

struct source {
	struct buf tar;
	size_t at;
	struct untar_entry last;
	char uname[64], gname[64];
};

static int take(void *arg, void *data, size_t n, size_t *ret_got, struct err *err)
{
	struct source *s = arg;
	size_t left = s->tar.len - s->at;

	(void)err;
	*ret_got = left < n ? left : n;
	memcpy(data, s->tar.data + s->at, *ret_got);
	s->at += *ret_got;
	return 0;
}

static int entry(void *arg, const struct untar_entry *e, struct err *err)
{
	struct source *s = arg;

	(void)err;
	s->last = *e;
	snprintf(s->uname, sizeof s->uname, "%s", e->uname);
	snprintf(s->gname, sizeof s->gname, "%s", e->gname);
	return 0;
}

static void add_header(struct source *s, const char *name, char type, size_t size, const char *mtime)
{
	struct tar_header h = { .typeflag = type };

	snprintf(h.name, sizeof h.name, "%s", name);
	memcpy(h.mode, "0000644", 8);
	memcpy(h.uid, "0000001", 8);
	memcpy(h.gid, "0000002", 8);
	snprintf(h.size, sizeof h.size, "%011zo", size & 077777777777);
	memcpy(h.mtime, mtime, strlen(mtime));
	memcpy(h.magic, "ustar\0" "00", 8);
	memcpy(h.uname, "header-user", 11);
	memset(h.gname, 'g', sizeof h.gname);
	snprintf(h.chksum, sizeof h.chksum, "%06o", tar_checksum(&h));
	buf_add(&s->tar, &h, sizeof h);
}

static void add_pax(struct source *s, const char *records)
{
	static const char zeros[TAR_BLOCK];

	add_header(s, "pax", TAR_PAX, strlen(records), "00000000000");
	buf_adds(&s->tar, records);
	buf_add(&s->tar, zeros, tar_padding(strlen(records)));
}

static void read_all(struct source *s)
{
	static const char end[TAR_END];
	const struct untar_ops ops = { .read = take, .entry = entry, .arg = s };
	struct err err = {0};

	buf_add(&s->tar, end, sizeof end);
	assert_int_equal(untar(&ops, &err), 0);
	buf_free(&s->tar);
}

static void header_tells(void **state)
{
	struct source s = {0};

	(void)state;
	add_header(&s, "f", TAR_FILE, 0, "00000000017");
	read_all(&s);
	assert_int_equal(s.last.mtime, 15);
	assert_string_equal(s.uname, "header-user");
	/* A field without NUL ends where it ends. */
	assert_int_equal(strlen(s.gname), 32);
}

static void pax_goes_first(void **state)
{
	struct source s = {0};

	(void)state;
	add_pax(&s, "20 mtime=1234567.89\n15 uname=alice\n13 gname=sta\n");
	add_header(&s, "f", TAR_FILE, 0, "00000000017");
	read_all(&s);
	assert_int_equal(s.last.mtime, 1234567);
	assert_string_equal(s.uname, "alice");
	assert_string_equal(s.gname, "sta");
}

static void times_before_1970_round_down(void **state)
{
	struct source s = {0};

	(void)state;
	add_pax(&s, "14 mtime=-2.5\n");
	add_header(&s, "f", TAR_FILE, 0, "00000000017");
	read_all(&s);
	assert_int_equal(s.last.mtime, -3);
}

static void no_number_is_no_error(void **state)
{
	struct source s = {0};

	(void)state;
	add_pax(&s, "15 mtime=never\n");
	add_header(&s, "f", TAR_FILE, 0, "soon");
	read_all(&s);
	assert_int_equal(s.last.mtime, 0);
}

static void one_entry_does_not_inherit_from_the_last(void **state)
{
	struct source s = {0};

	(void)state;
	add_pax(&s, "15 uname=alice\n");
	add_header(&s, "f", TAR_FILE, 0, "00000000017");
	add_header(&s, "g", TAR_FILE, 0, "00000000017");
	read_all(&s);
	assert_string_equal(s.uname, "header-user");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_tells),
		cmocka_unit_test(pax_goes_first),
		cmocka_unit_test(times_before_1970_round_down),
		cmocka_unit_test(no_number_is_no_error),
		cmocka_unit_test(one_entry_does_not_inherit_from_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

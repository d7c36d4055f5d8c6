/* SPDX-License-Identifier: Apache-2.0 */
/* The form of tar members: what is in ustar, what needs pax, byte for byte. */
#include "tests/unit/oci/helper.h"

static struct err err;

static void header_fields_are_exact(void **state)
{
	(void)state;
	auto_buf out = { 0 };
	struct tar_member m = {
		.type = TAR_FILE, .path = "a/b", .mode = 01755, .uid = 1000, .gid = TAR_ID_MAX, .size = 5, .mtime = 315532800,
	};
	tar_add_member(&m, &out);
	must(buf_check(&out, "header", &err));
	assert_int_equal(out.len, TAR_BLOCK);
	const struct tar_header *h = (const void *)out.data;
	assert_memory_equal(h->name, "a/b\0", 4);
	assert_memory_equal(h->mode, "0001755", 8);
	assert_memory_equal(h->uid, "0001750", 8);
	assert_memory_equal(h->gid, "7777777", 8);
	assert_memory_equal(h->size, "00000000005", 12);
	assert_memory_equal(h->mtime, "02263523000", 12);
	assert_memory_equal(h->magic, "ustar\0" "00", 8);
	assert_memory_equal(h->devmajor, "0000000", 8);
	assert_memory_equal(h->devminor, "0000000", 8);
	assert_int_equal(h->uname[0], 0);
	assert_int_equal(h->gname[0], 0);
	assert_int_equal(strtoul(h->chksum, NULL, 8), tar_checksum(h));
	assert_memory_equal(h->chksum + 6, "\0 ", 2);
}

static void directory_ends_with_slash(void **state)
{
	(void)state;
	auto_buf out = { 0 };
	struct tar_member m = { .type = TAR_DIR, .path = "a", .mode = 0755 };
	tar_add_member(&m, &out);
	assert_memory_equal(out.data, "a/\0", 3);
}

/** The member for a path of @p dir times 'd', a slash, @p file times 'f'. */
static void member_of(size_t dir, size_t file, struct buf *out)
{
	char path[1024];

	memset(path, 'd', dir);
	path[dir] = '/';
	memset(path + dir + 1, 'f', file);
	path[dir + 1 + file] = '\0';
	struct tar_member m = { .type = TAR_FILE, .path = path, .mode = 0644 };
	tar_add_member(&m, out);
	assert_false(out->failed);
}

static void long_names_split_at_the_limits(void **state)
{
	(void)state;
	auto_buf exact = { 0 }, split = { 0 }, widest = { 0 }, over = { 0 }, name = { 0 };

	member_of(49, 50, &exact);     /* 100 bytes: no NUL, no prefix */
	assert_int_equal(exact.len, TAR_BLOCK);
	assert_int_equal(((struct tar_header *)exact.data)->prefix[0], 0);
	member_of(50, 50, &split);     /* 101 bytes */
	assert_int_equal(split.len, TAR_BLOCK);
	assert_int_equal(strlen(((struct tar_header *)split.data)->prefix), 50);
	member_of(155, 100, &widest);
	assert_int_equal(widest.len, TAR_BLOCK);
	assert_int_equal(((struct tar_header *)widest.data)->prefix[154], 'd');
	assert_int_equal(((struct tar_header *)widest.data)->name[99], 'f');
	member_of(156, 100, &over);
	assert_int_equal(over.len, 3 * TAR_BLOCK);
	member_of(155, 101, &name);
	assert_int_equal(name.len, 3 * TAR_BLOCK);
}

static void directory_slash_is_no_place_to_split(void **state)
{
	(void)state;
	auto_buf out = { 0 };
	char path[101];

	memset(path, 'd', 100);
	path[100] = '\0';
	struct tar_member m = { .type = TAR_DIR, .path = path, .mode = 0755 };
	tar_add_member(&m, &out);
	assert_int_equal(out.len, 3 * TAR_BLOCK);  /* 101 bytes with the slash */
	assert_int_equal(out.data[156], TAR_PAX);
}

/** The records of the extended header that @p m gets. */
static void records_of(const struct tar_member *m, char *text, size_t size)
{
	auto_buf out = { 0 };

	tar_add_member(m, &out);
	assert_true(out.len >= 3 * TAR_BLOCK);
	const struct tar_header *h = (const void *)out.data;
	assert_memory_equal(h->name, "././@PaxHeader", 15);
	assert_int_equal(h->typeflag, 'x');
	size_t n = strtoul(h->size, NULL, 8);
	assert_true(n < size && out.len == TAR_BLOCK * (2 + (n + 511) / 512));
	memcpy(text, out.data + TAR_BLOCK, n);
	text[n] = '\0';
}

static void records_have_one_order(void **state)
{
	(void)state;
	char path[200], link[200], text[1024], want[1024];

	memset(path, 'p', 150);
	path[150] = '\0';
	memset(link, 'l', 101);
	link[101] = '\0';
	struct tar_member m = {
		.type = TAR_LINK, .path = path, .link = link, .mode = 0777, .size = TAR_NUMBER_MAX + 1,
		.uid = TAR_ID_MAX + 1, .gid = UINT64_MAX,
	};
	snprintf(want, sizeof want, "160 path=%s\n115 linkpath=%s\n19 size=8589934592\n15 uid=2097152\n28 gid=18446744073709551615\n",
		 path, link);
	records_of(&m, text, sizeof text);
	assert_string_equal(text, want);
	path[0] = '\377';
	records_of(&m, text, sizeof text);
	assert_memory_equal(text, "21 hdrcharset=BINARY\n160 path=\377", 31);
}

static void numbers_in_pax_leave_zero_behind(void **state)
{
	(void)state;
	auto_buf out = { 0 };
	struct tar_member m = { .type = TAR_FILE, .path = "f", .mode = 0644, .size = TAR_NUMBER_MAX + 1 };
	tar_add_member(&m, &out);
	assert_int_equal(out.len, 3 * TAR_BLOCK);
	assert_memory_equal(((struct tar_header *)(out.data + 2 * TAR_BLOCK))->size, "00000000000", 12);
}

static void record_length_counts_its_own_digits(void **state)
{
	(void)state;
	/* path records around 999 and 1000 bytes: "NNN path=" + value + "\n" */
	for (size_t n = 985; n < 995; n++) {
		char path[1024], text[2048];

		memset(path, 'p', n);
		path[n] = '\0';
		struct tar_member m = { .type = TAR_FILE, .path = path };
		records_of(&m, text, sizeof text);
		assert_int_equal(strtoul(text, NULL, 10), strlen(text));
	}
}

static void short_raw_bytes_need_no_pax(void **state)
{
	(void)state;
	auto_buf out = { 0 };
	struct tar_member m = { .type = TAR_FILE, .path = "\377\n\001", .mode = 0644 };
	tar_add_member(&m, &out);
	assert_int_equal(out.len, TAR_BLOCK);
	assert_memory_equal(out.data, "\377\n\001\0", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_fields_are_exact),
		cmocka_unit_test(directory_ends_with_slash),
		cmocka_unit_test(long_names_split_at_the_limits),
		cmocka_unit_test(directory_slash_is_no_place_to_split),
		cmocka_unit_test(records_have_one_order),
		cmocka_unit_test(numbers_in_pax_leave_zero_behind),
		cmocka_unit_test(record_length_counts_its_own_digits),
		cmocka_unit_test(short_raw_bytes_need_no_pax),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

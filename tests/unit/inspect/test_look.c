/* SPDX-License-Identifier: Apache-2.0 */
/* Each format with one thing planted; and each broken in every way that one byte or one end can break it. */
#include "samples.h"

/** Makes two samples and compares them. */
static json_t *compare(sample_fn *make, const struct sample *a, const struct sample *b)
{
	auto_buf x = {0};
	auto_buf y = {0};

	make(a, &x);
	make(b, &y);
	assert_false(x.failed || y.failed);
	return look_at_bufs("it", &x, &y);
}

static void time_is_named_in_each(void **state)
{
	static const struct { sample_fn *make; const char *path, *field; } rows[] = {
		{ sample_tar, "file", "mtime" }, { sample_ar, "a-name-of-over-16-bytes", "mtime" }, { sample_gzip, NULL, "gzip MTIME" },
		{ sample_zip, "file", "mtime" }, { sample_pyc, NULL, "pyc mtime of the source" },
	};
	struct sample a = SAMPLE, b = SAMPLE;

	(void)state;
	b.time += 60;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json node = compare(rows[i].make, &a, &b);
		const json_t *at = rows[i].path == NULL ? node : inside(node, rows[i].path);

		assert_causes(node, "timestamp");
		assert_non_null(at);
		assert_string_equal(metadata(at, rows[i].field, "a"), "2020-09-13T12:26:40Z");
		assert_string_equal(metadata(at, rows[i].field, "b"), "2020-09-13T12:27:40Z");
	}
}

static void owner_is_named(void **state)
{
	struct sample a = SAMPLE, b = SAMPLE;

	(void)state;
	b.owner = 1000;
	auto_json in_tar = compare(sample_tar, &a, &b);
	auto_json in_ar = compare(sample_ar, &a, &b);
	assert_causes(in_tar, "uid or owner name");
	assert_string_equal(metadata(inside(in_tar, "file"), "uid", "b"), "1000");
	assert_causes(in_ar, "uid or owner name");
}

static void content_is_found_where_it_differs(void **state)
{
	static const struct { sample_fn *make; const char *path; long long offset; } rows[] = {
		{ sample_tar, "file", 5 }, { sample_ar, "a-name-of-over-16-bytes", 5 }, { sample_gzip, NULL, 5 }, { sample_zip, "file", 5 },
		{ sample_elf, ".rodata", 5 }, { sample_pyc, NULL, 16 + 4 + 5 }, { sample_png, "IDAT", 5 },
	};
	struct sample a = SAMPLE, b = SAMPLE;

	(void)state;
	b.text = "helloXXhello, hello, hello, world\n";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json node = compare(rows[i].make, &a, &b);
		const json_t *at = rows[i].path == NULL ? node : inside(node, rows[i].path);

		assert_causes(node, "");
		assert_non_null(at);
		assert_int_equal(offset_of(at), rows[i].offset);
	}
}

static void compressor_is_named(void **state)
{
	static sample_fn *const makes[] = { sample_gzip, sample_zip, sample_png };
	struct sample a = SAMPLE, b = SAMPLE;

	(void)state;
	b.level = 0;
	for (size_t i = 0; i < ARRAY_LEN(makes); i++) {
		auto_json node = compare(makes[i], &a, &b);

		assert_causes(node, "compressor");
	}
}

static void elf_tells_what_a_build_id_is(void **state)
{
	struct sample a = SAMPLE, b = SAMPLE;

	(void)state;
	a.owner = 1;
	b.owner = 2;
	auto_json alone = compare(sample_elf, &a, &b);
	assert_causes(alone, "build id");
	assert_string_equal(metadata(inside(alone, ".note.gnu.build-id"), "build id", "a"), "efcdab8967452301");
	/* Beside another difference it is a consequence. */
	b.text = "another text";
	auto_json beside = compare(sample_elf, &a, &b);
	assert_causes(beside, "");
	b.owner = 1;
	b.text = a.text;
	a.extra = "GCC: (Debian 12.2.0-14) 12.2.0";
	b.extra = "GCC: (Debian 13.1.0-11) 13.1.0";
	auto_json version = compare(sample_elf, &a, &b);
	assert_causes(version, "version string");
	assert_non_null(inside(version, ".comment"));
}

static void png_tells_chunks(void **state)
{
	struct sample a = SAMPLE, b = SAMPLE;

	(void)state;
	b.time++;
	auto_json time = compare(sample_png, &a, &b);
	assert_causes(time, "timestamp");
	b.time--;
	a.extra = "tool 1.2.3";
	b.extra = "tool 1.2.4";
	auto_json software = compare(sample_png, &a, &b);
	assert_causes(software, "version string");
	b.extra = NULL;
	auto_json lone = compare(sample_png, &a, &b);
	assert_string_equal(json_str(inside(lone, "tEXt"), "kind"), "removed");
	auto_json other_way = compare(sample_png, &b, &a);
	assert_string_equal(json_str(inside(other_way, "tEXt"), "kind"), "added");
}

static void members_are_paired_by_path_then_by_content(void **state)
{
	struct sample a = SAMPLE, b = SAMPLE;

	(void)state;
	a.name = "usr/lib/x";
	b.name = "usr/lib64/x";
	auto_json moved = compare(sample_tar, &a, &b);
	assert_string_equal(json_str(inside(moved, "usr/lib/x"), "kind"), "moved");
	assert_string_equal(json_str(inside(moved, "usr/lib/x"), "to"), "usr/lib64/x");
	assert_null(inside(moved, "usr/lib64/x"));
	b.text = "not the same\n";
	auto_json others = compare(sample_tar, &a, &b);
	assert_string_equal(json_str(inside(others, "usr/lib/x"), "kind"), "removed");
	assert_string_equal(json_str(inside(others, "usr/lib64/x"), "kind"), "added");
	a.extra = "one";
	a.name = "two";
	b = a;
	b.extra = "two";
	b.name = "one";
	auto_json order = compare(sample_tar, &a, &b);
	assert_causes(order, "order");
}

static void what_is_cut_short_is_said_to_be(void **state)
{
	struct sample s = SAMPLE;
	auto_buf whole = {0};

	(void)state;
	sample_gzip(&s, &whole);
	auto_json node = look_at("file", whole.data, whole.len, whole.data, whole.len - 9);
	assert_string_equal(json_str(node, "note"), "not looked into: compressed: unpack: it is damaged, or ends too early");
}

/** The sample with an extended header before it. */
static void pax_tar(const struct sample *s, const char *key, const char *value, struct buf *out)
{
	char block[512] = "x", records[512];
	unsigned sum = 8 * ' ', n = (unsigned)(strlen(key) + strlen(value) + 5);

	snprintf(records, sizeof records, "%u %s=%s\n", n, key, value);
	snprintf(block + 124, 12, "%011o", n);
	memcpy(block + 156, "x", 1);
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof block; i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	block[155] = ' ';
	buf_add(out, block, sizeof block);
	memset(block, 0, sizeof block);
	memcpy(block, records, n);
	buf_add(out, block, sizeof block);
	sample_tar(s, out);
}

static json_t *compare_pax(const char *key, const char *x, const char *y)
{
	struct sample s = SAMPLE;
	auto_buf a = {0};
	auto_buf b = {0};

	pax_tar(&s, key, x, &a);
	pax_tar(&s, key, y, &b);
	return look_at_bufs("file", &a, &b);
}

/** What images drop makes archives differ. */
static void records_of_extended_headers_are_told(void **state)
{
	(void)state;
	auto_json fraction = compare_pax("mtime", "1600000000.25", "1600000000.75");
	assert_causes(fraction, "timestamp");
	assert_string_equal(metadata(inside(fraction, "file"), "pax mtime", "b"), "1600000000.75");
	auto_json access = compare_pax("atime", "1600000000.25", "1600000001.25");
	assert_causes(access, "timestamp");
	auto_json attribute = compare_pax("SCHILY.xattr.user.x", "lo", "hi");
	assert_causes(attribute, "");
	assert_string_equal(metadata(inside(attribute, "file"), "pax SCHILY.xattr.user.x", "a"), "lo");
	/* Whatever stands for a keyword. */
	auto_json odd = compare_pax("\xff\x1b[1m.x", "lo-lo-lo", "hi-hi-hi");
	assert_string_equal(metadata(inside(odd, "file"), "pax ??[1m.x", "b"), "hi-hi-hi");
}

static void a_record_of_one_side_alone_is_told(void **state)
{
	struct sample s = SAMPLE, other = SAMPLE;
	auto_buf a = {0};
	auto_buf b = {0};
	auto_buf c = {0};

	(void)state;
	sample_tar(&s, &a);
	pax_tar(&s, "ctime", "1600000000.5", &b);
	auto_json node = look_at_bufs("file", &a, &b);
	assert_causes(node, "timestamp");
	assert_string_equal(metadata(inside(node, "file"), "pax ctime", "a"), "");
	/* Another size is no other way to write a header. */
	other.text = "bye\n";
	sample_tar(&other, &c);
	auto_json content = look_at_bufs("file", &a, &c);
	assert_null(json_str(inside(content, "file"), "note"));
}

/** A tar in a gzip: two levels, and neither hides the other. */
static void formats_lie_in_formats(void **state)
{
	auto_buf a = {0};
	auto_buf b = {0};
	struct sample s = SAMPLE;

	(void)state;
	/* A text cannot hold NUL: a tar without padding of zeros is none, so an ar is what is packed. */
	struct sample inner = SAMPLE;
	inner.time = 1700000000;
	sample_ar(&inner, &a);
	inner.time++;
	sample_ar(&inner, &b);
	struct sample x = s, y = s;
	x.text = a.data;
	y.text = b.data;
	auto_json node = compare(sample_gzip, &x, &y);
	assert_causes(node, "timestamp");
	assert_string_equal(json_str(node, "format"), "ar");
	assert_non_null(inside(node, "a-name-of-over-16-bytes"));
}

/** Every byte changed, every length cut: nothing dies, and what comes of it can be told. */
static void broken_ones_are_told_of(void **state)
{
	static sample_fn *const makes[] = { sample_tar, sample_ar, sample_gzip, sample_zip, sample_pyc, sample_png, sample_elf };
	struct sample s = SAMPLE;

	(void)state;
	s.extra = "extra 1.2.3";
	for (size_t i = 0; i < ARRAY_LEN(makes); i++) {
		auto_buf whole = {0};

		makes[i](&s, &whole);
		for (size_t at = 0; at < whole.len; at += 1 + whole.len / 300) {
			auto_json cut = look_at("it", whole.data, whole.len, whole.data, at);
			whole.data[at] ^= 0x55;
			auto_buf good = {0};
			makes[i](&s, &good);
			auto_json changed = look_at_bufs("it", &good, &whole);
			whole.data[at] ^= 0x55;
			assert_false(node_is_empty(cut));
			assert_false(node_is_empty(changed));
		}
	}
}

static void texts_and_binaries(void **state)
{
	(void)state;
	auto_json lines = look_at("it", "a\nb\nc\n", 6, "a\nx\nc\n", 6);
	assert_int_equal(offset_of(lines), 2);
	assert_int_equal(json_array_size(json_object_get(lines, "strings")), 1);
	auto_json strings = look_at("it", "\0\1/build/one/src/x.c\0\2", 23, "\0\1/build/two/src/x.c\0\2", 23);
	assert_causes(strings, "build path");
	auto_json empty = look_at("it", "", 0, "x", 1);
	assert_int_equal(offset_of(empty), 0);
	auto_json sorted = look_at("it", "Beta\nalpha\ngamma\n", 17, "alpha\nBeta\ngamma\n", 17);
	assert_causes(sorted, "locale");
	auto_json end = look_at("it", "a\nb\n", 4, "a\nb", 3);
	assert_causes(end, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_is_named_in_each),
		cmocka_unit_test(owner_is_named),
		cmocka_unit_test(content_is_found_where_it_differs),
		cmocka_unit_test(compressor_is_named),
		cmocka_unit_test(elf_tells_what_a_build_id_is),
		cmocka_unit_test(png_tells_chunks),
		cmocka_unit_test(members_are_paired_by_path_then_by_content),
		cmocka_unit_test(what_is_cut_short_is_said_to_be),
		cmocka_unit_test(records_of_extended_headers_are_told),
		cmocka_unit_test(a_record_of_one_side_alone_is_told),
		cmocka_unit_test(formats_lie_in_formats),
		cmocka_unit_test(broken_ones_are_told_of),
		cmocka_unit_test(texts_and_binaries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

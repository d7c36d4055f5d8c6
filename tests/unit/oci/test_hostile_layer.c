/* SPDX-License-Identifier: Apache-2.0 */
/* Deep reading: tars and gzip streams that no layer may be, and the foreign ones that it may. */
#include "tests/unit/oci/helper.h"

#include <libdeflate.h>
#include <zstd.h>

#include "oci/unlayer.h"

static struct err err;

/** One member of a tar by hand. */
struct row {
	const char *name;
	char type;
	const char *mode;     /* NULL: 0000644 */
	const char *link;     /* NULL: none */
	const char *content;  /* NULL: none, size 0 */
};

static void add_row(struct buf *out, const struct row *r)
{
	char size[24];
	const char *content = r->content != NULL ? r->content : "";

	snprintf(size, sizeof size, "%011zo", strlen(content));
	raw_header(out, r->name, r->type, r->mode != NULL ? r->mode : "0000644", size, r->link != NULL ? r->link : "");
	raw_content(out, content, strlen(content));
}

/** Reads bytes as one layer after those that @p rules has seen. */
static int read_layer(const void *data, size_t n, enum oci_compression codec, struct rules *rules)
{
	struct oci_blob blob;
	auto_fd fd = mem_file(data, n);

	return unlayer((struct slice){ fd, 0, n }, codec, rules, &blob, &err);
}

static int read_rows(const struct row *rows, size_t n, struct rules *rules)
{
	auto_buf out = { 0 };

	for (size_t i = 0; i < n; i++)
		add_row(&out, &rows[i]);
	raw_zeros(&out, TAR_END);
	return read_layer(out.data, out.len, OCI_NONE, rules);
}

#define X150 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/** Up to three layers of up to four members; `text` NULL: they are fine. */
struct scene {
	const char *text;
	struct row rows[3][4];
};

static int play(const struct scene *s)
{
	auto_rules rules = rules_new();

	for (size_t layer = 0; layer < 3; layer++) {
		size_t n = 0;

		while (n < 4 && s->rows[layer][n].name != NULL)
			n++;
		if (read_rows(s->rows[layer], n, rules) < 0)
			return -1;
	}
	return 0;
}

static void scenes(const struct scene *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].text == NULL)
			must(play(&list[i]));
		else
			must_fail(play(&list[i]), ERR_UNVERIFIED, list[i].text);
	}
}

static void paths_and_types(void **state)
{
	(void)state;
	static const struct scene list[] = {
		{ NULL, { { { "./", '5' }, { "./a", '5' }, { "./a/f", '0' }, { "a/l", '2', "0000777", "/etc" } } } },
		{ NULL, { { { "a/b/c", '0' }, { "a/g", '\0' } } } },
		{ NULL, { { { "tmp", '5', "0001777" } } } },
		{ NULL, { { { "l", '2', "0007777", "x" } } } },
		{ "absolute", { { { "/etc/passwd", '0' } } } },
		{ "absolute", { { { ".//etc/passwd", '0' } } } },
		{ "'..'", { { { "../f", '0' } } } },
		{ "'..'", { { { "./../f", '0' } } } },
		{ "'..'", { { { "a/..", '5' } } } },
		{ "empty", { { { "a//b", '0' } } } },
		{ "empty", { { { "f/", '0' } } } },
		{ "empty", { { { "d//", '5' } } } },
		{ "root is not a directory", { { { "./", '2', "0000777", "x" } } } },
		{ "root is not a directory", { { { ".", '0' } } } },
		{ "without a name", { { { "", '0' } } } },
		{ "entry 'su': the mode has setuid or setgid", { { { "su", '0', "0004755" } } } },
		{ "setuid or setgid", { { { "sg", '5', "0002755" } } } },
		{ "a device node", { { { "null", '3' } } } },
		{ "a device node", { { { "sda", '4' } } } },
		{ "a FIFO", { { { "p", '6' } } } },
		{ "type \\067", { { { "c", '7' } } } },
		{ "type \\123", { { { "sparse", 'S' } } } },
		{ "type \\147", { { { "global", 'g', NULL, NULL, "13 comment=x\n" } } } },
		{ "link without a target", { { { "l", '2' } } } },
		{ "target on something", { { { "f", '0', NULL, "x" } } } },
		{ "content on something", { { { "d", '5', NULL, NULL, "x" } } } },
		{ "content on something", { { { "f", '0' }, { "h", '1', NULL, "f", "x" } } } },
	};

	scenes(list, ARRAY_LEN(list));
}

static void links_and_layers(void **state)
{
	(void)state;
	static const struct scene list[] = {
		/* through a link of this layer, of a lower one, through a file */
		{ "entry 'l/passwd': the path leads through a link", { { { "l", '2', NULL, "/etc" }, { "l/passwd", '0' } } } },
		{ "leads through", { { { "l", '2', NULL, "/etc" } }, { { "l/passwd", '0' } } } },
		{ "leads through", { { { "a/l", '2', NULL, "b" }, { "a/l/x/y", '0' } } } },
		{ "leads through", { { { "f", '0' } }, { { "f/x", '0' } } } },
		/* a directory in its place makes the way free, in a later layer only */
		{ NULL, { { { "l", '2', NULL, "/etc" } }, { { "l", '5' }, { "l/f", '0' } } } },
		{ "twice in one layer", { { { "l", '2', NULL, "/etc" }, { "l", '5' } } } },
		{ "twice in one layer", { { { "./f", '0' }, { "f", '0' } } } },
		{ NULL, { { { "f", '0' } }, { { "f", '0' } }, { { "f", '2', NULL, "x" } } } },
		/* hard links */
		{ NULL, { { { "f", '0' }, { "h", '1', NULL, "./f" }, { "i", '1', NULL, "h" } } } },
		{ NULL, { { { "f", '0' } }, { { "h", '1', NULL, "f" } } } },
		{ "no file before it", { { { "h", '1', NULL, "f" }, { "f", '0' } } } },
		{ "no file before it", { { { "l", '2', NULL, "/etc/shadow" }, { "h", '1', NULL, "l" } } } },
		{ "hard link's target: the path is absolute", { { { "h", '1', NULL, "/etc/shadow" } } } },
		{ "hard link's target: the path has", { { { "h", '1', NULL, "../shadow" } } } },
		{ "hard link's target: the path leads through",
		  { { { "d/f", '0' } }, { { "d", '2', NULL, "/etc" }, { "h", '1', NULL, "d/f" } } } },
		/* whiteouts */
		{ NULL, { { { "l", '2', NULL, "/etc" } }, { { ".wh.l", '0' }, { "l/f", '0' } } } },
		{ NULL, { { { "d", '5' } }, { { "d/.wh..wh..opq", '0' }, { "d/f", '0' } } } },
		{ "leads through", { { { "l", '2', NULL, "/etc" }, { ".wh.l", '0' }, { "l/f", '0' } } } },
		{ "hard link to something that is no file", { { { "f", '0' } }, { { ".wh.f", '0' }, { "h", '1', NULL, "f" } } } },
		{ "a whiteout", { { { ".wh.x", '5' } } } },
		{ "a whiteout", { { { ".wh.x", '0', NULL, NULL, "content" } } } },
		{ "a whiteout", { { { ".wh.d/f", '0' } } } },
		{ "not a whiteout that OCI knows", { { { ".wh.", '0' } } } },
		{ "not a whiteout that OCI knows", { { { ".wh...", '0' } } } },
		{ "not a whiteout that OCI knows", { { { "d/.wh..wh.plnk", '0' } } } },
	};

	scenes(list, ARRAY_LEN(list));
}

static void extended_headers(void **state)
{
	(void)state;
	static const struct scene list[] = {
		{ NULL, { { { "h", 'x', NULL, NULL, "160 path=" X150 "\n" }, { "short", '0' } } } },
		{ NULL, { { { "h", 'x', NULL, NULL, "30 mtime=1700000000.123456789\n" }, { "f", '0' } } } },
		{ NULL, { { { "h", 'x', NULL, NULL, "21 hdrcharset=BINARY\n10 path=\377\n" }, { "f", '0' } } } },
		{ NULL, { { { "h", 'x', NULL, NULL, "10 size=3\n" }, { "f", '0', NULL, NULL, "abc" } } } },
		{ NULL, { { { "././@LongLink", 'L', NULL, NULL, X150 }, { "short", '0' } } } },
		{ NULL, { { { "././@LongLink", 'K', NULL, NULL, X150 }, { "l", '2', NULL, "short" } } } },
		{ "twice in one layer", { { { "h", 'x', NULL, NULL, "10 path=f\n" }, { "g", '0' }, { "f", '0' } } } },
		{ "absolute", { { { "h", 'x', NULL, NULL, "20 path=/etc/passwd\n" }, { "f", '0' } } } },
		{ "'..'", { { { "././@LongLink", 'L', NULL, NULL, "../x" }, { "f", '0' } } } },
		{ "without an entry", { { { "h", 'x', NULL, NULL, "10 path=f\n" } } } },
		{ "given twice", { { { "h", 'x', NULL, NULL, "10 path=f\n" }, { "h", 'x', NULL, NULL, "9 uid=1\n" } } } },
		{ "given twice", { { { "h", 'x', NULL, NULL, "10 path=f\n10 path=g\n" } } } },
		{ "given twice", { { { "h", 'x', NULL, NULL, "10 path=f\n" }, { "n", 'L', NULL, NULL, "g" } } } },
		{ "keyword 'SCHILY.xattr.security.capability'",
		  { { { "h", 'x', NULL, NULL, "38 SCHILY.xattr.security.capability=x\n" } } } },
		{ "keyword 'GNU.sparse.name'", { { { "h", 'x', NULL, NULL, "21 GNU.sparse.name=x\n" } } } },
		{ "wrong length", { { { "h", 'x', NULL, NULL, "11 path=f\n" } } } },
		{ "wrong length", { { { "h", 'x', NULL, NULL, "8 path=f\n" } } } },
		{ "wrong length", { { { "h", 'x', NULL, NULL, "010 path=f\n" } } } },
		{ "wrong length", { { { "h", 'x', NULL, NULL, "path=f\n" } } } },
		{ "wrong length", { { { "h", 'x', NULL, NULL, "99999999999999999999999 path=f\n" } } } },
		{ "wrong length", { { { "h", 'x', NULL, NULL, "-10 path=f\n" } } } },
		{ "without a keyword", { { { "h", 'x', NULL, NULL, "11 nothing\n" } } } },
		{ "empty or holds", { { { "h", 'x', NULL, NULL, "8 path=\n" } } } },
		{ "a number that is none", { { { "h", 'x', NULL, NULL, "11 size=-1\n" } } } },
		{ "a number that is none", { { { "h", 'x', NULL, NULL, "8 size=\n" } } } },
		{ "a number that is none", { { { "h", 'x', NULL, NULL, "29 size=18446744073709551616\n" } } } },
		{ "ends too early", { { { "h", 'x', NULL, NULL, "28 size=9223372036854775807\n" }, { "f", '0' } } } },
		{ "extended header of 0 bytes", { { { "h", 'x' } } } },
	};

	scenes(list, ARRAY_LEN(list));
}

/** A NUL would end the name for one reader and not for the next. */
static void nul_in_a_long_name(void **state)
{
	(void)state;
	static const char pax[] = "12 path=a\0b\n";
	auto_rules rules = rules_new();
	auto_buf tar = { 0 };

	raw_header(&tar, "h", TAR_PAX, "0000644", "00000000014", "");
	raw_content(&tar, pax, 12);
	raw_header(&tar, "f", TAR_FILE, "0000644", "00000000000", "");
	raw_zeros(&tar, TAR_END);
	must_fail(read_layer(tar.data, tar.len, OCI_NONE, rules), ERR_UNVERIFIED, "empty or holds a NUL");
}

/** Memory is bounded: so many bytes of paths and no more. */
static void paths_have_a_limit(void **state)
{
	(void)state;
	auto_rules rules = rules_new();
	char path[4001];
	struct untar_entry e = { .type = TAR_FILE, .path = path };

	memset(path, 'p', 4000);
	path[4000] = '\0';
	for (unsigned i = 0; i < OCI_PATH_BYTES_MAX / 4000; i++) {
		snprintf(path, 9, "%08u", i);
		path[8] = 'p';
		must(rules_check(rules, &e, &err));
	}
	path[0] = 'x';
	must_fail(rules_check(rules, &e, &err), ERR_UNVERIFIED, "bytes of paths");
}

/** A good tar of one file, for mending. */
static void good_tar(struct buf *out)
{
	static const struct row f = { "f", '0', NULL, NULL, "content" };

	add_row(out, &f);
	raw_zeros(out, TAR_END);
}

static void structure(void **state)
{
	(void)state;
	auto_rules rules = rules_new();
	auto_buf tar = { 0 };

	good_tar(&tar);
	must(read_layer(tar.data, tar.len, OCI_NONE, rules));
	must_fail(read_layer(tar.data, tar.len - 1, OCI_NONE, rules), ERR_UNVERIFIED, "ends too early");
	must_fail(read_layer(tar.data, tar.len - 512, OCI_NONE, rules), ERR_UNVERIFIED, "ends too early");
	must_fail(read_layer(tar.data, tar.len - 1024, OCI_NONE, rules), ERR_UNVERIFIED, "ends too early");
	must_fail(read_layer(tar.data, 600, OCI_NONE, rules), ERR_UNVERIFIED, "entry 'f': the tar ends too early");
	must_fail(read_layer("", 0, OCI_NONE, rules), ERR_UNVERIFIED, "tar offset 0");
	tar.data[512 + 100] = 'x';
	must_fail(read_layer(tar.data, tar.len, OCI_NONE, rules), ERR_UNVERIFIED, "padding");
	tar.data[512 + 100] = 0;
	tar.data[tar.len - 1] = 1;
	must_fail(read_layer(tar.data, tar.len, OCI_NONE, rules), ERR_UNVERIFIED, "lone zero block");
	tar.data[tar.len - 1] = 0;
	raw_zeros(&tar, 10240);   /* GNU tar fills records: fine */
	must(read_layer(tar.data, tar.len, OCI_NONE, rules));
	tar.data[tar.len - 1] = 1;
	must_fail(read_layer(tar.data, tar.len, OCI_NONE, rules), ERR_UNVERIFIED, "after the end");
}

/** Sets a header field of a good tar, mends the checksum, and expects that error. */
static void with_field(size_t at, const char *bytes, size_t n, const char *text)
{
	auto_rules rules = rules_new();
	auto_buf tar = { 0 };

	good_tar(&tar);
	memcpy(tar.data + at, bytes, n);
	struct tar_header *h = (void *)tar.data;
	snprintf(h->chksum, sizeof h->chksum, "%06o", tar_checksum(h));
	if (text != NULL)
		must_fail(read_layer(tar.data, tar.len, OCI_NONE, rules), ERR_UNVERIFIED, text);
	else
		must(read_layer(tar.data, tar.len, OCI_NONE, rules));
}

static void header_fields(void **state)
{
	(void)state;
	with_field(offsetof(struct tar_header, mode), "      8 ", 8, "mode is no number");
	with_field(offsetof(struct tar_header, uid), "-000001", 8, "uid is no number");
	with_field(offsetof(struct tar_header, gid), "12 4567", 8, "gid is no number");
	with_field(offsetof(struct tar_header, size), "\200\0\0\0\377\377\377\377\377\377\377\377", 12, "size is no number");
	with_field(offsetof(struct tar_header, size), "\377\377\377\377\377\377\377\377\377\377\377\377", 12, "size is no number");
	with_field(offsetof(struct tar_header, size), "\200\0\0\0\0\0\0\0\0\0\0\7", 12, NULL);
	with_field(offsetof(struct tar_header, uid), "  1750 \0", 8, NULL);
	with_field(offsetof(struct tar_header, uid), "\0\0\0\0\0\0\0", 8, NULL);
	with_field(offsetof(struct tar_header, magic), "ustar  ", 8, NULL);
	with_field(offsetof(struct tar_header, magic), "\0\0\0\0\0\0\0", 8, "neither ustar nor GNU");
	with_field(offsetof(struct tar_header, magic), "ustar\0" "01", 8, "neither ustar nor GNU");
	with_field(offsetof(struct tar_header, prefix), "..", 3, "'..'");
	with_field(offsetof(struct tar_header, prefix), "/etc", 5, "absolute");
}

static void checksum_is_checked(void **state)
{
	(void)state;
	auto_rules rules = rules_new();
	auto_buf tar = { 0 };

	good_tar(&tar);
	tar.data[0] = 'g';
	must_fail(read_layer(tar.data, tar.len, OCI_NONE, rules), ERR_UNVERIFIED, "wrong checksum");
}

/** Appends one gzip member. */
static void gzip(const void *data, size_t n, struct buf *out)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
	size_t max = libdeflate_gzip_compress_bound(c, n);
	char *to = buf_room(out, max);

	buf_seal(out, out->len + libdeflate_gzip_compress(c, data, n, to, max));
	libdeflate_free_compressor(c);
}

static void gzip_streams(void **state)
{
	(void)state;
	auto_rules rules = rules_new();
	auto_buf tar = { 0 }, gz = { 0 }, twice = { 0 }, parts = { 0 };

	good_tar(&tar);
	gzip(tar.data, tar.len, &gz);
	must(read_layer(gz.data, gz.len, OCI_GZIP, rules));
	gzip(tar.data, 700, &parts);
	gzip(tar.data + 700, tar.len - 700, &parts);
	must(read_layer(parts.data, parts.len, OCI_GZIP, rules));
	gzip("", 0, &parts);  /* an empty member changes nothing */
	must(read_layer(parts.data, parts.len, OCI_GZIP, rules));
	gzip(gz.data, gz.len, &twice);
	must_fail(read_layer(twice.data, twice.len, OCI_GZIP, rules), ERR_UNVERIFIED, "tar");
	must_fail(read_layer(tar.data, tar.len, OCI_GZIP, rules), ERR_UNVERIFIED, "not a gzip stream");
	must_fail(read_layer(gz.data, gz.len, OCI_NONE, rules), ERR_UNVERIFIED, "tar");
	must_fail(read_layer("", 0, OCI_GZIP, rules), ERR_UNVERIFIED, "not a gzip stream");
	for (size_t n = 1; n < gz.len; n++)
		must_fail(read_layer(gz.data, n, OCI_GZIP, rules), ERR_UNVERIFIED, "");
	size_t n = gz.len;
	buf_adds(&gz, "garbage");
	must_fail(read_layer(gz.data, gz.len, OCI_GZIP, rules), ERR_UNVERIFIED, "bytes after the last gzip member");
	buf_seal(&gz, n);
	raw_zeros(&gz, 1);
	must_fail(read_layer(gz.data, gz.len, OCI_GZIP, rules), ERR_UNVERIFIED, "bytes after the last gzip member");
}

/** Appends one zstd frame with a window of 1 << @p window_log. */
static void zstd(const void *data, size_t n, int window_log, struct buf *out)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t max = ZSTD_compressBound(n) + 64;
	char *to = buf_room(out, max);
	ZSTD_inBuffer in = { data, n, 0 };
	ZSTD_outBuffer frame = { to, max, 0 };

	ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log);
	/* Flushed before its end, so that the frame keeps the window and does not shrink it to its content. */
	ZSTD_compressStream2(c, &frame, &in, ZSTD_e_flush);
	assert_int_equal(ZSTD_compressStream2(c, &frame, &in, ZSTD_e_end), 0);
	buf_seal(out, out->len + frame.pos);
	ZSTD_freeCCtx(c);
}

static void zstd_streams(void **state)
{
	(void)state;
	static const char skippable[] = "\x50\x2a\x4d\x18\x03\0\0\0abc";
	auto_rules rules = rules_new();
	auto_buf tar = { 0 }, zst = { 0 }, twice = { 0 }, parts = { 0 }, wide = { 0 };

	good_tar(&tar);
	zstd(tar.data, tar.len, 20, &zst);
	must(read_layer(zst.data, zst.len, OCI_ZSTD, rules));
	zstd(tar.data, 700, 20, &parts);
	zstd(tar.data + 700, tar.len - 700, 27, &parts);
	must(read_layer(parts.data, parts.len, OCI_ZSTD, rules));
	zstd("", 0, 20, &parts);                          /* an empty frame and a skippable one change nothing */
	buf_add(&parts, skippable, sizeof skippable - 1);
	must(read_layer(parts.data, parts.len, OCI_ZSTD, rules));
	zstd(zst.data, zst.len, 20, &twice);
	must_fail(read_layer(twice.data, twice.len, OCI_ZSTD, rules), ERR_UNVERIFIED, "tar");
	must_fail(read_layer(tar.data, tar.len, OCI_ZSTD, rules), ERR_UNVERIFIED, "not a zstd stream");
	must_fail(read_layer(zst.data, zst.len, OCI_GZIP, rules), ERR_UNVERIFIED, "not a gzip stream");
	must_fail(read_layer("", 0, OCI_ZSTD, rules), ERR_UNVERIFIED, "not a zstd stream");
	for (size_t n = 1; n < zst.len; n++)
		must_fail(read_layer(zst.data, n, OCI_ZSTD, rules), ERR_UNVERIFIED, "");
	buf_adds(&zst, "garbage");
	must_fail(read_layer(zst.data, zst.len, OCI_ZSTD, rules), ERR_UNVERIFIED, "not a zstd stream");
	/* A window that would take 256 MiB to read. */
	zstd(tar.data, tar.len, 28, &wide);
	must_fail(read_layer(wide.data, wide.len, OCI_ZSTD, rules), ERR_UNVERIFIED, "window over 128 MiB");
}

/** A layer whose diff ID in the config is another: only deep reading sees it. */
static void wrong_diff_id_is_seen_deep(void **state)
{
	(void)state;
	struct oci_config config = small_config();
	struct oci_layer_file file;
	struct digest d;
	auto_fd fd = mem_file("", 0);

	small_layer(OCI_GZIP, "hello", &file);
	file.blob.diff_id.b[0] ^= 1;
	must(oci_image_write(fd, &config, &file, 1, NULL, &d, &err));
	must(try_read(fd, false, &err));
	must_fail(try_read(fd, true, &err), ERR_UNVERIFIED, "another digest than the config's diff ID");
	close(file.fd);
}

/** The whole image names member, offset and entry. */
static void deep_error_says_where(void **state)
{
	(void)state;
	struct oci_config config = small_config();
	struct oci_layer_file file = { .codec = OCI_NONE };
	static const struct row su = { "bin/su", '0', "0004755", NULL, "x" };
	struct digest d;
	auto_buf tar = { 0 };
	auto_fd fd = mem_file("", 0);

	add_row(&tar, &su);
	raw_zeros(&tar, TAR_END);
	must(hash_bytes(tar.data, tar.len, &d, &err));
	auto_fd layer = mem_file(tar.data, tar.len);
	file.fd = layer;
	file.blob = (struct oci_blob){ d, tar.len, d, tar.len };
	must(oci_image_write(fd, &config, &file, 1, NULL, &d, &err));
	must(try_read(fd, false, &err));
	must_fail(try_read(fd, true, &err), ERR_UNVERIFIED, "read an image: member blobs/sha256/");
	assert_non_null(strstr(err.msg, "tar offset 0: entry 'bin/su': the mode has setuid or setgid"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_and_types),
		cmocka_unit_test(links_and_layers),
		cmocka_unit_test(extended_headers),
		cmocka_unit_test(nul_in_a_long_name),
		cmocka_unit_test(paths_have_a_limit),
		cmocka_unit_test(structure),
		cmocka_unit_test(header_fields),
		cmocka_unit_test(checksum_is_checked),
		cmocka_unit_test(gzip_streams),
		cmocka_unit_test(zstd_streams),
		cmocka_unit_test(wrong_diff_id_is_seen_deep),
		cmocka_unit_test(deep_error_says_where),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

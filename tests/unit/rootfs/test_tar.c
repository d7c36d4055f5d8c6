/* SPDX-License-Identifier: Apache-2.0 */
/* Archives that mean harm or make no sense: refused by name, or made harmless, by a written rule. */
#include "tarmaker.h"

#include "rootfs/rootfs.h"

#define M(...) (struct member){ __VA_ARGS__ }
#define MEMBERS_MAX 8

static void make_tar(struct buf *tar, const struct member *m)
{
	for (size_t i = 0; i < MEMBERS_MAX && m[i].name != NULL; i++)
		tar_add(tar, m[i]);
}

static int import_members(struct world *w, const struct member *m, struct digest *ret)
{
	auto_buf tar = {0};
	char path[5000];

	make_tar(&tar, m);
	tar_write(w, &tar, "a.tar");
	snprintf(path, sizeof path, "%s/a.tar", w->path);
	return rootfs_import(w->store, "x", path, ret, &w->err);
}

static const struct {
	struct member m[MEMBERS_MAX];
	const char *why;
} refused[] = {
	{ { M("/etc/passwd", '0', "x") }, "'/etc/passwd': an absolute path" },
	{ { M("//x", '0', "x") }, "absolute" },
	{ { M("../x", '0', "x") }, "'../x': a path with '..'" },
	{ { M("a/../../x", '0', "x") }, "with '..'" },
	{ { M("a/..", '5', NULL) }, "with '..'" },
	{ { M("a/../b", '0', "x") }, "with '..'" },
	{ { M("", '0', "x") }, "without a name" },
	/* Through a link, whatever it leads to. */
	{ { M("l", '2', "/etc"), M("l/passwd", '0', "x") }, "'l/passwd' lies below 'l'" },
	{ { M("l", '2', "."), M("l/x", '0', "x") }, "lies below 'l', which is no directory" },
	{ { M("d", '5', NULL), M("d/l", '2', "../.."), M("d/l/x/y/z", '0', "x") }, "lies below 'd/l'" },
	{ { M("l", '2', "d"), M("l/e", '5', NULL) }, "lies below 'l'" },
	{ { M("l", '2', "d"), M("l/e", '2', "x") }, "lies below 'l'" },
	{ { M("f", '0', "x"), M("l", '2', "."), M("l/e", '1', "f") }, "lies below 'l'" },
	{ { M("f", '0', "x"), M("f/y", '0', "x") }, "lies below 'f'" },
	{ { M("null", '3', NULL), M("null/y", '0', "x") }, "lies below 'null'" },
	{ { M("f", '0', "x"), M("h", '1', "f"), M("h/y", '0', "x") }, "lies below 'h'" },
	{ { M("h", '1', "f"), M("h/y", '0', "x"), M("f", '0', "x") }, "lies below 'h'" },
	/* One path, two things. */
	{ { M("d", '5', NULL), M("d", '0', "x") }, "'d' is both a directory and something else" },
	{ { M("d/x", '0', "x"), M("d", '2', "/") }, "'d' is both" },
	{ { M("d", '2', "/"), M("d", '5', NULL) }, "'d' is both" },
	{ { M("d", '0', "x"), M("d/", '5', NULL) }, "'d' is both" },
	{ { M("d/x", '0', "x"), M("f", '0', "x"), M("d", '1', "f") }, "'d' is both" },
	{ { M("d/x", '0', "x"), M("d", '6', NULL) }, "'d' is both" },
	{ { M(".", '0', "x") }, "not a directory" },
	{ { M("./", '2', "x") }, "not a directory" },
	/* Hard links. */
	{ { M("h", '1', "f") }, "'h' is a hard link to 'f', which is not in the archive" },
	{ { M("h", '1', "h") }, "hard link in a circle" },
	{ { M("a", '1', "b"), M("b", '1', "a") }, "hard link in a circle" },
	{ { M("d", '5', NULL), M("h", '1', "d") }, "hard link to the directory 'd'" },
	{ { M("h", '1', "d"), M("d", '5', NULL) }, "hard link to the directory 'd'" },
	{ { M("h", '1', "/etc/passwd") }, "'h' is a hard link to: '/etc/passwd': an absolute path" },
	{ { M("h", '1', "../../etc/passwd") }, "with '..'" },
	{ { M("c", '1', "a"), M("a", '1', "b"), M("b", '1', "a") }, "hard link in a circle" },
	/* Sizes. */
	{ { M("f", '0', "x", .size = 5000) }, "Truncated" },
	{ { M("l", '2', "") }, "link to nowhere" },
};

static void hostile_archives_are_refused_by_name(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct digest d = {{ 7 }};

		if (import_members(w, refused[i].m, &d) != -1)
			fail_msg("row %zu was taken", i);
		assert_int_equal(d.b[0], 7);
		assert_int_equal(w->err.kind, ERR_INPUT);
		if (strstr(w->err.msg, refused[i].why) == NULL)
			fail_msg("row %zu: %s", i, w->err.msg);
	}
	assert_int_equal(entries(store_fd(w->store), "trees"), 0);
	assert_int_equal(entries(store_fd(w->store), "names"), 0);
	assert_int_equal(entries(store_fd(w->store), "rootfs"), 0);
	assert_int_equal(entries(w->fd, "in"), 0);
}

#define X "size=1 sha256=2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\n"
#define Y "size=1 sha256=a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa\n"

static const struct {
	struct member m[MEMBERS_MAX];
	const char *entries;  /**< the manifest behind its root */
} taken[] = {
	{ { M("./", '5', NULL, 0700, 5, 5), M("./a", '0', "x") }, "./a type=file mode=0644 " X },
	{ { M(".", '5', NULL, 01777), M("a//b/./c/", '5', NULL, 0700) },
	  "./a type=dir mode=0755\n./a/b type=dir mode=0755\n./a/b/c type=dir mode=0700\n" },
	/* Missing parents; said later, they are what is said. */
	{ { M("a/b", '0', "x"), M("a", '5', NULL, 0711, 3, 4) }, "./a type=dir mode=0711 uid=3 gid=4\n./a/b type=file mode=0644 " X },
	/* setuid, setgid fall; sticky, ids stay. */
	{ { M("s", '0', "x", 06755, 1000, 50) }, "./s type=file mode=0755 uid=1000 gid=50 " X },
	{ { M("t", '5', NULL, 03777) }, "./t type=dir mode=1777\n" },
	{ { M("n", '0', "x", 0100000) }, "./n type=file mode=0000 " X },
	/* The last one counts. */
	{ { M("a", '0', "x"), M("a", '0', "y", 0600) }, "./a type=file mode=0600 " Y },
	{ { M("a", '0', "x"), M("a", '2', "y") }, "./a type=link link=y\n" },
	{ { M("a", '2', "x"), M("a", '0', "y") }, "./a type=file mode=0644 " Y },
	{ { M("a", '5', NULL, 0700), M("a", '5', NULL, 0750) }, "./a type=dir mode=0750\n" },
	/* Devices and fifos are left out; what they replace goes too. */
	{ { M("null", '3', NULL), M("sda", '4', NULL), M("fifo", '6', NULL), M("a", '0', "x") }, "./a type=file mode=0644 " X },
	{ { M("a", '0', "x"), M("a", '6', NULL), M("b", '2', "a") }, "./b type=link link=a\n" },
	{ { M("null", '3', NULL), M("h", '1', "null"), M("b", '2', "a") }, "./b type=link link=a\n" },
	/* Links are only text. */
	{ { M("l", '2', "/etc/passwd"), M("m", '2', "../../../x") }, "./l type=link link=/etc/passwd\n./m type=link link=../../../x\n" },
	/* Hard links are files of their own, with all their target has. */
	{ { M("a", '0', "x", 0755, 7, 8), M("h", '1', "./a", 0600) },
	  "./a type=file mode=0755 uid=7 gid=8 " X "./h type=file mode=0755 uid=7 gid=8 " X },
	{ { M("h", '1', "a"), M("g", '1', "h"), M("a", '0', "x") },
	  "./a type=file mode=0644 " X "./g type=file mode=0644 " X "./h type=file mode=0644 " X },
	{ { M("a", '0', "x"), M("h", '1', "a"), M("a", '0', "y") }, "./a type=file mode=0644 " Y "./h type=file mode=0644 " X },
	{ { M("l", '2', "t"), M("h", '1', "l") }, "./h type=link link=t\n./l type=link link=t\n" },
	{ { M("a", '0', "x"), M("a", '1', "a") }, "./a type=file mode=0644 " X },
	{ { M("a", '0', "x"), M("a", '1', "b"), M("b", '0', "y") }, "./a type=file mode=0644 " Y "./b type=file mode=0644 " Y },
	{ { M("new\nline", '0', "x"), M("\xff", '0', "x"), M("caf\xc3\xa9", '2', "\xfe") },
	  "./caf\\303\\251 type=link link=\\376\n./new\\012line type=file mode=0644 " X "./\\377 type=file mode=0644 " X },
};

static void strange_archives_are_made_harmless(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		struct digest d;
		char want[2048];

		if (import_members(w, taken[i].m, &d) < 0)
			fail_msg("row %zu: %s", i, w->err.msg);
		auto_free char *m = stored_manifest(w, &d);
		snprintf(want, sizeof want, "#mtree\n. type=dir mode=0755\n%s", taken[i].entries);
		if (strcmp(m, want) != 0)
			fail_msg("row %zu: have\n%swant\n%s", i, m, want);
	}
}

static void import_file(struct world *w, const char *name, struct digest *ret)
{
	char path[5000];

	snprintf(path, sizeof path, "%s/%s", w->path, name);
	if (rootfs_import(w->store, "x", path, ret, &w->err) < 0)
		fail_msg("%s: %s", name, w->err.msg);
}

static void assert_file_refused(struct world *w, const char *name, const char *text)
{
	char path[5000];
	struct digest d;

	snprintf(path, sizeof path, "%s/%s", w->path, name);
	assert_int_equal(rootfs_import(w->store, "x", path, &d, &w->err), -1);
	assert_error(ERR_INPUT, text);
}

static void names_of_pax_are_bytes(void **state)
{
	struct world *w = *state;
	auto_buf tar = {0};
	struct digest d;

	tar_add_pax(&tar, "path", "d/\xc3\xa9t\xc3\xa9");
	tar_add(&tar, M("d/?", '0', "x"));
	tar_add_pax(&tar, "path", "d/\xff\xfe");
	tar_add(&tar, M("d/?", '0', "x"));
	tar_add_pax(&tar, "linkpath", "\xc3\xa9/\xff");
	tar_add(&tar, M("l", '2', "?"));
	tar_add_pax(&tar, "linkpath", "d/\xc3\xa9t\xc3\xa9");
	tar_add(&tar, M("h", '1', "?"));
	tar_write(w, &tar, "pax.tar");
	import_file(w, "pax.tar", &d);
	auto_free char *m = stored_manifest(w, &d);
	assert_string_equal(m, "#mtree\n. type=dir mode=0755\n./d type=dir mode=0755\n./d/\\303\\251t\\303\\251 type=file mode=0644 " X
			    "./d/\\377\\376 type=file mode=0644 " X "./h type=file mode=0644 " X "./l type=link link=\\303\\251/\\377\n");
}

static void ids_that_are_none_are_refused(void **state)
{
	struct world *w = *state;
	static const char *const ids[] = { "4294967295", "99999999999999", "-1" };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		auto_buf tar = {0};

		tar_add_pax(&tar, "uid", ids[i]);
		tar_add(&tar, M("f", '0', "x"));
		tar_write(w, &tar, "a.tar");
		assert_file_refused(w, "a.tar", "");
	}
}

static void sizes_have_their_limits(void **state)
{
	struct world *w = *state;
	static const char types[] = "0256";

	/* Also where the content is not taken: it would have to be read over. */
	for (const char *t = types; *t != '\0'; t++) {
		auto_buf tar = {0};

		tar_add_pax(&tar, "size", "17179869185");
		tar_add(&tar, M("f", *t, "x"));
		tar_write(w, &tar, "a.tar");
		/* libarchive knows that directories have no size. */
		assert_file_refused(w, "a.tar", *t == '0' ? "'f': larger than 17179869184 bytes" : "");
	}
}

static void long_names_have_their_limits(void **state)
{
	struct world *w = *state;
	char name[4200];
	struct digest d;
	const struct {
		size_t len, step;
		const char *why;   /**< or NULL: taken */
	} rows[] = {
		{ 255, 4200, NULL }, { 256, 4200, "longer than 255" }, { 4096, 200, NULL }, { 4097, 200, "longer than 4096" },
		{ 511, 2, NULL }, { 513, 2, "deeper than 256" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf tar = {0};

		for (size_t k = 0; k < rows[i].len; k++)
			name[k] = k % rows[i].step == rows[i].step - 1 ? '/' : 'n';
		name[rows[i].len] = '\0';
		tar_add_pax(&tar, "path", name);
		tar_add(&tar, M("?", '0', "x"));
		tar_write(w, &tar, "a.tar");
		if (rows[i].why == NULL)
			import_file(w, "a.tar", &d);
		else
			assert_file_refused(w, "a.tar", rows[i].why);
	}
}

static void hard_links_may_lead_to_hard_links(void **state)
{
	struct world *w = *state;

	for (int upwards = 0; upwards < 2; upwards++) {
		auto_buf tar = {0};
		char from[16], to[16];
		struct digest d;

		for (int i = 0; i < 3000; i++) {
			int n = upwards ? i : 2999 - i;

			snprintf(from, sizeof from, "h%04d", n);
			snprintf(to, sizeof to, "h%04d", n + 1);
			tar_add(&tar, M(from, '1', to));
		}
		tar_add(&tar, M("h3000", '0', "x"));
		tar_write(w, &tar, "a.tar");
		import_file(w, "a.tar", &d);
		auto_free char *m = stored_manifest(w, &d);
		assert_non_null(strstr(m, "./h0000 type=file mode=0644 " X));
	}
}

/** An archive with what the script @p filler writes to filler.tar, a file of 900 MiB, all hole (the map that GNU's format has in the header), and @p n hard
 *  links to it, before it or behind. */
static void write_linked(struct world *w, const char *filler, int n, bool before)
{
	auto_buf head = {0};
	auto_buf hole = {0};
	auto_buf tar = {0};
	char name[32];

	shell(w, filler);
	shell(w, "truncate -s 900M big; tar -S --format=gnu -cf hole.tar big; rm big");
	must(io_read_file(w->fd, "filler.tar", 80 << 20, &head, &w->err));
	must(io_read_file(w->fd, "hole.tar", 1 << 20, &hole, &w->err));
	buf_add(&tar, head.data, head.len);
	if (!before)
		buf_add(&tar, hole.data, 512);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof name, "h%d", i);
		tar_add(&tar, M(name, '1', "big"));
	}
	if (before)
		buf_add(&tar, hole.data, 512);
	tar_write(w, &tar, "a.tar");
}

static void hard_links_count_as_what_they_become(void **state)
{
	struct world *w = *state;
	/* So much that the ratio is none to speak of: a member without the end of archive. */
	static const char much[] = "truncate -s 70M f; tar --format=ustar -cf - f | head -c $((512 + 70 * 1024 * 1024)) >filler.tar; rm f";

	write_linked(w, much, 80, true);
	assert_file_refused(w, "a.tar", "with hard links as files of their own, the files come to more than 68719476736 bytes");
	/* Together with the files themselves: 72 * 900 MiB are fewer. */
	write_linked(w, much, 72, false);
	assert_file_refused(w, "a.tar", "'h71': with hard links as files of their own, the files come to more than 68719476736 bytes");
}

static void hard_links_are_no_way_past_the_ratio(void **state)
{
	struct world *w = *state;

	for (int before = 0; before < 2; before++) {
		write_linked(w, ": >filler.tar", 2, before);
		assert_file_refused(w, "a.tar", "unpacks to more than 1000 times its size");
	}
}

static void bombs_are_refused(void **state)
{
	struct world *w = *state;

	shell(w, "truncate -s 1500M z; bsdtar --zstd --no-read-sparse -cf bomb.tar.zst z; tar -S -cf sparse.tar z; rm z");
	assert_file_refused(w, "bomb.tar.zst", "'z': the archive unpacks to more than 1000 times its size");
	assert_file_refused(w, "sparse.tar", "'z': the archive unpacks to more than 1000 times its size");
	assert_int_equal(entries(store_fd(w->store), "objects"), 0);
}

static void what_is_no_archive_is_refused(void **state)
{
	struct world *w = *state;

	shell(w, "echo hello >text; : >empty; head -c 10240 /dev/zero >zeros; head -c 5000 /dev/urandom >noise\n"
		 "mkdir d; echo x >d/x; tar -cf d.tar -C d .; head -c 700 d.tar >cut.tar; gzip -k d.tar; head -c 60 d.tar.gz >cut.tar.gz\n"
		 "printf 'corrupt' | dd of=d.tar.gz bs=1 seek=30 conv=notrunc status=none\n"
		 "(cd d; echo x | cpio -o -H newc 2>/dev/null >../d.cpio || bsdtar -cf ../d.cpio --format=cpio x); mkfifo fifo");
	static const char *const names[] = { "text", "empty", "zeros", "noise", "cut.tar", "cut.tar.gz", "d.tar.gz", "d.cpio", "fifo", "nothing" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_file_refused(w, names[i], names[i]);
}

static void every_codec_and_dialect_gives_the_same(void **state)
{
	struct world *w = *state;
	static const char *const names[] = {
		"t.tar", "t.tar.gz", "t.tar.bz2", "t.tar.xz", "t.tar.zst", "t.pax", "t.ustar", "t.v7", "t.bsd", "t.nodot", "t.rev",
	};
	struct digest first, d;

	shell(w, "cd in; mkdir -p usr/bin etc; echo tool >usr/bin/tool; chmod 755 usr/bin/tool usr usr/bin etc; echo x >etc/x; chmod 640 etc/x\n"
		 "ln usr/bin/tool usr/bin/tool2; ln -s usr/bin bin; cd ..; o='--owner=0 --group=0 --numeric-owner'\n"
		 "tar $o -C in -cf t.tar .; gzip -k t.tar; bzip2 -k t.tar; xz -k t.tar; zstd -q t.tar -o t.tar.zst 2>/dev/null || bsdtar --zstd -cf t.tar.zst @t.tar\n"
		 "for f in pax ustar v7; do tar $o --format=$f -C in -cf t.$f .; done; bsdtar --uid 0 --gid 0 -C in -cf t.bsd .\n"
		 "tar $o -C in -cf t.nodot bin etc usr; tar $o -C in --no-recursion -cf t.rev usr/bin/tool2 usr/bin/tool etc/x etc bin usr/bin usr");
	import_file(w, names[0], &first);
	for (size_t i = 1; i < ARRAY_LEN(names); i++) {
		import_file(w, names[i], &d);
		if (!digest_eq(&first, &d))
			fail_msg("%s differs", names[i]);
	}
	/* So does the directory itself: its owner is the caller, which is 0 there. */
	import_file(w, "in", &d);
	auto_free char *a = stored_manifest(w, &first);
	auto_free char *b = stored_manifest(w, &d);
	assert_string_equal(a, b);
}

static void sparse_files_come_whole(void **state)
{
	struct world *w = *state;
	struct digest d;
	char want[DIGEST_HEX_SIZE + 16] = "";
	static const char *const names[] = { "gnu.tar", "pax00.tar", "pax01.tar", "pax10.tar", "bsd.tar" };

	shell(w, "cd in; printf head >s; truncate -s 300000 s; printf middle >>s; truncate -s 700001 s; cd ..\n"
		 "tar -S --format=gnu -C in -cf gnu.tar s; for v in 0.0 0.1 1.0; do tar -S --sparse-version=$v --format=pax -C in -cf pax$(echo $v | tr -d .).tar s; done\n"
		 "bsdtar --read-sparse -C in -cf bsd.tar s; sha256sum <in/s | cut -c 1-64 >sum");
	auto_fd sum = openat(w->fd, "sum", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(sum, want, 64), 64);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		import_file(w, names[i], &d);
		auto_free char *m = stored_manifest(w, &d);
		if (strstr(m, want) == NULL || strstr(m, "size=700001") == NULL)
			fail_msg("%s: %s", names[i], m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(hostile_archives_are_refused_by_name),
		test_in_world(strange_archives_are_made_harmless),
		test_in_world(names_of_pax_are_bytes),
		test_in_world(ids_that_are_none_are_refused),
		test_in_world(sizes_have_their_limits),
		test_in_world(long_names_have_their_limits),
		test_in_world(hard_links_may_lead_to_hard_links),
		test_in_world(hard_links_count_as_what_they_become),
		test_in_world(hard_links_are_no_way_past_the_ratio),
		test_in_world(bombs_are_refused),
		test_in_world(what_is_no_archive_is_refused),
		test_in_world(every_codec_and_dialect_gives_the_same),
		test_in_world(sparse_files_come_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

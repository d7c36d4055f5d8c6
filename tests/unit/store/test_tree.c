/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: written sorted and exact, read strictly, each tree in one form only. */
#include "help.h"

#define HEAD "#mtree\n. type=dir mode=0755\n"
#define EMPTY_SHA "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define FILE0 " type=file mode=0644 size=0 sha256=" EMPTY_SHA "\n"

static struct tree_entry file(const char *path)
{
	struct tree_entry e = { .path = path, .type = TREE_FILE, .mode = 0644 };

	assert_true(digest_parse_hex(EMPTY_SHA, &e.digest));
	return e;
}

static struct tree_entry dir(const char *path)
{
	return (struct tree_entry){ .path = path, .type = TREE_DIR, .mode = 0755 };
}

static struct tree_entry link_to(const char *path, const char *target)
{
	return (struct tree_entry){ .path = path, .type = TREE_LINK, .link = target };
}

static struct tree_builder *builder(void)
{
	struct err err = {0};
	struct tree_builder *b;

	assert_int_equal(tree_builder_new(&b, &err), 0);
	return b;
}

static void add(struct tree_builder *b, struct tree_entry e)
{
	struct err err = {0};

	if (tree_builder_add(b, &e, &err) < 0)
		fail_msg("%s", err.msg);
}

static void assert_manifest(struct tree_builder *b, const char *want)
{
	struct err err = {0};
	auto_buf out = {0};

	if (tree_builder_manifest(b, &out, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(out.data, want);
}

static void an_empty_tree_is_its_root(void **state)
{
	auto_tree_builder b = builder();

	(void)state;
	assert_manifest(b, HEAD);
}

static void entries_are_sorted_by_bytes_of_the_whole_path(void **state)
{
	auto_tree_builder b = builder();

	(void)state;
	add(b, file("a/c"));
	add(b, file("\xff"));
	add(b, file("a.b"));
	add(b, dir("a"));
	add(b, file("a-b"));
	add(b, file("-"));
	add(b, link_to("B", "a/c"));
	assert_manifest(b, HEAD "./-" FILE0 "./B type=link link=a/c\n./a type=dir mode=0755\n./a-b" FILE0 "./a.b" FILE0
			"./a/c" FILE0 "./\\377" FILE0);
}

static void keywords_come_in_one_order(void **state)
{
	auto_tree_builder b = builder();
	struct tree_entry f = file("f"), d = dir("d"), l = link_to("l", "x y");

	(void)state;
	f.uid = 1;
	f.gid = 4294967294u;
	f.size = INT64_MAX;
	d.mode = 01777;
	d.gid = 5;
	l.uid = 7;
	add(b, f);
	add(b, d);
	add(b, l);
	assert_manifest(b, HEAD "./d type=dir mode=1777 gid=5\n"
			"./f type=file mode=0644 uid=1 gid=4294967294 size=9223372036854775807 sha256=" EMPTY_SHA "\n"
			"./l type=link uid=7 link=x\\040y\n");
}

static void the_root_may_be_given(void **state)
{
	auto_tree_builder b = builder();
	struct tree_entry root = dir(".");

	(void)state;
	root.mode = 0700;
	root.uid = 3;
	add(b, file("!"));
	add(b, root);
	assert_manifest(b, "#mtree\n. type=dir mode=0700 uid=3\n./\\041" FILE0);
}

static void names_are_any_bytes(void **state)
{
	auto_tree_builder b = builder();
	char all[256], want[4096] = HEAD "./";
	size_t n = 0;

	(void)state;
	for (int c = 1; c < 256; c++)
		if (c != '/')
			all[n++] = (char)c;
	all[n] = '\0';
	add(b, file(all));
	for (size_t i = 0; i < n; i++) {
		bool plain = (all[i] >= '0' && all[i] <= '9') || (all[i] >= 'a' && all[i] <= 'z') ||
			     (all[i] >= 'A' && all[i] <= 'Z') || strchr("._+,@%:~-", all[i]) != NULL;
		snprintf(want + strlen(want), 8, plain ? "%c" : "\\%03o", (unsigned char)all[i]);
	}
	strcat(want, FILE0);
	assert_manifest(b, want);
}

static void what_is_no_entry_is_refused(void **state)
{
	char long_name[300], deep[1100], long_link[5000];
	auto_tree_builder b = builder();
	struct err err = {0};

	(void)state;
	memset(long_name, 'n', sizeof long_name);
	long_name[256] = '\0';
	for (size_t i = 0; i < 257; i++)
		memcpy(deep + 2 * i, "d/", 2);
	deep[513] = '\0';
	memset(long_link, 'l', sizeof long_link);
	long_link[4096] = '\0';
	const struct {
		struct tree_entry e;
		const char *why;
	} cases[] = {
		{ file(""), "clean" }, { file("/a"), "clean" }, { file("a/"), "clean" }, { file("a//b"), "clean" },
		{ file("./a"), "clean" }, { file("a/../b"), "clean" }, { file(".."), "clean" }, { file("."), "root" },
		{ link_to(".", "x"), "root" }, { file(long_name), "255" }, { file(deep), "deeper" },
		{ link_to("l", ""), "target" }, { link_to("l", NULL), "target" }, { link_to("l", long_link), "target" },
		{ { .path = "m", .type = TREE_FILE, .mode = 04755 }, "mode" },
		{ { .path = "m", .type = TREE_DIR, .mode = 02755 }, "mode" },
		{ { .path = "m", .type = TREE_DIR, .mode = 0755, .uid = 4294967295u }, "owner" },
		{ { .path = "m", .type = TREE_DIR, .mode = 0755, .gid = UINT64_MAX }, "owner" },
		{ { .path = "m", .type = TREE_FILE, .mode = 0644, .size = 1ull << 63 }, "size" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(tree_builder_add(b, &cases[i].e, &err), -1);
		assert_int_equal(err.kind, ERR_INPUT);
		if (strstr(err.msg, cases[i].why) == NULL)
			fail_msg("case %zu: %s", i, err.msg);
	}
	assert_manifest(b, HEAD);
}

static void a_path_of_4096_bytes_is_the_longest(void **state)
{
	char path[4100];
	auto_tree_builder b = builder();
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < 4099; i++)
		path[i] = i % 200 == 199 ? '/' : 'p';
	path[4097] = '\0';
	struct tree_entry e = file(path);
	assert_int_equal(tree_builder_add(b, &e, &err), -1);
	assert_non_null(strstr(err.msg, "4096"));
	path[4096] = '\0';
	for (size_t i = 199; i < 4096; i += 200) {
		path[i] = '\0';
		add(b, dir(path));
		path[i] = '/';
	}
	add(b, file(path));
	auto_buf out = {0};
	assert_int_equal(tree_builder_manifest(b, &out, &err), 0);
	auto_tree_reader r = NULL;
	assert_int_equal(tree_reader_from_text(out.data, out.len, "m", &r, &err), 0);
	int more;
	while ((more = tree_reader_next(r, &e, &err)) > 0)
		;
	assert_int_equal(more, 0);
	assert_int_equal(strlen(e.path), 4096);
}

/** What is no tree is told when the manifest is written. */
static void assert_no_tree(const struct tree_entry *e, size_t n, const char *why)
{
	auto_tree_builder b = builder();
	auto_buf out = {0};
	struct err err = {0};

	buf_adds(&out, "kept");
	for (size_t i = 0; i < n; i++)
		add(b, e[i]);
	assert_int_equal(tree_builder_manifest(b, &out, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	if (strstr(err.msg, why) == NULL)
		fail_msg("%s", err.msg);
	assert_string_equal(out.data, "kept");
}

static void what_is_no_tree_is_refused(void **state)
{
	(void)state;
	assert_no_tree((struct tree_entry[]){ file("a"), file("a") }, 2, "twice");
	assert_no_tree((struct tree_entry[]){ dir("a"), file("b"), file("a") }, 3, "twice");
	assert_no_tree((struct tree_entry[]){ dir("."), dir(".") }, 2, "twice");
	assert_no_tree((struct tree_entry[]){ file("a/b") }, 1, "directory that holds it");
	assert_no_tree((struct tree_entry[]){ dir("a"), file("a/b/c") }, 2, "directory that holds it");
	assert_no_tree((struct tree_entry[]){ file("a"), file("a/b") }, 2, "directory that holds it");
	assert_no_tree((struct tree_entry[]){ link_to("a", "x"), file("a/b") }, 2, "directory that holds it");
	assert_no_tree((struct tree_entry[]){ dir("ab"), file("a/b") }, 2, "directory that holds it");
}

/** Reads all of @p text; @return what tree_reader_next() said last. */
static int read_all(const char *text, size_t n, struct err *err)
{
	auto_tree_reader r = NULL;
	struct tree_entry e;
	int more;

	assert_int_equal(tree_reader_from_text(text, n, "m", &r, err), 0);
	while ((more = tree_reader_next(r, &e, err)) > 0)
		;
	return more;
}

static void entries_are_read_back(void **state)
{
	static const char text[] = HEAD "./B type=link uid=7 gid=8 link=a\\040/\\303\\251\n"
		"./a type=dir mode=1777 uid=4294967294\n./a-b type=dir mode=0700\n./a-b/x" FILE0
		"./a/c type=file mode=0755 gid=5 size=12345678901 sha256=" EMPTY_SHA "\n";
	struct err err = {0};
	auto_tree_reader r = NULL;
	struct tree_entry e;

	(void)state;
	assert_int_equal(tree_reader_from_text(text, strlen(text), "m", &r, &err), 0);
	assert_int_equal(tree_reader_next(r, &e, &err), 1);
	assert_string_equal(e.path, ".");
	assert_int_equal(tree_reader_next(r, &e, &err), 1);
	assert_string_equal(e.path, "B");
	assert_int_equal(e.type, TREE_LINK);
	assert_string_equal(e.link, "a /\303\251");
	assert_int_equal(e.uid, 7);
	assert_int_equal(e.gid, 8);
	assert_int_equal(tree_reader_next(r, &e, &err), 1);
	assert_int_equal(e.mode, 01777);
	assert_int_equal(e.uid, 4294967294u);
	assert_int_equal(tree_reader_next(r, &e, &err), 1);
	assert_int_equal(tree_reader_next(r, &e, &err), 1);
	assert_string_equal(e.path, "a-b/x");
	assert_int_equal(tree_reader_next(r, &e, &err), 1);
	assert_int_equal(e.type, TREE_FILE);
	assert_int_equal(e.size, 12345678901);
	assert_int_equal(e.gid, 5);
	assert_digest(&e.digest, EMPTY_SHA);
	assert_int_equal(tree_reader_next(r, &e, &err), 0);
	assert_int_equal(tree_reader_next(r, &e, &err), 0);
}

static void only_the_canonical_text_is_read(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "not a manifest" }, { "#mtree", "no end" }, { "#mtree\n", "'.' is missing" },
		{ "#mtree v2.0\n. type=dir mode=0755\n", "not a manifest" }, { "\n", "not a manifest" },
		{ "#mtree\n\n. type=dir mode=0755\n", "line 2: not an entry" },
		{ "#mtree\n# c\n. type=dir mode=0755\n", "not an entry" },
		{ "#mtree\n/set type=dir\n. type=dir mode=0755\n", "not an entry" },
		{ "#mtree\n. type=dir mode=0755", "no end" }, { "#mtree\n. type=dir mode=0755\r\n", "not an entry" },
		{ HEAD HEAD, "not an entry" }, { HEAD ". type=dir mode=0755\n", "only that" },
		{ "#mtree\n./a" FILE0, "only that" },
		{ "#mtree\n. type=dir mode=755\n", "not an entry" }, { "#mtree\n. type=dir mode=00755\n", "not an entry" },
		{ "#mtree\n. type=dir mode=4755\n", "mode" }, { "#mtree\n. type=dir mode=0755 uid=0\n", "canonical" },
		{ "#mtree\n. type=dir mode=0755 uid=01\n", "canonical" }, { "#mtree\n. type=dir mode=0755 uid=+1\n", "not an entry" },
		{ "#mtree\n. type=dir mode=0755 uid=\n", "not an entry" },
		{ "#mtree\n. type=dir mode=0755 uid=99999999999999999999\n", "not an entry" },
		{ "#mtree\n. type=dir mode=0755 gid=1 uid=1\n", "canonical" },
		{ "#mtree\n. mode=0755 type=dir\n", "canonical" }, { "#mtree\n. type=dir type=dir mode=0755\n", "canonical" },
		{ "#mtree\n. type=dir  mode=0755\n", "not an entry" }, { "#mtree\n. type=dir mode=0755 \n", "canonical" },
		{ "#mtree\n . type=dir mode=0755\n", "not an entry" }, { "#mtree\n. type=dir mode=0755 time=1.0\n", "not an entry" },
		{ "#mtree\n. type=dir mode=0755 optional\n", "not an entry" }, { "#mtree\n. type=dir\n", "canonical" },
		{ "#mtree\n. mode=0755\n", "canonical" }, { "#mtree\n.\n", "canonical" }, { "#mtree\n. type=file\n", "root" },
		{ "#mtree\n./. type=dir mode=0755\n", "canonical" },
		{ HEAD "a" FILE0, "not an entry" }, { HEAD "./" FILE0, "clean" }, { HEAD "./a/" FILE0, "clean" },
		{ HEAD ".//a" FILE0, "clean" }, { HEAD "./../a" FILE0, "clean" }, { HEAD "../a" FILE0, "not an entry" },
		{ HEAD "/a" FILE0, "not an entry" },
		{ HEAD "./\\141" FILE0, "canonical" }, { HEAD "./a\\" FILE0, "not an entry" }, { HEAD "./a\\04" FILE0, "not an entry" },
		{ HEAD "./a\\400" FILE0, "not an entry" }, { HEAD "./a\\000b" FILE0, "not an entry" },
		{ HEAD "./a\\s" FILE0, "not an entry" }, { HEAD "./\303\251" FILE0, "canonical" }, { HEAD "./a\tb" FILE0, "canonical" },
		{ HEAD "./a type=fifo mode=0644\n", "not an entry" },
		{ HEAD "./a type=file mode=0644 size=0\n", "canonical" },
		{ HEAD "./a type=file mode=0644 size=0 sha256=" "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855" "\n", "not an entry" },
		{ HEAD "./a type=file mode=0644 size=0 sha256=e3b0\n", "not an entry" },
		{ HEAD "./a type=file mode=0644 size=0 sha256=" EMPTY_SHA " link=x\n", "canonical" },
		{ HEAD "./a type=file mode=0644 size=9223372036854775808 sha256=" EMPTY_SHA "\n", "size" },
		{ HEAD "./a type=dir mode=0755 size=0\n", "canonical" }, { HEAD "./a type=dir mode=0755 size=4\n", "canonical" },
		{ HEAD "./a type=link\n", "not an entry" }, { HEAD "./a type=link link=\n", "not an entry" },
		{ HEAD "./a type=link mode=0777 link=x\n", "canonical" },
		{ HEAD "./b" FILE0 "./a" FILE0, "order" }, { HEAD "./a" FILE0 "./a" FILE0, "twice" },
		{ HEAD "./a" FILE0 "./a/b" FILE0, "directory that holds it" }, { HEAD "./a/b" FILE0, "directory that holds it" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = {0};

		if (read_all(cases[i].text, strlen(cases[i].text), &err) != -1)
			fail_msg("accepted: %s", cases[i].text);
		assert_int_equal(err.kind, ERR_INPUT);
		if (strstr(err.msg, cases[i].why) == NULL || strstr(err.msg, "m: ") != err.msg)
			fail_msg("case %zu: '%s' for %s", i, err.msg, cases[i].text);
	}
}

static void a_nul_in_the_text_is_refused(void **state)
{
	static const char text[] = HEAD "./a\0b" FILE0;
	struct err err = {0};

	(void)state;
	assert_int_equal(read_all(text, sizeof text - 1, &err), -1);
}

static void the_end_of_the_text_is_no_end_of_a_line(void **state)
{
	static const char text[] = HEAD "./a" FILE0;
	struct err err = {0};

	(void)state;
	assert_int_equal(read_all(text, strlen(text), &err), 0);
	for (size_t n = 0; n < strlen(text); n++)
		if (n != strlen(HEAD))
			assert_int_equal(read_all(text, n, &err), -1);
}

static void a_stored_tree_is_read_whole_or_not_at_all(void **state)
{
	struct world *w = *state;
	auto_tree_builder b = builder();
	struct digest d, d2;
	char path[128], hex[DIGEST_HEX_SIZE];
	char name[64];

	/* More than a window of the reader. */
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "f%d", i);
		add(b, file(name));
	}
	must(store_put_tree(w->store, b, &d, &w->err));
	must(store_put_tree(w->store, b, &d2, &w->err));
	assert_true(digest_eq(&d, &d2));
	assert_true(store_has_tree(w->store, &d));
	assert_int_equal(entries(store_fd(w->store), "trees"), 1);
	auto_buf text = {0};
	must(tree_builder_manifest(b, &text, &w->err));
	struct digest of_text;
	must(hash_bytes(text.data, text.len, &of_text, &w->err));
	assert_true(digest_eq(&d, &of_text));

	auto_tree_reader r = NULL;
	struct tree_entry e;
	int n = 0, more;
	must(store_read_tree(w->store, &d, &r, &w->err));
	while ((more = tree_reader_next(r, &e, &w->err)) > 0)
		n++;
	must(more);
	assert_int_equal(n, 5001);

	/* One flipped bit, far behind: no entry comes out. */
	snprintf(path, sizeof path, "trees/%s", digest_hex(&d, hex));
	assert_int_equal(fchmodat(store_fd(w->store), path, 0600, 0), 0);
	auto_fd fd = openat(store_fd(w->store), path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "X", 1, (off_t)text.len - 10), 1);
	auto_tree_reader none = NULL;
	assert_int_equal(store_read_tree(w->store, &d, &none, &w->err), -1);
	assert_error(ERR_INPUT, "damaged");
	assert_null(none);
}

static void a_tree_that_is_not_here_is_said(void **state)
{
	struct world *w = *state;
	struct digest d = {{ 1, 2, 3 }};
	struct tree_reader *r = NULL;

	assert_false(store_has_tree(w->store, &d));
	assert_int_equal(store_read_tree(w->store, &d, &r, &w->err), -1);
	assert_error(ERR_INPUT, "trees/010203");
	assert_null(r);
}

static void a_hundred_thousand_entries_are_quick(void **state)
{
	auto_tree_builder b = builder();
	char name[64];
	auto_buf out = {0};
	struct err err = {0};

	(void)state;
	add(b, dir("d"));
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof name, "d/%x", (unsigned)i * 2654435761u);
		add(b, file(name));
	}
	assert_int_equal(tree_builder_manifest(b, &out, &err), 0);
	assert_int_equal(read_all(out.data, out.len, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_tree_is_its_root),
		cmocka_unit_test(entries_are_sorted_by_bytes_of_the_whole_path),
		cmocka_unit_test(keywords_come_in_one_order),
		cmocka_unit_test(the_root_may_be_given),
		cmocka_unit_test(names_are_any_bytes),
		cmocka_unit_test(what_is_no_entry_is_refused),
		cmocka_unit_test(a_path_of_4096_bytes_is_the_longest),
		cmocka_unit_test(what_is_no_tree_is_refused),
		cmocka_unit_test(entries_are_read_back),
		cmocka_unit_test(only_the_canonical_text_is_read),
		cmocka_unit_test(a_nul_in_the_text_is_refused),
		cmocka_unit_test(the_end_of_the_text_is_no_end_of_a_line),
		test_in_world(a_stored_tree_is_read_whole_or_not_at_all),
		test_in_world(a_tree_that_is_not_here_is_said),
		cmocka_unit_test(a_hundred_thousand_entries_are_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Local directories as sources: what is left out, and that nothing else is. */
#include "tests/unit/store/help.h"

#include "fetch/fetch.h"

/** Fetches "in"; the paths of what is there in the end, but ".", each with a space behind (free). */
static char *fetched(struct world *w, const struct fetch_local *how)
{
	struct fetch_local from = *how;
	auto_tree_reader r = NULL;
	auto_buf out = {0};
	struct tree_entry e;
	struct digest d;
	int more;

	from.path = "in";
	from.dirfd = w->in;
	must(fetch_local(w->store, &from, &d, NULL, &w->err));
	must(store_read_tree(w->store, &d, &r, &w->err));
	while ((more = tree_reader_next(r, &e, &w->err)) > 0)
		if (strcmp(e.path, ".") != 0)
			buf_addf(&out, "%s%s ", e.path, e.type == TREE_DIR ? "/" : "");
	must(more);
	return buf_take(&out);
}

#define assert_fetched(w, how, want)                                \
	do {                                                        \
		auto_free char *have_ = fetched((w), (how));        \
		assert_string_equal(have_, (want));                 \
	} while (0)

/** Files to make ("d/" is a directory; "f=text" has content; parents first), and what is left with gitignore. */
static const struct {
	const char *make;
	const char *left;
} rows[] = {
	{ ".gitignore=*.o\n|a.o|b.c|d/|d/x.o|d/y", ".gitignore b.c d/ d/y " },
	{ ".gitignore=*.o\n!keep.o\n|a.o|keep.o", ".gitignore keep.o " },
	{ ".gitignore=!keep.o\n*.o\n|a.o|keep.o", ".gitignore " },
	{ ".gitignore=/a\n|a|d/|d/a", ".gitignore d/ d/a " },
	{ ".gitignore=a\n|a|d/|d/a|d/ab", ".gitignore d/ d/ab " },
	{ ".gitignore=d/a\n|d/|d/a|e/|e/d/|e/d/a", ".gitignore d/ e/ e/d/ e/d/a " },
	{ ".gitignore=**/d/a\n|d/|d/a|e/|e/d/|e/d/a", ".gitignore d/ e/ e/d/ " },
	{ ".gitignore=b/\n|a/|a/b|b/|b/c", ".gitignore a/ a/b " },
	{ ".gitignore=b/*\n!b/c\n|b/|b/c|b/d", ".gitignore b/ b/c " },
	/* What lies in an excluded directory cannot be brought back. */
	{ ".gitignore=b/\n!b/c\n|b/|b/c|b/d", ".gitignore " },
	{ ".gitignore=b\n!/b/c\n|b/|b/c|b/.gitignore=!c\n", ".gitignore " },
	{ ".gitignore=/*\n!/foo\n/foo/*\n!/foo/bar\n|x|foo/|foo/x|foo/bar/|foo/bar/y", "foo/ foo/bar/ foo/bar/y " },
	{ ".gitignore=#c\n\\#h\n\\!n\n|#c|#h|!n|c", "#c .gitignore c " },
	{ ".gitignore=a \nb\\ \nc\\ d\ne\t\n|a|a |b|b |c d|e|e\t", ".gitignore a  b e " },
	{ ".gitignore=a\r\nb\r\n|a|b|c", ".gitignore c " },
	{ ".gitignore=\xef\xbb\xbf" "a\nb|a|b|c", ".gitignore c " },
	{ ".gitignore=\n\n   \n/\n!\n!/\n//\n|a", ".gitignore a " },
	{ ".gitignore=[ab]\n*.[!c]\n|a|b|c|x.c|x.d", ".gitignore c x.c " },
	{ ".gitignore=a/**/z\n|a/|a/z|a/b/|a/b/z|a/b/y|z", ".gitignore a/ a/b/ a/b/y z " },
	{ ".gitignore=a/**\n|a/|a/z|b", ".gitignore a/ b " },
	{ ".gitignore=a/**/\n|a/|a/z|a/b/|a/b/c|b", ".gitignore a/ a/z b " },
	/* Files further in stand above those further out, each for what lies below it. */
	{ ".gitignore=*.o\n|d/|d/.gitignore=!*.o\n|a.o|d/b.o|e/|e/c.o", ".gitignore d/ d/.gitignore d/b.o e/ " },
	{ "d/|d/.gitignore=/a\nx/y\n|a|d/a|d/e/|d/e/a|d/x/|d/x/y|x/|x/y", "a d/ d/.gitignore d/e/ d/e/a d/x/ x/ x/y " },
	{ "d/|d/.gitignore=*\n|d/a|a", "a d/ " },
	{ ".gitignore=.gitignore\n|a", "a " },
	{ ".git/|.git/config|a|d/|d/.git|d/b|x.git|.gitx", ".gitx a d/ d/b x.git " },
	{ ".gitignore=!.git\n|.git/|.git/config", ".gitignore " },
	/* A directory of that name, not a file, is none. */
	{ ".gitignore/|.gitignore/a=b\n|b", ".gitignore/ .gitignore/a b " },
	{ ".gitignore=\\\n[\n[[:x:]]\na\n|a|[|\\", ".gitignore [ \\ " },
	{ ".gitignore=\xc3\xa9\n\xff*\n|\xc3\xa9|\xff|\xff\xfe|b", ".gitignore b " },
	{ ".gitignore=new?line\n|new\nline|b", ".gitignore b " },
};

/** Makes what a row of the table says. */
static void make(struct world *w, const char *what)
{
	auto_free char *copy = strdup(what);
	char *at = copy;

	while (at != NULL) {
		char *name = strsep(&at, "|");
		char *text = strchr(name, '=');
		size_t n = strlen(name);

		if (text != NULL)
			*text++ = '\0';
		if (n > 0 && name[n - 1] == '/')
			make_dir(w->in, name, 0755);
		else
			put(w->in, name, text == NULL ? "" : text, 0644);
	}
}

static void gitignore_is_heeded(void **state)
{
	struct world *w = *state;
	const struct fetch_local how = { .gitignore = true };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		make(w, rows[i].make);
		auto_free char *have = fetched(w, &how);
		if (strcmp(have, rows[i].left) != 0)
			fail_msg("row %zu: %s\nhave %s\nwant %s", i, rows[i].make, have, rows[i].left);
		shell(w, "find in -mindepth 1 -delete");
	}
}

static void gitignore_may_be_off(void **state)
{
	struct world *w = *state;
	const struct fetch_local how = { .gitignore = false };

	make(w, ".gitignore=*\n|a|.git/|.git/x");
	assert_fetched(w, &how, ".git/ .git/x .gitignore a ");
}

static void exclusions_stand_above_the_files(void **state)
{
	struct world *w = *state;
	static const char *const exclude[] = { "*.o", "!b.o", "/top", "d/*.x", "# no pattern", "", "e/", NULL };
	const struct fetch_local off = { .exclude = exclude };
	const struct fetch_local on = { .exclude = exclude, .gitignore = true };

	make(w, ".gitignore=b.o\nc\n!a.o\n|a.o|b.o|c|top|d/|d/top|d/y.x|d/z|e/|e/f");
	assert_fetched(w, &off, ".gitignore b.o c d/ d/top d/z ");
	assert_fetched(w, &on, ".gitignore b.o d/ d/top d/z ");
}

static void the_out_directory_is_left_out(void **state)
{
	struct world *w = *state;
	const struct fetch_local how = { .skip_dir = "d/out", .gitignore = true };

	make(w, "d/|d/out/|d/out/image.tar|d/outer|out/|out/x");
	assert_fetched(w, &how, "d/ d/outer out/ out/x ");
}

static void a_linked_gitignore_is_none(void **state)
{
	struct world *w = *state;
	const struct fetch_local how = { .gitignore = true };

	put(w->fd, "patterns", "a\n", 0644);
	put(w->in, "a", "", 0644);
	assert_int_equal(symlinkat("../patterns", w->in, ".gitignore"), 0);
	assert_fetched(w, &how, ".gitignore a ");
	assert_int_equal(unlinkat(w->in, ".gitignore", 0), 0);
	assert_int_equal(symlinkat("a", w->in, "linked-dir"), 0);
	put(w->in, ".gitignore", "linked-dir/\n", 0644);
	assert_fetched(w, &how, ".gitignore a linked-dir ");
}

static void the_digest_counts_what_is_there(void **state)
{
	struct world *w = *state;
	const struct fetch_local how = { .path = "in", .dirfd = w->in, .gitignore = true };
	struct digest a, b, c;
	struct snapshot_stats st;

	make(w, ".gitignore=*.o\n|a|d/|d/b=text");
	must(fetch_local(w->store, &how, &a, &st, &w->err));
	assert_int_equal(st.files, 3);
	assert_int_equal(st.dirs, 2);
	assert_int_equal(st.bytes, 8);
	put(w->in, "x.o", "not seen", 0644);
	shell(w, "touch -d 2001-01-01 in/a; chmod 600 in/a; chmod 700 in/d");
	must(fetch_local(w->store, &how, &b, NULL, &w->err));
	assert_true(digest_eq(&a, &b));
	assert_int_equal(fchmodat(w->in, "a", 0744, 0), 0);
	must(fetch_local(w->store, &how, &c, NULL, &w->err));
	assert_false(digest_eq(&a, &c));
}

static void what_cannot_be_a_source_is_named(void **state)
{
	struct world *w = *state;
	struct fetch_local how = { .path = "in", .dirfd = w->in, .gitignore = true };
	struct digest d = {{ 7 }};

	assert_int_equal(mkfifoat(w->in, "fifo", 0644), 0);
	assert_int_equal(fetch_local(w->store, &how, &d, NULL, &w->err), -1);
	assert_error(ERR_INPUT, "source 'in': 'fifo'");
	assert_int_equal(d.b[0], 7);
	/* Left out, it does no harm; as .gitignore neither. */
	put(w->in, ".gitignore", "fifo\n", 0644);
	must(fetch_local(w->store, &how, &d, NULL, &w->err));
	shell(w, "rm in/.gitignore; mkfifo in/.gitignore");
	assert_int_equal(fetch_local(w->store, &how, &d, NULL, &w->err), -1);
	assert_error(ERR_INPUT, "source 'in': '");
	shell(w, "rm in/* in/.gitignore; head -c 5000000 /dev/zero >in/.gitignore");
	assert_int_equal(fetch_local(w->store, &how, &d, NULL, &w->err), -1);
	assert_error(ERR_INPUT, "read .gitignore: larger than the limit");
}

/** What a .gitignore may be: the largest that is read, and a little more. */
static void ignore_files_have_their_limits(void **state)
{
	struct world *w = *state;
	const struct fetch_local how = { .path = "in", .dirfd = w->in, .gitignore = true };
	struct digest d;
	static const struct {
		const char *script;
		const char *refusal;  /**< NULL: none */
	} cases[] = {
		{ "head -c 4096 /dev/zero | tr '\\0' '?' >d/.gitignore", NULL },
		{ "(printf 'a\\n'; head -c 4097 /dev/zero | tr '\\0' '?') >d/.gitignore", "'d/.gitignore': line 2 is longer than 4096 bytes" },
		{ "head -c 4097 /dev/zero | tr '\\0' 'a' >.gitignore", "'.gitignore': line 1 is longer than 4096 bytes" },
		{ "yes abcdefghijklmno | head -c 262144 >d/.gitignore", NULL },
		{ "yes abcdefghijklmno | head -c 262145 >d/.gitignore", "d: read .gitignore: larger than the limit of 262144 bytes" },
		{ "yes a | head -n 50000 >.gitignore", NULL },
		{ "yes a | head -n 50001 >.gitignore", "'.gitignore': more than 50000 patterns" },
		/* Those that are in force at one place count together, and no others. */
		{ "yes b | head -n 30000 >d/.gitignore; yes b | head -n 30000 >e/.gitignore", NULL },
		{ "yes b | head -n 30000 >d/.gitignore; yes b | head -n 30000 >d/d/.gitignore", "'d/d/.gitignore': more than 50000 patterns" },
		{ "p=.; for i in 1 2 3 4 5 6 7 8 9 a b c d e f g; do mkdir -p $p; head -c 262144 /dev/zero | tr '\\0' '#' | fold -w 4000 >$p/big; head -c 262144 $p/big >$p/.gitignore; rm $p/big; p=$p/d; done", NULL },
		{ "p=.; for i in 1 2 3 4 5 6 7 8 9 a b c d e f g h; do mkdir -p $p; head -c 262144 /dev/zero | tr '\\0' '#' | fold -w 4000 >$p/big; head -c 262144 $p/big >$p/.gitignore; rm $p/big; p=$p/d; done",
		  "d/.gitignore': it and those above it come to more than 4194304 bytes" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_buf script = {0};

		buf_addf(&script, "find in -mindepth 1 -delete; cd in; mkdir -p d/d e; %s", cases[i].script);
		must(buf_check(&script, "script", &w->err));
		shell(w, script.data);
		int r = fetch_local(w->store, &how, &d, NULL, &w->err);
		if ((r < 0) != (cases[i].refusal != NULL))
			fail_msg("case %zu: %d %s", i, r, r < 0 ? w->err.msg : "");
		if (cases[i].refusal != NULL)
			assert_error(ERR_INPUT, cases[i].refusal);
	}
}

static void exclusions_have_their_limits(void **state)
{
	struct world *w = *state;
	auto_free char *line = malloc(4098);
	const char *exclude[] = { "a", line, NULL };
	const struct fetch_local how = { .path = "in", .dirfd = w->in, .exclude = exclude };
	struct digest d;

	memset(line, '?', 4097);
	line[4096] = '\0';
	must(fetch_local(w->store, &how, &d, NULL, &w->err));
	line[4096] = '?';
	line[4097] = '\0';
	assert_int_equal(fetch_local(w->store, &how, &d, NULL, &w->err), -1);
	assert_error(ERR_INPUT, "source 'in': 'exclude': line 2 is longer than 4096 bytes");
}

/* ---- real root ------------------------------------------------------- */

/** Root reads what its step user may not. */
static int fetch_as_root(struct world *w)
{
	struct ident id;
	struct store *s;
	struct digest d;
	char path[5000];
	struct fetch_local how = { .path = "in", .dirfd = w->in, .gitignore = true };

	CHECK(fchmod(w->in, 0700) == 0);
	put(w->in, "secret", "x", 0600);
	make_dir(w->in, "d", 0700);
	put(w->in, "d/.gitignore", "*.o\n", 0600);
	put(w->in, "d/x.o", "", 0600);
	snprintf(path, sizeof path, "%s/of-root", w->path);
	CHECK(ident_detect(&id, &w->err) == 0 && id.real_root);
	CHECK(store_open(path, &id, &s, &w->err) == 0);
	CHECK(geteuid() == IDENT_STEP_ID && faccessat(w->in, "secret", R_OK, AT_EACCESS) == -1);
	struct snapshot_stats st;
	CHECK(fetch_local(s, &how, &d, &st, &w->err) == 0);
	CHECK(st.files == 2);
	/* And the right is gone again, also after a failure. */
	CHECK(faccessat(w->in, "secret", R_OK, AT_EACCESS) == -1);
	CHECK(ident_caller_begin(&id, &w->err) == 0);
	CHECK(mkfifoat(w->in, "fifo", 0644) == 0);
	CHECK(ident_caller_end(&id, &w->err) == 0);
	CHECK(fetch_local(s, &how, &d, &st, &w->err) == -1);
	CHECK(faccessat(w->in, "secret", R_OK, AT_EACCESS) == -1);
	store_close(s);
	return 0;
}

static void real_root_reads_everything(void **state)
{
	in_child(fetch_as_root, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(gitignore_is_heeded),
		test_in_world(gitignore_may_be_off),
		test_in_world(exclusions_stand_above_the_files),
		test_in_world(the_out_directory_is_left_out),
		test_in_world(a_linked_gitignore_is_none),
		test_in_world(the_digest_counts_what_is_there),
		test_in_world(what_cannot_be_a_source_is_named),
		test_in_world(ignore_files_have_their_limits),
		test_in_world(exclusions_have_their_limits),
		/* Last: only real root has such rights. */
		test_in_world(real_root_reads_everything),
	};
	size_t n = ARRAY_LEN(tests) - !is_real_root();

	return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}

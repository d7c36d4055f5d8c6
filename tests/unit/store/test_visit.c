/* SPDX-License-Identifier: Apache-2.0 */
/* A directory shown entry by entry in the order of its manifest, with nothing stored. */
#include "help.h"

/** What was shown: a line an entry, as "path type mode size content". */
struct seen {
	struct world *w;
	struct buf text;
	void (*meanwhile)(struct seen *s, const struct tree_entry *e);
	const char *stop_at;
};

static int see(void *arg, const struct tree_entry *e, int fd, struct err *err)
{
	struct seen *s = arg;
	char content[64] = "";
	ssize_t n = fd == -1 ? 0 : read(fd, content, sizeof content - 1);

	assert_true(n >= 0);
	assert_int_equal(fd != -1, e->type == TREE_FILE);
	buf_addf(&s->text, "%s %d %o %llu %s%s\n", e->path, e->type, e->type == TREE_LINK ? 0 : e->mode, (unsigned long long)e->size, content,
		 e->type == TREE_LINK ? e->link : "");
	if (s->meanwhile != NULL)
		s->meanwhile(s, e);
	return s->stop_at != NULL && strcmp(s->stop_at, e->path) == 0 ? err_set(err, ERR_STEP, 0, "enough") : 0;
}

static int show(struct world *w, struct seen *s, struct snapshot_stats *stats)
{
	const struct snapshot_options opt = { .form = TREE_SOURCE, .visit = see, .visit_arg = s };
	struct snapshot_stats ignored;

	s->w = w;
	return store_snapshot(NULL, w->in, &opt, NULL, stats == NULL ? &ignored : stats, &w->err);
}

static void entries_come_as_they_are(void **state)
{
	struct world *w = *state;
	struct seen s = {0};
	struct snapshot_stats st;

	make_dir(w->in, "d", 0700);
	put(w->in, "d/run", "#!", 04711);
	put(w->in, "plain", "abc", 0600);
	assert_int_equal(symlinkat("nowhere", w->in, "l"), 0);
	must(show(w, &s, &st));
	assert_string_equal(s.text.data, ". 0 755 0 \nd 0 755 0 \nd/run 1 755 2 #!\nl 2 0 0 nowhere\nplain 1 644 3 abc\n");
	assert_int_equal(st.files, 2);
	assert_int_equal(st.dirs, 2);
	assert_int_equal(st.links, 1);
	assert_int_equal(st.bytes, 5);
	assert_int_equal(st.setid, 1);
	/* The store has none of it. */
	assert_int_equal(entries(store_fd(w->store), "objects"), 0);
	buf_free(&s.text);
}

/** The first words of lines. */
static char *paths_of(const char *text, const char *prefix)
{
	auto_buf out = {0};

	for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n'), line += line != NULL) {
		size_t skip = strncmp(line, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;

		buf_add(&out, line + skip, strcspn(line + skip, " \n"));
		buf_addc(&out, '\n');
	}
	return buf_take(&out);
}

/** A slash sorts between other bytes: what is below a directory does not always follow it at once. */
static void order_is_the_manifests(void **state)
{
	struct world *w = *state;
	static const char *const dirs[] = { "a", "a-b", "a/b", "a/b/c", "a/b+", "a0", "b", "b/a", "b/a!", "\xff" };
	static const char *const files[] = { "a/b/c/d", "a/b+/x", "a/b,", "a/b.c", "a-b/y", "a-", "a.", "a0/z", "B", "b!", "b/a/q", "b/a!/q", "b/a0",
					     "\xff/1", "\x01", "b/\xfe" };
	struct seen s = {0};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		make_dir(w->in, dirs[i], 0755);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		put(w->in, files[i], "", 0644);
	must(show(w, &s, NULL));
	auto_tree_builder b = NULL;
	auto_buf m = {0};
	const struct snapshot_options plain = { .form = TREE_SOURCE };
	must(snapshot_with(w, &plain, &b, NULL));
	must(tree_builder_manifest(b, &m, &w->err));
	auto_free char *shown = paths_of(s.text.data, "");
	auto_buf escaped = {0};
	/* A manifest escapes what is not plain. */
	for (const char *p = shown; *p != '\0'; p++)
		if ((unsigned char)*p < 0x7f && (*p > ' ' || *p == '\n') && *p != '!')
			buf_addc(&escaped, *p);
		else
			buf_addf(&escaped, "\\%03o", (unsigned char)*p);
	auto_free char *want = paths_of(m.data + strlen("#mtree\n"), "./");
	assert_string_equal(escaped.data, want);
	buf_free(&s.text);
}

static void grow(struct seen *s, const struct tree_entry *e)
{
	if (strcmp(e->path, "f") == 0) {
		auto_fd fd = openat(s->w->in, "f", O_WRONLY | O_APPEND | O_CLOEXEC);

		assert_int_equal(write(fd, "+", 1), 1);
	}
}

static void a_file_that_changes_is_refused(void **state)
{
	struct world *w = *state;
	struct seen s = { .meanwhile = grow };

	put(w->in, "f", "abc", 0644);
	assert_int_equal(show(w, &s, NULL), -1);
	assert_error(ERR_INPUT, "'f': it changed while it was read");
	buf_free(&s.text);
}

/** What was listed as one thing is another when its turn comes. */
static void swap_later(struct seen *s, const struct tree_entry *e)
{
	if (strcmp(e->path, "a") != 0)
		return;
	shell(s->w, "rm -r in/x; ln -s / in/x");
}

static void what_is_swapped_leads_nowhere(void **state)
{
	struct world *w = *state;

	put(w->in, "a", "", 0644);
	for (int i = 0; i < 2; i++) {
		struct seen s = { .meanwhile = swap_later };

		if (i == 0)
			put(w->in, "x", "", 0644);
		else
			make_dir(w->in, "x", 0755);
		assert_int_equal(show(w, &s, NULL), -1);
		assert_error(ERR_INPUT, "'x': it changed while the tree was read");
		assert_int_equal(unlinkat(w->in, "x", 0), 0);
		buf_free(&s.text);
	}
}

static void odd_things_and_depth_are_refused(void **state)
{
	struct world *w = *state;
	struct seen s = {0};

	assert_int_equal(mkfifoat(w->in, "fifo", 0644), 0);
	assert_int_equal(show(w, &s, NULL), -1);
	assert_error(ERR_INPUT, "'fifo' is neither file, directory nor link");
	assert_int_equal(unlinkat(w->in, "fifo", 0), 0);
	shell(w, "cd in; i=0; while test $i -lt 256; do mkdir d; cd d; i=$((i+1)); done; touch f");
	assert_int_equal(show(w, &s, NULL), -1);
	assert_error(ERR_INPUT, "deeper than 256");
	buf_free(&s.text);
}

static void the_visitor_may_end_it(void **state)
{
	struct world *w = *state;
	struct seen s = { .stop_at = "b" };

	put(w->in, "a", "", 0644);
	put(w->in, "b", "", 0644);
	put(w->in, "c", "", 0644);
	assert_int_equal(show(w, &s, NULL), -1);
	assert_error(ERR_STEP, "enough");
	assert_null(strstr(s.text.data, "\nc "));
	buf_free(&s.text);
}

static int ignore(void *arg, const struct tree_entry *e, int fd, struct err *err)
{
	(void)e, (void)fd, (void)err;
	++*(long *)arg;
	return 0;
}

/** In KiB. */
static long peak_memory(void)
{
	auto_buf text = {0};
	struct err err = {0};
	long kib = -1;

	if (io_read_file(AT_FDCWD, "/proc/self/status", 1 << 16, &text, &err) == 0)
		(void)sscanf(strstr(text.data, "VmHWM:"), "VmHWM: %ld", &kib);
	return kib;
}

/** 30,000 entries with paths of 130 bytes would be more than 6 MiB, if they were kept. */
static int walk_many(struct world *w)
{
	long n = 0;
	const struct snapshot_options opt = { .form = TREE_SOURCE, .visit = ignore, .visit_arg = &n };
	struct snapshot_stats st;
	char path[200];

	for (int i = 0; i < 30000; i++) {
		snprintf(path, sizeof path, "%060d", i / 300);
		if (i % 300 == 0)
			CHECK(mkdirat(w->in, path, 0755) == 0);
		snprintf(path, sizeof path, "%060d/%060d", i / 300, i);
		CHECK(symlinkat("x", w->in, path) == 0);
	}
	long before = peak_memory();
	CHECK(before > 0);
	CHECK(store_snapshot(NULL, w->in, &opt, NULL, &st, &w->err) == 0);
	CHECK(n == 30101);
	CHECK(peak_memory() - before < 1500);
	return 0;
}

static void memory_does_not_grow_with_the_tree(void **state)
{
	in_child(walk_many, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(entries_come_as_they_are),
		test_in_world(order_is_the_manifests),
		test_in_world(a_file_that_changes_is_refused),
		test_in_world(what_is_swapped_leads_nowhere),
		test_in_world(odd_things_and_depth_are_refused),
		test_in_world(the_visitor_may_end_it),
		test_in_world(memory_does_not_grow_with_the_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

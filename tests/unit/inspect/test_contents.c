/* SPDX-License-Identifier: Apache-2.0 */
/* Layers laid one over the other, and ways through links. */
#include "packages_helper.h"

static void add(struct contents *c, const char *path, enum tree_type type, unsigned layer)
{
	const struct tree_entry e = { .type = type, .mode = 0755, .link = type == TREE_LINK ? "x" : NULL };
	struct err err = {0};

	assert_int_equal(contents_add(c, &e, path, layer, &err), 0);
}

/** All that is left, "path:layer " after each other. */
static void assert_laid(struct contents *c, const char *want)
{
	auto_buf is = {0};

	contents_lay(c);
	for (size_t i = 0; i < c->n; i++)
		buf_addf(&is, "%s%s:%u", i > 0 ? " " : "", c->v[i].path, c->v[i].layer);
	buf_adds(&is, "");
	assert_string_equal(is.data, want);
}

static void later_layers_replace(void **state)
{
	auto_contents c = {0};

	(void)state;
	add(&c, "a", TREE_DIR, 0);
	add(&c, "a/x", TREE_FILE, 0);
	add(&c, "a/y", TREE_FILE, 0);
	add(&c, "b", TREE_FILE, 0);
	add(&c, "a", TREE_DIR, 1);
	add(&c, "a/y", TREE_LINK, 1);
	add(&c, "b", TREE_DIR, 1);
	add(&c, "b/z", TREE_FILE, 1);
	assert_laid(&c, "a/x:0 a/y:1 b/z:1");
}

static void what_is_no_directory_hides_what_was_below(void **state)
{
	auto_contents c = {0};

	(void)state;
	add(&c, "a", TREE_DIR, 0);
	add(&c, "a-b", TREE_FILE, 0);
	add(&c, "a/d", TREE_DIR, 0);
	add(&c, "a/d/x", TREE_FILE, 0);
	add(&c, "a", TREE_LINK, 1);
	/* Again a directory: what the link has hidden stays so. */
	add(&c, "a", TREE_DIR, 2);
	add(&c, "a/n", TREE_FILE, 2);
	assert_laid(&c, "a/n:2 a-b:0");
}

static void order_is_that_of_directories(void **state)
{
	auto_contents c = {0};
	size_t from, to;

	(void)state;
	add(&c, "a-b", TREE_FILE, 0);
	add(&c, "a/b", TREE_FILE, 0);
	add(&c, "a/c", TREE_FILE, 0);
	add(&c, "a.b", TREE_FILE, 0);
	assert_laid(&c, "a/b:0 a/c:0 a-b:0 a.b:0");
	contents_below(&c, "a", &from, &to);
	assert_int_equal(from, 0);
	assert_int_equal(to, 2);
	contents_below(&c, "", &from, &to);
	assert_int_equal(to - from, 4);
	contents_below(&c, "none", &from, &to);
	assert_int_equal(to, from);
	assert_int_equal(contents_find(&c, "a.b"), 3);
	assert_int_equal(contents_find(&c, "a"), CONTENTS_NONE);
}

static void nothing_is_laid(void **state)
{
	auto_contents c = {0};

	(void)state;
	assert_laid(&c, "");
	assert_int_equal(contents_find(&c, "a"), CONTENTS_NONE);
}

static void links_lead_on(void **state)
{
	static const struct row rows[] = {
		{ "bin", NULL, "usr/bin" }, { "usr/bin/ls", "x", NULL }, { "lib64", NULL, "/usr/lib/../lib64" }, { "usr/lib64/ld.so", "x", NULL },
		{ "etc/alternatives/x", NULL, "../../bin" }, { "loop", NULL, "loop" }, { "out", NULL, "../../../../usr" }, { "self", NULL, "." },
	};
	static const struct { const char *path, *want; } ways[] = {
		{ "bin/ls", "usr/bin/ls" }, { "lib64/ld.so", "usr/lib64/ld.so" }, { "etc/alternatives/x/ls", "usr/bin/ls" },
		{ "loop/x", NULL }, { "out/bin/ls", "usr/bin/ls" }, { "self/self/bin/ls", "usr/bin/ls" }, { "bin/none", NULL }, { "bin", "bin" },
		{ "", NULL },
	};
	auto_contents c = {0};

	(void)state;
	add_rows(&c, rows, ARRAY_LEN(rows), 0);
	contents_lay(&c);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		size_t at = contents_resolve(&c, ways[i].path);

		if ((at == CONTENTS_NONE) != (ways[i].want == NULL) || (at != CONTENTS_NONE && strcmp(c.v[at].path, ways[i].want) != 0))
			fail_msg("%s: %s", ways[i].path, at == CONTENTS_NONE ? "nothing" : c.v[at].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(later_layers_replace),
		cmocka_unit_test(what_is_no_directory_hides_what_was_below),
		cmocka_unit_test(order_is_that_of_directories),
		cmocka_unit_test(nothing_is_laid),
		cmocka_unit_test(links_lead_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

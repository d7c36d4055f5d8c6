/* SPDX-License-Identifier: Apache-2.0 */
/* Names of trees. */
#include "help.h"

static struct digest some_tree(struct world *w, const char *path)
{
	auto_tree_builder b = NULL;
	struct digest d;
	const struct tree_entry e = { .path = path, .type = TREE_DIR, .mode = 0755 };

	must(tree_builder_new(&b, &w->err));
	must(tree_builder_add(b, &e, &w->err));
	must(store_put_tree(w->store, b, &d, &w->err));
	return d;
}

static void a_name_means_its_tree(void **state)
{
	struct world *w = *state;
	struct digest a = some_tree(w, "a"), b = some_tree(w, "b"), got;
	char text[DIGEST_STR_SIZE + 1], have[100] = "";

	must(store_set_name(w->store, "deb-12.1_x", &a, &w->err));
	must(store_get_name(w->store, "deb-12.1_x", &got, &w->err));
	assert_true(digest_eq(&a, &got));
	must(store_set_name(w->store, "deb-12.1_x", &b, &w->err));
	must(store_get_name(w->store, "deb-12.1_x", &got, &w->err));
	assert_true(digest_eq(&b, &got));
	auto_fd fd = openat(store_fd(w->store), "names/deb-12.1_x", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, have, sizeof have), DIGEST_STR_SIZE);
	snprintf(text, sizeof text, "%s", digest_str(&b, (char[DIGEST_STR_SIZE]){0}));
	assert_memory_equal(have, text, DIGEST_STR_SIZE - 1);
	assert_int_equal(have[DIGEST_STR_SIZE - 1], '\n');
}

static void names_are_listed_in_order(void **state)
{
	struct world *w = *state;
	struct digest d = some_tree(w, "a");
	char **names = NULL;

	must(store_list_names(w->store, &names, &w->err));
	assert_null(names[0]);
	store_names_free(names);
	must(store_set_name(w->store, "b", &d, &w->err));
	must(store_set_name(w->store, "a", &d, &w->err));
	must(store_set_name(w->store, "B", &d, &w->err));
	/* Left by a kill in the middle of store_set_name(). */
	put(store_fd(w->store), "names/.glovebox-0123.tmp", "x", 0600);
	must(store_list_names(w->store, &names, &w->err));
	assert_string_equal(names[0], "B");
	assert_string_equal(names[1], "a");
	assert_string_equal(names[2], "b");
	assert_null(names[3]);
	store_names_free(names);
	store_names_free(NULL);
}

static void a_missing_name_is_said_with_the_nearest(void **state)
{
	struct world *w = *state;
	struct digest d = some_tree(w, "a"), got = {{ 5 }};

	must(store_set_name(w->store, "debian12", &d, &w->err));
	assert_int_equal(store_get_name(w->store, "debain12", &got, &w->err), -1);
	assert_error(ERR_INPUT, "did you mean 'debian12'?");
	assert_int_equal(store_get_name(w->store, "nothing-like-it", &got, &w->err), -1);
	assert_error(ERR_INPUT, "rootfs list");
	assert_int_equal(got.b[0], 5);
}

static void what_is_no_name_is_refused(void **state)
{
	struct world *w = *state;
	static const char *const bad[] = { "", ".", "..", ".a", "a/b", "../x", "a b", "a@b", "-a", "sha256:0" };
	struct digest d = some_tree(w, "a"), got;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(store_set_name(w->store, bad[i], &d, &w->err), -1);
		assert_error(ERR_USAGE, "cannot be a name");
		assert_int_equal(store_get_name(w->store, bad[i], &got, &w->err), -1);
		assert_error(ERR_USAGE, "cannot be a name");
	}
}

static void a_name_needs_its_tree(void **state)
{
	struct world *w = *state;
	struct digest d = {{ 1 }};

	assert_int_equal(store_set_name(w->store, "a", &d, &w->err), -1);
	assert_error(ERR_INPUT, "no such tree");
	assert_int_equal(entries(store_fd(w->store), "names"), 0);
}

static void a_damaged_name_is_said(void **state)
{
	struct world *w = *state;
	static const char *const bad[] = {
		"", "sha256:12\n", "x",
		"sha256:00000000000000000000000000000000000000000000000000000000000000000\n",
		"sha256:000000000000000000000000000000000000000000000000000000000000000G\n",
		"sha256:0000000000000000000000000000000000000000000000000000000000000000\nmore",
	};
	struct digest got;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		put(store_fd(w->store), "names/a", bad[i], 0600);
		assert_int_equal(store_get_name(w->store, "a", &got, &w->err), -1);
		assert_int_equal(w->err.kind, ERR_INPUT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(a_name_means_its_tree),
		test_in_world(names_are_listed_in_order),
		test_in_world(a_missing_name_is_said_with_the_nearest),
		test_in_world(what_is_no_name_is_refused),
		test_in_world(a_name_needs_its_tree),
		test_in_world(a_damaged_name_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

static struct digest key_of(const char *text)
{
	struct err err;
	struct digest d;

	assert_int_equal(hash_bytes(text, strlen(text), &d, &err), 0);
	return d;
}

static void put_result(struct world *w, const char *key, const char *value)
{
	struct digest d = key_of(key);
	auto_json j = json_pack("{s:s, s:[], s:[]}", "value", value, "trees", "objects");

	must(store_result_put(w->store, "step", &d, j, &w->err));
}

/** Path of a result below the world. */
static const char *path_of(const char *key, char out[128])
{
	char hex[DIGEST_HEX_SIZE];
	struct digest d = key_of(key);

	snprintf(out, 128, "store/results/step-%s", digest_hex(&d, hex));
	return out;
}

static void what_is_put_is_got(void **state)
{
	struct world *w = *state;
	struct digest d = key_of("a");
	auto_json j = NULL;

	assert_int_equal(store_result_get(w->store, "step", &d, &j, &w->err), -1);
	assert_int_equal(w->err.sys, ENOENT);
	put_result(w, "a", "first");
	put_result(w, "a", "second");
	must(store_result_get(w->store, "step", &d, &j, &w->err));
	assert_string_equal(json_str(j, "value"), "second");
	assert_int_equal(store_result_get(w->store, "image", &d, &j, &w->err), -1);
}

static void every_changed_byte_is_noticed(void **state)
{
	struct world *w = *state;
	struct digest d = key_of("a");
	char path[128];
	struct stat st;

	put_result(w, "a", "x");
	path_of("a", path);
	assert_int_equal(fstatat(w->fd, path, &st, 0), 0);
	assert_int_equal(fchmodat(w->fd, path, 0600, 0), 0);
	auto_fd fd = openat(w->fd, path, O_RDWR | O_CLOEXEC);
	for (off_t i = 0; i < st.st_size; i++) {
		json_t *j = NULL;
		char was, is;

		assert_int_equal(pread(fd, &was, 1, i), 1);
		is = (char)(was ^ 1);
		assert_int_equal(pwrite(fd, &is, 1, i), 1);
		assert_int_equal(store_result_get(w->store, "step", &d, &j, &w->err), -1);
		assert_error(ERR_INPUT, "damaged");
		assert_int_equal(pwrite(fd, &was, 1, i), 1);
	}
	assert_int_equal(ftruncate(fd, 20), 0);
	auto_json j = NULL;
	assert_int_equal(store_result_get(w->store, "step", &d, &j, &w->err), -1);
}

static void what_has_anothers_name_is_refused(void **state)
{
	struct world *w = *state;
	struct digest d = key_of("b");
	char a[128], b[128];
	auto_json j = NULL;

	put_result(w, "a", "x");
	assert_int_equal(renameat(w->fd, path_of("a", a), w->fd, path_of("b", b)), 0);
	assert_int_equal(store_result_get(w->store, "step", &d, &j, &w->err), -1);
	assert_error(ERR_INPUT, "damaged");
}

static void what_others_may_write_is_refused(void **state)
{
	struct world *w = *state;
	struct digest d = key_of("a");
	char a[128];
	auto_json j = NULL;

	put_result(w, "a", "x");
	assert_int_equal(fchmodat(w->fd, path_of("a", a), 0664, 0), 0);
	assert_int_equal(store_result_get(w->store, "step", &d, &j, &w->err), -1);
	assert_int_equal(unlinkat(w->fd, a, 0), 0);
	assert_int_equal(symlinkat("/dev/zero", w->fd, a), 0);
	assert_int_equal(store_result_get(w->store, "step", &d, &j, &w->err), -1);
	assert_int_equal(unlinkat(w->fd, a, 0), 0);
	assert_int_equal(mkfifoat(w->fd, a, 0600), 0);
	assert_int_equal(store_result_get(w->store, "step", &d, &j, &w->err), -1);
	assert_error(ERR_INPUT, "damaged");
}

static void a_tree_is_checked_down_to_its_objects(void **state)
{
	struct world *w = *state;
	char path[128], hex[DIGEST_HEX_SIZE];
	struct digest tree, object = key_of("hello\n");

	const struct snapshot_options opt = { .form = TREE_SOURCE };
	auto_tree_builder b = NULL;

	put(w->in, "f", "hello\n", 0644);
	must(snapshot_with(w, &opt, &b, NULL));
	must(store_put_tree(w->store, b, &tree, &w->err));
	must(store_check_tree(w->store, &tree, true, &w->err));
	digest_hex(&object, hex);
	snprintf(path, sizeof path, "store/objects/%.2s/%s", hex, hex + 2);
	assert_int_equal(fchmodat(w->fd, path, 0600, 0), 0);
	auto_fd fd = openat(w->fd, path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, "J", 1), 1);
	must(store_check_tree(w->store, &tree, false, &w->err));
	assert_int_equal(store_check_tree(w->store, &tree, true, &w->err), -1);
	assert_error(ERR_INPUT, "its content has another digest");
	assert_int_equal(ftruncate(fd, 3), 0);
	assert_int_equal(store_check_tree(w->store, &tree, false, &w->err), -1);
	assert_error(ERR_INPUT, "it has 3 bytes, not 6");
	assert_int_equal(unlinkat(w->fd, path, 0), 0);
	assert_int_equal(store_check_tree(w->store, &tree, false, &w->err), -1);
	assert_error(ERR_INPUT, "No such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(what_is_put_is_got), test_in_world(every_changed_byte_is_noticed), test_in_world(what_has_anothers_name_is_refused),
		test_in_world(what_others_may_write_is_refused), test_in_world(a_tree_is_checked_down_to_its_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

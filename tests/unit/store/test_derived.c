/* SPDX-License-Identifier: Apache-2.0 */
/* What can be worked out again: kept, checked when read, never missed. */
#include "help.h"

static void test_kept_and_checked(void **state)
{
	struct world *w = *state;
	struct store *store = w->store;
	struct digest key, other;
	char hex[DIGEST_HEX_SIZE], path[128];
	auto_buf got = { 0 };

	must(hash_bytes("key", 3, &key, &w->err));
	must(hash_bytes("other", 5, &other, &w->err));
	assert_false(store_derived_get(store, "thing", &key, 100, &got));
	must(store_derived_put(store, "thing", &key, "value", 5, &w->err));
	assert_true(store_derived_get(store, "thing", &key, 100, &got));
	assert_int_equal(got.len, 5);
	assert_memory_equal(got.data, "value", 5);
	buf_clear(&got);
	assert_false(store_derived_get(store, "other", &key, 100, &got));
	assert_false(store_derived_get(store, "thing", &other, 100, &got));
	assert_false(store_derived_get(store, "thing", &key, 4, &got));
	/* A later value takes the earlier one's place. */
	must(store_derived_put(store, "thing", &key, "", 0, &w->err));
	assert_true(store_derived_get(store, "thing", &key, 100, &got));
	assert_int_equal(got.len, 0);
	/* A byte that has changed, a file cut short, none at all: as if nothing had been put. */
	snprintf(path, sizeof path, "derived/thing-%s", digest_hex(&key, hex));
	must(store_derived_put(store, "thing", &key, "value", 5, &w->err));
	assert_int_equal(fchmodat(store_fd(store), path, 0600, 0), 0);
	int fd = openat(store_fd(store), path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "V", 1, 0), 1);
	assert_false(store_derived_get(store, "thing", &key, 100, &got));
	assert_int_equal(pwrite(fd, "v", 1, 0), 1);
	assert_true(store_derived_get(store, "thing", &key, 100, &got));
	assert_int_equal(ftruncate(fd, 20), 0);
	assert_false(store_derived_get(store, "thing", &key, 100, &got));
	close(fd);
	must(io_remove_tree(store_fd(store), "derived", &w->err));
	assert_false(store_derived_get(store, "thing", &key, 100, &got));
	must(store_derived_put(store, "thing", &key, "value", 5, &w->err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(test_kept_and_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A tree read back from its tar, as it lies in evidence: the same tree, or refused. */
#include "tarmaker.h"

#include "rootfs/rootfs.h"

#define M(...) (struct member){ __VA_ARGS__ }

/** Unpacks these members, which stand at @p offset in a file; with @p store into that. */
static int unpack(struct world *w, struct store *store, const struct member *m, size_t n, uint64_t offset, struct digest *ret)
{
	auto_buf tar = {0}, padded = {0};

	for (size_t i = 0; i < n; i++)
		tar_add(&tar, m[i]);
	for (uint64_t i = 0; i < offset; i++)
		buf_addc(&padded, 'x');
	buf_add(&padded, tar.data, tar.len);
	tar_write(w, &padded, "t.tar");
	auto_fd fd = openat(w->fd, "t.tar", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return rootfs_unpack_tree(store, fd, offset, tar.len + 1024, ret, &w->err);
}

static void it_is_the_tree_that_was_packed(void **state)
{
	struct world *w = *state;
	const struct member m[] = {
		M("bin", '5', NULL, 0755), M("bin/a", '0', "hello\n", 0755, 5, 6), M("bin/b", '2', "a"), M("m.pyc", '0', "0123456789abcdef"),
	};
	auto_tree_builder b = NULL;
	struct digest want, have, alone;

	must(unpack(w, w->store, m, ARRAY_LEN(m), 1536, &have));
	must(tree_builder_new(&b, &w->err));
	struct tree_entry entries[] = {
		{ .path = "bin", .type = TREE_DIR, .mode = 0755 }, { .path = "bin/a", .type = TREE_FILE, .mode = 0755, .uid = 5, .gid = 6, .size = 6 },
		{ .path = "bin/b", .type = TREE_LINK, .link = "a" }, { .path = "m.pyc", .type = TREE_FILE, .mode = 0644, .size = 16 },
	};
	must(hash_bytes("hello\n", 6, &entries[1].digest, &w->err));
	/* As it is: an import amends it. */
	must(hash_bytes("0123456789abcdef", 16, &entries[3].digest, &w->err));
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		must(tree_builder_add(b, &entries[i], &w->err));
	must(store_put_tree(w->store, b, &want, &w->err));
	assert_true(digest_eq(&want, &have));
	must(store_check_tree(w->store, &have, true, &w->err));
	/* Only the digest is wanted. */
	must(unpack(w, NULL, m, ARRAY_LEN(m), 0, &alone));
	assert_true(digest_eq(&want, &alone));
}

static void one_change_is_another_tree(void **state)
{
	struct world *w = *state;
	const struct member good[] = { M("a", '0', "x", 0644) };
	const struct member others[][1] = {
		{ M("b", '0', "x", 0644) }, { M("a", '0', "y", 0644) }, { M("a", '0', "x", 0755) }, { M("a", '0', "x", 0644, 1) }, { M("a", '2', "x") },
	};
	struct digest want, have;

	must(unpack(w, NULL, good, 1, 0, &want));
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		must(unpack(w, NULL, others[i], 1, 0, &have));
		assert_false(digest_eq(&want, &have));
	}
}

static void what_is_no_tree_is_refused(void **state)
{
	struct world *w = *state;
	static const struct {
		struct member m[2];
		size_t n;
		const char *why;
	} rows[] = {
		{ { M("../x", '0', "x") }, 1, "with '..'" },
		{ { M("/x", '0', "x") }, 1, "an absolute path" },
		{ { M("l", '2', "."), M("l/x", '0', "x") }, 2, "lies below 'l'" },
		{ { M("d", '5', NULL), M("d", '0', "x") }, 2, "is both" },
		{ { M("f", '0', "x", .size = 5000) }, 1, "Truncated" },
	};
	struct digest d = {{ 7 }};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(unpack(w, w->store, rows[i].m, rows[i].n, 0, &d), -1);
		assert_error(ERR_INPUT, rows[i].why);
		assert_int_equal(d.b[0], 7);
	}
	put(w->fd, "no.tar", "hello", 0644);
	auto_fd fd = openat(w->fd, "no.tar", O_RDONLY | O_CLOEXEC);
	assert_int_equal(rootfs_unpack_tree(w->store, fd, 0, 5, &d, &w->err), -1);
	assert_int_equal(w->err.kind, ERR_INPUT);
	/* Shorter than it says. */
	assert_int_equal(rootfs_unpack_tree(w->store, fd, 0, 1 << 20, &d, &w->err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(it_is_the_tree_that_was_packed),
		test_in_world(one_change_is_another_tree),
		test_in_world(what_is_no_tree_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

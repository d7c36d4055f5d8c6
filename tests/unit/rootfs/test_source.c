/* SPDX-License-Identifier: Apache-2.0 */
/* Archives that become sources: the tree that a snapshot of the same files is. */
#include "tarmaker.h"

#include "rootfs/rootfs.h"

/** Puts file @p name of the world into the store, and unpacks it. */
static int unpack_file(struct world *w, const char *name, struct digest *ret, struct snapshot_stats *stats)
{
	auto_fd fd = openat(w->fd, name, O_RDONLY | O_CLOEXEC);
	struct digest file;

	assert_true(fd >= 0);
	must(store_put_fd(w->store, fd, UINT64_MAX, &file, NULL, &w->err));
	return rootfs_unpack(w->store, &file, ret, stats, &w->err);
}

static void snapshot_in(struct world *w, struct digest *ret, struct snapshot_stats *stats)
{
	const struct snapshot_options opt = { .form = TREE_SOURCE };
	auto_tree_builder b = NULL;

	must(tree_builder_new(&b, &w->err));
	must(store_snapshot(w->store, w->in, &opt, b, stats, &w->err));
	must(store_put_tree(w->store, b, ret, &w->err));
}

static void an_archive_is_what_its_files_are(void **state)
{
	struct world *w = *state;
	static const char *const names[] = { "a.tar", "a.tar.gz", "a.tar.zst", "bsd.tar", "a.zip" };
	struct digest want, got;
	struct snapshot_stats s, t;

	/* A compiled file of Python with its source's time, modes and links that a root filesystem would keep, a hard link. */
	shell(w, "cd in; mkdir -p d/e; printf '\\247\\r\\r\\n\\0\\0\\0\\0TIMESIZEcode' >d/a.pyc; echo x >run; chmod 4711 run; echo y >f; chmod 640 f\n"
		 "ln -s ../../.. d/up; ln f d/hard; chmod 700 d/e; cd ..\n"
		 "tar -C in --owner 7:7 --group 8:8 -cf a.tar .; gzip -k a.tar; zstd -q a.tar; bsdtar -C in -cf bsd.tar .; bsdtar -C in --format zip -cf a.zip .");
	snapshot_in(w, &want, &s);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		must(unpack_file(w, names[i], &got, &t));
		if (!digest_eq(&want, &got))
			fail_msg("%s gives another tree", names[i]);
		assert_int_equal(s.files, t.files);
		assert_int_equal(s.links, t.links);
		assert_int_equal(s.bytes, t.bytes);
	}
	assert_int_equal(s.links, 1);
}

static void it_is_remembered_and_can_be_forgotten(void **state)
{
	struct world *w = *state;
	auto_buf tar = {0};
	struct digest one, two;
	struct snapshot_stats s;

	tar_add(&tar, (struct member){ "a", '0', "x" });
	tar_write(w, &tar, "a.tar");
	must(unpack_file(w, "a.tar", &one, &s));
	assert_int_equal(s.files, 1);
	assert_true(entries(w->fd, "store/derived") == 1);
	must(unpack_file(w, "a.tar", &two, NULL));
	assert_true(digest_eq(&one, &two));
	/* Damaged, or without its tree: read again. */
	shell(w, "for f in store/derived/*; do chmod u+w $f; printf x | dd of=$f conv=notrunc status=none; done");
	must(unpack_file(w, "a.tar", &two, NULL));
	assert_true(digest_eq(&one, &two));
	shell(w, "rm -f store/trees/*");
	must(unpack_file(w, "a.tar", &two, NULL));
	assert_true(digest_eq(&one, &two));
	assert_true(store_has_tree(w->store, &one));
}

static void what_no_source_holds_is_refused(void **state)
{
	struct world *w = *state;
	static const struct {
		struct member m;
		const char *why;
	} rows[] = {
		{ { "null", '3', NULL }, "'null': a device, a fifo or a socket" },
		{ { "pipe", '6', NULL }, "'pipe': a device, a fifo or a socket" },
		{ { "../x", '0', "x" }, "with '..'" },
		{ { "/x", '0', "x" }, "an absolute path" },
		{ { "x", '1', "y" }, "which is not in the archive" },
	};
	struct digest d = {0}, untouched = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf tar = {0};

		tar_add(&tar, rows[i].m);
		tar_write(w, &tar, "a.tar");
		assert_int_equal(unpack_file(w, "a.tar", &d, NULL), -1);
		assert_error(ERR_INPUT, rows[i].why);
		assert_true(digest_eq(&d, &untouched));
	}
	put(w->fd, "no.zip", "PK\3\4 and nothing", 0644);
	assert_int_equal(unpack_file(w, "no.zip", &d, NULL), -1);
	assert_int_equal(w->err.kind, ERR_INPUT);
	put(w->fd, "no.tar", "nothing at all", 0644);
	assert_int_equal(unpack_file(w, "no.tar", &d, NULL), -1);
	assert_int_equal(w->err.kind, ERR_INPUT);
	/* Not there. */
	assert_int_equal(rootfs_unpack(w->store, &untouched, &d, NULL, &w->err), -1);
	assert_int_equal(w->err.kind, ERR_INPUT);
	assert_true(entries(w->fd, "store/trees") == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(an_archive_is_what_its_files_are),
		test_in_world(it_is_remembered_and_can_be_forgotten),
		test_in_world(what_no_source_holds_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

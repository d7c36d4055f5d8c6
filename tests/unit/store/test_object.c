/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: stored once, under the digest of what was stored, whole or not at all. */
#include "help.h"

#include <signal.h>
#include <sys/resource.h>

#define ABC_SHA "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC_PATH "objects/ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY_PATH "objects/e3/b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static char *pattern(size_t n)
{
	char *data = malloc(n);

	assert_non_null(data);
	for (size_t i = 0; i < n; i++)
		data[i] = (char)(i * 31 + (i >> 12));
	return data;
}

static void bytes_are_stored_under_their_digest(void **state)
{
	struct world *w = *state;
	struct digest d;
	struct stat st;
	char have[8] = "";

	must(store_put_bytes(w->store, "abc", 3, &d, &w->err));
	assert_digest(&d, ABC_SHA);
	assert_int_equal(fstatat(store_fd(w->store), ABC_PATH, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0444);
	auto_fd fd = -1;
	must(store_open_object(w->store, &d, &fd, &w->err));
	assert_int_equal(read(fd, have, sizeof have), 3);
	assert_string_equal(have, "abc");
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	must(store_put_bytes(w->store, "", 0, &d, &w->err));
	assert_true(exists(store_fd(w->store), EMPTY_PATH));
}

static void the_mode_does_not_hang_on_the_umask(void **state)
{
	struct world *w = *state;
	struct digest d;
	struct stat st;
	mode_t old = umask(0777);

	int r = store_put_bytes(w->store, "abc", 3, &d, &w->err);
	umask(old);
	/* Directories that a umask of 777 makes cannot be entered; the content itself must not be half open. */
	if (r == 0 || geteuid() == 0) {
		must(r);
		assert_int_equal(fstatat(store_fd(w->store), ABC_PATH, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_mode & 07777, 0444);
	}
}

static void known_content_is_stored_once(void **state)
{
	struct world *w = *state;
	struct digest d;
	struct stat first, second;
	size_t big = 700000;
	auto_free char *data = pattern(big);
	char path[128], hex[DIGEST_HEX_SIZE];

	for (size_t n = 3; n <= big; n += big - 3) {
		must(store_put_bytes(w->store, data, n, &d, &w->err));
		digest_hex(&d, hex);
		snprintf(path, sizeof path, "objects/%.2s/%s", hex, hex + 2);
		assert_int_equal(fstatat(store_fd(w->store), path, &first, 0), 0);
		must(store_put_bytes(w->store, data, n, &d, &w->err));
		assert_int_equal(fstatat(store_fd(w->store), path, &second, 0), 0);
		assert_int_equal(first.st_ino, second.st_ino);
		assert_int_equal(second.st_nlink, 1);
	}
}

static void an_object_of_another_size_is_replaced(void **state)
{
	struct world *w = *state;
	struct digest d;
	struct stat st;

	must(store_put_bytes(w->store, "abc", 3, &d, &w->err));
	assert_int_equal(fchmodat(store_fd(w->store), ABC_PATH, 0600, 0), 0);
	/* As after a loss of power. */
	put(store_fd(w->store), ABC_PATH, "", 0444);
	must(store_put_bytes(w->store, "abc", 3, &d, &w->err));
	assert_int_equal(fstatat(store_fd(w->store), ABC_PATH, &st, 0), 0);
	assert_int_equal(st.st_size, 3);
}

static void a_damaged_object_is_replaced(void **state)
{
	struct world *w = *state;
	static const char *const damage[] = {
		"chmod u+w " "store/" ABC_PATH "; printf abd >store/" ABC_PATH,
		"rm -f store/" ABC_PATH "; printf abc >abc; ln -s \"$PWD/abc\" store/" ABC_PATH,
		"rm -f store/" ABC_PATH "; printf xyz >store/" ABC_PATH "; chmod 0 store/" ABC_PATH,
	};
	struct digest d;
	struct stat st;

	must(store_put_bytes(w->store, "abc", 3, &d, &w->err));
	for (size_t i = 0; i < ARRAY_LEN(damage); i++) {
		char have[8] = "";

		shell(w, damage[i]);
		must(store_put_bytes(w->store, "abc", 3, &d, &w->err));
		auto_fd fd = -1;
		must(store_open_object(w->store, &d, &fd, &w->err));
		assert_int_equal(read(fd, have, sizeof have), 3);
		assert_string_equal(have, "abc");
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_mode, S_IFREG | 0444);
	}
}

static void a_large_damaged_object_is_replaced(void **state)
{
	struct world *w = *state;
	size_t n = 700000;
	auto_free char *data = pattern(n);
	struct digest d, found;

	must(store_put_bytes(w->store, data, n, &d, &w->err));
	shell(w, "f=$(find store/objects -type f); chmod u+w $f; printf x | dd of=$f bs=1 seek=699999 conv=notrunc status=none");
	must(store_put_bytes(w->store, data, n, &d, &w->err));
	auto_fd fd = -1;
	must(store_open_object(w->store, &d, &fd, &w->err));
	must(hash_fd(fd, &found, NULL, &w->err));
	assert_true(digest_eq(&d, &found));
}

static void a_damaged_manifest_is_replaced(void **state)
{
	struct world *w = *state;
	const struct tree_entry e = { .path = "d", .type = TREE_DIR, .mode = 0755 };
	struct digest d;

	for (int i = 0; i < 2; i++) {
		auto_tree_builder b = NULL;
		auto_tree_reader r = NULL;

		must(tree_builder_new(&b, &w->err));
		must(tree_builder_add(b, &e, &w->err));
		must(store_put_tree(w->store, b, &d, &w->err));
		must(store_read_tree(w->store, &d, &r, &w->err));
		shell(w, "chmod u+w store/trees/*; sed -i s/mode=0755/mode=0777/ store/trees/*");
	}
}

static void sizes_around_the_chunk_come_right(void **state)
{
	struct world *w = *state;
	static const size_t sizes[] = { 0, 1, 262143, 262144, 262145, 524287, 524288, 524289, 3000001 };
	auto_free char *data = pattern(3000001);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct digest want, by_bytes, by_fd, by_pieces, stored;
		uint64_t size = 0, stored_size;
		auto_store_writer writer = NULL;
		auto_fd object = -1;

		must(hash_bytes(data, sizes[i], &want, &w->err));
		must(store_put_bytes(w->store, data, sizes[i], &by_bytes, &w->err));
		assert_true(digest_eq(&want, &by_bytes));
		put_bytes(w->in, "f", data, sizes[i], 0600);
		auto_fd fd = openat(w->in, "f", O_RDONLY | O_CLOEXEC);
		must(store_put_fd(w->store, fd, UINT64_MAX, &by_fd, &size, &w->err));
		assert_true(digest_eq(&want, &by_fd));
		assert_int_equal(size, sizes[i]);
		must(store_writer_begin(w->store, &writer, &w->err));
		for (size_t at = 0; at < sizes[i]; at += 77777)
			must(store_writer_add(writer, data + at, sizes[i] - at < 77777 ? sizes[i] - at : 77777, &w->err));
		must(store_writer_end(writer, &by_pieces, &size, &w->err));
		assert_true(digest_eq(&want, &by_pieces));
		assert_int_equal(size, sizes[i]);
		must(store_open_object(w->store, &want, &object, &w->err));
		must(hash_fd(object, &stored, &stored_size, &w->err));
		assert_true(digest_eq(&want, &stored));
		assert_int_equal(stored_size, sizes[i]);
	}
}

static void a_writer_places_only_what_is_expected(void **state)
{
	struct world *w = *state;
	auto_store_writer writer = NULL;
	struct digest abc, d;
	uint64_t size;
	auto_fd fd = -1;

	must(hash_bytes("abc", 3, &abc, &w->err));
	must(store_writer_begin(w->store, &writer, &w->err));
	store_writer_expect(writer, &abc, STORE_ANY_SIZE);
	must(store_writer_add(writer, "abd", 3, &w->err));
	assert_int_equal(store_writer_end(writer, &d, &size, &w->err), -1);
	assert_error(ERR_INPUT, "(3 bytes), not sha256:ba7816bf");
	must(hash_bytes("abd", 3, &d, &w->err));
	assert_int_equal(store_open_object(w->store, &d, &fd, &w->err), -1);
	store_writer_expect(writer, &abc, 4);
	must(store_writer_add(writer, "abc", 3, &w->err));
	assert_int_equal(store_writer_end(writer, &d, &size, &w->err), -1);
	assert_error(ERR_INPUT, "it has 3 bytes, not 4");
	assert_int_equal(store_open_object(w->store, &abc, &fd, &w->err), -1);
	/* After a refusal it is ready again, and what was forgotten leaves no trace. */
	store_writer_expect(writer, &abc, 3);
	must(store_writer_add(writer, "zzz", 3, &w->err));
	store_writer_reset(writer);
	must(store_writer_add(writer, "abc", 3, &w->err));
	must(store_writer_end(writer, &d, &size, &w->err));
	must(store_open_object(w->store, &abc, &fd, &w->err));
}

/* 64 MiB that take 8 KiB of a disk take little more of it in the store. */
static void a_sparse_file_stays_sparse(void **state)
{
	struct world *w = *state;
	off_t n = 64 << 20;
	struct digest d, again;
	struct stat st;

	put(w->in, "sparse", "start", 0600);
	auto_fd fd = openat(w->in, "sparse", O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "middle", 6, n / 2 + 100), 6);
	assert_int_equal(ftruncate(fd, n), 0);
	must(store_put_fd(w->store, fd, UINT64_MAX, &d, NULL, &w->err));
	auto_fd object = -1;
	must(store_open_object(w->store, &d, &object, &w->err));
	assert_int_equal(fstat(object, &st), 0);
	assert_int_equal(st.st_size, n);
	assert_true(st.st_blocks * 512 < 1 << 20);
	must(hash_fd(object, &again, NULL, &w->err));
	assert_true(digest_eq(&d, &again));
}

static void a_writer_writes_one_object_after_another(void **state)
{
	struct world *w = *state;
	auto_store_writer writer = NULL;
	auto_free char *data = pattern(600000);
	struct digest d;

	must(store_writer_begin(w->store, &writer, &w->err));
	must(store_writer_add(writer, data, 600000, &w->err));
	must(store_writer_end(writer, &d, NULL, &w->err));
	must(store_writer_add(writer, "abc", 3, &w->err));
	must(store_writer_end(writer, &d, NULL, &w->err));
	assert_digest(&d, ABC_SHA);
}

static void an_unfinished_object_vanishes(void **state)
{
	struct world *w = *state;
	auto_free char *data = pattern(600000);

	{
		auto_store_writer writer = NULL;

		must(store_writer_begin(w->store, &writer, &w->err));
		must(store_writer_add(writer, data, 600000, &w->err));
	}
	assert_int_equal(entries(store_fd(w->store), "objects"), 0);
	store_close(w->store);
	w->store = NULL;
	shell(w, "test -z \"$(ls -A store/tmp)\"");
	world_open(w);
}

static void a_writer_without_a_store_only_hashes(void **state)
{
	struct world *w = *state;
	auto_store_writer writer = NULL;
	auto_free char *data = pattern(600000);
	struct digest d, want;

	must(hash_bytes(data, 600000, &want, &w->err));
	must(store_writer_begin(NULL, &writer, &w->err));
	must(store_writer_add(writer, data, 600000, &w->err));
	must(store_writer_end(writer, &d, NULL, &w->err));
	assert_true(digest_eq(&d, &want));
	assert_int_equal(entries(store_fd(w->store), "objects"), 0);
}

static void the_limit_holds(void **state)
{
	struct world *w = *state;
	struct digest d = {{ 9 }};
	uint64_t size = 77;

	put(w->in, "f", "0123456789", 0600);
	auto_fd fd = openat(w->in, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(store_put_fd(w->store, fd, 9, &d, &size, &w->err), -1);
	assert_error(ERR_INPUT, "limit of 9 bytes");
	assert_int_equal(d.b[0], 9);
	assert_int_equal(size, 77);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	must(store_put_fd(w->store, fd, 10, &d, &size, &w->err));
	auto_fd dir = open(w->path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(store_put_fd(w->store, dir, 9, &d, &size, &w->err), -1);
	assert_error(ERR_INPUT, "Is a directory");
}

static void an_object_that_is_not_here_is_said(void **state)
{
	struct world *w = *state;
	struct digest d = {{ 0xab, 0xcd }};
	int fd = 77;

	assert_int_equal(store_open_object(w->store, &d, &fd, &w->err), -1);
	assert_error(ERR_INPUT, "objects/ab/cd00");
	assert_int_equal(fd, 77);
	/* A link in the store is not followed. */
	must(store_put_bytes(w->store, "abc", 3, &d, &w->err));
	shell(w, "rm -f store/" ABC_PATH "; ln -s /etc/passwd store/" ABC_PATH);
	assert_int_equal(store_open_object(w->store, &d, &fd, &w->err), -1);
}

static int limited_file_size(struct world *w)
{
	const struct rlimit limit = { 300000, 300000 };
	struct digest d;
	auto_free char *data = malloc(600000);

	signal(SIGXFSZ, SIG_IGN);
	CHECK(data != NULL && setrlimit(RLIMIT_FSIZE, &limit) == 0);
	memset(data, 7, 600000);
	CHECK(store_put_bytes(w->store, data, 600000, &d, &w->err) == -1);
	CHECK(w->err.kind == ERR_INTERNAL && w->err.sys == EFBIG);
	CHECK(strstr(w->err.msg, "write into the store") != NULL);
	CHECK(entries(store_fd(w->store), "objects") == 0);
	CHECK(store_put_bytes(w->store, data, 200000, &d, &w->err) == 0);
	return 0;
}

static void a_write_that_fails_leaves_nothing(void **state)
{
	in_child(limited_file_size, *state);
}

/** Fills a tmpfs of 1 MiB, in a namespace of its own where this user may have one. */
static int full_disk(struct world *w)
{
	struct digest d;
	size_t big = 3 << 20;
	auto_free char *data = pattern(big);
	struct store *s;
	char path[5000];

	CHECK(own_mounts() == 0);
	snprintf(path, sizeof path, "%s/in", w->path);
	CHECK(mount("tmpfs", path, "tmpfs", 0, "size=1m,mode=0700") == 0);
	struct ident id = same_ident();
	CHECK(store_open(path, &id, &s, &w->err) == 0);
	CHECK(store_put_bytes(s, data, big, &d, &w->err) == -1);
	CHECK(w->err.kind == ERR_INTERNAL && w->err.sys == ENOSPC && strstr(w->err.msg, "--store") != NULL);
	/* The room is there again. */
	CHECK(store_put_bytes(s, data, 500000, &d, &w->err) == 0);
	store_close(s);
	return 0;
}

static void a_full_disk_is_said(void **state)
{
	in_child(full_disk, *state);
}

/** Stores 200 contents, the same in every process. */
static int put_many(struct world *w)
{
	struct err err = {0};
	char path[5000];
	struct store *s;
	struct digest d;
	struct ident id = same_ident();
	auto_free char *data = calloc(1, 400000);

	snprintf(path, sizeof path, "%s/store", w->path);
	CHECK(store_open(path, &id, &s, &err) == 0);
	for (int i = 0; i < 200; i++) {
		memcpy(data, &i, sizeof i);
		CHECK(store_put_bytes(s, data, i % 20 == 0 ? 400000 : 1000, &d, &err) == 0);
	}
	store_close(s);
	return 0;
}

static void many_may_store_the_same_at_once(void **state)
{
	struct world *w = *state;
	pid_t pids[4];

	fflush(NULL);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(put_many(w));
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	store_close(w->store);
	w->store = NULL;
	shell(w, "cd store; test $(find objects -type f | wc -l) = 200; test -z \"$(ls -A tmp)\"\n"
		 "find objects -type f | while read f; do test objects/$(sha256sum <$f | sed 's,^\\(..\\)\\([^ ]*\\).*,\\1/\\2,') = $f; done");
	world_open(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(bytes_are_stored_under_their_digest),
		test_in_world(the_mode_does_not_hang_on_the_umask),
		test_in_world(known_content_is_stored_once),
		test_in_world(an_object_of_another_size_is_replaced),
		test_in_world(a_damaged_object_is_replaced),
		test_in_world(a_large_damaged_object_is_replaced),
		test_in_world(a_damaged_manifest_is_replaced),
		test_in_world(sizes_around_the_chunk_come_right),
		test_in_world(a_sparse_file_stays_sparse),
		test_in_world(a_writer_writes_one_object_after_another),
		test_in_world(a_writer_places_only_what_is_expected),
		test_in_world(an_unfinished_object_vanishes),
		test_in_world(a_writer_without_a_store_only_hashes),
		test_in_world(the_limit_holds),
		test_in_world(an_object_that_is_not_here_is_said),
		test_in_world(a_write_that_fails_leaves_nothing),
		test_in_world(a_full_disk_is_said),
		test_in_world(many_may_store_the_same_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A call fails, the Nth, for every N: a snapshot, a result and a collection either come to their end or say in one line why not, and the
 * store is true afterwards. The calls are defined here, in the program, so that store/ and base/ get these and not libc's. */
#include "help.h"

#include <stdarg.h>
#include <sys/syscall.h>

/** Which call from now on fails, and how; 0: none. */
static long countdown;
static int fault_errno;

static bool fails(void)
{
	if (countdown == 0 || --countdown != 0)
		return false;
	errno = fault_errno;
	return true;
}

/** Of 256 directories of objects a few are there; that the others could not be opened says nothing new. */
static bool may_fail(int dirfd, const char *path, int flags)
{
	return (flags & O_CREAT) != 0 || syscall(SYS_faccessat, dirfd, path, F_OK) == 0;
}

int openat64(int dirfd, const char *path, int flags, ...);
int openat64(int dirfd, const char *path, int flags, ...)
{
	va_list ap;

	va_start(ap, flags);
	mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return may_fail(dirfd, path, flags) && fails() ? -1 : (int)syscall(SYS_openat, dirfd, path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t n)
{
	return fails() ? -1 : syscall(SYS_write, fd, data, n);
}

int mkdirat(int dirfd, const char *path, mode_t mode)
{
	return fails() ? -1 : (int)syscall(SYS_mkdirat, dirfd, path, mode);
}

int renameat(int from, const char *a, int to, const char *b)
{
	return fails() ? -1 : (int)syscall(SYS_renameat2, from, a, to, b, 0);
}

int unlinkat(int dirfd, const char *path, int flags)
{
	return fails() ? -1 : (int)syscall(SYS_unlinkat, dirfd, path, flags);
}

/** No power is lost here: that what should be synced is, takes long and shows nothing. */
int fsync(int fd)
{
	(void)fd;
	return fails() ? -1 : 0;
}

int syncfs(int fd)
{
	(void)fd;
	return fails() ? -1 : 0;
}

int fchmod(int fd, mode_t mode)
{
	return fails() ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

/** Snapshots "in", names it, records a result that has it. */
static int fill(struct store *store, int in, struct err *err)
{
	const struct snapshot_options opt = { .form = TREE_SOURCE };
	struct snapshot_stats stats;
	auto_tree_builder b = NULL;
	struct digest tree;
	char text[DIGEST_STR_SIZE];

	if (tree_builder_new(&b, err) < 0 || store_snapshot(store, in, &opt, b, &stats, err) < 0 ||
	    store_put_tree(store, b, &tree, err) < 0 || store_set_name(store, "it", &tree, err) < 0)
		return -1;
	auto_json result = json_pack("{s:[s], s:[]}", "trees", digest_str(&tree, text), "objects");
	return store_result_put(store, "step", &tree, result, err);
}

static int collect(struct store *store, int in, struct err *err)
{
	const struct store_gc how = { .max_age_s = 0, .max_bytes = UINT64_MAX };
	struct store_counts removed, kept;

	(void)in;
	return store_gc(store, &how, &removed, &kept, err);
}

/** While a command runs on a rootfs that nothing else would keep. */
static int collect_beside_a_command(struct store *store, int in, struct err *err)
{
	char path[sizeof "rootfs/" + DIGEST_HEX_SIZE], hex[DIGEST_HEX_SIZE];
	const struct digest d = {0};
	auto_fd held = -1;
	long waits = countdown;

	countdown = 0;
	snprintf(path, sizeof path, "rootfs/%s", digest_hex(&d, hex));
	assert_int_equal(mkdirat(store_fd(store), path, 0700), 0);
	assert_int_equal(store_hold_rootfs(store, &d, &held, err), 0);
	countdown = waits;
	int result = collect(store, in, err);
	waits = countdown;
	countdown = 0;
	assert_true(exists(store_fd(store), path));
	countdown = waits;
	return result;
}

static void note_damage(void *arg, const struct store_damage *d)
{
	print_error("%s: %s\n", d->path, d->why);
	(*(int *)arg)++;
}

static void ignore_damage(void *arg, const struct store_damage *d)
{
	(void)arg;
	(void)d;
}

/** What cannot be opened for a moment is no reason to remove anything. */
static int verify_whole(struct store *store, int in, struct err *err)
{
	struct store_counts counts, after;
	struct err ignored;

	(void)in;
	int result = store_verify(store, ignore_damage, NULL, &counts, err);
	long left = countdown;
	countdown = 0;
	assert_int_equal(store_stats(store, &after, &ignored), 0);
	assert_int_equal(after.of[STORE_OBJECTS].n, 3);
	assert_int_equal(after.of[STORE_TREES].n, 2);
	assert_int_equal(after.of[STORE_RESULTS_KIND].n, 2);
	countdown = left;
	return result;
}

static void assert_true_store(struct world *w)
{
	struct store_counts counts;
	int damaged = 0;

	must(store_verify(w->store, note_damage, &damaged, &counts, &w->err));
	assert_int_equal(damaged, 0);
}

/** Runs @p work with each call failing in turn, each time in a store prepared by @p prepare, until no call is left to fail. */
static void at_every_call(struct world *w, int (*work)(struct store *, int, struct err *), void (*prepare)(struct world *), int how)
{
	long n;

	for (n = 1; n < 2000; n++) {
		prepare(w);
		w->err = (struct err){0};
		fault_errno = how;
		countdown = n;
		int result = work(w->store, w->in, &w->err);
		bool reached = countdown == 0;

		countdown = 0;
		if (result < 0) {
			assert_true(reached);
			assert_true(w->err.msg[0] != '\0' && strchr(w->err.msg, '\n') == NULL);
			assert_int_not_equal(w->err.kind, ERR_NONE);
		}
		/* As the next process would find it. */
		store_close(w->store);
		world_open(w);
		assert_true_store(w);
		assert_int_equal(entries(w->fd, "store/tmp"), 0);
		must(fill(w->store, w->in, &w->err));
		assert_true_store(w);
		if (!reached)
			break;
	}
	assert_in_range(n, 10, 1999);
}

static void empty(struct world *w)
{
	store_close(w->store);
	w->store = NULL;
	must(io_remove_tree(w->fd, "store", &w->err));
	world_open(w);
}

/** With things to keep and things to remove. */
static void with_garbage(struct world *w)
{
	struct digest d;

	empty(w);
	must(fill(w->store, w->in, &w->err));
	must(store_put_bytes(w->store, "nobody's", 8, &d, &w->err));
	must(store_derived_put(w->store, "thing", &d, "x", 1, &w->err));
	assert_int_equal(mkdirat(store_fd(w->store), "tmp/left", 0700), 0);
}

/** With a tree that nothing but a result stands for. */
static void with_unnamed(struct world *w)
{
	auto_tree_builder b = NULL;
	struct tree_entry e = { .path = "f", .type = TREE_FILE, .mode = 0644, .size = 3 };
	struct digest tree;
	char text[DIGEST_STR_SIZE];

	empty(w);
	must(fill(w->store, w->in, &w->err));
	must(store_put_bytes(w->store, "abc", 3, &e.digest, &w->err));
	must(tree_builder_new(&b, &w->err));
	must(tree_builder_add(b, &e, &w->err));
	must(store_put_tree(w->store, b, &tree, &w->err));
	auto_json result = json_pack("{s:[s], s:[]}", "trees", digest_str(&tree, text), "objects");
	must(store_result_put(w->store, "step", &tree, result, &w->err));
}

static void make_input(struct world *w)
{
	make_dir(w->in, "d", 0755);
	put(w->in, "d/a", "one\n", 0644);
	put(w->in, "d/b", "two\n", 0755);
	assert_int_equal(symlinkat("a", w->in, "d/l"), 0);
}

static void test_filling(void **state)
{
	make_input(*state);
	at_every_call(*state, fill, empty, ENOSPC);
	at_every_call(*state, fill, empty, EIO);
}

static void test_collecting(void **state)
{
	make_input(*state);
	at_every_call(*state, collect, with_garbage, EIO);
}

static void test_collecting_beside_a_command(void **state)
{
	make_input(*state);
	at_every_call(*state, collect_beside_a_command, with_garbage, EIO);
	at_every_call(*state, collect_beside_a_command, with_garbage, EMFILE);
}

static void test_verifying(void **state)
{
	make_input(*state);
	at_every_call(*state, verify_whole, with_unnamed, EMFILE);
	at_every_call(*state, verify_whole, with_unnamed, EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(test_filling), test_in_world(test_collecting), test_in_world(test_collecting_beside_a_command),
		test_in_world(test_verifying),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

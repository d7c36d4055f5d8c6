/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

static void tree_file_and_nothing(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	char absolute[8192];

	put(p, "f", "x", 1, 0600);
	assert_int_equal(io_remove_tree(p->fd, "f", &err), 0);
	assert_false(exists(p, "f"));
	assert_int_equal(io_mkdirs(p->fd, "t/a/b", 0700, &err), 0);
	assert_int_equal(io_mkdirs(p->fd, "t/c", 0700, &err), 0);
	put(p, "t/f", "x", 1, 0600);
	put(p, "t/a/b/g", "x", 1, 0400);
	assert_int_equal(mkfifoat(p->fd, "t/a/fifo", 0600), 0);
	put(p, "beside", "x", 1, 0600);
	assert_int_equal(io_remove_tree(p->fd, "t", &err), 0);
	assert_false(exists(p, "t"));
	assert_true(exists(p, "beside"));
	assert_int_equal(io_mkdirs(p->fd, "u/v/w", 0700, &err), 0);
	snprintf(absolute, sizeof absolute, "%s/u/v", p->path);
	assert_int_equal(io_remove_tree(AT_FDCWD, absolute, &err), 0);
	assert_int_equal(entries(p, "u"), 0);
	assert_int_equal(err.kind, ERR_NONE);
}

static void what_is_missing_is_removed_already(void **state)
{
	struct place *p = *state;
	struct err err = {0};

	assert_int_equal(io_remove_tree(p->fd, "missing", &err), 0);
	assert_int_equal(io_remove_tree(p->fd, "missing/deeper", &err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	put(p, "f", "x", 1, 0600);
	assert_int_equal(io_remove_tree(p->fd, "f/x", &err), -1);
	assert_error(err, ERR_INTERNAL, ENOTDIR, "remove 'f/x'");
}

static void names_that_are_no_names_are_refused(void **state)
{
	static const char *const names[] = { "", ".", "..", "d/", "d/.", "d/..", "/", "d/e/.." };
	struct place *p = *state;
	struct err err = {0};

	assert_int_equal(io_mkdirs(p->fd, "d/e", 0700, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(io_remove_tree(p->fd, names[i], &err), -1);
		assert_error(err, ERR_INTERNAL, EINVAL, "remove '");
	}
	assert_true(exists(p, "d/e"));
}

static void links_are_removed_and_not_followed(void **state)
{
	struct place *p = *state;
	struct err err = {0};

	assert_int_equal(io_mkdirs(p->fd, "precious/dir", 0700, &err), 0);
	put(p, "precious/file", "x", 1, 0600);
	assert_int_equal(io_mkdirs(p->fd, "t/d", 0700, &err), 0);
	assert_int_equal(symlinkat("../precious", p->fd, "t/link"), 0);
	assert_int_equal(symlinkat("../../precious/dir", p->fd, "t/d/link"), 0);
	assert_int_equal(symlinkat("..", p->fd, "t/d/up"), 0);
	assert_int_equal(symlinkat("/", p->fd, "t/d/root"), 0);
	assert_int_equal(symlinkat(p->path, p->fd, "t/abs"), 0);
	assert_int_equal(io_remove_tree(p->fd, "t", &err), 0);
	assert_false(exists(p, "t"));
	assert_int_equal(symlinkat("precious", p->fd, "top"), 0);
	assert_int_equal(io_remove_tree(p->fd, "top", &err), 0);
	assert_false(exists(p, "top"));
	assert_int_equal(entries(p, "precious"), 2);
}

static void hard_links_outside_stay(void **state)
{
	struct place *p = *state;
	struct err err = {0};

	put(p, "outside", "text", 4, 0444);
	assert_int_equal(mkdirat(p->fd, "t", 0700), 0);
	assert_int_equal(linkat(p->fd, "outside", p->fd, "t/inside", 0), 0);
	assert_int_equal(io_remove_tree(p->fd, "t", &err), 0);
	struct stat st;
	assert_int_equal(fstatat(p->fd, "outside", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	assert_int_equal(st.st_size, 4);
}

/* Overlayfs leaves work/work so, and programs their read-only trees. */
static void modes_that_keep_us_out(void **state)
{
	static const mode_t modes[] = { 0, 0100, 0200, 0300, 0400, 0500, 0600, 0555, 01777 };
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct err err = {0};

		assert_int_equal(io_mkdirs(p->fd, "t/a/b", 0700, &err), 0);
		put(p, "t/a/b/f", "x", 1, 0);
		put(p, "t/a/g", "x", 1, 0600);
		assert_int_equal(fchmodat(p->fd, "t/a/b", modes[i], 0), 0);
		assert_int_equal(fchmodat(p->fd, "t/a", modes[i], 0), 0);
		assert_int_equal(fchmodat(p->fd, "t", modes[i], 0), 0);
		if (io_remove_tree(p->fd, "t", &err) < 0)
			fail_msg("%o: %s", modes[i], err.msg);
		assert_false(exists(p, "t"));
	}
}

/** A chain of @p depth directories below @p name, a file in every hundredth; the last @p closed ones of mode 0. */
static int nest(int dirfd, const char *name, int depth, int closed)
{
	auto_fd at = dup(dirfd);

	for (int i = 0; i < depth; i++) {
		CHECK(mkdirat(at, name, 0700) == 0);
		auto_fd next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CHECK(next >= 0);
		if (i % 100 == 0) {
			auto_fd f = openat(next, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
			CHECK(f >= 0);
		}
		if (i >= depth - closed)
			CHECK(fchmod(next, 0) == 0 || geteuid() == 0);
		if (i >= depth - closed && geteuid() != 0)
			return 0; /* nothing can be made below it */
		close(move_fd(&at));
		at = move_fd(&next);
	}
	return 0;
}

/** With few descriptors: a walk that holds one a level could not. */
static int remove_deep(struct place *p)
{
	struct err err = {0};
	struct rlimit few = { 64, 64 };

	CHECK(nest(p->fd, "deep", 5000, 1) == 0);
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	if (io_remove_tree(p->fd, "deep", &err) < 0)
		fprintf(stderr, "# %s\n", err.msg);
	CHECK(!exists(p, "deep"));
	CHECK(entries(p, ".") == 0);
	return 0;
}

static void five_thousand_levels_with_few_descriptors(void **state)
{
	in_child(remove_deep, *state);
}

/* Around the depth from which directories are moved up: none is lost, none is left. */
static void every_depth_near_the_bound(void **state)
{
	struct place *p = *state;

	for (int depth = 28; depth < 38; depth++) {
		struct err err = {0};

		assert_int_equal(nest(p->fd, "d", depth, 0), 0);
		assert_int_equal(io_remove_tree(p->fd, "d", &err), 0);
		assert_int_equal(entries(p, "."), 0);
	}
}

/** Forty levels down, many directories that are all to be moved. */
static int remove_deep_and_wide(struct place *p)
{
	struct err err = {0};
	struct rlimit few = { 64, 64 };

	for (int i = 0; i < 200; i++) {
		auto_buf path = {0};

		for (int k = 0; k < 40; k++)
			buf_adds(&path, k == 0 ? "w" : "/w");
		buf_addf(&path, "/%d/x/y", i);
		CHECK(io_mkdirs(p->fd, path.data, 0700, &err) == 0);
	}
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	CHECK(io_remove_tree(p->fd, "w", &err) == 0);
	CHECK(entries(p, ".") == 0);
	return 0;
}

static void deep_and_wide(void **state)
{
	in_child(remove_deep_and_wide, *state);
}

static void two_thousand_files(void **state)
{
	struct place *p = *state;
	struct err err = {0};

	assert_int_equal(io_mkdirs(p->fd, "t/sub", 0700, &err), 0);
	for (int i = 0; i < 2000; i++) {
		char name[32];

		snprintf(name, sizeof name, "t/%s%d", i % 3 == 0 ? "sub/" : "", i);
		int fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	assert_int_equal(io_remove_tree(p->fd, "t", &err), 0);
	assert_false(exists(p, "t"));
}

static int write_proc(const char *path, const char *text)
{
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return 0;
}

/** A user namespace in which this ordinary user has its own id and may mount. */
static int own_users(void)
{
	char uids[64], gids[64];

	snprintf(uids, sizeof uids, "%u %u 1", geteuid(), geteuid());
	snprintf(gids, sizeof gids, "%u %u 1", getegid(), getegid());
	CHECK(unshare(CLONE_NEWUSER) == 0);
	CHECK(write_proc("/proc/self/setgroups", "deny") == 0);
	return write_proc("/proc/self/uid_map", uids) + write_proc("/proc/self/gid_map", gids);
}

/** A mount namespace of this process's own, in a user namespace where it takes one. The place is
 *  opened again: a descriptor from before does not see what is mounted here. */
static int own_mounts(struct place *p)
{
	CHECK(geteuid() == 0 || own_users() == 0);
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(p->fd >= 0);
	return 0;
}

/** What is mounted in the tree is not emptied: @p fs "" binds a directory of the same file system. */
static int refuse_mount(struct place *p, const char *fs, const char *at, const char *what)
{
	struct err err = {0};
	char target[8192], source[8192];

	CHECK(own_mounts(p) == 0);
	CHECK(io_mkdirs(p->fd, "precious", 0700, &err) == 0 && io_mkdirs(p->fd, at, 0700, &err) == 0);
	snprintf(target, sizeof target, "%s/%s", p->path, at);
	snprintf(source, sizeof source, "%s/precious", p->path);
	CHECK(mount(fs[0] == '\0' ? source : fs, target, fs, fs[0] == '\0' ? MS_BIND : 0, NULL) == 0);
	char inside[64];
	snprintf(inside, sizeof inside, "%s/keep", at);
	auto_fd keep = openat(p->fd, inside, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(keep >= 0);
	CHECK(io_remove_tree(p->fd, what, &err) == -1);
	CHECK(strstr(err.msg, "something is mounted there") != NULL);
	CHECK(exists(p, inside));
	/* Gone from there, it goes. */
	CHECK(umount2(target, MNT_DETACH) == 0);
	CHECK(io_remove_tree(p->fd, what, &err) == 0);
	CHECK(!exists(p, what));
	return 0;
}

static int refuse_tmpfs(struct place *p)
{
	return refuse_mount(p, "tmpfs", "t/a/mnt", "t");
}

static int refuse_bind(struct place *p)
{
	return refuse_mount(p, "", "t/a/mnt", "t");
}

static int refuse_bind_as_top(struct place *p)
{
	return refuse_mount(p, "", "mnt", "mnt");
}

static void mounts_are_not_entered(void **state)
{
	in_child(refuse_tmpfs, *state);
	in_child(refuse_bind, *state);
	in_child(refuse_bind_as_top, *state);
}

/* The way to it may lead over mounts and links; only beneath it they count. */
static int cross_on_the_way(struct place *p)
{
	struct err err = {0};
	char target[8192];

	CHECK(own_mounts(p) == 0);
	CHECK(io_mkdirs(p->fd, "mnt", 0700, &err) == 0);
	snprintf(target, sizeof target, "%s/mnt", p->path);
	CHECK(mount("tmpfs", target, "tmpfs", 0, NULL) == 0);
	CHECK(symlinkat("mnt", p->fd, "link") == 0);
	CHECK(io_mkdirs(p->fd, "mnt/t/u", 0700, &err) == 0);
	CHECK(io_remove_tree(p->fd, "link/t", &err) == 0);
	CHECK(entries(p, "mnt") == 0);
	return 0;
}

static void the_way_may_cross_mounts_and_links(void **state)
{
	in_child(cross_on_the_way, *state);
}

/* What cannot be removed is named, and what was told apart stays. */
static void a_parent_that_may_not_be_changed(void **state)
{
	struct place *p = *state;
	struct err err = {0};

	assert_int_equal(io_mkdirs(p->fd, "closed/t/u", 0700, &err), 0);
	assert_int_equal(fchmodat(p->fd, "closed", 0500, 0), 0);
	int result = io_remove_tree(p->fd, "closed/t", &err);
	assert_int_equal(fchmodat(p->fd, "closed", 0700, 0), 0);
	if (geteuid() == 0) {
		assert_int_equal(result, 0);
		assert_int_equal(entries(p, "closed"), 0);
	} else {
		assert_int_equal(result, -1);
		assert_error(err, ERR_INTERNAL, EACCES, "remove 't'");
		assert_true(exists(p, "closed/t/u"));
	}
}

static int remove_it(struct place *p)
{
	struct err err = {0};

	/* Whoever of the two comes second finds things gone, or emptied by the other. */
	CHECK(io_remove_tree(p->fd, "t", &err) == 0 || err.sys == ENOTEMPTY);
	return 0;
}

static void two_at_the_same_time(void **state)
{
	struct place *p = *state;
	struct err err = {0};

	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 60; i++) {
			char path[64];

			snprintf(path, sizeof path, "t/%d/a/b/c", i);
			assert_int_equal(io_mkdirs(p->fd, path, 0700, &err), 0);
		}
		fflush(NULL);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(remove_it(p));
		int status, here = remove_it(p);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(here, 0);
		assert_int_equal(io_remove_tree(p->fd, "t", &err), 0);
		assert_false(exists(p, "t"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_place(tree_file_and_nothing),
		test_in_place(what_is_missing_is_removed_already),
		test_in_place(names_that_are_no_names_are_refused),
		test_in_place(links_are_removed_and_not_followed),
		test_in_place(hard_links_outside_stay),
		test_in_place(modes_that_keep_us_out),
		test_in_place(five_thousand_levels_with_few_descriptors),
		test_in_place(every_depth_near_the_bound),
		test_in_place(deep_and_wide),
		test_in_place(two_thousand_files),
		test_in_place(mounts_are_not_entered),
		test_in_place(the_way_may_cross_mounts_and_links),
		test_in_place(a_parent_that_may_not_be_changed),
		test_in_place(two_at_the_same_time),
	};

	return cmocka_run_group_tests_name("remove", tests, NULL, NULL);
}

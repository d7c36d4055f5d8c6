/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file help.h
 * What the unit tests of store/, fetch/ and rootfs/ share: a directory of their own with a
 * store in it, files made in a line, trees snapshotted in a line, checks in child processes.
 */
#ifndef GB_TEST_STORE_HELP_H
#define GB_TEST_STORE_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "store/store.h"

/** A test's own directory: "store" and "in" lie in it. */
struct world {
	char path[4096];
	int fd;
	int in;               /**< directory "in": what a test reads from */
	struct ident id;
	struct store *store;
	struct err err;
};

static inline void must_(int r, const struct err *err, const char *file, int line)
{
	if (r < 0)
		print_error("%s:%d: %s\n", file, line, err->msg);
	_assert_true(r >= 0, "call", file, line);
}
/** The call succeeds; w.err tells why not. */
#define must(call) must_((call), &w->err, __FILE__, __LINE__)

#define assert_error(kind_, text)                                                \
	do {                                                                     \
		assert_int_equal(w->err.kind, (kind_));                          \
		if (strstr(w->err.msg, (text)) == NULL)                          \
			fail_msg("'%s' has no '%s'", w->err.msg, (text));        \
	} while (0)

/** The identity that these tests work with: whoever runs them, without changing ids, as the one id of a user namespace would. */
static inline struct ident same_ident(void)
{
	return (struct ident){
		.caller_uid = geteuid(), .caller_gid = getegid(), .step_uid = geteuid(), .step_gid = getegid(),
	};
}

static inline bool is_real_root(void)
{
	struct ident id;
	struct err err;

	return ident_detect(&id, &err) == 0 && id.real_root;
}

static inline void world_open(struct world *w)
{
	char path[5000];

	snprintf(path, sizeof path, "%s/store", w->path);
	must(store_open(path, &w->id, &w->store, &w->err));
}

static inline int world_enter(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	const char *tmp = getenv("TMPDIR");

	snprintf(w->path, sizeof w->path, "%s/gb-store.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(w->path) == NULL)
		return -1;
	w->fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->fd < 0 || fchmod(w->fd, 0755) < 0 || mkdirat(w->fd, "in", 0755) < 0)
		return -1;
	w->in = openat(w->fd, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->id = same_ident();
	world_open(w);
	*state = w;
	return 0;
}

static inline int world_leave(void **state)
{
	struct world *w = *state;
	struct err err = {0};

	store_close(w->store);
	close(w->in);
	close(w->fd);
	int r = io_remove_tree(AT_FDCWD, w->path, &err);
	if (r < 0)
		print_error("%s\n", err.msg);
	free(w);
	return r;
}

#define test_in_world(f) cmocka_unit_test_setup_teardown(f, world_enter, world_leave)

/** Makes a file of @p n bytes. */
static inline void put_bytes(int dirfd, const char *path, const void *data, size_t n, mode_t mode)
{
	auto_fd fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
}

static inline void put(int dirfd, const char *path, const char *text, mode_t mode)
{
	put_bytes(dirfd, path, text, strlen(text), mode);
}

static inline void make_dir(int dirfd, const char *path, mode_t mode)
{
	assert_int_equal(mkdirat(dirfd, path, 0700), 0);
	assert_int_equal(fchmodat(dirfd, path, mode, 0), 0);
}

static inline bool exists(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/** Number of entries in a directory. */
static inline int entries(int dirfd, const char *path)
{
	int n = 0;
	DIR *dir = fdopendir(openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

/** Runs a shell command in the world's directory; it has to succeed. */
static inline void shell(const struct world *w, const char *script)
{
	int status;

	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (chdir(w->path) < 0)
			_exit(126);
		execl("/bin/sh", "sh", "-e", "-u", "-c", script, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("'%s' gives status %x", script, (unsigned)status);
}

/** In a function that in_child() runs: reports and returns 1 when @p condition does not hold. */
#define CHECK(condition)                                                                      \
	do {                                                                                  \
		if (!(condition)) {                                                           \
			fprintf(stderr, "# %s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
			return 1;                                                             \
		}                                                                             \
	} while (0)

/** Runs @p fn in a child and asserts that it returned 0. */
static inline void in_child(int (*fn)(struct world *), struct world *w)
{
	int status;

	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn(w));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static inline int write_proc(const char *path, const char *text)
{
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);

	return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/** In a child: mounts of its own from here on, in a user namespace where this user needs one. */
static inline int own_mounts(void)
{
	char uid[32], gid[32];

	snprintf(uid, sizeof uid, "0 %u 1", (unsigned)geteuid());
	snprintf(gid, sizeof gid, "0 %u 1", (unsigned)getegid());
	CHECK(unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) == 0);
	if (strcmp(uid, "0 0 1") != 0) {
		CHECK(write_proc("/proc/self/setgroups", "deny") == 0);
		CHECK(write_proc("/proc/self/uid_map", uid) == 0 && write_proc("/proc/self/gid_map", gid) == 0);
	}
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	return 0;
}

/** Snapshots "in" with @p opt into a builder. */
static inline int snapshot_with(struct world *w, const struct snapshot_options *opt, struct tree_builder **ret,
				struct snapshot_stats *stats)
{
	struct snapshot_stats ignored;
	auto_tree_builder b = NULL;

	must(tree_builder_new(&b, &w->err));
	if (store_snapshot(w->store, w->in, opt, b, stats == NULL ? &ignored : stats, &w->err) < 0)
		return -1;
	*ret = move_ptr(b);
	return 0;
}

/** Snapshots "in" in the normal form of sources; the manifest's text (free). */
static inline char *manifest_of_in(struct world *w, enum tree_form form)
{
	const struct snapshot_options opt = { .form = form };
	auto_tree_builder b = NULL;
	auto_buf out = {0};

	must(snapshot_with(w, &opt, &b, NULL));
	must(tree_builder_manifest(b, &out, &w->err));
	return buf_take(&out);
}

/** Digest of a text, in hex: a manifest's expected name. */
static inline void assert_digest(const struct digest *d, const char *hex)
{
	char have[DIGEST_HEX_SIZE];

	assert_string_equal(digest_hex(d, have), hex);
}

/** The manifest of a tree in the store (free). */
static inline char *stored_manifest(struct world *w, const struct digest *d)
{
	char path[128], hex[DIGEST_HEX_SIZE];
	auto_buf out = {0};

	snprintf(path, sizeof path, "trees/%s", digest_hex(d, hex));
	must(io_read_file(store_fd(w->store), path, 64 << 20, &out, &w->err));
	return buf_take(&out);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file help.h
 * What the unit tests of base/ share: a directory of their own, and checks in a
 * child process (for what would change the test program itself: ids, limits, mounts).
 */
#ifndef GB_TEST_BASE_HELP_H
#define GB_TEST_BASE_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

/** A test's own directory. */
struct place {
	char path[4096];
	int fd;
};

/** cmocka setup: makes a directory, removed by place_leave(). */
static inline int place_enter(void **state)
{
	static struct place place;
	const char *tmp = getenv("TMPDIR");

	snprintf(place.path, sizeof place.path, "%s/gb-base.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(place.path) == NULL)
		return -1;
	place.fd = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &place;
	return place.fd < 0 ? -1 : 0;
}

/** cmocka teardown. Not by io_remove_tree(), which is itself under test. */
static inline int place_leave(void **state)
{
	struct place *p = *state;

	close(p->fd);
	pid_t pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", "-rf", "--", p->path, (char *)NULL);
		_exit(127);
	}
	int status;
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

#define test_in_place(f) cmocka_unit_test_setup_teardown(f, place_enter, place_leave)

/** In a function that in_child() runs: reports and returns 1 when @p condition does not hold. */
#define CHECK(condition)                                                                      \
	do {                                                                                  \
		if (!(condition)) {                                                           \
			fprintf(stderr, "# %s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
			return 1;                                                             \
		}                                                                             \
	} while (0)

/** Runs @p fn in a child and asserts that it returned 0. */
static inline void in_child(int (*fn)(struct place *), struct place *p)
{
	int status;

	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn(p));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/** Makes a file with @p n bytes of @p data. */
static inline void put(struct place *p, const char *name, const void *data, size_t n, mode_t mode)
{
	auto_fd fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
}

static inline bool exists(struct place *p, const char *name)
{
	struct stat st;

	return fstatat(p->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/** Number of entries in a directory of the place. */
static inline int entries(struct place *p, const char *name)
{
	int n = 0;
	DIR *dir = fdopendir(openat(p->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

#define assert_error(err, kind_, sys_, text)                          \
	do {                                                          \
		assert_int_equal((err).kind, (kind_));                \
		assert_int_equal((err).sys, (sys_));                  \
		if (strstr((err).msg, (text)) == NULL)                \
			fail_msg("'%s' has no '%s'", (err).msg, (text)); \
	} while (0)

#endif

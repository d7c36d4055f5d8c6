/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted: telling a chroot from a root of its own, and naming what covers /proc. */
#include "box.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "sandbox/mounted.h"

#define CHECK(cond) do { if (!(cond)) { fprintf(stderr, "# %s:%d: %s: %s\n", __FILE__, __LINE__, #cond, strerror(errno)); return -1; } } while (0)

static int put(const char *path, const char *text)
{
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/** User and mount namespaces of this process's own, whoever it is. */
static int own_namespaces(void)
{
	char uids[64], gids[64];

	snprintf(uids, sizeof uids, "0 %u 1", geteuid());
	snprintf(gids, sizeof gids, "0 %u 1", getegid());
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	CHECK(put("/proc/self/setgroups", "deny") == 0 && put("/proc/self/uid_map", uids) == 0 && put("/proc/self/gid_map", gids) == 0);
	return 0;
}

/** A chroot that is no mount point, in whose /proc two files are covered. */
static int in_chroot(const char *top)
{
	auto_buf all = {0}, one = {0};

	CHECK(own_namespaces() == 0);
	CHECK(!mounted_in_chroot());
	CHECK(chdir(top) == 0);
	CHECK(mount("/proc", "a root/proc", NULL, MS_BIND | MS_REC, NULL) == 0);
	CHECK(mount("/dev/null", "a root/proc/uptime", NULL, MS_BIND, NULL) == 0);
	CHECK(mount("/dev/null", "a root/proc/loadavg", NULL, MS_BIND, NULL) == 0);
	CHECK(chroot("a root") == 0 && chdir("/") == 0);
	CHECK(mounted_in_chroot());
	mounted_on_proc(&all, 100);
	CHECK(all.data != NULL && strstr(all.data, "/proc/uptime, /proc/loadavg") != NULL);
	mounted_on_proc(&one, 1);
	CHECK(one.data != NULL && strchr(one.data, ',') == NULL);
	return 0;
}

static void test_chroot(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char top[4096];
	int st = -1;

	(void)state;
	snprintf(top, sizeof top, "%s/glovebox-mounted.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	assert_non_null(mkdtemp(top));
	auto_fd at = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool made = mkdirat(at, "a root", 0755) == 0 && mkdirat(at, "a root/proc", 0755) == 0;
	pid_t pid = made ? fork() : -1;
	if (pid == 0)
		_exit(in_chroot(top) == 0 ? 0 : 1);
	if (pid > 0)
		waitpid(pid, &st, 0);
	(void)unlinkat(at, "a root/proc", AT_REMOVEDIR);
	(void)unlinkat(at, "a root", AT_REMOVEDIR);
	assert_int_equal(rmdir(top), 0);
	assert_int_equal(st, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chroot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

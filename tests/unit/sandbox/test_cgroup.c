/* SPDX-License-Identifier: Apache-2.0 */
/* Where a process's cgroup is, and whose one that is left is. */
#include "box.h"

#include <sys/file.h>

#include "sandbox/cgroup.h"

static const char hybrid[] = "9:name=systemd:/\n4:memory:/api/d0f\n2:cpu,cpuacct:/\n0::/user.slice/a.scope\n";
static const char hybrid_mounts[] =
	"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
	"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
	"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:10 master:1 - cgroup cgroup rw,memory\n"
	"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

static void finds(const char *cgroups, const char *mounts, const char *controller, const char *want)
{
	auto_buf path = { 0 };
	bool found = cgroup_find(cgroups, mounts, controller, &path);

	if (found != (want != NULL) || (found && strcmp(path.data, want) != 0))
		fail_msg("%s: %s, not %s", controller == NULL ? "v2" : controller, found ? path.data : "none",
			 want == NULL ? "none" : want);
}

static void test_find(void **state)
{
	(void)state;
	finds(hybrid, hybrid_mounts, "memory", "/sys/fs/cgroup/memory/api/d0f");
	finds(hybrid, hybrid_mounts, "cpu", "/sys/fs/cgroup/cpu,cpuacct");
	finds(hybrid, hybrid_mounts, "cpuacct", "/sys/fs/cgroup/cpu,cpuacct");
	finds(hybrid, hybrid_mounts, NULL, "/sys/fs/cgroup/unified/user.slice/a.scope");
	finds(hybrid, hybrid_mounts, "pids", NULL);
	finds(hybrid, hybrid_mounts, "mem", NULL);
	finds("4:pids:/\n", hybrid_mounts, "pids", NULL);
	finds("", hybrid_mounts, NULL, NULL);
	finds(hybrid, "", NULL, NULL);
	finds("garbage\n::\n:\n0:\n", "x\n1 2 3\n\n", NULL, NULL);
	finds("0::/a", "1 2 3 / /c rw - cgroup2 c rw", NULL, "/c/a");
}

/** A mount may show a part of the hierarchy, and a namespace's root may be below what it does not show. */
static void test_find_below_a_root(void **state)
{
	(void)state;
	finds("0::/kube/pod/x\n", "1 2 3 /kube/pod /sys/fs/cgroup rw - cgroup2 c rw\n", NULL, "/sys/fs/cgroup/x");
	finds("0::/kube/pod\n", "1 2 3 /kube/pod /sys/fs/cgroup rw - cgroup2 c rw\n", NULL, "/sys/fs/cgroup");
	finds("0::/kube/pods\n", "1 2 3 /kube/pod /sys/fs/cgroup rw - cgroup2 c rw\n", NULL, NULL);
	finds("0::/other\n", "1 2 3 /kube /sys/fs/cgroup rw - cgroup2 c rw\n", NULL, NULL);
	finds("0::/../x\n", "1 2 3 / /sys/fs/cgroup rw - cgroup2 c rw\n", NULL, NULL);
	finds("0::/x\n", "1 2 3 / /a\\040b rw - cgroup2 c rw\n1 2 3 / /c rw a:1 b:2 - cgroup2 c rw\n", NULL, "/c/x");
}

static void test_lists(void **state)
{
	(void)state;
	assert_true(cgroup_lists("cpuset cpu io memory pids\n", "memory"));
	assert_true(cgroup_lists("memory", "memory"));
	assert_false(cgroup_lists("", "memory"));
	assert_false(cgroup_lists("memoryx xmemory\n", "memory"));
	assert_true(cgroup_lists("a\nmemory\n", "memory"));
}

static void test_names(void **state)
{
	static const char *const bad[] = {
		"glovebox", "glovebox-", "glovebox-runner", "glovebox-1", "glovebox-1-", "glovebox-1-2", "glovebox-1-2-", "glovebox-0-1-a",
		"glovebox--1-2-a", "glovebox-1--2-a", "glovebox-+1-2-a", "glovebox-99999999999-2-a", "xglovebox-1-2-a",
		"glovebox-1-99999999999999999999-a",
	};
	pid_t pid = 0;
	uint64_t start = 0;

	(void)state;
	assert_true(cgroup_parse_name("glovebox-12-3456-0a1b2c3d", &pid, &start));
	assert_int_equal(pid, 12);
	assert_int_equal(start, 3456);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (cgroup_parse_name(bad[i], &pid, &start))
			fail_msg("'%s' passed", bad[i]);
}

/** Made, used, gone; what a dead runner left goes too, and what a living one has stays. */
static void test_life(void **state)
{
	struct box *b = *state;
	struct cgroup cg = { 0 }, other = { 0 };
	const struct sandbox_limits limits = { .memory_bytes = 64 << 20 };

	if (cgroup_open(&cg, &limits, &b->err) != 0) {
		assert_int_equal(b->err.kind, ERR_HOST);
		assert_int_equal(cg.ndirs, cgroup_close(&cg, 0, &b->err));
		return;
	}
	const struct cgroup_dir *dir = cg.of[CGROUP_MEMORY];
	assert_non_null(dir);
	assert_false(cgroup_out_of_memory(&cg));
	/* Whoever can open it can lock it, too. */
	struct stat st;
	assert_int_equal(fstat(dir->fd, &st), 0);
	assert_int_equal(st.st_mode & 066, 0);
	box_must(ident_caller_begin(&b->id, &b->err), &b->err);
	assert_int_equal(mkdirat(dir->base_fd, "glovebox-2147483647-1-dead", 0755), 0);
	assert_int_equal(mkdirat(dir->base_fd, "glovebox-1-1-other", 0755), 0);
	int held = openat(dir->base_fd, "glovebox-1-1-other", O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(held, LOCK_SH), 0);
	box_must(ident_caller_end(&b->id, &b->err), &b->err);
	box_must(cgroup_open(&other, &limits, &b->err), &b->err);
	assert_int_equal(faccessat(dir->base_fd, "glovebox-2147483647-1-dead", F_OK, 0), -1);
	assert_int_equal(faccessat(dir->base_fd, "glovebox-1-1-other", F_OK, 0), 0);
	assert_int_equal(faccessat(dir->base_fd, cg.name, F_OK, 0), 0);
	close(held);
	int base = dup(dir->base_fd);
	char name[sizeof cg.name];
	strcpy(name, cg.name);
	box_must(cgroup_close(&other, 0, &b->err), &b->err);
	box_must(cgroup_close(&cg, 0, &b->err), &b->err);
	assert_int_equal(faccessat(base, name, F_OK, 0), -1);
	box_must(cgroup_open(&cg, &limits, &b->err), &b->err);
	assert_int_equal(faccessat(base, "glovebox-1-1-other", F_OK, 0), -1);
	box_must(cgroup_close(&cg, 0, &b->err), &b->err);
	close(base);
}

static void test_nothing_without_a_wish(void **state)
{
	struct box *b = *state;
	struct cgroup cg = { 0 };

	box_must(cgroup_open(&cg, &(struct sandbox_limits){ .pids = 3 }, &b->err), &b->err);
	assert_int_equal(cg.ndirs, 0);
	assert_int_equal(cgroup_close(&cg, -1, &b->err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_find_below_a_root),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_names),
		box_test(test_life),
		box_test(test_nothing_without_a_wish),
	};

	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's mounts: kinds, targets, views; and a rootfs that lies. */
#include "box.h"

#include <dirent.h>

#include "sandbox/child.h"

static struct sandbox_mount *add(struct box *b, enum sandbox_mount_kind kind, const char *target)
{
	struct sandbox_mount *m = &b->mounts[b->conf.nmounts++];

	m->kind = kind;
	m->target = target;
	if (kind == SANDBOX_OVERLAY) {
		m->nlowers = 1;
		m->lowers[0].path = "src";
		m->upper.path = "up";
		m->work.path = "work";
	} else {
		m->source.path = "src";
	}
	return m;
}

/** An empty upper and work, and a source as it was. */
static void fresh(struct box *b)
{
	static const char *const names[] = { "src", "up", "work" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		box_must(io_remove_tree(b->base, names[i], &b->err), &b->err);
		box_dir(b, names[i]);
	}
	box_file(b, "src/file", "original\n");
	box_dir(b, "src/sub/deep");
	box_file(b, "src/sub/file", "below\n");
}

static void assert_file(struct box *b, int dirfd, const char *path, const char *text)
{
	auto_buf got = { 0 };

	box_must(io_read_file(dirfd, path, 1000, &got, &b->err), &b->err);
	assert_string_equal(got.data, text);
}

static void test_bind(void **state)
{
	struct box *b = *state;

	fresh(b);
	add(b, SANDBOX_BIND_RO, "/src");
	add(b, SANDBOX_BIND_RW, "/new/place/rw");
	assert_string_equal(box_says(b, "cat", "/src/file"), "original\n");
	box_refuses(b, EROFS, "write", "/src/file", "changed");
	box_refuses(b, EROFS, "write", "/src/new", "changed");
	box_refuses(b, EROFS, "chmod", "/src/file", "777");
	box_refuses(b, EROFS, "unlink", "/src/file");
	box_refuses(b, EROFS, "mkdir", "/new/place/other");
	box_says(b, "write", "/new/place/rw/file", "changed");
	assert_file(b, b->base, "src/file", "changed");
	box_says(b, "rename", "/new/place/rw/file", "/new/place/rw/sub/moved");
	assert_file(b, b->base, "src/sub/moved", "changed");
}

static void test_host_bind(void **state)
{
	struct box *b = *state;
	char path[300];

	fresh(b);
	snprintf(path, sizeof path, "%s/src", b->path);
	struct sandbox_mount *m = add(b, SANDBOX_BIND_RW, "/live");
	m->source = (struct sandbox_path){ SANDBOX_IN_HOST, path };
	box_says(b, "write", "/live/new", "made");
	assert_file(b, b->base, "src/new", "made");
	json_t *row = json_array_get(json_object_get(b->res.receipt, "mounts"), 0);
	assert_string_equal(json_str(row, "live"), path);
	m->source.path = "/nowhere/at/all";
	box_fails(b, ERR_USAGE, "/nowhere/at/all");
	m->source.path = "relative";
	box_fails(b, ERR_USAGE, "not absolute");
}

static void check_overlay(struct box *b)
{
	fresh(b);
	struct sandbox_mount *m = add(b, SANDBOX_OVERLAY, "/src");
	m->want_view = true;
	box_says(b, "write", "/src/file", "changed");
	assert_file(b, b->base, "src/file", "original\n");
	assert_file(b, b->base, "up/file", "changed");
	/* The view lives on: everything of the step is dead by now. */
	int view = b->res.view_fd;
	assert_true(view >= 0);
	assert_int_equal(fcntl(view, F_GETFD), FD_CLOEXEC);
	assert_file(b, view, "file", "changed");
	assert_file(b, view, "sub/file", "below\n");
	box_must(io_publish(view, "added", "later", 5, 0644, 0, &b->err), &b->err);
	assert_file(b, b->base, "up/added", "later");
	int again = openat(view, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *dir = fdopendir(again);
	while (readdir(dir) != NULL)
		n++;
	assert_int_equal(n, 5); /* . .. file sub added */
	closedir(dir);
}

static void test_overlay(void **state)
{
	check_overlay(*state);
}

/** The way of kernels before 6.8, and names that overlayfs would take apart. */
static void test_overlay_by_options(void **state)
{
	struct box *b = *state;
	auto_plan plan = { 0 };
	auto_sandbox_result res = { .view_fd = -1 };

	fresh(b);
	box_dir(b, "odd:a,b\\c");
	box_file(b, "odd:a,b\\c/file", "odd\n");
	box_dir(b, "odd:a,b\\c/up");
	box_dir(b, "odd:a,b\\c/work");
	struct sandbox_mount *m = add(b, SANDBOX_OVERLAY, "/work");
	m->nlowers = 2;
	m->lowers[0].path = "odd:a,b\\c";
	m->lowers[1].path = "src";
	m->upper.path = "odd:a,b\\c/up";
	m->work.path = "odd:a,b\\c/work";
	m->want_view = true;
	b->conf.argv = BOX_ARGV("inside", "write", "/work/new", "text");
	box_must(plan_make(&b->conf, &plan, &b->err), &b->err);
	plan.plan.no_lowerdir_plus = true;
	box_must(supervise(&b->conf, &plan.plan, &res, &b->err), &b->err);
	assert_int_equal(res.code, 0);
	assert_file(b, b->base, "odd:a,b\\c/up/new", "text");
	assert_file(b, res.view_fd, "file", "odd\n");
	assert_file(b, res.view_fd, "sub/file", "below\n");
	sandbox_result_clear(&res);
	box_must(io_remove_tree(b->base, "odd:a,b\\c", &b->err), &b->err);
}

static void test_overlay_with_odd_names(void **state)
{
	struct box *b = *state;

	fresh(b);
	box_dir(b, "odd:a,b\\c");
	box_file(b, "odd:a,b\\c/file", "odd\n");
	struct sandbox_mount *m = add(b, SANDBOX_OVERLAY, "/work");
	m->nlowers = 2;
	m->lowers[0].path = "odd:a,b\\c";
	m->lowers[1].path = "src";
	assert_string_equal(box_says(b, "cat", "/work/file"), "odd\n");
	box_must(io_remove_tree(b->base, "odd:a,b\\c", &b->err), &b->err);
}

/** No mount's root or options tell where on the host a thing lies. */
static void test_mountinfo_tells_nothing(void **state)
{
	struct box *b = *state;
	static const char *const names[] = { "glovebox-box", "rootfs", "/src", "/up", "mnt" };
	static const char *const files[] = { "/proc/self/mountinfo", "/proc/self/mounts", "/proc/self/mountstats", "/proc/1/mountinfo" };

	add(b, SANDBOX_OVERLAY, "/a");
	add(b, SANDBOX_BIND_RO, "/b");
	for (size_t f = 0; f < ARRAY_LEN(files); f++) {
		fresh(b);
		const char *text = box_says(b, "cat", files[f]);

		assert_non_null(strstr(text, " /a"));
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (strstr(text, names[i]) != NULL)
				fail_msg("%s has '%s':\n%s", files[f], names[i], text);
	}
}

/** A step's upper is the next one's lower, with what the first removed staying away. */
static void test_upper_as_lower(void **state)
{
	struct box *b = *state;

	fresh(b);
	box_dir(b, "up2");
	box_dir(b, "work2");
	add(b, SANDBOX_OVERLAY, "/src");
	box_says(b, "unlink", "/src/file");
	struct sandbox_mount *m = &b->mounts[0];
	m->nlowers = 2;
	m->lowers[0].path = "up";
	m->lowers[1].path = "src";
	m->upper.path = "up2";
	m->work.path = "work2";
	assert_string_equal(box_says(b, "ls", "/src"), "sub\n");
	/* Its upper has been used: a second run of it would stack on what is there. */
	box_fails(b, ERR_HOST, "must be new");
	box_must(io_remove_tree(b->base, "up2", &b->err), &b->err);
	box_must(io_remove_tree(b->base, "work2", &b->err), &b->err);
}

static void test_targets(void **state)
{
	struct box *b = *state;
	struct sandbox_mount *m = add(b, SANDBOX_BIND_RO, NULL);
	static const char *const bad[] = { "relative", "/", "//x", "/a/../b", "/a/", "/dev", "/dev/x", "/proc/self", "/sys",
					   "/note", "/note/x", "/lib", "/lib/x", "/opt/missing", "/usr/lib/missing/x",
					   "/srv/x", "/tmp/x", "/etc/passwd/x" };

	fresh(b);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		m->target = bad[i];
		box_fails(b, ERR_USAGE, bad[i]);
	}
	static const char *const good[] = { "/src", "/opt/app", "/usr/lib", "/srv", "/tmp", "/build", "/build/x", "/deviant" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char file[64];

		m->target = good[i];
		snprintf(file, sizeof file, "%s/file", good[i]);
		assert_string_equal(box_says(b, "cat", file), "original\n");
	}
	/* Below another mount: only where that has the directory. */
	m->target = "/src";
	add(b, SANDBOX_BIND_RO, "/src/sub/deep");
	assert_string_equal(box_says(b, "cat", "/src/sub/deep/sub/file"), "below\n");
	b->mounts[1].target = "/src/nothing";
	box_fails(b, ERR_USAGE, "/src/nothing");
	b->mounts[1].target = "/src/file";
	box_fails(b, ERR_USAGE, "/src/file");
}

static void test_sources(void **state)
{
	struct box *b = *state;
	struct sandbox_mount *m = add(b, SANDBOX_BIND_RO, "/src");
	static const char *const bad[] = { "", "/etc", "../x", "a//b", "." };

	fresh(b);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		m->source.path = bad[i];
		box_fails(b, ERR_USAGE, "not a clean");
	}
	m->source.path = "missing";
	box_fails(b, ERR_INTERNAL, "missing");
	/* A link in the base leads nowhere, wherever it points. */
	assert_int_equal(symlinkat("/etc", b->base, "link"), 0);
	m->source.path = "link";
	box_fails(b, ERR_INTERNAL, "link");
	assert_int_equal(unlinkat(b->base, "link", 0), 0);
	m->source.where = SANDBOX_IN_SPACE;
	box_fails(b, ERR_USAGE, "space");
	m->source = (struct sandbox_path){ SANDBOX_IN_BASE, "src" };
	m->want_view = true;
	add(b, SANDBOX_BIND_RO, "/other")->want_view = true;
	box_fails(b, ERR_USAGE, "more than one");
}

/** Replaces rootfs/NAME by a link (or a pipe for NULL), and gives it back. */
static void hostile(struct box *b, const char *name, const char *to, const char *words)
{
	char path[128], aside[128];

	snprintf(path, sizeof path, "rootfs/%s", name);
	snprintf(aside, sizeof aside, "aside-%s", name);
	int had = renameat(b->base, path, b->base, aside) == 0;
	if (to != NULL)
		assert_int_equal(symlinkat(to, b->base, path), 0);
	else
		assert_int_equal(mkfifoat(b->base, path, 0644), 0);
	box_fails(b, ERR_USAGE, words);
	assert_int_equal(unlinkat(b->base, path, 0), 0);
	if (had)
		assert_int_equal(renameat(b->base, aside, b->base, path), 0);
}

static void test_hostile_rootfs(void **state)
{
	struct box *b = *state;

	hostile(b, "dev", "/dev", "/dev is a link");
	hostile(b, "proc", "/proc", "/proc is a link");
	hostile(b, "sys", "/sys", "/sys is a link");
	hostile(b, "tmp", "/tmp", "/tmp is a link");
	hostile(b, "etc", "/etc", "/etc is a link");
	hostile(b, "build", "..", "/build is a link");
	hostile(b, "etc", NULL, "/etc is a named pipe");
	/* What the rootfs has where glovebox makes all itself does not show. */
	assert_int_equal(box_inside(b, "cat", "/dev/fake"), 1);
	assert_int_equal(box_inside(b, "cat", "/sys/fake"), 1);
	/* A link at top level is only a link: it leads about inside. */
	assert_int_equal(symlinkat("/../../../etc", b->base, "rootfs/out"), 0);
	assert_non_null(strstr(box_says(b, "cat", "/out/passwd"), "builder"));
	add(b, SANDBOX_BIND_RO, "/out");
	box_fails(b, ERR_USAGE, "'/out' is a link");
	b->mounts[0].target = "/out/x";
	box_fails(b, ERR_USAGE, "'/out' is a link");
	assert_int_equal(unlinkat(b->base, "rootfs/out", 0), 0);
	/* One deeper down must not be followed for a mount point. */
	assert_int_equal(symlinkat("/tmp", b->base, "rootfs/opt/out"), 0);
	b->mounts[0].target = "/opt/out";
	box_fails(b, ERR_USAGE, "/opt/out");
	assert_int_equal(unlinkat(b->base, "rootfs/opt/out", 0), 0);
}

/** A store in a directory that this user may not walk through, as one in root's home for the step user. */
static void test_base_out_of_reach(void **state)
{
	struct box *b = *state;
	static const char *const dirs[] = { "closed/base/mnt", "closed/base/src", "closed/base/up", "closed/base/work" };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		box_dir(b, dirs[i]);
	box_file(b, "closed/base/src/file", "far\n");
	assert_int_equal(renameat(b->base, "rootfs", b->base, "closed/base/rootfs"), 0);
	int base = openat(b->base, "closed/base", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fchmodat(b->base, "closed", 0, 0), 0);
	b->conf.base_fd = base;
	add(b, SANDBOX_OVERLAY, "/src");
	int code = box_inside(b, "append", "/src/file");
	assert_int_equal(fchmodat(b->base, "closed", 0755, 0), 0);
	assert_int_equal(renameat(b->base, "closed/base/rootfs", b->base, "rootfs"), 0);
	assert_int_equal(code, 0);
	assert_file(b, base, "up/file", "far\n+");
	close(base);
	box_must(io_remove_tree(b->base, "closed", &b->err), &b->err);
}

static void test_conf_is_checked(void **state)
{
	struct box *b = *state;
	struct sandbox_conf good = b->conf;

#define BAD(change, words) b->conf = good; b->conf.change; box_fails(b, ERR_USAGE, words)
	BAD(mountpoint = "../mnt", "mount point");
	BAD(mountpoint = NULL, "mount point");
	BAD(rootfs = "/", "rootfs");
	BAD(envp = NULL, "environment");
	BAD(workdir = "x", "work directory");
	BAD(workdir = "/nowhere", "/nowhere");
	BAD(workdir = "/note", "/note");
	BAD(hostname = "", "host name");
	BAD(hostname = "two\nlines", "host name");
	BAD(filter = NULL, "filter");
	BAD(filter_len = 0, "filter");
	BAD(filter_len = 5000, "filter");
	BAD(nmounts = 257, "mounts");
	BAD(limits.pids = UINT64_MAX, "limit");
#undef BAD
	b->conf = good;
	assert_int_equal(box_try(b, BOX_ARGV("")), -1);
	assert_int_equal(b->err.kind, ERR_USAGE);
	const struct sock_filter broken[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4096) };
	b->conf.filter = broken;
	b->conf.filter_len = 1;
	box_fails(b, ERR_USAGE, "malformed");
	b->conf = good;
	b->conf.rootfs = "nothing";
	box_fails(b, ERR_INPUT, "rootfs");
	b->conf = good;
	b->conf.mountpoint = "nothing";
	assert_int_equal(box_try(b, BOX_ARGV("inside", "true")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		box_test(test_bind),
		box_test(test_host_bind),
		box_test(test_overlay),
		box_test(test_overlay_by_options),
		box_test(test_overlay_with_odd_names),
		box_test(test_mountinfo_tells_nothing),
		box_test(test_upper_as_lower),
		box_test(test_targets),
		box_test(test_sources),
		box_test(test_hostile_rootfs),
		box_test(test_base_out_of_reach),
		box_test(test_conf_is_checked),
	};

	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}

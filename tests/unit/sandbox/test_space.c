/* SPDX-License-Identifier: Apache-2.0 */
/* Steps in a space: trees filled once, overlaid by each. */
#include "box.h"

#include <sys/prctl.h>

static struct sandbox_space *open_space(struct box *b, uint64_t bytes)
{
	struct sandbox_space *space = NULL;
	const struct sandbox_space_conf conf = {
		.base_fd = b->base, .mountpoint = "spacemnt", .inner_uid = 1000, .inner_gid = 1000,
		.outer_uid = b->id.step_uid, .outer_gid = b->id.step_gid, .tmpfs_bytes = bytes, .tmpfs_inodes = 1000,
	};

	box_dir(b, "spacemnt");
	box_must(sandbox_space_open(&conf, &space, &b->err), &b->err);
	return space;
}

static void fill(struct box *b, const struct sandbox_space *space)
{
	int trees = sandbox_space_trees(space);

	box_must(io_mkdirs(trees, "src/sub", 0755, &b->err), &b->err);
	box_must(io_publish(trees, "src/file", "in the space\n", 13, 0644, 0, &b->err), &b->err);
}

static void overlay(struct box *b, const char *upper, const char *work)
{
	box_dir(b, upper);
	box_dir(b, work);
	b->mounts[0] = (struct sandbox_mount){
		.kind = SANDBOX_OVERLAY, .target = "/src", .want_view = true, .nlowers = 1,
		.lowers = { { SANDBOX_IN_SPACE, "src" } }, .upper = { SANDBOX_IN_BASE, upper }, .work = { SANDBOX_IN_BASE, work },
	};
	b->conf.nmounts = 1;
}

static void clean(struct box *b)
{
	static const char *const names[] = { "spacemnt", "u1", "w1", "u2", "w2" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		box_must(io_remove_tree(b->base, names[i], &b->err), &b->err);
}

static void test_two_steps(void **state)
{
	struct box *b = *state;
	auto_sandbox_space space = open_space(b, 1 << 20);
	int dumpable = prctl(PR_GET_DUMPABLE);

	fill(b, space);
	b->conf.space = space;
	overlay(b, "u1", "w1");
	box_says(b, "append", "/src/file");
	overlay(b, "u2", "w2");
	b->mounts[0].lowers[1] = b->mounts[0].lowers[0];
	b->mounts[0].lowers[0] = (struct sandbox_path){ SANDBOX_IN_BASE, "u1" };
	b->mounts[0].nlowers = 2;
	assert_string_equal(box_says(b, "cat", "/src/file"), "in the space\n+");
	assert_int_equal(prctl(PR_GET_DUMPABLE), dumpable);
	/* A view outlives the space. */
	int view = fcntl(b->res.view_fd, F_DUPFD_CLOEXEC, 3);
	b->conf.space = NULL;
	sandbox_space_close(move_ptr(space));
	auto_buf got = { 0 };
	box_must(io_read_file(view, "file", 100, &got, &b->err), &b->err);
	assert_string_equal(got.data, "in the space\n+");
	close(view);
	sandbox_result_clear(&b->res);
	clean(b);
}

static void test_same_world_inside(void **state)
{
	struct box *b = *state;
	auto_sandbox_space space = open_space(b, 1 << 20);

	b->conf.space = space;
	assert_int_equal(box_inside(b, "exit", "42"), 42);
	assert_non_null(strstr(box_says(b, "state"), "uid 1000 1000 gid 1000 1000"));
	assert_non_null(strstr(b->out.data, "fds 0 1 2\n"));
	assert_null(strstr(box_says(b, "cat", "/proc/self/mountinfo"), "trees"));
	box_refuses(b, ENOENT, "ls", "/base");
	box_refuses(b, EROFS, "write", "/new", "x");
	box_try(b, BOX_ARGV("missing"));
	assert_int_equal(b->res.end, SANDBOX_NOT_FOUND);
	b->conf.limits.timeout_ms = 200;
	box_try(b, BOX_ARGV("inside", "daemons"));
	box_try(b, BOX_ARGV("inside", "sleep"));
	assert_int_equal(b->res.end, SANDBOX_TIMEOUT);
	assert_int_equal(waitpid(-1, NULL, __WALL | WNOHANG), 0); /* there is the keeper */
	b->conf.limits.timeout_ms = 0;
	b->mounts[0] = (struct sandbox_mount){ .kind = SANDBOX_BIND_RO, .target = "/x",
					       .source = { SANDBOX_IN_HOST, "/tmp" } };
	b->conf.nmounts = 1;
	box_fails(b, ERR_USAGE, "live host directory");
	b->mounts[0].source = (struct sandbox_path){ SANDBOX_IN_SPACE, "missing" };
	box_fails(b, ERR_INTERNAL, "missing");
	/* A link among the trees leads nowhere. */
	assert_int_equal(symlinkat("/base", sandbox_space_trees(space), "link"), 0);
	b->mounts[0].source = (struct sandbox_path){ SANDBOX_IN_SPACE, "link" };
	box_fails(b, ERR_INTERNAL, "link");
	sandbox_space_close(move_ptr(space));
	assert_int_equal(waitpid(-1, NULL, __WALL | WNOHANG), -1);
	clean(b);
}

static void test_limit(void **state)
{
	struct box *b = *state;
	auto_sandbox_space space = open_space(b, 1 << 16);
	static char data[1 << 17];

	assert_int_equal(io_publish(sandbox_space_trees(space), "big", data, sizeof data, 0644, 0, &b->err), -1);
	assert_int_equal(b->err.sys, ENOSPC);
	sandbox_space_close(move_ptr(space));
	clean(b);
}

/** The keeper goes with its maker. */
static void test_maker_killed(void **state)
{
	struct box *b = *state;
	int fds[2];
	char byte;

	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		open_space(b, 1 << 20);
		kill(getpid(), SIGKILL);
	}
	close(fds[1]);
	waitpid(pid, NULL, 0);
	/* The pipe's other end was copied to the maker alone: the keeper has closed it. */
	assert_int_equal(read(fds[0], &byte, 1), 0);
	close(fds[0]);
	clean(b);
}

static void test_conf_is_checked(void **state)
{
	struct box *b = *state;
	struct sandbox_space *space = NULL;
	struct sandbox_space_conf conf = { .base_fd = b->base, .mountpoint = "/abs", .tmpfs_bytes = 1, .tmpfs_inodes = 1,
					   .outer_uid = b->id.step_uid, .outer_gid = b->id.step_gid };

	assert_int_equal(sandbox_space_open(&conf, &space, &b->err), -1);
	assert_int_equal(b->err.kind, ERR_USAGE);
	conf.mountpoint = "missing";
	assert_int_equal(sandbox_space_open(&conf, &space, &b->err), -1);
	conf.mountpoint = "mnt";
	conf.tmpfs_bytes = 0;
	assert_int_equal(sandbox_space_open(&conf, &space, &b->err), -1);
	assert_int_equal(b->err.kind, ERR_USAGE);
	assert_null(space);
	sandbox_space_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		box_test(test_two_steps),
		box_test(test_same_world_inside),
		box_test(test_limit),
		box_test(test_maker_killed),
		box_test(test_conf_is_checked),
	};

	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Each limit: it is hit, the result names it with its figure, and nothing of the step is left. */
#include "box.h"

#include "sandbox/limit.h"

static void meets(struct box *b, enum sandbox_end end, enum sandbox_limit limit, uint64_t value, const char *const *argv)
{
	box_must(box_try(b, argv), &b->err);
	if (b->res.end != end || b->res.limit != limit || b->res.limit_value != value)
		fail_msg("%s: end %d code %d, limit %s=%llu; said: %s", argv[1], b->res.end, b->res.code,
			 sandbox_limit_name(b->res.limit), (unsigned long long)b->res.limit_value, b->out.data);
}

static json_t *row(struct box *b, const char *name)
{
	return json_object_get(json_object_get(b->res.receipt, "limits"), name);
}

/** A writable directory of the step's own, "out", on /out. */
static void with_place(struct box *b, const char *dir)
{
	box_must(io_remove_tree(b->base, dir, &b->err), &b->err);
	box_dir(b, dir);
	b->mounts[0] = (struct sandbox_mount){ .kind = SANDBOX_BIND_RW, .target = "/out", .source = { SANDBOX_IN_BASE, dir } };
	b->conf.nmounts = 1;
}

static void test_none_is_named_without_cause(void **state)
{
	struct box *b = *state;

	meets(b, SANDBOX_EXITED, SANDBOX_NO_LIMIT, 0, BOX_ARGV("inside", "exit", "3"));
	meets(b, SANDBOX_SIGNALED, SANDBOX_NO_LIMIT, 0, BOX_ARGV("inside", "kill", "9"));
	meets(b, SANDBOX_EXITED, SANDBOX_NO_LIMIT, 0, BOX_ARGV("inside", "exit", "0"));
}

static void test_timeout_is_named(void **state)
{
	struct box *b = *state;

	b->conf.limits.timeout_ms = 200;
	meets(b, SANDBOX_TIMEOUT, SANDBOX_LIMIT_TIMEOUT, 200, BOX_ARGV("inside", "sleep"));
}

static void test_output(void **state)
{
	struct box *b = *state;

	b->conf.limits.output_bytes = 1000000;
	meets(b, SANDBOX_EXITED, SANDBOX_NO_LIMIT, 0, BOX_ARGV("inside", "flood", "1000000"));
	assert_int_equal(b->out.len, 1000000);
	meets(b, SANDBOX_LIMITED, SANDBOX_LIMIT_OUTPUT, 1000000, BOX_ARGV("inside", "flood", "2000000000"));
	assert_int_equal(b->out.len, 1000000);
	assert_int_equal(b->res.code, SIGKILL);
	b->conf.limits.output_bytes = 3;
	meets(b, SANDBOX_LIMITED, SANDBOX_LIMIT_OUTPUT, 3, BOX_ARGV("inside", "echo", "abc", ""));
	assert_true(b->out.len + b->errout.len == 3);
}

static void test_file_size(void **state)
{
	struct box *b = *state;

	b->conf.limits.file_bytes = 100000;
	meets(b, SANDBOX_LIMITED, SANDBOX_LIMIT_FILE_SIZE, 100000, BOX_ARGV("inside", "grow", "/tmp/x", "1000000"));
	assert_int_equal(b->res.code, SIGXFSZ);
	/* A shell's account of a child. */
	meets(b, SANDBOX_EXITED, SANDBOX_LIMIT_FILE_SIZE, 100000, BOX_ARGV("inside", "exit", "153"));
}

static void test_tmp(void **state)
{
	struct box *b = *state;

	b->conf.limits.tmp_bytes = 1 << 20;
	meets(b, SANDBOX_EXITED, SANDBOX_LIMIT_TMP, 1 << 20, BOX_ARGV("inside", "fill-and-fail", "/tmp/x"));
	meets(b, SANDBOX_EXITED, SANDBOX_LIMIT_TMP, 1 << 20, BOX_ARGV("inside", "fill-and-fail", "/dev/shm/x"));
	assert_int_equal(b->res.code, 3);
	/* A command that does well with what it has is not blamed. */
	meets(b, SANDBOX_EXITED, SANDBOX_NO_LIMIT, 0, BOX_ARGV("inside", "fill", "/tmp/x"));
	b->conf.limits.tmp_bytes = 0;
	b->conf.limits.tmp_inodes = 1000;
	meets(b, SANDBOX_EXITED, SANDBOX_LIMIT_TMP_FILES, 1000, BOX_ARGV("inside", "files", "/tmp"));
}

static void test_pids(void **state)
{
	struct box *b = *state;

	b->conf.limits.pids = 20;
	meets(b, SANDBOX_EXITED, SANDBOX_LIMIT_PIDS, 20, BOX_ARGV("inside", "forkbomb-and-fail"));
	meets(b, SANDBOX_EXITED, SANDBOX_NO_LIMIT, 0, BOX_ARGV("inside", "forkbomb"));
	/* It would never end. */
	meets(b, SANDBOX_LIMITED, SANDBOX_LIMIT_PIDS, 20, BOX_ARGV("inside", "forkbomb-and-stay"));
	assert_in_range(b->res.wall_us, 4000000, 30000000);
}

static void test_work(void **state)
{
	struct box *b = *state;

	with_place(b, "out");
	b->conf.limits.work_bytes = 4 << 20;
	meets(b, SANDBOX_EXITED, SANDBOX_NO_LIMIT, 0, BOX_ARGV("inside", "grow", "/out/x", "3000000"));
	/* Over it for a moment, and over it in the end. */
	meets(b, SANDBOX_LIMITED, SANDBOX_LIMIT_WORK, 4 << 20, BOX_ARGV("inside", "grow-and-stay", "/out/y", "8000000"));
	with_place(b, "out");
	meets(b, SANDBOX_LIMITED, SANDBOX_LIMIT_WORK, 4 << 20, BOX_ARGV("inside", "grow", "/out/x", "8000000"));
	assert_int_equal(json_integer_value(json_object_get(row(b, "workBytes"), "value")), 4 << 20);
	assert_true(json_is_true(json_object_get(row(b, "workBytes"), "enforced")));
}

/** Hard links are one file, and what is not the step's own is not counted. */
static void test_work_counts_once(void **state)
{
	struct box *b = *state;
	char name[32];

	with_place(b, "out");
	box_file(b, "out/first", "text");
	int fd = openat(b->base, "out/first", O_WRONLY);
	assert_int_equal(posix_fallocate(fd, 0, 1 << 20), 0);
	close(fd);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "out/%d", i);
		assert_int_equal(linkat(b->base, "out/first", b->base, name, 0), 0);
	}
	assert_int_equal(symlinkat("/", b->base, "out/link"), 0);
	b->conf.limits.work_bytes = 4 << 20;
	b->conf.limits.work_files = 30;
	meets(b, SANDBOX_EXITED, SANDBOX_NO_LIMIT, 0, BOX_ARGV("inside", "true"));
}

static void test_work_files(void **state)
{
	struct box *b = *state;

	with_place(b, "out");
	b->conf.limits.work_files = 1000;
	meets(b, SANDBOX_LIMITED, SANDBOX_LIMIT_WORK_FILES, 1000, BOX_ARGV("inside", "files", "/out"));
	assert_true(b->res.wall_us < 20000000);
	box_must(io_remove_tree(b->base, "out", &b->err), &b->err);
}

static void test_work_in_an_overlay(void **state)
{
	struct box *b = *state;

	box_must(io_remove_tree(b->base, "up", &b->err), &b->err);
	box_must(io_remove_tree(b->base, "work", &b->err), &b->err);
	box_dir(b, "up");
	box_dir(b, "work");
	b->mounts[0] = (struct sandbox_mount){ .kind = SANDBOX_OVERLAY, .target = "/src", .nlowers = 1,
					       .lowers = { { SANDBOX_IN_BASE, "src" } }, .upper = { SANDBOX_IN_BASE, "up" },
					       .work = { SANDBOX_IN_BASE, "work" } };
	b->conf.nmounts = 1;
	b->conf.limits.work_bytes = 4 << 20;
	meets(b, SANDBOX_LIMITED, SANDBOX_LIMIT_WORK, 4 << 20, BOX_ARGV("inside", "grow-and-stay", "/src/y", "8000000"));
}

/* ---- memory and processors: where a cgroup can be had; else the refusal ------------------------ */

static bool enforceable(const struct sandbox_limits *l, struct box *b, const char *name)
{
	if (sandbox_check_limits(l, &b->err) == 0)
		return true;
	assert_int_equal(b->err.kind, ERR_HOST);
	assert_non_null(strstr(b->err.msg, name));
	assert_non_null(strstr(b->err.msg, "cgroup"));
	assert_non_null(strstr(b->err.msg, "best-effort"));
	box_fails(b, ERR_HOST, name);
	return false;
}

static void test_memory(void **state)
{
	struct box *b = *state;

	b->conf.limits.memory_bytes = 32 << 20;
	if (enforceable(&b->conf.limits, b, "limit memory")) {
		meets(b, SANDBOX_EXITED, SANDBOX_NO_LIMIT, 0, BOX_ARGV("inside", "exit", "0"));
		meets(b, SANDBOX_LIMITED, SANDBOX_LIMIT_MEMORY, 32 << 20, BOX_ARGV("inside", "hog", "100000000"));
		assert_int_equal(b->res.code, SIGKILL);
		/* Not only the process that the kernel picks: the step. */
		meets(b, SANDBOX_LIMITED, SANDBOX_LIMIT_MEMORY, 32 << 20, BOX_ARGV("inside", "hog-apart", "100000000"));
		/* What is in /tmp is memory, too. */
		meets(b, SANDBOX_LIMITED, SANDBOX_LIMIT_MEMORY, 32 << 20, BOX_ARGV("inside", "grow-and-stay", "/tmp/x", "100000000"));
		assert_true(json_is_true(json_object_get(row(b, "memoryBytes"), "enforced")));
		/* No name of it is seen inside. */
		assert_null(strstr(box_says(b, "cat", "/proc/self/cgroup"), "glovebox"));
	}
	b->conf.limits.best_effort = true;
	meets(b, SANDBOX_EXITED, SANDBOX_NO_LIMIT, 0, BOX_ARGV("inside", "true"));
	assert_non_null(row(b, "memoryBytes"));
}

static void test_cpu(void **state)
{
	struct box *b = *state;

	b->conf.limits.cpu_millis = 200;
	if (enforceable(&b->conf.limits, b, "limit cpu")) {
		meets(b, SANDBOX_EXITED, SANDBOX_NO_LIMIT, 0, BOX_ARGV("inside", "burn", "1000"));
		/* A fifth of what it would have had; on a busy host less. */
		assert_true(b->res.user_us + b->res.sys_us < 500000);
		assert_true(json_is_true(json_object_get(row(b, "cpuMillis"), "enforced")));
	}
	b->conf.limits.cpu_millis = 5;
	box_fails(b, ERR_USAGE, "processors");
}

/** The cgroup's own limit of processes is hit first where there is one. */
static void test_pids_beside_memory(void **state)
{
	struct box *b = *state;

	b->conf.limits.pids = 20;
	b->conf.limits.memory_bytes = 64 << 20;
	b->conf.limits.best_effort = true;
	assert_string_equal(box_says(b, "forkbomb"), "19 Resource temporarily unavailable\n");
	assert_int_equal(json_integer_value(json_object_get(row(b, "pids"), "value")), 20);
	meets(b, SANDBOX_EXITED, SANDBOX_LIMIT_PIDS, 20, BOX_ARGV("inside", "forkbomb-and-fail"));
}

/* ---- by name ------------------------------------------------------------------------------- */

static void text_is(enum sandbox_limit limit, uint64_t value, const char *want)
{
	auto_buf text = { 0 };

	sandbox_limit_text(&text, limit, value);
	assert_string_equal(text.data, want);
}

static void test_texts(void **state)
{
	(void)state;
	text_is(SANDBOX_LIMIT_MEMORY, 64 << 20, "memory=64 MiB");
	text_is(SANDBOX_LIMIT_OUTPUT, 1000000, "output=1000000 bytes");
	text_is(SANDBOX_LIMIT_WORK, 1536ull << 20, "work=1536 MiB");
	text_is(SANDBOX_LIMIT_TIMEOUT, 1500, "timeout=1.5 s");
	text_is(SANDBOX_LIMIT_CPU, 250, "cpu=0.25");
	text_is(SANDBOX_LIMIT_PIDS, 20, "pids=20");
	for (int i = SANDBOX_NO_LIMIT; i <= SANDBOX_LIMIT_DISK_FILES; i++)
		assert_int_equal(sandbox_limit_by_name(sandbox_limit_name((enum sandbox_limit)i)), i);
	assert_int_equal(sandbox_limit_by_name("moon"), SANDBOX_NO_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		box_test(test_none_is_named_without_cause),
		box_test(test_timeout_is_named),
		box_test(test_output),
		box_test(test_file_size),
		box_test(test_tmp),
		box_test(test_pids),
		box_test(test_work),
		box_test(test_work_counts_once),
		box_test(test_work_files),
		box_test(test_work_in_an_overlay),
		box_test(test_memory),
		box_test(test_cpu),
		box_test(test_pids_beside_memory),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}

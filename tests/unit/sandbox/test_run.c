/* SPDX-License-Identifier: Apache-2.0 */
/* How a command ends, what is passed on of it, and what is left of it: nothing. */
#include "box.h"

#include <dirent.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>

#include "profiles/profiles.h"

static void test_exit_codes(void **state)
{
	struct box *b = *state;

	assert_int_equal(box_inside(b, "true"), 0);
	assert_int_equal(box_inside(b, "exit", "1"), 1);
	assert_int_equal(box_inside(b, "exit", "124"), 124);
	assert_int_equal(box_inside(b, "exit", "255"), 255);
	assert_true(b->res.wall_us > 0);
	assert_true(b->res.max_rss_kib > 0);
	assert_int_equal(b->res.view_fd, -1);
	assert_non_null(b->res.receipt);
}

static void ends(struct box *b, enum sandbox_end end, int code, const char *const *argv)
{
	box_must(box_try(b, argv), &b->err);
	assert_int_equal(b->res.end, end);
	assert_int_equal(b->res.code, code);
}

static void test_signals(void **state)
{
	struct box *b = *state;

	ends(b, SANDBOX_SIGNALED, SIGKILL, BOX_ARGV("inside", "kill", "9"));
	ends(b, SANDBOX_SIGNALED, SIGTERM, BOX_ARGV("inside", "kill", "15"));
	ends(b, SANDBOX_SIGNALED, SIGHUP, BOX_ARGV("inside", "kill", "1"));
	ends(b, SANDBOX_SIGNALED, SIGABRT, BOX_ARGV("inside", "abort"));
}

/** pid 1 does not mind what is sent to it from inside; Landlock refuses to send it at all where it can. */
static void test_init_is_deaf(void **state)
{
	struct box *b = *state;

	for (int sig = 1; sig < 32; sig++) {
		char text[16];

		snprintf(text, sizeof text, "%d", sig);
		int code = box_inside(b, "kill1", text);
		if (code != 0 && code != 1)
			fail_msg("signal %d to pid 1: end %d code %d", sig, b->res.end, b->res.code);
	}
}

/** Where no filter keeps a step from limiting its init, init still needs none of what it loses. */
static void test_init_needs_no_limits(void **state)
{
	struct box *b = *state;

	ends(b, SANDBOX_EXITED, 7, BOX_ARGV("inside", BOX_STARVE));
	b->conf.filter = profile_builtin("default")->bpf;
	b->conf.filter_len = profile_builtin("default")->bpf_len;
	box_refuses(b, EPERM, BOX_STARVE);
}

/** init is the parent of many, and whoever may call ptrace(2) can make a tracer of it: nobody stops for that, or ends
 *  with another code than its own. */
static void test_init_traces_nobody(void **state)
{
	struct box *b = *state;
	static const struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };

	b->conf.filter = allow;
	b->conf.filter_len = ARRAY_LEN(allow);
	b->conf.limits.timeout_ms = 20000;
	assert_int_equal(box_inside(b, "traced", "7"), 7);
	assert_int_equal(box_inside(b, "traced-orphan"), 0);
}

static void test_exec_failures(void **state)
{
	struct box *b = *state;

	ends(b, SANDBOX_NOT_FOUND, ENOENT, BOX_ARGV("missing"));
	ends(b, SANDBOX_NOT_FOUND, ENOENT, BOX_ARGV("/bin/missing"));
	ends(b, SANDBOX_NOT_EXECUTABLE, EACCES, BOX_ARGV("plain"));
	ends(b, SANDBOX_NOT_EXECUTABLE, EACCES, BOX_ARGV("/bin/plain"));
	ends(b, SANDBOX_NOT_EXECUTABLE, EACCES, BOX_ARGV("/usr"));
	ends(b, SANDBOX_NOT_EXECUTABLE, ENOEXEC, BOX_ARGV("garbage"));
	b->conf.workdir = "/bin";
	ends(b, SANDBOX_EXITED, 0, BOX_ARGV("./inside", "true"));
	static const char *const here[] = { "PATH=:/nowhere", NULL };
	b->conf.envp = here;
	ends(b, SANDBOX_EXITED, 0, BOX_ARGV("inside", "true"));
	static const char *const none[] = { NULL };
	b->conf.envp = none;
	ends(b, SANDBOX_EXITED, 0, BOX_ARGV("inside", "true"));
}

/** A filter that forbids execve itself: the command dies of it, and the init does not wait for what cannot come. */
static void test_filter_against_exec(void **state)
{
	struct box *b = *state;
	const struct sock_filter kill_exec[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_filter nothing_works[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM) };

	b->conf.filter = kill_exec;
	b->conf.filter_len = ARRAY_LEN(kill_exec);
	ends(b, SANDBOX_SIGNALED, SIGSYS, BOX_ARGV("inside", "true"));
	b->conf.filter = nothing_works;
	b->conf.filter_len = ARRAY_LEN(nothing_works);
	ends(b, SANDBOX_NOT_EXECUTABLE, EPERM, BOX_ARGV("inside", "true"));
}

static void test_output_is_kept_apart(void **state)
{
	struct box *b = *state;

	assert_string_equal(box_says(b, "echo", "to stdout", "to stderr"), "to stdout\n");
	assert_string_equal(b->errout.data, "to stderr\n");
	b->conf.output = NULL;
	assert_int_equal(box_inside(b, "flood", "1000000"), 0);
}

static void test_flood(void **state)
{
	struct box *b = *state;

	assert_int_equal(strlen(box_says(b, "flood", "30000000")), 30000000);
}

/* ---- time ---------------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void test_timeout(void **state)
{
	struct box *b = *state;

	b->conf.limits.timeout_ms = 300;
	ends(b, SANDBOX_TIMEOUT, SIGTERM, BOX_ARGV("inside", "sleep"));
	assert_true(b->res.wall_us >= 300000);
	assert_string_equal(b->out.data, "asleep\n");
	ends(b, SANDBOX_TIMEOUT, 7, BOX_ARGV("inside", "polite"));
	assert_string_equal(b->out.data, "asleep\nterm\n");
	ends(b, SANDBOX_EXITED, 0, BOX_ARGV("inside", "true"));
}

static void test_timeout_of_the_stubborn(void **state)
{
	struct box *b = *state;
	uint64_t start = now_ms();

	b->conf.limits.timeout_ms = 200;
	b->conf.limits.grace_ms = 200;
	ends(b, SANDBOX_TIMEOUT, SIGKILL, BOX_ARGV("inside", "stubborn"));
	assert_in_range(now_ms() - start, 400, 8000);
	/* Always something to read: the time must be looked at all the same. */
	ends(b, SANDBOX_TIMEOUT, SIGTERM, BOX_ARGV("inside", "flood", "100000000000"));
}

static void test_cancel(void **state)
{
	struct box *b = *state;
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	b->conf.cancel_fd = fd;
	ends(b, SANDBOX_CANCELLED, SIGTERM, BOX_ARGV("inside", "sleep"));
	close(fd);
	/* Two of them: at once, whatever the grace. */
	fd = eventfd(2, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	b->conf.cancel_fd = fd;
	b->conf.limits.grace_ms = 100000;
	ends(b, SANDBOX_CANCELLED, SIGKILL, BOX_ARGV("inside", "stubborn"));
	close(fd);
	int pipe_fds[2];
	assert_int_equal(pipe(pipe_fds), 0);
	close(pipe_fds[1]);
	b->conf.cancel_fd = pipe_fds[0]; /* end of file is no wish */
	ends(b, SANDBOX_EXITED, 0, BOX_ARGV("inside", "true"));
	close(pipe_fds[0]);
}

/* ---- what is left --------------------------------------------------------------------- */

/** Processes on this machine whose arguments hold @p mark. */
static int count_processes(const char *mark)
{
	DIR *dir = opendir("/proc");
	int n = 0;

	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		char path[300], text[512];
		snprintf(path, sizeof path, "/proc/%s/cmdline", e->d_name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text);

		if (len > 0 && memmem(text, (size_t)len, mark, strlen(mark)) != NULL)
			n++;
		if (fd >= 0)
			close(fd);
	}
	closedir(dir);
	return n;
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int count_mounts(void)
{
	auto_buf text = { 0 };
	struct err err = { 0 };
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC), n = 0;

	box_must(io_read_all(fd, 1 << 20, &text, &err), &err);
	close(fd);
	for (size_t i = 0; i < text.len; i++)
		n += text.data[i] == '\n';
	return n;
}

static void test_daemons_are_dead_on_return(void **state)
{
	struct box *b = *state;
	char mark[64];

	snprintf(mark, sizeof mark, "daemons-%d", (int)getpid());
	assert_string_equal(box_says(b, "daemons", mark), "left\n");
	assert_int_equal(count_processes(mark), 0);
}

static void test_nothing_is_left_here(void **state)
{
	struct box *b = *state;
	int fds = count_fds(), mounts = count_mounts();
	int dumpable = prctl(PR_GET_DUMPABLE);
	sigset_t before = { 0 }, after = { 0 };

	sigprocmask(SIG_BLOCK, NULL, &before);
	for (int i = 0; i < 5; i++) {
		box_inside(b, "true");
		box_inside(b, "kill", "9");
		box_try(b, BOX_ARGV("missing"));
	}
	b->conf.workdir = "/missing";
	box_fails(b, ERR_USAGE, "/missing");
	assert_int_equal(count_fds(), fds);
	assert_int_equal(count_mounts(), mounts);
	assert_int_equal(waitpid(-1, NULL, __WALL | WNOHANG), -1);
	assert_int_equal(prctl(PR_GET_DUMPABLE), dumpable);
	sigprocmask(SIG_BLOCK, NULL, &after);
	assert_memory_equal(&before, &after, sizeof before);
	assert_int_equal(unlinkat(b->base, "mnt", AT_REMOVEDIR), 0);
	box_dir(b, "mnt");
}

/** kill -9 of the runner: within a second nothing is left of what it had started. Its orphans come to
 *  this process, so that even one that is still being set up is noticed. */
static void test_runner_killed(void **state)
{
	struct box *b = *state;

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	b->conf.limits.pids = 50;
	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			box_try(b, BOX_ARGV("inside", i % 2 ? "stubborn" : "forkbomb-and-stay"));
			_exit(0);
		}
		usleep((useconds_t)i * 700); /* at every moment of its start */
		kill(pid, SIGKILL);
		uint64_t start = now_ms();
		pid_t gone;
		while ((gone = waitpid(-1, NULL, __WALL | WNOHANG)) >= 0) {
			if (now_ms() - start > 1000)
				fail_msg("killed after %d µs: something is there a second later", i * 700);
			if (gone == 0)
				usleep(1000);
		}
	}
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

/** A caller that ignores SIGCHLD or waits for anybody is not disturbed. */
static void test_children_are_private(void **state)
{
	struct box *b = *state;

	signal(SIGCHLD, SIG_IGN);
	assert_int_equal(box_inside(b, "exit", "3"), 3);
	signal(SIGCHLD, SIG_DFL);
}

/* ---- limits ------------------------------------------------------------------------------ */

static void test_fork_bomb(void **state)
{
	struct box *b = *state;

	b->conf.limits.pids = 20;
	assert_string_equal(box_says(b, "forkbomb"), "19 Resource temporarily unavailable\n");
	assert_string_equal(box_says(b, "forkbomb"), "19 Resource temporarily unavailable\n");
}

static void test_tmp_is_bounded(void **state)
{
	struct box *b = *state;
	long total;

	b->conf.limits.tmp_bytes = 1 << 20;
	assert_int_equal(sscanf(box_says(b, "fill", "/tmp/x"), "%ld No space left", &total), 1);
	assert_in_range(total, 500000, 1 << 20);
	assert_non_null(strstr(b->out.data, "No space left"));
	box_says(b, "fill", "/dev/shm/x");
	assert_non_null(strstr(b->out.data, "No space left"));
	box_says(b, "fill", "/build/home/x");
	assert_non_null(strstr(b->out.data, "No space left"));
	b->conf.limits.tmp_inodes = 5;
	box_fails(b, ERR_USAGE, "limit tmp");
}

static void test_file_size(void **state)
{
	struct box *b = *state;

	b->conf.limits.file_bytes = 100000;
	assert_string_equal(box_says(b, "fill", "/tmp/x"), "100000 File too large\n");
}

static void test_open_files(void **state)
{
	struct box *b = *state;

	b->conf.limits.files = 10;
	assert_non_null(strstr(box_says(b, "limits"), "\n7 10 10\n"));
	/* What it is started with is not counted. */
	for (b->conf.limits.files = 1; b->conf.limits.files < 10; b->conf.limits.files++)
		assert_int_equal(box_inside(b, "true"), 0);
	b->conf.limits.files = 2000000000;
	box_fails(b, ERR_HOST, "limit files");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		box_test(test_exit_codes),
		box_test(test_signals),
		box_test(test_init_is_deaf),
		box_test(test_init_needs_no_limits),
		box_test(test_init_traces_nobody),
		box_test(test_exec_failures),
		box_test(test_filter_against_exec),
		box_test(test_output_is_kept_apart),
		box_test(test_flood),
		box_test(test_timeout),
		box_test(test_timeout_of_the_stubborn),
		box_test(test_cancel),
		box_test(test_daemons_are_dead_on_return),
		box_test(test_nothing_is_left_here),
		box_test(test_runner_killed),
		box_test(test_children_are_private),
		box_test(test_fork_bomb),
		box_test(test_tmp_is_bounded),
		box_test(test_file_size),
		box_test(test_open_files),
	};

	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A command whose every call is asked about: heard outside, answered as its filter says, and never otherwise. */
#include "box.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "sandbox/sys.h"

/** Numbers that no call has are as good as any for a filter. */
#define FIRST 600
#define LAST 640
/** More calls than are heard of in these tests. */
#define NR_MAX 1024

/** FIRST up to LAST refused with ENOTTY, SYS_mount with EPERM, SYS_ptrace with ENOSYS; SYS_acct kills; the rest allowed. */
static const struct sock_filter picky[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_acct, 6, 0),
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST, 0, 1),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, LAST, 0, 3),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

/** What was heard. */
struct heard {
	unsigned count[NR_MAX];
	uint64_t args[6];  /**< of the last SYS_mount */
	char comm[32];     /**< of its caller */
	unsigned all;
};

static void hear(void *arg, const struct sandbox_call *call)
{
	struct heard *h = arg;
	char path[64];

	h->all++;
	if (call->nr >= 0 && call->nr < NR_MAX)
		h->count[call->nr]++;
	if (call->nr != SYS_mount)
		return;
	memcpy(h->args, call->args, sizeof h->args);
	snprintf(path, sizeof path, "/proc/%d/comm", (int)call->caller);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, h->comm, sizeof h->comm - 1);
	close(fd);
	h->comm[n > 0 ? n : 0] = '\0';
}

static struct heard *learn(struct box *b)
{
	static struct heard heard;

	memset(&heard, 0, sizeof heard);
	b->conf.filter = picky;
	b->conf.filter_len = ARRAY_LEN(picky);
	b->conf.learn = hear;
	b->conf.learn_arg = &heard;
	return &heard;
}

static const char *calls(struct box *b, int from, int to, const char *times)
{
	char first[16], last[16];

	snprintf(first, sizeof first, "%d", from);
	snprintf(last, sizeof last, "%d", to);
	return box_says(b, "calls", first, last, times);
}

static bool receipt_says(const struct box *b, const char *what)
{
	return json_is_true(json_object_get(json_object_get(b->res.receipt, "seccomp"), what));
}

/** Every call is heard, with its registers, and its caller is there to be asked about. */
static void test_all_is_heard(void **state)
{
	struct box *b = *state;
	struct heard *h = learn(b);

	assert_string_equal(calls(b, SYS_mount, SYS_mount, "1000"), "1\n");
	assert_int_equal(h->count[SYS_mount], 1000);
	for (int i = 0; i < 6; i++)
		assert_int_equal(h->args[i], i + 1);
	assert_string_equal(h->comm, "inside\n");
	assert_true(h->count[SYS_write] >= 1);
	assert_true(receipt_says(b, "learning"));
	assert_false(receipt_says(b, "refusalsTold"));
	assert_int_equal(b->res.nrefused, 0);
	/* What starts and ends the command is not asked about. */
	assert_int_equal(h->count[SYS_execve], 0);
	assert_int_equal(h->count[SYS_exit_group], 0);
}

/** Answers are the filter's own. */
static void test_answers(void **state)
{
	struct box *b = *state;
	struct heard *h = learn(b);

	assert_string_equal(calls(b, FIRST, LAST, "2"), "25\n");
	assert_int_equal(h->count[FIRST], 2);
	assert_int_equal(h->count[LAST], 2);
	assert_string_equal(calls(b, SYS_ptrace, SYS_ptrace, "1"), "38\n");
	/* What the filter kills for is not asked about: the kernel kills. */
	char acct[16];
	snprintf(acct, sizeof acct, "%d", SYS_acct);
	box_must(box_try(b, BOX_ARGV("inside", "calls", acct, acct, "1")), &b->err);
	assert_int_equal(b->res.end, SANDBOX_SIGNALED);
	assert_int_equal(b->res.code, SIGSYS);
	assert_int_equal(h->count[SYS_acct], 0);
}

/** What is allowed is done, and not only said to be. */
static void test_work_is_done(void **state)
{
	struct box *b = *state;

	learn(b);
	assert_string_equal(box_says(b, "cat", "/note"), "original\n");
	assert_int_equal(box_inside(b, "write", "/tmp/new", "text"), 0);
	assert_int_equal(box_inside(b, "exit", "42"), 42);
}

static void test_nothing_is_heard_otherwise(void **state)
{
	struct box *b = *state;

	assert_int_equal(box_inside(b, "true"), 0);
	assert_false(receipt_says(b, "learning"));
	assert_true(receipt_says(b, "refusalsTold"));
	assert_non_null(json_object_get(json_object_get(b->res.receipt, "seccomp"), "learning"));
}

/** Who is killed while waiting for the answer holds nobody up. */
static void test_killed_callers(void **state)
{
	struct box *b = *state;
	struct heard *h = learn(b);

	b->conf.limits.timeout_ms = 60000;
	assert_int_equal(box_inside(b, "refused-to-death", "600"), 0);
	assert_true(h->count[600] > 0);
}

/** A command that does not end is ended, whatever it waits for. */
static void test_timeout(void **state)
{
	struct box *b = *state;

	learn(b);
	b->conf.limits.timeout_ms = 300;
	b->conf.limits.grace_ms = 100;
	box_must(box_try(b, BOX_ARGV("inside", "sleep")), &b->err);
	assert_int_equal(b->res.end, SANDBOX_TIMEOUT);
}

/** A filter that is about what starts the command cannot be learnt under: nobody could answer that. */
static void test_refuses_to_start(void **state)
{
	struct box *b = *state;
	const struct sock_filter closed[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	static struct sock_filter longest[4096];

	for (size_t i = 0; i < ARRAY_LEN(longest); i++)
		longest[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	learn(b);
	b->conf.filter = closed;
	b->conf.filter_len = ARRAY_LEN(closed);
	box_fails(b, ERR_USAGE, "must allow execve and exit_group");
	b->conf.filter = longest;
	b->conf.filter_len = ARRAY_LEN(longest);
	box_fails(b, ERR_USAGE, "too long to be learnt under");
}

static void test_missing_command(void **state)
{
	struct box *b = *state;

	learn(b);
	box_must(box_try(b, BOX_ARGV("missing")), &b->err);
	assert_int_equal(b->res.end, SANDBOX_NOT_FOUND);
	/* Without room for the listener's descriptor there is no learning, and not a silent run without it. */
	b->conf.limits.files = 3;
	box_fails(b, ERR_USAGE, "too low");
}

/** Under a listener of somebody else's there is none to be had: that is an error, not a run that is not heard. */
static void under_a_listener(struct box *b)
{
	struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	const struct sock_fprog program = { 1, allow };

	learn(b);
	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_true(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) >= 0);
	box_fails(b, ERR_HOST, "a listener above this process");
}

static void test_under_a_listener(void **state)
{
	int st = 1;
	pid_t pid = fork();

	if (pid == 0) {
		under_a_listener(*state);
		_exit(0);
	}
	waitpid(pid, &st, 0);
	assert_int_equal(st, 0);
}

/** Whether a process of this name is there. */
static bool is_there(const char *mark)
{
	char command[256];

	/* Not of the shell that looks for it. */
	snprintf(command, sizeof command, "grep -qsa '[%c]%s' /proc/[0-9]*/cmdline", mark[0], mark + 1);
	return system(command) == 0;
}

/** The learner killed while calls wait for it: all in the box ends, and nothing that waits goes on. */
static void test_killed_learner(void **state)
{
	struct box *b = *state;
	const struct timespec moment = { .tv_nsec = 50000000 };
	char mark[64];
	pid_t pid;
	int st;

	snprintf(mark, sizeof mark, "learnt-%d", (int)getpid());
	pid = fork();
	if (pid == 0) {
		learn(b);
		(void)box_try(b, BOX_ARGV("inside", "calls", "600", "600", "2000000000", mark));
		_exit(0);
	}
	for (int i = 0; i < 200 && !is_there(mark); i++)
		nanosleep(&moment, NULL);
	assert_true(is_there(mark));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	for (int i = 0; i < 200 && is_there(mark); i++)
		nanosleep(&moment, NULL);
	assert_false(is_there(mark));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		box_test(test_all_is_heard),
		box_test(test_answers),
		box_test(test_work_is_done),
		box_test(test_nothing_is_heard_otherwise),
		box_test(test_killed_callers),
		box_test(test_timeout),
		box_test(test_refuses_to_start),
		box_test(test_missing_command),
		box_test(test_under_a_listener),
		box_test(test_killed_learner),
	};

	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}

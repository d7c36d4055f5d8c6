/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that the filter refuses: the caller gets the profile's own errno, and the runner learns which they were. */
#include "box.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "profiles/bpf.h"
#include "profiles/profiles.h"
#include "sandbox/plan.h"
#include "sandbox/sandbox.h"
#include "sandbox/sys.h"

/** Numbers that no call has are as good as any for a filter. */
#define FIRST 600
#define LAST 640

/** FIRST up to LAST refused with ENOTTY, SYS_mount with EPERM, SYS_ptrace with ENOSYS; the rest allowed. */
static const struct sock_filter picky[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount, 4, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 4, 0),
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST, 0, 1),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, LAST, 0, 3),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
};

static const char *call(struct box *b, int from, int to, const char *times)
{
	char first[16], last[16];

	snprintf(first, sizeof first, "%d", from);
	snprintf(last, sizeof last, "%d", to);
	b->conf.filter = picky;
	b->conf.filter_len = ARRAY_LEN(picky);
	return box_says(b, "calls", first, last, times);
}

static bool told(const struct box *b)
{
	return json_is_true(json_object_get(json_object_get(b->res.receipt, "seccomp"), "refusalsTold"));
}

static void test_told_once(void **state)
{
	struct box *b = *state;

	assert_string_equal(call(b, SYS_mount, SYS_mount, "1000"), "1\n");
	assert_int_equal(b->res.nrefused, 1);
	assert_int_equal(b->res.refused[0].nr, SYS_mount);
	for (int i = 0; i < 6; i++)
		assert_int_equal(b->res.refused[0].args[i], i + 1);
	assert_true(told(b));
	/* With the errno that the filter says, not with one for all. */
	assert_string_equal(call(b, FIRST, FIRST, "1"), "25\n");
	assert_int_equal(b->res.refused[0].nr, FIRST);
	/* A call that is not there is no refusal. */
	assert_string_equal(call(b, SYS_ptrace, SYS_ptrace, "1"), "38\n");
	assert_int_equal(b->res.nrefused, 0);
}

/** A profile can make a call succeed without doing anything (errnoRet: 0): that is no refusal, and stays a success. */
static void test_success_is_no_refusal(void **state)
{
	struct box *b = *state;
	char nr[16];
	const struct sock_filter pretends[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	b->conf.filter = pretends;
	b->conf.filter_len = ARRAY_LEN(pretends);
	/* "calls" takes a call that does not fail for an error of its own. */
	snprintf(nr, sizeof nr, "%d", SYS_mount);
	assert_int_equal(box_inside(b, "calls", nr, nr, "1"), 2);
	assert_int_equal(b->res.nrefused, 0);
	assert_true(told(b));
}

/** As many kinds as there is room for, and no more; each still refused. */
static void test_many_kinds(void **state)
{
	struct box *b = *state;

	assert_string_equal(call(b, FIRST, LAST, "2"), "25\n");
	assert_int_equal(b->res.nrefused, SANDBOX_REFUSED_MAX);
	for (int i = 0; i < SANDBOX_REFUSED_MAX; i++)
		assert_int_equal(b->res.refused[i].nr, FIRST + i);
}

/** Who is killed while waiting for the answer holds nobody up. */
static void test_killed_callers(void **state)
{
	struct box *b = *state;

	b->conf.filter = picky;
	b->conf.filter_len = ARRAY_LEN(picky);
	assert_int_equal(box_inside(b, "refused-to-death", "600"), 0);
	assert_int_equal(b->res.nrefused, 1);
}

/** This process's other child: the init, once it is there. */
static pid_t init_of(pid_t parent)
{
	char path[64], text[256] = "";
	long pid = 0;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
	while (pid == 0) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = read(fd, text, sizeof text - 1);

		close(fd);
		text[n > 0 ? n : 0] = '\0';
		for (char *p = text; *p != '\0' && pid == 0; p += *p == ' ') {
			long found = strtol(p, &p, 10);

			pid = found == getpid() ? 0 : found;
		}
	}
	return (pid_t)pid;
}

/** Stops and continues the init to its end, as cpulimit(1) does. */
static pid_t start_stopping(void)
{
	const struct timespec stopped = { .tv_nsec = 100000 }, running = { .tv_nsec = 200000 };
	pid_t me = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	pid_t init = init_of(me);
	while (kill(init, SIGSTOP) == 0) {
		nanosleep(&stopped, NULL);
		kill(init, SIGCONT);
		nanosleep(&running, NULL);
	}
	_exit(0);
}

/** Being stopped from outside, whenever, makes init deaf to nobody. */
static void test_stopped_init(void **state)
{
	struct box *b = *state;

	b->conf.filter = picky;
	b->conf.filter_len = ARRAY_LEN(picky);
	b->conf.limits.timeout_ms = 60000;
	pid_t stopper = start_stopping();
	int code = box_inside(b, "refused-all-along", "600", "8");
	assert_int_equal(waitpid(stopper, NULL, 0), stopper);
	assert_int_equal(code, 0);
}

/** A filter that refuses what the command is started with is loaded as it is: nobody could answer. */
static void test_refuses_to_start(void **state)
{
	struct box *b = *state;
	const struct sock_filter closed[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_filter picky_about_arguments[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
	};

	b->conf.filter = closed;
	b->conf.filter_len = ARRAY_LEN(closed);
	box_must(box_try(b, BOX_ARGV("inside", "true")), &b->err);
	assert_int_equal(b->res.end, SANDBOX_NOT_EXECUTABLE);
	assert_int_equal(b->res.code, EACCES);
	assert_false(told(b));
	b->conf.filter = picky_about_arguments;
	b->conf.filter_len = ARRAY_LEN(picky_about_arguments);
	box_must(box_try(b, BOX_ARGV("inside", "true")), &b->err);
	assert_false(told(b));
}

/** Floor and filter are one program: what the filter allows, the floor decides, and its refusals are told, too. */
static void test_floor_is_told(void **state)
{
	struct box *b = *state;
	static const struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	static struct sock_filter longest[PROFILE_BPF_MAX];
	const struct sock_filter *filters[] = { allow, picky, longest };
	const size_t lengths[] = { ARRAY_LEN(allow), ARRAY_LEN(picky), ARRAY_LEN(longest) };

	for (size_t i = 0; i < ARRAY_LEN(longest); i++)
		longest[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	b->conf.floor = profile_floor()->bpf;
	b->conf.floor_len = profile_floor()->bpf_len;
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		b->conf.filter = filters[i];
		b->conf.filter_len = lengths[i];
		assert_int_equal(box_inside(b, "unshare"), 1);
		assert_string_equal(b->out.data, "unshare: Operation not permitted\n");
		/* No room for both in one: two filters, which cannot both ask. */
		assert_int_equal(b->res.nrefused, filters[i] == longest ? 0 : 1);
		assert_int_equal(told(b), filters[i] != longest);
	}
}

static uint32_t answer(const struct plan *plan, int nr)
{
	const struct seccomp_data call = { .nr = nr, .arch = SYS_AUDIT_ARCH };
	uint32_t action = 0;

	assert_true(bpf_answer(plan->filter, plan->filter_len, &call, &action));
	return action;
}

/** Both in one program answer as the kernel does to two: what a profile lets through and logs is logged also when the floor
 *  has been asked, and nothing else is. */
static void test_joined_answers(void **state)
{
	struct box *b = *state;
	auto_plan box = { 0 };
	static const struct sock_filter logging[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 2, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_LOG),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
	};

	b->conf.filter = logging;
	b->conf.filter_len = ARRAY_LEN(logging);
	b->conf.floor = profile_floor()->bpf;
	b->conf.floor_len = profile_floor()->bpf_len;
	box_must(plan_filter(&box, &b->conf, &b->err), &b->err);
	assert_null(box.plan.floor);
	assert_int_equal(answer(&box.plan, SYS_getpid), SECCOMP_RET_LOG);
	assert_int_equal(answer(&box.plan, SYS_getuid), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(&box.plan, SYS_mount), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(&box.plan, SYS_umount2), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(answer(&box.plan, SYS_read), SECCOMP_RET_ERRNO | EIO);
	assert_int_equal(box_inside(b, "unshare"), 1);
	assert_true(told(b));
}

/** Under a listener of somebody else's there is none to be had: the plain filter holds, and the receipt says so. */
static void under_a_listener(struct box *b)
{
	struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	const struct sock_fprog program = { 1, allow };

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_true(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) >= 0);
	assert_string_equal(call(b, SYS_mount, SYS_mount, "3"), "1\n");
	assert_int_equal(b->res.nrefused, 0);
	assert_false(told(b));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		box_test(test_told_once),
		box_test(test_success_is_no_refusal),
		box_test(test_many_kinds),
		box_test(test_killed_callers),
		box_test(test_stopped_init),
		box_test(test_refuses_to_start),
		box_test(test_floor_is_told),
		box_test(test_joined_answers),
		box_test(test_under_a_listener),
	};

	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}

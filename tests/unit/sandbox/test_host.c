/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that deny: the message names cause and cure, and nothing is left. */
#include "box.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <linux/sched.h>

#include "sandbox/cause.h"
#include "sandbox/child.h"

/** Runs @p fn in a process of its own, whose state may be spoilt. */
static void apart(struct box *b, void (*fn)(struct box *))
{
	int st = 1;
	pid_t pid = fork();

	if (pid == 0) {
		fn(b);
		_exit(0);
	}
	waitpid(pid, &st, 0);
	assert_int_equal(st, 0);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail_msg("%s: %s", path, strerror(errno));
	close(fd);
}

/** In a user namespace of its own the limit is this test's to set. */
static void no_namespaces(struct box *b)
{
	char map[64];

	assert_int_equal(unshare(CLONE_NEWUSER), 0);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "%u %u 1", b->id.step_uid, b->id.step_uid);
	put("/proc/self/uid_map", map);
	snprintf(map, sizeof map, "%u %u 1", b->id.step_gid, b->id.step_gid);
	put("/proc/self/gid_map", map);
	put("/proc/sys/user/max_user_namespaces", "0");
	box_fails(b, ERR_HOST, "user.max_user_namespaces is 0 on this host; cure: sysctl -w user.max_user_namespaces=");
	put("/proc/sys/user/max_user_namespaces", "100");
	put("/proc/sys/user/max_net_namespaces", "0");
	box_fails(b, ERR_HOST, "user.max_net_namespaces is 0");
	put("/proc/sys/user/max_net_namespaces", "100");
	assert_int_equal(box_inside(b, "exit", "5"), 5); /* and nested it works */
}

static void test_no_namespaces(void **state)
{
	apart(*state, no_namespaces);
}

/** Binds this process by a filter that answers one call with an error, where its first argument is
 *  @p op or @p op is -1. */
static void filter_op(int nr, int op, int error)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)nr, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
		BPF_JUMP(op < 0 ? BPF_JMP | BPF_JGE | BPF_K : BPF_JMP | BPF_JEQ | BPF_K, op < 0 ? 0 : (unsigned int)op, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_LEN(f), f };

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), 0);
}

static void filter_call(int nr, int error)
{
	filter_op(nr, -1, error);
}

static void container(struct box *b)
{
	filter_call(SYS_clone, EPERM);
	box_fails(b, ERR_HOST, "seccomp filter binds this process");
}

/** No process may be made: by a filter, and where root is not exempt by the limit itself. */
static void no_processes(struct box *b)
{
	const struct rlimit one = { 1, 1 };

	if (!b->id.real_root) {
		assert_int_equal(setrlimit(RLIMIT_NPROC, &one), 0);
		box_fails(b, ERR_HOST, "(ulimit -u: 1)");
	}
	filter_call(SYS_clone, EAGAIN);
	box_fails(b, ERR_HOST, "no more processes");
	assert_non_null(strstr(b->err.msg, "raise the limit"));
}

static void hidden_call(struct box *b)
{
	filter_call(SYS_mount_setattr, ENOSYS);
	box_fails(b, ERR_HOST, "refuses calls that make a sandbox (mount_setattr)");
	assert_int_equal(b->err.cause, CAUSE_SECCOMP);
}

static void no_pivot(struct box *b)
{
	filter_call(SYS_pivot_root, EINVAL);
	box_fails(b, ERR_HOST, "chroot or an initramfs");
}

static void keys_used_up(struct box *b)
{
	filter_call(SYS_keyctl, EDQUOT);
	box_fails(b, ERR_HOST, "kernel.keys.maxkeys");
}

static void without_keys(struct box *b)
{
	filter_call(SYS_keyctl, ENOSYS); /* no keys in the kernel: none to leak */
	assert_int_equal(box_inside(b, "true"), 0);
}

static void nnp_fails(struct box *b)
{
	filter_call(SYS_capset, EPERM);
	box_fails(b, ERR_HOST, "dropping capabilities");
}

static void no_command_process(struct box *b)
{
	const int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD;

	filter_op(SYS_clone, flags, ENOMEM);
	box_fails(b, ERR_INTERNAL, "starting the command's process");
	filter_op(SYS_clone, flags, EAGAIN);
	box_fails(b, ERR_HOST, "starting the command's process: no more processes");
}

/** Every stage that fails must end the run: none may go on with less. */
static void nothing_degrades(struct box *b)
{
	static const struct { int nr, op; } calls[] = {
		{ SYS_setsid, -1 }, { SYS_unshare, -1 }, { SYS_fsopen, -1 }, { SYS_fsmount, -1 }, { SYS_open_tree, -1 },
		{ SYS_move_mount, -1 }, { SYS_mkdirat, -1 }, { SYS_umount2, -1 }, { SYS_sethostname, -1 },
		{ SYS_setdomainname, -1 }, { SYS_setresuid, -1 }, { SYS_prlimit64, -1 }, { SYS_landlock_add_rule, -1 },
		{ SYS_landlock_restrict_self, -1 }, { SYS_signalfd4, -1 }, { SYS_capset, -1 }, { SYS_close_range, -1 },
		{ SYS_prctl, PR_SET_NO_NEW_PRIVS }, { SYS_prctl, PR_SET_SECUREBITS }, { SYS_prctl, PR_CAPBSET_DROP },
		{ SYS_prctl, PR_CAP_AMBIENT }, { SYS_prctl, PR_SET_DUMPABLE }, { SYS_prctl, PR_SET_PDEATHSIG },
		{ SYS_seccomp, SECCOMP_SET_MODE_FILTER }, { SYS_epoll_create1, -1 }, { SYS_epoll_ctl, -1 },
		{ SYS_pread64, -1 }, { SYS_pwrite64, -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		int st = 1;
		pid_t pid = fork();
		if (pid == 0) {
			filter_op(calls[i].nr, calls[i].op, EIO);
			_exit(box_try(b, BOX_ARGV("inside", "true")) == -1 && b->err.sys == EIO &&
			      b->err.kind == ERR_INTERNAL ? 0 : 1);
		}
		waitpid(pid, &st, 0);
		if (st != 0)
			fail_msg("call %d, %d", calls[i].nr, calls[i].op);
	}
}

#define APART(fn) static void test_##fn(void **state) { apart(*state, fn); }
APART(container)
APART(no_processes)
APART(hidden_call)
APART(no_pivot)
APART(keys_used_up)
APART(without_keys)
APART(nnp_fails)
APART(no_command_process)
APART(nothing_degrades)

/** Failures that cannot be had on every machine, by their note. */
static void test_notes(void **state)
{
	struct box *b = *state;
	auto_plan box = { 0 };
	static const struct { struct note note; enum err_kind kind; const char *words; } cases[] = {
		{ { .stage = STAGE_IDS, .code = EPERM, .index = -1 }, ERR_HOST, "mapping ids is denied" },
		{ { .stage = STAGE_CLONE, .code = EINVAL, .index = -1 }, ERR_HOST, "built without" },
		{ { .stage = STAGE_IDS, .part = PART_OOM, .code = EIO, .index = -1 }, ERR_INTERNAL, "oom_score_adj" },
		{ { .stage = STAGE_CLONE, .code = EAGAIN, .index = -1 }, ERR_HOST, "no more processes" },
		{ { .stage = STAGE_FORK, .code = EAGAIN, .index = -1 }, ERR_HOST, "no more processes" },
		{ { .stage = STAGE_CLONE, .code = EUSERS, .index = -1 }, ERR_HOST, "max_*_namespaces" },
		{ { .stage = STAGE_TMPFS, .code = EACCES, .index = -1 }, ERR_HOST, "tmpfs" },
		{ { .stage = STAGE_MOUNTS, .code = ENOENT, .index = -1 }, ERR_INTERNAL, "base directory" },
		{ { .stage = STAGE_ROOT, .part = PART_SOURCE, .code = ENOENT, .index = -1 }, ERR_INTERNAL, "rootfs 'rootfs'" },
		{ { .stage = STAGE_ROOT, .part = PART_FS, .code = ENODEV, .index = -1 }, ERR_HOST, "modprobe overlay" },
		{ { .stage = STAGE_ROOT, .part = PART_FS, .code = EPERM, .index = -1 }, ERR_HOST, "Linux 5.11" },
		{ { .stage = STAGE_ROOT, .part = PART_FS, .code = ENOMEM, .index = -1 }, ERR_INTERNAL, "mounting the root" },
		{ { .stage = STAGE_FORK, .code = ENOMEM, .index = -1 }, ERR_INTERNAL, "Cannot allocate" },
		{ { .stage = 999, .code = ENOMEM, .index = -1 }, ERR_INTERNAL, "starting" },
	};

	b->conf.argv = BOX_ARGV("inside");
	box_must(plan_make(&b->conf, &box, &b->err), &b->err);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(host_explain(&box.plan, &cases[i].note, &b->err), -1);
		if (b->err.kind != cases[i].kind || strstr(b->err.msg, cases[i].words) == NULL)
			fail_msg("case %zu: kind %d: %s", i, b->err.kind, b->err.msg);
	}
	for (size_t i = 0; i < box.plan.nrows; i++) {
		const struct note note = { .stage = STAGE_MOUNTS, .code = EPERM, .index = (int)i, .part = PART_FS };

		host_explain(&box.plan, &note, &b->err);
		assert_int_equal(b->err.kind, ERR_HOST);
		if (box.plan.rows[i].kind == ROW_PROC)
			assert_non_null(strstr(b->err.msg, "systempaths=unconfined"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		box_test(test_no_namespaces),
		box_test(test_container),
		box_test(test_no_processes),
		box_test(test_hidden_call),
		box_test(test_no_pivot),
		box_test(test_keys_used_up),
		box_test(test_without_keys),
		box_test(test_nnp_fails),
		box_test(test_no_command_process),
		box_test(test_nothing_degrades),
		box_test(test_notes),
	};

	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}

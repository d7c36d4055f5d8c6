/* SPDX-License-Identifier: Apache-2.0 */
/* Cloning the child (clone(2), setns(2)), and reading its notes: the parent's end of child.h. */
#include "sandbox/child.h"

#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <signal.h>

#include "sandbox/sys.h"

/** The mount namespace is not among these: the child enters it from the base directory (enter_mount_ns). */
#define STEP_NAMESPACES (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)
#define SPACE_NAMESPACES (CLONE_NEWUSER | CLONE_NEWPID)

/** For the process in between, and from there for the child's whole life. */
#define MIDDLE_STACK (256u << 10)

void plan_keep(struct plan *plan)
{
	const int fds[PLAN_KEEP_MAX] = { plan->base_fd, plan->proc_fd, plan->sock, plan->out, plan->err };

	plan->nkeep = 0;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		size_t at = plan->nkeep;

		if (fds[i] < 0)
			continue;
		for (; at > 0 && plan->keep[at - 1] > fds[i]; at--)
			plan->keep[at] = plan->keep[at - 1];
		plan->keep[at] = fds[i];
		plan->nkeep++;
	}
}

/** A copy of this process, memory included; exit signal 0. In the child this does not return. */
static long clone_child(const struct plan *plan, unsigned long flags)
{
	flags |= plan->kind == PLAN_STEP ? STEP_NAMESPACES : SPACE_NAMESPACES;
	if (plan->cgroup != NULL)
		flags &= ~(unsigned long)CLONE_NEWCGROUP; /* join_cgroup() makes it, once there is something to hide */
	long pid = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	if (pid == 0) {
		child_run(plan);
		sys_exit(1);
		__builtin_trap();
	}
	return pid;
}

/** What the process in between is told, and leaves behind. */
struct middle {
	const struct plan *plan;
	long pid;   /**< of the child, or -1 */
	int error;
	enum stage stage;
};

/** Enters the space and clones the child from there as its own sibling (CLONE_PARENT). Shares the
 *  caller's memory, and the caller waits: nothing but system calls here. */
static int middle_run(void *arg)
{
	struct middle *m = arg;

	m->stage = STAGE_JOIN;
	if (syscall(SYS_setns, m->plan->userns, CLONE_NEWUSER) == 0 &&
	    syscall(SYS_setns, m->plan->mntns, CLONE_NEWNS) == 0 && syscall(SYS_chdir, "/base") == 0) {
		m->stage = STAGE_CLONE;
		m->pid = clone_child(m->plan, CLONE_PARENT);
	}
	m->error = errno;
	return 0;
}

static void spawn_in_space(struct middle *m)
{
	char stack[MIDDLE_STACK] __attribute__((aligned(16)));
	int dumpable = prctl(PR_GET_DUMPABLE);
	pid_t pid = clone(middle_run, stack + sizeof stack, CLONE_VM | CLONE_VFORK, m);

	if (pid < 0) {
		m->error = errno;
		return;
	}
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	/* Gaining the space's capabilities has cleared it for the memory that was shared. */
	if (dumpable == 1)
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

int spawn(const struct plan *plan, pid_t *ret_pid, struct err *err)
{
	const uint64_t all = ~0ull;
	uint64_t before = 0;
	struct middle m = { .plan = plan, .pid = -1, .stage = STAGE_CLONE };

	/* No handler of the caller's may run in the child. */
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
	if (plan->userns >= 0) {
		spawn_in_space(&m);
	} else {
		m.pid = clone_child(plan, 0);
		m.error = errno;
	}
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
	if (m.pid < 0) {
		const struct note note = { .kind = NOTE_FAIL, .stage = (int32_t)m.stage, .index = -1, .code = m.error };

		return host_explain(plan, &note, err);
	}
	*ret_pid = (pid_t)m.pid;
	return 0;
}

int note_receive(int sock, struct note *note, int *fds)
{
	struct iovec iov = { .iov_base = note, .iov_len = sizeof *note };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int) * NOTE_FDS_MAX)];
	} control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof control };
	ssize_t n;

	for (size_t i = 0; i < NOTE_FDS_MAX; i++)
		fds[i] = -1;
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n == 0 || errno == ECONNRESET ? 0 : -1;
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
	if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
	if (n == sizeof *note)
		return 1;
	errno = EPROTO;
	return -1;
}

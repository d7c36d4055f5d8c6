/* SPDX-License-Identifier: Apache-2.0 */
/* pid 1 of a sandbox, and the keeper of a space. Both are small loops without a capability;
 * their end, for whatever reason, ends everything in their namespaces (pid_namespaces(7)). */
#include "sandbox/child.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#include "sandbox/sys.h"

/** The command's process has memory and descriptors of init's until it executes something: so init gets the
 *  filter's listener without a call that the filter might refuse. */
#define COMMAND_FLAGS (CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD)
/** For the stages of the command's process. */
#define COMMAND_STACK (64u << 10)

static const struct stage_row init_stages[] = {
	{ STAGE_STDIO, seal_stdio },
};

static const struct stage_row command_stages[] = {
	{ STAGE_SESSION, seal_session },
	{ STAGE_WORKDIR, seal_workdir },
	{ STAGE_LANDLOCK, seal_landlock },
	{ STAGE_LIMITS, seal_limits }, /* later than what opens files, earlier than a filter that may refuse to set any */
	{ STAGE_SECCOMP, seal_seccomp },
};

struct command {
	struct child *child;
	struct note failed; /**< kind -1: it executes something */
};

/** In the command's process: what it leaves in `failed` is init's to read. */
static int command_run(void *arg)
{
	struct command *cmd = arg;

	if (child_stages(cmd->child, command_stages, ARRAY_LEN(command_stages), &cmd->failed) == 0) {
		seal_exec(cmd->child->plan);
		cmd->failed = (struct note){ .kind = NOTE_EXEC, .code = errno };
	}
	sys_exit(127);
	__builtin_trap(); /* a filter that refuses even exit_group */
	return 127;
}

static uint64_t microseconds(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000u + (uint64_t)t->tv_usec;
}

/** Of the tmpfs that /tmp, /dev/shm and home are in. */
static enum full what_is_full(void)
{
	struct statfs fs;

	if (syscall(SYS_statfs, "/tmp", &fs) != 0)
		return FULL_NOTHING;
	return fs.f_bfree == 0 ? FULL_BYTES : fs.f_ffree == 0 ? FULL_INODES : FULL_NOTHING;
}

/** Kills and reaps all that is left, so that its time is counted, and reports. */
static void finish(const struct child *c, int status)
{
	struct rusage usage = { 0 };
	int32_t left = 0;
	int st = 0;
	enum full full = status == 0 ? FULL_NOTHING : what_is_full();
	long pid;

	(void)syscall(SYS_kill, -1, SIGKILL);
	while ((pid = syscall(SYS_wait4, -1, &st, __WALL, NULL)) > 0 || errno == EINTR)
		left += pid > 0 && !WIFSTOPPED(st);
	(void)syscall(SYS_getrusage, RUSAGE_CHILDREN, &usage);
	const struct note note = {
		.kind = WIFSIGNALED(status) ? NOTE_SIGNAL : NOTE_EXIT,
		.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		.left = left,
		.full = (int32_t)full,
		.user_us = microseconds(&usage.ru_utime),
		.sys_us = microseconds(&usage.ru_stime),
		.max_rss_kib = (uint64_t)usage.ru_maxrss,
	};
	child_send(c, &note, NULL, 0);
}

/** Who asks to be traced by its parent (PTRACE_TRACEME) may have init for that, and stops. It goes on as if nobody traced it:
 *  with the signal that it was stopped for, but a trap, which execve(2) sends to the traced alone. */
static void let_go_on(long pid, int status)
{
	long sig = WSTOPSIG(status);

	(void)syscall(SYS_ptrace, PTRACE_DETACH, pid, NULL, sig == SIGTRAP ? 0 : sig);
}

/** Reaps whoever has ended. @return whether the command is among them. */
static bool reap(long command, int *status)
{
	for (;;) {
		int st = 0;
		long pid = syscall(SYS_wait4, -1, &st, WNOHANG | __WALL, NULL);

		if (pid <= 0)
			return false;
		if (WIFSTOPPED(st)) {
			let_go_on(pid, st);
		} else if (pid == command) {
			*status = st;
			return true;
		}
	}
}

/** Obeys one order. @return false when the parent is gone. */
static bool obey(int sock)
{
	char order = 0;
	long n = syscall(SYS_read, sock, &order, sizeof order);

	if (n < 0 && errno == EINTR)
		return true;
	if (n != sizeof order)
		return false;
	if (order == ORDER_TERM) {
		(void)syscall(SYS_kill, -1, SIGTERM);
		(void)syscall(SYS_kill, -1, SIGCONT); /* or a stopped one would not see it */
	}
	return true;
}

/** What init waits for: an order, a child's end, a refusal. */
struct watch {
	int children; /**< signalfd(2) of SIGCHLD */
	int all;      /**< epoll(7) of that, the socket, and the listener once there is one */
};

static int watch_add(const struct watch *w, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return (int)syscall(SYS_epoll_ctl, w->all, EPOLL_CTL_ADD, fd, &event);
}

/** Before the command starts. epoll, since poll(2) fails where more descriptors are asked about than RLIMIT_NOFILE allows, and
 *  that limit anything of the same uid may lower (prlimit(2)) but for a filter; waiting on an epoll needs nothing at all. */
static int watch_open(const struct child *c, struct watch *w)
{
	const uint64_t sigchld = 1ull << (SIGCHLD - 1);

	/* Blocked, other signals of a step's would wait here for ever, on the account of the caller's user. */
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &sigchld, NULL, sizeof sigchld) != 0)
		return -1;
	w->children = (int)syscall(SYS_signalfd4, -1, &sigchld, sizeof sigchld, O_CLOEXEC);
	w->all = w->children < 0 ? -1 : (int)syscall(SYS_epoll_create1, EPOLL_CLOEXEC);
	return w->all < 0 || watch_add(w, c->sock) != 0 ? -1 : watch_add(w, w->children);
}

/** All that is neither init's nor the command's own: what a command could reach before it is closed on exec. */
static int close_others(const struct child *c, const struct watch *w)
{
	int keep[] = { 0, 1, 2, c->sock, c->oom, w->children, w->all, c->proc };
	size_t n = ARRAY_LEN(keep) - (c->proc < 0);

	for (size_t i = 1; i < n; i++)
		for (size_t at = i; at > 0 && keep[at - 1] > keep[at]; at--) {
			int fd = keep[at];

			keep[at] = keep[at - 1];
			keep[at - 1] = fd;
		}
	return child_close_others(keep, n);
}

/** init lets go of what is the command's: the pipes must end with whoever writes to them. */
static void let_go(const struct child *c)
{
	(void)syscall(SYS_pwrite64, c->oom, c->oom_before, strlen(c->oom_before), 0);
	sys_close(c->oom);
	(void)sys_close_range(0, 2);
}

/** A listener whose filter nobody has any more is at its end, and would be ready for ever. An error alone is no end: the kernel
 *  says so, too, where a stop from outside (SIGSTOP, a freezer) came while somebody else had its lock. */
static int listen_event(struct child *c, const struct watch *w, uint32_t events)
{
	struct note note;

	if ((events & EPOLLIN) != 0 && c->plan->asking == NULL) {
		listen_turn(c);
	} else if ((events & EPOLLIN) != 0) {
		if (answer_turn(c, &note) != 0) {
			child_send(c, &note, NULL, 0);
			return -1;
		}
	} else if ((events & EPOLLHUP) != 0) {
		(void)syscall(SYS_epoll_ctl, w->all, EPOLL_CTL_DEL, c->listener, NULL);
	}
	return 0;
}

static void watch(struct child *c, long command, const struct watch *w)
{
	char info[128]; /* struct signalfd_siginfo: only that it came matters */
	int status = 0;

	for (;;) {
		struct epoll_event event = { 0 };
		long n = syscall(SYS_epoll_pwait, w->all, &event, 1, -1, NULL, sizeof(uint64_t));

		if (n < 0 && errno != EINTR)
			return;
		if (n <= 0)
			continue;
		if (event.data.fd == c->listener) {
			if (listen_event(c, w, event.events) != 0)
				return;
			continue;
		}
		if (event.data.fd == c->sock) {
			if (!obey(c->sock))
				return;
			continue;
		}
		(void)syscall(SYS_read, w->children, info, sizeof info);
		if (reap(command, &status)) {
			finish(c, status);
			return;
		}
	}
}

/** In a process of no other use than that it has been. */
static int end_at_once(void *arg)
{
	(void)arg;
	sys_exit(0);
	__builtin_trap();
	return 0;
}

/** Uses up @p n process ids. Where no more processes can be, the command will say so. */
static void use_up_pids(unsigned n)
{
	char stack[1024] __attribute__((aligned(16)));
	int st;

	for (; n > 0; n--) {
		long pid = clone(end_at_once, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

		while (pid > 0 && syscall(SYS_wait4, pid, &st, __WALL, NULL) < 0 && errno == EINTR)
			;
	}
}

/** @return the command's pid, or -1. Back when it has executed something, or ended. */
static long start_command(struct command *cmd)
{
	char stack[COMMAND_STACK] __attribute__((aligned(16)));
	long pid = clone(command_run, stack + sizeof stack, COMMAND_FLAGS, cmd);

	if (pid < 0)
		cmd->failed = (struct note){ .kind = NOTE_FAIL, .stage = STAGE_FORK, .index = -1, .code = errno };
	return pid;
}

/** From here what is refused gets its answer. Without a place among what is waited for it would wait for ever. */
static int listen_begin(struct child *c, const struct watch *w)
{
	const struct note deaf = { .kind = NOTE_DEAF }, listener = { .kind = NOTE_LISTENER };

	if (c->plan->learning) {
		child_send(c, &listener, &c->listener, 1);
		sys_close(c->listener);
		c->listener = -1;
		return 0;
	}
	if (c->listener >= 0)
		return watch_add(w, c->listener);
	if (c->plan->telling != NULL)
		child_send(c, &deaf, NULL, 0);
	return 0;
}

void init_run(struct child *c)
{
	struct command cmd = { .child = c, .failed = { .kind = -1 } };
	struct watch w = { -1, -1 };
	long pid = -1;

	if (child_stages(c, init_stages, ARRAY_LEN(init_stages), &cmd.failed) == 0) {
		if (watch_open(c, &w) != 0 || close_others(c, &w) != 0) {
			cmd.failed = (struct note){ .kind = NOTE_FAIL, .stage = STAGE_FORK, .index = -1, .code = errno };
		} else {
			use_up_pids(c->plan->vary.pids);
			pid = start_command(&cmd);
		}
	}
	if (cmd.failed.kind == -1 && listen_begin(c, &w) != 0)
		cmd.failed = (struct note){ .kind = NOTE_FAIL, .stage = STAGE_SECCOMP, .index = -1, .code = errno };
	if (cmd.failed.kind != -1) {
		child_send(c, &cmd.failed, NULL, 0);
		return;
	}
	let_go(c);
	watch(c, pid, &w);
}

/* ---- the keeper -------------------------------------------------------------------- */

/** @return whether the three descriptors were sent. */
static bool hand_over(struct child *c)
{
	const struct note note = { .kind = NOTE_SPACE };
	const int fds[NOTE_FDS_MAX] = {
		sys_open(c->root, "trees", O_RDONLY | O_DIRECTORY),
		sys_open(c->plan->proc_fd, "self/ns/user", O_RDONLY),
		sys_open(c->plan->proc_fd, "self/ns/mnt", O_RDONLY),
	};

	if (fds[0] < 0 || fds[1] < 0 || fds[2] < 0) {
		const struct note failed = { .kind = NOTE_FAIL, .stage = STAGE_HANDOVER, .index = -1, .code = errno };

		child_send(c, &failed, NULL, 0);
		return false;
	}
	child_send(c, &note, fds, NOTE_FDS_MAX);
	return true;
}

void keeper_run(struct child *c)
{
	char byte;

	if (!hand_over(c))
		return;
	(void)child_close_others(&c->sock, 1);
	while (syscall(SYS_read, c->sock, &byte, 1) > 0 || errno == EINTR)
		;
}

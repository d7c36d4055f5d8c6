/* SPDX-License-Identifier: Apache-2.0 */
/* pid 1 of a sandbox, and the keeper of a space. Both are small loops without a capability;
 * their end, for whatever reason, ends everything in their namespaces (pid_namespaces(7)). */
#include "sandbox/child.h"

#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "sandbox/sys.h"

static const struct stage_row command_stages[] = {
	{ STAGE_SESSION, seal_session },
	{ STAGE_STDIO, seal_stdio },
	{ STAGE_WORKDIR, seal_workdir },
	{ STAGE_LIMITS, seal_limits },
	{ STAGE_LANDLOCK, seal_landlock },
	{ STAGE_SECCOMP, seal_seccomp },
};

/** In the vforked process: shares init's memory, so what it leaves in @p note is init's to read. */
static void command_run(struct child *c, struct note *note)
{
	if (child_stages(c, command_stages, ARRAY_LEN(command_stages), note) == 0) {
		seal_exec(c->plan);
		*note = (struct note){ .kind = NOTE_EXEC, .code = errno };
	}
	sys_exit(127);
	__builtin_trap(); /* a filter that refuses even exit_group */
}

static uint64_t microseconds(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000u + (uint64_t)t->tv_usec;
}

/** Kills and reaps all that is left, so that its time is counted, and reports. */
static void finish(const struct child *c, int status)
{
	struct rusage usage = { 0 };

	(void)syscall(SYS_kill, -1, SIGKILL);
	while (syscall(SYS_wait4, -1, NULL, __WALL, NULL) > 0 || errno == EINTR)
		;
	(void)syscall(SYS_getrusage, RUSAGE_CHILDREN, &usage);
	const struct note note = {
		.kind = WIFSIGNALED(status) ? NOTE_SIGNAL : NOTE_EXIT,
		.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		.user_us = microseconds(&usage.ru_utime),
		.sys_us = microseconds(&usage.ru_stime),
		.max_rss_kib = (uint64_t)usage.ru_maxrss,
	};
	child_send(c, &note, NULL, 0);
}

/** Reaps whoever has ended. @return whether the command is among them. */
static bool reap(long command, int *status)
{
	for (;;) {
		int st = 0;
		long pid = syscall(SYS_wait4, -1, &st, WNOHANG | __WALL, NULL);

		if (pid <= 0)
			return false;
		if (pid == command) {
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

/** What init waits for: an order, or a child's end. */
struct watch {
	int children; /**< signalfd(2) of SIGCHLD */
	int both;     /**< epoll(7) of that and the socket */
};

/** Before the command starts. epoll, since poll(2) fails where more descriptors are asked about than RLIMIT_NOFILE allows, and
 *  that limit anything of the same uid may lower (prlimit(2)) but for a filter; waiting on an epoll needs nothing at all. */
static int watch_open(const struct child *c, struct watch *w)
{
	const uint64_t sigchld = 1ull << (SIGCHLD - 1);
	struct epoll_event event = { .events = EPOLLIN };

	/* Blocked, other signals of a step's would wait here for ever, on the account of the caller's user. */
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &sigchld, NULL, sizeof sigchld) != 0)
		return -1;
	w->children = (int)syscall(SYS_signalfd4, -1, &sigchld, sizeof sigchld, O_CLOEXEC);
	w->both = w->children < 0 ? -1 : (int)syscall(SYS_epoll_create1, EPOLL_CLOEXEC);
	if (w->both < 0)
		return -1;
	event.data.fd = c->plan->sock;
	if (syscall(SYS_epoll_ctl, w->both, EPOLL_CTL_ADD, c->plan->sock, &event) != 0)
		return -1;
	event.data.fd = w->children;
	return (int)syscall(SYS_epoll_ctl, w->both, EPOLL_CTL_ADD, w->children, &event);
}

static void watch_close_others(const struct child *c, const struct watch *w)
{
	int keep[3] = { c->plan->sock, w->children, w->both };

	for (size_t i = 1; i < ARRAY_LEN(keep); i++)
		for (size_t at = i; at > 0 && keep[at - 1] > keep[at]; at--) {
			int fd = keep[at];

			keep[at] = keep[at - 1];
			keep[at - 1] = fd;
		}
	child_close_others(keep, ARRAY_LEN(keep));
}

static void watch(const struct child *c, long command, const struct watch *w)
{
	char info[128]; /* struct signalfd_siginfo: only that it came matters */
	int status = 0;

	for (;;) {
		struct epoll_event event = { 0 };
		long n = syscall(SYS_epoll_pwait, w->both, &event, 1, -1, NULL, sizeof(uint64_t));

		if (n < 0 && errno != EINTR)
			return;
		if (n <= 0)
			continue;
		if (event.data.fd == c->plan->sock) {
			if (!obey(c->plan->sock))
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

void init_run(struct child *c)
{
	struct note failed = { .kind = -1 };
	struct watch w = { -1, -1 };
	pid_t command = watch_open(c, &w) != 0 ? -1 : vfork();

	if (command == 0)
		command_run(c, &failed);
	/* That never came back, so a compiler may think that nothing has written to `failed`: vfork(2) shares it. */
	__asm__ volatile("" : : "r"(&failed) : "memory");
	if (command < 0)
		failed = (struct note){ .kind = NOTE_FAIL, .stage = STAGE_FORK, .index = -1, .code = errno };
	if (failed.kind != -1) {
		child_send(c, &failed, NULL, 0);
		return;
	}
	(void)syscall(SYS_pwrite64, c->oom, c->oom_before, strlen(c->oom_before), 0);
	watch_close_others(c, &w);
	watch(c, command, &w);
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
	child_close_others(&c->plan->sock, 1);
	while (syscall(SYS_read, c->plan->sock, &byte, 1) > 0 || errno == EINTR)
		;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The cloned child: lets go of the caller, takes its ids, builds its world (child.h). */
#include "sandbox/child.h"

#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <linux/keyctl.h>

#include "sandbox/sys.h"

/** Signals the kernel knows (NSIG is the C library's). */
#define SIGNALS 64

int child_stages(struct child *c, const struct stage_row *rows, size_t n, struct note *note)
{
	for (size_t i = 0; i < n; i++) {
		c->index = -1;
		c->part = PART_NONE;
		if (rows[i].fn(c) != 0) {
			*note = (struct note){ .kind = NOTE_FAIL, .stage = (int32_t)rows[i].stage, .part = c->part,
					       .index = c->index, .code = errno };
			return -1;
		}
	}
	return 0;
}

void child_send(const struct child *c, const struct note *note, const int *fds, size_t nfds)
{
	struct note copy = *note;
	struct iovec iov = { .iov_base = &copy, .iov_len = sizeof copy };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int) * NOTE_FDS_MAX)];
	} control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds != 0) {
		memset(&control, 0, sizeof control);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * nfds);
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
	}
	while (syscall(SYS_sendmsg, c->sock, &msg, MSG_NOSIGNAL) < 0 && errno == EINTR)
		continue;
}

/* ---- stages ------------------------------------------------------------------ */

int child_close_others(const int *keep, size_t n)
{
	unsigned int from = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned int fd = (unsigned int)keep[i];

		if (fd > from && sys_close_range(from, fd - 1) != 0)
			return -1;
		from = fd + 1;
	}
	return sys_close_range(from, ~0u);
}

/** The caller's handlers are code that must not run here, and what it ignores must not be inherited. */
static void default_signals(void)
{
	const struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } dfl = { 0 };

	for (int sig = 1; sig <= SIGNALS; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)syscall(SYS_rt_sigaction, sig, &dfl, NULL, sizeof dfl.mask);
}

/** Dies with the thread that made it. Racy alone (the parent may be dead by now): init and keeper also
 *  hold a socket whose end of file says the same. */
static int die_with_parent(void)
{
	return sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0);
}

static int detach(struct child *c)
{
	if (die_with_parent() != 0)
		return -1;
	/* Locks and sockets of the caller's other work must not live on in here. */
	if (child_close_others(c->plan->keep, c->plan->nkeep) != 0)
		return -1;
	default_signals();
	(void)syscall(SYS_umask, 0);
	return (int)syscall(SYS_setsid) < 0 ? -1 : 0;
}

static int write_self(const struct child *c, const char *path, const char *text)
{
	int fd = sys_open(c->plan->proc_fd, path, O_WRONLY);

	if (fd < 0)
		return -1;
	size_t n = strlen(text);
	long done = syscall(SYS_write, fd, text, n);
	sys_close(fd);
	return done == (long)n ? 0 : -1;
}

/** Whom the kernel ends first when memory is short: the command (1000), never the caller. The command inherits it from
 *  init, which takes its own score back afterwards (init_run): once it is not dumpable neither could open the file. */
static int take_oom_score(struct child *c)
{
	static const char first[] = "1000";
	int fd = sys_open(c->plan->proc_fd, "self/oom_score_adj", O_RDWR);

	c->part = PART_OOM;
	if (fd < 0)
		return -1;
	/* Lowering it below what the caller was given takes a capability of the host's. */
	(void)syscall(SYS_pwrite64, fd, "0", 1, 0);
	if (c->plan->kind == PLAN_SPACE) {
		sys_close(fd);
		return 0;
	}
	c->oom = fd;
	if (syscall(SYS_pread64, fd, c->oom_before, sizeof c->oom_before - 1, 0) <= 0)
		return -1;
	return syscall(SYS_pwrite64, fd, first, sizeof first - 1, 0) == sizeof first - 1 ? 0 : -1;
}

/** user_namespaces(7). The maps are written here and not by the parent: one round trip less, and the writer is
 *  sure to be the one the kernel asks for. A caller that is root with a step user's effective ids is not dumpable,
 *  which would make its /proc/self files root's. */
static int take_ids(struct child *c)
{
	const struct plan *plan = c->plan;

	(void)sys_prctl(PR_SET_DUMPABLE, 1, 0, 0);
	c->part = PART_MAP;
	if (write_self(c, "self/setgroups", "deny") != 0 || write_self(c, "self/uid_map", plan->uid_map) != 0 ||
	    write_self(c, "self/gid_map", plan->gid_map) != 0)
		return -1;
	if (take_oom_score(c) != 0)
		return -1;
	c->part = PART_BECOME;
	if (syscall(SYS_setresgid, plan->gid, plan->gid, plan->gid) != 0 ||
	    syscall(SYS_setresuid, plan->uid, plan->uid, plan->uid) != 0)
		return -1;
	return die_with_parent(); /* a change of ids has cleared it */
}

/** Its cgroup is made and filled by the parent, which waits for nothing: so this does. The namespace comes after, so that its
 *  root is the step's own cgroup and no name of it is seen inside. */
static int join_cgroup(struct child *c)
{
	char order = 0;
	long n;

	if (c->plan->cgroup == NULL)
		return 0;
	do
		n = syscall(SYS_read, c->plan->sock, &order, sizeof order);
	while (n < 0 && errno == EINTR);
	if (n != sizeof order || order != ORDER_GO) {
		errno = ECANCELED; /* the parent is gone or gives up */
		return -1;
	}
	return (int)syscall(SYS_unshare, CLONE_NEWCGROUP);
}

/** The working directory becomes the base before the namespace is left: that way it is valid in the
 *  new one even where the path to it cannot be walked by this user. In a space it is /base already. */
static int enter_mount_ns(struct child *c)
{
	if (c->plan->base_fd >= 0 && syscall(SYS_fchdir, c->plan->base_fd) != 0)
		return -1;
	if (syscall(SYS_unshare, CLONE_NEWNS) != 0)
		return -1;
	return (int)syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static int set_hostname(struct child *c)
{
	static const char none[] = "(none)"; /* what a kernel starts with; a new namespace copies the host's */
	const char *name = c->plan->hostname;

	if (syscall(SYS_sethostname, name, strlen(name)) != 0)
		return -1;
	return (int)syscall(SYS_setdomainname, none, sizeof none - 1);
}

static int loopback_up(struct child *c)
{
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (!c->plan->loopback)
		return 0;
	int fd = (int)syscall(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	int r = (int)syscall(SYS_ioctl, fd, SIOCSIFFLAGS, &req);
	sys_close(fd);
	return r;
}

/** A kernel without keys has none to leak. */
static int new_keyring(struct child *c)
{
	(void)c;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS)
		return 0;
	return -1;
}

static const struct stage_row step_stages[] = {
	{ STAGE_DETACH, detach },
	{ STAGE_IDS, take_ids },
	{ STAGE_CGROUP, join_cgroup },
	{ STAGE_MOUNT_NS, enter_mount_ns },
	{ STAGE_TMPFS, child_tmpfs },
	{ STAGE_SKELETON, child_skeleton },
	{ STAGE_ROOT, child_root },
	{ STAGE_MOUNTS, child_mounts },
	{ STAGE_PIVOT, child_pivot },
	{ STAGE_HOSTNAME, set_hostname },
	{ STAGE_LOOPBACK, loopback_up },
	{ STAGE_KEYRING, new_keyring },
	{ STAGE_CAPS, seal_caps },
	{ STAGE_HIDE, seal_hide },
};

static const struct stage_row space_stages[] = {
	{ STAGE_DETACH, detach },
	{ STAGE_IDS, take_ids },
	{ STAGE_MOUNT_NS, enter_mount_ns },
	{ STAGE_TMPFS, child_tmpfs },
	{ STAGE_SKELETON, child_skeleton },
	{ STAGE_MOUNTS, child_mounts },
	{ STAGE_PIVOT, child_pivot },
	{ STAGE_KEYRING, new_keyring },
	{ STAGE_CAPS, seal_caps },
	{ STAGE_HIDE, seal_hide },
};

void child_run(const struct plan *plan)
{
	struct child c = { .plan = plan, .tmpfs = -1, .root = -1, .base = -1, .rootfs = -1, .trees = -1,
			   .sock = plan->sock, .oom = -1, .listener = -1, .proc = -1 };
	bool step = plan->kind == PLAN_STEP;
	struct note note;

	if (child_stages(&c, step ? step_stages : space_stages,
			 step ? ARRAY_LEN(step_stages) : ARRAY_LEN(space_stages), &note) != 0)
		child_send(&c, &note, NULL, 0);
	else if (step)
		init_run(&c);
	else
		keeper_run(&c);
}

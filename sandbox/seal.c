/* SPDX-License-Identifier: Apache-2.0 */
/* The child's walls: what init gives up, what the command's process gets and is refused
 * (capabilities(7), landlock(7), seccomp(2), setrlimit(2)). */
#include "sandbox/child.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <linux/capability.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>

#include "sandbox/sys.h"

/** No kernel has more capabilities than bits in two words of capset(2). */
#define CAPS_END 64
/** The kernel's own default (prctl(2), PR_SET_TIMERSLACK). */
#define TIMER_SLACK_NS 50000

/* ---- init ---------------------------------------------------------------------- */

/** Every set, bounding and ambient included, is emptied; uid 0 is nobody special from here on, whatever is
 *  executed; and no_new_privs, without which the rest would not last. */
int seal_caps(struct child *c)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { 0 };
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
				   SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
				   SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

	if (sys_prctl(PR_SET_SECUREBITS, bits, 0, 0) != 0)
		return -1;
	for (c->index = 0; c->index < CAPS_END; c->index++)
		if (sys_prctl(PR_CAPBSET_DROP, (unsigned long)c->index, 0, 0) != 0)
			break;
	if (c->index == 0 || (c->index < CAPS_END && errno != EINVAL)) /* EINVAL: past the kernel's last one */
		return -1;
	c->index = -1;
	if (sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0) != 0 ||
	    syscall(SYS_capset, &head, none) != 0)
		return -1;
	return sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0);
}

/** init is a copy of the caller's memory, and nothing inside may read it: not dumpable, so that /proc/1's mem,
 *  maps, environ, fd and ptrace ask for a capability of the host's. /proc/1/cmdline asks for nothing: overwritten. */
int seal_hide(struct child *c)
{
	const struct plan *plan = c->plan;
	const char *name = plan->kind == PLAN_STEP ? "glovebox-init" : "glovebox-space";

	if (sys_prctl(PR_SET_DUMPABLE, 0, 0, 0) != 0)
		return -1;
	memset((void *)plan->wipe_start, 0, plan->wipe_len); /* NOLINT: an address from the kernel */
	return sys_prctl(PR_SET_NAME, (unsigned long)name, 0, 0);
}

/* ---- the command's process ------------------------------------------------------- */

/** Of the processors that the command may use, the first alone. */
static void keep_one_cpu(void)
{
	unsigned char cpus[1024];
	long n = syscall(SYS_sched_getaffinity, 0, sizeof cpus, cpus);
	bool found = false;

	for (long i = 0; i < n; i++) {
		cpus[i] = found ? 0 : (unsigned char)(cpus[i] & -cpus[i]);
		found = found || cpus[i] != 0;
	}
	if (found)
		(void)syscall(SYS_sched_setaffinity, 0, (size_t)n, cpus);
}

/** Best effort: each of these can fail only where the caller has put a lid on itself that takes a host's
 *  capability to lift (a raised nice, an idle class); the receipt says what was left. */
static void reset_inherited(const struct plan *plan)
{
	const struct { int priority; } normal = { 0 };
	unsigned char cpus[1024];

	memset(cpus, 0xff, sizeof cpus);
	(void)syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &normal);
	(void)syscall(SYS_setpriority, PRIO_PROCESS, 0, 0);
	(void)syscall(SYS_sched_setaffinity, 0, sizeof cpus, cpus);
	if (plan->vary.one_cpu)
		keep_one_cpu();
	(void)syscall(SYS_ioprio_set, 1, 0, 0);
	(void)syscall(SYS_personality, 0ul);
	(void)syscall(SYS_set_mempolicy, 0, NULL, 0ul);
	/* 0 would stand for what the caller had when it made this process. */
	(void)sys_prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0);
	(void)sys_prctl(PR_SET_THP_DISABLE, 0, 0, 0);
}

/** A pair of the sandbox's own devpts: the parent gets the master. @return the other one, or -1. */
static int open_terminal(const struct child *c)
{
	const struct note note = { .kind = NOTE_TERMINAL };
	const int unlocked = 0;
	int master = sys_open(AT_FDCWD, "/dev/pts/ptmx", O_RDWR | O_NOCTTY), own = -1;

	if (master < 0)
		return -1;
	if (syscall(SYS_ioctl, master, TIOCSPTLCK, &unlocked) == 0 && syscall(SYS_ioctl, master, TIOCSWINSZ, c->plan->terminal) == 0)
		own = (int)syscall(SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (own >= 0)
		child_send(c, &note, &master, 1);
	sys_close(master);
	return own;
}

/** In init, whose descriptors the command's process shares until it executes something. First away from 0, 1 and 2, where a
 *  caller without stdio may have any of them, then into place. */
int seal_stdio(struct child *c)
{
	bool terminal = c->plan->terminal != NULL;
	int in = terminal ? open_terminal(c) : sys_open(AT_FDCWD, "/dev/null", O_RDONLY);
	int from[] = { in, terminal ? in : c->plan->out, terminal ? in : c->plan->err, c->sock, c->oom };

	for (size_t i = 0; i < ARRAY_LEN(from); i++)
		if (from[i] < 0 || (from[i] = (int)syscall(SYS_fcntl, from[i], F_DUPFD_CLOEXEC, 3)) < 0)
			return -1;
	for (int i = 0; i < 3; i++)
		if (syscall(SYS_dup3, from[i], i, 0) < 0)
			return -1;
	c->sock = from[3];
	c->oom = from[4];
	return 0;
}

int seal_session(struct child *c)
{
	const uint64_t unblocked = 0;

	if ((int)syscall(SYS_setsid) < 0)
		return -1;
	/* EIO: the parent has hung up already, and the end is on its way. */
	if (c->plan->terminal != NULL && syscall(SYS_ioctl, 0, TIOCSCTTY, 0) != 0 && errno != EIO)
		return -1;
	reset_inherited(c->plan);
	(void)syscall(SYS_umask, 022);
	return (int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &unblocked, NULL, sizeof unblocked);
}

int seal_workdir(struct child *c)
{
	return (int)syscall(SYS_chdir, c->plan->workdir);
}

int seal_limits(struct child *c)
{
	for (size_t i = 0; i < c->plan->nlimits; i++) {
		const struct limit *l = &c->plan->limits[i];
		const uint64_t value[2] = { l->soft, l->hard };

		c->index = (int)i;
		if (syscall(SYS_prlimit64, 0, l->resource, value, NULL) != 0)
			return -1;
	}
	return 0;
}

/* ---- Landlock ---------------------------------------------------------------------- */

#define LANDLOCK_READ (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/** All of ABI 1 and 2: bits 0 to 13. */
#define LANDLOCK_ALL ((LANDLOCK_ACCESS_FS_REFER << 1) - 1)
#define LANDLOCK_NODES (LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)

static uint64_t landlock_rights(int abi)
{
	return LANDLOCK_ALL | (abi >= 3 ? SYS_LANDLOCK_TRUNCATE : 0) | (abi >= 5 ? SYS_LANDLOCK_IOCTL_DEV : 0);
}

static int landlock_allow(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights,
						   .parent_fd = sys_open(AT_FDCWD, path, O_PATH | O_DIRECTORY) };

	if (rule.parent_fd < 0) /* covered by a mount of the caller's: nothing to allow */
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	int r = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	sys_close(rule.parent_fd);
	return r;
}

static int landlock_rules(int ruleset, const struct plan *plan)
{
	uint64_t all = landlock_rights(plan->landlock_abi);
	uint64_t devices = LANDLOCK_READ | LANDLOCK_ACCESS_FS_WRITE_FILE |
			   (all & (SYS_LANDLOCK_TRUNCATE | SYS_LANDLOCK_IOCTL_DEV));

	if (landlock_allow(ruleset, "/", LANDLOCK_READ) != 0 || landlock_allow(ruleset, "/dev", devices) != 0)
		return -1;
	for (size_t i = 0; plan->writable[i] != NULL; i++)
		if (landlock_allow(ruleset, plan->writable[i], all & ~LANDLOCK_NODES) != 0)
			return -1;
	return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}

/** The second wall: the mounts say the same, but this one does not depend on them. */
int seal_landlock(struct child *c)
{
	int abi = c->plan->landlock_abi;
	const struct sys_landlock_attr attr = {
		.fs = landlock_rights(abi),
		.scoped = SYS_LANDLOCK_SCOPE_ABSTRACT | SYS_LANDLOCK_SCOPE_SIGNAL,
	};
	size_t size = abi >= 6 ? sizeof attr : offsetof(struct sys_landlock_attr, net);

	if (abi == 0)
		return 0;
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		return -1;
	int r = landlock_rules(ruleset, c->plan);
	sys_close(ruleset);
	return r;
}

/* ---- the last two ------------------------------------------------------------------- */

static int load_filter(const struct sock_filter *filter, size_t len, unsigned int flags)
{
	/* The kernel only reads the program; struct sock_fprog has no const. */
	const struct sock_fprog program = { .len = (unsigned short)len,
					    .filter = (struct sock_filter *)(uintptr_t)filter };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/** The listener of the command's filter, or -1. */
static int load_listening(const struct plan *plan)
{
	unsigned int flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	int listener = -1;

	/* Signals would interrupt calls that else they never do. Since Linux 5.19. */
	if (plan->learning)
		listener = load_filter(plan->telling, plan->telling_len, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	if (listener < 0 && (!plan->learning || errno == EINVAL))
		listener = load_filter(plan->telling, plan->telling_len, flags);
	return listener;
}

/** The kernel asks both, and takes the stricter answer; of two errors that of the filter loaded last. So the floor
 *  comes first, while no filter of a step's own can keep it from being loaded. */
int seal_seccomp(struct child *c)
{
	const struct plan *plan = c->plan;

	if (plan->floor != NULL && load_filter(plan->floor, plan->floor_len, 0) != 0)
		return -1;
	/* One of its own, which only asks: so the profile is loaded as it is, whatever that says of seccomp(2). */
	if (plan->asking != NULL && (c->listener = load_filter(plan->asking, plan->asking_len, SECCOMP_FILTER_FLAG_NEW_LISTENER)) < 0)
		return -1;
	if (plan->telling != NULL) {
		c->listener = load_listening(plan);
		if (c->listener >= 0)
			return 0;
		/* A filter above has one, and there can be only one; or the command may open fewer files than are open. */
		if (plan->learning || (errno != EBUSY && errno != EMFILE))
			return -1;
	}
	return load_filter(plan->filter, plan->filter_len, 0);
}

void seal_exec(const struct plan *plan)
{
	bool denied = false;

	for (size_t i = 0; plan->candidates[i] != NULL; i++) {
		(void)syscall(SYS_execve, plan->candidates[i], plan->argv, plan->envp);
		if (errno == EACCES)
			denied = true;
		else if (errno != ENOENT && errno != ENOTDIR)
			return;
	}
	if (plan->candidates[0] != NULL && plan->candidates[1] != NULL)
		errno = denied ? EACCES : ENOENT;
}

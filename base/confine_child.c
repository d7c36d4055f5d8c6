/* SPDX-License-Identifier: Apache-2.0 */
/* The child's half of confine.h: the walls, in the order in which they are put up (capabilities(7),
 * landlock(7), getrlimit(2), timer_create(2), prctl(2)). Raw system calls where libc's wrapper would do more than the call. */
#include "base/confine_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/landlock.h>

#include "base/ident.h"
#include "base/io.h"

/** LANDLOCK_ACCESS_NET_… of ABI 4, which Debian 12's headers do not have. */
#define BIND_TCP 1ull
#define CONNECT_TCP 2ull

/** What the walls are made from. */
struct cell {
	const struct confine_conf *conf;
	int out, report;
	pid_t parent;
	uint64_t own;
};

/** No handler of the caller's runs here (all are blocked until now), and nothing is ignored but SIGPIPE. */
static int reset_signals(const struct cell *cell)
{
	const uintptr_t dfl[4] = { (uintptr_t)SIG_DFL }, ign[4] = { (uintptr_t)SIG_IGN }; /* the kernel's struct sigaction */
	const uint64_t none = 0;

	(void)cell;
	/* libc's own two as well, which sigaction(3) keeps, and posix_spawn(3) leaves ignored; KILL and STOP cannot be. */
	for (int sig = 1; sig < NSIG; sig++)
		(void)syscall(SYS_rt_sigaction, sig, sig == SIGPIPE ? ign : dfl, NULL, sizeof none);
	return (int)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

/** Lowers a limit for good, with @p grace between its warning and its end; one of the caller's that is lower stays. */
static int limit(int resource, uint64_t value, uint64_t grace)
{
	struct rlimit64 now;

	if (prlimit64(0, resource, NULL, &now) < 0)
		return -1;
	const rlim64_t top = now.rlim_max, hard = value + grace;
	return prlimit64(0, resource, &(struct rlimit64){ value < top ? value : top, hard < top ? hard : top }, NULL);
}

static int set_limits(const struct cell *cell)
{
	const struct confine_conf *conf = cell->conf;

	/* The second of grace is for SIGXCPU, which says why; who blocks that meets SIGKILL. */
	return limit(RLIMIT_AS, cell->own + conf->memory, 0) < 0 || limit(RLIMIT_CPU, conf->cpu_s, 1) < 0 ||
	       limit(RLIMIT_FSIZE, conf->file_size, 0) < 0 || limit(RLIMIT_CORE, 0, 0) < 0 ||
	       /* It counts all that the user runs, and threads among that: where some are allowed, the filter tells them from processes. */
	       (conf->reach == NULL && limit(RLIMIT_NPROC, 0, 0) < 0) ? -1 : 0;
}

/** The kernel's own hand, and SIGKILL: no mask, handler or stopped caller keeps it from coming. */
static int set_timer(const struct cell *cell)
{
	struct sigevent kill = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	const struct itimerspec when = { .it_value = { cell->conf->wall_ms / 1000, cell->conf->wall_ms % 1000 * 1000000L } };
	int id;

	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &kill, &id) < 0)
		return -1;
	return (int)syscall(SYS_timer_settime, id, 0, &when, NULL);
}

/** Real root that works as a step user has its ids in reserve (base/ident.h): taken back once more, to let go of the
 *  groups, then dropped for good. Uid 0 itself becomes the id that nobody has, where that is mapped.
 *  An ordinary user may change nothing, and need not: failures show in the last two calls alone. */
static int drop_ids(const struct cell *cell)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	(void)cell;
	(void)syscall(SYS_setresuid, -1, 0, -1);
	(void)syscall(SYS_setgroups, 0, NULL);
	if (uid == 0 && syscall(SYS_setresgid, IDENT_STEP_ID, IDENT_STEP_ID, IDENT_STEP_ID) == 0 &&
	    syscall(SYS_setresuid, IDENT_STEP_ID, IDENT_STEP_ID, IDENT_STEP_ID) == 0)
		return 0;
	return syscall(SYS_setresgid, gid, gid, gid) < 0 || syscall(SYS_setresuid, uid, uid, uid) < 0 ? -1 : 0;
}

/** The bounding set is about exec(2), which there is none of here; the ambient set goes with the others. */
static int drop_rights(const struct cell *cell)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { 0 };

	(void)cell;
	if (syscall(SYS_capset, &head, none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/** After the ids: their change clears it. */
static int end_with_parent(const struct cell *cell)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -1;
	errno = ESRCH;
	return getppid() == cell->parent ? 0 : -1;
}

/** Lets @p rules read what @p path is. What is not there, or not for this user, cannot be read without a rule either. */
static int let_read(int rules, const char *path)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE };
	auto_fd fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP ? 0 : -1;
	rule.parent_fd = fd;
	return (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static int let_read_all(int rules, const struct confine_reach *reach)
{
	for (const char *const *path = reach->files; *path != NULL; path++)
		if (let_read(rules, *path) < 0)
			return -1;
	return reach->file == NULL ? 0 : let_read(rules, reach->file);
}

/** Everything that this kernel's Landlock knows, and no rule but the reach's. It is the second wall: a kernel without it has the first. */
static int landlock(const struct cell *cell)
{
	const struct confine_reach *reach = cell->conf->reach;
	/* Rights of ABI 1 to 5 and later: one more bit each, but for 4, which brought the network's two. */
	static const uint8_t bits[] = { 0, 13, 14, 15, 15, 16 };
	struct { uint64_t fs, net, scoped; } all = { 0 };
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi <= 0)
		return 0;
	all.fs = (1ull << bits[abi < 5 ? abi : 5]) - 1;
	all.net = abi < 4 ? 0 : reach == NULL ? BIND_TCP | CONNECT_TCP : BIND_TCP;
	all.scoped = abi >= 6 ? 3 : 0;
	auto_fd rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
	if (rules < 0 || (reach != NULL && let_read_all(rules, reach) < 0))
		return -1;
	return (int)syscall(SYS_landlock_restrict_self, rules, 0);
}

/** The first of @p fds that is not below @p from, or UINT_MAX. */
static unsigned next_fd(const int *fds, size_t n, unsigned from)
{
	unsigned next = UINT_MAX;

	for (size_t i = 0; i < n; i++)
		if ((unsigned)fds[i] >= from && (unsigned)fds[i] < next)
			next = (unsigned)fds[i];
	return next;
}

/** All is closed but what was handed over and the two pipes; no number is left for more, but for sockets of a reach. */
static int close_others(const struct cell *cell)
{
	int keep[CONFINE_FDS_MAX + 3] = { cell->out, cell->report };
	size_t n = 2;

	for (size_t i = 0; i < cell->conf->nfds; i++)
		keep[n++] = cell->conf->fds[i];
#ifdef CONFINE_SANITIZED
	keep[n++] = STDERR_FILENO;
#endif
	for (unsigned from = 0, next; from != UINT_MAX; from = next + (next != UINT_MAX)) {
		next = next_fd(keep, n, from);
		if (next > from && syscall(SYS_close_range, from, next == UINT_MAX ? next : next - 1, 0) < 0)
			return -1;
	}
	/* Not 0: poll(2) takes no more than that many. */
	return limit(RLIMIT_NOFILE, cell->conf->reach != NULL ? CONFINE_REACH_FDS : n, 0);
}

static int filter_calls(const struct cell *cell)
{
	return cell->conf->reach != NULL ? confine_filter_reach() : confine_filter();
}

static const struct wall {
	const char *name;
	int (*put_up)(const struct cell *cell);
} walls[] = {
	{ "reset signals", reset_signals },
	{ "set limits", set_limits },
	{ "set a timer", set_timer },
	{ "drop ids", drop_ids },
	{ "drop rights", drop_rights },
	{ "end with the caller", end_with_parent },
	{ "restrict by Landlock", landlock },
	{ "close descriptors", close_others },
	{ "filter system calls", filter_calls },
};

const char *confine_wall(int wall)
{
	return wall >= 0 && (size_t)wall < ARRAY_LEN(walls) ? walls[wall].name : "set up";
}

/** Not by exit(3): what the caller has registered for its own end is not run here. */
static __attribute__((noreturn)) void end(int status)
{
	syscall(SYS_exit_group, status);
	__builtin_trap();
}

void confine_child(const struct confine_conf *conf, int out, int report, pid_t parent, uint64_t own)
{
	const struct cell cell = { conf, out, report, parent, own };
	struct confine_note note = { .wall = 0 };
	struct confine_report said = { 0 };
	struct err err = {0}, ignored;

	for (; (size_t)note.wall < ARRAY_LEN(walls); note.wall++)
		if (walls[note.wall].put_up(&cell) < 0) {
			note.error = errno;
			(void)io_write_all(report, &note, sizeof note, &ignored);
			end(1);
		}
	note.wall = CONFINE_SEALED;
	if (io_write_all(report, &note, sizeof note, &ignored) < 0)
		end(1);
	said.result = conf->fn(conf->arg, out, &err);
	said.kind = (int32_t)err.kind;
	said.sys = err.sys;
	memcpy(said.msg, err.msg, sizeof said.msg);
	(void)io_write_all(report, &said, sizeof said, &ignored);
	end(0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Promise 3, the rest: reaching into other processes. Against a child of one's own, where the kernel alone would let it
 * pass, and against init, which is a copy of the caller's memory. */
#include "probe.h"

#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char secret[16] = "before";

/** A child that waits to be reached into. */
static pid_t victim(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static enum verdict done(pid_t pid, enum verdict v)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
	return v;
}

static enum verdict trace_child(void)
{
	pid_t pid = victim();
	long word = 0;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) != 0)
		return done(pid, held(errno));
	waitpid(pid, NULL, __WALL);
	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, pid, secret, NULL);
	return done(pid, errno == 0 && memcmp(&word, secret, 6) == 0 ? through("its memory was read") : broken("attached, but %s", strerror(errno)));
}

static enum verdict trace_me(void) { return unless_failed(ptrace(PTRACE_TRACEME, 0, NULL, NULL), "traced"); }
static enum verdict trace_init(void)
{
	if (ptrace(PTRACE_ATTACH, 1, NULL, NULL) != 0)
		return held(errno);
	/* In the control it has to go on. */
	waitpid(1, NULL, __WALL);
	ptrace(PTRACE_DETACH, 1, NULL, NULL);
	kill(1, SIGCONT);
	return through("attached");
}

static enum verdict seize_init(void) { return unless_failed(ptrace(PTRACE_SEIZE, 1, NULL, NULL), "seized"); }

static enum verdict read_of(pid_t pid)
{
	char byte[16] = "";
	struct iovec to = { byte, sizeof byte }, from = { secret, sizeof secret };

	return syscall(SYS_process_vm_readv, pid, &to, 1ul, &from, 1ul, 0ul) < 0 ? held(errno) : through("read: %.6s", byte);
}

static enum verdict read_child(void)
{
	pid_t pid = victim();

	return done(pid, read_of(pid));
}

static enum verdict read_init(void) { return read_of(1); }

static enum verdict write_child(void)
{
	pid_t pid = victim();
	struct iovec from = { (char[]){ "after" }, 6 }, to = { secret, 6 };

	return done(pid, unless_failed(syscall(SYS_process_vm_writev, pid, &from, 1ul, &to, 1ul, 0ul), "written"));
}

static enum verdict fd_of(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return broken("pidfd_open");
	for (int fd = 0; fd < 64; fd++)
		if (syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0)
			return through("descriptor %d of process %d", fd, pid);
	return held(errno == EBADF ? 0 : errno);
}

static enum verdict fd_of_child(void)
{
	pid_t pid = victim();

	return done(pid, fd_of(pid));
}

static enum verdict fd_of_init(void) { return fd_of(1); }

static enum verdict compare_child(void)
{
	pid_t pid = victim();

	return done(pid, unless_failed(syscall(SYS_kcmp, getpid(), pid, KCMP_FILE, 1ul, 1ul), "compared"));
}

static enum verdict compare_init(void)
{
	return unless_failed(syscall(SYS_kcmp, getpid(), 1, KCMP_VM, 0ul, 0ul), "compared");
}

static enum verdict advise_child(void)
{
	pid_t pid = victim();
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct iovec at = { (void *)((uintptr_t)secret & ~4095ul), 4096 };

	return done(pid, unless_failed(syscall(SYS_process_madvise, pidfd, &at, 1ul, MADV_COLD, 0u), "advised"));
}

/** Of a process that is ending its memory may be taken at once; of one that is not, EINVAL. */
static enum verdict release_child(void)
{
	pid_t pid = victim();
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	long r = syscall(SYS_process_mrelease, pidfd, 0u);

	return done(pid, r == 0 || errno == EINVAL || errno == ESRCH ? through("a look was taken") : held(errno));
}

static enum verdict move_pages_of(pid_t pid)
{
	void *page = (void *)((uintptr_t)secret & ~4095ul);
	int status = 0;

	return unless_failed(syscall(SYS_move_pages, pid, 1ul, &page, NULL, &status, 0), "told where its memory lies");
}

static enum verdict pages_of_child(void)
{
	pid_t pid = victim();

	return done(pid, move_pages_of(pid));
}

static enum verdict migrate_child(void)
{
	pid_t pid = victim();
	unsigned long node = 1;

	return done(pid, unless_failed(syscall(SYS_migrate_pages, pid, 2ul, &node, &node), "migrated"));
}

/** init has the same uid: its limits could be lowered until it dies (RLIMIT_CPU), or cannot do its work. */
static enum verdict limit_init(void)
{
	struct rlimit limit;

	/* To what it is anyway: in the control init starts all the other tries. */
	long r = syscall(SYS_prlimit64, 1, RLIMIT_NOFILE, NULL, &limit);
	if (r == 0)
		r = syscall(SYS_prlimit64, 1, RLIMIT_NOFILE, &limit, NULL);
	return unless_failed(r, "init's limits are in reach");
}

/** The idlest of all comes to nothing any more while others are busy: neither to obey, nor to die. */
static enum verdict idle_init(void)
{
	const struct sched_param none = { 0 };

	return unless_failed(syscall(SYS_sched_setscheduler, 1, SCHED_IDLE, &none), "init is scheduled last");
}

static enum verdict pin_init(void)
{
	const unsigned long first = 1;

	return unless_failed(syscall(SYS_sched_setaffinity, 1, sizeof first, &first), "init is kept on a processor");
}

static enum verdict renice_init(void)
{
	return unless_failed(syscall(SYS_setpriority, PRIO_PROCESS, 1, 19), "init is scheduled last");
}

static enum verdict init_file(const char *path, int flags)
{
	int fd = open(path, flags);
	char byte[64];

	if (fd < 0)
		return held(errno);
	if ((flags & (O_DIRECTORY | O_WRONLY)) != 0)
		return through("%s was opened", path);
	ssize_t n = read(fd, byte, sizeof byte);
	for (ssize_t i = 0; i < n; i++)
		if (byte[i] != '\0')
			return through("%s: %d bytes", path, (int)n);
	return held(n < 0 ? errno : ENODATA);
}

static enum verdict init_memory(void) { return unless_failed(open("/proc/1/mem", O_RDONLY), "opened"); }
static enum verdict init_memory_write(void) { return unless_failed(open("/proc/1/mem", O_WRONLY), "opened"); }
static enum verdict init_environ(void) { return init_file("/proc/1/environ", O_RDONLY); }
static enum verdict init_cmdline(void) { return init_file("/proc/1/cmdline", O_RDONLY); }
static enum verdict init_maps(void) { return init_file("/proc/1/maps", O_RDONLY); }
static enum verdict init_auxv(void) { return init_file("/proc/1/auxv", O_RDONLY); }
static enum verdict init_syscall(void) { return init_file("/proc/1/syscall", O_RDONLY); }
static enum verdict init_stack(void) { return init_file("/proc/1/stack", O_RDONLY); }
static enum verdict init_root(void) { return init_file("/proc/1/root/", O_RDONLY | O_DIRECTORY); }
static enum verdict init_cwd(void) { return init_file("/proc/1/cwd/", O_RDONLY | O_DIRECTORY); }
static enum verdict init_fds(void) { return init_file("/proc/1/fd", O_RDONLY | O_DIRECTORY); }
static enum verdict init_map_files(void) { return init_file("/proc/1/map_files", O_RDONLY | O_DIRECTORY); }
/** runc's CVE-2019-5736: the program that made the box, to be written to. */
static enum verdict init_exe(void) { return init_file("/proc/1/exe", O_RDONLY); }
static enum verdict init_exe_write(void) { return init_file("/proc/1/exe", O_WRONLY); }
static enum verdict init_task(void) { return init_file("/proc/1/task/1/exe", O_RDONLY); }
static enum verdict init_namespace(void) { return unless_failed(open("/proc/1/ns/mnt", O_RDONLY), "opened"); }
static enum verdict init_fdinfo(void) { return init_file("/proc/1/fdinfo/0", O_RDONLY); }

/** In the control, init is the probe's own parent, and open to it. */
#define OF_INIT(name_, fn_, answer_) { 3, name_, fn_, { answer_, [MODE_FLOOR] = answer_, [MODE_BARE] = answer_ } }

const struct probe reach_probes[] = {
	{ 3, "trace-child", trace_child, { "EPERM", "EPERM", "through", [MODE_FLOOR] = "EPERM|through", [MODE_BARE] = "through" },
	  "debuggers, strace and LeakSanitizer trace processes of the same step; what may be is decided by ids and dumpability" },
	{ 3, "trace-me", trace_me, { "EPERM", "EPERM", "through", [MODE_FLOOR] = "EPERM|through", [MODE_BARE] = "through" },
	  "a debugger's child asks to be traced by its parent" },
	{ 3, "trace-init", trace_init, { "EPERM" } },
	{ 3, "seize-init", seize_init, { "EPERM" } },
	{ 3, "read-child", read_child, { "EPERM", [MODE_FLOOR] = "EPERM|through", [MODE_BARE] = "through" } },
	{ 3, "read-init", read_init, { "EPERM" } },
	{ 3, "write-child", write_child, { "EPERM", [MODE_FLOOR] = "EPERM|through", [MODE_BARE] = "through" } },
	{ 3, "fd-of-child", fd_of_child, { "EPERM", [MODE_FLOOR] = "EPERM|through", [MODE_BARE] = "through" } },
	{ 3, "fd-of-init", fd_of_init, { "EPERM" } },
	{ 3, "compare-child", compare_child, { "EPERM", [MODE_FLOOR] = "EPERM|through", [MODE_BARE] = "through|ENOSYS", [MODE_WEAK] = "through|ENOSYS" } },
	{ 3, "compare-init", compare_init, { "EPERM", [MODE_WEAK] = "through|ENOSYS" } },
	{ 3, "advise-child", advise_child, { "EPERM", [MODE_FLOOR] = "EPERM|through", [MODE_BARE] = "through|EPERM", [MODE_WEAK] = "through|EPERM" } },
	{ 3, "release-child", release_child, { "EPERM", [MODE_FLOOR] = "EPERM|through", [MODE_BARE] = "through" } },
	{ 3, "pages-of-child", pages_of_child, { "EPERM", [MODE_FLOOR] = "EPERM|through", [MODE_BARE] = "through", [MODE_WEAK] = "through|ENOSYS" } },
	{ 3, "migrate-child", migrate_child, { "EPERM", [MODE_FLOOR] = "EPERM|through", [MODE_BARE] = "through", [MODE_WEAK] = "through|ENOSYS" } },
	{ 3, "limit-init", limit_init, { "EPERM", [MODE_FLOOR] = "EPERM|through", [MODE_BARE] = "through" } },
	{ 3, "idle-init", idle_init, { "EPERM", [MODE_BARE] = "through" } },
	{ 3, "pin-init", pin_init, { "EPERM", [MODE_BARE] = "through" } },
	{ 3, "renice-init", renice_init, { "EPERM", [MODE_BARE] = "through" } },
	OF_INIT("init-memory", init_memory, "EACCES"),
	OF_INIT("init-memory-write", init_memory_write, "EROFS|EACCES"),
	OF_INIT("init-environ", init_environ, "EACCES"),
	OF_INIT("init-cmdline", init_cmdline, "ENODATA"),
	OF_INIT("init-maps", init_maps, "EACCES"),
	OF_INIT("init-auxv", init_auxv, "EACCES"),
	OF_INIT("init-syscall", init_syscall, "EACCES|EPERM"),
	{ 3, "init-stack", init_stack, { "EACCES|EPERM|ENOENT", [MODE_WEAK] = "EACCES|EPERM|ENOENT" } },
	OF_INIT("init-root", init_root, "EACCES"),
	OF_INIT("init-cwd", init_cwd, "EACCES"),
	OF_INIT("init-fds", init_fds, "EACCES"),
	OF_INIT("init-map-files", init_map_files, "EACCES"),
	OF_INIT("init-exe", init_exe, "EACCES"),
	{ 3, "init-exe-write", init_exe_write, { "EACCES|EROFS", [MODE_WEAK] = "ETXTBSY" } },
	OF_INIT("init-task", init_task, "EACCES"),
	OF_INIT("init-namespace", init_namespace, "EACCES"),
	OF_INIT("init-fdinfo", init_fdinfo, "EACCES"),
	{ 0 },
};

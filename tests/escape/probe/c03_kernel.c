/* SPDX-License-Identifier: Apache-2.0 */
/* Promise 3: no namespace, mount, root, handle or kernel control. Calls are made by number: what a C library would
 * refuse, or make something else of, is not what is tried here. */
#include "probe.h"

#include <linux/bpf.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/filter.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TMPFS 0x01021994

/* ---- namespaces ---- */

/** Whether a namespace's link is another after the call. */
static enum verdict new_namespace(unsigned long flag, const char *name)
{
	char path[64], before[64] = "", after[64] = "";

	snprintf(path, sizeof path, "/proc/self/ns/%s", name);
	if (readlink(path, before, sizeof before - 1) < 0)
		return broken("%s", path);
	long r = syscall(SYS_unshare, flag);
	int sys = errno;
	/* Of a new pid namespace there is nothing to read before its first process. */
	if (readlink(path, after, sizeof after - 1) < 0)
		strcpy(after, "none");
	return r == 0 || strcmp(before, after) != 0 ? through("%s: %s, then %s", name, before, after) : held(sys);
}

static enum verdict unshare_user(void) { return new_namespace(CLONE_NEWUSER, "user"); }
static enum verdict unshare_mount(void) { return new_namespace(CLONE_NEWNS, "mnt"); }
static enum verdict unshare_net(void) { return new_namespace(CLONE_NEWNET, "net"); }
static enum verdict unshare_pid(void) { return new_namespace(CLONE_NEWPID, "pid_for_children"); }
static enum verdict unshare_uts(void) { return new_namespace(CLONE_NEWUTS, "uts"); }
static enum verdict unshare_ipc(void) { return new_namespace(CLONE_NEWIPC, "ipc"); }
static enum verdict unshare_cgroup(void) { return new_namespace(CLONE_NEWCGROUP, "cgroup"); }
static enum verdict unshare_time(void) { return new_namespace(CLONE_NEWTIME, "time_for_children"); }

static enum verdict unshare_all(void)
{
	return new_namespace(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP, "user");
}

/** The child of a clone with this flag ends with 42. */
static enum verdict reap_clone(long pid, int sys)
{
	int status = 0;

	if (pid < 0)
		return held(sys);
	waitpid((pid_t)pid, &status, __WALL);
	return through("a process in a namespace of its own: %#x", status);
}

static enum verdict clone_user(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(42);
	return reap_clone(pid, errno);
}

/** Each of the others, for whoever has the right in the namespace that it is in. */
static enum verdict clone_each(void)
{
	static const unsigned long flags[] = { CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWCGROUP };
	int sys = 0;

	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		long pid = syscall(SYS_clone, flags[i] | SIGCHLD, NULL, NULL, NULL, NULL);

		if (pid == 0)
			_exit(42);
		if (pid > 0)
			return reap_clone(pid, 0);
		sys = errno;
	}
	return held(sys);
}

/** clone(2) takes flags of 64 bits, but looks at 32. */
static enum verdict clone_user_high(void)
{
	long pid = syscall(SYS_clone, 0xffffffff00000000ul | CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(42);
	return reap_clone(pid, errno);
}

static enum verdict clone3_with(uint64_t flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof args);

	if (pid == 0)
		_exit(42);
	return reap_clone(pid, errno);
}

static enum verdict clone3_user(void) { return clone3_with(CLONE_NEWUSER); }
static enum verdict clone3_plain(void) { return clone3_with(0); }

static enum verdict setns_to(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return broken("%s", path);
	return unless_failed(syscall(SYS_setns, fd, 0), path);
}

/** To one's own changes nothing, and is allowed to any who may at all. */
static enum verdict setns_own(void) { return setns_to("/proc/self/ns/uts"); }

/** All of another process by its pidfd. */
static enum verdict setns_pidfd(void)
{
	pid_t child = fork();

	if (child == 0)
		pause();
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	long r = pidfd < 0 ? -1 : syscall(SYS_setns, pidfd, CLONE_NEWUTS);
	int sys = errno;
	kill(child, SIGKILL);
	return pidfd < 0 ? broken("pidfd_open") : r == 0 ? through("joined") : held(sys);
}

/** Since Linux 6.11 a pidfd leads to the namespaces of its process (PIDFD_GET_MNT_NAMESPACE). */
static enum verdict namespace_of_init(void)
{
	int fd = (int)syscall(SYS_pidfd_open, 1, 0);

	return fd < 0 ? broken("pidfd_open") : unless_failed(syscall(SYS_ioctl, fd, _IO(0xff, 3)), "init's mount namespace");
}

/* ---- mounts and roots ---- */

/** With a hierarchy of cgroups to write to, its release_agent is started by the kernel. Version 2, which has none: there is one already, and
 * nothing of the host's is changed by seeing it. */
static enum verdict mount_cgroup(void) { return unless_failed(syscall(SYS_mount, "none", "/tmp", "cgroup2", 0, NULL), "the host's cgroups"); }

/** Copies up with what a lower layer has, setuid bits too (CVE-2023-0386). */
static enum verdict mount_overlay(void)
{
	if (mkdir("/dev/shm/u", 0755) != 0 || mkdir("/dev/shm/w", 0755) != 0)
		return broken("/dev/shm");
	return unless_failed(syscall(SYS_mount, "o", "/tmp", "overlay", 0, "lowerdir=/bin,upperdir=/dev/shm/u,workdir=/dev/shm/w,userxattr"), "an overlay");
}

static enum verdict mount_tmpfs(void)
{
	struct statfs before, after;
	int sys;

	if (statfs("/sys", &before) != 0)
		return broken("/sys");
	long r = syscall(SYS_mount, "none", "/sys", "tmpfs", 0, "size=64k,nr_inodes=77");
	sys = errno;
	if (statfs("/sys", &after) != 0)
		return broken("/sys");
	return after.f_type == TMPFS && after.f_files == 77 ? through("a tmpfs on /sys") : held(r < 0 ? sys : 0);
}

static enum verdict mount_bind(void)
{
	struct stat tmp, etc;

	long r = syscall(SYS_mount, "/tmp", "/etc", NULL, MS_BIND, NULL);
	int sys = errno;
	if (stat("/tmp", &tmp) != 0 || stat("/etc", &etc) != 0)
		return broken("/tmp and /etc");
	return tmp.st_ino == etc.st_ino && tmp.st_dev == etc.st_dev ? through("/tmp is on /etc") : held(r < 0 ? sys : 0);
}

static enum verdict mount_proc(void) { return unless_failed(syscall(SYS_mount, "proc", "/tmp", "proc", 0, NULL), "a /proc"); }

static enum verdict remount_writable(void)
{
	long r = syscall(SYS_mount, NULL, "/bin", NULL, MS_REMOUNT | MS_BIND, NULL);
	int sys = errno;

	if (r != 0)
		syscall(SYS_mount, NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL);
	return put_file("/bin/planted", 0644) == 0 ? through("/bin can be written to") : held(r < 0 ? sys : 0);
}

static enum verdict unmount(const char *path, int flags)
{
	return unless_failed(syscall(SYS_umount2, path, flags), path);
}

static enum verdict unmount_mask(void) { return unmount("/proc/cmdline", MNT_DETACH); }
static enum verdict unmount_proc(void) { return unmount("/proc", MNT_DETACH); }

/** The new calls: a copy of the root, its flags cleared, written to. */
static enum verdict open_tree_clone(void)
{
	long fd = syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID };

	if (fd < 0)
		return held(errno);
	syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof attr);
	return through("a copy of the root");
}

static enum verdict fsopen_tmpfs(void) { return unless_failed(syscall(SYS_fsopen, "tmpfs", 0), "a file system"); }
static enum verdict fspick_root(void) { return unless_failed(syscall(SYS_fspick, AT_FDCWD, "/proc", 0), "picked"); }

static enum verdict mount_setattr_root(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID };

	return unless_failed(syscall(SYS_mount_setattr, AT_FDCWD, "/proc", 0, &attr, sizeof attr), "flags were set");
}

static enum verdict chroot_out(void)
{
	struct stat before, after;

	if (mkdir("/tmp/jail", 0755) != 0 && errno != EEXIST)
		return broken("/tmp/jail");
	stat("/", &before);
	long r = syscall(SYS_chroot, "/tmp/jail");
	int sys = errno;
	stat("/", &after);
	return before.st_ino != after.st_ino || before.st_dev != after.st_dev ? through("another root") : held(r < 0 ? sys : 0);
}

static enum verdict pivot_root_self(void)
{
	/* "." on "." works wherever the root is a mount, and one may at all; a chroot's is not: EINVAL says that it was looked at. */
	long r = chdir("/") != 0 ? -1 : syscall(SYS_pivot_root, ".", ".");

	return r == 0 || errno == EINVAL ? through("a look was taken: %ld", r) : held(errno);
}

/* ---- files by handle: "shocker" ---- */

struct handle { struct file_handle h; char space[128]; };

static enum verdict handle_of_file(void)
{
	struct handle h = { .h.handle_bytes = sizeof h.space };
	int mount_id;

	return unless_failed(syscall(SYS_name_to_handle_at, AT_FDCWD, "/tmp", &h, &mount_id, 0), "a handle");
}

/** A process for good, past the reuse of its number (pidfs, since Linux 6.14). */
static enum verdict handle_of_process(void)
{
	struct handle h = { .h.handle_bytes = sizeof h.space };
	int mount_id, fd = (int)syscall(SYS_pidfd_open, 1, 0);

	return fd < 0 ? broken("pidfd_open") : unless_failed(syscall(SYS_name_to_handle_at, fd, "", &h, &mount_id, AT_EMPTY_PATH), "a handle");
}

/** Inode 2 is the root of an ext4, whatever the mount shows of it. Without CAP_DAC_READ_SEARCH the kernel refuses, too. */
static enum verdict shocker(void)
{
	struct handle h = { .h = { .handle_bytes = 8, .handle_type = 1 } };
	const uint32_t root[2] = { 2, 0 };
	int sys = 0;
	static const char *const at[] = { "/bin", "/", "/tmp", "/etc", "/in" };

	memcpy(h.h.f_handle, root, sizeof root);
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		int fd = open(at[i], O_RDONLY | O_DIRECTORY);

		if (fd >= 0 && syscall(SYS_open_by_handle_at, fd, &h, O_RDONLY) >= 0)
			return through("the file system's root, from %s", at[i]);
		sys = fd < 0 ? sys : errno;
	}
	return held(sys);
}

/* ---- the kernel's own ---- */

static enum verdict bpf_map(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };

	return unless_failed(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr), "a map");
}

static enum verdict perf_self(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .config = PERF_COUNT_SW_CPU_CLOCK,
					.exclude_kernel = 1, .exclude_hv = 1 };

	return unless_failed(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0ul), "a counter");
}

static enum verdict memory_secret(void)
{
	return unless_failed(syscall(SYS_memfd_secret, 0), "secret memory");
}

static enum verdict set_hostname(void)
{
	struct utsname before, after;

	uname(&before);
	long r = syscall(SYS_sethostname, "owned", 5);
	int sys = errno;
	uname(&after);
	return strcmp(before.nodename, after.nodename) != 0 ? through("now '%s'", after.nodename) : held(r < 0 ? sys : 0);
}

static enum verdict set_domainname(void)
{
	struct utsname before, after;

	uname(&before);
	long r = syscall(SYS_setdomainname, "owned", 5);
	int sys = errno;
	uname(&after);
	return strcmp(before.domainname, after.domainname) != 0 ? through("now '%s'", after.domainname) : held(r < 0 ? sys : 0);
}

/** To the time that it is anyway. */
static enum verdict set_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return unless_failed(syscall(SYS_clock_settime, CLOCK_REALTIME, &now), "set");
}

static enum verdict set_time_of_day(void)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	return unless_failed(syscall(SYS_settimeofday, &now, NULL), "set");
}

/** Reading asks for nothing where it is allowed at all. */
static enum verdict adjust_clock(void)
{
	struct timex t = { 0 };

	return unless_failed(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &t), "read");
}

static enum verdict kernel_log(void)
{
	return unless_failed(syscall(SYS_syslog, 10, NULL, 0), "its size");
}

static enum verdict seccomp_listener(void)
{
	struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { 1, allow };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return unless_failed(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program), "a listener");
}

/** Neither does a second filter that allows all take the first away. */
static enum verdict seccomp_replace(void)
{
	struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog program = { 1, allow };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		return broken("a filter of one's own");
	return new_namespace(CLONE_NEWUSER, "user");
}

static enum verdict seccomp_off(void)
{
	const char *value = field("/proc/self/status", "Seccomp");

	return value == NULL ? broken("no Seccomp") : value[0] != '2' ? through("mode %c", value[0]) : held(0);
}

static enum verdict personality_exec(void)
{
	long r = syscall(SYS_personality, READ_IMPLIES_EXEC);
	int sys = errno, now = personality(0xffffffff);

	return now >= 0 && (now & READ_IMPLIES_EXEC) != 0 ? through("readable is executable") : held(r < 0 ? sys : 0);
}

static enum verdict prctl_mm(void)
{
	return unless_failed(prctl(PR_SET_MM, PR_SET_MM_BRK, (unsigned long)sbrk(0), 0, 0), "set");
}

static enum verdict take_lease(void)
{
	if (put_file("/tmp/leased", 0600) != 0)
		return broken("/tmp/leased");
	int fd = open("/tmp/leased", O_RDONLY);

	return unless_failed(fcntl(fd, F_SETLEASE, F_RDLCK), "a lease");
}

static enum verdict message_queue(void)
{
	long r = syscall(SYS_mq_open, "glovebox", O_CREAT | O_RDWR, 0600, NULL);
	int sys = errno;

	syscall(SYS_mq_unlink, "glovebox");
	errno = sys;
	return unless_failed(r, "a queue");
}

/** Numbers that no kernel has yet, and some that only future ones may: all ENOSYS, as from an old kernel. */
static enum verdict unknown_numbers(void)
{
	static const long far[] = { 999, 1000, 1023, 4096, 65535, 0x3fffffff };

	for (long nr = 480; nr < 1024; nr++)
		if (syscall(nr, -1, -1, -1, -1, -1, -1) != -1 || errno != ENOSYS)
			return through("call %ld: %s", nr, strerror(errno));
	for (size_t i = 0; i < sizeof far / sizeof *far; i++)
		if (syscall(far[i], -1, -1, -1, -1, -1, -1) != -1 || errno != ENOSYS)
			return through("call %ld: %s", far[i], strerror(errno));
	return held(ENOSYS);
}

/** Calls of the kernels since 6.7 that no profile names: the new mount calls tell of host paths. */
static enum verdict newest_calls(void)
{
	const uint64_t request[4] = { 24, 0, ~0ull, 0 };
	uint64_t out[512];

	for (long nr = 456; nr < 475; nr++) {
		long r = syscall(nr, request, out, 8, 0, 0, 0);

		/* futex_wait and its kin, and cachestat below, are allowed by name. */
		if (nr != 456 && (r != -1 || errno != ENOSYS))
			return through("call %ld: %ld %s", nr, r, r < 0 ? strerror(errno) : "");
	}
	return held(ENOSYS);
}

/** Where one of the kernel's own errors, and not EPERM, tells that it took a look, the filter is what is missing. */
#define NO_LOOK(promise_, name_, nr_, ...) { promise_, name_, NULL, { "EPERM", [MODE_WEAK] = "-" }, .nr = nr_, .args = { __VA_ARGS__ } }

const struct probe kernel_probes[] = {
	{ 3, "unshare-user", unshare_user, { "EPERM", [MODE_BARE] = "ENOSPC" } },
	{ 3, "unshare-mount", unshare_mount, { "EPERM" } },
	{ 3, "unshare-net", unshare_net, { "EPERM" } },
	{ 3, "unshare-pid", unshare_pid, { "EPERM" } },
	{ 3, "unshare-uts", unshare_uts, { "EPERM" } },
	{ 3, "unshare-ipc", unshare_ipc, { "EPERM" } },
	{ 3, "unshare-cgroup", unshare_cgroup, { "EPERM" } },
	{ 3, "unshare-time", unshare_time, { "EPERM" } },
	{ 3, "unshare-all", unshare_all, { "EPERM", [MODE_BARE] = "ENOSPC" } },
	{ 3, "clone-each", clone_each, { "EPERM" } },
	{ 3, "namespace-of-init", namespace_of_init, { "EACCES|EPERM|ENOTTY|EINVAL", [MODE_WEAK] = "through|ENOTTY|EINVAL" } },
	{ 3, "clone-user", clone_user, { "EPERM", [MODE_BARE] = "ENOSPC" } },
	{ 3, "clone-user-high", clone_user_high, { "EPERM", [MODE_BARE] = "ENOSPC" } },
	{ 3, "clone3-user", clone3_user, { "ENOSYS", [MODE_BARE] = "ENOSPC" } },
	{ 3, "clone3-plain", clone3_plain, { "ENOSYS", [MODE_BARE] = "through" } },
	{ 3, "setns-own", setns_own, { "EPERM" } },
	{ 3, "setns-pidfd", setns_pidfd, { "EPERM" } },
	{ 3, "mount-tmpfs", mount_tmpfs, { "EPERM" } },
	{ 3, "mount-bind", mount_bind, { "EPERM" } },
	{ 3, "mount-cgroup", mount_cgroup, { "EPERM", [MODE_WEAK] = "through|EPERM" } },
	{ 3, "mount-overlay", mount_overlay, { "EPERM" } },
	{ 3, "mount-proc", mount_proc, { "EPERM" } },
	{ 3, "remount-writable", remount_writable, { "EPERM" } },
	{ 3, "unmount-mask", unmount_mask, { "EPERM", [MODE_WEAK] = "EINVAL" } },
	{ 3, "unmount-proc", unmount_proc, { "EPERM" } },
	{ 3, "open-tree-clone", open_tree_clone, { "EPERM" } },
	{ 3, "fsopen", fsopen_tmpfs, { "EPERM" } },
	{ 3, "fspick", fspick_root, { "EPERM" } },
	{ 3, "mount-setattr", mount_setattr_root, { "EPERM" } },
	{ 3, "chroot", chroot_out, { "EPERM" } },
	{ 3, "pivot-root", pivot_root_self, { "EPERM" } },
	{ 3, "handle-of-file", handle_of_file, { "EPERM", [MODE_BARE] = "through" } },
	{ 3, "handle-of-process", handle_of_process, { "EPERM", [MODE_BARE] = "through|EOPNOTSUPP", [MODE_WEAK] = "through|EOPNOTSUPP" } },
	{ 3, "shocker", shocker, { "EPERM", [MODE_WEAK] = "EPERM|ESTALE|EOPNOTSUPP|EINVAL" } },
	{ 3, "bpf-map", bpf_map, { "EPERM", [MODE_WEAK] = "-" } },
	{ 3, "perf-self", perf_self, { "EPERM", [MODE_BARE] = "through|EACCES", [MODE_WEAK] = "through|EACCES" } },
	{ 3, "memory-secret", memory_secret, { "ENOSYS", [MODE_FLOOR] = "through|ENOSYS", [MODE_BARE] = "through|ENOSYS", [MODE_WEAK] = "through|ENOSYS" } },
	{ 3, "set-hostname", set_hostname, { "EPERM" } },
	{ 3, "set-domainname", set_domainname, { "EPERM" } },
	{ 3, "set-clock", set_clock, { "EPERM", [MODE_WEAK] = "EPERM" } },
	{ 3, "set-time-of-day", set_time_of_day, { "EPERM", [MODE_WEAK] = "EPERM" } },
	{ 3, "adjust-clock", adjust_clock, { "EPERM", [MODE_BARE] = "through" } },
	{ 3, "kernel-log", kernel_log, { "EPERM", [MODE_BARE] = "through|EPERM", [MODE_WEAK] = "through|EPERM" } },
	{ 3, "seccomp-listener", seccomp_listener, { "EPERM", [MODE_BARE] = "through|EBUSY" } },
	{ 3, "seccomp-replace", seccomp_replace, { "EPERM", [MODE_BARE] = "ENOSPC" } },
	{ 3, "seccomp-off", seccomp_off, { "held" } },
	{ 3, "personality-exec", personality_exec, { "EPERM", [MODE_FLOOR] = "through", [MODE_BARE] = "through" } },
	{ 3, "prctl-mm", prctl_mm, { "EPERM", [MODE_WEAK] = "EPERM" } },
	{ 3, "take-lease", take_lease, { "EPERM", [MODE_BARE] = "through" } },
	{ 3, "unknown-numbers", unknown_numbers, { "ENOSYS", [MODE_WEAK] = "ENOSYS" } },
	{ 3, "newest-calls", newest_calls, { "ENOSYS", [MODE_FLOOR] = "through|ENOSYS", [MODE_BARE] = "through" } },
	/* Arguments that these would take, or that harm nobody where they are let through. */
	NO_LOOK(3, "fsconfig", SYS_fsconfig, -1, 0),
	NO_LOOK(3, "fsmount", SYS_fsmount, -1, 0),
	NO_LOOK(3, "move-mount", SYS_move_mount, -1, (long)"", -1, (long)""),
	NO_LOOK(3, "kexec-load", SYS_kexec_load, 0, 0, 0, 0),
	NO_LOOK(3, "kexec-file-load", SYS_kexec_file_load, -1, -1, 0, 0, 0),
	NO_LOOK(3, "init-module", SYS_init_module, 0, 0, (long)""),
	NO_LOOK(3, "finit-module", SYS_finit_module, -1, (long)"", 0),
	NO_LOOK(3, "delete-module", SYS_delete_module, (long)"glovebox-none", 0),
	NO_LOOK(3, "reboot", SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_ON),
	NO_LOOK(3, "swapon", SYS_swapon, (long)"/tmp/none", 0),
	NO_LOOK(3, "swapoff", SYS_swapoff, (long)"/tmp/none"),
	NO_LOOK(3, "quotactl", SYS_quotactl, 0x800001, 0, 0, 0),
	NO_LOOK(3, "quotactl-fd", SYS_quotactl_fd, 0, 0x800001, 0, 0),
	NO_LOOK(3, "accounting", SYS_acct, (long)"/tmp/none"),
	NO_LOOK(3, "fanotify", SYS_fanotify_init, 0, 0),
	NO_LOOK(3, "vhangup", SYS_vhangup, 0),
	NO_LOOK(3, "lookup-dcookie", SYS_lookup_dcookie, 0, 0, 0),
	{ 3, "keyctl-session", NULL, { "EPERM", [MODE_BARE] = "through" }, .nr = SYS_keyctl, .args = { 1 } },
#ifdef __x86_64__
	NO_LOOK(3, "iopl", SYS_iopl, 0),
	NO_LOOK(3, "ioperm", SYS_ioperm, 0x80, 1, 1),
	{ 3, "modify-ldt", NULL, { "EPERM", [MODE_FLOOR] = "through", [MODE_BARE] = "through" }, .nr = SYS_modify_ldt },
	NO_LOOK(3, "old-sysctl", SYS__sysctl, 0),
	NO_LOOK(3, "ustat", SYS_ustat, 0, 0),
	NO_LOOK(3, "uselib", SYS_uselib, (long)""),
#endif
	{ 3, "openat2", NULL, { "ENOSYS", [MODE_FLOOR] = "ENOSYS|EPERM|EINVAL", [MODE_BARE] = "EINVAL", [MODE_WEAK] = "EINVAL" },
	  .nr = SYS_openat2, .args = { AT_FDCWD, (long)"/", 0, 0 } },
	{ 3, "old-aio", NULL, { "ENOSYS", "through", [MODE_FLOOR] = "through", [MODE_BARE] = "through" },
	  "databases under test use the old asynchronous I/O; it touches open files of the step alone",
	  .nr = SYS_io_setup, .args = { 1, (long)(char[8]){ 0 } } },
	{ 3, "message-queue", message_queue, { "ENOSYS", "through|EACCES", [MODE_FLOOR] = "through|EACCES", [MODE_BARE] = "through|EACCES" },
	  "test suites use POSIX message queues; they are in the step's own IPC namespace" },
	{ 3, "numa-policy", NULL, { "ENOSYS", "through", [MODE_FLOOR] = "through", [MODE_BARE] = "through", [MODE_WEAK] = "through|ENOSYS" },
	  "where a process's own memory lies: the Java machine and OpenMP ask", .nr = SYS_get_mempolicy, .args = { 0 } },
	{ 0 },
};

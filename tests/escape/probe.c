/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile probes, one static program. `probe` lists the names; `probe NAME` tries one, from inside a sandbox,
 * and exits 1 when it was refused (errno on stdout), 0 when it got through. Each row names the promise it
 * belongs to (glovebox-security(7)). These are the ones that namespaces, mounts, capabilities and Landlock must
 * hold without any seccomp filter. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/reboot.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

/** A probe: 0 when it got through, -1 with errno when refused. */
typedef int probe_fn(void);

static int readable(const char *path)
{
	char byte[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, byte, sizeof byte);

	for (ssize_t i = 0; i < n; i++)
		if (byte[i] != '\0')
			return 0;
	if (n >= 0)
		errno = ENODATA; /* masked */
	return -1;
}

static int writable(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0644);

	return fd < 0 ? -1 : (int)write(fd, "0", 1) - 1;
}

/* ---- 1: nothing of the caller's ---- */
static int extra_fd(void)
{
	for (int fd = 3; fd < 65536; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 0;
	return -1;
}
static int tty_push(void)
{
	int fd = open("/dev/tty", O_RDWR);

	return fd < 0 ? -1 : ioctl(fd, TIOCSTI, "x");
}
static int stdout_is_tty(void) { return isatty(0) || isatty(1) || isatty(2) ? 0 : -1; }
static int caller_key(void)
{
	return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "glovebox-probe", 0) < 0 ? -1 : 0;
}

/* ---- 2: no capability ---- */
static int any_capability(void)
{
	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			return 0;
	return -1;
}
static int raise_capability(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct all[2] = { { ~0u, ~0u, ~0u }, { ~0u, ~0u, ~0u } };

	return (int)syscall(SYS_capset, &head, all);
}
static int ambient_capability(void) { return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0); }
static int unset_nnp(void) { return prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0); }
static int unlock_securebits(void) { return prctl(PR_SET_SECUREBITS, 0, 0, 0, 0); }
static int become_root(void) { return getuid() == 0 ? setuid(1) : setuid(0); }
static int set_groups(void)
{
	gid_t g = 0;

	return setgroups(1, &g);
}
static int mount_is_suid(void)
{
	static const char *const at[] = { "/", "/tmp", "/dev/shm", "/build/home", "/bin", "/proc", "/dev/pts", "/dev/null" };
	struct statvfs s;

	for (size_t i = 0; i < sizeof at / sizeof *at; i++)
		if (statvfs(at[i], &s) == 0 && (s.f_flag & ST_NOSUID) == 0)
			return 0;
	return -1;
}

/* ---- 3: no mount, no reaching into other processes ---- */
static int mount_tmpfs(void) { return mount("x", "/tmp", "tmpfs", 0, NULL); }
static int remount_root(void) { return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL); }
static int remount_bin(void) { return mount(NULL, "/bin", NULL, MS_REMOUNT | MS_BIND, NULL); }
static int unmask_proc(void) { return umount2("/proc/cmdline", MNT_DETACH); }
static int bind_over(void) { return mount("/tmp", "/etc", NULL, MS_BIND, NULL); }
static int clone_tree(void) { return (int)syscall(SYS_open_tree, AT_FDCWD, "/", 1); }
static int open_fs(void) { return (int)syscall(SYS_fsopen, "tmpfs", 0); }
static int set_mount_attr(void)
{
	uint64_t attr[4] = { 0, 1, 0, 0 };

	return (int)syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, attr, sizeof attr);
}
static int do_chroot(void) { return chroot("/tmp"); }
static int do_pivot(void) { return (int)syscall(SYS_pivot_root, ".", "."); }
static int trace_init(void) { return ptrace(PTRACE_ATTACH, 1, NULL, NULL) < 0 ? -1 : 0; }
static int read_init(void)
{
	char byte[16];
	struct iovec to = { byte, sizeof byte }, from = { (void *)readable, sizeof byte };

	return process_vm_readv(1, &to, 1, &from, 1, 0) < 0 ? -1 : 0;
}
static int fd_of_init(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);

	if (pidfd < 0)
		return -1;
	for (int fd = 0; fd < 32; fd++)
		if (syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0)
			return 0;
	return -1;
}
static int compare_init(void) { return syscall(SYS_kcmp, 1, getpid(), KCMP_FILE, 0, 0) < 0 ? -1 : 0; }
static int open_handle(void)
{
	struct { struct file_handle h; char space[128]; } f = { .h.handle_bytes = 128 };
	int mount_id;

	if (name_to_handle_at(AT_FDCWD, "/bin", &f.h, &mount_id, 0) != 0)
		return -1;
	return open_by_handle_at(open("/", O_RDONLY), &f.h, O_RDONLY) < 0 ? -1 : 0;
}
static int join_init(void)
{
	int fd = open("/proc/1/ns/mnt", O_RDONLY);

	return fd < 0 ? -1 : setns(fd, 0);
}
static int restart(void) { return (int)syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_ON, 0); }
static int set_clock(void)
{
	struct timeval t = { 0, 0 };

	gettimeofday(&t, NULL);
	return settimeofday(&t, NULL);
}
static int rename_host(void) { return sethostname("x", 1); }
static int swap_off(void) { return (int)syscall(SYS_swapoff, "/tmp"); }
static int load_module(void) { return (int)syscall(SYS_init_module, "x", 1, ""); }

/* ---- 7: read-only but for the declared, nothing of the host in /proc ---- */
static int root_of_init(void) { return open("/proc/1/root", O_RDONLY | O_DIRECTORY) < 0 ? -1 : 0; }
static int cwd_of_init(void) { return open("/proc/1/cwd", O_RDONLY | O_DIRECTORY) < 0 ? -1 : 0; }
static int exe_of_init(void) { return open("/proc/1/exe", O_RDONLY) < 0 ? -1 : 0; }
static int fds_of_init(void) { return opendir("/proc/1/fd") == NULL ? -1 : 0; }
static int env_of_init(void) { return readable("/proc/1/environ"); }
static int args_of_init(void) { return readable("/proc/1/cmdline"); }
static int memory_of_init(void) { return open("/proc/1/mem", O_RDONLY) < 0 ? -1 : 0; }
static int maps_of_init(void) { return readable("/proc/1/maps"); }
static int host_cmdline(void) { return readable("/proc/cmdline"); }
static int host_keys(void) { return readable("/proc/keys"); }
static int host_symbols(void) { return readable("/proc/kallsyms"); }
static int host_config(void) { return readable("/proc/config.gz"); }
static int host_interrupts(void) { return readable("/proc/interrupts"); }
static int host_memory(void) { return readable("/proc/kcore"); }
static int host_log(void) { return readable("/proc/kmsg"); }
static int sysrq(void) { return writable("/proc/sysrq-trigger"); }
static int core_pattern(void) { return writable("/proc/sys/kernel/core_pattern"); }
static int own_oom(void) { return writable("/proc/self/oom_score_adj"); }
static int write_bin(void) { return writable("/bin/probe-was-here"); }
static int write_etc(void) { return writable("/etc/passwd"); }
static int write_dev(void) { return writable("/dev/probe-was-here"); }
static int write_root(void) { return writable("/probe-was-here"); }
static int chmod_null(void) { return chmod("/dev/null", 0777); }
static int touch_bin(void) { return utimensat(AT_FDCWD, "/bin", NULL, 0); }
static int sysfs(void)
{
	DIR *dir = opendir("/sys");

	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
		if (e->d_name[0] != '.')
			return 0;
	return -1;
}
/** Out of the root by a descriptor kept across chroot would need chroot; by "..", nothing. */
static int dot_dot(void)
{
	struct stat root, up;

	if (chdir("/") != 0 || chdir("../../../..") != 0 || stat(".", &up) != 0 || stat("/", &root) != 0)
		return -1;
	return up.st_ino == root.st_ino && up.st_dev == root.st_dev ? -1 : 0;
}

/* ---- 8: no setuid, no device node ---- */
static int make_node(void) { return mknod("/tmp/node", S_IFCHR | 0666, makedev(1, 1)); }
static int make_block(void) { return mknod("/tmp/block", S_IFBLK | 0666, makedev(254, 0)); }
static int make_whiteout(void) { return mknod("/tmp/whiteout", S_IFCHR | 0666, makedev(0, 0)); }
static int give_away(void)
{
	int fd = open("/tmp/file", O_CREAT | O_WRONLY, 0755);

	return fd < 0 ? -1 : fchown(fd, 0, getuid() == 0 ? 1 : 0);
}

/* ---- 9: nothing outlives the step ---- */
static int kill_init(void)
{
	kill(1, SIGKILL);
	usleep(10000); /* had it worked, nobody would be here to say so */
	errno = EPERM;
	return -1;
}
static int stop_init(void)
{
	char state = 0, text[512];
	FILE *f;

	kill(1, SIGSTOP);
	f = fopen("/proc/1/stat", "r");
	if (f == NULL || fgets(text, sizeof text, f) == NULL || strrchr(text, ')') == NULL)
		return -1;
	state = strrchr(text, ')')[2];
	return state == 'T' ? 0 : -1;
}

/* ---- 12: limits stay ---- */
static int raise_limit(int resource)
{
	struct rlimit l;

	getrlimit((__rlimit_resource_t)resource, &l);
	l.rlim_max++;
	return setrlimit((__rlimit_resource_t)resource, &l);
}
static int raise_processes(void) { return raise_limit(RLIMIT_NPROC); }
static int raise_files(void) { return raise_limit(RLIMIT_NOFILE); }
static int raise_core(void) { return raise_limit(RLIMIT_CORE); }
static int be_nicer(void)
{
	errno = 0;
	return setpriority(PRIO_PROCESS, 0, -5);
}
static int real_time(void)
{
	struct sched_param p = { .sched_priority = 1 };

	return sched_setscheduler(0, SCHED_FIFO, &p);
}

static const struct { int promise; const char *name; probe_fn *fn; } probes[] = {
	{ 1, "extra-fd", extra_fd }, { 1, "tty-push", tty_push }, { 1, "stdout-is-tty", stdout_is_tty },
	{ 1, "caller-key", caller_key },
	{ 2, "any-capability", any_capability }, { 2, "raise-capability", raise_capability },
	{ 2, "ambient-capability", ambient_capability }, { 2, "unset-nnp", unset_nnp },
	{ 2, "unlock-securebits", unlock_securebits }, { 2, "become-root", become_root }, { 2, "set-groups", set_groups },
	{ 2, "mount-is-suid", mount_is_suid },
	{ 3, "mount-tmpfs", mount_tmpfs }, { 3, "remount-root", remount_root }, { 3, "remount-bin", remount_bin },
	{ 3, "unmask-proc", unmask_proc }, { 3, "bind-over", bind_over }, { 3, "clone-tree", clone_tree },
	{ 3, "open-fs", open_fs }, { 3, "set-mount-attr", set_mount_attr }, { 3, "chroot", do_chroot },
	{ 3, "pivot", do_pivot }, { 3, "trace-init", trace_init }, { 3, "read-init", read_init },
	{ 3, "fd-of-init", fd_of_init }, { 3, "compare-init", compare_init }, { 3, "open-handle", open_handle },
	{ 3, "join-init", join_init }, { 3, "reboot", restart }, { 3, "set-clock", set_clock },
	{ 3, "set-hostname", rename_host }, { 3, "swapoff", swap_off }, { 3, "load-module", load_module },
	{ 7, "root-of-init", root_of_init }, { 7, "cwd-of-init", cwd_of_init }, { 7, "exe-of-init", exe_of_init },
	{ 7, "fds-of-init", fds_of_init }, { 7, "env-of-init", env_of_init }, { 7, "args-of-init", args_of_init },
	{ 7, "memory-of-init", memory_of_init }, { 7, "maps-of-init", maps_of_init },
	{ 7, "host-cmdline", host_cmdline }, { 7, "host-keys", host_keys }, { 7, "host-symbols", host_symbols },
	{ 7, "host-config", host_config }, { 7, "host-interrupts", host_interrupts }, { 7, "host-memory", host_memory },
	{ 7, "host-log", host_log }, { 7, "sysrq", sysrq }, { 7, "core-pattern", core_pattern }, { 7, "own-oom", own_oom },
	{ 7, "write-bin", write_bin }, { 7, "write-etc", write_etc }, { 7, "write-dev", write_dev },
	{ 7, "write-root", write_root }, { 7, "chmod-null", chmod_null }, { 7, "touch-bin", touch_bin },
	{ 7, "sysfs", sysfs }, { 7, "dot-dot", dot_dot },
	{ 8, "make-node", make_node }, { 8, "make-block", make_block }, { 8, "make-whiteout", make_whiteout },
	{ 8, "give-away", give_away },
	{ 9, "kill-init", kill_init }, { 9, "stop-init", stop_init },
	{ 12, "raise-processes", raise_processes }, { 12, "raise-files", raise_files }, { 12, "raise-core", raise_core },
	{ 12, "be-nicer", be_nicer }, { 12, "real-time", real_time },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) {
		if (argc < 2) {
			printf("%s\n", probes[i].name);
		} else if (strcmp(argv[1], probes[i].name) == 0) {
			errno = 0;
			if (probes[i].fn() == 0)
				return printf("%s got through (promise %d)\n", argv[1], probes[i].promise), 0;
			return printf("%s: %s\n", argv[1], strerror(errno)), 1;
		}
	}
	return argc < 2 ? 0 : 99;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the running kernel answers to hostile and to ordinary calls under each shipped profile. Every call is
 * made raw, in a process of its own. */
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <linux/fs.h>

#include "base/base.h"

#define HIGH (1ull << 32)
#define WHITEOUT 4

enum { STRICT = 1, DEFAULT = 2, DEBUG = 4, FLOOR = 8, SHIPPED = 7, ALL = 15 };

/** Expectations beside an errno. */
enum { DONE = 0, KILLED = -1, PERMITTED = -2 /* neither EPERM nor ENOSYS: the kernel saw the call */ };

struct call {
	int in;               /**< profiles that the row is about */
	const char *what;
	int want;
	long nr;
	uint64_t a[6];
};

#define P(s) ((uint64_t)(uintptr_t)(s))
/* The floor is loaded with a profile of somebody's own that allows everything. */
#define FORBIDDEN(name) { ALL, #name, EPERM, SYS_##name, {0} }
#define ABSENT(name) { ALL, #name, ENOSYS, SYS_##name, {0} }

static int pair[2];
static char attribute[] = "user.x";
static uint64_t limit[2];
static const struct call calls[] = {
	/* Numbers that nobody knows, and calls that all have a fallback for. */
	{ ALL, "call 600", ENOSYS, 600, {0} },
	{ ALL, "call 100000", ENOSYS, 100000, {0} },
	{ ALL, "call -1", ENOSYS, -1, {0} },
	ABSENT(clone3), ABSENT(openat2), ABSENT(io_uring_setup), ABSENT(io_uring_enter), ABSENT(io_uring_register),
	ABSENT(memfd_secret),
	{ SHIPPED, "vmsplice", ENOSYS, SYS_vmsplice, {0} },
	{ STRICT, "io_setup", ENOSYS, SYS_io_setup, { 1, 0 } },
	{ DEFAULT | DEBUG, "io_setup", EFAULT, SYS_io_setup, { 1, 0 } },
	{ STRICT, "mq_open", ENOSYS, SYS_mq_open, {0} },
	{ DEFAULT | DEBUG, "mq_open", PERMITTED, SYS_mq_open, {0} },
	{ STRICT, "mbind", ENOSYS, SYS_mbind, {0} },

	/* Known and forbidden. */
	FORBIDDEN(unshare), FORBIDDEN(setns), FORBIDDEN(mount), FORBIDDEN(umount2), FORBIDDEN(pivot_root), FORBIDDEN(chroot),
	FORBIDDEN(fsopen), FORBIDDEN(fsconfig), FORBIDDEN(fsmount), FORBIDDEN(fspick), FORBIDDEN(open_tree), FORBIDDEN(move_mount),
	FORBIDDEN(mount_setattr), FORBIDDEN(name_to_handle_at), FORBIDDEN(open_by_handle_at), FORBIDDEN(bpf),
	FORBIDDEN(perf_event_open), FORBIDDEN(userfaultfd), FORBIDDEN(fanotify_init), FORBIDDEN(fanotify_mark),
	FORBIDDEN(lookup_dcookie), FORBIDDEN(process_vm_readv), FORBIDDEN(process_vm_writev), FORBIDDEN(process_madvise),
	FORBIDDEN(process_mrelease), FORBIDDEN(pidfd_getfd), FORBIDDEN(kcmp), FORBIDDEN(move_pages), FORBIDDEN(migrate_pages),
	FORBIDDEN(add_key), FORBIDDEN(request_key), FORBIDDEN(keyctl), FORBIDDEN(kexec_load), FORBIDDEN(kexec_file_load),
	FORBIDDEN(init_module), FORBIDDEN(finit_module), FORBIDDEN(delete_module), FORBIDDEN(quotactl), FORBIDDEN(quotactl_fd),
	FORBIDDEN(reboot), FORBIDDEN(swapon), FORBIDDEN(swapoff), FORBIDDEN(clock_settime), FORBIDDEN(settimeofday),
	FORBIDDEN(adjtimex), FORBIDDEN(clock_adjtime), FORBIDDEN(syslog), FORBIDDEN(acct), FORBIDDEN(sethostname),
	FORBIDDEN(setdomainname), FORBIDDEN(vhangup), FORBIDDEN(nfsservctl),
	{ STRICT | DEFAULT, "ptrace", EPERM, SYS_ptrace, {0} },
	{ DEBUG | FLOOR, "ptrace(TRACEME)", DONE, SYS_ptrace, {0} },

	/* Namespaces, by any bit and with rubbish above the int. */
	{ ALL, "clone", DONE, SYS_clone, { SIGCHLD } },
	{ ALL, "clone, high bit", DONE, SYS_clone, { HIGH | SIGCHLD } },
	{ ALL, "clone(NEWNS)", EPERM, SYS_clone, { 0x00020000 | SIGCHLD } },
	{ ALL, "clone(NEWCGROUP)", EPERM, SYS_clone, { 0x02000000 | SIGCHLD } },
	{ ALL, "clone(NEWUTS)", EPERM, SYS_clone, { 0x04000000 | SIGCHLD } },
	{ ALL, "clone(NEWIPC)", EPERM, SYS_clone, { 0x08000000 | SIGCHLD } },
	{ ALL, "clone(NEWUSER)", EPERM, SYS_clone, { 0x10000000 | SIGCHLD } },
	{ ALL, "clone(NEWUSER), high bit", EPERM, SYS_clone, { HIGH | 0x10000000 | SIGCHLD } },
	{ ALL, "clone(NEWPID)", EPERM, SYS_clone, { 0x20000000 | SIGCHLD } },
	{ ALL, "clone(NEWNET)", EPERM, SYS_clone, { 0x40000000 | SIGCHLD } },
	{ ALL, "clone(NEWTIME)", EPERM, SYS_clone, { 0x00000080 | SIGCHLD } },
	{ ALL, "clone(all)", EPERM, SYS_clone, { 0x7e020000 | SIGCHLD } },

	/* Sockets. */
	{ ALL, "socket(UNIX)", DONE, SYS_socket, { 1, 1, 0 } },
	{ ALL, "socket(UNIX, high bits)", DONE, SYS_socket, { HIGH | 1, HIGH | 1, HIGH } },
	{ DEFAULT | DEBUG | FLOOR, "socket(INET, STREAM)", DONE, SYS_socket, { 2, 1, 0 } },
	{ DEFAULT | DEBUG | FLOOR, "socket(INET, STREAM|CLOEXEC|NONBLOCK)", DONE, SYS_socket, { 2, 1 | O_CLOEXEC | O_NONBLOCK, 6 } },
	{ DEFAULT | DEBUG | FLOOR, "socket(INET, DGRAM)", DONE, SYS_socket, { 2, 2, 17 } },
	{ DEFAULT | DEBUG, "socket(INET6)", PERMITTED, SYS_socket, { 10, 1, 0 } },
	{ DEFAULT | DEBUG, "socket(INET, RAW)", EPERM, SYS_socket, { 2, 3, 1 } },
	{ DEFAULT | DEBUG, "socket(INET, RAW|CLOEXEC)", EPERM, SYS_socket, { 2, 3 | O_CLOEXEC, 1 } },
	{ DEFAULT | DEBUG, "socket(INET, RAW, high bits)", EPERM, SYS_socket, { HIGH | 2, HIGH | 3, 1 } },
	{ DEFAULT | DEBUG, "socket(INET6, RAW)", EPERM, SYS_socket, { 10, 3, 58 } },
	{ DEFAULT | DEBUG, "socket(INET, SEQPACKET)", EPERM, SYS_socket, { 2, 5, 132 } },
	{ DEFAULT | DEBUG, "socket(INET, DCCP)", EPERM, SYS_socket, { 2, 6, 33 } },
	{ DEFAULT | DEBUG, "socket(INET, PACKET)", EPERM, SYS_socket, { 2, 10, 768 } },
	{ DEFAULT | DEBUG | FLOOR, "socket(NETLINK, ROUTE)", DONE, SYS_socket, { 16, 3, 0 } },
	{ DEFAULT | DEBUG, "socket(NETLINK, SOCK_DIAG)", EPROTONOSUPPORT, SYS_socket, { 16, 3, 4 } },
	{ DEFAULT | DEBUG, "socket(NETLINK, NETFILTER)", EPROTONOSUPPORT, SYS_socket, { 16, 3, 12 } },
	{ DEFAULT | DEBUG, "socket(NETLINK, AUDIT, high bits)", EPROTONOSUPPORT, SYS_socket, { HIGH | 16, 3, HIGH | 9 } },
	{ FLOOR, "socket(NETLINK, SOCK_DIAG)", EAFNOSUPPORT, SYS_socket, { 16, 3, 4 } },
	{ STRICT, "socket(INET)", EAFNOSUPPORT, SYS_socket, { 2, 1, 0 } },
	{ STRICT, "socket(INET6)", EAFNOSUPPORT, SYS_socket, { 10, 1, 0 } },
	{ STRICT, "socket(NETLINK)", EAFNOSUPPORT, SYS_socket, { 16, 3, 0 } },
	{ ALL, "socket(PACKET)", EAFNOSUPPORT, SYS_socket, { 17, 3, 768 } },
	{ ALL, "socket(ALG)", EAFNOSUPPORT, SYS_socket, { 38, 5, 0 } },
	{ ALL, "socket(VSOCK)", EAFNOSUPPORT, SYS_socket, { 40, 1, 0 } },
	{ ALL, "socket(VSOCK, high bit)", EAFNOSUPPORT, SYS_socket, { HIGH | 40, 1, 0 } },
	{ ALL, "socket(XDP)", EAFNOSUPPORT, SYS_socket, { 44, 3, 0 } },
	{ ALL, "socket(KEY)", EAFNOSUPPORT, SYS_socket, { 15, 3, 2 } },
	{ ALL, "socket(-1)", EAFNOSUPPORT, SYS_socket, { UINT64_MAX, 1, 0 } },
	{ ALL, "socketpair(UNIX)", DONE, SYS_socketpair, { 1, 1, 0, P(pair) } },
	{ SHIPPED, "socketpair(INET)", EAFNOSUPPORT, SYS_socketpair, { 2, 1, 0, P(pair) } },
	{ ALL, "socketpair(TIPC)", EAFNOSUPPORT, SYS_socketpair, { 30, 1, 0, P(pair) } },

	/* ioctl: 32 bits count. */
	{ ALL, "ioctl(FIONREAD)", EBADF, SYS_ioctl, { UINT64_MAX, 0x541b, 0 } },
	{ ALL, "ioctl(TIOCSTI)", EPERM, SYS_ioctl, { UINT64_MAX, 0x5412, 0 } },
	{ ALL, "ioctl(TIOCSTI, high bit)", EPERM, SYS_ioctl, { UINT64_MAX, HIGH | 0x5412, 0 } },
	{ ALL, "ioctl(TIOCLINUX)", EPERM, SYS_ioctl, { UINT64_MAX, 0x541c, 0 } },
	{ ALL, "ioctl(TIOCCONS)", EPERM, SYS_ioctl, { UINT64_MAX, 0x541d, 0 } },
	{ ALL, "ioctl(TIOCSETD)", EPERM, SYS_ioctl, { UINT64_MAX, 0x5423, 0 } },
	{ ALL, "ioctl(TIOCVHANGUP)", EPERM, SYS_ioctl, { UINT64_MAX, 0x5437, 0 } },
	{ ALL, "ioctl(FIFREEZE)", EPERM, SYS_ioctl, { UINT64_MAX, 0xc0045877, 0 } },
	{ ALL, "ioctl(FS_IOC_ENABLE_VERITY)", EPERM, SYS_ioctl, { UINT64_MAX, 0x40806685, 0 } },
	{ ALL, "ioctl(FS_IOC_ADD_ENCRYPTION_KEY), sign-extended", EPERM, SYS_ioctl, { UINT64_MAX, 0xffffffffc0506617, 0 } },
	{ ALL, "ioctl(BTRFS_IOC_SUBVOL_CREATE)", EPERM, SYS_ioctl, { UINT64_MAX, 0x5000940e, 0 } },

	{ ALL, "ioctl(FS_IOC_FIEMAP)", ENOTTY, SYS_ioctl, { UINT64_MAX, 0xc020660b, 0 } },
	{ ALL, "ioctl(FS_IOC_FIEMAP), sign-extended", ENOTTY, SYS_ioctl, { UINT64_MAX, 0xffffffffc020660b, 0 } },
	{ ALL, "ioctl(FS_IOC_GETFSUUID)", ENOTTY, SYS_ioctl, { UINT64_MAX, 0x80111500, 0 } },
	{ ALL, "ioctl(FS_IOC_GETFSSYSFSPATH), high bit", ENOTTY, SYS_ioctl, { UINT64_MAX, HIGH | 0x80811501, 0 } },
	{ ALL, "ioctl(FS_IOC_GETFSLABEL)", ENOTTY, SYS_ioctl, { UINT64_MAX, FS_IOC_GETFSLABEL, 0 } },
	{ ALL, "ioctl(XFS_IOC_FSGEOMETRY)", ENOTTY, SYS_ioctl, { UINT64_MAX, 0x8100587e, 0 } },
	{ ALL, "ioctl(BTRFS_IOC_DEV_INFO)", ENOTTY, SYS_ioctl, { UINT64_MAX, 0xd000941e, 0 } },
	{ ALL, "ioctl(FS_IOC_GETFLAGS)", EBADF, SYS_ioctl, { UINT64_MAX, FS_IOC_GETFLAGS, 0 } },

	/* Leases on files that other steps have, too, and who opens them. */
	{ ALL, "fcntl(F_SETLEASE)", EPERM, SYS_fcntl, { UINT64_MAX, F_SETLEASE, F_RDLCK } },
	{ ALL, "fcntl(F_SETLEASE), high bit", EPERM, SYS_fcntl, { UINT64_MAX, HIGH | F_SETLEASE, F_RDLCK } },
	{ ALL, "fcntl(F_NOTIFY)", EPERM, SYS_fcntl, { UINT64_MAX, F_NOTIFY, 1 } },
	{ ALL, "fcntl(F_SETDELEG)", EPERM, SYS_fcntl, { UINT64_MAX, 1040, 0 } },
	{ ALL, "fcntl(F_GETFD)", DONE, SYS_fcntl, { 2, F_GETFD, 0 } },
	{ ALL, "fcntl(F_GETFD), high bit", DONE, SYS_fcntl, { 2, HIGH | F_GETFD, 0 } },
	{ ALL, "fcntl(F_OFD_GETLK)", EBADF, SYS_fcntl, { UINT64_MAX, F_OFD_GETLK, 0 } },

	/* Limits: of oneself alone. */
	{ ALL, "prlimit64(self)", DONE, SYS_prlimit64, { 0, 7, 0, P(limit) } },
	{ ALL, "prlimit64(self, high bit)", DONE, SYS_prlimit64, { HIGH, 7, 0, P(limit) } },
	{ ALL, "prlimit64(init)", EPERM, SYS_prlimit64, { 1, 7, 0, P(limit) } },
	{ ALL, "prlimit64(init, high bit)", EPERM, SYS_prlimit64, { HIGH | 1, 7, 0, P(limit) } },
	{ ALL, "prlimit64(-1)", EPERM, SYS_prlimit64, { UINT64_MAX, 7, 0, P(limit) } },

	/* Scheduling: of anybody but the sandbox's init, by whatever name. Arguments that the kernel itself refuses otherwise. */
	{ ALL, "sched_setaffinity(init)", EPERM, SYS_sched_setaffinity, { 1, 0, 0 } },
	{ ALL, "sched_setaffinity(init, high bit)", EPERM, SYS_sched_setaffinity, { HIGH | 1, 0, 0 } },
	{ ALL, "sched_setaffinity(self)", EINVAL, SYS_sched_setaffinity, { 0, 0, 0 } },
	{ ALL, "sched_setaffinity(by number)", ESRCH, SYS_sched_setaffinity, { INT_MAX, 0, 0 } },
	{ ALL, "sched_setscheduler(init)", EPERM, SYS_sched_setscheduler, { 1, 0, 0 } },
	{ ALL, "sched_setscheduler(self)", EINVAL, SYS_sched_setscheduler, { 0, 0, 0 } },
	{ ALL, "sched_setattr(init)", EPERM, SYS_sched_setattr, { 1, 0, 0 } },
	{ ALL, "sched_setattr(self)", EINVAL, SYS_sched_setattr, { 0, 0, 0 } },
	{ ALL, "setpriority(init)", EPERM, SYS_setpriority, { 0, 1, 0 } },
	{ ALL, "setpriority(init's group)", EPERM, SYS_setpriority, { 1, HIGH | 1, 0 } },
	{ ALL, "setpriority(user)", EPERM, SYS_setpriority, { 2, UINT32_MAX - 1, 0 } },
	{ ALL, "setpriority(by number)", ESRCH, SYS_setpriority, { 0, INT_MAX, 0 } },

	/* Modes. */
	{ ALL, "openat(O_CREAT)", DONE, SYS_openat, { (uint64_t)AT_FDCWD, P("a"), O_CREAT | O_RDWR, 0755 } },
	{ ALL, "openat(O_CREAT, setuid)", EPERM, SYS_openat, { (uint64_t)AT_FDCWD, P("b"), O_CREAT | O_RDWR, 04755 } },
	{ ALL, "openat(O_CREAT, setgid)", EPERM, SYS_openat, { (uint64_t)AT_FDCWD, P("b"), O_CREAT | O_RDWR, 02755 } },
	{ ALL, "openat(O_TMPFILE, setuid)", EPERM, SYS_openat, { (uint64_t)AT_FDCWD, P("."), O_TMPFILE | O_RDWR, 04755 } },
	{ ALL, "openat(O_CREAT, setuid, high bits)", EPERM, SYS_openat, { (uint64_t)AT_FDCWD, P("b"), HIGH | O_CREAT | O_RDWR, HIGH | 04755 } },
	{ ALL, "openat(rubbish as mode)", DONE, SYS_openat, { (uint64_t)AT_FDCWD, P("f"), O_RDONLY, UINT64_MAX } },
	{ ALL, "mkdirat", DONE, SYS_mkdirat, { (uint64_t)AT_FDCWD, P("d"), 0755 } },
	{ ALL, "mkdirat(setgid)", EPERM, SYS_mkdirat, { (uint64_t)AT_FDCWD, P("e"), 02755 } },
	{ ALL, "fchmodat", DONE, SYS_fchmodat, { (uint64_t)AT_FDCWD, P("f"), 01755 } },
	{ ALL, "fchmodat(setuid)", EPERM, SYS_fchmodat, { (uint64_t)AT_FDCWD, P("f"), 04755 } },
	{ ALL, "fchmodat(setgid, above 16 bits)", EPERM, SYS_fchmodat, { (uint64_t)AT_FDCWD, P("f"), 0xffff0000 | 02755 } },
	{ ALL, "fchmod(setuid)", EPERM, SYS_fchmod, { UINT64_MAX, 04755 } },
	{ ALL, "fchmod", EBADF, SYS_fchmod, { UINT64_MAX, 0755 } },
	{ ALL, "call 452 (fchmodat2) with setuid", EPERM, 452, { (uint64_t)AT_FDCWD, P("f"), 04755, 0 } },
	{ ALL, "mknodat(fifo)", DONE, SYS_mknodat, { (uint64_t)AT_FDCWD, P("p"), S_IFIFO | 0644, 0 } },
	{ ALL, "mknodat(regular)", DONE, SYS_mknodat, { (uint64_t)AT_FDCWD, P("r"), S_IFREG | 0644, 0 } },
	{ ALL, "mknodat(no type)", DONE, SYS_mknodat, { (uint64_t)AT_FDCWD, P("r0"), 0644, 0 } },
	{ ALL, "mknodat(socket)", DONE, SYS_mknodat, { (uint64_t)AT_FDCWD, P("s"), S_IFSOCK | 0644, 0 } },
	{ ALL, "mknodat(regular, setuid)", EPERM, SYS_mknodat, { (uint64_t)AT_FDCWD, P("q"), S_IFREG | 04755, 0 } },
	{ ALL, "mknodat(fifo, setgid)", EPERM, SYS_mknodat, { (uint64_t)AT_FDCWD, P("q"), S_IFIFO | 02755, 0 } },
	{ ALL, "mknodat(null device)", EPERM, SYS_mknodat, { (uint64_t)AT_FDCWD, P("q"), S_IFCHR | 0666, 0x103 } },
	{ ALL, "mknodat(whiteout)", EPERM, SYS_mknodat, { (uint64_t)AT_FDCWD, P("q"), S_IFCHR, 0 } },
	{ ALL, "mknodat(block)", EPERM, SYS_mknodat, { (uint64_t)AT_FDCWD, P("q"), S_IFBLK | 0600, 0x800 } },
	{ ALL, "renameat2", DONE, SYS_renameat2, { (uint64_t)AT_FDCWD, P("f"), (uint64_t)AT_FDCWD, P("g"), 1 } },
	{ ALL, "renameat2(WHITEOUT)", EPERM, SYS_renameat2, { (uint64_t)AT_FDCWD, P("f"), (uint64_t)AT_FDCWD, P("g"), WHITEOUT } },
	{ SHIPPED, "setxattr", EOPNOTSUPP, SYS_setxattr, { P("f"), P(attribute), P("1"), 1, 0 } },
	{ SHIPPED, "lsetxattr", EOPNOTSUPP, SYS_lsetxattr, { P("f"), P(attribute), P("1"), 1, 0 } },
	{ SHIPPED, "fsetxattr", EOPNOTSUPP, SYS_fsetxattr, { 0, P(attribute), P("1"), 1, 0 } },

	/* Options. */
	{ ALL, "personality(query)", DONE, SYS_personality, { 0xffffffff } },
	{ ALL, "personality(ADDR_NO_RANDOMIZE)", DONE, SYS_personality, { 0x40000 } },
	{ ALL, "personality(LINUX32|UNAME26)", DONE, SYS_personality, { 0x20008 } },
	{ SHIPPED, "personality(READ_IMPLIES_EXEC)", EPERM, SYS_personality, { 0x400000 } },
	{ SHIPPED, "personality(MMAP_PAGE_ZERO)", EPERM, SYS_personality, { 0x100000 } },
	{ SHIPPED, "personality(SVR4)", EPERM, SYS_personality, { 1 } },
	{ ALL, "prctl(SET_NAME)", DONE, SYS_prctl, { 15, P("x") } },
	{ SHIPPED, "prctl(SET_MM)", EPERM, SYS_prctl, { 35, 1, 0 } },
	{ SHIPPED, "prctl(SET_MM, high bit)", EPERM, SYS_prctl, { HIGH | 35, 1, 0 } },
	{ SHIPPED, "prctl(SCHED_CORE)", EPERM, SYS_prctl, { 62 } },
	{ ALL, "seccomp(GET_NOTIF_SIZES)", EFAULT, SYS_seccomp, { 3, 0, 0 } },
	{ ALL, "seccomp(NEW_LISTENER)", EPERM, SYS_seccomp, { 1, 8, 0 } },
	{ ALL, "seccomp(filter)", EFAULT, SYS_seccomp, { 1, 0, 0 } },

	/* Ordinary calls. */
	{ ALL, "getpid", DONE, SYS_getpid, {0} },
	{ ALL, "futex", DONE, SYS_futex, { P(pair), 1, 1 } },
	{ ALL, "membarrier", PERMITTED, SYS_membarrier, {0} },
	{ ALL, "msgget", DONE, SYS_msgget, { 0, 0600 | IPC_CREAT } },
	{ ALL, "statx", EFAULT, SYS_statx, {0} },
	{ ALL, "prlimit64", DONE, SYS_prlimit64, {0} },
	{ ALL, "pidfd_open", EINVAL, SYS_pidfd_open, { 0, 0 } },
#ifdef __x86_64__
	{ ALL, "open(O_CREAT, setuid)", EPERM, SYS_open, { P("b"), O_CREAT | O_RDWR, 04755 } },
	{ ALL, "open(O_TMPFILE, setgid)", EPERM, SYS_open, { P("."), O_TMPFILE | O_RDWR, 02755 } },
	{ ALL, "open", DONE, SYS_open, { P("f"), O_RDONLY, 07777 } },
	{ ALL, "creat(setuid)", EPERM, SYS_creat, { P("b"), 04755 } },
	{ ALL, "mkdir(setgid)", EPERM, SYS_mkdir, { P("b"), 02755 } },
	{ ALL, "chmod(setuid)", EPERM, SYS_chmod, { P("f"), 04755 } },
	{ ALL, "chmod", DONE, SYS_chmod, { P("f"), 0644 } },
	{ ALL, "mknod(device)", EPERM, SYS_mknod, { P("q"), S_IFCHR | 0666, 0x103 } },
	{ ALL, "mknod(regular, setgid)", EPERM, SYS_mknod, { P("q"), S_IFREG | 02755, 0 } },
	{ SHIPPED, "modify_ldt", EPERM, SYS_modify_ldt, {0} },
	{ ALL, "iopl", EPERM, SYS_iopl, { 3 } },
	{ ALL, "ioperm", EPERM, SYS_ioperm, { 0x80, 1, 1 } },
	{ ALL, "arch_prctl", PERMITTED, SYS_arch_prctl, { 0x1003, 0 } },
	{ ALL, "x32 read", KILLED, 0x40000000, {0} },
	{ ALL, "x32 getpid", KILLED, 0x40000000 | SYS_getpid, {0} },
	{ ALL, "x32 execve", KILLED, 0x40000000 | 520, {0} },
#endif
};

/** As the sandbox does: the floor first, then the profile of somebody's own, which is loaded under it. */
static int enter(const struct profile_builtin *p)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog own = { 1, &all };

	if (enter_profile(p) != 0)
		return -1;
	return p == profile_floor() ? (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &own) : 0;
}

/** Leaves the process with what the call answered: 0, an errno, or 255 for set-up that failed. */
static void child(const struct profile_builtin *p, const struct call *c)
{
	pid_t self = getpid();
	long result;

	if (enter(p) != 0)
		_exit(255);
	result = syscall(c->nr, c->a[0], c->a[1], c->a[2], c->a[3], c->a[4], c->a[5]);
	/* The child of a clone has nothing to say; a message queue of the host's must not stay. */
	if (getpid() != self)
		_exit(0);
	if (c->nr == SYS_msgget && result >= 0)
		syscall(SYS_msgctl, result, 0, NULL);
	_exit(result >= 0 ? 0 : errno);
}

/** A directory of its own for each call, with a file "f" in it. */
static int in_directory(const struct profile_builtin *p, const struct call *c)
{
	const char *tmp = getenv("TMPDIR");
	char dir[PATH_MAX];
	struct err err = {0};
	int status = -1;

	snprintf(dir, sizeof dir, "%s/glovebox-answers-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	pid_t pid = fork();
	if (pid == 0) {
		umask(0);
		if (chdir(dir) != 0 || close(open("f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644)) != 0)
			_exit(255);
		child(p, c);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(io_remove_tree(AT_FDCWD, dir, &err), 0);
	return status;
}

static void check(const struct profile_builtin *p, const struct call *c)
{
	int status = in_directory(p, c), got = WEXITSTATUS(status);

	if (c->want == KILLED) {
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: %s: not killed, status 0x%x", p->name, c->what, status);
		return;
	}
	if (!WIFEXITED(status))
		fail_msg("%s: %s: died of signal %d", p->name, c->what, WTERMSIG(status));
	if (c->want == PERMITTED ? got == EPERM || got == ENOSYS || got == 255 : got != c->want)
		fail_msg("%s: %s: %s, expected %s", p->name, c->what, got == 0 ? "done" : strerrorname_np(got),
			 c->want == PERMITTED ? "to reach the kernel" : c->want == DONE ? "done" : strerrorname_np(c->want));
}

static void check_all(const struct profile_builtin *p, int in)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if ((calls[i].in & in) != 0) {
			check(p, &calls[i]);
			n++;
		}
	assert_true(n > 100);
}

static void strict(void **state)
{
	(void)state;
	check_all(profile_builtin("strict"), STRICT);
}

static void standard(void **state)
{
	(void)state;
	check_all(profile_builtin("default"), DEFAULT);
}

static void debug(void **state)
{
	(void)state;
	check_all(profile_builtin("debug"), DEBUG);
}

static void below_a_profile_that_allows_all(void **state)
{
	(void)state;
	check_all(profile_floor(), FLOOR);
}

#ifdef __x86_64__
/** How a process ends that asks for its pid by the i386 gate. */
static int end_of_int80(const struct profile_builtin *p)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		int result = 20;

		if (p != NULL && enter(p) != 0)
			_exit(255);
		__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
		_exit(result == (int)getpid() ? 0 : 1);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void i386_is_killed(void **state)
{
	/* A kernel without the gate faults before any filter is asked. */
	int gate = WIFEXITED(end_of_int80(NULL)) ? SIGSYS : SIGSEGV;

	(void)state;
	for (size_t i = 0; profile_builtin_at(i) != NULL; i++) {
		int status = end_of_int80(profile_builtin_at(i));

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), gate);
	}
	assert_int_equal(WTERMSIG(end_of_int80(profile_floor())), gate);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strict),
		cmocka_unit_test(standard),
		cmocka_unit_test(debug),
		cmocka_unit_test(below_a_profile_that_allows_all),
#ifdef __x86_64__
		cmocka_unit_test(i386_is_killed),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

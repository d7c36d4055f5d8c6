/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls of a confined child (seccomp(2), linux/filter.h), by hand: base/ stands on no libseccomp,
 * and who audits this reads all of it. */
#include "base/confine_child.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/own.h"

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "base/confine_filter.c: no list of system calls for this architecture"
#endif

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
/** The low half of an argument; both architectures are little-endian, and the kernel takes all that are asked for as int. */
#define LOAD_ARG(n) LOAD(offsetof(struct seccomp_data, args[n]))
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define KILL RETURN(SECCOMP_RET_KILL_PROCESS)
#define ALLOW(name) IF(SYS_##name, 0, 1), RETURN(SECCOMP_RET_ALLOW)
#define REFUSE(name) IF(SYS_##name, 0, 1), RETURN(SECCOMP_RET_ERRNO | EACCES)

/* ---- what both lists have ------------------------------------------------------------------ */

#define BEGIN                                                                                                       \
	LOAD(offsetof(struct seccomp_data, arch)),                                                                  \
	IF(ARCH, 1, 0), KILL, /* i386 has other numbers */                                                          \
	LOAD(offsetof(struct seccomp_data, nr)) /* x32's have a bit of their own, and are on no list */

/** What was handed over. */
#define ALLOW_DESCRIPTORS                                                                                           \
	ALLOW(read), ALLOW(readv), ALLOW(pread64), ALLOW(preadv), ALLOW(write), ALLOW(writev), ALLOW(lseek),        \
	ALLOW(fstat), ALLOW(close), ALLOW(ppoll)

/** Memory; itself; what a clock, a random number and a size of memory cost where the vDSO does not answer: libc's qsort asks for the last. */
#define ALLOW_ITSELF                                                                                                \
	ALLOW(brk), ALLOW(munmap), ALLOW(mremap), ALLOW(madvise),                                                   \
	ALLOW(exit), ALLOW(exit_group), ALLOW(futex), ALLOW(sched_yield), ALLOW(rt_sigreturn),                      \
	ALLOW(rt_sigaction), ALLOW(rt_sigprocmask), ALLOW(sigaltstack), ALLOW(restart_syscall),                     \
	ALLOW(getpid), ALLOW(gettid), ALLOW(getuid), ALLOW(geteuid), ALLOW(getgid), ALLOW(getegid),                 \
	ALLOW(clock_gettime), ALLOW(gettimeofday), ALLOW(getrandom), ALLOW(sysinfo)

/** Libraries that look for a file, a terminal, a limit or a processor hear that they may not. */
#define REFUSE_LOOKING                                                                                              \
	REFUSE(openat2), REFUSE(statx), REFUSE(faccessat), REFUSE(faccessat2), REFUSE(readlinkat), REFUSE(getcwd),  \
	REFUSE(ioctl), REFUSE(prctl), REFUSE(prlimit64), REFUSE(uname), REFUSE(sched_getaffinity)

#ifdef __x86_64__
#define ALLOW_OLD ALLOW(poll), ALLOW(time),
#define REFUSE_OLD REFUSE(open), REFUSE(access), REFUSE(readlink), REFUSE(getrlimit),
#define REFUSE_OLD_STAT REFUSE(stat), REFUSE(lstat),
#else
#define ALLOW_OLD
#define REFUSE_OLD
#define REFUSE_OLD_STAT
#endif

/** Memory that is not code; @p no is what asking for code gives. */
#define DATA_ONLY(no)                                                                                               \
	IF(SYS_mmap, 1, 0), IF(SYS_mprotect, 0, 4),                                                                 \
	LOAD_ARG(2),                                                                                                \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), no, RETURN(SECCOMP_RET_ALLOW)

/** abort(), and nobody else; all else is the end. */
#define END                                                                                                         \
	IF(SYS_tgkill, 0, 6),                                                                                       \
	LOAD_ARG(0),                                                                                                \
	IF((uint32_t)getpid(), 0, 2), LOAD_ARG(2), IF(SIGABRT, 1, 0), KILL, RETURN(SECCOMP_RET_ALLOW),              \
	KILL

static int load(const struct sock_filter *filter, size_t n)
{
	/* The kernel only reads the program; struct sock_fprog has no const. */
	const struct sock_fprog program = { .len = (unsigned short)n, .filter = (struct sock_filter *)(uintptr_t)filter };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

int confine_filter(void)
{
	const struct sock_filter filter[] = {
		BEGIN,
		ALLOW_DESCRIPTORS, ALLOW_ITSELF, ALLOW_OLD
		REFUSE_LOOKING, REFUSE(openat), REFUSE(newfstatat), REFUSE_OLD REFUSE_OLD_STAT
		DATA_ONLY(KILL),
		/* fdopen's questions; the other commands reach other processes, by F_SETOWN for one. */
		IF(SYS_fcntl, 0, 5),
		LOAD_ARG(1),
		IF(F_GETFL, 1, 0), IF(F_GETFD, 0, 1), RETURN(SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_ERRNO | EACCES),
		END,
	};

	return load(filter, ARRAY_LEN(filter));
}

/* ---- with a reach ---------------------------------------------------------------------------- */

/** Flags of open(2) that change something, or give a descriptor for more than reading. */
#define OPEN_MORE (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | O_PATH | (O_TMPFILE & ~O_DIRECTORY))
/** What pthread_create(3) asks for: a thread, and nothing of its own. */
#define THREAD_FLAGS                                                                                                \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |          \
	 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
/** The lowest 4 bits of socket(2)'s type are the type. */
#define SOCKET_TYPE_MASK 0xfu

int confine_filter_reach(void)
{
	const struct sock_filter filter[] = {
		BEGIN,
		ALLOW_DESCRIPTORS, ALLOW_ITSELF, ALLOW_OLD
		/* A file is opened, asked what it is, and read; which ones is Landlock's. */
		ALLOW(newfstatat),
		/* A thread that wants to know where its stack is (pthread_getattr_np(3)) asks. */
		ALLOW(sched_getaffinity),
		IF(SYS_openat, 0, 4),
		LOAD_ARG(2),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, OPEN_MORE, 0, 1), RETURN(SECCOMP_RET_ERRNO | EACCES), RETURN(SECCOMP_RET_ALLOW),
		REFUSE_LOOKING, REFUSE_OLD REFUSE_OLD_STAT
		/* Modules of name services and providers of ciphers are not loaded: who looks for one hears of an error. */
		DATA_ONLY(RETURN(SECCOMP_RET_ERRNO | EACCES)),
		/* Sockets of IPv4 and IPv6 that others do not connect to. The resolver goes on without the kernel's list of addresses. */
		IF(SYS_socket, 0, 13),
		LOAD_ARG(0), IF(AF_INET, 1, 0), IF(AF_INET6, 0, 9),
		LOAD_ARG(1), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SOCKET_TYPE_MASK), IF(SOCK_STREAM, 1, 0), IF(SOCK_DGRAM, 0, 5),
		LOAD_ARG(2), IF(0, 2, 0), IF(IPPROTO_TCP, 1, 0), IF(IPPROTO_UDP, 0, 1),
		RETURN(SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_ERRNO | EACCES),
		ALLOW(connect), ALLOW(sendto), ALLOW(recvfrom), ALLOW(sendmsg), ALLOW(recvmsg), ALLOW(sendmmsg), ALLOW(shutdown),
		ALLOW(getsockname), ALLOW(getpeername), ALLOW(getsockopt), ALLOW(setsockopt), REFUSE(bind),
		/* libcurl wakes itself through a pair. One of streams cannot be connected to anything else. */
		IF(SYS_socketpair, 0, 7),
		LOAD_ARG(0), IF(AF_UNIX, 0, 4),
		LOAD_ARG(1), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SOCKET_TYPE_MASK), IF(SOCK_STREAM, 0, 1),
		RETURN(SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_ERRNO | EACCES),
		/* Not to wait. */
		IF(SYS_fcntl, 0, 7),
		LOAD_ARG(1),
		IF(F_GETFL, 3, 0), IF(F_GETFD, 2, 0), IF(F_SETFL, 1, 0), IF(F_SETFD, 0, 1), RETURN(SECCOMP_RET_ALLOW),
		RETURN(SECCOMP_RET_ERRNO | EACCES),
		/* libcurl resolves names in threads. clone3's flags lie in memory, which cannot be looked at. */
		IF(SYS_clone, 0, 4),
		LOAD_ARG(0), IF(THREAD_FLAGS, 0, 1), RETURN(SECCOMP_RET_ALLOW), KILL,
		IF(SYS_clone3, 0, 1), RETURN(SECCOMP_RET_ERRNO | ENOSYS),
		ALLOW(set_robust_list), ALLOW(rseq),
		END,
	};

	return load(filter, ARRAY_LEN(filter));
}

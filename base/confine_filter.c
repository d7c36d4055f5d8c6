/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls of a confined child (seccomp(2), linux/filter.h), by hand: base/ stands on no libseccomp,
 * and who audits this reads all of it. */
#include "base/confine_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
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

int confine_filter(void)
{
	const struct sock_filter filter[] = {
		LOAD(offsetof(struct seccomp_data, arch)),
		IF(ARCH, 1, 0), KILL, /* i386 has other numbers */
		LOAD(offsetof(struct seccomp_data, nr)), /* x32's have a bit of their own, and are on no list */

		/* What was handed over. */
		ALLOW(read), ALLOW(readv), ALLOW(pread64), ALLOW(preadv), ALLOW(write), ALLOW(writev), ALLOW(lseek),
		ALLOW(fstat), ALLOW(close), ALLOW(ppoll),
		/* Memory. */
		ALLOW(brk), ALLOW(munmap), ALLOW(mremap), ALLOW(madvise),
		/* Itself. */
		ALLOW(exit), ALLOW(exit_group), ALLOW(futex), ALLOW(sched_yield), ALLOW(rt_sigreturn),
		ALLOW(rt_sigaction), ALLOW(rt_sigprocmask), ALLOW(sigaltstack), ALLOW(restart_syscall),
		ALLOW(getpid), ALLOW(gettid), ALLOW(getuid), ALLOW(geteuid), ALLOW(getgid), ALLOW(getegid),
		/* What a clock, a random number and a size of memory cost where the vDSO does not answer;
		 * libc's qsort asks for the last. */
		ALLOW(clock_gettime), ALLOW(gettimeofday), ALLOW(getrandom), ALLOW(sysinfo),
		/* Libraries that look for a file, a terminal, a limit or a processor hear that they may not. */
		REFUSE(openat), REFUSE(openat2), REFUSE(newfstatat), REFUSE(statx), REFUSE(faccessat), REFUSE(faccessat2),
		REFUSE(readlinkat), REFUSE(getcwd), REFUSE(ioctl), REFUSE(prctl), REFUSE(prlimit64), REFUSE(uname),
		REFUSE(sched_getaffinity),
#ifdef __x86_64__
		ALLOW(poll), ALLOW(time),
		REFUSE(open), REFUSE(stat), REFUSE(lstat), REFUSE(access), REFUSE(readlink), REFUSE(getrlimit),
#endif
		/* Memory that is not code. */
		IF(SYS_mmap, 1, 0), IF(SYS_mprotect, 0, 4),
		LOAD_ARG(2),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), KILL, RETURN(SECCOMP_RET_ALLOW),
		/* fdopen's questions; the other commands reach other processes, by F_SETOWN for one. */
		IF(SYS_fcntl, 0, 5),
		LOAD_ARG(1),
		IF(F_GETFL, 1, 0), IF(F_GETFD, 0, 1), RETURN(SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_ERRNO | EACCES),
		/* abort(), and nobody else. */
		IF(SYS_tgkill, 0, 6),
		LOAD_ARG(0),
		IF((uint32_t)getpid(), 0, 2), LOAD_ARG(2), IF(SIGABRT, 1, 0), KILL, RETURN(SECCOMP_RET_ALLOW),
		KILL,
	};
	/* The kernel only reads the program; struct sock_fprog has no const. */
	const struct sock_fprog program = { .len = ARRAY_LEN(filter), .filter = (struct sock_filter *)(uintptr_t)filter };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

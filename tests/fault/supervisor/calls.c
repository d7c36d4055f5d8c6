/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

const struct fault_name fault_names[] = {
	{ "ENOSPC", FAULT_ROOM, ENOSPC }, { "EDQUOT", FAULT_ROOM, EDQUOT }, { "EROFS", FAULT_CHANGE, EROFS }, { "EIO", FAULT_FILE, EIO },
	{ "EMFILE", FAULT_FD, EMFILE }, { "ENOMEM", FAULT_MEMORY, ENOMEM }, { "EINTR", FAULT_SIGNAL, EINTR }, { "short", FAULT_SHORT, 0 },
	{ "kill", FAULT_KILL, 0 }, { NULL },
};

#define ROOM (1u << FAULT_ROOM | CHANGE)
#define CHANGE (1u << FAULT_CHANGE | FILE)
#define FILE (1u << FAULT_FILE)
#define FD (1u << FAULT_FD)
#define MEMORY (1u << FAULT_MEMORY)
#define SIGNAL (1u << FAULT_SIGNAL)
#define SHORT (1u << FAULT_SHORT)
/** Of a file system that is full or has failed, but not of one that has become read-only: who has a file open may write on. */
#define WRITE (1u << FAULT_ROOM | FILE | SIGNAL)

#define CALL(name, faults, fd, path, flags) { SYS_##name, #name, faults, fd, path, flags }

/* Not here: brk(2), for which malloc has mmap(2) in reserve (and glibc of a static program ends in an assertion when the few bytes up to the next
 * page are denied it); close, which is never retried and whose failure changes nothing; stat(2) and access(2) of paths by their old names, which libc
 * does not use. EINTR of open(2) comes of FIFOs and of some network file systems, when the user wants it to end. */
const struct call calls[] = {
	CALL(openat, ROOM | FD, -1, 1, 2), CALL(openat2, FILE | FD, -1, 1, -1),
	CALL(read, FILE | SIGNAL | SHORT, 0, -1, -1), CALL(pread64, FILE | SIGNAL | SHORT, 0, -1, -1),
	CALL(write, WRITE | SHORT, 0, -1, -1), CALL(pwrite64, WRITE | SHORT, 0, -1, -1), CALL(writev, WRITE, 0, -1, -1),
	CALL(copy_file_range, WRITE | SHORT, 0, -1, -1), CALL(ftruncate, WRITE, 0, -1, -1), CALL(fallocate, WRITE, 0, -1, -1),
	CALL(fstat, FILE, 0, -1, -1), CALL(newfstatat, FILE, -1, 1, -1), CALL(statx, FILE, -1, 1, -1), CALL(lseek, FILE, 0, -1, -1),
	CALL(getdents64, FILE, 0, -1, -1), CALL(readlinkat, FILE, -1, 1, -1), CALL(faccessat, FILE, -1, 1, -1),
#ifdef SYS_faccessat2
	CALL(faccessat2, FILE, -1, 1, -1),
#endif
	CALL(mkdirat, ROOM, -1, 1, -1), CALL(symlinkat, ROOM, -1, 2, -1), CALL(linkat, ROOM, -1, 3, -1), CALL(mknodat, ROOM, -1, 1, -1),
	CALL(renameat2, ROOM, -1, 3, -1), CALL(unlinkat, CHANGE, -1, 1, -1), CALL(fchmod, CHANGE, 0, -1, -1),
	CALL(fchmodat, CHANGE, -1, 1, -1), CALL(fchown, CHANGE, 0, -1, -1), CALL(fchownat, CHANGE, -1, 1, -1),
	CALL(utimensat, CHANGE, -1, 1, -1), CALL(setxattr, ROOM, -1, 0, -1), CALL(lsetxattr, ROOM, -1, 0, -1),
	CALL(fsetxattr, ROOM, 0, -1, -1), CALL(fsync, 1u << FAULT_ROOM | FILE, 0, -1, -1), CALL(fdatasync, 1u << FAULT_ROOM | FILE, 0, -1, -1),
	CALL(syncfs, 1u << FAULT_ROOM | FILE, 0, -1, -1), CALL(flock, SIGNAL, -1, -1, -1),
#ifdef SYS_open
	CALL(open, ROOM | FD, -1, 0, 1), CALL(mkdir, ROOM, -1, 0, -1), CALL(rename, ROOM, -1, 1, -1), CALL(unlink, CHANGE, -1, 0, -1),
	CALL(rmdir, CHANGE, -1, 0, -1), CALL(symlink, ROOM, -1, 1, -1), CALL(link, ROOM, -1, 1, -1), CALL(chmod, CHANGE, -1, 0, -1),
	CALL(readlink, FILE, -1, 0, -1),
#endif
#ifdef SYS_renameat
	CALL(renameat, ROOM, -1, 3, -1),
#endif
	CALL(pipe2, FD, -1, -1, -1), CALL(dup, FD, -1, -1, -1), CALL(fcntl, FD, -1, -1, -1), CALL(socket, FD, -1, -1, -1), CALL(socketpair, FD, -1, -1, -1),
	CALL(memfd_create, FD | MEMORY, -1, 0, -1), CALL(epoll_create1, FD, -1, -1, -1), CALL(eventfd2, FD, -1, -1, -1),
	CALL(signalfd4, FD, -1, -1, -1), CALL(timerfd_create, FD, -1, -1, -1), CALL(inotify_init1, FD, -1, -1, -1),
	CALL(pidfd_open, FD, -1, -1, -1), CALL(open_tree, FD, -1, 1, -1), CALL(fsopen, FD, -1, 0, -1), CALL(fsmount, FD, -1, -1, -1),
	CALL(mmap, MEMORY, -1, -1, -1), CALL(mremap, MEMORY, -1, -1, -1),
	CALL(clone, MEMORY, -1, -1, -1), CALL(clone3, MEMORY, -1, -1, -1),
	CALL(wait4, SIGNAL, -1, -1, -1), CALL(waitid, SIGNAL, -1, -1, -1), CALL(ppoll, SIGNAL, -1, -1, -1),
	CALL(recvmsg, SIGNAL, -1, -1, -1), CALL(sendmsg, SIGNAL, -1, -1, -1), CALL(recvfrom, SIGNAL, -1, -1, -1),
	CALL(sendto, SIGNAL, -1, -1, -1), CALL(epoll_pwait, SIGNAL, -1, -1, -1), CALL(getrandom, SIGNAL, -1, -1, -1),
#ifdef SYS_poll
	CALL(poll, SIGNAL, -1, -1, -1), CALL(epoll_wait, SIGNAL, -1, -1, -1),
#endif
	CALL(ioctl, 0, -1, -1, -1), CALL(mount, 0, -1, 1, -1), CALL(umount2, 0, -1, 0, -1), CALL(move_mount, 0, -1, -1, -1), CALL(execve, 0, -1, 0, -1),
};
const size_t ncalls = sizeof calls / sizeof calls[0];

const struct call *call_find(long nr)
{
	for (size_t i = 0; i < ncalls; i++)
		if (calls[i].nr == nr)
			return &calls[i];
	return NULL;
}

const struct call *call_by_name(const char *name, size_t n)
{
	for (size_t i = 0; i < ncalls; i++)
		if (strncmp(calls[i].name, name, n) == 0 && calls[i].name[n] == '\0')
			return &calls[i];
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file sys.h
 * Raw system calls of the child, and kernel constants newer than the headers
 * this is built with. Every call goes through syscall(2): no libc wrapper with
 * locks, caches or cancellation runs between clone and exec, and the list of
 * undefined symbols of the child's objects stays short enough to lint.
 */
#ifndef GB_SANDBOX_SYS_H
#define GB_SANDBOX_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <linux/openat2.h>

/** umount2(2); <sys/mount.h> cannot be included beside <linux/mount.h>. */
#define SYS_MNT_DETACH 2

/* Landlock, ABI 3, 5 and 6 (landlock(7)). */
#define SYS_LANDLOCK_TRUNCATE (1ULL << 14)
#define SYS_LANDLOCK_IOCTL_DEV (1ULL << 15)
#define SYS_LANDLOCK_SCOPE_ABSTRACT (1ULL << 0)
#define SYS_LANDLOCK_SCOPE_SIGNAL (1ULL << 1)

/** The architecture that seccomp's filters see (seccomp(2)). */
#if defined(__x86_64__)
#define SYS_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SYS_AUDIT_ARCH AUDIT_ARCH_AARCH64
#else
#error "glovebox makes filters for x86_64 and aarch64 only"
#endif

/** struct landlock_ruleset_attr as of ABI 6; older kernels take a shorter one. */
struct sys_landlock_attr {
	uint64_t fs, net, scoped;
};

static inline int sys_open(int dirfd, const char *path, int flags)
{
	return (int)syscall(SYS_openat, dirfd, path, flags | O_CLOEXEC, 0);
}

static inline int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = resolve };

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

static inline void sys_close(int fd)
{
	int saved = errno;

	(void)syscall(SYS_close, fd);
	errno = saved;
}

static inline int sys_close_range(unsigned int first, unsigned int last)
{
	return (int)syscall(SYS_close_range, first, last, 0u);
}

static inline int sys_open_tree(int dirfd, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_open_tree, dirfd, path, flags | OPEN_TREE_CLOEXEC);
}

static inline int sys_mount_setattr(int fd, unsigned int flags, uint64_t set, uint64_t clear, uint64_t propagation)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear, .propagation = propagation };

	return (int)syscall(SYS_mount_setattr, fd, "", flags | AT_EMPTY_PATH, &attr, sizeof attr);
}

/** Attaches the detached mount @p from on what @p to is open on. */
static inline int sys_move_mount(int from, int to)
{
	return (int)syscall(SYS_move_mount, from, "", to, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static inline int sys_fsconfig(int fs, unsigned int cmd, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs, cmd, key, value, 0);
}

static inline int sys_set_string(int fs, const char *key, const char *value)
{
	return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, value);
}

/** fsconfig(FSCONFIG_CMD_CREATE) and fsmount. @return the detached mount, or -1. */
static inline int sys_fsmount(int fs, unsigned int attrs)
{
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) != 0)
		return -1;
	return (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attrs);
}

static inline int sys_prctl(int op, unsigned long a, unsigned long b, unsigned long c)
{
	return (int)syscall(SYS_prctl, op, a, b, c, 0ul);
}

/** Ends the calling process. Not declared noreturn: see child_run(). */
static inline void sys_exit(int code)
{
	(void)syscall(SYS_exit_group, code);
}

#endif

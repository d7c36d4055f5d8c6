/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file sandbox.h
 * sandbox/: one process tree in user, mount, pid, network, ipc, uts and cgroup
 * namespaces: ids, mounts, limits, seccomp, Landlock, pid 1, supervision.
 * Auditable alone (base/ and profiles/ only), linkable static. Promises:
 * glovebox-security(7); manual sections: user_namespaces(7), mount_namespaces(7),
 * pid_namespaces(7), seccomp(2), landlock(7).
 *
 * Everything a child needs is computed by the parent into one constant plan;
 * between clone and exec there are only raw system calls.
 */
#ifndef GB_SANDBOX_H
#define GB_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/filter.h>

#include "base/base.h"

/* ---- the space: where a run lays out trees before its steps ---------- */

/**
 * A space is a user namespace and a mount namespace of their own, kept by a
 * small process, with one tmpfs. Its root holds `base` (a bind of the base
 * directory), and `trees` (in the tmpfs, for the caller to fill). Steps that
 * name a space are started inside it, so the tmpfs is filled once a run and each
 * step overlays it. It ends, with all in it, when closed or when its maker dies.
 */
struct sandbox_space;

struct sandbox_space_conf {
	int base_fd;             /**< directory (the store) that relative paths start from */
	const char *mountpoint;  /**< an empty directory below base_fd, for the space's own use */
	uid_t inner_uid; gid_t inner_gid; /**< as steps see their user */
	uid_t outer_uid; gid_t outer_gid; /**< that user in this process's namespace */
	uint64_t tmpfs_bytes;    /**< size limit; filling it gives ENOSPC */
	uint64_t tmpfs_inodes;
};

/** Opens a space. ERR_HOST when the host denies it (with cause and cure), ERR_INTERNAL otherwise. */
int sandbox_space_open(const struct sandbox_space_conf *conf, struct sandbox_space **ret, struct err *err);
/** Directory descriptor of `trees`, for openat(2) and mkdirat(2) from this process. Borrowed. */
int sandbox_space_trees(const struct sandbox_space *space);
void sandbox_space_close(struct sandbox_space *space);
static inline void own_sandbox_space(struct sandbox_space **s)
{
	sandbox_space_close(*s);
}
#define auto_sandbox_space __attribute__((cleanup(own_sandbox_space))) struct sandbox_space *

/* ---- one step -------------------------------------------------------- */


/** The step's network namespace: no interface up, or its own loopback alone. */
enum sandbox_network { SANDBOX_NET_NONE, SANDBOX_NET_LOOPBACK };

enum sandbox_where {
	SANDBOX_IN_BASE,   /**< path is relative to base_fd */
	SANDBOX_IN_SPACE,  /**< path is relative to the space's `trees` */
	SANDBOX_IN_HOST,   /**< absolute host path (`exec --rw`): live, recorded as such; not with a space */
};

/** A directory outside that a mount is made of. */
struct sandbox_path {
	enum sandbox_where where;
	const char *path;
};

enum sandbox_mount_kind {
	SANDBOX_BIND_RO,  /**< source, read-only, nosuid, nodev */
	SANDBOX_BIND_RW,  /**< source, writable, nosuid, nodev; /proc/self/mountinfo inside tells where it lies in its file system:
	                       a writable directory of the base that is not to be told is the upper of an overlay */
	SANDBOX_OVERLAY,  /**< lowers under upper/work, writable */
};

#define SANDBOX_LOWERS_MAX 16

/** One mount below the sandbox's root. Mount points that the rootfs has not at top level are made in the skeleton;
 *  a mount inside a directory of the rootfs or of another mount needs an existing directory there. */
struct sandbox_mount {
	enum sandbox_mount_kind kind;
	const char *target;               /**< absolute, clean; never below /dev, /proc, /sys */
	struct sandbox_path source;       /**< binds */
	struct sandbox_path lowers[SANDBOX_LOWERS_MAX]; /**< overlay: topmost first */
	size_t nlowers;
	struct sandbox_path upper, work;  /**< overlay: existing empty directories on one file system, new for each run
	                                       (ERR_HOST otherwise: a volatile overlay cannot be mounted twice) */
	bool want_view;                   /**< hand back a descriptor of this mount's root (at most one row) */
};

/** The limits by name, as results and receipts tell them. */
enum sandbox_limit {
	SANDBOX_NO_LIMIT,
	SANDBOX_LIMIT_TIMEOUT,    /**< "timeout", milliseconds */
	SANDBOX_LIMIT_MEMORY,     /**< "memory", bytes */
	SANDBOX_LIMIT_CPU,        /**< "cpu", thousandths of a processor: slows down, ends nothing */
	SANDBOX_LIMIT_PIDS,       /**< "pids" */
	SANDBOX_LIMIT_FILES,      /**< "files": the command alone sees it (EMFILE) */
	SANDBOX_LIMIT_FILE_SIZE,  /**< "fileSize", bytes */
	SANDBOX_LIMIT_TMP,        /**< "tmp", bytes */
	SANDBOX_LIMIT_TMP_FILES,  /**< "tmpFiles" */
	SANDBOX_LIMIT_WORK,       /**< "work", bytes */
	SANDBOX_LIMIT_WORK_FILES, /**< "workFiles" */
	SANDBOX_LIMIT_OUTPUT,     /**< "output", bytes */
	SANDBOX_LIMIT_DISK,       /**< "diskReserve", bytes that stay free on the base directory's file system */
	SANDBOX_LIMIT_DISK_FILES, /**< "diskReserveFiles", inodes of it */
};
const char *sandbox_limit_name(enum sandbox_limit limit);
/** SANDBOX_NO_LIMIT for a name that none has. */
enum sandbox_limit sandbox_limit_by_name(const char *name);
/** Appends "memory=64 MiB", for people. */
void sandbox_limit_text(struct buf *out, enum sandbox_limit limit, uint64_t value);

struct sandbox_limits {          /**< 0: the default named at the member. All defaults can be enforced on every host */
	uint64_t timeout_ms;     /**< 0: none */
	uint64_t grace_ms;       /**< between SIGTERM and SIGKILL; 0: 10,000 */
	uint64_t memory_bytes;   /**< memory and swap of the step, by a cgroup; 0: none */
	uint64_t cpu_millis;     /**< thousandths of a processor, by a cgroup, at least 10; 0: none */
	uint64_t pids;           /**< processes and threads, RLIMIT_NPROC of a user namespace of its own (≥ 5.14); 0: 4096 */
	uint64_t files;          /**< RLIMIT_NOFILE; 0: 4096 */
	uint64_t file_bytes;     /**< RLIMIT_FSIZE; 0: 64 GiB */
	uint64_t tmp_bytes;      /**< size of /tmp and /dev/shm together with the skeleton; 0: 1 GiB */
	uint64_t tmp_inodes;     /**< 0: 200,000 */
	uint64_t work_bytes;     /**< on disk in writable mounts of SANDBOX_IN_BASE, overlays' uppers among them; watched; 0: 32 GiB */
	uint64_t work_files;     /**< files and directories there; 0: 1,000,000 */
	uint64_t output_bytes;   /**< stdout and stderr together; 0: 4 GiB */
	bool best_effort;        /**< a limit that this host cannot enforce is passed over, and recorded so; else ERR_HOST */
};

/** Receives what the command writes, as it comes; @p stream is 1 or 2. Must not block for long: nothing else is seen to meanwhile. */
typedef void sandbox_output_fn(void *arg, int stream, const char *data, size_t n);

/** The caller's terminal, for a command that is to have one: a new one, of the step's own devpts, is its stdin, stdout and stderr and
 *  controls its session. Bytes are passed between the two as they come; so the caller has its own in raw mode. */
struct sandbox_terminal {
	int in, out;      /**< non-blocking, best; when `in` ends, the step's terminal hangs up */
	int resized;      /**< readable, 8 bytes: the size has changed (an eventfd); -1: it does not */
};

/** How a command finds its host otherwise than it is: to see whether what it makes depends on that. Zero: nothing. No wall: a command
 *  that is bent on it finds out. Which of its calls the filter refuses is not told of with `other_order` and `clock_s`. */
struct sandbox_vary {
	bool one_cpu;       /**< one processor: it may use no other, and /proc/cpuinfo and /proc/stat tell of none */
	bool other_order;   /**< what getdents64(2) gives comes the other way round, in pieces of at most 32 KiB; "." and ".." stay first */
	uint64_t clock_s;   /**< so many seconds ahead is the real-time clock (x86_64; else ERR_HOST). Times of files and those until which a
	                         call waits stay the host's */
	unsigned pids;      /**< so many process ids are used up before the command has its own */
};

/** A call that a command makes while it is learnt from. */
struct sandbox_call {
	int nr;
	uint64_t args[6]; /**< registers as they are: pointers mean nothing here */
	pid_t caller;     /**< the thread, in this process's pid namespace; it waits for the answer, so /proc tells of it */
};

/** Hears of a call before it is answered. Must not block: the caller waits. */
typedef void sandbox_call_fn(void *arg, const struct sandbox_call *call);

struct sandbox_conf {
	int base_fd;                       /**< see sandbox_path; becomes the child's way to rootfs and scratch */
	const struct sandbox_space *space; /**< or NULL: namespaces are made straight from this process */
	const char *rootfs;                /**< directory below base_fd: the lower layer of a read-only overlay, under what the sandbox makes itself */
	const char *mountpoint;            /**< an empty directory below base_fd to build the root on; several may use one at once */
	const struct sandbox_mount *mounts; size_t nmounts; /**< in order */
	const char *const *argv;           /**< NULL-terminated; argv[0] without '/' is looked up in PATH of envp, inside */
	const char *const *envp;           /**< NULL-terminated, the whole environment */
	const char *workdir;               /**< absolute */
	const char *hostname;
	uid_t inner_uid; gid_t inner_gid;  /**< name in generated passwd: builder (root for 0) */
	uid_t outer_uid; gid_t outer_gid;  /**< the step user in this process's namespace */
	enum sandbox_network network;
	const struct sock_filter *filter; size_t filter_len; /**< required */
	const struct sock_filter *floor; size_t floor_len;   /**< or NULL, 0: a second filter, loaded first; the stricter answer holds
	                                                         (profile_floor(), wherever `filter` is not a shipped profile's) */
	struct sandbox_limits limits;
	sandbox_output_fn *output; void *output_arg;
	const int *relay;                  /**< or NULL. Two descriptors that the command's stdout and stderr are written on to, in place of
	                                        `output`. Their reader may be slow: timeout and cancel_fd are seen to meanwhile, also after the
	                                        command's end, and cut off what is not read by then. What else may write to a pipe of these that
	                                        blocks (no O_NONBLOCK) can hold that up. The caller ignores SIGPIPE. */
	const struct sandbox_terminal *terminal; /**< or NULL. Else `output`, `relay` and limit "output" mean nothing. When the step ends or
	                                        is to end, its terminal hangs up */
	int cancel_fd;                     /**< readable: the caller wants an end (SIGTERM, grace, SIGKILL); readable again: now. -1: none.
	                                        The sandbox reads one struct signalfd_siginfo or 8 bytes each time (non-blocking). */
	const struct sandbox_vary *vary;   /**< or NULL. With anything in it `no_receipt` is required: a receipt is of a host as it is */
	bool no_receipt;                   /**< nobody will read it: the result has none */
	sandbox_call_fn *learn; void *learn_arg; /**< or NULL. Else hears of each call of the command, all but execve and exit_group, which
	                                        `filter` has to allow whatever their arguments are (ERR_USAGE). Answers stay the filter's own, given
	                                        by this process from outside (seccomp_unotify(2)): a few microseconds a call. Refusals are not in the
	                                        result then. ERR_HOST where the host lets nobody listen; the receipt says that this was so. */
};

/** Most kinds of refused calls that are told of. */
#define SANDBOX_REFUSED_MAX 16

/** A system call that the filter refused with an errno other than ENOSYS: the first one of its number. */
struct sandbox_refused {
	int nr;
	uint64_t args[6]; /**< registers as they were: pointers mean nothing here */
};

/** How the command ended. For TIMEOUT and CANCELLED, code is what ended it: a signal, or its own exit status after SIGTERM. */
enum sandbox_end {
	SANDBOX_EXITED,    /**< code: its exit status */
	SANDBOX_SIGNALED,  /**< code: the signal */
	SANDBOX_TIMEOUT,   /**< killed at its timeout */
	SANDBOX_LIMITED,   /**< killed at another limit, which `limit` names; code: the signal */
	SANDBOX_CANCELLED, /**< killed on the caller's wish */
	SANDBOX_NOT_FOUND, /**< exec: ENOENT (exit code 127); code: errno */
	SANDBOX_NOT_EXECUTABLE, /**< exec: any other failure (126); code: errno */
};

struct sandbox_result {
	enum sandbox_end end;
	int code;
	enum sandbox_limit limit; /**< what it ran into: always with TIMEOUT and LIMITED; with EXITED and SIGNALED where a failure is seen
	                               to have met a full limit that kills nobody (tmp, pids, a child's fileSize); else SANDBOX_NO_LIMIT */
	uint64_t limit_value;     /**< that limit's figure, in its unit */
	uint64_t wall_us, user_us, sys_us;
	uint64_t max_rss_kib;     /**< of the largest process; at least about what the caller itself has (execve(2) hands it on) */
	struct sandbox_refused refused[SANDBOX_REFUSED_MAX]; /**< in the order they came */
	size_t nrefused;
	int view_fd;      /**< want_view: directory descriptor of the mount, usable after all processes are dead; else -1. The caller closes it. */
	json_t *receipt;  /**< what was in force: new reference, see glovebox-provenance(5); NULL where `no_receipt` */
};
void sandbox_result_clear(struct sandbox_result *r);
#define auto_sandbox_result __attribute__((cleanup(sandbox_result_clear))) struct sandbox_result

/** Runs one command to its end. On return every process of the sandbox is dead, every mount gone, all output delivered.
 *  @return 0 when the command was started (or found not startable: SANDBOX_NOT_*), -1 when the sandbox could not be made: ERR_HOST when
 *  the host denies it (with cause and cure), ERR_USAGE for a mount target, work directory, rootfs or limit that can't be, ERR_INPUT
 *  for a missing rootfs, ERR_INTERNAL otherwise, and when `relay` could not be written to, which ends the command.
 *
 *  What it asks of the caller: base_fd is on a mount of the caller's own mount namespace; outer ids are the caller's effective ids;
 *  paths below the base are reached without links. The caller's working directory, signal mask, children (the child has no exit
 *  signal and is waited for by its pid) and dumpable flag are as before on return. Several may run at once in threads of a process,
 *  as long as no thread changes ids meanwhile. The sandbox dies with the thread that called. Init is a copy of the caller's memory,
 *  unreadable from inside; a caller that holds keys should still load them after its last step. */
int sandbox_run(const struct sandbox_conf *conf, struct sandbox_result *ret, struct err *err);

/** What is in force of a limit: what was asked for, else the default. 0: none. */
uint64_t sandbox_limit_of(const struct sandbox_limits *limits, enum sandbox_limit which);

/** What a command with such limits would find of this process in itself: "nice" and "limits" as a receipt's "inherited" has them, "groups", the
 *  supplementary groups as it sees them, and "process", what else is handed on and cannot be put off: filters of calls (their number, since
 *  nobody can tell what they let through), mitigations asked for, what a core dump has in it. New reference. */
int sandbox_inherited(const struct sandbox_limits *limits, json_t **ret, struct err *err);

/** Whether this host can enforce @p limits, asked before anything is started: ERR_HOST names the first that it can't, why, and
 *  what to do. Always 0 with best_effort, and where only limits are set that every host has. */
int sandbox_check_limits(const struct sandbox_limits *limits, struct err *err);

#endif

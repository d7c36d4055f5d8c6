/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cgroup.h
 * A cgroup of a step's own, for the limits that nothing else can set: memory, processor time, and beside
 * these processes. Parent's side only. cgroups(7); the kernel's cgroup-v2 and cgroup-v1 documents.
 *
 * Version 2 where a controller is there and this process's own cgroup may be divided (delegation); else
 * version 1, where its hierarchy's directory is writable. Root whose effective ids are a step user's
 * (ident_drop()) takes root's effective uid back for each of these calls, for the calling thread alone.
 *
 * A cgroup is named glovebox-PID-START-RANDOM, PID and START being the runner's (proc_pid_stat(5), field 22),
 * and locked (flock(2)) while it lives. One whose runner was killed is left empty, for the kernel has
 * killed what was in it; the next run that makes a cgroup removes it.
 */
#ifndef GB_SANDBOX_CGROUP_H
#define GB_SANDBOX_CGROUP_H

#include "sandbox/sandbox.h"

enum cgroup_controller { CGROUP_MEMORY, CGROUP_CPU, CGROUP_PIDS, CGROUP_CONTROLLERS };

/** A directory in one hierarchy: with co-mounted controllers, or with version 2, there are fewer than controllers. */
struct cgroup_dir {
	int version;      /**< 1 or 2 */
	char *base;       /**< path of what it was made in, owned */
	int base_fd, fd;  /**< of the base, and of the step's own directory in it */
};

/** Zero-initialise; cgroup_close() in every case. */
struct cgroup {
	char name[80];
	struct cgroup_dir dirs[CGROUP_CONTROLLERS];
	size_t ndirs;
	const struct cgroup_dir *of[CGROUP_CONTROLLERS]; /**< NULL: this limit is not set by a cgroup */
};

/** Makes the cgroup that @p limits ask for: none (0, of[] all NULL) without memory_bytes and cpu_millis. ERR_HOST names a limit that
 *  cannot be set, unless limits->best_effort. Not to be copied or moved while open. */
int cgroup_open(struct cgroup *cg, const struct sandbox_limits *limits, struct err *err);
/** Puts a process into it. */
int cgroup_enter(const struct cgroup *cg, pid_t pid, struct err *err);
/** Whether the kernel has ended something in it for want of memory. */
bool cgroup_out_of_memory(const struct cgroup *cg);
/** Whether it has refused a fork. */
bool cgroup_fork_refused(const struct cgroup *cg);
/** How many processes and threads are in it; of[CGROUP_PIDS] is set. */
uint64_t cgroup_population(const struct cgroup *cg);
/** Removes it, after work that gave @p result; nothing runs in it any more. @return that result, or -1 with an error of its own. */
int cgroup_close(struct cgroup *cg, int result, struct err *err);

/* ---- where: cgroup_find.c ---------------------------------------------- */

/** Name of the cgroup that a runner moves itself to, so that its own can be divided (version 2: "no internal processes"). */
#define CGROUP_RUNNER "glovebox-runner"

/** Appends the directory, in the file system, of this process's own cgroup of @p controller.
 *  @param cgroups text of /proc/self/cgroup
 *  @param mounts text of /proc/self/mountinfo
 *  @param controller NULL: version 2; else version 1 with that controller
 *  @return whether there is one that can be seen from here. */
bool cgroup_find(const char *cgroups, const char *mounts, const char *controller, struct buf *ret);

/** Whether the words of @p list (separated by spaces or lines) have @p word. */
bool cgroup_lists(const char *list, const char *word);

/** Parses "glovebox-PID-START-RANDOM". @return whether it is one. */
bool cgroup_parse_name(const char *name, pid_t *ret_pid, uint64_t *ret_start);

#endif

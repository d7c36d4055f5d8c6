/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file watch.h
 * Limits that the kernel does not keep for us: looked at now and then while a step runs. Parent's side only.
 *
 * Disk: an ordinary user can set no quota below an overlay or a bind mount. Every WATCH_MS one statfs(2)
 * tells whether the file system that holds the step's places has lost more than the limit; then, and every few seconds
 * in any case (others may have made room meanwhile), the places are walked: by descriptor, no link followed, no other
 * file system entered, a piece at a time. What the walk finds counts. What it cannot see (files open without
 * a name, directories that the step has closed to its own user, what lies deeper than WATCH_DEPTH_MAX) ends at the reserve, below
 * which no step may bring the file system.
 *
 * Processes: a fork that RLIMIT_NPROC refuses is no event, and a fork bomb does not end: its processes die of what is refused to
 * them, and others take their places. A step that comes to its limit, and has spent WATCH_PIDS_MS within an eighth of it, is taken
 * for one; time spent below counts back by a quarter. One that has failed is told of its limit when it was seen there at any time:
 * some bombs fall apart by themselves.
 *
 * Memory: version 1 of cgroups ends one process of the step, not the step.
 */
#ifndef GB_SANDBOX_WATCH_H
#define GB_SANDBOX_WATCH_H

#include "sandbox/cgroup.h"

/** Between two looks, in milliseconds. A step shorter than this is not looked at. */
#define WATCH_MS 100
/** How long a step may be at its limit of processes, in milliseconds. */
#define WATCH_PIDS_MS 5000
/** Within this part of the limit of processes a step is at it: the kernel takes some off its own count late, and some come and go
 *  while they are counted. */
#define WATCH_PIDS_PART 32
/** Directories within each other that a walk goes down: as many descriptors are open. */
#define WATCH_DEPTH_MAX 100

struct walk;

struct watch {
	const struct sandbox_conf *conf;
	const struct cgroup *cgroup;
	pid_t pid;                 /**< of the step's init */
	uint64_t next_ms;          /**< when to look next; UINT64_MAX: never */

	bool measured;             /**< the next four are set */
	uint64_t bytes, inodes;    /**< free at the start */
	uint64_t reserve_bytes, reserve_inodes;

	struct walk *walk;         /**< one under way, or NULL */
	uint64_t walk_began_ms;
	uint64_t walk_if_low_ms, walk_anyway_ms; /**< the next may begin then */

	uint16_t others;           /**< processes and threads of the host at the start, modulo 65536 */
	uint64_t pids_ms;          /**< when to count next */
	uint64_t counted_ms;       /**< when they were counted last */
	uint64_t crowded_ms;       /**< time near the limit, less a part of the other */
	bool full;                 /**< since that was 0, it was at the limit once */
	bool met;                  /**< it was full at any time */
};

/** What a look has found: SANDBOX_NO_LIMIT, or what was hit, with its figure. */
struct watch_hit {
	enum sandbox_limit limit;
	uint64_t value;
};

/** Begins when the step does, at @p now_ms of CLOCK_MONOTONIC. */
void watch_begin(struct watch *w, const struct sandbox_conf *conf, const struct cgroup *cgroup, uint64_t now_ms);
/** Looks, when it is time: a few milliseconds of work at most; next_ms then says when to come back. */
struct watch_hit watch_turn(struct watch *w, uint64_t now_ms);
/** After the step: whether it has left more than it was allowed to. Places are walked through for it only where a limit of disk was
 *  asked for, or where the file system has lost more than the default. */
struct watch_hit watch_last(struct watch *w);
void watch_end(struct watch *w);

/* ---- the walk: walk.c ------------------------------------------------------ */

/** Begins a walk through the writable mounts of @p conf that lie in its base. NULL when memory is short. */
struct walk *walk_begin(const struct sandbox_conf *conf);
/** Goes on for a piece. @return whether there is more to come. */
bool walk_on(struct walk *walk);
/** What it has found so far. A file of several names counts once in bytes as long as all of them lie there. */
uint64_t walk_bytes(const struct walk *walk);
uint64_t walk_files(const struct walk *walk);
void walk_end(struct walk *walk);

/** How many processes and threads descend from @p pid, itself included; stops at @p most. 0 where /proc does not tell
 *  (crowd.c). */
uint64_t crowd_count(pid_t pid, uint64_t most);

#endif

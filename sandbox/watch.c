/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>

#include "sandbox/limit.h"

/** A walk takes processor time from the step: after one that lasted n ms, the next waits for so many times n, at least so many ms. */
#define WALK_IF_LOW_TIMES 4
#define WALK_IF_LOW_MS 200
#define WALK_ANYWAY_TIMES 50
#define WALK_ANYWAY_MS 5000

/** After a count of processes that found few, and the most that are counted: beyond, it would cost too much, and the host's own count says too
 *  little. */
#define PIDS_MS 500
#define PIDS_MOST 32000

/** Within this part of the limit a step is near it. */
#define PIDS_NEAR_PART 8
/** This part of the limit is many. */
#define PIDS_MANY_PART 4
/** Of the time below the limit, this part is taken off the time near it. */
#define PIDS_FORGIVEN_PART 4

/** A file system's reserve is this part of it, unless the number of `diskReserve` is less. */
#define RESERVE_PART 20

static const struct watch_hit nothing = { SANDBOX_NO_LIMIT, 0 };

static struct watch_hit hit(const struct watch *w, enum sandbox_limit limit)
{
	return (struct watch_hit){ limit, limit_of(&w->conf->limits, limit) };
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- disk ----------------------------------------------------------------------------- */

/** Where it is scarce from the start, half of what there is. File systems without a fixed number of inodes say 0. */
static void measure(struct watch *w)
{
	struct statvfs fs;

	if (fstatvfs(w->conf->base_fd, &fs) != 0)
		return;
	w->measured = true;
	w->bytes = fs.f_bavail * fs.f_frsize;
	w->inodes = fs.f_favail;
	w->reserve_bytes = least(least(limit_of(&w->conf->limits, SANDBOX_LIMIT_DISK), fs.f_blocks * fs.f_frsize / RESERVE_PART),
				 w->bytes / 2);
	w->reserve_inodes = least(least(limit_of(&w->conf->limits, SANDBOX_LIMIT_DISK_FILES), fs.f_files / RESERVE_PART),
				  w->inodes / 2);
}

/** What @p a has more than @p b. */
static uint64_t excess(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/** @p ret_low: more is gone than the step may have taken. */
static struct watch_hit look_at_disk(struct watch *w, bool *ret_low)
{
	struct statvfs fs;

	if (!w->measured || fstatvfs(w->conf->base_fd, &fs) != 0)
		return nothing;
	uint64_t bytes = fs.f_bavail * fs.f_frsize;
	if (bytes < w->reserve_bytes)
		return (struct watch_hit){ SANDBOX_LIMIT_DISK, w->reserve_bytes };
	if (fs.f_favail < w->reserve_inodes)
		return (struct watch_hit){ SANDBOX_LIMIT_DISK_FILES, w->reserve_inodes };
	*ret_low = excess(w->bytes, bytes) > limit_of(&w->conf->limits, SANDBOX_LIMIT_WORK) ||
		   excess(w->inodes, fs.f_favail) > limit_of(&w->conf->limits, SANDBOX_LIMIT_WORK_FILES);
	return nothing;
}

static bool has_places(const struct sandbox_conf *conf)
{
	for (size_t i = 0; i < conf->nmounts; i++)
		if (conf->mounts[i].kind != SANDBOX_BIND_RO)
			return true;
	return false;
}

static void finish_walk(struct watch *w, uint64_t now_ms)
{
	uint64_t took = now_ms - w->walk_began_ms;
	uint64_t soon = took * WALK_IF_LOW_TIMES, late = took * WALK_ANYWAY_TIMES;

	w->walk_if_low_ms = now_ms + (soon < WALK_IF_LOW_MS ? WALK_IF_LOW_MS : soon);
	w->walk_anyway_ms = now_ms + (late < WALK_ANYWAY_MS ? WALK_ANYWAY_MS : late);
	walk_end(w->walk);
	w->walk = NULL;
}

static struct watch_hit judge_walk(const struct watch *w)
{
	if (walk_bytes(w->walk) > limit_of(&w->conf->limits, SANDBOX_LIMIT_WORK))
		return hit(w, SANDBOX_LIMIT_WORK);
	if (walk_files(w->walk) > limit_of(&w->conf->limits, SANDBOX_LIMIT_WORK_FILES))
		return hit(w, SANDBOX_LIMIT_WORK_FILES);
	return nothing;
}

static struct watch_hit walk(struct watch *w, uint64_t now_ms)
{
	bool more = walk_on(w->walk);
	struct watch_hit found = judge_walk(w);

	if (!more)
		finish_walk(w, now_ms);
	return found;
}

static struct watch_hit look_at_places(struct watch *w, uint64_t now_ms)
{
	bool low = false;
	struct watch_hit found = look_at_disk(w, &low);

	if (found.limit != SANDBOX_NO_LIMIT)
		return found;
	if (w->walk == NULL && ((low && now_ms >= w->walk_if_low_ms) || now_ms >= w->walk_anyway_ms)) {
		w->walk = walk_begin(w->conf);
		w->walk_began_ms = now_ms;
	}
	return nothing;
}

/* ---- processes --------------------------------------------------------------------------- */

/** Processes and threads of the whole host (sysinfo(2)), of which the kernel tells 16 bits. */
static uint16_t whole_host(void)
{
	struct sysinfo info;

	return sysinfo(&info) == 0 ? info.procs : 0;
}

static bool is_near(uint64_t n, uint64_t most)
{
	return n >= most - most / PIDS_NEAR_PART;
}

/** How many there are of the step's, as far as it matters near @p most. A walk down the tree is slow where there are thousands, and loses
 *  those whose parents end meanwhile, which is what a bomb's do: where it finds many, those that the host has more than at the start
 *  are taken for the step's. */
static uint64_t population(const struct watch *w, uint64_t most)
{
	if (w->cgroup->of[CGROUP_PIDS] != NULL)
		return cgroup_population(w->cgroup);
	uint16_t host = whole_host(), more = host - w->others;
	if (most > PIDS_MOST || !is_near(host, most))
		return 0;
	/* Others may have ended meanwhile, so that it is less: then the walk has to do. */
	if (more <= INT16_MAX && is_near(more, most) && crowd_count(w->pid, most / PIDS_MANY_PART) >= most / PIDS_MANY_PART)
		return least(more, most);
	return crowd_count(w->pid, most);
}

/** Adds up the time near the limit. */
static void note_crowd(struct watch *w, bool crowded, uint64_t now_ms)
{
	uint64_t passed = w->counted_ms == 0 ? 0 : now_ms - w->counted_ms;

	w->counted_ms = now_ms;
	w->crowded_ms = crowded ? w->crowded_ms + passed : excess(w->crowded_ms, passed / PIDS_FORGIVEN_PART);
	w->full = w->full && (crowded || w->crowded_ms > 0);
}

static struct watch_hit look_at_pids(struct watch *w, uint64_t now_ms)
{
	uint64_t limit = limit_of(&w->conf->limits, SANDBOX_LIMIT_PIDS);
	uint64_t n = population(w, limit + 1); /* with init */
	bool crowded = is_near(n, limit + 1);

	note_crowd(w, crowded, now_ms);
	if (!crowded) {
		w->pids_ms = n == 0 ? 0 : now_ms + PIDS_MS;
		return nothing;
	}
	w->full = w->full || (w->cgroup->of[CGROUP_PIDS] != NULL ? cgroup_fork_refused(w->cgroup) : n > limit - limit / WATCH_PIDS_PART);
	w->met = w->met || w->full;
	return w->full && w->crowded_ms >= WATCH_PIDS_MS ? hit(w, SANDBOX_LIMIT_PIDS) : nothing;
}

/* ---- the look --------------------------------------------------------------------------- */

static bool disk_was_asked_for(const struct sandbox_conf *conf)
{
	return conf->limits.work_bytes != 0 || conf->limits.work_files != 0;
}

void watch_begin(struct watch *w, const struct sandbox_conf *conf, const struct cgroup *cgroup, uint64_t now_ms)
{
	*w = (struct watch){ .conf = conf, .cgroup = cgroup, .next_ms = now_ms + WATCH_MS };
	w->walk_anyway_ms = now_ms + WALK_ANYWAY_MS;
	w->others = whole_host();
	if (has_places(conf))
		measure(w);
}

static struct watch_hit look(struct watch *w, uint64_t now_ms)
{
	struct watch_hit found = nothing;

	if (cgroup_out_of_memory(w->cgroup))
		return hit(w, SANDBOX_LIMIT_MEMORY);
	if (has_places(w->conf))
		found = look_at_places(w, now_ms);
	if (found.limit == SANDBOX_NO_LIMIT && now_ms >= w->pids_ms)
		found = look_at_pids(w, now_ms);
	return found;
}

struct watch_hit watch_turn(struct watch *w, uint64_t now_ms)
{
	struct watch_hit found = nothing;

	if (now_ms >= w->next_ms) {
		w->next_ms = now_ms + WATCH_MS;
		found = look(w, now_ms);
	}
	if (found.limit == SANDBOX_NO_LIMIT && w->walk != NULL)
		found = walk(w, now_ms);
	return found;
}

struct watch_hit watch_last(struct watch *w)
{
	struct watch_hit found = nothing;
	bool more = true, low = false;

	if (has_places(w->conf))
		found = look_at_disk(w, &low);
	if (found.limit != SANDBOX_NO_LIMIT || !has_places(w->conf) || (!low && !disk_was_asked_for(w->conf)))
		return found;
	walk_end(w->walk);
	w->walk = walk_begin(w->conf);
	while (w->walk != NULL && more && found.limit == SANDBOX_NO_LIMIT) {
		more = walk_on(w->walk);
		found = judge_walk(w);
	}
	return found;
}

void watch_end(struct watch *w)
{
	walk_end(w->walk);
	w->walk = NULL;
	w->next_ms = UINT64_MAX;
}

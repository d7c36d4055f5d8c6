/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "sandbox/limit.h"

/** A walk takes processor time from the step: after one that lasted n ms, the next waits for so many times n, at least so many ms. */
#define WALK_IF_LOW_TIMES 4
#define WALK_IF_LOW_MS 200
#define WALK_ANYWAY_TIMES 50
#define WALK_ANYWAY_MS 5000

/** Between two counts of processes, and the most that are counted: beyond, it would cost too much. */
#define PIDS_MS 500
#define PIDS_MOST 65536

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

static uint64_t lost(uint64_t before, uint64_t now)
{
	return before > now ? before - now : 0;
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
	*ret_low = lost(w->bytes, bytes) > limit_of(&w->conf->limits, SANDBOX_LIMIT_WORK) ||
		   lost(w->inodes, fs.f_favail) > limit_of(&w->conf->limits, SANDBOX_LIMIT_WORK_FILES);
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

/** Processes and threads of the whole host: "0.20 0.18 0.12 1/80 11206" (proc_loadavg(5)). */
static uint64_t whole_host(void)
{
	char text[128];
	auto_fd fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	const char *slash = strchr(text, '/');
	return slash == NULL ? 0 : strtoull(slash + 1, NULL, 10);
}

/** How many there are of the step's; cheap as long as the host has too few for the limit. */
static uint64_t population(const struct watch *w, uint64_t most)
{
	if (w->cgroup->of[CGROUP_PIDS] != NULL)
		return cgroup_population(w->cgroup);
	return most > PIDS_MOST || whole_host() < most ? 0 : crowd_count(w->pid, most);
}

static struct watch_hit look_at_pids(struct watch *w, uint64_t now_ms)
{
	uint64_t limit = limit_of(&w->conf->limits, SANDBOX_LIMIT_PIDS);
	uint64_t n = population(w, limit + 1); /* with init */

	w->pids_ms = now_ms + PIDS_MS;
	if (n < limit + 1 - limit / 8) {
		w->crowded_since_ms = 0;
		w->full = false;
		return nothing;
	}
	if (w->crowded_since_ms == 0)
		w->crowded_since_ms = now_ms;
	w->full = w->full || (w->cgroup->of[CGROUP_PIDS] != NULL ? cgroup_fork_refused(w->cgroup) : n > limit);
	return w->full && now_ms - w->crowded_since_ms >= WATCH_PIDS_MS ? hit(w, SANDBOX_LIMIT_PIDS) : nothing;
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
	w->pids_ms = now_ms + PIDS_MS;
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

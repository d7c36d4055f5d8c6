/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file work.h
 * A run at work: the scratch, the space with the pristine sources, and the steps
 * that run on them one after the other. Private to runner/.
 *
 * Every source is laid out once, pristine: in the space's tmpfs, or on disk where
 * the spec says `workdir: disk`. A step sees its work directory's source through
 * an overlay with an upper of its own, all other sources read-only. A test's overlay has
 * the build's upper as a lower: its own copy of the built tree, for the price of a mount.
 */
#ifndef GB_RUNNER_WORK_H
#define GB_RUNNER_WORK_H

#include "runner/left.h"
#include "runner/log.h"
#include "runner/plan.h"
#include "runner/reports.h"
#include "runner/upper.h"
#include "sandbox/sandbox.h"

/** What differs from how the plan is carried out otherwise: to see whether a build depends on it. Zero: nothing. Borrowed strings, or NULL. */
struct work_vary {
	struct sandbox_vary host;
	bool other_uid;               /**< root inside where the plan says a user, a user where it says root */
	const char *prefix;           /**< before each source's mount point and the work directory */
	const char *hostname;
	const char *lang, *tz;        /**< in place of LANG and TZ, unless the spec has its own */
};

struct work {
	struct store *store;
	const struct plan *plan;
	uint64_t grace_ms;
	int cancel_fd;
	char *rootfs_path;
	int rootfs_held;              /**< so that it stays; -1 until work_begin() */
	struct store_scratch *scratch;
	struct sandbox_space *space;  /**< NULL: workdir: disk */
	bool varied;                  /**< as `vary` says; steps have no receipt then */
	struct work_vary vary;
	bool begun;                   /**< rootfs and sources are laid out */
	bool build_done;              /**< the build's upper is there to be a test's lower */
};

/** Room for a reason why a step ran or did not. */
#define CACHE_WHY_SIZE 320

/** Where a step's outcome is from. */
enum step_origin {
	STEP_UNCACHED, /**< it ran; nobody asked the cache */
	STEP_MISSED,   /**< it ran, since the cache had nothing for it */
	STEP_HIT,      /**< the cache: it did not run */
};

/** How one step went. */
struct step_outcome {
	const struct spec_step *step;
	struct sandbox_result result;
	struct step_log log;
	struct left left;             /**< of a build that has ended well, where that is more than it may leave; else empty */
	bool ok;
	struct reports reports;       /**< of a test: read */
	json_t *refused;              /**< what its profile refused, as result.json has it; set when it is reported, or from the cache */
	enum step_origin origin;
	bool have_key;
	struct digest key;            /**< step key */
	char why[CACHE_WHY_SIZE];     /**< of a hit or a miss */
	uint64_t log_written;         /**< a hit's: how many bytes the step wrote to its log, when it ran */
	char how[320];                /**< "exit 0", "killed by signal 9", "timed out after 10 s", "ended by its limit memory=64 MiB" */
};
void step_outcome_clear(struct step_outcome *o);
static inline void own_step_outcome(struct step_outcome *o)
{
	step_outcome_clear(o);
}
#define auto_step_outcome __attribute__((cleanup(own_step_outcome))) struct step_outcome

/** Takes a scratch and lays the sources out. @p work is zero-initialised with store, plan, grace_ms, cancel_fd, varied, vary and rootfs_held (-1) set. */
int work_begin(struct work *work, struct err *err);
/** Lays out what a build left that did not run here, for the tests. After work_begin(). */
int work_restore(struct work *work, const struct upper *upper, struct err *err);
/** Notes what the build has left as used until work_end(); @p upper NULL: it was not written down. */
int work_use(const struct work *work, const struct digest *output, const struct upper *upper, struct err *err);
/** Writes down what the build has left. */
int work_record(const struct work *work, const struct digest *output, struct upper *ret, struct err *err);
/** Runs the build or a test. 0 also when the step failed (then !ok); -1 when it could not be run. @p ret is zero-initialised. */
int work_step(struct work *work, const struct spec_step *step, struct step_outcome *ret, struct err *err);

/** Opens what a step that has run has written to its work directory, without following a link of its; -1 where that is nothing. */
int work_written(const struct work *work, const struct spec_step *step, int *ret_fd, struct err *err);

/** Another command in the sandbox of a step, on a copy of what the step begins with. Borrowed. */
struct work_visit {
	const char *const *argv, *const *env;    /**< NULL-terminated */
	const struct sandbox_terminal *terminal; /**< or NULL: `relay` */
	const int *relay;
	bool after;                              /**< on a copy of what the step, which has run, has left */
};
/** Runs it: the step's mounts, user, network, filter and limits, but for its timeout. Once in a work. */
int work_visit(struct work *work, const struct spec_step *step, const struct work_visit *visit, struct sandbox_result *ret,
	       struct err *err);
/** Appends " /src, /tmp, …": where a step can write. */
void work_writable(const struct work *work, const struct spec_step *step, struct buf *out);
void work_end(struct work *work);
#define auto_work __attribute__((cleanup(work_end))) struct work

/** The index of the source that holds the build's work directory; the spec's rules promise there is one. */
size_t work_build_source(const struct plan *plan);

/** ERR_INTERRUPTED when @p cancel_fd is readable: asked between pieces of work outside of the sandbox. */
int work_check_cancel(int cancel_fd, struct err *err);

#endif

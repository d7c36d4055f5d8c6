/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file cache.h
 * The step cache: what a step came to, recorded under its step key, and taken from there in place of running it. Private to runner/.
 *
 * Recorded are only steps that ended with 0 and met no limit, by the runner, which a step cannot reach. What is taken is checked before:
 * a result by the digest over its name and content, a log by its own, an output by its manifest and, where anybody will read its contents,
 * by theirs. What does not hold is a miss, and running the step heals it.
 */
#ifndef GB_RUNNER_CACHE_H
#define GB_RUNNER_CACHE_H

#include "runner/harvest.h"
#include "runner/image.h"
#include "runner/step_key.h"
#include "runner/upper.h"
#include "runner/work.h"

/** What a run does with the cache. */
enum cache_use {
	CACHE_NONE,    /**< neither takes nor records (reproduce; caching.enabled: false) */
	CACHE_RECORD,  /**< records, takes nothing (--no-cache) */
	CACHE_FULL,
};

/** What the cache knows of a step that may run. Zero-initialise. */
struct cache_answer {
	json_t *key;             /**< what the step depends on; NULL: nothing was asked, nothing is recorded */
	struct digest digest;    /**< of it */
	json_t *result;          /**< what it came to, or NULL: a miss */
	struct buf log;          /**< with it */
	char why[CACHE_WHY_SIZE]; /**< of a hit or a miss, for people */
};
void cache_answer_clear(struct cache_answer *a);
#define auto_cache_answer __attribute__((cleanup(cache_answer_clear))) struct cache_answer

/** Asks for a step. A miss is no failure. @p built as for step_key_json(). */
int cache_ask(struct store *store, const struct plan *plan, const struct spec_step *step, const struct built_state *built,
	      enum cache_use use, struct cache_answer *ret, struct err *err);

/** What the build left, by the result of a build. */
struct cache_build {
	struct harvest output;
	struct upper upper;
};
/** Reads that out of a hit and checks that it is all there, with @p contents that they are what they should be. False: then @p a is a miss. */
bool cache_build_of(struct store *store, struct cache_answer *a, bool contents, struct cache_build *ret);

/** Notes that a step's latest result is that of a hit: what later misses are held against. Nothing more than that depends on it. */
void cache_note_latest(struct store *store, const struct plan *plan, const struct cache_answer *a, const struct spec_step *step);

/** Fills in the outcome of a hit. @p ret is zero-initialised. */
int cache_adopt(const struct cache_answer *a, const struct spec_step *step, struct step_outcome *ret, struct err *err);

/** Records how a step went that was asked for, if that is to be recorded. @p left: what a build left; NULL for a test. */
int cache_record(struct store *store, const struct plan *plan, const struct cache_answer *a, const struct step_outcome *o,
		 const struct cache_build *left, struct err *err);

/** image.tar by what it depends on. */
struct cache_image {
	json_t *key;             /**< NULL: nothing was asked */
	struct digest digest;
	bool hit;
	struct built_image built;
};
void cache_image_clear(struct cache_image *a);
#define auto_cache_image __attribute__((cleanup(cache_image_clear))) struct cache_image

/** Largest image.tar that is kept. */
#define CACHE_IMAGE_MAX (1ull << 30)

/** Asks for the image of what the build left. */
int cache_ask_image(struct store *store, const struct plan *plan, const struct digest *output, enum cache_use use,
		    struct cache_image *ret, struct err *err);
/** Copies a hit to @p fd, which is empty, verifying it. False: it is damaged, and @p fd empty again. */
bool cache_take_image(struct store *store, const struct cache_image *a, int fd);
/** Records the image that @p fd has, unless it is too large. */
int cache_record_image(struct store *store, const struct cache_image *a, int fd, const struct built_image *built, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file lock.h
 * buildspec.lock (glovebox-buildspec.lock(5)): what the bare names of a spec mean. Text to structures and back; it knows
 * nothing of stores or networks. Part of spec/.
 */
#ifndef GB_SPEC_LOCK_H
#define GB_SPEC_LOCK_H

#include "base/hash.h"
#include "spec/spec.h"

/** The file's name, beside the spec. */
#define SPEC_LOCK_NAME "buildspec.lock"
#define SPEC_LOCK_SCHEMA "https://glovebox.dev/schemas/lock/v1"

/** What kind of thing is pinned. */
enum spec_pin_kind {
	SPEC_PIN_ROOTFS,  /**< a root filesystem by name, or by language and version */
	SPEC_PIN_FILE,    /**< a source's url without a digest */
	SPEC_PIN_COMMIT,  /**< a source's git ref */
};

/** One thing that a spec leaves open, and what it is pinned to. The strings are owned. */
struct spec_pin {
	enum spec_pin_kind kind;
	size_t source;           /**< its index, where it is one */
	char *at;                /**< place in the spec: "rootfs", "sources.NAME" */
	struct digest asks;      /**< of what the spec says there */
	char *rootfs;            /**< NAME@sha256:… */
	struct digest digest;    /**< of a file */
	uint64_t size;           /**< of a file */
	char *commit;
	struct spec_pos pos;     /**< in the lock */
};

struct spec_lock {
	struct spec_pin *v;
	size_t n;
};
void spec_lock_clear(struct spec_lock *lock);
#define auto_spec_lock __attribute__((cleanup(spec_lock_clear))) struct spec_lock

/** What @p spec leaves open, in its order: pins without what they are pinned to. */
int spec_lock_wants(const struct spec *spec, struct spec_lock *ret, struct err *err);

/** Appends the file's text. Every pin has what its kind needs. */
int spec_lock_write(const struct spec_lock *lock, struct buf *out, struct err *err);

/** Reads a lock for @p spec: pins for exactly what it leaves open, as it does now, in its order. ERR_USAGE with FILE:LINE:COL for
 *  what is malformed, was changed by hand, or was made for another text of the spec. */
int spec_lock_parse(const char *file, const char *text, size_t n, const struct spec *spec, struct spec_lock *ret, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file checkup.h
 * Trying what a sandbox needs, one by one, and then a sandbox. What is denied is told by the very error that a run
 * would end with (cause.h).
 */
#ifndef GB_SANDBOX_CHECKUP_H
#define GB_SANDBOX_CHECKUP_H

#include "sandbox/cause.h"

/** What is tried, in this order. */
enum sandbox_check_name {
	CHECK_NAMESPACES, /**< the namespaces of a step */
	CHECK_OVERLAY,    /**< the root of a step over a rootfs, read-only, and a writable place */
	CHECK_PROC,       /**< a /proc of its own */
	CHECK_LANDLOCK,
	CHECK_GROUPS,     /**< supplementary groups that steps keep */
	CHECK_SANDBOX,    /**< all of it: a command that runs in the box, as `exec` does it */
	CHECK_SPACE,      /**< and from within a space, as `run` does it */
	CHECK_LIMITS,     /**< limits of memory and processor time */
	CHECKS,
};

enum sandbox_check_state {
	CHECK_OK,
	CHECK_WEAKER,   /**< not there, and not needed; `err` says what is missing */
	CHECK_DENIED,   /**< `err` says why */
	CHECK_UNTRIED,  /**< it needs something that is denied */
};

/** What became of one try. */
struct sandbox_check {
	enum sandbox_check_state state;
	struct err err;  /**< of CHECK_DENIED and CHECK_WEAKER */
	char seen[96];   /**< of CHECK_OK, a figure where there is one: "ABI 6"; else "" */
};

struct sandbox_checkup_conf {
	int base_fd;            /**< as sandbox_conf's: the store */
	const char *dir;        /**< an empty directory below it, written to */
	uid_t outer_uid; gid_t outer_gid;
	bool limits_wanted;     /**< limits that cannot be had are CHECK_DENIED, else CHECK_WEAKER */
};

/** For people and machines: "namespaces". */
const char *sandbox_check_name(enum sandbox_check_name check);

/** Tries all. -1 only when it could not try at all. */
int sandbox_checkup(const struct sandbox_checkup_conf *conf, struct sandbox_check ret[CHECKS], struct err *err);

#endif

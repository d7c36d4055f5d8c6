/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file check.h
 * Private to profiles/: looking for what a profile hardly means. check_file.c begins, and looks at the whole; check.c at the rules.
 */
#ifndef GB_PROFILES_CHECK_H
#define GB_PROFILES_CHECK_H

#include "base/json.h"
#include "profiles/policy.h"

/** Most findings that are told. */
#define CHECK_FINDINGS_MAX 500
/** Most combinations of arguments that are tried in one text: a second or two. */
#define CHECK_TRIES_MAX 20000000u

enum severity {
	SEVERITY_WARNING,
	SEVERITY_CONTRADICTION, /**< an error; a warning in a container engine's file */
	SEVERITY_ERROR,
};

/** A text being looked at. */
struct checker {
	const char *file;
	bool engine;            /**< it has the form of a container engine's */
	struct policy policy;   /**< indexed */
	struct spec_pos at_default; /**< where defaultAction stands */
	json_t *findings;
	bool full;              /**< CHECK_FINDINGS_MAX are there: what else there is stays untold */
	uint64_t tries;         /**< combinations of arguments tried so far */
	char **name_of_call;    /**< room for one name */
	struct err *err;
};

/** Adds a finding. -1 only when memory is short. */
int check_tell(struct checker *c, enum severity severity, struct spec_pos pos, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** Looks at each rule, and at each pair of one call. */
int check_rules(struct checker *c);

#endif

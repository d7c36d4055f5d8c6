/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file learn.h
 * Private to profiles/: what is remembered of the calls of a command, by the rule of the ceiling that decided about each.
 */
#ifndef GB_PROFILES_LEARN_H
#define GB_PROFILES_LEARN_H

#include "profiles/policy.h"
#include "profiles/profiles.h"

/** Most sets of values that one rule is narrowed down to; a rule that more were seen of stays as wide as it is. */
#define LEARN_CHOICES_MAX 32
/** Arguments that one call is narrowed down by. */
#define LEARN_SELECT_MAX 2

/** An argument that says what a call is about, so that one that was seen says nothing of another. */
struct select {
	unsigned index;
	uint32_t mask;   /**< 0: none */
};

/** What a call is narrowed down by, and what it answers to what was not seen. */
struct narrowing {
	const char *name;
	struct select by[LEARN_SELECT_MAX];
	unsigned sys;    /**< the errno: what the kernel says to a value that it does not know */
};

/** Values of the selected arguments that were seen together, and how often. */
struct choice {
	uint32_t v[LEARN_SELECT_MAX];
	uint64_t count;
	char *who;
};

/** What was seen of one rule of the ceiling, or of a call that no rule of it names. */
struct seen {
	uint64_t count;
	char *who;                /**< who made it first; NULL: not asked yet */
	uint64_t args[POLICY_ARGS]; /**< of that first time */
	struct choice *choices;
	size_t nchoices;
	bool many;                /**< more than LEARN_CHOICES_MAX; choices says nothing */
};

struct profile_learner {
	const char *name;         /**< of the ceiling */
	struct policy ceiling;    /**< indexed */
	struct seen *rules;       /**< as ceiling.rules */
	struct seen unnamed[POLICY_NR_MAX]; /**< decided by the default */
	struct seen beyond;       /**< numbers from POLICY_NR_MAX */
	const struct narrowing *narrow[POLICY_NR_MAX]; /**< how a call is narrowed down, or NULL */
	uint64_t calls;
};

/** The name of a call of the ceiling's architecture; "system call N" where libseccomp has none. @return @p out. */
#define LEARN_NAME_SIZE 48
const char *learn_name(const struct arch *arch, int nr, char out[LEARN_NAME_SIZE]);

/** Checks that @p p, of the file @p file, allows nothing that @p ceiling does not. ERR_INTERNAL. */
int policy_within(const struct policy *p, const struct policy *ceiling, const char *file, struct err *err);

#endif

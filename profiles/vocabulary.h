/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file vocabulary.h
 * Private to profiles/: the words of the OCI runtime-spec's seccomp section
 * (config-linux.md, "Seccomp"), and the scalars that carry them.
 */
#ifndef GB_PROFILES_VOCABULARY_H
#define GB_PROFILES_VOCABULARY_H

#include "profiles/policy.h"

/** Where errors go. */
struct place {
	const char *file;
	struct err *err;
};

/** The entry @p key of @p map; NULL when it is absent or null, which engines write for absent. */
const struct node *vocabulary_get(const struct node *map, const char *key);

/** Checks that @p node is a map with no key outside @p keys (NULL-terminated). @p what names it. */
int vocabulary_keys(const struct place *at, const struct node *node, const char *what, const char *const *keys);
/** Checks that @p node is a list. */
int vocabulary_list(const struct place *at, const struct node *node, const char *what);
/** The text of a string node. Borrowed. */
int vocabulary_string(const struct place *at, const struct node *node, const char *what, const char **ret);
/** A whole number: decimal, 0x… or 0o…, at most @p max. */
int vocabulary_number(const struct place *at, const struct node *node, const char *what, uint64_t max, uint64_t *ret);
/** true or false. */
int vocabulary_bool(const struct place *at, const struct node *node, const char *what, bool *ret);

/** The action that @p action (SCMP_ACT_…), @p number (errnoRet or NULL) and @p name (errno or NULL) mean together. */
int vocabulary_action(const struct place *at, const struct node *action, const struct node *number,
		      const struct node *name, uint32_t *ret);
/** A comparison, SCMP_CMP_…. */
int vocabulary_compare(const struct place *at, const struct node *node, enum scmp_compare *ret);
/** Back: the name of a comparison. */
const char *vocabulary_compare_name(enum scmp_compare op);
/** Checks the name of an architecture, SCMP_ARCH_…, known to libseccomp; tells whether it is @p arch.
 *  @param engine  names that are newer than libseccomp are fine: engines list all they ever run on. */
int vocabulary_arch(const struct place *at, const struct node *node, const struct arch *arch, bool engine, bool *ret_same);
/** The number of a system call on @p arch: -1 when libseccomp does not know the name at all (then with a
 *  suggestion in @p ret_near, "" or " (did you mean 'x'?)"), any other negative number when other architectures have it. */
int vocabulary_syscall(const struct arch *arch, const char *name, char ret_near[80]);

#endif

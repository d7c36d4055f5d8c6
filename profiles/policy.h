/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file policy.h
 * Private to profiles/: what a profile's text says for one architecture, as a flat
 * list of rules, and the steps from text to BPF. The meaning is defined by
 * policy_answer() alone; compile.c translates it, verify.c proves the translation.
 */
#ifndef GB_PROFILES_POLICY_H
#define GB_PROFILES_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>
#include <seccomp.h>

#include "base/err.h"
#include "spec/yaml.h"

/** Most rules (names times alternatives of arguments) of one profile: one for each instruction the kernel takes. */
#define POLICY_RULES_MAX 4096
/** A system call has that many arguments. */
#define POLICY_ARGS 6
/** System call numbers end below this; verify.c looks at every one. */
#define POLICY_NR_MAX 1024
/** The kernel that `minKernel` of container engines' profiles is compared with: the oldest that glovebox
 *  supports, not the running one, so that the same text gives the same filter everywhere. */
#define POLICY_KERNEL_MAJOR 5
#define POLICY_KERNEL_MINOR 14

/** An architecture that filters are made for. Static. */
struct arch {
	uint32_t token;       /**< SCMP_ARCH_*, which is the kernel's AUDIT_ARCH_* */
	const char *oci_name; /**< in `architectures` and `archMap` */
	const char *go_name;  /**< in `includes` and `excludes` */
};

/** The i-th of the architectures that shipped profiles are compiled for, or NULL past the end. */
const struct arch *arch_at(size_t i);
/** The one this program runs on, or NULL when it is none of them. */
const struct arch *arch_native(void);

/** One comparison of one argument (64 bits, unsigned). */
struct policy_cond {
	unsigned index;
	enum scmp_compare op;
	uint64_t value;     /**< SCMP_CMP_MASKED_EQ: the mask */
	uint64_t value_two; /**< SCMP_CMP_MASKED_EQ: what the masked argument must be */
};

/** All conditions hold: this is the action. */
struct policy_rule {
	int nr;
	uint32_t action;    /**< SCMP_ACT_*, which is the kernel's SECCOMP_RET_* */
	struct spec_pos pos; /**< of the name in the text */
	unsigned nconds;
	struct policy_cond conds[POLICY_ARGS];
};

/** A profile for one architecture. Zero-initialise; free with policy_clear(). */
struct policy {
	const struct arch *arch;
	uint32_t default_action;
	struct policy_rule *rules; /**< by number once indexed, and within one number in the order of the text */
	size_t nrules, cap;
	size_t first[POLICY_NR_MAX + 1]; /**< the rules of call nr are first[nr] up to, not including, first[nr + 1] */
};

void policy_clear(struct policy *p);
#define auto_policy __attribute__((cleanup(policy_clear))) struct policy

/** Appends a rule. ERR_INTERNAL when memory is short; the caller has checked POLICY_RULES_MAX and POLICY_NR_MAX. */
int policy_add(struct policy *p, const struct policy_rule *rule, struct err *err);

/** Sorts the rules by number and fills `first`; after the last rule, before anything is asked. */
int policy_index(struct policy *p, struct err *err);

/** Refuses a rule that can never decide, because an earlier one of its call always does, with another action. */
int policy_check_reach(const struct policy *p, const char *file, struct err *err);

/** The number of a system call there, below POLICY_NR_MAX; negative: there is none of that name. libseccomp looks through all names each time. */
int arch_call_number(const struct arch *arch, const char *name);

/** Whether a call with this action is made: logged ones are, too. */
bool policy_allows(uint32_t action);
/** Whether a condition holds whatever the argument is; and whether all of a rule's do, or it has none. */
bool policy_cond_always(const struct policy_cond *cond);
bool policy_rule_always(const struct policy_rule *rule);
/** Whether all its conditions hold. */
bool policy_rule_holds(const struct policy_rule *rule, const uint64_t args[POLICY_ARGS]);

/** The rule that decides about a call: the first that matches, or NULL for the default action.
 *  @param nr  from 0 and below POLICY_NR_MAX */
const struct policy_rule *policy_match(const struct policy *p, int nr, const uint64_t args[POLICY_ARGS]);

/** Its action, or the default. */
uint32_t policy_answer(const struct policy *p, int nr, const uint64_t args[POLICY_ARGS]);

/** Reads a profile for @p arch. ERR_USAGE at FILE:LINE:COL. @p ret is zero-initialised and, on success, owned by the caller. */
int policy_parse(const char *file, const char *text, size_t n, const struct arch *arch, struct policy *ret,
		 struct err *err);

/** Whether the top of a profile has the form of a container engine's file. */
bool policy_is_engines(const struct node *root);
/** The same from the text's nodes, without policy_check_reach(). @param lenient  names that libseccomp does not know are skipped. */
int policy_read(const char *file, const struct node *root, const struct arch *arch, bool lenient, struct policy *ret, struct err *err);

/** Translates. ERR_USAGE when the program would be longer than PROFILE_BPF_MAX. @p ret_bpf is owned by the caller (free()). */
int policy_compile(const struct policy *p, const char *file, struct sock_filter **ret_bpf, size_t *ret_len,
		   struct err *err);

/** Checks that the program answers as policy_match() says: for every number, and for calls with conditions for
 *  argument values at and around every compared one; and that it kills foreign ABIs. ERR_INTERNAL when it does not:
 *  a filter that is not what its text says is never handed out. */
int policy_verify(const struct policy *p, const char *file, const struct sock_filter *bpf, size_t len, struct err *err);

#endif

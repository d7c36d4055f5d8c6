/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file verify_policy.h
 * A verifier's policy as a file: glovebox-policy(5). It only says what is asked; attest/ asks it.
 */
#ifndef GB_RUNNER_VERIFY_POLICY_H
#define GB_RUNNER_VERIFY_POLICY_H

#include "attest/attest.h"
#include "spec/yaml.h"

/** Largest policy file, in bytes. */
#define VERIFY_POLICY_MAX (256u << 10)

/** What a policy file asks. Its strings are those of the text's tree. */
struct verify_policy {
	struct digest digest;                /**< of the text */
	const char **keys; size_t nkeys;     /**< names of key files, relative to the policy's directory */
	unsigned threshold;                  /**< how many of the keys must have signed a provenance; at least 1 */
	const char **require; size_t nrequire; /**< kinds of attestations that must be there */
	bool tests_passed;                   /**< and a test result among them, and each PASSED */
	struct attest_policy asks;           /**< all else; without keys and time */
	struct attest_builder *builders;     /**< these five: owned, of `asks` */
	const char **sources;
	struct oci_kv *params;
	struct digest *rootfs, *profiles;
	struct node *root;                   /**< owned */
};
void verify_policy_clear(struct verify_policy *p);
#define auto_verify_policy __attribute__((cleanup(verify_policy_clear))) struct verify_policy

/** Reads the text of the policy @p file. Every key is known and means something, else ERR_USAGE "FILE:LINE:COL: …". */
int verify_policy_read(const char *file, const char *text, size_t n, struct verify_policy *ret, struct err *err);

#endif

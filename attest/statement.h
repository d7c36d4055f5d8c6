/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file statement.h
 * What a statement must say: in-toto Statement v1 with SLSA provenance v1, and on
 * top of that what glovebox's build type promises. Members that the two
 * specifications do not know are let be, as in-toto asks of consumers; unknown
 * external parameters are refused, as SLSA asks of verifiers.
 */
#ifndef GB_ATTEST_STATEMENT_H
#define GB_ATTEST_STATEMENT_H

#include "attest/attest.h"

/** Checks any SLSA provenance statement: types, subjects, required members, forms of digests and times. */
int statement_check_slsa(const json_t *statement, struct err *err);

/** Checks what a statement of ATTEST_BUILD_TYPE must say, statement_check_slsa() included. */
int statement_check(const json_t *statement, struct err *err);

/** Checks what byproducts say a second time: each has a name of its own, and a manifest is that of a tree which the statement names. (byproducts.c) */
int byproducts_check(const json_t *statement, struct err *err);

/** Parses the canonical bytes of a statement and checks it with statement_check(). */
int statement_parse(const char *text, size_t n, json_t **ret, struct err *err);

/** Checks externalParameters (params.c holds the table of names). */
int params_check(const json_t *external, struct err *err);

/** Checks that the member at the dotted path @p want->name has the value @p want->value. */
int params_match(const json_t *external, const struct oci_kv *want, struct err *err);

/** The subjects of a build: the image by its manifest, and the archive. NULL: memory is short, or a text is not UTF-8. */
json_t *statement_subjects(const char *image_name, const struct digest *image, const struct digest *tar);
/** A list of ResourceDescriptors. NULL likewise. */
json_t *statement_descriptors(const struct attest_dependency *list, size_t n);

/** What is asked of the predicate of a test result: a word, lists of names, and that the two do not contradict each other. (test_result.c) */
int test_result_check(const json_t *predicate, struct err *err);

/** What the policy asks of a statement that has been checked. (policy.c) */
int policy_check(const json_t *statement, const struct attest_policy *policy, struct err *err);

/** ERR_UNVERIFIED where the time @p when, "YYYY-MM-DDTHH:MM:SSZ", of what @p what names, is not as recent as the policy asks, or
 *  lies ahead. */
int policy_check_age(const struct attest_policy *policy, const char *what, const char *when, struct err *err);

/** Whether @p s is "YYYY-MM-DDTHH:MM:SSZ" (RFC 3339 in UTC), what in-toto's Timestamp is. Text order is then time order. */
bool statement_is_time(const char *s);

/* Parts of a statement that has been checked. Borrowed. */
const json_t *statement_definition(const json_t *statement);
const json_t *statement_run(const json_t *statement);
const json_t *statement_external(const json_t *statement);
const char *statement_builder_id(const json_t *statement);

#endif

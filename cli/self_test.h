/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file self_test.h
 * `glovebox doctor --self-test`: the escape suite, on the user's own host, by the program of probes that is installed beside the
 * engine. It runs the probes (tests/escape/probe/suite.c); here its lines are counted and told. Private to cli/.
 */
#ifndef GB_CLI_SELF_TEST_H
#define GB_CLI_SELF_TEST_H

#include "base/base.h"

/** Runs all probes under each shipped profile in a temporary directory below @p tmp, and prints a table in Markdown, or JSON.
 *  @p ret_passed: nothing got through that a profile does not permit. ERR_INTERNAL when it could not be run to its end. */
int self_test(const char *tmp, bool as_json, bool *ret_passed, struct err *err);

#endif

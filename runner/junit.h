/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file junit.h
 * Reports of tests in the XML that JUnit's Ant task began and that has no specification: `testcase` elements anywhere below a root
 * `testsuites` or `testsuite`; one with a `failure` or `error` in it has failed, one with `skipped` did not run. All else is passed over.
 * A step writes them, so they say what the step likes. Private to runner/.
 */
#ifndef GB_RUNNER_JUNIT_H
#define GB_RUNNER_JUNIT_H

#include "base/base.h"

/** Largest report, in bytes. */
#define JUNIT_MAX (16u << 20)
/** Most cases in one. */
#define JUNIT_CASES_MAX 100000
/** Deepest element. */
#define JUNIT_DEPTH_MAX 64
/** Most bytes of a case's name that are kept. */
#define JUNIT_NAME_MAX 200

enum junit_status { JUNIT_PASSED, JUNIT_SKIPPED, JUNIT_FAILED };

struct junit_case {
	char *name;              /**< "CLASS.NAME", or "NAME": valid UTF-8, without control characters */
	enum junit_status status;
};

/** The cases of a report, in its order. Zero-initialise. */
struct junit {
	struct junit_case *v;
	size_t n, cap;
	size_t count[JUNIT_FAILED + 1]; /**< by status */
};
void junit_clear(struct junit *j);
#define auto_junit __attribute__((cleanup(junit_clear))) struct junit

/** Reads a report in a confined process (base/confine.h). ERR_STEP: it is none, or is more than the limits allow; @p what names it. */
int junit_read(const char *what, const char *data, size_t n, struct junit *ret, struct err *err);

/** What that process does: XML in, rows out. A document type, and with it every entity but XML's own five, is refused. */
int junit_parse(const char *data, size_t n, struct buf *rows, struct err *err);

/** And this one, with rows that it does not believe. @return whether they are such. */
bool junit_take(const char *rows, size_t n, struct junit *ret);

#endif

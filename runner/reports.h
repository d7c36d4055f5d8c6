/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file reports.h
 * The reports that a test has written (`reports.junit`): found among what it left, kept in the store as a tree, read. Only files that the
 * test itself has written count: one that lay in a source says nothing of this run. Private to runner/.
 */
#ifndef GB_RUNNER_REPORTS_H
#define GB_RUNNER_REPORTS_H

#include "runner/junit.h"
#include "store/store.h"

/** Most reports of one test, and bytes of all. */
#define REPORTS_MAX 64
#define REPORTS_BYTES_MAX (64u << 20)
/** Most files and directories that are looked at for them. */
#define REPORTS_LOOKED_MAX 100000

/** A report. */
struct report_file {
	char *path;               /**< seen from the test's work directory */
	struct buf text;
	struct digest digest;
	struct junit cases;
	char *fault;              /**< why there are none: it is no report, or too large for one; NULL: it is one */
};

/** Those of one test. Zero-initialise. */
struct reports {
	bool any;
	struct digest tree;       /**< with `any`: of the files, at their paths */
	struct report_file *v;    /**< once they are read */
	size_t n;
};
void reports_clear(struct reports *r);
#define auto_reports __attribute__((cleanup(reports_clear))) struct reports

/** Finds the files below @p dirfd that @p pattern (fetch/glob.h) matches, and puts them into the store as a tree. Nothing of the step is
 *  alive any more; no link is followed. ERR_STEP: more, or more bytes, than the limits allow. */
int reports_find(struct store *store, int dirfd, const char *pattern, struct reports *ret, struct err *err);

/** Reads the files of the tree. One that is no report is no error: `fault` says why. */
int reports_read(struct store *store, struct reports *r, struct err *err);

/** What they say, for result.json and the statement: [{"path", "digest", "passed", "failed", "skipped"}, or with "fault" in place of the
 *  counts]. New reference; NULL when memory is short. */
json_t *reports_json(const struct reports *r);

#endif

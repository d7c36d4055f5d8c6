/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file provenance.h
 * What a run tells of itself, as a SLSA provenance (glovebox-provenance(5)).
 * Private to runner/.
 */
#ifndef GB_RUNNER_PROVENANCE_H
#define GB_RUNNER_PROVENANCE_H

#include "runner/image.h"
#include "runner/manifests.h"
#include "runner/plan.h"
#include "runner/sbom.h"

/** A step's log in the out directory. */
struct run_log {
	char *path;          /**< "logs/build.log" */
	struct digest digest;
	uint64_t size;       /**< bytes of the file */
	uint64_t written;    /**< bytes the step wrote */
};

/** The facts of a finished run. Borrowed. */
struct run_facts {
	const struct plan *plan;
	const struct built_image *image;
	struct digest output;        /**< tree of the build's output */
	const json_t *receipt;       /**< of the build step */
	const json_t *cached;        /**< names of steps whose outcome is from the cache */
	const struct run_log *logs; size_t nlogs;
	const struct run_sboms *sboms;
	const struct manifests *manifests;
	const struct buf *tests;     /**< the statement of the test result; empty: there were no tests */
	const char *builder_id;
	int64_t started, finished;
};

/** Appends the statement. */
int provenance_statement(const struct run_facts *facts, struct buf *out, struct err *err);

/** SHA-256 of the running program. */
int provenance_self(struct digest *ret, struct err *err);

#endif

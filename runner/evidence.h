/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file evidence.h
 * An out directory, or a file with all its evidence, read back: its provenance, checked, and the plan
 * that it names. Private to runner/.
 */
#ifndef GB_RUNNER_EVIDENCE_H
#define GB_RUNNER_EVIDENCE_H

#include "attest/attest.h"
#include "runner/manifests.h"
#include "runner/plan.h"

struct evidence {
	struct attest_verified provenance; /**< statement only, where unverified */
	struct digest manifest, tar;       /**< what the statement is about */
	bool have_image;                   /**< image.tar is there, and is what the statement is about */
	bool whole;                        /**< from a file with all inputs in it */
	struct oci_image image;
	int image_fd;                      /**< the image.tar that was checked, open; -1: none */
	int output_fd;                     /**< the manifest of what the build left, checked, open; -1: none, or none is needed beside the image */
};
#define EVIDENCE_NONE ((struct evidence){ .image_fd = -1, .output_fd = -1 })
void evidence_clear(struct evidence *e);
#define auto_evidence __attribute__((cleanup(evidence_clear))) struct evidence

/** Reads and checks the directory, or the file (evidence_file.h), whose inputs go into @p store. With @p nkeys 0 the unsigned statement is taken as it is. An image.tar beside it must match.
 *  ERR_INPUT when there is no provenance, ERR_UNVERIFIED when it does not hold. */
int evidence_read(struct store *store, const char *path, const struct key *const *keys, size_t nkeys,
		  struct evidence *ret, struct err *err);

/** The plan that the statement names: spec text, rootfs, profile and sources by digest, all to be in the store. */
int evidence_plan(struct store *store, const struct evidence *e, struct plan **ret, struct err *err);

/** The tree that the statement says the build left. */
int evidence_output(const struct evidence *e, struct digest *ret, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file evidence_file.h
 * A run's evidence in one file: an OCI archive, in the form of image.tar, with
 *
 * - the image, under its own tag, so that tools which copy images find it;
 * - an artifact (EVIDENCE_TYPE) that refers to it, whose layers are the attestation and every input, each with a title. A tree's layer is a
 *   tar, in the image's codec, and says by an annotation which tree it is. Spec, lock, included files, profile and manifests are texts.
 *
 * Blobs that are the same are there once: the root filesystem is, where it is the image's first layer. None of it is
 * believed: the statement that somebody signed names the image and every input by digest, and each is compared with that.
 */
#ifndef GB_RUNNER_EVIDENCE_FILE_H
#define GB_RUNNER_EVIDENCE_FILE_H

#include "attest/attest.h"
#include "runner/image.h"
#include "runner/manifests.h"
#include "runner/target.h"

#define EVIDENCE_TYPE "application/vnd.glovebox.evidence.v1"
#define EVIDENCE_TITLE "org.opencontainers.image.title"
/** Annotation of a layer that is a tree: its digest. One that is a tree's manifest has that digest itself. */
#define EVIDENCE_TREE "dev.glovebox.tree"
/** Titles of the attestation: the signed bundle, or the statement where nobody signed. */
#define EVIDENCE_BUNDLE "provenance.sigstore.json"
#define EVIDENCE_STATEMENT "provenance.json"
/** And of the test result, where there is one. */
#define EVIDENCE_TESTS_BUNDLE "test-result.sigstore.json"
#define EVIDENCE_TESTS_STATEMENT "test-result.json"

/** What goes into one. Borrowed. */
struct evidence_parts {
	struct store *store;
	const struct plan *plan;
	int image_fd;               /**< image.tar */
	const struct buf *statement;
	const struct buf *bundle;   /**< empty: unsigned */
	const struct buf *tests_statement, *tests_bundle; /**< the same of the test result; both empty: there were no tests */
	const struct manifests *manifests;
	int cancel_fd;
};

/** Writes one to @p out_fd (empty). ERR_INPUT: a tree that no layer can hold. */
int evidence_file_write(const struct evidence_parts *parts, int out_fd, struct err *err);

/** One that was opened. */
struct evidence_file {
	struct oci_archive *archive;
	json_t *index, *manifest;   /**< owned */
};
void evidence_file_close(struct evidence_file *f);
#define auto_evidence_file __attribute__((cleanup(evidence_file_close))) struct evidence_file

/** Whether the file @p fd looks like one. Reads a few bytes, believes nothing. */
bool evidence_file_is(int fd);
/** Opens the archive in @p fd (borrowed). ERR_UNVERIFIED. */
int evidence_file_open(int fd, struct evidence_file *ret, struct err *err);
/** Appends the attestation of that title (EVIDENCE_BUNDLE …), signed or not. ERR_UNVERIFIED where it has none, with `sys` ENOENT. */
int evidence_file_attestation(const struct evidence_file *f, const char *title, struct buf *out, struct err *err);
/** Writes the image.tar to @p out_fd (empty): the very bytes, or what does not verify. */
int evidence_file_image(const struct evidence_file *f, int out_fd, struct err *err);
/** Checks that every input that a checked statement names is there, and is what its digest says; puts it into @p store unless
 *  that is NULL. Manifests, which need not be there, must be those that it names. ERR_UNVERIFIED names the first that is not. The caller brackets this with ident_read_begin() where the file needs that. */
int evidence_file_inputs(const struct evidence_file *f, const json_t *statement, struct store *store, struct err *err);

#endif

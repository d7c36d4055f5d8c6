/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file verify.h
 * The command `verify` in its three parts: what is asked (verify_request.c), whether it holds (verify_check.c), and what
 * is told of it (cmd_verify.c). Private to cli/.
 */
#ifndef GB_CLI_VERIFY_H
#define GB_CLI_VERIFY_H

#include "cli/cli.h"
#include "runner/evidence_file.h"
#include "runner/verify_policy.h"

/** Most bundles about one image, and most bytes of all together, which are held in memory. */
#define VERIFY_BUNDLES_MAX 64
#define VERIFY_BYTES_MAX (256u << 20)

/** A bundle as it was read. Owned. */
struct verify_bundle {
	char *path;
	struct buf bytes;
};

/** Everything that a verification goes by, read before anything is looked into. Initialise with VERIFY_REQUEST_NONE. */
struct verify_request {
	char *image;              /**< path of image.tar */
	char *digest_file;        /**< image.digest of an out directory, else NULL */
	int image_fd;             /**< of evidence in one file: its image.tar, in a file without a name; else -1 */
	int evidence_fd;          /**< and that file itself */
	struct evidence_file evidence;
	struct verify_bundle *bundles; size_t nbundles; /**< by --bundle; else the provenance, and what lies beside it where that is asked for */
	bool beside;              /**< the bundles are those that lie beside the image */
	bool deep;
	struct key **keys; size_t nkeys;
	unsigned threshold;
	struct verify_policy file; /**< of --policy; zero without */
	const char *policy_path;  /**< or NULL */
	struct attest_policy policy; /**< of options and file together */
	const char **require; size_t nrequire;
	/* What the members above borrow from. */
	struct oci_kv *params;
	const char **sources;
	char **texts; size_t ntexts;
};
#define VERIFY_REQUEST_NONE ((struct verify_request){ .image_fd = -1, .evidence_fd = -1 })
void verify_request_clear(struct verify_request *q);
#define auto_verify_request __attribute__((cleanup(verify_request_clear))) struct verify_request

/** Reads bundles, keys and policy. Evidence that is not there is ERR_UNVERIFIED. */
int verify_request(const struct args *args, struct verify_request *ret, struct err *err);

/** What holds. */
struct verify_verdict {
	struct attest_verified provenance;
	struct digest image;
	json_t *attestations;     /**< owned: a list of file, keyId, predicateType, statementDigest of each bundle */
	unsigned level;           /**< SLSA build level */
};
void verify_verdict_clear(struct verify_verdict *v);
#define auto_verify_verdict __attribute__((cleanup(verify_verdict_clear))) struct verify_verdict

/** Checks what else lies in an out directory and is read as it is, bills of materials, manifests and unsigned statements, against what the (checked)
 *  provenance says of it. Other places: nothing. */
int verify_beside(const struct verify_request *q, const struct attest_verified *provenance, struct err *err);

/** Checks it all. What comes from outside is looked into by a process that can do nothing else (base/confine.h), while this one makes the
 *  SHA-256 of the archive: a lie of the other's could not make pass what nobody signed. */
int verify_check(const struct verify_request *q, struct verify_verdict *ret, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file attest.h
 * attest/: keys, in-toto statements, DSSE envelopes, Sigstore bundles, and their
 * verification. `verify` can be audited alone: base/ + oci/ + this folder.
 * Specifications: in-toto Statement v1, SLSA provenance v1, DSSE v1.0.2
 * (PAE), Sigstore bundle v0.3 with a plain public key.
 */
#ifndef GB_ATTEST_H
#define GB_ATTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "oci/oci.h"

#define ATTEST_STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define ATTEST_PROVENANCE_TYPE "https://slsa.dev/provenance/v1"
#define ATTEST_PAYLOAD_TYPE "application/vnd.in-toto+json"
#define ATTEST_BUNDLE_TYPE "application/vnd.dev.sigstore.bundle.v0.3+json"
/** The build type of `glovebox run`; documented in glovebox-provenance(5). */
#define ATTEST_BUILD_TYPE "https://glovebox.dev/buildtypes/buildspec/v1"

/** Largest bundle, statement or key file read. */
#define ATTEST_BUNDLE_MAX (16u << 20)
#define ATTEST_KEY_MAX (64u << 10)

/* ---- keys ------------------------------------------------------------ */

/** A private or public key (for now ECDSA P-256, FIPS 186-5). Opaque, owned. */
struct key;
void key_free(struct key *key);
static inline void own_key(struct key **k)
{
	key_free(*k);
}
#define auto_key __attribute__((cleanup(own_key))) struct key *

/** A new P-256 key pair: PKCS#8 PEM private and SubjectPublicKeyInfo PEM public text. */
int key_generate(struct buf *private_pem, struct buf *public_pem, struct err *err);
/** Reads a PEM private key. Encrypted, other types and trailing rubbish are refused (ERR_USAGE). @p what names the file. */
int key_read_private(const char *pem, size_t n, const char *what, struct key **ret, struct err *err);
/** Reads a PEM public key (a private one is refused by name: it does not belong on a verifier's machine). */
int key_read_public(const char *pem, size_t n, const char *what, struct key **ret, struct err *err);
/** base64 of the SHA-256 of the DER public key: DSSE keyid and bundle hint. */
int key_id(const struct key *key, char ret[45], struct err *err);

/* ---- making ---------------------------------------------------------- */

/** One thing that went into a build (SLSA ResourceDescriptor). Borrowed. */
struct attest_dependency {
	const char *name;
	const char *uri;
	struct digest digest;
	const char *digest_kind;   /**< key in the digest map: "sha256", or "glovebox-tree-sha256" for a tree digest */
};

/** What the runner knows of a build; becomes a SLSA provenance statement. Borrowed. JSON members are borrowed references. */
struct attest_build {
	const char *image_name;         /**< subject name, "oci:NAME" is made of it */
	struct digest image_digest;     /**< manifest digest: subject 1 */
	struct digest image_tar_digest; /**< SHA-256 of image.tar: subject 2, "image.tar" */
	json_t *external;               /**< externalParameters object: the spec as given, and every option that decides the result */
	json_t *internal;               /**< internalParameters object: receipt, codec, clock, … */
	const struct attest_dependency *deps; size_t ndeps;
	const char *builder_id;
	const char *version;            /**< glovebox's version */
	struct digest binary;           /**< the running glovebox program */
	const char *invocation_id;      /**< urn:uuid:… */
	int64_t started, finished;      /**< seconds since 1970 */
	const struct attest_dependency *byproducts; size_t nbyproducts; /**< logs */
};

/** Appends the statement as canonical JSON. */
int attest_statement(const struct attest_build *build, struct buf *out, struct err *err);
/** Appends a Sigstore bundle v0.3 with one DSSE signature by @p key over @p statement. */
int attest_sign(const struct key *key, const char *statement, size_t n, struct buf *bundle, struct err *err);

/* ---- verifying ------------------------------------------------------- */

/** What must hold, beyond the signature. NULL members are not asked for. Borrowed. */
struct attest_policy {
	const struct key *const *keys; size_t nkeys; /**< any one of them must have signed */
	const char *builder_id;         /**< must equal runDetails.builder.id */
	const char *source_uri;         /**< must be the uri of a resolved dependency */
	const struct oci_kv *params; size_t nparams; /**< externalParameters member (dotted path) = string, number or bool as JSON text */
};

/** A statement that has passed. */
struct attest_verified {
	json_t *statement;              /**< owned */
	struct digest statement_digest; /**< of the payload bytes */
	char key_id[45];
};
void attest_verified_clear(struct attest_verified *v);
#define auto_attest_verified __attribute__((cleanup(attest_verified_clear))) struct attest_verified

/** Checks a bundle: strict JSON, exact media types, exactly one signature, keyid equal to hint and to one of the
 *  keys, signature over the DSSE PAE, statement and predicate types, required SLSA members, no unknown external parameter
 *  names. Does not look at any artifact. Every refusal is ERR_UNVERIFIED. Fails closed. */
int attest_verify_bundle(const char *bundle, size_t n, const struct attest_policy *policy,
			 struct attest_verified *ret, struct err *err);

/** Checks that the statement is about this image: subjects name the manifest digest and the SHA-256 of the archive's bytes.
 *  Reads the whole archive with oci_image_read(). */
int attest_verify_image(const struct attest_verified *v, int image_fd, bool deep, struct oci_image *ret, struct err *err);

/** Parses an unsigned statement (provenance.json) with all checks of a signed one but the signature. For `reproduce --unverified`. */
int attest_read_statement(const char *text, size_t n, json_t **ret, struct err *err);

#endif

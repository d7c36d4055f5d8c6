/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file attest.h
 * attest/: keys, in-toto statements, DSSE envelopes, Sigstore bundles, and their
 * verification. `verify` can be audited alone: base/ + oci/ + this folder.
 * Specifications: in-toto Statement v1, SLSA provenance v1, DSSE v1.0.2
 * (PAE), Sigstore bundle v0.3 with a plain public key.
 *
 * One statement, key and signature have one bundle, byte for byte: the bundle is
 * canonical JSON and one newline, the payload canonical JSON, base64 strict, the
 * signature in one form (key.h). A bundle that differs from
 * that in any byte is refused, whether or not the byte is covered by the
 * signature, so whoever compares or hashes bundles can trust that, too.
 *
 * externalParameters of ATTEST_BUILD_TYPE hold these members, all required, and no others:
 *   spec     fileName (as given), digest.sha256 (of the text), text (the whole BuildSpec); and where they say what it means:
 *              lock      digest.sha256, text: of buildspec.lock
 *              includes  a list of path, digest.sha256, text: of the files that it includes
 *              facts     gitSha, gitCommitTime (integer), semver: what its placeholders stood for
 *   options  those options of the invocation that decide the result (the table in params.c):
 *              sourceDateEpoch   integer, seconds since 1970
 * An option that is not in the table is refused, by attest_statement() and by every verifier.
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
/** Name of the resolved dependency that is the base image, and of the internal parameter that holds its manifest's text. */
#define ATTEST_BASE "base"
/** Media type of a byproduct that is a tree's manifest (glovebox-tree(5)). */
#define ATTEST_TREE_MEDIA_TYPE "application/vnd.glovebox.tree.v1"
/** Name of the byproduct that is the statement of the test result, as canonical JSON. */
#define ATTEST_TESTS_BYPRODUCT "test-result.json"
/** Name of the subject that is the SHA-256 of all bytes of the archive. */
#define ATTEST_TAR_SUBJECT "image.tar"

/** What the name of the subject begins with that is the tree which the build left. */
#define ATTEST_OUTPUT_SUBJECT "build:"

/** Largest bundle, statement or key file read. A bill of materials lists an image's files one by one. */
#define ATTEST_BUNDLE_MAX (64u << 20)
#define ATTEST_KEY_MAX (64u << 10)
/** Name of the internal parameter that says of which lists a provenance holds all that there is. */
#define ATTEST_COMPLETENESS "glovebox_completeness"
/** And of that which lists the members whose content comes from a step. */
#define ATTEST_STEP_PRODUCED "glovebox_stepProduced"

/** Longest passphrase, in bytes. */
#define ATTEST_PASSPHRASE_MAX 1024

/* ---- keys ------------------------------------------------------------ */

/** What a key is for: ECDSA on P-256 with SHA-256 (FIPS 186-5), or Ed25519 (RFC 8032). */
enum key_type { KEY_P256, KEY_ED25519 };

/** A private or public key. Opaque, owned. */
struct key;
void key_free(struct key *key);
static inline void own_key(struct key **k)
{
	key_free(*k);
}
#define auto_key __attribute__((cleanup(own_key))) struct key *

/** Appends a new key pair: PKCS#8 PEM private and SubjectPublicKeyInfo PEM public text.
 *  The caller wipes the private text (OPENSSL_cleanse()) once it is written. */
int key_generate(enum key_type type, struct buf *private_pem, struct buf *public_pem, struct err *err);
/** Reads a PEM private key: one PKCS#8 block in strict PEM (RFC 7468). P-256: named curve, uncompressed point, public half
 *  present; Ed25519: as in RFC 8410, without it. Encrypted, other types and forms, and anything but white space around the block are refused (ERR_USAGE). @p what names the file. */
int key_read_private(const char *pem, size_t n, const char *what, struct key **ret, struct err *err);
/** Whether the text says of itself that it is an encrypted private key; it may be damaged all the same. */
bool key_is_encrypted(const char *pem, size_t n);
/** Appends @p private_pem, as key_generate() makes it, encrypted: PKCS#8 PEM with PBES2, scrypt and AES-256-CBC, which OpenSSL
 *  reads. An empty or too long passphrase is ERR_USAGE. */
int key_encrypt(const struct buf *private_pem, const struct buf *passphrase, struct buf *out, struct err *err);
/** Reads an encrypted private key: what is in it must be just what key_read_private() reads. A wrong passphrase is ERR_USAGE and
 *  cannot be told from a damaged file. */
int key_read_encrypted(const char *pem, size_t n, const struct buf *passphrase, const char *what, struct key **ret, struct err *err);
/** Whether @p path is no file's but the URI of a key in a token ("pkcs11:…", RFC 7512). */
bool key_is_token(const char *path);
/** Whether somebody has to be asked for the PIN of that token: the URI does not say where it is (`pin-source`). ERR_USAGE: a URI that is refused,
 *  such as one with the PIN itself. */
int key_token_asks(const char *path, bool *ret, struct err *err);
/** Opens it by OpenSSL's engine for tokens, with the library at the URI's `module-path`, else those that p11-kit lists. @p pin may be NULL. The private
 *  half stays in the token. That library may open files and make threads, in this process. ERR_USAGE, also where this program is a static one. */
int key_open_token(const char *path, const struct buf *pin, struct key **ret, struct err *err);
/** Reads a PEM public key (a private one is refused by name: it does not belong on a verifier's machine). */
int key_read_public(const char *pem, size_t n, const char *what, struct key **ret, struct err *err);
enum key_type key_type(const struct key *key);
/** "P-256", "Ed25519": for people. */
const char *key_type_name(enum key_type type);
/** base64 of the SHA-256 of the DER public key: DSSE keyid and bundle hint. */
int key_id(const struct key *key, char ret[45], struct err *err);

/* ---- making ---------------------------------------------------------- */

/** One thing that went into a build (SLSA ResourceDescriptor). Borrowed. */
struct attest_dependency {
	const char *name;          /**< UTF-8 (json_bytes() makes any bytes so); NULL: absent, then uri is there */
	const char *uri;           /**< NULL: absent */
	struct digest digest;
	const char *digest_kind;   /**< key in the digest map: "sha256", or "glovebox-tree-sha256" for a tree digest */
	const char *git_commit;    /**< beside the digest, as "gitCommit"; NULL: absent */
	const char *media_type;    /**< NULL: absent */
};

/** What the runner knows of a build; becomes a SLSA provenance statement. Borrowed. JSON members are borrowed references. */
struct attest_build {
	const char *image_name;         /**< subject name, "oci:NAME" is made of it; not NULL */
	struct digest image_digest;     /**< manifest digest: subject 1 */
	struct digest image_tar_digest; /**< SHA-256 of image.tar: subject 2, "image.tar" */
	const char *output_name;        /**< subject 3, "build:NAME", is what the build left, by its tree; NULL: there is none */
	struct digest output;           /**< that tree, the internal parameter outputTree too */
	json_t *external;               /**< externalParameters object, as at the top of this file */
	json_t *internal;               /**< internalParameters object: receipt, codec, …; no name that external has */
	const struct attest_dependency *deps; size_t ndeps;
	const char *builder_id;
	const char *version;            /**< glovebox's version */
	struct digest binary;           /**< the running glovebox program */
	const char *invocation_id;      /**< urn:uuid:… */
	int64_t started, finished;      /**< seconds since 1970 */
	const struct attest_dependency *byproducts; size_t nbyproducts; /**< what else the run wrote, each under its name in the out directory */
};

/** Appends the statement as canonical JSON without a newline: the bytes to sign, and those of provenance.json. What
 *  attest_verify_bundle() would refuse is never made (ERR_INTERNAL: the caller's mistake, named). */
int attest_statement(const struct attest_build *build, struct buf *out, struct err *err);
/** Appends a Sigstore bundle v0.3 with one DSSE signature by @p key over @p statement (n > 0 bytes), newline included: the whole
 *  file. A public key is ERR_USAGE. ECDSA's signatures are randomised: nothing reproducible may contain a bundle's hash. */
int attest_sign(const struct key *key, const char *statement, size_t n, struct buf *bundle, struct err *err);

/* ---- verifying ------------------------------------------------------- */

/** A builder that is trusted, and the SLSA build level that whoever trusts it knows it to reach. */
struct attest_builder {
	const char *id;
	unsigned level;                 /**< 1 to 3 */
};

/** How far ahead of ours the clock of a builder or verifier may be, in seconds. */
#define ATTEST_CLOCK_SKEW 300

/** What must hold, beyond the signature. NULL members and empty lists are not asked for. Borrowed. */
struct attest_policy {
	const struct key *const *keys; size_t nkeys; /**< any one of them must have signed */
	const char *builder_id;         /**< must equal runDetails.builder.id */
	const struct attest_builder *builders; size_t nbuilders; /**< one of these must */
	const char *const *sources; size_t nsources; /**< each must be the uri of a resolved dependency */
	const struct oci_kv *params; size_t nparams; /**< externalParameters member (dotted path, "spec.digest.sha256") = the text of a string, or a number or bool as JSON */
	const struct digest *rootfs; size_t nrootfs;     /**< one of them is the root filesystem's tree */
	const struct digest *profiles; size_t nprofiles; /**< one of them is the seccomp profile's text */
	bool network_none;              /**< the build had no network, not even its own loopback */
	bool complete;                  /**< every list of inputs says of itself that it is complete */
	int64_t max_age;                /**< seconds since the build was finished, or a summary was made, at most; 0: any */
	int64_t now;                    /**< seconds since 1970, where there is a max_age */
};

/** A statement that has passed. */
struct attest_verified {
	json_t *statement;              /**< owned */
	struct digest statement_digest; /**< of the payload bytes */
	char key_id[45];
};
void attest_verified_clear(struct attest_verified *v);
#define auto_attest_verified __attribute__((cleanup(attest_verified_clear))) struct attest_verified

/** Checks a bundle: canonical bytes, exact media types, no member that glovebox does not write (certificates, log entries,
 *  time stamps, messageSignature: unchecked they would look checked), exactly one signature, keyid equal to hint and to one of the
 *  keys, signature over the DSSE PAE; then statement and predicate types, build type, required SLSA members, subjects each with
 *  a sha256, no unknown external parameter names; then the policy. Does not look at any artifact. Every refusal is
 *  ERR_UNVERIFIED; a failure of memory or of the library is that or ERR_INTERNAL. Fails closed: no key, no verdict. */
int attest_verify_bundle(const char *bundle, size_t n, const struct attest_policy *policy,
			 struct attest_verified *ret, struct err *err);

/** The same by a confined process (base/confine.h): for a bundle from outside. @p policy NULL: attest_read_statement() so. */
int attest_verify_apart(const char *text, size_t n, const struct attest_policy *policy, struct attest_verified *ret, struct err *err);

/** Checks a bundle that another tool may have made, over any in-toto statement (v1 or v0.1): a JSON document of any form, a Sigstore
 *  bundle (v0.1 to v0.3) with exactly one DSSE signature, made by one of the policy's keys. A certificate is refused, since nothing here
 *  checks one; entries of a transparency log are not looked at. Then what its predicate says: a verification summary must have PASSED
 *  and be no older than the policy asks, a SLSA provenance must have its required members, and one of ATTEST_BUILD_TYPE all
 *  that attest_verify_bundle() asks (*ret_build: whether it was one). Every refusal is ERR_UNVERIFIED. */
int attest_verify_other(const char *bundle, size_t n, const struct attest_policy *policy, struct attest_verified *ret,
			bool *ret_build, struct err *err);

/** ERR_UNVERIFIED unless one of the statement's subjects is one of the two digests of an image. */
int attest_about(const struct attest_verified *v, const struct digest *image, const struct digest *tar, struct err *err);

/** The digest of the byproduct of that name in a checked statement. @return whether there is one. */
bool attest_byproduct(const json_t *statement, const char *name, struct digest *ret);

/** ERR_UNVERIFIED where @p tests is a test result of `glovebox run`, and not that of the run that the provenance @p build is of: of those that name
 *  their test result it must be that one; of older ones it must have been made of the same inputs. Of another tool's nothing is asked. */
int attest_same_run(const struct attest_verified *build, const struct attest_verified *tests, struct err *err);

/** Whether the statement is of the kind @p kind: "provenance", "vsa", "svr", "test-result", "sbom", "vulns", or a predicate type. */
bool attest_is_kind(const struct attest_verified *v, const char *kind);

/** Whether @p kind is one of those names, or has the form of a URI. */
bool attest_knows_kind(const char *kind);

/** Asks once more what attest_verify_bundle() has asked of a statement's form: for who has it from a process that may have been taken over. */
int attest_check_statement(const json_t *statement, struct err *err);

/** The digests of an image that a checked statement is about: of its manifest (the first subject, "oci:…") and of its
 *  archive (the subject "image.tar"). ERR_UNVERIFIED where either is missing. */
int attest_image_subjects(const json_t *statement, struct digest *ret_image, struct digest *ret_tar, struct err *err);

/** The base image that a checked statement vouches for: the text of its manifest is the member `manifest` of
 *  internalParameters.base, and its SHA-256 the digest of a resolved dependency named "base" with a URI "oci:…", which the spec
 *  pins; so which layers are the base's follows from a digest alone, and nothing that a step writes has a part in it. @p ret_any:
 *  whether there is one; @p ret is without its config. */
int attest_base(const json_t *statement, struct oci_base *ret, bool *ret_any, struct err *err);

/** Checks that the statement is about this image: its first subject, "oci:…", is the manifest digest, and its subject "image.tar" the
 *  SHA-256 of all the archive's bytes; both are required. Reads @p image_fd (seekable) from its start, whatever its offset, with
 *  oci_image_documents(), @p deep with oci_image_read_on(), where the statement has a base on that, in a confined process. Not deep, no layer is hashed by
 *  itself: that its bytes are those that the manifest names follows from the two digests standing in one signed statement, for the
 *  signer made the archive around them. What is compared is bound to the digests that were signed, also when the file changes
 *  meanwhile; what the caller reads of it later is not. */
int attest_verify_image(const struct attest_verified *v, int image_fd, bool deep, struct oci_image *ret, struct err *err);

/** The same without the SHA-256 of all the archive's bytes, for who makes that while this reads: ERR_UNVERIFIED is sure, but success is not,
 *  before attest_verify_archive() has compared it. */
int attest_verify_content(const struct attest_verified *v, int image_fd, bool deep, struct oci_image *ret, struct err *err);
/** Checks that the SHA-256 of all the archive's bytes is the subject "image.tar". */
int attest_verify_archive(const struct attest_verified *v, const struct digest *archive, struct err *err);

/* ---- test results ---------------------------------------------------- */

/** Member of the predicate that only `glovebox run` writes. */
#define ATTEST_OWN_TESTS "glovebox_tests"
#define ATTEST_TEST_RESULT_TYPE "https://in-toto.io/attestation/test-result/v0.1"

/** What the tests of a build came to. Borrowed; JSON members are borrowed references. */
struct attest_tests {
	const char *image_name;         /**< these three as in struct attest_build */
	struct digest image_digest;
	struct digest image_tar_digest;
	const struct attest_dependency *configuration; size_t nconfiguration; /**< what decided how they ran */
	json_t *passed, *warned, *failed; /**< arrays of names: TEST, of which glovebox knows how it ended, or TEST/CASE, of which the step has told */
	json_t *tests;                  /**< array: of each test how it ended, and what its reports say */
	const char *const *step_produced; size_t nstep_produced; /**< members of the predicate whose content comes from a step */
};

/** Appends a statement with an in-toto test result as canonical JSON: the bytes to sign. It is FAILED where anything has failed, else
 *  WARNED where there are warnings, else PASSED. */
int attest_test_result(const struct attest_tests *tests, struct buf *out, struct err *err);

/* ---- any document about an image ------------------------------------- */

/** A statement about an image whose predicate is a document made elsewhere. Borrowed. */
struct attest_document {
	const char *image_name;         /**< these three as in struct attest_build */
	struct digest image_digest;
	struct digest image_tar_digest;
	const char *predicate_type;     /**< a URI */
	const char *predicate; size_t npredicate; /**< the document, one JSON object in canonical form (json_canonical()) */
};

/** Appends the statement as canonical JSON: the bytes to sign. The document's bytes stand in it as they are. */
int attest_document(const struct attest_document *document, struct buf *out, struct err *err);

/* ---- summaries ------------------------------------------------------- */

#define ATTEST_VSA_TYPE "https://slsa.dev/verification_summary/v1"

/** What a verifier found, in the words of SLSA's verification summary. Borrowed. */
struct attest_summary {
	const struct attest_verified *about; /**< the provenance that passed */
	const char *verifier_id;        /**< a URI */
	const char *version;            /**< glovebox's version */
	int64_t time;                   /**< seconds since 1970 */
	const char *policy_uri;
	struct digest policy;
	const struct attest_dependency *inputs; size_t ninputs; /**< bundles that passed: digests of their bytes */
	unsigned level;                 /**< SLSA build level, 1 to 3 */
};

/** Appends a statement with a SLSA verification summary (PASSED) as canonical JSON: the bytes to sign. */
int attest_vsa(const struct attest_summary *summary, struct buf *out, struct err *err);

#define ATTEST_SVR_TYPE "https://in-toto.io/attestation/svr/v0.2"

/** What somebody found who built again. Borrowed. The properties are names of glovebox's own: SLSA_BUILD_REPRODUCED asks for two
 *  independent platforms, of which a program on one of them cannot know. */
struct attest_findings {
	const json_t *statement;        /**< the checked provenance, whose subjects these are */
	const char *verifier_id;        /**< a URI */
	int64_t time;                   /**< seconds since 1970 */
	const char *const *properties; size_t nproperties; /**< at least one */
};

/** Appends a statement with a simple verification result (in-toto SVR v0.2) as canonical JSON. */
int attest_svr(const struct attest_findings *findings, struct buf *out, struct err *err);

/** What a bundle says of itself, with nothing verified: for sorting and naming files, never for trust. Read by a confined process. Its
 *  predicate type (owned by the caller); ERR_UNVERIFIED unless it has a bundle's form and @p image among its subjects. */
int attest_peek(const char *bundle, size_t n, const struct digest *image, char **ret_predicate_type, struct err *err);

/** Parses an unsigned statement (provenance.json: exactly the bytes of attest_statement()) with all checks of a signed one but the
 *  signature. For `reproduce --unverified`. */
int attest_read_statement(const char *text, size_t n, json_t **ret, struct err *err);

#endif

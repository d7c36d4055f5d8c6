/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bundle.h
 * The envelope (DSSE v1.0.2) and the bundle around it (Sigstore bundle v0.3 with
 * a plain public key): what is signed, and how it is written down. What the
 * payload says is not looked at here.
 */
#ifndef GB_ATTEST_BUNDLE_H
#define GB_ATTEST_BUNDLE_H

#include "attest/key.h"

/** An envelope taken out of its bundle: one payload of the one payload type, one signature. */
struct bundle {
	struct buf payload;
	struct signature signature;
	char key_id[45];
};

void bundle_clear(struct bundle *b);
#define auto_bundle __attribute__((cleanup(bundle_clear))) struct bundle

/** Appends DSSE's pre-authentication encoding, the bytes that are signed:
 *  "DSSEv1" SP length SP type SP length SP body. */
void bundle_pae(const char *type, const void *body, size_t n, struct buf *out);

/** Appends the bundle as canonical JSON and a newline. */
int bundle_write(const struct bundle *b, struct buf *out, struct err *err);

/** Takes the envelope out of a parsed bundle. Exactly the members that bundle_write() writes, exactly one signature,
 *  its keyid equal to the hint, strict base64; else ERR_UNVERIFIED. Checks no signature. */
int bundle_read(const json_t *doc, struct bundle *ret, struct err *err);

/** Checks the signature over the payload by the one of @p keys that the bundle names. */
int bundle_check(const struct bundle *b, const struct key *const *keys, size_t nkeys, struct err *err);

/** bundle_read() for a bundle that another tool may have made: v0.1 to v0.3, members that are not known or not checked here (such as
 *  entries of a log) are let be, the signature's keyid may be anything; `key_id` is the hint, maybe empty. A certificate is
 *  refused. (bundle_any.c) */
int bundle_read_any(const json_t *doc, struct bundle *ret, struct err *err);

/** Checks the signature by any of @p keys, the one that the hint names first, and sets `key_id` to the one that made it. */
int bundle_check_any(struct bundle *b, const struct key *const *keys, size_t nkeys, struct err *err);

/** Takes the bytes of the member @p name, strict base64. */
int bundle_base64(const json_t *object, const char *name, const char *where, struct buf *out, struct err *err);

/** Takes a signature's bytes. @p sig is its object. */
int bundle_signature(const json_t *sig, const char *where, struct signature *ret, struct err *err);

#endif

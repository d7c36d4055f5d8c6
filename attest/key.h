/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file key.h
 * What a key is, and what it does to bytes: ECDSA over P-256 with SHA-256 (FIPS
 * 186-5), or Ed25519 (RFC 8032). A message and a key have many valid signatures; one
 * that was made has one form here, so that nobody without the key can alter a bundle
 * and keep it valid. ECDSA: DER as X.690 has it, and of s and n − s the smaller
 * ("low S"). Ed25519: S below the group's order, R's and the key's encodings
 * reduced, neither of small order.
 */
#ifndef GB_ATTEST_KEY_H
#define GB_ATTEST_KEY_H

#include <openssl/types.h>

#include "attest/attest.h"

struct key {
	EVP_PKEY *pkey;
	enum key_type type;
	bool secret; /**< holds the private half and can sign */
	EVP_PKEY *token; /**< signs in its place: the private half is in a token, and `pkey` is the public one. NULL: it does itself */
	ENGINE *engine; /**< that `token` is reached by, or NULL */
};

/** Makes a public key of its DER. ERR_USAGE unless that has the one form of one of our types. */
int key_decode_public(const struct buf *der, const char *what, struct key **ret, struct err *err);

/** Lets go of the engine of a token's key. */
void token_engine_free(ENGINE *engine);

/** The longest signature: ECDSA's DER of two integers of 33 bytes. Ed25519's has 64 bytes. */
#define SIGNATURE_MAX 72

struct signature {
	uint8_t bytes[SIGNATURE_MAX]; /**< as they stand in a bundle, less the base64 */
	size_t len;
};

/** Signs @p n bytes. A public key is ERR_USAGE. */
int signature_make(const struct key *key, const void *message, size_t n, struct signature *ret, struct err *err);

/** Checks form and value. Anything but a valid signature in the one form is ERR_UNVERIFIED. */
int signature_check(const struct key *key, const void *message, size_t n, const struct signature *sig, struct err *err);

/** Checks the value of a signature that another tool may have made: an ECDSA signature in either of its two forms. ERR_UNVERIFIED. */
int signature_check_any(const struct key *key, const void *message, size_t n, const struct signature *sig, struct err *err);

/** An error with the reason that OpenSSL gives, whose error queue is emptied. @return -1. */
int crypto_failed(struct err *err, enum err_kind kind, const char *doing);

#endif

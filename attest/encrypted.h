/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file encrypted.h
 * Encrypted private keys: EncryptedPrivateKeyInfo of PKCS#8 (RFC 5958, section 3) with PBES2
 * (RFC 8018): AES-256-CBC under a key made of a passphrase by scrypt (RFC 7914) or by PBKDF2
 * with an HMAC of SHA-2. That is what OpenSSL 3 writes. CBC vouches for nothing: what comes out
 * is to be taken for a key only where all of it has a key's form.
 */
#ifndef GB_ATTEST_ENCRYPTED_H
#define GB_ATTEST_ENCRYPTED_H

#include <stdint.h>

#include "base/base.h"

/** Most memory, work (N r p) and rounds that a file may ask of us before its passphrase is known to be right. */
#define ENCRYPTED_SCRYPT_MEMORY_MAX (31u << 20)
#define ENCRYPTED_SCRYPT_WORK_MAX (1u << 23)
#define ENCRYPTED_PBKDF2_ROUNDS_MAX 10000000u

/** Decrypts into @p out (empty), which the caller wipes. Damaged, unknown schemes and limits are ERR_USAGE naming @p what.
 *  With a wrong passphrase *ret_wrong becomes true, or, one time in 256, @p out is rubbish. */
int encrypted_open(const uint8_t *der, size_t n, const char *passphrase, size_t npassphrase, const char *what, struct buf *out,
		   bool *ret_wrong, struct err *err);

/** Appends the DER of the private key @p der, encrypted under scrypt with N 16384, r 8, p 5: 16 MiB, a quarter of a second;
 *  more memory than that OpenSSL refuses to read. */
int encrypted_make(const uint8_t *der, size_t n, const char *passphrase, size_t npassphrase, struct buf *out, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file hash.h
 * SHA-256 (FIPS 180-4) by OpenSSL's libcrypto, and the digest as a value.
 */
#ifndef GB_HASH_H
#define GB_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DIGEST_LEN 32
/** 64 hex digits and NUL. */
#define DIGEST_HEX_SIZE 65
/** "sha256:", 64 hex digits and NUL. */
#define DIGEST_STR_SIZE 72

/** A SHA-256 digest. A plain value: copy and compare freely. */
struct digest {
	uint8_t b[DIGEST_LEN];
};

/** A running hash. Opaque. One thread at a time. */
struct hasher;

/** @return a new hasher, or NULL when memory is short. Free with hasher_free(). */
struct hasher *hasher_new(void);
void hasher_free(struct hasher *h);
static inline void own_hasher(struct hasher **h)
{
	hasher_free(*h);
}
#define auto_hasher __attribute__((cleanup(own_hasher))) struct hasher *

/** Feeds bytes. A failure inside the library is remembered and makes hasher_final() fail. */
void hasher_add(struct hasher *h, const void *data, size_t n);
/** Gives the digest and starts afresh for the next message. ERR_INTERNAL if the library failed. */
int hasher_final(struct hasher *h, struct digest *ret, struct err *err);

/** The digest of @p n bytes. */
int hash_bytes(const void *data, size_t n, struct digest *ret, struct err *err);
/** The digest of all that is left to read from @p fd, and how many bytes that was (may be NULL). */
int hash_fd(int fd, struct digest *ret, uint64_t *ret_size, struct err *err);
/** The digest of a whole file (seekable), whatever the offset of @p fd, which stays: another process that shares it may be hostile, and move it. */
int hash_file(int fd, struct digest *ret, struct err *err);

/** Writes 64 lower-case hex digits and NUL; returns @p out. */
char *digest_hex(const struct digest *d, char out[DIGEST_HEX_SIZE]);
/** Writes "sha256:" and 64 lower-case hex digits; returns @p out. */
char *digest_str(const struct digest *d, char out[DIGEST_STR_SIZE]);
/** Parses 64 lower-case hex digits, nothing before or after. @return whether @p s was that. */
bool digest_parse_hex(const char *s, struct digest *ret);
/** Parses "sha256:" and 64 lower-case hex digits, nothing before or after. */
bool digest_parse(const char *s, struct digest *ret);
bool digest_eq(const struct digest *a, const struct digest *b);


/* ---- SHA-1 ------------------------------------------------------------------ */

#define SHA1_LEN 20
/** 40 hex digits and NUL. */
#define SHA1_HEX_SIZE 41

/** A SHA-1 digest (FIPS 180-4): for identifiers that a format demands, beside a SHA-256. Nothing is ever trusted for it. A plain value. */
struct sha1 {
	uint8_t b[SHA1_LEN];
};

/** The SHA-1 of @p n bytes. */
int hash_sha1_bytes(const void *data, size_t n, struct sha1 *ret, struct err *err);
/** The SHA-1 of all that is left to read from @p fd. */
int hash_sha1_fd(int fd, struct sha1 *ret, struct err *err);
/** Writes 40 lower-case hex digits and NUL; returns @p out. */
char *sha1_hex(const struct sha1 *d, char out[SHA1_HEX_SIZE]);

#endif

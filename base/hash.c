/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* These functions are "deprecated" in favour of EVP, which brings OpenSSL's providers, configuration and dlopen(3) along: 2 ms
 * at the first hash of every process, and nothing that can be linked static. The code that hashes is the same. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "base/io.h"
#include "base/own.h"

/** Read size: large enough that the system call vanishes beside the hashing. */
#define HASH_CHUNK (256 * 1024)

struct hasher {
	SHA256_CTX ctx;
	bool failed;
};

struct hasher *hasher_new(void)
{
	struct hasher *h = calloc(1, sizeof *h);

	if (h != NULL)
		h->failed = SHA256_Init(&h->ctx) != 1;
	return h;
}

void hasher_free(struct hasher *h)
{
	free(h);
}

void hasher_add(struct hasher *h, const void *data, size_t n)
{
	if (SHA256_Update(&h->ctx, data, n) != 1)
		h->failed = true;
}

int hasher_final(struct hasher *h, struct digest *ret, struct err *err)
{
	struct digest d;

	if (h->failed || SHA256_Final(d.b, &h->ctx) != 1 || SHA256_Init(&h->ctx) != 1)
		return err_set(err, ERR_INTERNAL, 0, "SHA-256: the library failed");
	*ret = d;
	return 0;
}

int hash_bytes(const void *data, size_t n, struct digest *ret, struct err *err)
{
	struct hasher h = {0};

	h.failed = SHA256_Init(&h.ctx) != 1;
	hasher_add(&h, data, n);
	return hasher_final(&h, ret, err);
}

/** Not at a place: from the descriptor's own offset on. */
#define HERE (-1)

static int hash_from(int fd, off_t at, struct digest *ret, uint64_t *ret_size, struct err *err)
{
	auto_hasher h = hasher_new();
	auto_free char *chunk = io_chunk(HASH_CHUNK);
	uint64_t size = 0;

	if (h == NULL || chunk == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "hash a file");
	for (;;) {
		ssize_t n = at == HERE ? read(fd, chunk, HASH_CHUNK) : pread(fd, chunk, HASH_CHUNK, at + (off_t)size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_INTERNAL, errno, "read a file to hash it");
		if (n == 0)
			break;
		hasher_add(h, chunk, (size_t)n);
		size += (uint64_t)n;
	}
	if (hasher_final(h, ret, err) < 0)
		return -1;
	if (ret_size != NULL)
		*ret_size = size;
	return 0;
}

int hash_fd(int fd, struct digest *ret, uint64_t *ret_size, struct err *err)
{
	return hash_from(fd, HERE, ret, ret_size, err);
}

int hash_file(int fd, struct digest *ret, struct err *err)
{
	return hash_from(fd, 0, ret, NULL, err);
}

/** Writes @p n bytes in hex, and a NUL. */
static char *hex(const uint8_t *b, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = '\0';
	return out;
}

char *digest_hex(const struct digest *d, char out[DIGEST_HEX_SIZE])
{
	return hex(d->b, DIGEST_LEN, out);
}

char *digest_str(const struct digest *d, char out[DIGEST_STR_SIZE])
{
	memcpy(out, "sha256:", 7);
	digest_hex(d, out + 7);
	return out;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool digest_parse_hex(const char *s, struct digest *ret)
{
	struct digest d;

	for (size_t i = 0; i < DIGEST_LEN; i++) {
		int hi = hex_value(s[2 * i]);
		int lo = hi < 0 ? -1 : hex_value(s[2 * i + 1]);

		if (lo < 0)
			return false;
		d.b[i] = (uint8_t)(hi << 4 | lo);
	}
	if (s[2 * DIGEST_LEN] != '\0')
		return false;
	*ret = d;
	return true;
}

bool digest_parse(const char *s, struct digest *ret)
{
	return strncmp(s, "sha256:", 7) == 0 && digest_parse_hex(s + 7, ret);
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
	return memcmp(a->b, b->b, DIGEST_LEN) == 0;
}

/* ---- SHA-1 ------------------------------------------------------------------ */

static int sha1_failed(struct err *err)
{
	return err_set(err, ERR_INTERNAL, 0, "SHA-1: the library failed");
}

int hash_sha1_bytes(const void *data, size_t n, struct sha1 *ret, struct err *err)
{
	SHA_CTX ctx;

	return SHA1_Init(&ctx) == 1 && SHA1_Update(&ctx, data, n) == 1 && SHA1_Final(ret->b, &ctx) == 1 ? 0 : sha1_failed(err);
}

int hash_sha1_fd(int fd, struct sha1 *ret, struct err *err)
{
	auto_free char *chunk = io_chunk(HASH_CHUNK);
	SHA_CTX ctx;
	size_t got = 1;

	if (chunk == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "hash a file");
	if (SHA1_Init(&ctx) != 1)
		return sha1_failed(err);
	while (got > 0) {
		if (io_read_full(fd, chunk, HASH_CHUNK, &got, err) < 0)
			return -1;
		if (SHA1_Update(&ctx, chunk, got) != 1)
			return sha1_failed(err);
	}
	return SHA1_Final(ret->b, &ctx) == 1 ? 0 : sha1_failed(err);
}

char *sha1_hex(const struct sha1 *d, char out[SHA1_HEX_SIZE])
{
	return hex(d->b, SHA1_LEN, out);
}

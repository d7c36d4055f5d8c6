/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/key.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "attest/ed25519.h"

OWN_DEFINE(bn, BIGNUM *, NULL, BN_free)
OWN_DEFINE(ecdsa, ECDSA_SIG *, NULL, ECDSA_SIG_free)
OWN_DEFINE(md_ctx, EVP_MD_CTX *, NULL, EVP_MD_CTX_free)

int crypto_failed(struct err *err, enum err_kind kind, const char *doing)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return err_set(err, kind, 0, "%s: %s", doing, why == NULL ? "the cryptographic library failed" : why);
}

/** The group's order n and its half, rounded down. */
static int order_of(const struct key *key, BIGNUM **ret_n, BIGNUM **ret_half, struct err *err)
{
	auto_own(bn) BIGNUM *n = NULL;
	auto_own(bn) BIGNUM *half = BN_new();

	if (half == NULL || EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_EC_ORDER, &n) != 1 ||
	    BN_rshift1(half, n) != 1)
		return crypto_failed(err, ERR_INTERNAL, "read the order of the curve");
	*ret_n = move_ptr(n);
	*ret_half = move_ptr(half);
	return 0;
}

/** Writes r and s as DER. */
static int encode(const ECDSA_SIG *value, struct signature *ret, struct err *err)
{
	uint8_t *p = ret->bytes;
	int len = i2d_ECDSA_SIG(value, NULL);

	if (len <= 0 || len > SIGNATURE_MAX || i2d_ECDSA_SIG(value, &p) != len)
		return crypto_failed(err, ERR_INTERNAL, "write a signature");
	ret->len = (size_t)len;
	return 0;
}

/** Makes s the smaller of s and n − s. */
static int lower_s(const struct key *key, ECDSA_SIG *value, struct err *err)
{
	auto_own(bn) BIGNUM *n = NULL;
	auto_own(bn) BIGNUM *half = NULL;

	if (order_of(key, &n, &half, err) < 0)
		return -1;
	if (BN_cmp(ECDSA_SIG_get0_s(value), half) <= 0)
		return 0;
	auto_own(bn) BIGNUM *r = BN_dup(ECDSA_SIG_get0_r(value));
	auto_own(bn) BIGNUM *s = BN_new();
	if (r == NULL || s == NULL || BN_sub(s, n, ECDSA_SIG_get0_s(value)) != 1 || ECDSA_SIG_set0(value, r, s) != 1)
		return crypto_failed(err, ERR_INTERNAL, "sign");
	(void)move_ptr(r);
	(void)move_ptr(s);
	return 0;
}

/** Gives an ECDSA signature as the library made it its one form. */
static int normalise(const struct key *key, struct signature *sig, struct err *err)
{
	const uint8_t *p = sig->bytes;
	auto_own(ecdsa) ECDSA_SIG *value = d2i_ECDSA_SIG(NULL, &p, (long)sig->len);

	if (value == NULL)
		return crypto_failed(err, ERR_INTERNAL, "sign");
	return lower_s(key, value, err) < 0 || encode(value, sig, err) < 0 ? -1 : 0;
}

/** The digest that goes with a type of key; Ed25519 has its own inside. */
static const EVP_MD *digest_of(const struct key *key)
{
	return key->type == KEY_P256 ? EVP_sha256() : NULL;
}

int signature_make(const struct key *key, const void *message, size_t n, struct signature *ret, struct err *err)
{
	auto_own(md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct signature sig;

	if (!key->secret)
		return err_set(err, ERR_USAGE, 0, "sign: the key is a public one; signing needs the private key");
	sig.len = sizeof sig.bytes;
	if (ctx == NULL || EVP_DigestSignInit(ctx, NULL, digest_of(key), NULL, key->token != NULL ? key->token : key->pkey) != 1 ||
	    EVP_DigestSign(ctx, sig.bytes, &sig.len, message, n) != 1)
		return crypto_failed(err, ERR_INTERNAL, "sign");
	if (key->type == KEY_P256 && normalise(key, &sig, err) < 0)
		return -1;
	/* What a token gives may be anything. */
	if (key->token != NULL && signature_check(key, message, n, &sig, err) < 0) {
		err->kind = ERR_INTERNAL;
		return err_ctx(err, "sign: the token's signature is none of its key's");
	}
	*ret = sig;
	return 0;
}

/** Refuses every form of an ECDSA signature but one. */
static int check_ecdsa(const struct key *key, const struct signature *sig, struct err *err)
{
	const uint8_t *p = sig->bytes;
	struct signature again;
	auto_own(bn) BIGNUM *n = NULL;
	auto_own(bn) BIGNUM *half = NULL;
	auto_own(ecdsa) ECDSA_SIG *value = d2i_ECDSA_SIG(NULL, &p, (long)sig->len);

	ERR_clear_error();
	if (value == NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "the signature is not an ECDSA signature in DER");
	if (encode(value, &again, err) < 0)
		return -1;
	/* Catches bytes behind the value, too. */
	if (again.len != sig->len || memcmp(again.bytes, sig->bytes, sig->len) != 0)
		return err_set(err, ERR_UNVERIFIED, 0, "the signature is not strict DER");
	if (order_of(key, &n, &half, err) < 0)
		return -1;
	if (BN_cmp(ECDSA_SIG_get0_s(value), half) > 0)
		return err_set(err, ERR_UNVERIFIED, 0, "the signature is not in its low-S form: glovebox did not write it so");
	return 0;
}

static int check_ed25519(const struct signature *sig, struct err *err)
{
	if (sig->len != ED25519_SIGNATURE_LEN)
		return err_set(err, ERR_UNVERIFIED, 0, "the signature is not an Ed25519 signature of %d bytes",
			       ED25519_SIGNATURE_LEN);
	if (!ed25519_is_reduced(sig->bytes))
		return err_set(err, ERR_UNVERIFIED, 0, "the signature is not in its one form: its S is not below the group's order");
	if (!ed25519_is_plain(sig->bytes))
		return err_set(err, ERR_UNVERIFIED, 0, "the signature's R is of small order, or not reduced: no signer makes that");
	return 0;
}

static int check_value(const struct key *key, const void *message, size_t n, const struct signature *sig, struct err *err)
{
	auto_own(md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL || EVP_DigestVerifyInit(ctx, NULL, digest_of(key), NULL, key->pkey) != 1)
		return crypto_failed(err, ERR_INTERNAL, "check a signature");
	/* 0 and every negative value are one verdict. */
	if (EVP_DigestVerify(ctx, sig->bytes, sig->len, message, n) != 1) {
		ERR_clear_error();
		return err_set(err, ERR_UNVERIFIED, 0, "the signature does not match: what was signed, or the signature, was altered");
	}
	return 0;
}

int signature_check(const struct key *key, const void *message, size_t n, const struct signature *sig, struct err *err)
{
	if ((key->type == KEY_P256 ? check_ecdsa(key, sig, err) : check_ed25519(sig, err)) < 0)
		return -1;
	return check_value(key, message, n, sig, err);
}

int signature_check_any(const struct key *key, const void *message, size_t n, const struct signature *sig, struct err *err)
{
	/* Ed25519's form is what every signer makes; half of all that make ECDSA's do not care which s it is. */
	if (key->type == KEY_ED25519 && check_ed25519(sig, err) < 0)
		return -1;
	return check_value(key, message, n, sig, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/encrypted.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "attest/key.h"

#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 5
#define SALT_LEN 16
#define KEY_LEN 32

OWN_DEFINE(sig, X509_SIG *, NULL, X509_SIG_free)
OWN_DEFINE(p8, PKCS8_PRIV_KEY_INFO *, NULL, PKCS8_PRIV_KEY_INFO_free)
OWN_DEFINE(algor, X509_ALGOR *, NULL, X509_ALGOR_free)
OWN_DEFINE(pbes2, PBE2PARAM *, NULL, PBE2PARAM_free)
OWN_DEFINE(pbkdf2, PBKDF2PARAM *, NULL, PBKDF2PARAM_free)
OWN_DEFINE(scrypt, SCRYPT_PARAMS *, NULL, SCRYPT_PARAMS_free)

static int algorithm(const X509_ALGOR *a)
{
	const ASN1_OBJECT *oid;

	X509_ALGOR_get0(&oid, NULL, NULL, a);
	return OBJ_obj2nid(oid);
}

/** The parameters of an algorithm, which must be of the ASN.1 type @p item. */
static void *parameters(const X509_ALGOR *a, const ASN1_ITEM *item)
{
	return a->parameter == NULL ? NULL : ASN1_TYPE_unpack_sequence(item, a->parameter);
}

/** A number of a file, or 0 where it is none, negative, or too large for anything. */
static uint64_t number(const ASN1_INTEGER *i)
{
	uint64_t n;

	return i != NULL && ASN1_INTEGER_get_uint64(&n, i) == 1 && n < 1u << 30 ? n : 0;
}

static bool is_key_len(const ASN1_INTEGER *len)
{
	return len == NULL || number(len) == KEY_LEN;
}

static bool scrypt_is_allowed(const X509_ALGOR *kdf)
{
	auto_own(scrypt) SCRYPT_PARAMS *p = parameters(kdf, ASN1_ITEM_rptr(SCRYPT_PARAMS));

	if (p == NULL)
		return false;
	uint64_t cost = number(p->costParameter), block = number(p->blockSize), lanes = number(p->parallelizationParameter);
	/* None of the factors is above 2^30, and each product is looked at before the next. */
	return cost > 1 && (cost & (cost - 1)) == 0 && block > 0 && lanes > 0 && is_key_len(p->keyLength) &&
	       cost * block <= ENCRYPTED_SCRYPT_MEMORY_MAX / 128 && block * lanes <= ENCRYPTED_SCRYPT_MEMORY_MAX / 128 &&
	       cost * block * lanes <= ENCRYPTED_SCRYPT_WORK_MAX &&
	       128 * block * (cost + lanes + 2) <= ENCRYPTED_SCRYPT_MEMORY_MAX;
}

static bool pbkdf2_is_allowed(const X509_ALGOR *kdf)
{
	auto_own(pbkdf2) PBKDF2PARAM *p = parameters(kdf, ASN1_ITEM_rptr(PBKDF2PARAM));

	if (p == NULL || p->salt == NULL || p->salt->type != V_ASN1_OCTET_STRING || p->prf == NULL)
		return false;
	int prf = algorithm(p->prf);
	uint64_t rounds = number(p->iter);
	return rounds > 0 && rounds <= ENCRYPTED_PBKDF2_ROUNDS_MAX && is_key_len(p->keylength) &&
	       (prf == NID_hmacWithSHA256 || prf == NID_hmacWithSHA384 || prf == NID_hmacWithSHA512);
}

static bool is_allowed(const X509_ALGOR *scheme)
{
	auto_own(pbes2) PBE2PARAM *p = algorithm(scheme) != NID_pbes2 ? NULL : parameters(scheme, ASN1_ITEM_rptr(PBE2PARAM));

	if (p == NULL || algorithm(p->encryption) != NID_aes_256_cbc)
		return false;
	switch (algorithm(p->keyfunc)) {
	case NID_id_scrypt:
		return scrypt_is_allowed(p->keyfunc);
	case NID_id_pbkdf2:
		return pbkdf2_is_allowed(p->keyfunc);
	default:
		return false;
	}
}

int encrypted_open(const uint8_t *der, size_t n, const char *passphrase, size_t npassphrase, const char *what, struct buf *out,
		   bool *ret_wrong, struct err *err)
{
	const uint8_t *end = der;
	const X509_ALGOR *scheme;
	const ASN1_OCTET_STRING *sealed;
	unsigned char *plain = NULL;
	int nplain = 0;
	auto_own(sig) X509_SIG *sig = d2i_X509_SIG(NULL, &end, (long)n);

	if (sig == NULL || end != der + n) {
		ERR_clear_error();
		return err_set(err, ERR_USAGE, 0, "%s: not an encrypted key that can be read (PKCS#8)", what);
	}
	X509_SIG_get0(sig, &scheme, &sealed);
	bool allowed = is_allowed(scheme);
	ERR_clear_error();
	if (!allowed)
		return err_set(err, ERR_USAGE, 0, "%s: encrypted in a way that glovebox does not read: it must be AES-256-CBC under "
			       "scrypt (of at most 31 MiB) or PBKDF2 with HMAC-SHA-256; "
			       "'openssl pkcs8 -topk8 -scrypt -in OLD -out NEW' rewrites it", what);
	*ret_wrong = PKCS12_pbe_crypt(scheme, passphrase, (int)npassphrase, ASN1_STRING_get0_data(sealed),
				      ASN1_STRING_length(sealed), &plain, &nplain, 0) == NULL;
	ERR_clear_error();
	if (*ret_wrong)
		return 0;
	buf_add(out, plain, (size_t)nplain);
	OPENSSL_clear_free(plain, (size_t)nplain);
	return buf_check(out, what, err);
}

static X509_SIG *seal(const uint8_t *der, size_t n, const char *passphrase, size_t npassphrase)
{
	unsigned char salt[SALT_LEN];
	auto_own(p8) PKCS8_PRIV_KEY_INFO *p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, (long)n);

	if (p8 == NULL || RAND_bytes(salt, sizeof salt) != 1)
		return NULL;
	auto_own(algor) X509_ALGOR *scheme = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof salt, NULL, SCRYPT_N,
								   SCRYPT_R, SCRYPT_P);
	X509_SIG *sig = scheme == NULL ? NULL : PKCS8_set0_pbe(passphrase, (int)npassphrase, p8, scheme);
	if (sig != NULL)
		scheme = NULL; /* it is the signature's now */
	return sig;
}

int encrypted_make(const uint8_t *der, size_t n, const char *passphrase, size_t npassphrase, struct buf *out, struct err *err)
{
	auto_own(sig) X509_SIG *sig = seal(der, n, passphrase, npassphrase);
	unsigned char *sealed = NULL;
	int len = sig == NULL ? -1 : i2d_X509_SIG(sig, &sealed);

	if (len <= 0)
		return crypto_failed(err, ERR_INTERNAL, "encrypt a private key");
	buf_add(out, sealed, (size_t)len);
	OPENSSL_free(sealed);
	return buf_check(out, "encrypted key", err);
}

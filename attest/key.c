/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/key.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "attest/base64.h"
#include "attest/ed25519.h"
#include "attest/encrypted.h"
#include "attest/pem.h"

/*
 * A key has one DER form here. P-256: named curve, uncompressed point, the public half
 * present (RFC 5480, RFC 5915, RFC 5958); Ed25519: RFC 8410, the private half alone, version 0.
 * That is what OpenSSL, Go and Java write. All but the numbers themselves is then fixed, and
 * comparing with it refuses at once explicit parameters, compressed and hybrid points, lax
 * DER and additions.
 */
static const uint8_t p256_public[] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
};
static const uint8_t p256_private[] = {
	0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01,
	0x04, 0x20,
};
static const uint8_t p256_middle[] = { 0xa1, 0x44, 0x03, 0x42, 0x00, 0x04 };
static const uint8_t ed25519_public[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
static const uint8_t ed25519_private[] = {
	0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
};

#define SCALAR_LEN 32

/** What is fixed in the DER of one type's keys: public is head, point; private is head, scalar, and
 *  where there is a middle, that and the point. */
static const struct form {
	const char *name;          /**< for people */
	const char *openssl;       /**< the type's name at libcrypto */
	const uint8_t *public_head, *private_head, *private_middle;
	size_t public_head_len, private_head_len, private_middle_len;
	size_t point_len;
} forms[] = {
	[KEY_P256] = { "P-256", "EC", p256_public, p256_private, p256_middle, sizeof p256_public, sizeof p256_private,
		       sizeof p256_middle, 64 },
	[KEY_ED25519] = { "Ed25519", "ED25519", ed25519_public, ed25519_private, NULL, sizeof ed25519_public,
			  sizeof ed25519_private, 0, ED25519_POINT_LEN },
};

/** No DER of a key is longer. */
#define DER_MAX 160

OWN_DEFINE(pkey, EVP_PKEY *, NULL, EVP_PKEY_free)
OWN_DEFINE(pkey_ctx, EVP_PKEY_CTX *, NULL, EVP_PKEY_CTX_free)
OWN_DEFINE(p8, PKCS8_PRIV_KEY_INFO *, NULL, PKCS8_PRIV_KEY_INFO_free)

void key_free(struct key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	EVP_PKEY_free(key->token);
	if (key->engine != NULL)
		token_engine_free(key->engine);
	free(key);
}

static size_t der_len(const struct form *f, bool secret)
{
	if (!secret)
		return f->public_head_len + f->point_len;
	return f->private_head_len + SCALAR_LEN + (f->private_middle_len == 0 ? 0 : f->private_middle_len + f->point_len);
}

static bool is_form(const struct form *f, bool secret, const uint8_t *der, size_t n)
{
	if (n != der_len(f, secret))
		return false;
	if (!secret)
		return memcmp(der, f->public_head, f->public_head_len) == 0;
	return memcmp(der, f->private_head, f->private_head_len) == 0 &&
	       (f->private_middle_len == 0 ||
		memcmp(der + f->private_head_len + SCALAR_LEN, f->private_middle, f->private_middle_len) == 0);
}

/** The form that the DER has, or NULL. */
static const struct form *find_form(bool secret, const uint8_t *der, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (is_form(&forms[i], secret, der, n))
			return &forms[i];
	return NULL;
}

static EVP_PKEY *parse_public(const uint8_t *der, size_t n)
{
	return d2i_PUBKEY(NULL, &der, (long)n);
}

static EVP_PKEY *parse_private(const uint8_t *der, size_t n)
{
	auto_own(p8) PKCS8_PRIV_KEY_INFO *p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, (long)n);

	return p8 == NULL ? NULL : EVP_PKCS82PKEY(p8);
}

/** Whether the numbers fit: the point lies on the curve and, of a private key, belongs to the scalar. */
static bool numbers_fit(const struct form *f, EVP_PKEY *pkey, bool secret)
{
	auto_own(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	uint8_t point[ED25519_POINT_LEN];
	size_t len = sizeof point;

	if (ctx == NULL || (secret ? EVP_PKEY_check(ctx) : EVP_PKEY_public_check(ctx)) != 1)
		return false;
	/* Of a private key the point was made of the scalar just now. libcrypto looks at no Ed25519 point by itself. */
	return f != &forms[KEY_ED25519] || secret ||
	       (EVP_PKEY_get_raw_public_key(pkey, point, &len) == 1 && len == sizeof point && ed25519_is_point(point));
}

/** Says why a key that is not in the one form is refused. */
static int refuse_form(EVP_PKEY *pkey, const char *what, struct err *err)
{
	static const char next[] = "glovebox uses Ed25519 and ECDSA P-256; 'glovebox key generate' makes such a key";
	const char *type = pkey == NULL ? NULL : EVP_PKEY_get0_type_name(pkey);
	char group[64] = "explicit parameters";
	size_t len;

	if (type == NULL)
		return err_set(err, ERR_USAGE, 0, "%s: not a key that can be read; %s", what, next);
	if (strcmp(type, "ED25519") == 0)
		return err_set(err, ERR_USAGE, 0, "%s: an Ed25519 key in an unusual encoding (public half present, or "
			       "additions); 'glovebox key generate' makes one in the usual form", what);
	if (strcmp(type, "EC") != 0)
		return err_set(err, ERR_USAGE, 0, "%s: the key is of type %s; %s", what, type, next);
	/* A failure leaves the text that is there. */
	(void)EVP_PKEY_get_group_name(pkey, group, sizeof group, &len);
	if (strcmp(group, "prime256v1") == 0)
		return err_set(err, ERR_USAGE, 0, "%s: a P-256 key in an unusual encoding (compressed point, explicit "
			       "parameters, or additions); 'glovebox key generate' makes one in the usual form", what);
	return err_set(err, ERR_USAGE, 0, "%s: the key is on the curve %s; %s", what, group, next);
}

#define ENCRYPTED_LABEL "ENCRYPTED PRIVATE KEY"

/** What a file holds by its label, and what to do about it (NULL: nothing to say). */
static const struct label {
	const char *label, *holds, *advice;
} labels[] = {
	{ "PUBLIC KEY", "a public key", NULL },
	{ "PRIVATE KEY", "a private key", NULL },
	{ "EC PRIVATE KEY", "a private key in an old form", "'openssl pkey -in OLD -out NEW' rewrites it" },
	{ "EC PARAMETERS", "curve parameters", "'openssl pkey -in OLD -out NEW' writes the key alone" },
	{ "RSA PRIVATE KEY", "an RSA private key", NULL },
	{ "RSA PUBLIC KEY", "an RSA public key", NULL },
	{ ENCRYPTED_LABEL, "an encrypted private key", "its passphrase is needed" },
	{ "OPENSSH PRIVATE KEY", "a private key of OpenSSH", NULL },
	{ "CERTIFICATE", "a certificate", "'openssl x509 -pubkey -noout' prints its public key" },
};

static int refuse_label(const char *label, bool secret, const char *what, struct err *err)
{
	const char *wanted = secret ? "a private key" : "a public key";

	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		const struct label *l = &labels[i];

		if (strcmp(label, l->label) != 0)
			continue;
		/* A signing key has no business on a verifier's machine: saying how to convert it would be wrong. */
		if (!secret && strstr(label, "PRIVATE") != NULL)
			return err_set(err, ERR_USAGE, 0, "%s: this is %s where a public key belongs; give the .pub.pem file, "
				       "and keep the private one where signing happens", what, l->holds);
		return err_set(err, ERR_USAGE, 0, "%s: this is %s, not %s for Ed25519 or ECDSA P-256%s%s", what, l->holds, wanted,
			       l->advice == NULL ? "" : "; ", l->advice == NULL ? "" : l->advice);
	}
	return err_set(err, ERR_USAGE, 0, "%s: the PEM block '%s' is not %s", what, label, wanted);
}

/** Makes a key of DER. */
static int decode(const struct buf *bytes, bool secret, const char *what, struct key **ret, struct err *err)
{
	const uint8_t *der = (const uint8_t *)bytes->data;
	size_t n = bytes->len;
	const struct form *f = find_form(secret, der, n);
	auto_own(pkey) EVP_PKEY *pkey = secret ? parse_private(der, n) : parse_public(der, n);
	bool fit = f != NULL && pkey != NULL && numbers_fit(f, pkey, secret);

	/* What OpenSSL has to say of a damaged key is of no use to anybody. */
	ERR_clear_error();
	if (f == NULL)
		return refuse_form(pkey, what, err);
	if (!fit)
		return err_set(err, ERR_USAGE, 0, "%s: damaged: its numbers are not those of a key for %s", what, f->name);
	auto_key key = calloc(1, sizeof *key);
	if (key == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "%s", what);
	key->pkey = move_ptr(pkey);
	key->type = (enum key_type)(f - forms);
	key->secret = secret;
	*ret = move_ptr(key);
	return 0;
}

int key_decode_public(const struct buf *der, const char *what, struct key **ret, struct err *err)
{
	return decode(der, false, what, ret, err);
}

static int read_block(const char *text, size_t n, const char *what, struct pem *ret, struct err *err)
{
	if (n > ATTEST_KEY_MAX)
		return err_set(err, ERR_USAGE, 0, "%s: larger than the limit of %u bytes for a key", what, ATTEST_KEY_MAX);
	return pem_read(text, n, what, ret, err);
}

static int read_key(const char *text, size_t n, bool secret, const char *what, struct key **ret, struct err *err)
{
	auto_pem pem = {0};

	if (read_block(text, n, what, &pem, err) < 0)
		return -1;
	if (strcmp(pem.label, secret ? "PRIVATE KEY" : "PUBLIC KEY") != 0)
		return refuse_label(pem.label, secret, what, err);
	return decode(&pem.der, secret, what, ret, err);
}

int key_read_private(const char *pem, size_t n, const char *what, struct key **ret, struct err *err)
{
	return read_key(pem, n, true, what, ret, err);
}

int key_read_public(const char *pem, size_t n, const char *what, struct key **ret, struct err *err)
{
	return read_key(pem, n, false, what, ret, err);
}

bool key_is_encrypted(const char *pem, size_t n)
{
	char label[PEM_LABEL_MAX + 1];

	pem_label(pem, n, label);
	return strcmp(label, ENCRYPTED_LABEL) == 0;
}

static int check_passphrase(const struct buf *passphrase, struct err *err)
{
	if (passphrase->len == 0)
		return err_set(err, ERR_USAGE, 0, "the passphrase is empty");
	if (passphrase->len > ATTEST_PASSPHRASE_MAX)
		return err_set(err, ERR_USAGE, 0, "the passphrase is longer than %d bytes", ATTEST_PASSPHRASE_MAX);
	return 0;
}

/** Whether the bytes are a key at all, of whatever type. */
static bool is_any_key(const struct buf *der)
{
	auto_own(pkey) EVP_PKEY *pkey = parse_private((const uint8_t *)der->data, der->len);

	ERR_clear_error();
	return pkey != NULL;
}

int key_read_encrypted(const char *text, size_t n, const struct buf *passphrase, const char *what, struct key **ret,
		       struct err *err)
{
	auto_pem pem = {0};
	auto_secret der = {0};
	bool wrong = false;

	if (read_block(text, n, what, &pem, err) < 0)
		return -1;
	if (strcmp(pem.label, ENCRYPTED_LABEL) != 0)
		return err_set(err, ERR_USAGE, 0, "%s: this is not an encrypted private key", what);
	if (check_passphrase(passphrase, err) < 0)
		return err_ctx(err, "%s", what);
	if (encrypted_open((const uint8_t *)pem.der.data, pem.der.len, passphrase->data, passphrase->len, what, &der, &wrong,
			   err) < 0)
		return -1;
	/* Decrypting with a wrong one gives bytes that no key is made of, as far as anybody can tell. */
	if (wrong || !is_any_key(&der))
		return err_set(err, ERR_USAGE, 0, "%s: wrong passphrase (or the file is damaged)", what);
	return decode(&der, true, what, ret, err);
}

int key_encrypt(const struct buf *private_pem, const struct buf *passphrase, struct buf *out, struct err *err)
{
	auto_pem pem = {0};
	auto_buf sealed = {0};
	size_t start = out->len;

	if (check_passphrase(passphrase, err) < 0 || pem_read(private_pem->data, private_pem->len, "new key", &pem, err) < 0 ||
	    encrypted_make((const uint8_t *)pem.der.data, pem.der.len, passphrase->data, passphrase->len, &sealed, err) < 0)
		return -1;
	pem_write(ENCRYPTED_LABEL, sealed.data, sealed.len, out);
	if (buf_check(out, "encrypted key", err) == 0)
		return 0;
	buf_seal(out, start);
	return -1;
}

enum key_type key_type(const struct key *key)
{
	return key->type;
}

const char *key_type_name(enum key_type type)
{
	return forms[type].name;
}

/** The DER SubjectPublicKeyInfo. */
static int public_der(EVP_PKEY *pkey, uint8_t der[static DER_MAX], size_t *ret_len, struct err *err)
{
	int n = i2d_PUBKEY(pkey, NULL);

	if (n <= 0 || n > DER_MAX || i2d_PUBKEY(pkey, &der) != n) {
		(void)crypto_failed(err, ERR_INTERNAL, "encode a public key");
		return -1;
	}
	*ret_len = (size_t)n;
	return 0;
}

static int private_der(EVP_PKEY *pkey, uint8_t der[static DER_MAX], size_t *ret_len, struct err *err)
{
	auto_own(p8) PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(pkey);
	int n = p8 == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(p8, NULL);

	if (n <= 0 || n > DER_MAX || i2d_PKCS8_PRIV_KEY_INFO(p8, &der) != n) {
		(void)crypto_failed(err, ERR_INTERNAL, "encode a private key");
		return -1;
	}
	*ret_len = (size_t)n;
	return 0;
}

int key_id(const struct key *key, char ret[45], struct err *err)
{
	uint8_t der[DER_MAX];
	size_t n;
	struct digest digest;
	auto_buf text = {0};

	if (public_der(key->pkey, der, &n, err) < 0 || hash_bytes(der, n, &digest, err) < 0)
		return -1;
	base64_encode(digest.b, sizeof digest.b, &text);
	if (buf_check(&text, "key id", err) < 0)
		return -1;
	memcpy(ret, text.data, 45);
	return 0;
}

/** Appends both halves; on failure the buffers are as they were. */
static int write_pair(EVP_PKEY *pkey, uint8_t secret[static DER_MAX], struct buf *private_pem, struct buf *public_pem,
		      struct err *err)
{
	uint8_t open[DER_MAX];
	size_t private_len = private_pem->len, public_len = public_pem->len, nopen, nsecret;

	if (public_der(pkey, open, &nopen, err) < 0 || private_der(pkey, secret, &nsecret, err) < 0)
		return -1;
	pem_write("PRIVATE KEY", secret, nsecret, private_pem);
	pem_write("PUBLIC KEY", open, nopen, public_pem);
	if (buf_check(private_pem, "private key", err) == 0 && buf_check(public_pem, "public key", err) == 0)
		return 0;
	buf_seal(private_pem, private_len);
	buf_seal(public_pem, public_len);
	return -1;
}

int key_generate(enum key_type type, struct buf *private_pem, struct buf *public_pem, struct err *err)
{
	uint8_t secret[DER_MAX] = {0};
	auto_own(pkey) EVP_PKEY *pkey =
		type == KEY_P256 ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(NULL, NULL, forms[type].openssl);

	if (pkey == NULL)
		return crypto_failed(err, ERR_INTERNAL, "generate a key");
	int result = write_pair(pkey, secret, private_pem, public_pem, err);
	OPENSSL_cleanse(secret, sizeof secret);
	return result;
}

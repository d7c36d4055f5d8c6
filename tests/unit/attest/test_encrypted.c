/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted private keys: ours are read by OpenSSL, OpenSSL's by us, and everything that is odd about one is refused. */
#include "tests/unit/attest/helper.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>

#include "attest/pem.h"

OWN_DEFINE(pkey, EVP_PKEY *, NULL, EVP_PKEY_free)
OWN_DEFINE(bio, BIO *, NULL, BIO_free)
OWN_DEFINE(p8, PKCS8_PRIV_KEY_INFO *, NULL, PKCS8_PRIV_KEY_INFO_free)
OWN_DEFINE(sig, X509_SIG *, NULL, X509_SIG_free)

static struct err err;

static const struct buf pass = { .data = (char *)"correct horse", .len = 13 };

static int read_with(const struct buf *pem, const struct buf *passphrase)
{
	auto_key key = NULL;
	int result = key_read_encrypted(pem->data, pem->len, passphrase, "k.pem", &key, &err);

	assert_true((result == 0) == (key != NULL));
	return result;
}

/** What OpenSSL makes of a key under the scheme @p alg, which is used up. */
static void sealed_by_openssl(EVP_PKEY *pkey, X509_ALGOR *alg, struct buf *out)
{
	auto_own(p8) PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(pkey);
	unsigned char *der = NULL;

	assert_non_null(alg);
	auto_own(sig) X509_SIG *sig = PKCS8_set0_pbe(pass.data, (int)pass.len, p8, alg);
	assert_non_null(sig);
	int n = i2d_X509_SIG(sig, &der);
	assert_true(n > 0);
	pem_write("ENCRYPTED PRIVATE KEY", der, (size_t)n, out);
	OPENSSL_free(der);
}

static void test_round_trip(void **state)
{
	static const enum key_type types[] = { KEY_P256, KEY_ED25519 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		auto_pair p = pair_of(types[i]);
		auto_buf sealed = {0}, again = {0};
		auto_key key = NULL;
		char a[45], b[45];

		must(key_encrypt(&p.secret_pem, &pass, &sealed, &err));
		must(key_encrypt(&p.secret_pem, &pass, &again, &err));
		assert_string_not_equal(sealed.data, again.data);
		assert_true(key_is_encrypted(sealed.data, sealed.len));
		assert_false(key_is_encrypted(p.secret_pem.data, p.secret_pem.len));
		must(key_read_encrypted(sealed.data, sealed.len, &pass, "k.pem", &key, &err));
		must(key_id(key, a, &err));
		must(key_id(p.open, b, &err));
		assert_string_equal(a, b);
		auto_own(bio) BIO *bio = BIO_new_mem_buf(sealed.data, (int)sealed.len);
		auto_own(pkey) EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)pass.data);
		assert_non_null(pkey);
	}
}

static void test_openssls(void **state)
{
	auto_own(pkey) EVP_PKEY *pkey = EVP_EC_gen("P-256");
	static const struct {
		int scrypt_n, rounds, prf;
	} rows[] = {
		{ 16384, 0, 0 }, { 2, 0, 0 }, { 0, 2048, NID_hmacWithSHA256 }, { 0, 1, NID_hmacWithSHA512 },
		{ 0, 100000, NID_hmacWithSHA384 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf pem = {0};

		sealed_by_openssl(pkey, rows[i].scrypt_n != 0
					? PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 0, NULL, (uint64_t)rows[i].scrypt_n, 8, 1)
					: PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), rows[i].rounds, NULL, 0, NULL, rows[i].prf), &pem);
		must(read_with(&pem, &pass));
	}
}

static void test_refused_schemes(void **state)
{
	auto_own(pkey) EVP_PKEY *pkey = EVP_EC_gen("P-256");
	X509_ALGOR *const schemes[] = {
		PKCS5_pbe2_set_iv(EVP_aes_128_cbc(), 2048, NULL, 0, NULL, NID_hmacWithSHA256),
		PKCS5_pbe2_set_iv(EVP_des_ede3_cbc(), 2048, NULL, 0, NULL, NID_hmacWithSHA256),
		PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), 2048, NULL, 0, NULL, NID_hmacWithSHA1),
		PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, 2048, NULL, 0),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		auto_buf pem = {0};

		sealed_by_openssl(pkey, schemes[i], &pem);
		must_fail(read_with(&pem, &pass), ERR_USAGE, "encrypted in a way that glovebox does not read");
	}
}

/** DER with a number of its scheme changed: asked for work or memory without end, it must answer at once. */
static void test_greedy_schemes(void **state)
{
	/* N = 2^14 and r = 8 as OpenSSL writes them, then what takes their place, of the same length. */
	static const struct {
		const char *from, *to;
		size_t n;
	} rows[] = {
		{ "\x02\x02\x40\x00\x02\x01\x08", "\x02\x02\x40\x00\x02\x01\x7f", 7 },         /* 208 MiB */
		{ "\x02\x02\x40\x00\x02\x01\x08", "\x02\x02\x40\x01\x02\x01\x08", 7 },         /* no power of 2 */
		{ "\x02\x02\x40\x00\x02\x01\x08", "\x02\x02\x40\x00\x02\x01\x00", 7 },
		{ "\x02\x02\x40\x00\x02\x01\x08", "\x02\x02\x40\x00\x02\x01\xff", 7 },         /* -1 */
		{ "\x02\x02\x40\x00\x02\x01\x08\x02\x01\x05", "\x02\x02\x40\x00\x02\x01\x08\x02\x01\x7f", 10 }, /* work */
	};
	auto_pair p = pair_new();
	auto_buf sealed = {0};
	auto_pem pem = {0};

	(void)state;
	must(key_encrypt(&p.secret_pem, &pass, &sealed, &err));
	must(pem_read(sealed.data, sealed.len, "k", &pem, &err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf text = {0};
		char *at = memmem(pem.der.data, pem.der.len, rows[i].from, rows[i].n);

		assert_non_null(at);
		memcpy(at, rows[i].to, rows[i].n);
		pem_write("ENCRYPTED PRIVATE KEY", pem.der.data, pem.der.len, &text);
		must_fail(read_with(&text, &pass), ERR_USAGE, "encrypted in a way that glovebox does not read");
		memcpy(at, rows[i].from, rows[i].n);
	}
}

static void test_greedy_rounds(void **state)
{
	auto_own(pkey) EVP_PKEY *pkey = EVP_EC_gen("P-256");
	auto_buf sealed = {0}, text = {0};
	auto_pem pem = {0};

	(void)state;
	sealed_by_openssl(pkey, PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), 0x010203, NULL, 0, NULL, NID_hmacWithSHA256), &sealed);
	must(pem_read(sealed.data, sealed.len, "k", &pem, &err));
	char *at = memmem(pem.der.data, pem.der.len, "\x02\x03\x01\x02\x03", 5);
	assert_non_null(at);
	memcpy(at, "\x02\x03\xff\xff\xff", 5); /* -1 */
	pem_write("ENCRYPTED PRIVATE KEY", pem.der.data, pem.der.len, &text);
	must_fail(read_with(&text, &pass), ERR_USAGE, "encrypted in a way that glovebox does not read");
}

static void test_wrong_passphrases(void **state)
{
	static const struct buf none = {0};
	auto_own(pkey) EVP_PKEY *pkey = EVP_EC_gen("P-256");
	auto_buf pem = {0}, longest = {0};

	(void)state;
	/* The cheapest scheme: of 700 wrong ones a few pass the padding, and still are no key. */
	sealed_by_openssl(pkey, PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), 1, NULL, 0, NULL, NID_hmacWithSHA256), &pem);
	for (unsigned i = 0; i < 700; i++) {
		struct buf guess = { .data = (char *)&i, .len = sizeof i };

		must_fail(read_with(&pem, &guess), ERR_USAGE, "k.pem: wrong passphrase (or the file is damaged)");
	}
	must_fail(read_with(&pem, &none), ERR_USAGE, "k.pem: the passphrase is empty");
	while (longest.len <= ATTEST_PASSPHRASE_MAX)
		buf_addc(&longest, 'x');
	must_fail(read_with(&pem, &longest), ERR_USAGE, "longer than 1024 bytes");
	must(read_with(&pem, &pass));
}

static void test_other_keys_inside(void **state)
{
	auto_own(pkey) EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	auto_own(pkey) EVP_PKEY *curve = EVP_EC_gen("P-384");
	auto_buf a = {0}, b = {0};

	(void)state;
	sealed_by_openssl(rsa, PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), 1, NULL, 0, NULL, NID_hmacWithSHA256), &a);
	must_fail(read_with(&a, &pass), ERR_USAGE, "the key is of type RSA");
	sealed_by_openssl(curve, PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), 1, NULL, 0, NULL, NID_hmacWithSHA256), &b);
	must_fail(read_with(&b, &pass), ERR_USAGE, "on the curve secp384r1");
}

static void test_where_it_does_not_belong(void **state)
{
	auto_pair p = pair_new();
	auto_buf sealed = {0};
	auto_key key = NULL;

	(void)state;
	must(key_encrypt(&p.secret_pem, &pass, &sealed, &err));
	must_fail(key_read_private(sealed.data, sealed.len, "k", &key, &err), ERR_USAGE, "its passphrase is needed");
	must_fail(key_read_public(sealed.data, sealed.len, "k", &key, &err), ERR_USAGE, "where a public key belongs");
	must_fail(read_with(&p.secret_pem, &pass), ERR_USAGE, "not an encrypted private key");
	must_fail(read_with(&p.public_pem, &pass), ERR_USAGE, "not an encrypted private key");
}

/** Cut anywhere, or with one byte changed: refused as usage, whatever it is taken for. */
static void test_damaged(void **state)
{
	auto_own(pkey) EVP_PKEY *pkey = EVP_EC_gen("P-256");
	auto_buf sealed = {0};
	auto_pem pem = {0};

	(void)state;
	sealed_by_openssl(pkey, PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), 1, NULL, 0, NULL, NID_hmacWithSHA256), &sealed);
	must(pem_read(sealed.data, sealed.len, "k", &pem, &err));
	for (size_t i = 0; i < pem.der.len; i++) {
		auto_buf text = {0}, cut = {0};
		auto_key key = NULL;

		pem.der.data[i] ^= 0x20;
		pem_write("ENCRYPTED PRIVATE KEY", pem.der.data, pem.der.len, &text);
		pem.der.data[i] ^= 0x20;
		err = (struct err){0};
		/* A bit of the initial vector or of a block flips bits of the first numbers, which the form does not fix. */
		if (key_read_encrypted(text.data, text.len, &pass, "k.pem", &key, &err) < 0)
			assert_int_equal(err.kind, ERR_USAGE);
		else
			fail_msg("byte %zu changed: accepted", i);
		pem_write("ENCRYPTED PRIVATE KEY", pem.der.data, i, &cut);
		must_fail(read_with(&cut, &pass), ERR_USAGE, "k.pem: ");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_openssls),
		cmocka_unit_test(test_refused_schemes),
		cmocka_unit_test(test_greedy_schemes),
		cmocka_unit_test(test_greedy_rounds),
		cmocka_unit_test(test_wrong_passphrases),
		cmocka_unit_test(test_other_keys_inside),
		cmocka_unit_test(test_where_it_does_not_belong),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

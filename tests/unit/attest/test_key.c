/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/attest/helper.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

OWN_DEFINE(pkey, EVP_PKEY *, NULL, EVP_PKEY_free)
OWN_DEFINE(bio, BIO *, NULL, BIO_free)

static struct err err;

/** A key of OpenSSL's making. */
enum form { PUBLIC, PRIVATE, SEC1, ENCRYPTED, ENCRYPTED_SEC1 };

static void write_pem(EVP_PKEY *pkey, enum form form, struct buf *out)
{
	auto_own(bio) BIO *bio = BIO_new(BIO_s_mem());
	char pass[] = "secret", *text;

	assert_non_null(bio);
	switch (form) {
	case PUBLIC:
		assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
		break;
	case PRIVATE:
		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
		break;
	case SEC1:
		assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
		break;
	case ENCRYPTED:
		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, EVP_aes_128_cbc(), pass, 6, NULL, NULL), 1);
		break;
	case ENCRYPTED_SEC1:
		assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, pkey, EVP_aes_128_cbc(), (unsigned char *)pass, 6,
								      NULL, NULL), 1);
		break;
	}
	long n = BIO_get_mem_data(bio, &text);
	buf_add(out, text, (size_t)n);
}

static EVP_PKEY *curve(const char *name)
{
	EVP_PKEY *pkey = EVP_EC_gen(name);

	assert_non_null(pkey);
	return pkey;
}

static EVP_PKEY *twisted(const char *param, const char *value)
{
	EVP_PKEY *pkey = curve("P-256");

	assert_int_equal(EVP_PKEY_set_utf8_string_param(pkey, param, value), 1);
	return pkey;
}

static int read_either(bool secret, const struct buf *pem)
{
	auto_key key = NULL;
	int result = secret ? key_read_private(pem->data, pem->len, "k.pem", &key, &err)
			    : key_read_public(pem->data, pem->len, "k.pem", &key, &err);

	assert_true((result == 0) == (key != NULL));
	return result;
}

static void refused(EVP_PKEY *pkey, enum form form, bool as_secret, const char *why)
{
	auto_buf pem = {0};
	auto_own(pkey) EVP_PKEY *owned = pkey;

	write_pem(owned, form, &pem);
	must_fail(read_either(as_secret, &pem), ERR_USAGE, why);
	assert_ptr_equal(strstr(err.msg, "k.pem: "), err.msg);
}

static void test_generate(void **state)
{
	auto_pair p = pair_new();
	auto_pair q = pair_new();
	char secret_id[45], open_id[45], other_id[45];

	(void)state;
	must(key_id(p.secret, secret_id, &err));
	must(key_id(p.open, open_id, &err));
	must(key_id(q.open, other_id, &err));
	assert_string_equal(secret_id, open_id);
	assert_string_not_equal(open_id, other_id);
	assert_int_equal(strlen(open_id), 44);
}

/** What is written is what OpenSSL writes, byte for byte, and what it writes is read. */
static void test_same_as_openssl(void **state)
{
	static const enum key_type types[] = { KEY_P256, KEY_ED25519 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		auto_pair p = pair_of(types[i]);
		auto_own(bio) BIO *bio = BIO_new_mem_buf(p.secret_pem.data, (int)p.secret_pem.len);
		auto_own(pkey) EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
		auto_buf secret = {0}, open = {0};

		assert_non_null(pkey);
		write_pem(pkey, PRIVATE, &secret);
		write_pem(pkey, PUBLIC, &open);
		assert_string_equal(secret.data, p.secret_pem.data);
		assert_string_equal(open.data, p.public_pem.data);
	}
}

/** The id of a key that others made and named. */
static void test_known_id(void **state)
{
	auto_buf pem = {0};
	auto_key key = NULL;
	char id[45];

	(void)state;
	read_data("other-builder.pub.pem", &pem);
	must(key_read_public(pem.data, pem.len, "k", &key, &err));
	must(key_id(key, id, &err));
	assert_string_equal(id, "Ca1nYb5YNvyiigS8/hYWSvwDlLMXOV2mx9kVu1Ojs78=");
}

static void test_generate_appends(void **state)
{
	auto_buf a = {0}, b = {0};

	(void)state;
	buf_adds(&a, "x");
	buf_adds(&b, "y");
	must(key_generate(KEY_P256, &a, &b, &err));
	assert_ptr_equal(strstr(a.data, "x-----BEGIN PRIVATE KEY-----\n"), a.data);
	assert_ptr_equal(strstr(b.data, "y-----BEGIN PUBLIC KEY-----\n"), b.data);
}

static void test_generate_out_of_room(void **state)
{
	struct buf a = {0}, b = BUF_LIMIT(100);

	(void)state;
	buf_adds(&a, "x");
	must_fail(key_generate(KEY_P256, &a, &b, &err), ERR_INTERNAL, "public key");
	assert_string_equal(a.data, "x");
	assert_int_equal(b.len, 0);
	buf_free(&a);
	buf_free(&b);
}

static void test_other_types(void **state)
{
	(void)state;
	refused(curve("P-384"), PUBLIC, false, "the key is on the curve secp384r1; glovebox uses Ed25519 and ECDSA P-256");
	refused(curve("P-384"), PRIVATE, true, "the key is on the curve secp384r1; glovebox uses Ed25519 and ECDSA P-256");
	refused(curve("P-521"), PUBLIC, false, "on the curve secp521r1");
	refused(curve("secp256k1"), PUBLIC, false, "on the curve secp256k1");
	refused(curve("secp256k1"), PRIVATE, true, "on the curve secp256k1");
	refused(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), PUBLIC, false, "the key is of type X25519; glovebox uses Ed25519");
	refused(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024), PUBLIC, false, "the key is of type RSA");
	refused(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024), PRIVATE, true, "the key is of type RSA");
}

static void test_other_forms(void **state)
{
	static const char *const format = OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT;

	(void)state;
	refused(twisted(format, "compressed"), PUBLIC, false, "a P-256 key in an unusual encoding");
	refused(twisted(format, "hybrid"), PUBLIC, false, "a P-256 key in an unusual encoding");
	refused(twisted(format, "compressed"), PRIVATE, true, "a P-256 key in an unusual encoding");
	refused(twisted(OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), PUBLIC, false, "explicit");
	refused(twisted(OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), PRIVATE, true, "explicit");
	EVP_PKEY *bare = curve("P-256");
	assert_int_equal(EVP_PKEY_set_int_param(bare, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 0), 1);
	refused(bare, PRIVATE, true, "a P-256 key in an unusual encoding");
}

static void test_wrong_half(void **state)
{
	(void)state;
	refused(curve("P-256"), PRIVATE, false, "this is a private key where a public key belongs");
	refused(curve("P-256"), SEC1, false, "this is a private key in an old form where a public key belongs");
	refused(curve("P-256"), ENCRYPTED, false, "this is an encrypted private key where a public key belongs");
	refused(curve("P-256"), PUBLIC, true, "this is a public key, not a private key");
	refused(curve("P-256"), SEC1, true, "this is a private key in an old form");
	refused(curve("P-256"), ENCRYPTED, true, "this is an encrypted private key");
	refused(curve("P-256"), ENCRYPTED_SEC1, true, "the key is encrypted");
}

/** Texts made of a good public key: what may be around it, and what not. */
static void test_around(void **state)
{
	static const struct {
		const char *before, *after, *why; /* NULL: accepted */
	} rows[] = {
		{ "", "", NULL },
		{ " \t\r\n\n", "\n\n \t\r\n", NULL },
		{ "\f", "", "must start with" },
		{ "My key:\n", "", "must start with" },
		{ "\xef\xbb\xbf", "", "must start with" },
		{ "", "x", "something follows" },
		{ "", "-----BEGIN PUBLIC KEY-----\n", "something follows" },
		{ "-----BEGIN PUBLIC KEY-----\n", "", "not strict PEM" },
		{ "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", "", "something follows" },
	};
	auto_pair p = pair_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf text = {0};

		buf_addf(&text, "%s%s%s", rows[i].before, p.public_pem.data, rows[i].after);
		if (rows[i].why == NULL)
			must(read_either(false, &text));
		else
			must_fail(read_either(false, &text), ERR_USAGE, rows[i].why);
	}
}

static void test_bad_pem(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "must start with" },
		{ "\n\n", "must start with" },
		{ "-----BEGIN PUBLIC KEY-----", "'-----END PUBLIC KEY-----' is missing" },
		{ "-----BEGIN PUBLIC KEY----\nAAAA\n-----END PUBLIC KEY-----\n", "must start with" },
		{ "-----BEGIN -----\nAAAA\n-----END -----\n", "must start with" },
		{ "-----BEGIN public key-----\nAAAA\n-----END public key-----\n", "must start with" },
		{ "-----BEGIN AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-----\n", "must start with" },
		{ "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not strict PEM" },
		{ "-----BEGIN PUBLIC KEY-----\nAAAA\nAAAA\n-----END PUBLIC KEY-----\n", "not strict PEM" },
		{ "-----BEGIN PUBLIC KEY-----\n\nAAAA\n-----END PUBLIC KEY-----\n", "not strict PEM" },
		{ "-----BEGIN PUBLIC KEY-----\nAAA\n-----END PUBLIC KEY-----\n", "not base64" },
		{ "-----BEGIN PUBLIC KEY-----\nAA A\n-----END PUBLIC KEY-----\n", "not base64" },
		{ "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not a key that can be read" },
		{ "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", "not a key that can be read" },
		{ "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "this is a certificate, not a public key" },
		{ "-----BEGIN GREETING-----\nAAAA\n-----END GREETING-----\n", "the PEM block 'GREETING' is not a public key" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf text = {0};

		buf_adds(&text, rows[i].text);
		must_fail(read_either(false, &text), ERR_USAGE, rows[i].why);
	}
}

static void test_line_ends(void **state)
{
	auto_pair p = pair_new();
	auto_buf crlf = {0};

	(void)state;
	for (size_t i = 0; i < p.secret_pem.len; i++) {
		if (p.secret_pem.data[i] == '\n')
			buf_addc(&crlf, '\r');
		buf_addc(&crlf, p.secret_pem.data[i]);
	}
	must(read_either(true, &crlf));
}

static void test_too_large(void **state)
{
	auto_buf text = {0};

	(void)state;
	while (text.len <= ATTEST_KEY_MAX)
		buf_addc(&text, ' ');
	must_fail(read_either(false, &text), ERR_USAGE, "larger than the limit of 65536 bytes");
}

/** No byte of a key file can change without the file being refused. */
static void flip_all(const struct buf *pem, bool secret)
{
	static const unsigned char masks[] = { 1, 2, 4, 8, 16, 32, 64, 128, 255 };

	for (size_t i = 0; i < pem->len * ARRAY_LEN(masks); i++) {
		size_t at = i / ARRAY_LEN(masks);
		auto_buf text = {0};

		buf_add(&text, pem->data, pem->len);
		text.data[at] ^= (char)masks[i % ARRAY_LEN(masks)];
		if (read_either(secret, &text) == 0)
			fail_msg("byte %zu as 0x%02x: accepted", at, (unsigned char)text.data[at]);
		assert_int_equal(err.kind, ERR_USAGE);
	}
}

static void test_flips(void **state)
{
	auto_pair p = pair_new();

	(void)state;
	flip_all(&p.public_pem, false);
	flip_all(&p.secret_pem, true);
}

static void test_truncated(void **state)
{
	auto_pair p = pair_new();
	const struct buf *texts[] = { &p.public_pem, &p.secret_pem };

	(void)state;
	for (size_t i = 0; i < 2; i++)
		/* Less one: the newline at the end is white space around the block. */
		for (size_t n = 0; n < texts[i]->len - 1; n++) {
			auto_buf text = {0};

			buf_add(&text, texts[i]->data, n);
			if (read_either(i == 1, &text) == 0)
				fail_msg("%zu bytes: accepted", n);
			assert_int_equal(err.kind, ERR_USAGE);
		}
}

/** A private key whose public half belongs to another. */
static void test_mixed_pair(void **state)
{
	static const size_t scalar = 36, scalar_len = 32, size = 138;
	unsigned char der[2][256];
	auto_own(bio) BIO *bio = BIO_new(BIO_s_mem());
	char *text;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		auto_pair p = pair_new();
		auto_own(bio) BIO *in = BIO_new_mem_buf(p.secret_pem.data, (int)p.secret_pem.len);
		unsigned char *data = NULL;
		char *name = NULL, *header = NULL;
		long n = 0;

		assert_int_equal(PEM_read_bio(in, &name, &header, &data, &n), 1);
		assert_int_equal(n, size);
		memcpy(der[i], data, size);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(data);
	}
	memcpy(der[0] + scalar, der[1] + scalar, scalar_len);
	assert_true(PEM_write_bio(bio, "PRIVATE KEY", "", der[0], (long)size) > 0);
	long n = BIO_get_mem_data(bio, &text);
	auto_buf pem = {0};
	buf_add(&pem, text, (size_t)n);
	must_fail(read_either(true, &pem), ERR_USAGE, "damaged: its numbers are not those of a key for P-256");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generate),
		cmocka_unit_test(test_same_as_openssl),
		cmocka_unit_test(test_known_id),
		cmocka_unit_test(test_generate_appends),
		cmocka_unit_test(test_generate_out_of_room),
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_other_forms),
		cmocka_unit_test(test_wrong_half),
		cmocka_unit_test(test_around),
		cmocka_unit_test(test_bad_pem),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_mixed_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

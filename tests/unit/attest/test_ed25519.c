/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519: RFC 8032's own vectors, the one form of keys and signatures, and bundles of one type of key under the other. */
#include "tests/unit/attest/helper.h"

#include "attest/bundle.h"
#include "attest/ed25519.h"
#include "attest/pem.h"

static struct err err;

static void unhex(const char *hex, uint8_t *out, size_t n)
{
	assert_int_equal(strlen(hex), 2 * n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(sscanf(hex + 2 * i, "%2hhx", &out[i]), 1);
}

/** The PEM of a key whose DER is @p head and 32 bytes, both in hex. */
static void pem_of(const char *label, const char *head, const char *number, struct buf *out)
{
	uint8_t der[64];
	size_t n = strlen(head) / 2;

	unhex(head, der, n);
	unhex(number, der + n, 32);
	pem_write(label, der, n + 32, out);
}

static int read_open(const char *point, struct key **ret)
{
	auto_buf pem = {0};

	pem_of("PUBLIC KEY", "302a300506032b6570032100", point, &pem);
	return key_read_public(pem.data, pem.len, "k.pem", ret, &err);
}

static int read_secret(const char *seed, struct key **ret)
{
	auto_buf pem = {0};

	pem_of("PRIVATE KEY", "302e020100300506032b657004220420", seed, &pem);
	return key_read_private(pem.data, pem.len, "k.pem", ret, &err);
}

/** RFC 8032, section 7.1: seed, public key, message, signature. */
static const struct {
	const char *seed, *point, *message, *signature;
} vectors[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
};

static void test_rfc_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		auto_key secret = NULL;
		auto_key open = NULL;
		uint8_t message[2], want[64];
		size_t n = strlen(vectors[i].message) / 2;
		struct signature sig;
		char a[45], b[45];

		unhex(vectors[i].message, message, n);
		unhex(vectors[i].signature, want, sizeof want);
		must(read_secret(vectors[i].seed, &secret));
		must(read_open(vectors[i].point, &open));
		must(signature_make(secret, message, n, &sig, &err));
		assert_int_equal(sig.len, sizeof want);
		assert_memory_equal(sig.bytes, want, sizeof want);
		must(signature_check(open, message, n, &sig, &err));
		must(key_id(secret, a, &err));
		must(key_id(open, b, &err));
		assert_string_equal(a, b);
		assert_int_equal(key_type(open), KEY_ED25519);
		assert_string_equal(key_type_name(key_type(open)), "Ed25519");
		message[0] ^= 1;
		must_fail(signature_check(open, message, n == 0 ? 1 : n, &sig, &err), ERR_UNVERIFIED, "does not match");
	}
}

/** Points that are none, that have another encoding, or whose signatures fit everything. */
static void test_refused_points(void **state)
{
	static const char *const points[] = {
		/* order 1, 2, 4 (both signs), 8 (both of both) */
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		/* 1 and -1 with the sign of an x that is 0 */
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		/* not reduced: p, p + 1, p + 3 (which would be a point), 2^255 - 1 */
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		/* 2: no x goes with it */
		"0200000000000000000000000000000000000000000000000000000000000000",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		auto_key key = NULL;

		must_fail(read_open(points[i], &key), ERR_USAGE, "damaged: its numbers are not those of a key for Ed25519");
		assert_null(key);
	}
	/* 3 is a point, so the rows above are refused for what is wrong with them. */
	auto_key key = NULL;
	must(read_open("0300000000000000000000000000000000000000000000000000000000000000", &key));
}

static void test_other_encodings(void **state)
{
	static const char seed[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
	static const struct {
		bool secret;
		const char *head, *why;
	} rows[] = {
		{ true, "302e020101300506032b657004220420", "in an unusual encoding" },      /* version 1 */
		{ true, "3030020100300706032b65700500""04220420", "not a key that can be read" }, /* NULL parameters */
		{ true, "302e020100300506032b656e04220420", "the key is of type X25519" },
		{ false, "302a300506032b656e032100", "the key is of type X25519" },
		{ false, "302c300706032b65700500032100", "not a key that can be read" },
		{ false, "30812a300506032b6570032100", "in an unusual encoding" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_key key = NULL;
		auto_buf pem = {0};

		pem_of(rows[i].secret ? "PRIVATE KEY" : "PUBLIC KEY", rows[i].head, seed, &pem);
		must_fail(rows[i].secret ? key_read_private(pem.data, pem.len, "k.pem", &key, &err)
					 : key_read_public(pem.data, pem.len, "k.pem", &key, &err), ERR_USAGE, rows[i].why);
	}
}

/** S + L, written behind the R that it belongs to: the same equation holds. */
static void add_order(uint8_t s[static 32])
{
	uint8_t order[32];
	unsigned carry = 0;

	unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", order, 32);
	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)s[i] + order[i];
		s[i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(carry, 0);
}

static void test_refused_signatures(void **state)
{
	auto_pair p = pair_of(KEY_ED25519);
	struct signature good, sig;

	(void)state;
	must(signature_make(p.secret, "m", 1, &good, &err));
	sig = good;
	add_order(sig.bytes + 32);
	must_fail(signature_check(p.open, "m", 1, &sig, &err), ERR_UNVERIFIED, "its S is not below the group's order");
	sig = good;
	memset(sig.bytes, 0, 32);
	sig.bytes[0] = 1;
	must_fail(signature_check(p.open, "m", 1, &sig, &err), ERR_UNVERIFIED, "R is of small order");
	for (size_t n = 0; n <= SIGNATURE_MAX; n++) {
		sig = good;
		sig.len = n;
		if (n != good.len)
			must_fail(signature_check(p.open, "m", 1, &sig, &err), ERR_UNVERIFIED, "of 64 bytes");
	}
	for (size_t i = 0; i < good.len * 8; i++) {
		sig = good;
		sig.bytes[i / 8] ^= (uint8_t)(1u << i % 8);
		err = (struct err){0};
		assert_int_equal(signature_check(p.open, "m", 1, &sig, &err), -1);
		assert_int_equal(err.kind, ERR_UNVERIFIED);
	}
}

static void verify(const struct key *key, const struct buf *bundle, const char *why)
{
	const struct key *keys[] = { key };
	const struct attest_policy policy = { .keys = keys, .nkeys = 1 };
	auto_attest_verified v = {0};

	if (why == NULL)
		must(attest_verify_bundle(bundle->data, bundle->len, &policy, &v, &err));
	else
		must_fail(attest_verify_bundle(bundle->data, bundle->len, &policy, &v, &err), ERR_UNVERIFIED, why);
}

/** The bundle under the name of another key. */
static void renamed(const struct buf *bundle, const struct key *from, const struct key *to, struct buf *out)
{
	char a[45], b[45];
	const char *at = bundle->data, *next;

	must(key_id(from, a, &err));
	must(key_id(to, b, &err));
	for (; (next = strstr(at, a)) != NULL; at = next + 44) {
		buf_add(out, at, (size_t)(next - at));
		buf_adds(out, b);
	}
	buf_adds(out, at);
}

static void test_bundles(void **state)
{
	auto_pair ec = pair_of(KEY_P256), ed = pair_of(KEY_ED25519), other = pair_of(KEY_ED25519);
	auto_buf by_ec = {0}, by_ed = {0}, again = {0}, ec_as_ed = {0}, ed_as_ec = {0}, ed_as_other = {0};

	(void)state;
	bundle_of(ec.secret, "spec", &by_ec);
	bundle_of(ed.secret, "spec", &by_ed);
	verify(ed.open, &by_ed, NULL);
	verify(ed.secret, &by_ed, NULL);
	verify(ec.open, &by_ed, "not one of the keys given");
	verify(ed.open, &by_ec, "not one of the keys given");
	verify(other.open, &by_ed, "not one of the keys given");
	renamed(&by_ec, ec.open, ed.open, &ec_as_ed);
	renamed(&by_ed, ed.open, ec.open, &ed_as_ec);
	renamed(&by_ed, ed.open, other.open, &ed_as_other);
	verify(ed.open, &ec_as_ed, "not an Ed25519 signature of 64 bytes");
	verify(ec.open, &ed_as_ec, "not an ECDSA signature in DER");
	verify(other.open, &ed_as_other, "does not match");
	bundle_of(ed.secret, "spec", &again);
	assert_string_equal(again.data, by_ed.data);
	must_fail(attest_sign(ed.open, "x", 1, &again, &err), ERR_USAGE, "needs the private key");
}

/** A bundle that others made with an Ed25519 key that we have not got: well-formed, and nobody's. */
static void test_made_by_others(void **state)
{
	auto_buf text = {0};
	auto_json doc = NULL;
	auto_bundle b = {0};
	auto_pair p = pair_of(KEY_ED25519);

	(void)state;
	read_data("other-builder.ed25519.sigstore.json", &text);
	must(json_parse(text.data, text.len, "bundle", ERR_UNVERIFIED, &doc, &err));
	must(bundle_read(doc, &b, &err));
	assert_string_equal(b.key_id, "TqDJxWy5l438TWBfE++OxxCwcdQiR+ZcU2mA0k+2EHM=");
	assert_int_equal(b.signature.len, ED25519_SIGNATURE_LEN);
	assert_true(ed25519_is_reduced(b.signature.bytes));
	assert_true(ed25519_is_point(b.signature.bytes));
	must_fail(bundle_check(&b, (const struct key *[]){ p.open }, 1, &err), ERR_UNVERIFIED, "not one of the keys given");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_vectors),
		cmocka_unit_test(test_refused_points),
		cmocka_unit_test(test_other_encodings),
		cmocka_unit_test(test_refused_signatures),
		cmocka_unit_test(test_bundles),
		cmocka_unit_test(test_made_by_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

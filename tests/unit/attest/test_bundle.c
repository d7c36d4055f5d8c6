/* SPDX-License-Identifier: Apache-2.0 */
/* The envelope and the bundle: what is signed, and that nothing about it can change. */
#include "tests/unit/attest/helper.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>

#include "attest/base64.h"
#include "attest/bundle.h"
#include "attest/statement.h"

static struct err err;

static int verify(const struct key *key, const struct buf *bundle)
{
	static unsigned calls;
	auto_attest_verified v = {0};
	const struct key *keys[] = { key };
	const struct attest_policy policy = { .keys = keys, .nkeys = 1 };
	int result = attest_verify_bundle(bundle->data, bundle->len, &policy, &v, &err);

	assert_true((result == 0) == (v.statement != NULL));
	/* A confined process comes to the same; each of the thousands of changed bytes need not start one. */
	if (calls++ % 16 != 0)
		return result;
	auto_attest_verified apart = {0};
	auto_buf clean = {0};
	struct err other = {0};
	assert_int_equal(attest_verify_apart(bundle->data, bundle->len, &policy, &apart, &other), result);
	text_printable(&clean, err.msg, strlen(err.msg));
	if (result < 0 && (strcmp(clean.data, other.msg) != 0 || err.kind != other.kind))
		fail_msg("'%s' here, '%s' apart", err.msg, other.msg);
	if (result == 0 && (!json_equal(v.statement, apart.statement) || strcmp(v.key_id, apart.key_id) != 0 ||
			    !digest_eq(&v.statement_digest, &apart.statement_digest)))
		fail_msg("another statement");
	return result;
}

/* DSSE protocol.md's own example: type, body, signed bytes, key and signature. */
static void test_dsse_spec_vector(void **state)
{
	static const char body[] = "hello world";
	static const char raw_text[] = "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==";
	auto_buf pae = {0}, pem = {0}, raw = {0};
	auto_key key = NULL;

	(void)state;
	bundle_pae("http://example.com/HelloWorld", body, strlen(body), &pae);
	assert_string_equal(pae.data, "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
	read_data("dsse-spec.pub.pem", &pem);
	must(key_read_public(pem.data, pem.len, "k", &key, &err));
	/* The example writes r and s one behind the other; neither has its first bit set. */
	assert_true(base64_decode(raw_text, strlen(raw_text), &raw));
	assert_int_equal(raw.len, 64);
	struct signature sig = { .bytes = { 0x30, 0x44, 0x02, 0x20 }, .len = 70 };
	memcpy(sig.bytes + 4, raw.data, 32);
	memcpy(sig.bytes + 36, "\x02\x20", 2);
	memcpy(sig.bytes + 38, raw.data + 32, 32);
	must(signature_check(key, pae.data, pae.len, &sig, &err));
	must_fail(signature_check(key, pae.data, pae.len - 1, &sig, &err), ERR_UNVERIFIED, "does not match");
}

static void test_pae(void **state)
{
	auto_buf empty = {0}, utf8 = {0}, nul = {0};

	(void)state;
	bundle_pae("", "", 0, &empty);
	assert_string_equal(empty.data, "DSSEv1 0  0 ");
	/* Lengths count bytes. */
	bundle_pae("é", "日", 3, &utf8);
	assert_string_equal(utf8.data, "DSSEv1 2 é 3 日");
	bundle_pae("t", "a\0b", 3, &nul);
	assert_int_equal(nul.len, 16);
	assert_memory_equal(nul.data, "DSSEv1 1 t 3 a\0b", 16);
}

/** A bundle that another program made: read, its key found by the hint, its signature right. */
static void test_made_by_others(void **state)
{
	auto_buf text = {0}, pem = {0};
	auto_json doc = NULL;
	auto_json statement = NULL;
	auto_key key = NULL;
	auto_bundle b = {0};

	(void)state;
	read_data("other-builder.sigstore.json", &text);
	read_data("other-builder.pub.pem", &pem);
	must(key_read_public(pem.data, pem.len, "k", &key, &err));
	must(json_parse(text.data, text.len, "bundle", ERR_UNVERIFIED, &doc, &err));
	must(bundle_read(doc, &b, &err));
	must(bundle_check(&b, (const struct key *[]){ key }, 1, &err));
	must(json_parse(b.payload.data, b.payload.len, "statement", ERR_UNVERIFIED, &statement, &err));
	must(statement_check_slsa(statement, &err));
	must_fail(statement_check(statement, &err), ERR_UNVERIFIED, "must be '" ATTEST_BUILD_TYPE "'");
	/* It is written for people, so as a whole it is refused. */
	must_fail(verify(key, &text), ERR_UNVERIFIED, "byte 1 is not as glovebox writes it");
}

static void test_round_trip(void **state)
{
	auto_pair p = pair_new(), q = pair_new();
	auto_buf statement = {0}, bundle = {0};
	auto_attest_verified v = {0};
	const struct key *keys[] = { q.open, p.open };
	const struct attest_policy policy = { .keys = keys, .nkeys = 2 };
	struct digest d;
	char id[45];

	(void)state;
	statement_of("spec", digest_of(1), digest_of(2), &statement);
	must(attest_sign(p.secret, statement.data, statement.len, &bundle, &err));
	must(attest_verify_bundle(bundle.data, bundle.len, &policy, &v, &err));
	must(hash_bytes(statement.data, statement.len, &d, &err));
	must(key_id(p.open, id, &err));
	assert_true(digest_eq(&d, &v.statement_digest));
	assert_string_equal(v.key_id, id);
	auto_buf again = {0};
	must(json_canonical(v.statement, &again, &err));
	assert_string_equal(again.data, statement.data);
}

/** The shape, written out: what the other judges rely on. */
static void test_shape(void **state)
{
	auto_pair p = pair_new();
	auto_buf bundle = {0}, want = {0}, payload = {0}, statement = {0};
	char id[45];

	(void)state;
	statement_of("spec", digest_of(0x11), digest_of(0x22), &statement);
	bundle_of(p.secret, "spec", &bundle);
	must(key_id(p.open, id, &err));
	base64_encode(statement.data, statement.len, &payload);
	buf_addf(&want, "{\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":\"application/vnd.in-toto+json\","
		 "\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"", payload.data, id);
	assert_memory_equal(bundle.data, want.data, want.len);
	buf_clear(&want);
	buf_addf(&want, "\"}]},\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\","
		 "\"verificationMaterial\":{\"publicKey\":{\"hint\":\"%s\"}}}\n", id);
	assert_string_equal(bundle.data + bundle.len - want.len, want.data);
}

static void test_wrong_key(void **state)
{
	auto_pair p = pair_new(), q = pair_new();
	auto_buf bundle = {0}, statement = {0};
	auto_attest_verified v = {0};
	const struct attest_policy none = {0};

	(void)state;
	bundle_of(p.secret, "spec", &bundle);
	must_fail(verify(q.open, &bundle), ERR_UNVERIFIED, "is not one of the keys given");
	must_fail(attest_verify_bundle(bundle.data, bundle.len, &none, &v, &err), ERR_UNVERIFIED, "no public key");
	assert_null(v.statement);
	statement_of("spec", digest_of(1), digest_of(2), &statement);
	size_t len = bundle.len;
	must_fail(attest_sign(p.open, statement.data, statement.len, &bundle, &err), ERR_USAGE, "needs the private key");
	assert_int_equal(bundle.len, len);
	/* A private key holds the public half: a caller that has it may verify with it. */
	must(verify(p.secret, &bundle));
}

/** Changes one byte, which must be noticed, and changes it back. */
static void flip(const struct key *key, struct buf *bundle, size_t at, unsigned char mask)
{
	bundle->data[at] ^= (char)mask;
	if (verify(key, bundle) == 0)
		fail_msg("byte %zu as 0x%02x: accepted", at, (unsigned char)bundle->data[at]);
	assert_int_equal(err.kind, ERR_UNVERIFIED);
	bundle->data[at] ^= (char)mask;
}

/** Every byte inverted, and every bit of it; of the payload, where each byte is like the next, one bit a byte. */
static void test_flips(void **state)
{
	auto_pair p = pair_new();
	auto_buf bundle = {0};

	(void)state;
	bundle_of(p.secret, "s", &bundle);
	must(verify(p.open, &bundle));
	size_t payload_end = (size_t)(strstr(bundle.data, "\",\"payloadType") - bundle.data);
	size_t payload = strlen("{\"dsseEnvelope\":{\"payload\":\"");
	for (size_t i = 0; i < bundle.len; i++) {
		bool inside = i >= payload && i < payload_end;

		flip(p.open, &bundle, i, 255);
		for (unsigned bit = 0; bit < 8; bit++)
			if (!inside || i % 8 == bit)
				flip(p.open, &bundle, i, (unsigned char)(1u << bit));
	}
	must(verify(p.open, &bundle));
}

static void test_truncated_and_extended(void **state)
{
	static const char *const tails[] = { "\n", " ", "x", "{}", "\r\n" };
	auto_pair p = pair_new();
	auto_buf bundle = {0};

	(void)state;
	bundle_of(p.secret, "s", &bundle);
	for (size_t n = 0; n < bundle.len; n++) {
		struct buf part = { .data = bundle.data, .len = n };

		must_fail(verify(p.open, &part), ERR_UNVERIFIED, "bundle");
	}
	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		auto_buf longer = {0};

		buf_add(&longer, bundle.data, bundle.len);
		buf_adds(&longer, tails[i]);
		must_fail(verify(p.open, &longer), ERR_UNVERIFIED, "bundle");
	}
	auto_buf nul = {0};
	buf_add(&nul, bundle.data, bundle.len);
	buf_addc(&nul, '\0');
	must_fail(verify(p.open, &nul), ERR_UNVERIFIED, "bundle");
}

static void test_too_large(void **state)
{
	auto_pair p = pair_new();
	auto_buf big = {0};

	(void)state;
	char *to = buf_room(&big, ATTEST_BUNDLE_MAX + 1);
	assert_non_null(to);
	memset(to, ' ', ATTEST_BUNDLE_MAX + 1);
	buf_seal(&big, ATTEST_BUNDLE_MAX + 1);
	must_fail(verify(p.open, &big), ERR_UNVERIFIED, "larger than the limit of 67108864 bytes");
}

/** A bundle's document, to be changed. */
static json_t *doc_of(const struct key *key, const char *spec)
{
	auto_buf text = {0};
	json_t *doc = NULL;

	bundle_of(key, spec, &text);
	must(json_parse(text.data, text.len, "bundle", ERR_UNVERIFIED, &doc, &err));
	return doc;
}

static int verify_doc(const struct key *key, const json_t *doc)
{
	auto_buf text = {0};
	struct err writing = {0};

	assert_int_equal(json_canonical(doc, &text, &writing), 0);
	buf_addc(&text, '\n');
	return verify(key, &text);
}

/** The object or array at a path "dsseEnvelope/signatures/0". */
static json_t *at(json_t *j, const char *path)
{
	while (*path != '\0') {
		size_t n = strcspn(path, "/");

		j = json_is_array(j) ? json_array_get(j, (size_t)atoi(path)) : json_object_getn(j, path, n);
		assert_non_null(j);
		path += n + (path[n] == '/');
	}
	return j;
}

static void test_swapped_payload(void **state)
{
	auto_pair p = pair_new();
	auto_json a = doc_of(p.secret, "a");
	auto_json b = doc_of(p.secret, "b");

	(void)state;
	json_t *pa = json_incref(at(a, "dsseEnvelope/payload"));
	json_object_set(at(a, "dsseEnvelope"), "payload", at(b, "dsseEnvelope/payload"));
	json_object_set_new(at(b, "dsseEnvelope"), "payload", pa);
	must_fail(verify_doc(p.open, a), ERR_UNVERIFIED, "the signature does not match");
	must_fail(verify_doc(p.open, b), ERR_UNVERIFIED, "the signature does not match");
}

/** One document with one thing put in, or over what was there. */
static void test_altered_documents(void **state)
{
	static const struct {
		const char *path, *name, *json; /* json NULL: the member goes */
		const char *why;
	} rows[] = {
		{ "", "mediaType", NULL, "bundle: member 'mediaType' is missing" },
		{ "", "mediaType", "\"application/vnd.dev.sigstore.bundle+json;version=0.3\"", "member 'mediaType' is" },
		{ "", "mediaType", "\"application/vnd.dev.sigstore.bundle.v0.2+json\"", "member 'mediaType' is" },
		{ "", "mediaType", "3", "must be a string, not an integer" },
		{ "", "dsseEnvelope", NULL, "member 'dsseEnvelope' is missing" },
		{ "", "dsseEnvelope", "[]", "must be an object, not an array" },
		{ "", "dsseEnvelope", "{}", "member 'payloadType' is missing" },
		{ "", "verificationMaterial", NULL, "member 'verificationMaterial' is missing" },
		{ "", "verificationMaterial", "{}", "member 'publicKey' is missing" },
		{ "", "messageSignature", "{}", "bundle: unknown member 'messageSignature'" },
		{ "", "dsse_envelope", "{}", "unknown member 'dsse_envelope'" },
		{ "", "", "1", "unknown member ''" },
		{ "verificationMaterial", "tlogEntries", "[]", "unknown member 'tlogEntries'" },
		{ "verificationMaterial", "tlogEntries", "[{}]", "unknown member 'tlogEntries'" },
		{ "verificationMaterial", "timestampVerificationData", "{}", "unknown member 'timestampVerificationData'" },
		{ "verificationMaterial", "certificate", "{}", "unknown member 'certificate'" },
		{ "verificationMaterial", "x509CertificateChain", "{}", "unknown member 'x509CertificateChain'" },
		{ "verificationMaterial", "publicKey", "\"k\"", "member 'publicKey' must be an object, not a string" },
		{ "verificationMaterial/publicKey", "rawBytes", "\"\"", "unknown member 'rawBytes'" },
		{ "verificationMaterial/publicKey", "hint", NULL, "member 'hint' is missing" },
		{ "verificationMaterial/publicKey", "hint", "\"\"", "member 'hint' is empty" },
		{ "verificationMaterial/publicKey", "hint", "\"k\"", "the hint is not a key id" },
		{ "verificationMaterial/publicKey", "hint", "null", "must be a string, not null" },
		{ "verificationMaterial/publicKey", "hint", "\"Ca1nYb5YNvyiigS8/hYWSvwDlLMXOV2mx9kVu1Ojs78=\"",
		  "member 'keyid' is" },
		{ "dsseEnvelope", "payloadType", "\"application/vnd.in-toto+JSON\"", "member 'payloadType' is" },
		{ "dsseEnvelope", "payloadType", NULL, "member 'payloadType' is missing" },
		{ "dsseEnvelope", "payload", NULL, "member 'payload' is missing" },
		{ "dsseEnvelope", "payload", "\"\"", "member 'payload' is empty" },
		{ "dsseEnvelope", "payload", "\"e30\"", "not strict base64" },
		{ "dsseEnvelope", "payload", "\"e30=\"", "the signature does not match" },
		{ "dsseEnvelope", "signatures", NULL, "member 'signatures' is missing" },
		{ "dsseEnvelope", "signatures", "[]", "0 signatures; there must be exactly one" },
		{ "dsseEnvelope", "signatures", "{}", "must be an array, not an object" },
		{ "dsseEnvelope", "signatures", "[1]", "signatures[0]: must be an object" },
		{ "dsseEnvelope", "signatures", "[{}]", "member 'keyid' is missing" },
		{ "dsseEnvelope", "extra", "true", "unknown member 'extra'" },
		{ "dsseEnvelope/signatures/0", "keyid", "\"\"", "member 'keyid' is empty" },
		{ "dsseEnvelope/signatures/0", "keyid", NULL, "member 'keyid' is missing" },
		{ "dsseEnvelope/signatures/0", "keyid", "\"Ca1nYb5YNvyiigS8/hYWSvwDlLMXOV2mx9kVu1Ojs78=\"", "member 'keyid' is" },
		{ "dsseEnvelope/signatures/0", "cert", "\"\"", "unknown member 'cert'" },
		{ "dsseEnvelope/signatures/0", "sig", NULL, "member 'sig' is missing" },
		{ "dsseEnvelope/signatures/0", "sig", "\"\"", "member 'sig' is empty" },
		{ "dsseEnvelope/signatures/0", "sig", "\"AAAA\"", "not an ECDSA signature in DER" },
		{ "dsseEnvelope/signatures/0", "sig", "\"MAYCAQACAQA=\"", "the signature does not match" },
		{ "dsseEnvelope/signatures/0", "sig", "\"MAYCAf8CAf8=\"", "not an ECDSA signature in DER" },
	};
	auto_pair p = pair_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json doc = doc_of(p.secret, "s");
		json_t *object = at(doc, rows[i].path);

		if (rows[i].json == NULL)
			assert_int_equal(json_object_del(object, rows[i].name), 0);
		else
			json_object_set_new(object, rows[i].name, json_loads(rows[i].json, JSON_DECODE_ANY, NULL));
		must_fail(verify_doc(p.open, doc), ERR_UNVERIFIED, rows[i].why);
	}
}

/** A second signature, be it good, is one too many: which of them was checked? */
static void test_two_signatures(void **state)
{
	auto_pair p = pair_new();
	auto_json doc = doc_of(p.secret, "s");
	auto_json other = doc_of(p.secret, "s");

	(void)state;
	json_array_append(at(doc, "dsseEnvelope/signatures"), at(other, "dsseEnvelope/signatures/0"));
	must_fail(verify_doc(p.open, doc), ERR_UNVERIFIED, "2 signatures; there must be exactly one");
}

static void test_not_objects(void **state)
{
	static const char *const texts[] = { "[]\n", "[{}]\n", "{}\n", "1\n", "\"x\"\n", "null\n", "\n" };
	auto_pair p = pair_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_buf text = {0};

		buf_adds(&text, texts[i]);
		must_fail(verify(p.open, &text), ERR_UNVERIFIED, "bundle");
	}
}

static void test_duplicate_keys(void **state)
{
	static const char *const members[] = { "payload", "payloadType", "signatures", "mediaType", "hint", "keyid", "sig" };
	auto_pair p = pair_new();
	auto_buf bundle = {0};

	(void)state;
	bundle_of(p.secret, "s", &bundle);
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		auto_buf doubled = {0}, member = {0};

		buf_addf(&member, "\"%s\":", members[i]);
		char *found = strstr(bundle.data, member.data);
		assert_non_null(found);
		buf_add(&doubled, bundle.data, (size_t)(found - bundle.data));
		buf_addf(&doubled, "\"%s\":\"\",%s", members[i], found);
		must_fail(verify(p.open, &doubled), ERR_UNVERIFIED, "duplicate");
	}
}

/** Replaces the signature's DER by what @p change makes of it. */
static void with_signature(void (*change)(struct signature *), const char *why)
{
	auto_pair p = pair_new();
	auto_json doc = doc_of(p.secret, "s");
	auto_bundle b = {0};
	auto_buf text = {0};

	must(bundle_read(doc, &b, &err));
	change(&b.signature);
	base64_encode(b.signature.bytes, b.signature.len, &text);
	json_object_set_new(at(doc, "dsseEnvelope/signatures/0"), "sig", json_string(text.data));
	must_fail(verify_doc(p.open, doc), ERR_UNVERIFIED, why);
}

/** (r, n − s) is valid wherever (r, s) is: anybody could make it. */
static void negate_s(struct signature *sig)
{
	const uint8_t *in = sig->bytes;
	uint8_t *out = sig->bytes;
	BIGNUM *n = NULL, *s = BN_new();
	ECDSA_SIG *value = d2i_ECDSA_SIG(NULL, &in, (long)sig->len);

	BN_hex2bn(&n, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
	BN_sub(s, n, ECDSA_SIG_get0_s(value));
	ECDSA_SIG_set0(value, BN_dup(ECDSA_SIG_get0_r(value)), s);
	sig->len = (size_t)i2d_ECDSA_SIG(value, &out);
	ECDSA_SIG_free(value);
	BN_free(n);
}

static void long_length(struct signature *sig)
{
	memmove(sig->bytes + 2, sig->bytes + 1, sig->len - 1);
	sig->bytes[1] = 0x81;
	sig->len++;
}

static void trailing_byte(struct signature *sig)
{
	sig->bytes[sig->len++] = 0;
}

static void shortened(struct signature *sig)
{
	sig->len--;
}

/** A zero before r, which DER forbids where it is not needed; where it is, a second one. */
static void padded_integer(struct signature *sig)
{
	memmove(sig->bytes + 5, sig->bytes + 4, sig->len - 4);
	sig->bytes[4] = 0;
	sig->bytes[3]++;
	sig->bytes[1]++;
	sig->len++;
}

static void zero(struct signature *sig)
{
	static const uint8_t der[] = { 0x30, 6, 2, 1, 0, 2, 1, 0 };

	memcpy(sig->bytes, der, sizeof der);
	sig->len = sizeof der;
}

static void test_malleated(void **state)
{
	(void)state;
	with_signature(negate_s, "not in its low-S form");
	with_signature(long_length, "DER");
	with_signature(trailing_byte, "DER");
	with_signature(shortened, "DER");
	with_signature(padded_integer, "DER");
	with_signature(zero, "does not match");
}

/** OpenSSL gives the larger s half of the time; we never do. */
static void test_always_low_s(void **state)
{
	auto_pair p = pair_new();

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		struct signature sig;

		must(signature_make(p.secret, &i, sizeof i, &sig, &err));
		must(signature_check(p.open, &i, sizeof i, &sig, &err));
		negate_s(&sig);
		must_fail(signature_check(p.open, &i, sizeof i, &sig, &err), ERR_UNVERIFIED, "low-S");
	}
}

static void test_long_signature(void **state)
{
	auto_pair p = pair_new();
	auto_json doc = doc_of(p.secret, "s");
	auto_buf text = {0};
	static const char zeros[SIGNATURE_MAX + 1];

	(void)state;
	base64_encode(zeros, sizeof zeros, &text);
	json_object_set_new(at(doc, "dsseEnvelope/signatures/0"), "sig", json_string(text.data));
	must_fail(verify_doc(p.open, doc), ERR_UNVERIFIED, "73 bytes are too long for a signature");
}

/** What a key signed is believed only if it is a statement in the one form. */
static void test_signed_nonsense(void **state)
{
	static const struct {
		const char *payload, *why;
	} rows[] = {
		{ "x", "statement:1:1: not valid JSON" },
		{ "[]", "statement: must be a JSON object" },
		{ "{}", "member '_type' is missing" },
		{ "{} ", "byte 2 is not as glovebox writes it" },
		{ "{}\n", "byte 2 is not as glovebox writes it" },
		{ "{\"b\":1,\"a\":2}", "byte 2 is not as glovebox writes it" },
		{ "{\"a\":1,\"a\":2}", "duplicate" },
		{ "{\"a\":\"\\u0041\"}", "byte 6 is not as glovebox writes it" },
		{ "{\"a\":\"\\u0000\"}", "not valid JSON" },
		{ "{\"a\":\"\xff\"}", "not valid JSON" },
		{ "{\"a\":1.10}", "byte" },
	};
	auto_pair p = pair_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf bundle = {0};

		must(attest_sign(p.secret, rows[i].payload, strlen(rows[i].payload), &bundle, &err));
		must_fail(verify(p.open, &bundle), ERR_UNVERIFIED, rows[i].why);
	}
}

/** Nesting as deep as fits: refused, without a stack that ends. */
static void test_deep(void **state)
{
	auto_pair p = pair_new();
	auto_buf text = {0};

	(void)state;
	for (size_t i = 0; i < 1000000; i++)
		buf_addc(&text, '[');
	must_fail(verify(p.open, &text), ERR_UNVERIFIED, "not valid JSON");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dsse_spec_vector),
		cmocka_unit_test(test_pae),
		cmocka_unit_test(test_made_by_others),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_wrong_key),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_truncated_and_extended),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_swapped_payload),
		cmocka_unit_test(test_altered_documents),
		cmocka_unit_test(test_two_signatures),
		cmocka_unit_test(test_not_objects),
		cmocka_unit_test(test_duplicate_keys),
		cmocka_unit_test(test_malleated),
		cmocka_unit_test(test_always_low_s),
		cmocka_unit_test(test_long_signature),
		cmocka_unit_test(test_signed_nonsense),
		cmocka_unit_test(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

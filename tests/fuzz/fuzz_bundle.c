/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzer (libFuzzer) of attest/: everything a verifier reads from outside. The same
 * input is tried as a bundle, as a statement and as a key file. Nobody has the private
 * key of the one below any more, so a bundle that is accepted and is not the one bundle
 * ever made with it is a forgery. Beyond that: no crash, no leak, outputs untouched on
 * failure, and an error of the promised kind that says something. An envelope's
 * signature keeps a fuzzer out of the statement, hence the second way straight to it.
 */
#include <string.h>

#include "attest/bundle.h"
#include "attest/statement.h"
#include "tests/fuzz/fuzz.h"

static const char public_pem[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKPPrjJZ52Mex3wNHCwsqwgDAC0Bn\n"
	"cMFKTq1jeEpWhE+5GCBiDrwLC3EsRtnPur87qoCAB9ABBvs6crfoKDSneg==\n"
	"-----END PUBLIC KEY-----\n";

/** SHA-256 of tests/fuzz/seeds/bundle/good. */
static const char good[] = "f18422a9b5728b1aef20ad4e98d5ad9e209209f20af43df46ab7de51589a27b1";

static void must_have_failed(const struct err *err, enum err_kind kind, const void *untouched)
{
	MUST(err->kind == kind && err->msg[0] != '\0' && untouched == NULL);
}

static void try_bundle(const char *data, size_t size, const struct key *key)
{
	struct err err = {0};
	auto_attest_verified v = {0};
	const struct attest_policy policy = { .keys = &key, .nkeys = 1 };
	struct digest d;
	char hex[DIGEST_HEX_SIZE];

	if (attest_verify_bundle(data, size, &policy, &v, &err) < 0) {
		must_have_failed(&err, ERR_UNVERIFIED, v.statement);
		return;
	}
	MUST(hash_bytes(data, size, &d, &err) == 0 && strcmp(digest_hex(&d, hex), good) == 0);
}

/** As another tool's: nobody has the key, so only the one statement ever signed with it may pass, in whatever form its bundle is. */
static void try_other(const char *data, size_t size, const struct key *key)
{
	struct err err = {0};
	auto_attest_verified v = {0};
	const struct attest_policy policy = { .keys = &key, .nkeys = 1 };
	bool build;

	if (attest_verify_other(data, size, &policy, &v, &build, &err) < 0)
		must_have_failed(&err, ERR_UNVERIFIED, v.statement);
	else
		try_bundle(data, size, key);
}

/** The document alone, in whatever form it is written. */
static void try_document(const char *data, size_t size, const struct key *key)
{
	struct err err = {0};
	auto_json doc = NULL;
	auto_bundle b = {0};

	if (json_parse(data, size, "fuzz", ERR_UNVERIFIED, &doc, &err) < 0)
		return;
	if (bundle_read(doc, &b, &err) < 0)
		must_have_failed(&err, ERR_UNVERIFIED, b.payload.data);
	else if (bundle_check(&b, &key, 1, &err) < 0)
		must_have_failed(&err, ERR_UNVERIFIED, NULL);
	if (statement_check(doc, &err) < 0)
		must_have_failed(&err, ERR_UNVERIFIED, NULL);
}

/** What is accepted is its own one form. */
static void try_statement(const char *data, size_t size)
{
	struct err err = {0};
	auto_json j = NULL;
	auto_buf again = {0};

	if (attest_read_statement(data, size, &j, &err) < 0) {
		must_have_failed(&err, ERR_UNVERIFIED, j);
		return;
	}
	MUST(json_canonical(j, &again, &err) == 0 && again.len == size && memcmp(again.data, data, size) == 0);
}

static void try_keys(const char *data, size_t size)
{
	static const struct buf passphrase = { .data = (char *)"geheim", .len = 6 };
	auto_key sealed = NULL;
	struct err err = {0};
	auto_key open = NULL;
	auto_key secret = NULL;
	char id[45];

	if (key_read_public(data, size, "fuzz", &open, &err) < 0)
		must_have_failed(&err, ERR_USAGE, open);
	else
		MUST(key_id(open, id, &err) == 0);
	if (key_read_private(data, size, "fuzz", &secret, &err) < 0)
		must_have_failed(&err, ERR_USAGE, secret);
	if (key_read_encrypted(data, size, &passphrase, "fuzz", &sealed, &err) < 0)
		must_have_failed(&err, ERR_USAGE, sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	auto_key key = NULL;

	MUST(key_read_public(public_pem, strlen(public_pem), "fuzz", &key, &err) == 0);
	try_other((const char *)data, size, key);
	try_bundle((const char *)data, size, key);
	try_document((const char *)data, size, key);
	try_statement((const char *)data, size);
	try_keys((const char *)data, size);
	return 0;
}

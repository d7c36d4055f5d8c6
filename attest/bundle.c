/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/bundle.h"

#include <errno.h>
#include <string.h>

#include "attest/base64.h"
#include "attest/shape.h"

/** Length of a key id, base64 of 32 bytes. */
#define KEY_ID_LEN 44

void bundle_clear(struct bundle *b)
{
	buf_free(&b->payload);
}

void bundle_pae(const char *type, const void *body, size_t n, struct buf *out)
{
	buf_addf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, n);
	buf_add(out, body, n);
}

int bundle_write(const struct bundle *b, struct buf *out, struct err *err)
{
	auto_buf payload = {0};
	auto_buf sig = {0};
	size_t start = out->len;

	base64_encode(b->payload.data, b->payload.len, &payload);
	base64_encode(b->signature.bytes, b->signature.len, &sig);
	if (buf_check(&payload, "bundle", err) < 0 || buf_check(&sig, "bundle", err) < 0)
		return -1;
	auto_json doc = json_pack("{s:s, s:{s:{s:s}}, s:{s:s, s:s, s:[{s:s, s:s}]}}",
				  "mediaType", ATTEST_BUNDLE_TYPE,
				  "verificationMaterial", "publicKey", "hint", b->key_id,
				  "dsseEnvelope", "payloadType", ATTEST_PAYLOAD_TYPE, "payload", payload.data,
				  "signatures", "keyid", b->key_id, "sig", sig.data);
	if (doc == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write a bundle");
	if (json_canonical(doc, out, err) < 0)
		return -1;
	buf_addc(out, '\n');
	if (buf_check(out, "bundle", err) < 0) {
		buf_seal(out, start);
		return -1;
	}
	return 0;
}

int bundle_base64(const json_t *object, const char *name, const char *where, struct buf *out, struct err *err)
{
	const char *text;

	if (shape_string(object, name, where, &text, err) < 0)
		return -1;
	if (base64_decode(text, strlen(text), out))
		return 0;
	if (buf_check(out, where, err) < 0)
		return -1;
	return err_set(err, ERR_UNVERIFIED, 0, "%s: member '%s' is not strict base64 (RFC 4648, padded, no white space)",
		       where, name);
}

int bundle_signature(const json_t *sig, const char *where, struct signature *ret, struct err *err)
{
	auto_buf bytes = {0};

	if (bundle_base64(sig, "sig", where, &bytes, err) < 0)
		return -1;
	if (bytes.len > SIGNATURE_MAX)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: %zu bytes are too long for a signature", where, bytes.len);
	memcpy(ret->bytes, bytes.data, bytes.len);
	ret->len = bytes.len;
	return 0;
}

static int read_signature(const json_t *sig, struct bundle *b, struct err *err)
{
	static const char where[] = "bundle: dsseEnvelope.signatures[0]";
	static const char *const names[] = { "keyid", "sig", NULL };

	if (!json_is_object(sig))
		return err_set(err, ERR_UNVERIFIED, 0, "%s: must be an object", where);
	if (shape_only(sig, names, where, err) < 0 || shape_equals(sig, "keyid", b->key_id, where, err) < 0)
		return -1;
	return bundle_signature(sig, where, &b->signature, err);
}

static int read_envelope(const json_t *envelope, struct bundle *b, struct err *err)
{
	static const char where[] = "bundle: dsseEnvelope";
	static const char *const names[] = { "payload", "payloadType", "signatures", NULL };
	const json_t *signatures;

	if (shape_only(envelope, names, where, err) < 0 ||
	    shape_equals(envelope, "payloadType", ATTEST_PAYLOAD_TYPE, where, err) < 0 ||
	    shape_member(envelope, "signatures", JSON_ARRAY, where, &signatures, err) < 0)
		return -1;
	if (json_array_size(signatures) != 1)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: %zu signatures; there must be exactly one", where,
			       json_array_size(signatures));
	if (read_signature(json_array_get(signatures, 0), b, err) < 0)
		return -1;
	return bundle_base64(envelope, "payload", where, &b->payload, err);
}

/** The hint, which names the key. */
static int read_material(const json_t *material, struct bundle *b, struct err *err)
{
	/* Certificates, log entries and time stamps would be evidence that nothing here checks:
	 * accepted, it would look checked. */
	static const char *const names[] = { "publicKey", NULL };
	static const char *const key_names[] = { "hint", NULL };
	const json_t *key;
	const char *hint;

	if (shape_only(material, names, "bundle: verificationMaterial", err) < 0 ||
	    shape_member(material, "publicKey", JSON_OBJECT, "bundle: verificationMaterial", &key, err) < 0 ||
	    shape_only(key, key_names, "bundle: verificationMaterial.publicKey", err) < 0 ||
	    shape_string(key, "hint", "bundle: verificationMaterial.publicKey", &hint, err) < 0)
		return -1;
	if (strlen(hint) != KEY_ID_LEN)
		return err_set(err, ERR_UNVERIFIED, 0, "bundle: verificationMaterial.publicKey: the hint is not a key id "
			       "(base64 of the SHA-256 of the public key's DER)");
	memcpy(b->key_id, hint, KEY_ID_LEN + 1);
	return 0;
}

int bundle_read(const json_t *doc, struct bundle *ret, struct err *err)
{
	static const char *const names[] = { "dsseEnvelope", "mediaType", "verificationMaterial", NULL };
	const json_t *material, *envelope;
	auto_bundle b = {0};

	if (!json_is_object(doc))
		return err_set(err, ERR_UNVERIFIED, 0, "bundle: must be a JSON object");
	if (shape_equals(doc, "mediaType", ATTEST_BUNDLE_TYPE, "bundle", err) < 0 ||
	    shape_only(doc, names, "bundle", err) < 0 ||
	    shape_member(doc, "verificationMaterial", JSON_OBJECT, "bundle", &material, err) < 0 ||
	    shape_member(doc, "dsseEnvelope", JSON_OBJECT, "bundle", &envelope, err) < 0 ||
	    read_material(material, &b, err) < 0 || read_envelope(envelope, &b, err) < 0)
		return -1;
	*ret = b;
	b.payload = (struct buf){0};
	return 0;
}

int bundle_check(const struct bundle *b, const struct key *const *keys, size_t nkeys, struct err *err)
{
	auto_buf pae = {0};
	char id[45] = "";

	if (nkeys == 0)
		return err_set(err, ERR_UNVERIFIED, 0, "no public key was given to verify with");
	for (size_t i = 0; i < nkeys; i++) {
		if (key_id(keys[i], id, err) < 0)
			return -1;
		if (strcmp(id, b->key_id) != 0)
			continue;
		bundle_pae(ATTEST_PAYLOAD_TYPE, b->payload.data, b->payload.len, &pae);
		if (buf_check(&pae, "signed bytes", err) < 0)
			return -1;
		return signature_check(keys[i], pae.data, pae.len, &b->signature, err);
	}
	return err_set(err, ERR_UNVERIFIED, 0, "signed by key %s, which is not one of the keys given (%s%s)", b->key_id, id,
		       nkeys > 1 ? " is the last of them" : "");
}

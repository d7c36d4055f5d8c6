/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles as other tools make them. */
#include <string.h>

#include "attest/bundle.h"
#include "attest/shape.h"

/** The media types of v0.1 to v0.3. */
static const char *const media_types[] = {
	ATTEST_BUNDLE_TYPE, "application/vnd.dev.sigstore.bundle+json;version=0.1", "application/vnd.dev.sigstore.bundle+json;version=0.2",
	"application/vnd.dev.sigstore.bundle+json;version=0.3",
};

static int check_media_type(const json_t *doc, struct err *err)
{
	const char *type;

	if (shape_string(doc, "mediaType", "bundle", &type, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(media_types); i++)
		if (strcmp(media_types[i], type) == 0)
			return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "bundle: mediaType '%.*s' is no Sigstore bundle that is known here (v0.1 to v0.3)",
		       SHAPE_SHOWN, type);
}

static int read_hint(const json_t *material, struct bundle *b, struct err *err)
{
	const json_t *key, *hint;

	if (json_object_get(material, "certificate") != NULL || json_object_get(material, "x509CertificateChain") != NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "bundle: signed under a certificate, which nothing here checks; "
			       "a bundle signed with a key is needed");
	if (shape_optional(material, "publicKey", JSON_OBJECT, "bundle: verificationMaterial", &key, err) < 0 ||
	    shape_optional(key, "hint", JSON_STRING, "bundle: verificationMaterial.publicKey", &hint, err) < 0)
		return -1;
	if (hint != NULL && json_string_length(hint) < sizeof b->key_id)
		strcpy(b->key_id, json_string_value(hint));
	return 0;
}

static int read_envelope(const json_t *envelope, struct bundle *b, struct err *err)
{
	static const char where[] = "bundle: dsseEnvelope";
	const json_t *signatures, *sig;

	if (shape_equals(envelope, "payloadType", ATTEST_PAYLOAD_TYPE, where, err) < 0 ||
	    shape_member(envelope, "signatures", JSON_ARRAY, where, &signatures, err) < 0)
		return -1;
	if (json_array_size(signatures) != 1)
		return err_set(err, ERR_UNVERIFIED, 0, "%s: %zu signatures; there must be exactly one", where, json_array_size(signatures));
	sig = json_array_get(signatures, 0);
	if (!json_is_object(sig))
		return err_set(err, ERR_UNVERIFIED, 0, "%s.signatures[0]: must be an object", where);
	if (bundle_signature(sig, "bundle: dsseEnvelope.signatures[0]", &b->signature, err) < 0)
		return -1;
	return bundle_base64(envelope, "payload", where, &b->payload, err);
}

int bundle_read_any(const json_t *doc, struct bundle *ret, struct err *err)
{
	const json_t *material, *envelope;
	auto_bundle b = {0};

	if (!json_is_object(doc))
		return err_set(err, ERR_UNVERIFIED, 0, "bundle: must be a JSON object");
	if (check_media_type(doc, err) < 0 || shape_member(doc, "verificationMaterial", JSON_OBJECT, "bundle", &material, err) < 0 ||
	    shape_member(doc, "dsseEnvelope", JSON_OBJECT, "bundle", &envelope, err) < 0 || read_hint(material, &b, err) < 0 ||
	    read_envelope(envelope, &b, err) < 0)
		return -1;
	*ret = b;
	b.payload = (struct buf){0};
	return 0;
}

/** The place of the key that the hint names, or @p nkeys where it names none of them. */
static int find_hinted(const struct bundle *b, const struct key *const *keys, size_t nkeys, size_t *ret_hinted, struct err *err)
{
	char id[sizeof b->key_id];

	for (*ret_hinted = 0; *ret_hinted < nkeys; ++*ret_hinted) {
		if (key_id(keys[*ret_hinted], id, err) < 0)
			return -1;
		if (strcmp(id, b->key_id) == 0)
			break;
	}
	return 0;
}

int bundle_check_any(struct bundle *b, const struct key *const *keys, size_t nkeys, struct err *err)
{
	auto_buf pae = {0};
	size_t hinted;

	if (nkeys == 0)
		return err_set(err, ERR_UNVERIFIED, 0, "no public key was given to verify with");
	bundle_pae(ATTEST_PAYLOAD_TYPE, b->payload.data, b->payload.len, &pae);
	if (buf_check(&pae, "signed bytes", err) < 0 || find_hinted(b, keys, nkeys, &hinted, err) < 0)
		return -1;
	if (hinted < nkeys)
		return signature_check_any(keys[hinted], pae.data, pae.len, &b->signature, err);
	for (size_t i = 0; i < nkeys; i++)
		if (signature_check_any(keys[i], pae.data, pae.len, &b->signature, err) == 0)
			return key_id(keys[i], b->key_id, err);
	return err_set(err, ERR_UNVERIFIED, 0, "signed by none of the keys given");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What refers to an image (OCI 1.1: a manifest with a subject), and the list of it under a tag where the registry keeps none. */
#include <errno.h>
#include <string.h>

#include "fetch/registry_client.h"

/** The content of the empty config, "{}". */
#define EMPTY "{}"
/** Another's list may replace ours while we write: looked after so often. */
#define FALLBACK_TRIES 5

static json_t *descriptor(const char *type, const struct digest *digest, size_t size)
{
	char text[DIGEST_STR_SIZE];

	return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", digest_str(digest, text), "size", (json_int_t)size);
}

static json_t *annotations(const struct registry_artifact *a)
{
	json_t *o = json_object();

	for (size_t i = 0; i < a->nannotations; i++)
		if (json_object_set_new(o, a->annotations[i].name, json_string(a->annotations[i].value)) < 0) {
			json_decref(o);
			return NULL;
		}
	return o;
}

/** The referring manifest: no time in it, so that the same artifact is attached once, however often. */
static int make_manifest(const struct registry_push *push, const struct digest *subject, const struct registry_artifact *a,
			 const struct digest *content, const struct digest *empty, struct buf *out, struct err *err)
{
	auto_json o = json_pack("{s:i, s:s, s:s, s:o, s:[o], s:o}", "schemaVersion", 2, "mediaType", MEDIA_MANIFEST, "artifactType", a->type,
				"config", descriptor(MEDIA_EMPTY, empty, strlen(EMPTY)), "layers", descriptor(a->type, content, a->n),
				"subject", descriptor(push->media_type, subject, push->nmanifest));

	if (o == NULL || (a->nannotations > 0 && json_object_set_new(o, "annotations", annotations(a)) < 0))
		return err_set(err, ERR_INTERNAL, ENOMEM, "attach an artifact");
	return json_canonical(o, out, err);
}

static int push_bytes(struct registry *r, const struct registry_push *push, const void *data, size_t n, struct digest *digest,
		      struct registry_pushed *count, struct err *err)
{
	if (hash_bytes(data, n, digest, err) < 0)
		return -1;
	const struct registry_blob b = { .digest = *digest, .size = n, .data = data, .fd = -1 };
	return push_blob(r, push, &b, count, err);
}

/* ---- the list under a tag ---------------------------------------------------------- */

/** The list that is there, or an empty one. Something else under that tag is not ours to replace. */
static int get_list(struct registry *r, const char *tag, json_t **ret, struct err *err)
{
	auto_buf what = {0};
	auto_http_response resp = {0};
	auto_json j = NULL;

	buf_addf(&what, "/manifests/%s", tag);
	if (buf_check(&what, "URL", err) < 0 || registry_get(r, what.data, MEDIA_INDEX ", */*", REGISTRY_ANSWER_MAX, &resp, err) < 0)
		return -1;
	if (resp.status == 404) {
		*ret = json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", MEDIA_INDEX, "manifests");
		return *ret == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "attach an artifact") : 0;
	}
	if (json_parse_apart(resp.body.data, resp.body.len, tag, r->kind, &j, err) < 0)
		return -1;
	const char *type = json_str(j, "mediaType");
	if ((type != NULL && strcmp(type, MEDIA_INDEX) != 0) || !json_is_array(json_object_get(j, "manifests")))
		return err_set(err, r->kind, 0, "%s/%s: what is under the tag '%s' is no index of referrers", r->host, r->path, tag);
	*ret = move_ptr(j);
	return 0;
}

static bool lists(const json_t *list, const char *digest)
{
	const json_t *all = json_object_get(list, "manifests"), *entry;
	size_t i;

	json_array_foreach(all, i, entry) {
		const char *have = json_str(entry, "digest");

		if (have != NULL && strcmp(have, digest) == 0)
			return true;
	}
	return false;
}

/** An entry of the list: what a registry that keeps referrers would say of it. */
static json_t *list_entry(const struct registry_artifact *a, const struct digest *digest, size_t size)
{
	json_t *entry = descriptor(MEDIA_MANIFEST, digest, size);

	if (json_object_set_new(entry, "artifactType", json_string(a->type)) < 0 ||
	    (a->nannotations > 0 && json_object_set_new(entry, "annotations", annotations(a)) < 0)) {
		json_decref(entry);
		return NULL;
	}
	return entry;
}

/** Adds the manifest to the list under the fallback tag, keeping what others have put there. */
static int list_referrer(struct registry *r, const struct digest *subject, const struct registry_artifact *a, const struct digest *manifest,
			 size_t size, struct err *err)
{
	char tag[FALLBACK_TAG_SIZE], digest[DIGEST_STR_SIZE];

	fallback_tag(subject, tag);
	digest_str(manifest, digest);
	for (unsigned i = 0; i < FALLBACK_TRIES; i++) {
		auto_json list = NULL;
		auto_buf text = {0};

		if (get_list(r, tag, &list, err) < 0)
			return -1;
		if (lists(list, digest))
			return 0;
		if (json_array_append_new(json_object_get(list, "manifests"), list_entry(a, manifest, size)) < 0)
			return err_set(err, ERR_INTERNAL, ENOMEM, "attach an artifact");
		if (json_canonical(list, &text, err) < 0 || push_manifest(r, tag, MEDIA_INDEX, text.data, text.len, NULL, err) < 0)
			return -1;
	}
	auto_json list = NULL;
	if (get_list(r, tag, &list, err) < 0)
		return -1;
	return lists(list, digest) ? 0 : err_set(err, r->kind, 0, "%s/%s: others keep replacing the tag '%s'", r->host, r->path, tag);
}

/* ---- artifacts ------------------------------------------------------------------------ */

static int push_artifact(struct registry *r, const struct registry_push *push, const struct registry_artifact *a, struct registry_pushed *count,
			 struct err *err)
{
	auto_buf manifest = {0};
	struct digest content, empty, digest;
	char text[DIGEST_STR_SIZE];
	bool understood = false;

	if (push_bytes(r, push, EMPTY, strlen(EMPTY), &empty, count, err) < 0 || push_bytes(r, push, a->data, a->n, &content, count, err) < 0 ||
	    make_manifest(push, &count->manifest, a, &content, &empty, &manifest, err) < 0 ||
	    hash_bytes(manifest.data, manifest.len, &digest, err) < 0 ||
	    push_manifest(r, digest_str(&digest, text), MEDIA_MANIFEST, manifest.data, manifest.len, &understood, err) < 0)
		return -1;
	if (understood)
		return 0;
	count->fallback = true;
	return list_referrer(r, &count->manifest, a, &digest, manifest.len, err);
}

int push_artifacts(struct registry *r, const struct registry_push *push, struct registry_pushed *count, struct err *err)
{
	for (size_t i = 0; i < push->nartifacts; i++)
		if (push_artifact(r, push, &push->artifacts[i], count, err) < 0)
			return -1;
	return 0;
}

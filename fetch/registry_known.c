/* SPDX-License-Identifier: Apache-2.0 */
/* Images that are pinned by digest, as the store knows them: nothing here needs a network, or a library for one. */
#include <string.h>

#include "fetch/registry.h"
#include "oci/foreign.h"

bool registry_is_image(const char *text)
{
	const char *at = strrchr(text, '@');
	struct digest d;

	return text_starts(text, REGISTRY_PREFIX) && strchr("/.", text[strlen(REGISTRY_PREFIX)]) == NULL && at != NULL &&
	       digest_parse(at + 1, &d);
}

int registry_image_parse(const char *text, struct registry_ref *ret, struct err *err)
{
	auto_registry_ref ref = {0};

	if (!text_starts(text, REGISTRY_PREFIX))
		return err_set(err, ERR_USAGE, 0, "'%.300s': an image of a registry is written " REGISTRY_PREFIX "HOST/REPOSITORY@sha256:…", text);
	if (registry_ref_parse(text + strlen(REGISTRY_PREFIX), &ref, err) < 0)
		return -1;
	if (!ref.pinned)
		return err_set(err, ERR_USAGE, 0, "'%.300s' is not pinned: a tag means another image tomorrow; write @sha256:… and its digest", text);
	*ret = ref;
	ref = (struct registry_ref){0};
	return 0;
}

/* ---- what came of it ------------------------------------------------------------- */

/** Names what is remembered: @p kind of the image that @p named means on @p platform. */
static int make_key(const struct digest *named, const char *platform, struct digest *ret, struct err *err)
{
	struct oci_platform p;
	char text[DIGEST_STR_SIZE];
	auto_buf key = {0};

	if (oci_platform_parse(platform, &p, err) < 0)
		return -1;
	buf_addf(&key, "image 1\n%s\n%s/%s/%s\n", digest_str(named, text), p.os, p.architecture, p.variant);
	return buf_check(&key, "name of an image", err) < 0 ? -1 : hash_bytes(key.data, key.len, ret, err);
}

bool registry_recall(struct store *store, const char *kind, const struct digest *named, const char *platform, struct digest *ret)
{
	struct err ignored = {0};
	auto_buf value = {0};
	struct digest key;

	if (make_key(named, platform, &key, &ignored) < 0 || !store_derived_get(store, kind, &key, sizeof ret->b, &value) ||
	    value.len != sizeof ret->b)
		return false;
	memcpy(ret->b, value.data, sizeof ret->b);
	return true;
}

int registry_remember(struct store *store, const char *kind, const struct digest *named, const char *platform,
		      const struct digest *value, struct err *err)
{
	struct digest key;

	if (make_key(named, platform, &key, err) < 0)
		return -1;
	return store_derived_put(store, kind, &key, value->b, sizeof value->b, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <errno.h>
#include <string.h>

/** What a reference says. */
struct reference {
	bool pinned;
	char name[101];     /**< "" when there is none */
	struct digest digest;
};

static int malformed(const char *ref, struct err *err)
{
	return err_set(err, ERR_USAGE, 0, "rootfs reference '" SHOWN "': neither NAME@sha256:<64 hex digits>, sha256:<64 hex digits>, oci:IMAGE@sha256:<64 hex digits>, nor NAME", ref);
}

static int parse(const char *ref, struct reference *ret, struct err *err)
{
	const char *at = strchr(ref, '@');
	const char *digest = at == NULL ? ref : at + 1;
	size_t n = at == NULL ? strlen(ref) : (size_t)(at - ref);
	struct reference r = {0};

	r.pinned = digest_parse(digest, &r.digest);
	if (at != NULL && !r.pinned)
		return malformed(ref, err);
	if (at != NULL || !r.pinned) {
		if (n >= sizeof r.name)
			return malformed(ref, err);
		memcpy(r.name, ref, n);
		if (!text_is_name(r.name))
			return malformed(ref, err);
	}
	*ret = r;
	return 0;
}

/** The error for a pinned tree that is not here: says what the name means now, if it has one. */
static int not_here(struct store *store, const char *ref, const struct reference *r, struct err *err)
{
	struct digest now;
	char text[DIGEST_STR_SIZE];
	struct err ignored = {0};

	if (r->name[0] != '\0' && store_get_name(store, r->name, &now, &ignored) == 0)
		return err_set(err, ERR_INPUT, 0, "rootfs '%s' is not in the store; '%s' is %s here: import the pinned one, or pin this one", ref,
			       r->name, digest_str(&now, text));
	return err_set(err, ERR_INPUT, 0, "rootfs '%s' is not in the store (glovebox rootfs import)", ref);
}

bool image_known(struct store *store, const struct digest *pin, const char *platform, struct rootfs_image *ret)
{
	struct rootfs_image image;

	if (!registry_recall(store, REGISTRY_MANIFEST, pin, platform, &image.manifest) ||
	    !registry_recall(store, REGISTRY_TREE, pin, platform, &image.tree) || !store_has_tree(store, &image.tree))
		return false;
	*ret = image;
	return true;
}

/** An image of a registry, as far as it has been here. */
static int resolve_image(struct store *store, const char *ref, struct digest *ret, struct err *err)
{
	auto_registry_ref parsed = {0};
	struct rootfs_image image;

	if (registry_image_parse(ref, &parsed, err) < 0)
		return err_ctx(err, "rootfs reference");
	if (!image_known(store, &parsed.digest, NULL, &image))
		return err_set(err, ERR_INPUT, 0, "rootfs '" SHOWN "' is not in the store: glovebox rootfs import NAME " SHOWN " brings it", ref, ref);
	*ret = image.tree;
	return 0;
}

int rootfs_resolve(struct store *store, const char *ref, struct digest *ret, bool *pinned, struct err *err)
{
	struct reference r;

	if (text_starts(ref, REGISTRY_PREFIX)) {
		if (resolve_image(store, ref, ret, err) < 0)
			return -1;
		if (pinned != NULL)
			*pinned = true;
		return 0;
	}
	if (parse(ref, &r, err) < 0 || (!r.pinned && store_get_name(store, r.name, &r.digest, err) < 0))
		return -1;
	if (!store_has_tree(store, &r.digest))
		return not_here(store, ref, &r, err);
	*ret = r.digest;
	if (pinned != NULL)
		*pinned = r.pinned;
	return 0;
}

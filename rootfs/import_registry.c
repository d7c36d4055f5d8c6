/* SPDX-License-Identifier: Apache-2.0 */
/* A root filesystem out of a registry: fetched once, and from then on known by the image's digest. */
#include "rootfs/internal.h"

#include "oci/foreign.h"

/** Reads the layout that came. Its one image is the one that was chosen. */
static int import_layout(struct store *store, const struct registry_fetched *from, const char *platform, struct digest *ret, struct err *err)
{
	const struct rootfs_source source = { .platform = platform };
	auto_tree_builder b = NULL;
	auto_oci_files files = NULL;

	if (tree_builder_new(&b, err) < 0 || oci_files_open_dir(from->layout, &files, err) < 0 ||
	    import_image(store, files, OCI_SHAPE_LAYOUT, &source, b, err) < 0)
		return -1;
	return store_put_tree(store, b, ret, err);
}

static int fetch(struct store *store, const struct registry_conf *conf, const char *ref, const char *platform, const struct digest *pin,
		 struct rootfs_image *image, struct err *err)
{
	auto_registry_fetched came = REGISTRY_FETCHED_NONE;

	if (registry_fetch(store, conf, ref, platform, &came, err) < 0 || import_layout(store, &came, platform, &image->tree, err) < 0)
		return -1;
	image->manifest = came.image.manifest;
	/* What is remembered outlives a loss of power only where what it names does. */
	if (store_sync(store, err) < 0 || registry_remember(store, REGISTRY_MANIFEST, pin, platform, &image->manifest, err) < 0)
		return -1;
	return registry_remember(store, REGISTRY_TREE, pin, platform, &image->tree, err);
}

int rootfs_fetch(struct store *store, const struct registry_conf *conf, const char *ref, const char *platform, struct rootfs_image *ret,
		 struct err *err)
{
	auto_registry_ref parsed = {0};
	struct rootfs_image image;

	if (registry_image_parse(ref, &parsed, err) < 0)
		return -1;
	if (!image_known(store, &parsed.digest, platform, &image) && fetch(store, conf, ref, platform, &parsed.digest, &image, err) < 0)
		return -1;
	*ret = image;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Images that are pinned by digest, into the store's scratch. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fetch/registry.h"
#include "oci/foreign.h"

void registry_fetched_clear(struct registry_fetched *f)
{
	own_fd(&f->layout);
	own_store_scratch(&f->scratch);
	*f = REGISTRY_FETCHED_NONE;
}

static int make_layout(struct store *store, struct registry_fetched *f, struct err *err)
{
	if (store_scratch_open(store, &f->scratch, err) < 0)
		return -1;
	if (mkdirat(store_scratch_fd(f->scratch), "image", 0700) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a directory in %s", store_scratch_path(f->scratch));
	return io_open_dir(store_scratch_fd(f->scratch), "image", &f->layout, err);
}

int registry_fetch(struct store *store, const struct registry_conf *conf, const char *text, const char *platform,
		   struct registry_fetched *ret, struct err *err)
{
	__attribute__((cleanup(registry_fetched_clear))) struct registry_fetched f = REGISTRY_FETCHED_NONE;
	auto_registry_ref ref = {0};
	struct oci_platform p;
	char wanted[sizeof p];

	if (registry_image_parse(text, &ref, err) < 0 || oci_platform_parse(platform, &p, err) < 0)
		return -1;
	snprintf(wanted, sizeof wanted, "%s/%s%s%s", p.os, p.architecture, p.variant[0] == '\0' ? "" : "/", p.variant);
	if (conf == NULL)
		return err_set(err, ERR_INPUT, 0, "it is not in the store, and nothing is fetched here (glovebox rootfs import NAME %.400s, or "
			       "glovebox plan SPEC, fetches it)", text);
	if (make_layout(store, &f, err) < 0 || registry_pull(conf, &ref, wanted, f.layout, NULL, &f.image, err) < 0)
		return -1;
	*ret = f;
	f = REGISTRY_FETCHED_NONE;
	return 0;
}

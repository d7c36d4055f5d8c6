/* SPDX-License-Identifier: Apache-2.0 */
/* An image of a directory, without a build. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/rootfs.h"
#include "runner/pack.h"
#include "runner/target.h"

/** The archive must not be written into what is packed: what it held before would be a part of what it is. */
static int refuse_inside(int source_fd, const struct target *t, const char *path, struct err *err)
{
	auto_free char *source = io_fd_path(source_fd);
	auto_free char *target = io_fd_path(t->dirfd);

	if (source == NULL || target == NULL)
		return err_set(err, ERR_INPUT, errno, "find the real path of '%s'", path);
	if (text_path_is_below(target, source))
		return err_set(err, ERR_USAGE, 0, "'%s' lies in the directory that is packed; write it elsewhere", path);
	return 0;
}

/** Opens the directory. */
static int open_source(struct store *store, const struct image_pack_options *opt, const struct target *t, int *ret, struct err *err)
{
	const struct ident *id = store_ident(store);
	auto_fd fd = -1;

	if (ident_read_begin(id, err) < 0)
		return -1;
	fd = open(opt->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 ? err_set(err, ERR_INPUT, errno, "open directory '%s'", opt->dir) : refuse_inside(fd, t, opt->out, err);
	if (ident_read_done(id, result, err) < 0)
		return -1;
	*ret = move_fd(&fd);
	return 0;
}

static int import_base(struct store *store, const struct image_pack_options *opt, struct base_image *ret, struct err *err)
{
	const struct ident *id = store_ident(store);

	if (registry_is_image(opt->base))
		return base_fetch(store, opt->registry, opt->base, ret, err);
	if (ident_read_begin(id, err) < 0)
		return -1;
	return ident_read_done(id, base_import(store, AT_FDCWD, false, opt->base, ret, err), err);
}

/** What lies below: nothing, a root filesystem of the store's as first layer, or an image. */
static int lay_base(struct store *store, const struct image_pack_options *opt, struct base_image *base, struct pack_layer *layers, size_t *n,
		    struct err *err)
{
	const char *ref = opt->base;
	struct digest tree;

	if (strcmp(ref, "scratch") == 0)
		return 0;
	if (base_is_image(ref))
		return import_base(store, opt, base, err);
	if (rootfs_resolve(store, ref, &tree, NULL, err) < 0)
		return err_ctx(err, "base '%s' (scratch, a root filesystem of the store, oci:PATH@sha256:DIGEST, or oci:HOST/REPOSITORY@sha256:DIGEST)", ref);
	layers[(*n)++] = (struct pack_layer){
		.tree = tree, .to = "/", .keep_ids = true, .mode = -1, .created_by = "glovebox rootfs",
	};
	return 0;
}

static int pack_into(struct store *store, const struct image_pack_options *opt, struct target *t, struct built_image *ret,
		     struct err *err)
{
	auto_store_scratch scratch = NULL;
	auto_base base = {0};
	auto_fd dir = -1;
	struct pack_layer layers[2];
	size_t n = 0;

	if (lay_base(store, opt, &base, layers, &n, err) < 0 || open_source(store, opt, t, &dir, err) < 0 ||
	    store_scratch_open(store, &scratch, err) < 0)
		return -1;
	layers[n++] = (struct pack_layer){ .dirfd = &dir, .to = opt->to, .mode = -1, .created_by = "glovebox image pack" };
	struct packing p = {
		.store = store, .scratch_fd = store_scratch_fd(scratch), .cancel_fd = opt->cancel_fd, .codec = opt->codec,
		.base = &base, .layers = layers, .nlayers = n, .config = *opt->config, .tag = opt->name,
	};
	return pack_image(&p, t->fd, ret, err) < 0 ? err_ctx(err, "'%s'", opt->dir) : 0;
}

int image_pack(struct store *store, const struct image_pack_options *opt, struct image_pack_report *ret, struct err *err)
{
	struct target t = TARGET_NONE;
	struct built_image image;

	if (target_open(store_ident(store), opt->out, &t, err) < 0) {
		target_clear(store_ident(store), &t);
		return -1;
	}
	int result = pack_into(store, opt, &t, &image, err);
	if (result == 0)
		result = target_publish(store_ident(store), opt->out, &t, err);
	target_clear(store_ident(store), &t);
	if (result == 0)
		*ret = (struct image_pack_report){ image.manifest, image.tar, image.tar_size };
	return result;
}

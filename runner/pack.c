/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/rootfs.h"
#include "runner/work.h"

/** The tag in index.json: tools such as umoci find an image by tag alone. The image's name is no part of its bytes. */
#define IMAGE_TAG "latest"

/** Adds the directories that lead to a tree's place: "usr", "usr/src" for "/usr/src". */
static int add_parents(struct oci_layer *layer, const char *to, struct err *err)
{
	auto_free char *path = strdup(to + 1);

	if (path == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "pack '%s'", to);
	for (char *p = path; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		struct oci_entry dir = { .path = path, .type = OCI_DIR, .mode = 0755 };
		if (oci_layer_add(layer, &dir, -1, err) < 0)
			return -1;
		*p = '/';
	}
	return 0;
}

/** Where an entry of the tree stands in the image: "." of a tree at /src is "src", of one at / is nothing. */
static int image_path(const char *to, const char *path, struct buf *out, struct err *err)
{
	bool is_root = strcmp(path, ".") == 0;

	buf_clear(out);
	buf_adds(out, to + 1);
	if (!is_root && to[1] != '\0')
		buf_addc(out, '/');
	if (!is_root)
		buf_adds(out, path);
	return buf_check(out, "path", err);
}

/** The mode of an entry: whoever may read a directory may enter it. */
static unsigned mode_of(const struct pack_layer *l, const struct tree_entry *t)
{
	if (l->mode < 0 || t->type == TREE_LINK)
		return t->mode;
	return t->type == TREE_DIR ? (unsigned)l->mode | ((unsigned)l->mode & 0444) >> 2 : (unsigned)l->mode;
}

/** A tree on its way into a layer. */
struct adding {
	const struct packing *p;
	const struct pack_layer *l;
	struct oci_layer *layer;
	struct buf *path;        /**< of the entry at hand, in the image */
};

/** Adds an entry as the layer wants it; @p fd: a file's content, where the tree is read from a directory. */
static int add_entry(const struct adding *a, const struct tree_entry *t, int fd, struct err *err)
{
	struct tree_entry e = *t;

	e.path = a->path->data;
	e.mode = mode_of(a->l, t);
	if (!a->l->keep_ids) {
		e.uid = a->l->uid;
		e.gid = a->l->gid;
	}
	return a->l->dirfd != NULL ? rootfs_layer_add_fd(a->layer, &e, fd, false, err) : rootfs_layer_add(a->p->store, a->layer, &e, err);
}

static int place_entry(void *arg, const struct tree_entry *t, int fd, struct err *err)
{
	const struct adding *a = arg;

	if (work_check_cancel(a->p->cancel_fd, err) < 0 || image_path(a->l->to, t->path, a->path, err) < 0)
		return -1;
	/* The image's own root is no entry. */
	if (a->path->len == 0 || add_entry(a, t, fd, err) == 0)
		return 0;
	return err_ctx(err, "pack '%s'", a->path->data);
}

static int add_stored(struct adding *a, struct err *err)
{
	auto_tree_reader reader = NULL;
	struct tree_entry t;
	int more;

	if (store_read_tree(a->p->store, &a->l->tree, &reader, err) < 0)
		return -1;
	while ((more = tree_reader_next(reader, &t, err)) > 0)
		if (place_entry(a, &t, -1, err) < 0)
			return -1;
	return more;
}

/** With the right to read inputs. */
static int add_directory(struct adding *a, struct err *err)
{
	const struct ident *id = store_ident(a->p->store);
	const struct snapshot_options opt = { .form = TREE_SOURCE, .visit = place_entry, .visit_arg = a };
	struct snapshot_stats stats;

	if (ident_read_begin(id, err) < 0)
		return -1;
	return ident_read_done(id, store_snapshot(NULL, *a->l->dirfd, &opt, NULL, &stats, err), err);
}

static int add_tree(const struct packing *p, const struct pack_layer *l, struct oci_layer *layer, struct err *err)
{
	auto_buf path = {0};
	struct adding a = { p, l, layer, &path };

	if (add_parents(layer, l->to, err) < 0)
		return -1;
	return l->dirfd != NULL ? add_directory(&a, err) : add_stored(&a, err);
}

/** Builds the @p i-th of our own layers in a scratch file. @p below: what it lies on, or NULL. */
static int make_layer(const struct packing *p, size_t i, struct oci_below *below, struct oci_layer_file *ret, struct err *err)
{
	char name[32];
	auto_oci_layer layer = NULL;

	snprintf(name, sizeof name, "layer.%zu", i);
	auto_fd fd = openat(p->scratch_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "make scratch file '%s'", name);
	if (oci_layer_begin(fd, p->codec, ROOTFS_MTIME, &layer, err) < 0)
		return -1;
	if (below != NULL)
		oci_layer_on(layer, below);
	if (add_tree(p, &p->layers[i], layer, err) < 0 || oci_layer_end(layer, &ret->blob, err) < 0)
		return -1;
	ret->codec = p->codec;
	ret->created_by = p->layers[i].created_by;
	ret->fd = move_fd(&fd);
	return 0;
}

int pack_layer(const struct packing *p, size_t i, struct oci_layer_file *ret, struct err *err)
{
	return make_layer(p, i, NULL, ret, err);
}

/** Takes a layer of the base's as it is; reading it shows that it is what its digest and its diff ID say. */
static int keep_layer(const struct packing *p, size_t i, struct oci_below *below, struct oci_layer_file *ret, struct err *err)
{
	const struct oci_base *base = &p->base->image;
	auto_fd fd = -1;

	if (work_check_cancel(p->cancel_fd, err) < 0 || store_open_object(p->store, &base->layers[i].digest, &fd, err) < 0 ||
	    oci_below_read(below, fd, base->codecs[i], &base->layers[i], err) < 0)
		return -1;
	ret->blob = base->layers[i];
	ret->codec = base->codecs[i];
	ret->created_by = "base image";
	ret->fd = move_fd(&fd);
	return 0;
}

static int hash_image(int image_fd, struct built_image *image, struct err *err)
{
	if (lseek(image_fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_INTERNAL, errno, "hash image.tar");
	return hash_fd(image_fd, &image->tar, &image->tar_size, err);
}

static int pack_all(const struct packing *p, struct oci_layer_file *files, size_t nkept, int image_fd, struct built_image *image,
		    struct err *err)
{
	auto_oci_below below = NULL;
	struct oci_config config = p->config;

	/* One layer alone lies on nothing, and what it holds need not be remembered. */
	if (nkept + p->nlayers > 1 && oci_below_new(&below, err) < 0)
		return -1;
	for (size_t i = 0; i < nkept; i++)
		if (keep_layer(p, i, below, &files[i], err) < 0)
			return -1;
	for (size_t i = 0; i < p->nlayers; i++)
		if (make_layer(p, i, below, &files[nkept + i], err) < 0)
			return -1;
	config.base = nkept != 0 ? p->base->image.config : NULL;
	if (oci_image_write(image_fd, &config, files, nkept + p->nlayers, p->tag != NULL ? p->tag : IMAGE_TAG,
			    &image->manifest, err) < 0)
		return -1;
	return hash_image(image_fd, image, err);
}

int pack_image(const struct packing *p, int image_fd, struct built_image *ret, struct err *err)
{
	size_t nkept = p->base != NULL && p->base->any ? p->base->image.nlayers : 0;
	size_t n = nkept + p->nlayers;
	auto_free struct oci_layer_file *files = calloc(n + 1, sizeof *files);
	struct built_image image;

	if (files == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "pack an image");
	for (size_t i = 0; i < n; i++)
		files[i].fd = -1;
	int result = pack_all(p, files, nkept, image_fd, &image, err);
	for (size_t i = 0; i < n; i++)
		own_fd(&files[i].fd);
	if (result == 0)
		*ret = image;
	return result;
}

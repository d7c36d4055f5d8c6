/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "rootfs/rootfs.h"
#include "runner/work.h"

/** The tag in index.json: tools such as umoci find an image by tag alone. The image's name is no part of its bytes. */
#define IMAGE_TAG "latest"

/** Adds the directories that lead to a tree's place: "usr", "usr/src" for "/usr/src". */
static int add_parents(struct oci_layer *layer, const char *at, struct err *err)
{
	auto_free char *path = strdup(at + 1);

	if (path == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "pack '%s'", at);
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
static int image_path(const char *at, const char *path, struct buf *out, struct err *err)
{
	bool is_root = strcmp(path, ".") == 0;

	buf_clear(out);
	buf_adds(out, at + 1);
	if (!is_root && at[1] != '\0')
		buf_addc(out, '/');
	if (!is_root)
		buf_adds(out, path);
	return buf_check(out, "path", err);
}

static int add_entry(struct store *store, struct oci_layer *layer, const char *path, const struct tree_entry *t,
		     struct err *err)
{
	auto_fd content = -1;
	struct oci_entry e = {
		.path = path,
		.type = t->type == TREE_DIR ? OCI_DIR : t->type == TREE_FILE ? OCI_FILE : OCI_LINK,
		.mode = t->type == TREE_LINK ? 0777 : t->mode,
		.uid = t->uid, .gid = t->gid,
		.size = t->type == TREE_FILE ? t->size : 0,
		.digest = t->type == TREE_FILE ? &t->digest : NULL,
		.link = t->link,
	};

	if (t->type == TREE_FILE && store_open_object(store, &t->digest, &content, err) < 0)
		return -1;
	return oci_layer_add(layer, &e, content, err);
}

static int add_tree(struct store *store, struct oci_layer *layer, const struct digest *tree, const char *at,
		    int cancel_fd, struct err *err)
{
	auto_tree_reader reader = NULL;
	auto_buf path = {0};
	struct tree_entry t;
	int more;

	if (store_read_tree(store, tree, &reader, err) < 0 || add_parents(layer, at, err) < 0)
		return -1;
	while ((more = tree_reader_next(reader, &t, err)) > 0) {
		if (work_check_cancel(cancel_fd, err) < 0 || image_path(at, t.path, &path, err) < 0)
			return -1;
		if (path.len > 0 && add_entry(store, layer, path.data, &t, err) < 0)
			return err_ctx(err, "pack '%s'", path.data);
	}
	return more;
}

/** One layer in the making. */
struct packing {
	struct store *store;
	int scratch_fd, cancel_fd;
	enum oci_compression codec;
};

static int pack_layer(const struct packing *p, const char *name, const struct digest *tree, const char *at,
		      struct oci_layer_file *ret, struct err *err)
{
	auto_oci_layer layer = NULL;
	auto_fd fd = openat(p->scratch_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "make scratch file '%s'", name);
	if (oci_layer_begin(fd, p->codec, ROOTFS_MTIME, &layer, err) < 0 ||
	    add_tree(p->store, layer, tree, at, p->cancel_fd, err) < 0 ||
	    oci_layer_end(layer, &ret->blob, err) < 0)
		return -1;
	ret->codec = p->codec;
	ret->fd = move_fd(&fd);
	return 0;
}

/** The spec's map as the list that oci/ takes; free() it. */
static struct oci_kv *to_kv(const struct spec_map *map)
{
	struct oci_kv *kv = calloc(map->n + 1, sizeof *kv);

	for (size_t i = 0; kv != NULL && i < map->n; i++)
		kv[i] = (struct oci_kv){ map->v[i].name, map->v[i].value };
	return kv;
}

static int write_image(const struct plan *plan, const struct oci_layer_file *layers, size_t nlayers, int image_fd,
		       struct digest *ret, struct err *err)
{
	const struct spec_image_config *c = &plan->spec->artifact.config;
	auto_free struct oci_kv *env = to_kv(&c->env);
	auto_free struct oci_kv *labels = to_kv(&c->labels);

	if (env == NULL || labels == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write the image's config");
	struct oci_config config = {
		.architecture = oci_architecture(),
		.created = plan->spec->source_date_epoch,
		.entrypoint = (const char *const *)c->entrypoint.v, .nentrypoint = c->entrypoint.n,
		.cmd = (const char *const *)c->cmd.v, .ncmd = c->cmd.n,
		.env = env, .nenv = c->env.n,
		.labels = labels, .nlabels = c->labels.n,
		.user = c->user,
		.workdir = c->workdir,
	};
	return oci_image_write(image_fd, &config, layers, nlayers, IMAGE_TAG, ret, err);
}

static int hash_image(int image_fd, struct built_image *image, struct err *err)
{
	if (lseek(image_fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_INTERNAL, errno, "hash image.tar");
	return hash_fd(image_fd, &image->tar, &image->tar_size, err);
}

int image_build(struct store *store, const struct plan *plan, const struct digest *output, const char *output_path,
		int scratch_fd, int image_fd, int cancel_fd, struct built_image *ret, struct err *err)
{
	struct packing p = { store, scratch_fd, cancel_fd, OCI_GZIP };
	struct oci_layer_file layers[2] = { { .fd = -1 }, { .fd = -1 } };
	struct built_image image;
	size_t n = 0;
	int result = 0;

	if (strcmp(plan->spec->artifact.base, "rootfs") == 0) {
		layers[n].created_by = "glovebox rootfs";
		result = pack_layer(&p, "layer.base", &plan->rootfs, "/", &layers[n], err);
		n++;
	}
	if (result == 0) {
		layers[n].created_by = "glovebox step build";
		result = pack_layer(&p, "layer.output", output, output_path, &layers[n], err);
		n++;
	}
	if (result == 0 && write_image(plan, layers, n, image_fd, &image.manifest, err) == 0 &&
	    hash_image(image_fd, &image, err) == 0)
		*ret = image;
	else
		result = -1;
	own_fd(&layers[0].fd);
	own_fd(&layers[1].fd);
	return result;
}

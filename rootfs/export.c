/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/** ".glovebox-", 32 digits, ".tmp" and NUL. */
#define BESIDE_SIZE 48

/** A file that is to appear whole, as the caller's. */
struct target {
	const struct ident *id;
	int dir, fd;
	const char *name;
	char beside[BESIDE_SIZE];
};

int rootfs_layer_add_fd(struct oci_layer *layer, const struct tree_entry *e, int fd, bool hashed, struct err *err)
{
	static const enum oci_type types[] = { [TREE_DIR] = OCI_DIR, [TREE_FILE] = OCI_FILE, [TREE_LINK] = OCI_LINK };
	const struct oci_entry out = {
		.path = e->path, .type = types[e->type], .mode = e->type == TREE_LINK ? 0777 : e->mode, .uid = e->uid, .gid = e->gid,
		.size = e->size, .digest = e->type == TREE_FILE && hashed ? &e->digest : NULL, .link = e->link,
	};

	return oci_layer_add(layer, &out, fd, err);
}

int rootfs_layer_add(struct store *store, struct oci_layer *layer, const struct tree_entry *e, struct err *err)
{
	auto_fd fd = -1;

	if (e->type == TREE_FILE && store_open_object(store, &e->digest, &fd, err) < 0)
		return -1;
	return rootfs_layer_add_fd(layer, e, fd, true, err);
}

/** The tree as an uncompressed layer, which is a plain tar too. */
static int write_tar(struct store *store, const struct digest *d, int fd, struct oci_blob *ret, struct err *err)
{
	auto_oci_layer layer = NULL;
	auto_tree_reader reader = NULL;
	struct tree_entry e;
	int more;

	if (oci_layer_begin(fd, OCI_NONE, ROOTFS_MTIME, &layer, err) < 0 || store_read_tree(store, d, &reader, err) < 0)
		return -1;
	while ((more = tree_reader_next(reader, &e, err)) > 0)
		if (strcmp(e.path, ".") != 0 && rootfs_layer_add(store, layer, &e, err) < 0)
			return err_ctx(err, "'" SHOWN "'", e.path);
	return more < 0 ? -1 : oci_layer_end(layer, ret, err);
}

static int write_image(struct store *store, const struct digest *d, const struct rootfs_export *how, int fd, struct err *err)
{
	struct oci_layer_file layer = { .codec = OCI_NONE, .fd = -1 };
	const struct oci_config config = { .architecture = how->architecture == NULL ? oci_architecture() : how->architecture,
					   .created = ROOTFS_MTIME };
	auto_fd unpacked = -1;
	struct digest manifest;

	if (scratch_file(store, &unpacked, err) < 0 || write_tar(store, d, unpacked, &layer.blob, err) < 0)
		return -1;
	layer.fd = unpacked;
	return oci_image_write(fd, &config, &layer, 1, how->ref, &manifest, err);
}

/** Opens an unfinished file beside @p path. */
static int open_beside(const struct ident *id, const char *path, struct target *t, struct err *err)
{
	char hex[33];
	struct stat st;

	if (io_random_hex(hex, err) < 0 || io_open_parent(AT_FDCWD, path, O_PATH | O_DIRECTORY, &t->dir, &t->name, err) < 0)
		return -1;
	/* Renaming over a device would take it away from all. */
	if (fstatat(t->dir, t->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
		return err_set(err, ERR_USAGE, 0, "there is something that is no file");
	snprintf(t->beside, sizeof t->beside, ".glovebox-%s.tmp", hex);
	t->id = id;
	t->fd = openat(t->dir, t->beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return t->fd < 0 ? err_set(err, ERR_USAGE, errno, "make a file there") : 0;
}

/** Gives the file its name, or takes it away when @p result is a failure. */
static int finish(struct target *t, int result, struct err *err)
{
	struct err ignored = {0};

	if (t->fd == -1)
		return result;
	if (ident_caller_begin(t->id, result < 0 ? &ignored : err) < 0)
		return -1;
	if (result == 0 && renameat(t->dir, t->beside, t->dir, t->name) < 0)
		result = err_set(err, ERR_INTERNAL, errno, "finish the file");
	if (result < 0)
		(void)unlinkat(t->dir, t->beside, 0);
	return ident_caller_done(t->id, result, err);
}

static int write_to(struct store *store, const struct digest *d, const struct rootfs_export *how, struct target *t, struct err *err)
{
	struct oci_blob blob;

	return how->oci ? write_image(store, d, how, t->fd, err) : write_tar(store, d, t->fd, &blob, err);
}

int rootfs_export(struct store *store, const struct digest *d, const struct rootfs_export *how, const char *path, struct err *err)
{
	const struct ident *id = store_ident(store);
	struct target t = { .dir = -1, .fd = -1 };

	if (ident_caller_begin(id, err) < 0)
		return -1;
	int result = ident_caller_done(id, open_beside(id, path, &t, err), err);
	if (result == 0)
		result = write_to(store, d, how, &t, err);
	result = finish(&t, result, err);
	if (t.fd != -1)
		close(t.fd);
	if (t.dir != -1)
		close(t.dir);
	return result < 0 ? err_ctx(err, "export to '" SHOWN "'", path) : 0;
}

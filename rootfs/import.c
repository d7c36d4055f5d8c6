/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "oci/foreign.h"
#include "rootfs/stream.h"

static bool is_running_root(const struct stat *st)
{
	struct stat root;

	return stat("/", &root) == 0 && root.st_dev == st->st_dev && root.st_ino == st->st_ino;
}

/** What a source is said to be. */
enum kind { KIND_ANY, KIND_DIR, KIND_TAR, KIND_IMAGE };

static const struct {
	const char *prefix;
	enum kind kind;
	bool may_be_dir, may_be_file;
	enum oci_shape shape;   /**< what the files must make, or NONE where anything will do */
} kinds[] = {
	{ "", KIND_ANY, true, true, OCI_SHAPE_NONE },
	{ "dir:", KIND_DIR, true, false, OCI_SHAPE_NONE },
	{ "tar:", KIND_TAR, false, true, OCI_SHAPE_NONE },
	{ "oci:", KIND_IMAGE, true, false, OCI_SHAPE_LAYOUT },
	{ "oci-archive:", KIND_IMAGE, false, true, OCI_SHAPE_LAYOUT },
	{ "docker-archive:", KIND_IMAGE, true, true, OCI_SHAPE_DOCKER },
	{ "docker-dir:", KIND_IMAGE, true, false, OCI_SHAPE_FLAT },
};

/** A source being read. */
struct reading {
	struct store *store;
	const struct rootfs_source *source;
	size_t kind;           /**< row of `kinds` */
	int fd;
	struct stat st;
	struct tree_builder *b;
	struct store_scratch *scratch; /**< where a directory is laid out while it is read, or NULL */
	struct import_along *along;    /**< so laid out, or NULL */
};

/** Finds the prefix of @p text, and what stands behind it. */
static size_t find_kind(const char *text, const char **ret_path)
{
	size_t row = 0;

	for (size_t i = 1; i < ARRAY_LEN(kinds); i++)
		if (text_starts(text, kinds[i].prefix))
			row = i;
	*ret_path = text + strlen(kinds[row].prefix);
	return row;
}

/** Options that choose among images mean nothing elsewhere. */
static int check_no_choice(const struct reading *r, struct err *err)
{
	if (r->source->ref == NULL && r->source->platform == NULL)
		return 0;
	return err_set(err, ERR_USAGE, 0, "it is no image, and has neither references nor platforms to choose from");
}

/** Reads the image in @p files, which must be what was said. */
static int read_image(const struct reading *r, const struct oci_files *files, struct err *err)
{
	enum oci_shape want = kinds[r->kind].shape;

	return import_image(r->store, files, want == OCI_SHAPE_NONE ? oci_files_shape(files) : want, r->source, r->b, err);
}

static int read_tree(struct reading *r, struct err *err)
{
	if (check_no_choice(r, err) < 0)
		return -1;
	if (is_running_root(&r->st))
		return err_set(err, ERR_USAGE, 0, "that is the running system, which never stands still: import a tree made for it (mmdebstrap, an exported image)");
	return import_dir(r->store, r->fd, r->scratch, r->b, &r->along, err);
}

static int read_directory(struct reading *r, struct err *err)
{
	auto_oci_files files = NULL;

	if (oci_files_open_dir(r->fd, &files, err) < 0)
		return -1;
	if (kinds[r->kind].shape != OCI_SHAPE_NONE || (kinds[r->kind].kind == KIND_ANY && oci_files_shape(files) != OCI_SHAPE_NONE))
		return read_image(r, files, err);
	return read_tree(r, err);
}

/** Whether the tar in @p fd is an image: *@p ret is its files, or NULL. */
static int find_image(const struct reading *r, int fd, struct oci_files **ret, struct err *err)
{
	bool sure = kinds[r->kind].shape != OCI_SHAPE_NONE;
	auto_oci_files files = NULL;

	if (oci_files_open_tar(fd, sure, &files, err) < 0)
		return -1;
	if (!sure && files != NULL && oci_files_shape(files) == OCI_SHAPE_NONE)
		return 0;
	*ret = move_ptr(files);
	return 0;
}

/** Whether a file begins as a tar does that is not compressed (POSIX or GNU). */
static int is_plain_tar(int fd, bool *ret, struct err *err)
{
	char magic[5];
	ssize_t n;

	do
		n = pread(fd, magic, sizeof magic, 257);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, ERR_INPUT, errno, "read");
	*ret = n == sizeof magic && memcmp(magic, "ustar", sizeof magic) == 0;
	return 0;
}

static int read_file(const struct reading *r, struct err *err)
{
	const struct stream_source all = { .fd = r->fd, .size = (uint64_t)r->st.st_size };
	auto_oci_files files = NULL;
	auto_fd spooled = -1;
	bool plain, tar = kinds[r->kind].kind == KIND_TAR;

	if (is_plain_tar(r->fd, &plain, err) < 0)
		return -1;
	/* Members have to be read in another order than they stand in: that needs them decompressed. */
	if (!tar && !plain && (kinds[r->kind].kind != KIND_ANY || import_begins_as_image(&all)) &&
	    import_spool(r->store, &all, &spooled, err) < 0)
		return -1;
	if (!tar && (plain || spooled != -1) && find_image(r, spooled != -1 ? spooled : r->fd, &files, err) < 0)
		return -1;
	if (files != NULL)
		return read_image(r, files, err);
	return check_no_choice(r, err) < 0 ? -1 : import_tar(r->store, &all, r->b, err);
}

/** Opens and reads the source, with the right to read inputs. */
static int read_source(struct reading *r, struct err *err)
{
	const char *path;
	r->kind = find_kind(r->source->text, &path);
	auto_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &r->st) < 0)
		return err_set(err, ERR_INPUT, errno, "open");
	r->fd = fd;
	if (S_ISDIR(r->st.st_mode) && kinds[r->kind].may_be_dir)
		return read_directory(r, err);
	if (S_ISREG(r->st.st_mode) && kinds[r->kind].may_be_file)
		return read_file(r, err);
	return err_set(err, ERR_INPUT, 0, "%s", r->kind == 0 ? "neither a directory nor an archive"
		       : kinds[r->kind].may_be_file ? "not a file" : "not a directory");
}

static int read_bracketed(struct reading *r, struct err *err)
{
	const struct ident *id = store_ident(r->store);

	if (ident_read_begin(id, err) < 0)
		return -1;
	return ident_read_done(id, read_source(r, err), err);
}

/** Whether the source looks like an image of a registry, but for its digest. */
static bool is_unpinned(const char *text)
{
	auto_registry_ref ref = {0};
	struct err ignored = {0};

	return text_starts(text, REGISTRY_PREFIX) && registry_ref_parse(text + strlen(REGISTRY_PREFIX), &ref, &ignored) == 0;
}

/** Where a directory is to be laid out while it is read. Under a name that is known already it most often is what it was, and that is there. */
static int open_scratch(struct store *store, const char *name, struct store_scratch **ret, struct err *err)
{
	struct digest known;
	struct err ignored = {0};

	return store_get_name(store, name, &known, &ignored) == 0 ? 0 : store_scratch_open(store, ret, err);
}

/** Makes what can be opened here a tree of the store. */
static int take_local(struct store *store, const char *name, const struct rootfs_source *source, struct digest *ret, struct err *err)
{
	auto_store_scratch scratch = NULL;
	auto_tree_builder b = NULL;
	struct reading r = { .store = store, .source = source };

	if (open_scratch(store, name, &scratch, err) < 0 || tree_builder_new(&b, err) < 0)
		return -1;
	r.scratch = scratch;
	r.b = b;
	int result = read_bracketed(&r, err);
	if (result == 0)
		result = store_put_tree(store, b, ret, err);
	if (result == 0 && r.along != NULL)
		result = import_along_place(r.along, ret, err);
	import_along_free(r.along);
	return result;
}

/** Makes the source a tree of the store. */
static int take_source(struct store *store, const char *name, const struct rootfs_source *source, struct digest *ret, struct err *err)
{
	struct rootfs_image image;

	if (registry_is_image(source->text)) {
		if (source->ref != NULL)
			return err_set(err, ERR_USAGE, 0, "its digest says which image it is: leave the reference name out");
		if (rootfs_fetch(store, source->registry, source->text, source->platform, &image, err) < 0)
			return -1;
		*ret = image.tree;
		return 0;
	}
	if (take_local(store, name, source, ret, err) == 0)
		return 0;
	return err->sys == ENOENT && is_unpinned(source->text)
		? err_set(err, ERR_USAGE, 0, "there is no such layout; and of a registry, an image that is pinned: oci:HOST/REPOSITORY@sha256:…") : -1;
}

int rootfs_import_from(struct store *store, const char *name, const struct rootfs_source *source, struct digest *ret, struct err *err)
{
	struct digest d;
	auto_free char *root = NULL;

	if (!text_is_name(name))
		return err_set(err, ERR_USAGE, 0, "'" SHOWN "' cannot be the name of a rootfs: letters, digits, '.', '_' and '-', a letter or digit first, at most 100", name);
	if (take_source(store, name, source, &d, err) < 0 || rootfs_ensure(store, &d, &root, err) < 0 ||
	    store_set_name(store, name, &d, err) < 0)
		return err_ctx(err, "import '" SHOWN "'", source->text);
	*ret = d;
	return 0;
}

int rootfs_import(struct store *store, const char *name, const char *text, struct digest *ret, struct err *err)
{
	const struct rootfs_source source = { .text = text };

	return rootfs_import_from(store, name, &source, ret, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "attest/attest.h"
#include "cli/registry.h"

/** The tag in index.json of every image.tar that a run makes: with it a pulled one is the same, byte for byte. */
#define IMAGE_TAG "latest"
/** Most attestations that are written beside an image. */
#define BUNDLES_MAX 16

/** Where the image goes, and how. */
struct target {
	const char *path;
	bool is_tar;
	int parent;          /**< an archive: its directory */
	const char *name;    /**< and its name there */
	char tmp[60];        /**< the layout that it is made of, in its directory */
	int dirfd;           /**< the layout */
	bool made;           /**< a directory that was not there before */
	bool ours;           /**< what is in the layout came from us */
};

static bool ends_in_tar(const char *path)
{
	size_t n = strlen(path);

	return n > 4 && strcmp(path + n - 4, ".tar") == 0;
}

static int is_empty(int dirfd, bool *ret, struct err *err)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return err_set(err, ERR_INTERNAL, errno, "list a directory");
	}
	*ret = true;
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			*ret = false;
	return 0;
}

static void remove_content(int dirfd)
{
	struct err ignored = {0};
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (dir == NULL && fd >= 0)
		close(fd);
	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)io_remove_tree(dirfd, e->d_name, &ignored);
}

static int open_layout_dir(struct target *t, struct err *err)
{
	bool empty;

	if (mkdir(t->path, 0777) == 0)
		t->made = true;
	else if (errno != EEXIST)
		return err_set(err, ERR_USAGE, errno, "make '%s'", t->path);
	if (io_open_dir(AT_FDCWD, t->path, &t->dirfd, err) < 0 || is_empty(t->dirfd, &empty, err) < 0)
		return -1;
	t->ours = empty;
	return empty ? 0 : err_set(err, ERR_USAGE, 0, "--output '%s': the directory is not empty", t->path);
}

static int open_target(struct target *t, struct err *err)
{
	char hex[33];
	struct stat st;

	if (!t->is_tar)
		return open_layout_dir(t, err);
	if (io_open_parent(AT_FDCWD, t->path, O_RDONLY | O_DIRECTORY, &t->parent, &t->name, err) < 0)
		return err_ctx(err, "--output");
	if (fstatat(t->parent, t->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(err, ERR_USAGE, 0, "--output '%s' is there already", t->path);
	if (io_random_hex(hex, err) < 0)
		return -1;
	snprintf(t->tmp, sizeof t->tmp, ".glovebox-%s.tmp", hex);
	if (mkdirat(t->parent, t->tmp, 0700) < 0)
		return err_set(err, ERR_USAGE, errno, "make a directory beside '%s'", t->path);
	t->made = true;
	return io_open_dir(t->parent, t->tmp, &t->dirfd, err);
}

/** What came is removed where it is not all there, and what an archive was made of in any case. */
static void close_target(struct target *t, bool failed)
{
	struct err ignored = {0};

	/* A directory that was there, and empty, is so again. */
	if (failed && t->ours && !t->made)
		remove_content(t->dirfd);
	if (t->made && t->is_tar)
		(void)io_remove_tree(t->parent, t->tmp, &ignored);
	else if (t->made && failed)
		(void)io_remove_tree(AT_FDCWD, t->path, &ignored);
	own_fd(&t->dirfd);
	own_fd(&t->parent);
}

/* ---- the archive ---------------------------------------------------------------- */

/** The blobs of a layout, opened. */
struct members {
	struct oci_member v[OCI_LAYERS_MAX + 2];
	size_t n;
};

static void members_clear(struct members *m)
{
	for (size_t i = 0; i < m->n; i++)
		close(m->v[i].fd);
}

static int add_member(int blobs, const char *hex, struct members *m, struct err *err)
{
	struct digest d;
	struct stat st;

	if (!digest_parse_hex(hex, &d) || m->n == ARRAY_LEN(m->v))
		return 0;
	int fd = openat(blobs, hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "open a blob");
	m->v[m->n++] = (struct oci_member){ d, 0, fd };
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_INTERNAL, errno, "stat a blob");
	m->v[m->n - 1].size = (uint64_t)st.st_size;
	return 0;
}

static int open_members(int dirfd, struct members *m, struct err *err)
{
	int blobs = -1;
	struct dirent *e;

	if (io_open_dir(dirfd, "blobs/sha256", &blobs, err) < 0)
		return -1;
	auto_dir dir = fdopendir(blobs);
	if (dir == NULL) {
		close(blobs);
		return err_set(err, ERR_INTERNAL, errno, "list the blobs");
	}
	while ((e = readdir(dir)) != NULL)
		if (add_member(blobs, e->d_name, m, err) < 0)
			return -1;
	return 0;
}

/** The architecture that the layout's index tells. */
static int read_index(int dirfd, json_t **ret, const char **ret_architecture, struct err *err)
{
	auto_buf text = {0};

	if (io_read_file(dirfd, "index.json", OCI_JSON_MAX, &text, err) < 0 ||
	    json_parse(text.data, text.len, "index.json", ERR_INTERNAL, ret, err) < 0)
		return -1;
	*ret_architecture = json_str(json_object_get(json_array_get(json_object_get(*ret, "manifests"), 0), "platform"), "architecture");
	return 0;
}

static int write_tar(struct target *t, const struct registry_image *image, struct err *err)
{
	__attribute__((cleanup(members_clear))) struct members m = { .n = 0 };
	auto_json index = NULL;
	const char *architecture;
	auto_fd fd = openat(t->dirfd, "image.tar", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "make the archive");
	if (open_members(t->dirfd, &m, err) < 0 || read_index(t->dirfd, &index, &architecture, err) < 0)
		return -1;
	const struct oci_name name = { image->media_type, image->manifest, image->manifest_size, architecture, IMAGE_TAG };
	if (oci_image_wrap(fd, &name, m.v, m.n, err) < 0)
		return -1;
	if (fsync(fd) < 0 || renameat2(t->dirfd, "image.tar", t->parent, t->name, RENAME_NOREPLACE) < 0)
		return err_set(err, ERR_INTERNAL, errno, "write '%s'", t->path);
	return 0;
}

/* ---- attestations ------------------------------------------------------------------ */

/** Bundles on their way into the layout. */
struct bundles {
	int dirfd;
	const struct digest *image;
	size_t n;
};

#define BUNDLE_NAME_SIZE 64
static void bundle_name(size_t i, char name[BUNDLE_NAME_SIZE])
{
	if (i == 0)
		snprintf(name, BUNDLE_NAME_SIZE, "provenance.sigstore.json");
	else
		snprintf(name, BUNDLE_NAME_SIZE, "provenance-%zu.sigstore.json", i + 1);
}

/** Moves them from the layout to where the archive is. */
static int move_bundles(const struct target *t, size_t n, struct err *err)
{
	char name[BUNDLE_NAME_SIZE];

	for (size_t i = 0; i < n; i++) {
		bundle_name(i, name);
		if (renameat2(t->dirfd, name, t->parent, name, RENAME_NOREPLACE) < 0)
			return err_set(err, ERR_USAGE, errno, "write '%s' beside '%s'", name, t->path);
	}
	return 0;
}

static int take_bundle(void *arg, const struct buf *content, const json_t *annotations, struct err *err)
{
	struct bundles *b = arg;
	auto_free char *type = NULL;
	char name[BUNDLE_NAME_SIZE];

	(void)annotations;
	/* What its own statement says counts, not what the registry says of it. */
	if (attest_peek(content->data, content->len, b->image, &type, err) < 0) {
		err->kind = ERR_INPUT;
		return err_ctx(err, "an attestation in the registry");
	}
	if (strcmp(type, ATTEST_PROVENANCE_TYPE) != 0 || b->n == BUNDLES_MAX)
		return 0;
	bundle_name(b->n++, name);
	return io_publish(b->dirfd, name, content->data, content->len, 0644, IO_EXCL, err);
}

static int fetch_bundles(const struct cli_registry *registry, const struct registry_ref *ref, struct bundles *b, struct err *err)
{
	if (registry_referrers(&registry->conf, ref, b->image, ATTEST_BUNDLE_TYPE, ATTEST_BUNDLE_MAX, take_bundle, b, err) < 0)
		return -1;
	return b->n > 0 ? 0 : err_set(err, ERR_INPUT, 0, "--attestations: the registry has no provenance of this image");
}

/* ---- the command -------------------------------------------------------------------- */

static int print_pulled(const struct args *args, const struct registry_ref *ref, const struct registry_image *image, size_t nbundles,
			struct err *err)
{
	char manifest[DIGEST_STR_SIZE], named[DIGEST_STR_SIZE];

	digest_str(&image->manifest, manifest);
	digest_str(&image->named, named);
	if (args_has(args, "json")) {
		auto_json j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "image", manifest, "named", named, "mediaType", image->media_type,
					"host", ref->host, "repository", ref->path, "attestations", (json_int_t)nbundles);

		return j == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "print JSON") : cli_print_json(j, err);
	}
	printf("image   %s\n", manifest);
	if (!digest_eq(&image->manifest, &image->named))
		printf("index   %s\n", named);
	if (nbundles > 0)
		printf("with    %zu attestation%s\n", nbundles, nbundles == 1 ? "" : "s");
	return 0;
}

static int pull(const struct args *args, const struct registry_ref *ref, struct target *t, struct err *err)
{
	auto_cli_registry registry = {0};
	struct registry_image image;
	auto_fd cancel = cli_catch_signals(err);

	if (cancel < 0 || cli_registry_open(args, cancel, NULL, &registry, err) < 0 || open_target(t, err) < 0)
		return -1;
	struct bundles b = { .dirfd = t->dirfd, .image = &image.manifest };
	if (registry_pull(&registry.conf, ref, args_get(args, "platform"), t->dirfd, IMAGE_TAG, &image, err) < 0 ||
	    (args_has(args, "attestations") && fetch_bundles(&registry, ref, &b, err) < 0) ||
	    (t->is_tar && (move_bundles(t, b.n, err) < 0 || write_tar(t, &image, err) < 0)))
		return -1;
	return print_pulled(args, ref, &image, b.n, err);
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	auto_registry_ref ref = {0};
	struct target t = { .path = args_get(args, "output"), .parent = -1, .dirfd = -1 };

	(void)ret_code;
	if (t.path == NULL || t.path[0] == '\0')
		return err_set(err, ERR_USAGE, 0, "image pull: where to? give -o IMAGE.tar or -o DIR");
	if (registry_ref_parse(args->positional[0], &ref, err) < 0)
		return -1;
	t.is_tar = ends_in_tar(t.path);
	int result = pull(args, &ref, &t, err);
	close_target(&t, result < 0);
	return result;
}

static const struct opt_def opts[] = {
	{ "output", "FILE_OR_DIR", "an archive where the name ends in .tar, else an OCI image layout", false, 'o' },
	{ "platform", "OS/ARCH", "which image of several (default: linux on this machine's architecture)" },
	{ "attestations", NULL, "write the provenance beside it" },
	OPT_REGISTRY_MAP, OPT_INSECURE_REGISTRY, OPT_JSON, OPT_HELP, OPT_END,
};

const struct command cmd_image_pull = {
	"image pull", "REPOSITORY[:TAG][@sha256:…] --output IMAGE.tar|DIR [OPTION]…", "bring an image from a registry", opts, NULL, 1, 1,
	false, run,
};

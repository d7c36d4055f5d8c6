/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/base.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

void base_clear(struct base_image *base)
{
	oci_base_clear(&base->image);
	buf_free(&base->manifest);
	*base = (struct base_image){0};
}

bool base_is_image(const char *ref)
{
	return text_starts(ref, "oci:");
}

/** Takes "oci:PATH@sha256:…" apart. @p ret_path: owned by the caller. */
static int parse_ref(const char *ref, char **ret_path, struct digest *ret_digest, struct err *err)
{
	const char *path = ref + strlen("oci:"), *at = strrchr(ref, '@');

	if (!base_is_image(ref) || at == NULL || at <= path || !digest_parse(at + 1, ret_digest))
		return err_set(err, ERR_USAGE, 0, "base '%s': write it as oci:PATH@sha256:DIGEST, with the digest of the image's manifest", ref);
	if (path[0] != '/' && path[0] != '.')
		return err_set(err, ERR_USAGE, 0, "base '%s': a path begins with '/' or '.'", ref);
	*ret_path = strndup(path, (size_t)(at - path));
	return *ret_path == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "base") : 0;
}

/** O_NONBLOCK: a FIFO would be waited for; layouts that are neither file nor directory are refused later. */
static int open_layout(int dirfd, bool beneath, const char *path, int *ret, struct err *err)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_NO_MAGICLINKS | (beneath && path[0] != '/' ? RESOLVE_BENEATH : 0),
	};
	int fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);

	if (fd < 0 && errno == EXDEV)
		return err_set(err, ERR_USAGE, 0, "'%s' leads out of the spec's directory; if that is meant, give it as an absolute path", path);
	if (fd < 0)
		return err_set(err, ERR_INPUT, errno, "open '%s'", path);
	*ret = fd;
	return 0;
}

/** Where a document's bytes go: the store and a buffer. */
struct sink {
	struct store_writer *writer;
	struct buf *text;             /* NULL: only the store */
};

static int sink_write(void *arg, const void *data, size_t n, struct err *err)
{
	struct sink *s = arg;

	if (s->text != NULL)
		buf_add(s->text, data, n);
	return store_writer_add(s->writer, data, n, err);
}

/** Copies one blob into the store, and into @p text unless that is NULL. */
static int take_blob(struct store *store, struct oci_layout *layout, const struct digest *d, uint64_t max, struct buf *text,
		     struct err *err)
{
	auto_store_writer writer = NULL;
	struct sink sink = { .text = text };
	struct digest stored;

	if (store_writer_begin(store, &writer, err) < 0)
		return -1;
	sink.writer = writer;
	if (oci_layout_blob(layout, d, max, sink_write, &sink, err) < 0 || store_writer_end(writer, &stored, NULL, err) < 0)
		return -1;
	return text == NULL ? 0 : buf_check(text, "base image", err);
}

static int check_machine(const struct oci_base *image, struct err *err)
{
	const char *theirs = json_str(image->config, "architecture");

	if (strcmp(theirs, oci_architecture()) == 0)
		return 0;
	return err_set(err, ERR_USAGE, 0, "it is an image for %s, and this machine builds for %s", theirs, oci_architecture());
}

static int take_image(struct store *store, struct oci_layout *layout, const struct digest *d, struct base_image *b, struct err *err)
{
	auto_buf config = {0};

	if (take_blob(store, layout, d, OCI_JSON_MAX, &b->manifest, err) < 0 ||
	    oci_base_manifest(b->manifest.data, b->manifest.len, &b->image, err) < 0 ||
	    take_blob(store, layout, &b->image.config_digest, OCI_JSON_MAX, &config, err) < 0 ||
	    oci_base_config(&b->image, config.data, config.len, err) < 0 || check_machine(&b->image, err) < 0)
		return -1;
	for (size_t i = 0; i < b->image.nlayers; i++)
		if (take_blob(store, layout, &b->image.layers[i].digest, b->image.layers[i].size, NULL, err) < 0)
			return -1;
	b->any = true;
	return 0;
}

int base_import(struct store *store, int dirfd, bool beneath, const char *ref, struct base_image *ret, struct err *err)
{
	auto_free char *path = NULL;
	auto_fd fd = -1;
	auto_oci_layout layout = NULL;
	auto_base b = {0};
	struct digest d;

	if (parse_ref(ref, &path, &d, err) < 0)
		return -1;
	if (open_layout(dirfd, beneath, path, &fd, err) < 0 || oci_layout_open(fd, &layout, err) < 0 ||
	    take_image(store, layout, &d, &b, err) < 0)
		return err_ctx(err, "base '%s'", ref);
	*ret = b;
	b = (struct base_image){0};
	return 0;
}

/** Reads a small object whole. */
static int read_object(struct store *store, const struct digest *d, struct buf *text, struct err *err)
{
	auto_fd fd = -1;

	if (store_open_object(store, d, &fd, err) < 0)
		return -1;
	return io_read_all(fd, OCI_JSON_MAX, text, err);
}

static int require_layers(struct store *store, const struct oci_base *image, struct err *err)
{
	for (size_t i = 0; i < image->nlayers; i++) {
		auto_fd fd = -1;

		if (store_open_object(store, &image->layers[i].digest, &fd, err) < 0)
			return -1;
	}
	return 0;
}

static int load(struct store *store, const struct digest *d, struct base_image *b, struct err *err)
{
	auto_buf config = {0};

	if (read_object(store, d, &b->manifest, err) < 0 ||
	    oci_base_manifest(b->manifest.data, b->manifest.len, &b->image, err) < 0)
		return -1;
	if (!digest_eq(&b->image.manifest_digest, d))
		return err_set(err, ERR_INPUT, 0, "the manifest kept in the store is damaged; plan the spec again where the image is");
	if (read_object(store, &b->image.config_digest, &config, err) < 0 ||
	    oci_base_config(&b->image, config.data, config.len, err) < 0 || check_machine(&b->image, err) < 0)
		return -1;
	b->any = true;
	return require_layers(store, &b->image, err);
}

/** The digest of the image's manifest, as far as is known here: an index may be named in its place. */
static int find_manifest(struct store *store, const char *ref, struct digest *ret, struct err *err)
{
	auto_registry_ref parsed = {0};
	auto_free char *path = NULL;

	if (!registry_is_image(ref))
		return parse_ref(ref, &path, ret, err);
	if (registry_image_parse(ref, &parsed, err) < 0)
		return -1;
	if (!registry_recall(store, REGISTRY_MANIFEST, &parsed.digest, NULL, ret))
		*ret = parsed.digest;
	return 0;
}

int base_load_manifest(struct store *store, const char *ref, const struct digest *manifest, struct base_image *ret, struct err *err)
{
	auto_base b = {0};

	if (load(store, manifest, &b, err) < 0)
		return err_ctx(err, "base '%s'", ref);
	*ret = b;
	b = (struct base_image){0};
	return 0;
}

int base_load(struct store *store, const char *ref, struct base_image *ret, struct err *err)
{
	struct digest d;

	return find_manifest(store, ref, &d, err) < 0 ? -1 : base_load_manifest(store, ref, &d, ret, err);
}

static int fetch(struct store *store, const struct registry_conf *registry, const char *ref, struct base_image *b, struct err *err)
{
	auto_registry_fetched came = REGISTRY_FETCHED_NONE;
	auto_oci_layout layout = NULL;

	if (registry_fetch(store, registry, ref, NULL, &came, err) < 0 || oci_layout_open(came.layout, &layout, err) < 0 ||
	    take_image(store, layout, &came.image.manifest, b, err) < 0)
		return -1;
	return registry_remember(store, REGISTRY_MANIFEST, &came.image.named, NULL, &came.image.manifest, err);
}

int base_fetch(struct store *store, const struct registry_conf *registry, const char *ref, struct base_image *ret, struct err *err)
{
	struct err missing = {0};
	auto_base b = {0};

	if (base_load(store, ref, ret, &missing) == 0)
		return 0;
	if (missing.kind != ERR_INPUT) {
		*err = missing;
		return -1;
	}
	if (fetch(store, registry, ref, &b, err) < 0)
		return err_ctx(err, "base '%s'", ref);
	*ret = b;
	b = (struct base_image){0};
	return 0;
}

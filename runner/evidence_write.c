/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/evidence_file.h"

/** Most blobs, so that a reader takes it (OCI_MEMBERS_MAX). */
#define BLOBS_MAX 4000

/** An evidence file in the making. */
struct making {
	const struct evidence_parts *parts;
	struct store_scratch *scratch;
	struct oci_member blobs[BLOBS_MAX];
	int owned[BLOBS_MAX];       /**< descriptors to close; -1: none */
	size_t n;
	json_t *layers;             /**< of the artifact */
	size_t texts;               /**< scratch files so far */
};

static void making_free(struct making *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->n; i++)
		own_fd(&m->owned[i]);
	json_decref(m->layers);
	store_scratch_close(m->scratch);
	free(m);
}
OWN_DEFINE(making, struct making *, NULL, making_free)

/** Adds a blob; takes @p owned over, also on failure. */
static int add_blob(struct making *m, const struct oci_member *blob, int owned, struct err *err)
{
	if (m->n == BLOBS_MAX) {
		own_fd(&owned);
		return err_set(err, ERR_INPUT, 0, "write evidence: more than %d blobs", BLOBS_MAX);
	}
	m->blobs[m->n] = *blob;
	m->owned[m->n++] = owned;
	return 0;
}

/** Names the blob added last as a layer of the artifact. */
static int name_blob(struct making *m, const char *media, const char *title, const struct digest *tree, struct err *err)
{
	const struct oci_member *b = &m->blobs[m->n - 1];
	char digest[DIGEST_STR_SIZE], text[DIGEST_STR_SIZE];
	json_t *layer = json_pack("{s:s, s:s, s:I, s:{s:s, s:s*}}", "mediaType", media, "digest", digest_str(&b->digest, digest), "size",
				  (json_int_t)b->size, "annotations", EVIDENCE_TITLE, title, EVIDENCE_TREE,
				  tree == NULL ? NULL : digest_str(tree, text));

	if (json_array_append_new(m->layers, layer) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write evidence");
	return 0;
}

/** Adds a text as a blob. */
static int add_bytes(struct making *m, const void *data, size_t n, struct err *err)
{
	struct oci_member blob = { .size = n };
	char name[32];

	snprintf(name, sizeof name, "text.%zu", m->texts++);
	auto_fd fd = openat(store_scratch_fd(m->scratch), name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "make scratch file '%s'", name);
	if (io_write_all(fd, data, n, err) < 0 || hash_bytes(data, n, &blob.digest, err) < 0)
		return -1;
	blob.fd = fd;
	return add_blob(m, &blob, move_fd(&fd), err);
}

static int add_text(struct making *m, const void *data, size_t n, const char *media, const char *title, struct err *err)
{
	return add_bytes(m, data == NULL ? "" : data, n, err) < 0 ? -1 : name_blob(m, media, title, NULL, err);
}

/** Adds a file of the store's; takes @p fd over, also on failure. */
static int add_file(struct making *m, int fd, const struct digest *d, const char *media, const char *title, struct err *err)
{
	struct oci_member blob = { .digest = *d, .fd = fd };
	auto_fd owned = fd;
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0)
		return err_set(err, ERR_INTERNAL, errno, "write evidence: '%s'", title);
	blob.size = (uint64_t)size;
	return add_blob(m, &blob, move_fd(&owned), err) < 0 ? -1 : name_blob(m, media, title, NULL, err);
}

/** Adds an object of the store. */
static int add_object(struct making *m, const struct digest *d, const char *media, const char *title, struct err *err)
{
	int fd;

	return store_open_object(m->parts->store, d, &fd, err) < 0 ? -1 : add_file(m, fd, d, media, title, err);
}

static int add_tree_manifest(struct making *m, const struct manifest *one, struct err *err)
{
	int fd;

	return store_open_tree(m->parts->store, &one->tree, &fd, err) < 0
		? -1 : add_file(m, fd, &one->tree, ATTEST_TREE_MEDIA_TYPE, one->name, err);
}

/** Adds a tree as a layer of its own. */
static int add_tree(struct making *m, const struct digest *tree, const char *title, struct err *err)
{
	static const char *const media[] = {
		[OCI_GZIP] = "application/vnd.oci.image.layer.v1.tar+gzip", [OCI_ZSTD] = "application/vnd.oci.image.layer.v1.tar+zstd",
		[OCI_NONE] = "application/vnd.oci.image.layer.v1.tar",
	};
	const struct pack_layer layers[] = { { .tree = *tree, .to = "/", .keep_ids = true, .mode = -1 } };
	struct packing p = {
		.store = m->parts->store, .cancel_fd = m->parts->cancel_fd, .codec = image_codec(m->parts->plan), .layers = layers, .nlayers = 1,
	};
	struct oci_layer_file file;
	char dir[32];

	/* Layers of one name each: a directory for each. */
	snprintf(dir, sizeof dir, "tree.%zu", m->texts++);
	if (mkdirat(store_scratch_fd(m->scratch), dir, 0700) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make scratch directory '%s'", dir);
	auto_fd at = openat(store_scratch_fd(m->scratch), dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return err_set(err, ERR_INTERNAL, errno, "open scratch directory '%s'", dir);
	p.scratch_fd = at;
	if (pack_layer(&p, 0, &file, err) < 0)
		return err_ctx(err, "write evidence: %s", title);
	const struct oci_member blob = { .digest = file.blob.digest, .size = file.blob.size, .fd = file.fd };
	return add_blob(m, &blob, file.fd, err) < 0 ? -1 : name_blob(m, media[p.codec], title, tree, err);
}

/* ---- the inputs ----------------------------------------------------------------------- */

static int add_source(struct making *m, size_t i, struct err *err)
{
	const struct plan_source *s = &m->parts->plan->sources[i];
	auto_buf title = {0};

	buf_addf(&title, "source/%s", s->name);
	if (buf_check(&title, "title", err) < 0)
		return -1;
	if (m->parts->plan->spec->sources[i].url != NULL)
		return add_object(m, &s->file, "application/octet-stream", title.data, err);
	return add_tree(m, &s->tree, title.data, err);
}

/** Spec, lock, included files, profile. */
static int add_texts(struct making *m, struct err *err)
{
	const struct plan *plan = m->parts->plan;

	if (add_text(m, plan->text.data, plan->text.len, "application/yaml", "spec", err) < 0 ||
	    add_text(m, plan->profile.source, plan->profile.source_len, "application/yaml", "profile", err) < 0 ||
	    (plan->lock_text.len > 0 &&
	     add_text(m, plan->lock_text.data, plan->lock_text.len, "application/yaml", SPEC_LOCK_NAME, err) < 0))
		return -1;
	for (size_t i = 0; i < plan->spec->nincludes; i++)
		if (add_text(m, plan->spec->includes[i].text.data, plan->spec->includes[i].text.len, "application/yaml", "include", err) < 0)
			return -1;
	return 0;
}

/** What an image below ours is besides its layers, which ours has. */
static int add_base(struct making *m, struct err *err)
{
	const struct base_image *base = &m->parts->plan->base;

	if (!base->any)
		return 0;
	return add_object(m, &base->image.manifest_digest, "application/vnd.oci.image.manifest.v1+json", "base/manifest", err) < 0 ||
	       add_object(m, &base->image.config_digest, "application/vnd.oci.image.config.v1+json", "base/config", err) < 0 ? -1 : 0;
}

/** Adds the bundle, or the statement where nobody signed. */
static int add_attestation(struct making *m, const struct buf *statement, const char *name, const struct buf *bundle, const char *bundle_name,
			   struct err *err)
{
	if (bundle->len > 0)
		return add_text(m, bundle->data, bundle->len, ATTEST_BUNDLE_TYPE, bundle_name, err);
	return add_text(m, statement->data, statement->len, ATTEST_PAYLOAD_TYPE, name, err);
}

static int add_inputs(struct making *m, struct err *err)
{
	const struct plan *plan = m->parts->plan;
	const struct buf *bundle = m->parts->bundle, *statement = m->parts->statement, *tests = m->parts->tests_statement;

	if (add_attestation(m, statement, EVIDENCE_STATEMENT, bundle, EVIDENCE_BUNDLE, err) < 0 ||
	    (tests->len > 0 && add_attestation(m, tests, EVIDENCE_TESTS_STATEMENT, m->parts->tests_bundle, EVIDENCE_TESTS_BUNDLE, err) < 0) ||
	    add_texts(m, err) < 0 || add_tree(m, &plan->rootfs, "rootfs", err) < 0)
		return -1;
	for (size_t i = 0; i < plan->spec->nsources; i++)
		if (add_source(m, i, err) < 0)
			return -1;
	for (size_t i = 0; i < m->parts->manifests->n; i++)
		if (add_tree_manifest(m, &m->parts->manifests->v[i], err) < 0)
			return -1;
	return add_base(m, err);
}

/* ---- image and documents --------------------------------------------------------------- */

static int add_image_blob(struct making *m, const struct digest *d, struct err *err)
{
	struct oci_member blob = { .digest = *d, .fd = m->parts->image_fd };

	return oci_image_find(m->parts->image_fd, d, &blob.offset, &blob.size, err) < 0 ? -1 : add_blob(m, &blob, -1, err);
}

/** The image's blobs, and the entry of its index. */
static int add_image(struct making *m, json_t **ret_entry, struct err *err)
{
	auto_oci_image image = {0};
	auto_oci_archive archive = NULL;
	auto_json index = NULL;
	auto_buf text = {0};

	if (oci_image_read_on(m->parts->image_fd, false, m->parts->plan->base.any ? &m->parts->plan->base.image : NULL, &image, err) < 0 ||
	    oci_archive_open(m->parts->image_fd, &archive, err) < 0 || oci_archive_index(archive, &text, err) < 0 ||
	    json_parse(text.data, text.len, "index.json", ERR_INTERNAL, &index, err) < 0 ||
	    add_image_blob(m, &image.manifest_digest, err) < 0 || add_image_blob(m, &image.config_digest, err) < 0)
		return -1;
	for (size_t i = 0; i < image.nlayers; i++)
		if (add_image_blob(m, &image.layers[i].digest, err) < 0)
			return -1;
	*ret_entry = json_incref(json_array_get(json_object_get(index, "manifests"), 0));
	return 0;
}

/** What refers to a blob: "{}" is the config of artifacts that have none. */
static json_t *descriptor(const char *media, const struct oci_member *b)
{
	char digest[DIGEST_STR_SIZE];

	return json_pack("{s:s, s:s, s:I}", "mediaType", media, "digest", digest_str(&b->digest, digest), "size", (json_int_t)b->size);
}

/** The artifact's manifest, which refers to the image. */
static int add_manifest(struct making *m, const json_t *image, json_t **ret, struct err *err)
{
	static const char manifest_type[] = "application/vnd.oci.image.manifest.v1+json";
	auto_buf text = {0};

	if (add_bytes(m, "{}", 2, err) < 0)
		return -1;
	auto_json j = json_pack("{s:i, s:s, s:s, s:o, s:O, s:{s:O, s:O, s:O}}", "schemaVersion", 2, "mediaType", manifest_type, "artifactType",
				EVIDENCE_TYPE, "config", descriptor("application/vnd.oci.empty.v1+json", &m->blobs[m->n - 1]), "layers", m->layers,
				"subject", "mediaType", json_object_get(image, "mediaType"), "digest", json_object_get(image, "digest"), "size",
				json_object_get(image, "size"));
	if (j == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write evidence");
	if (json_canonical(j, &text, err) < 0 || add_bytes(m, text.data, text.len, err) < 0)
		return -1;
	*ret = descriptor(manifest_type, &m->blobs[m->n - 1]);
	if (json_object_set_new(*ret, "artifactType", json_string(EVIDENCE_TYPE)) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write evidence");
	return 0;
}

static int write_all(struct making *m, int out_fd, struct err *err)
{
	auto_json image = NULL;
	auto_json artifact = NULL;
	auto_buf text = {0};

	if (store_scratch_open(m->parts->store, &m->scratch, err) < 0 || add_image(m, &image, err) < 0 || add_inputs(m, err) < 0 ||
	    add_manifest(m, image, &artifact, err) < 0)
		return -1;
	/* The artifact first: what begins so is evidence, and not an image.tar. */
	auto_json index = json_pack("{s:i, s:s, s:[O, O]}", "schemaVersion", 2, "mediaType", "application/vnd.oci.image.index.v1+json",
				    "manifests", artifact, image);
	if (index == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write evidence");
	return json_canonical(index, &text, err) < 0 ? -1 : oci_archive_write(out_fd, &text, m->blobs, m->n, err);
}

int evidence_file_write(const struct evidence_parts *parts, int out_fd, struct err *err)
{
	auto_own(making) struct making *m = calloc(1, sizeof *m);

	if (m == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write evidence");
	m->parts = parts;
	m->layers = json_array();
	return m->layers == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "write evidence") : write_all(m, out_fd, err);
}

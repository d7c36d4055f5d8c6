/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/evidence_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "oci/oci.h"
#include "rootfs/rootfs.h"
#include "runner/inputs.h"

/** How far into the file its index tells what it is: two tar headers, the layout's text, and where the first entry of the index ends. */
#define LOOK 4096
/** Most layers of the artifact. */
#define LAYERS_MAX 4000

void evidence_file_close(struct evidence_file *f)
{
	oci_archive_free(f->archive);
	json_decref(f->index);
	json_decref(f->manifest);
	*f = (struct evidence_file){0};
}

bool evidence_file_is(int fd)
{
	char head[LOOK];
	ssize_t n = pread(fd, head, sizeof head, 0);

	return n > 0 && memmem(head, (size_t)n, "\"artifactType\":\"" EVIDENCE_TYPE "\"", sizeof "\"artifactType\":\"" EVIDENCE_TYPE) != NULL;
}

static int no_form(struct err *err, const char *what)
{
	return err_set(err, ERR_UNVERIFIED, 0, "the evidence has not the form that glovebox writes: %s", what);
}

/** The digest of a descriptor. */
static bool digest_of(const json_t *descriptor, struct digest *ret)
{
	const char *text = json_str(descriptor, "digest");

	return text != NULL && digest_parse(text, ret);
}

static int read_json(const struct oci_archive *archive, const json_t *descriptor, json_t **ret, struct err *err)
{
	auto_buf text = {0};
	struct digest d;

	if (!digest_of(descriptor, &d))
		return no_form(err, "a descriptor without a digest");
	if (oci_archive_text(archive, &d, OCI_JSON_MAX, &text, err) < 0)
		return -1;
	return json_parse_apart(text.data, text.len, "evidence", ERR_UNVERIFIED, ret, err);
}

static const json_t *image_of(const struct evidence_file *f)
{
	return json_array_get(json_object_get(f->index, "manifests"), 1);
}

static const json_t *layers_of(const struct evidence_file *f)
{
	return json_object_get(f->manifest, "layers");
}

static const char *title_of(const json_t *layer)
{
	return json_str(json_object_get(layer, "annotations"), EVIDENCE_TITLE);
}

static int read_documents(struct evidence_file *f, struct err *err)
{
	auto_buf text = {0};
	struct digest d;

	if (oci_archive_index(f->archive, &text, err) < 0 || json_parse_apart(text.data, text.len, "index.json", ERR_UNVERIFIED, &f->index, err) < 0)
		return -1;
	const json_t *manifests = json_object_get(f->index, "manifests"), *artifact = json_array_get(manifests, 0);
	const char *type = json_str(artifact, "artifactType");
	if (json_array_size(manifests) != 2 || type == NULL || strcmp(type, EVIDENCE_TYPE) != 0 || !digest_of(image_of(f), &d))
		return no_form(err, "its index names something else than the evidence and its image");
	if (read_json(f->archive, artifact, &f->manifest, err) < 0)
		return -1;
	if (!json_is_array(layers_of(f)) || json_array_size(layers_of(f)) > LAYERS_MAX)
		return no_form(err, "no list of layers");
	return 0;
}

int evidence_file_open(int fd, struct evidence_file *ret, struct err *err)
{
	auto_evidence_file f = {0};

	if (oci_archive_open(fd, &f.archive, err) < 0 || read_documents(&f, err) < 0)
		return -1;
	*ret = f;
	f = (struct evidence_file){0};
	return 0;
}

int evidence_file_attestation(const struct evidence_file *f, const char *want, struct buf *out, struct err *err)
{
	const json_t *layer;
	struct digest d;
	size_t i;

	json_array_foreach(layers_of(f), i, layer) {
		const char *title = title_of(layer);

		if (title != NULL && strcmp(title, want) == 0 && digest_of(layer, &d))
			return oci_archive_text(f->archive, &d, ATTEST_BUNDLE_MAX, out, err);
	}
	return err_set(err, ERR_UNVERIFIED, ENOENT, "the evidence has no %s", want);
}

/* ---- the image ------------------------------------------------------------------------- */

/** Finds all blobs of the image: its manifest, and what that names. */
static int find_blobs(const struct evidence_file *f, const json_t *manifest, struct oci_member *blobs, size_t n, struct err *err)
{
	const json_t *layers = json_object_get(manifest, "layers");

	for (size_t i = 0; i < n; i++) {
		const json_t *descriptor = i == 0 ? image_of(f) : i == 1 ? json_object_get(manifest, "config") : json_array_get(layers, i - 2);
		struct digest d;

		if (!digest_of(descriptor, &d))
			return no_form(err, "the image's manifest has a descriptor without a digest");
		/* A blob is hashed once, however often it is named: nobody has vouched for this manifest yet. */
		size_t same = 0;
		while (same < i && !digest_eq(&blobs[same].digest, &d))
			same++;
		if (same < i)
			blobs[i] = blobs[same];
		else if (oci_archive_find(f->archive, &d, &blobs[i], err) < 0)
			return -1;
	}
	return 0;
}

int evidence_file_image(const struct evidence_file *f, int out_fd, struct err *err)
{
	const json_t *entry = image_of(f);
	auto_json manifest = NULL;
	auto_buf index = {0};

	if (read_json(f->archive, entry, &manifest, err) < 0)
		return -1;
	size_t n = 2 + json_array_size(json_object_get(manifest, "layers"));
	auto_free struct oci_member *blobs = n > 2 + OCI_LAYERS_MAX ? NULL : calloc(n, sizeof *blobs);
	if (blobs == NULL)
		return no_form(err, "an image of too many layers");
	if (find_blobs(f, manifest, blobs, n, err) < 0)
		return -1;
	/* The entry is the image's own: its bytes, with the tag, are a part of image.tar, whose SHA-256 was signed. */
	auto_json j = json_pack("{s:i, s:s, s:[O]}", "schemaVersion", 2, "mediaType", "application/vnd.oci.image.index.v1+json", "manifests",
				entry);
	if (j == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read the evidence");
	return json_canonical(j, &index, err) < 0 ? -1 : oci_archive_write(out_fd, &index, blobs, n, err);
}

/** Whether a layer before the @p n-th has that title. */
static bool is_titled(const struct evidence_file *f, size_t n, const char *title)
{
	for (size_t i = 0; i < n; i++) {
		const char *other = title_of(json_array_get(layers_of(f), i));

		if (other != NULL && strcmp(other, title) == 0)
			return true;
	}
	return false;
}

/** Manifests are there to be read by people: each is the one that the statement names under its title. */
static int check_manifests(const struct evidence_file *f, const json_t *statement, struct err *err)
{
	const json_t *layer;
	size_t i;

	json_array_foreach(layers_of(f), i, layer) {
		const char *title = title_of(layer);
		struct digest have, want;
		struct oci_member m;

		if (title == NULL || !text_starts(title, MANIFESTS_DIR))
			continue;
		if (!digest_of(layer, &have) || !attest_byproduct(statement, title, &want) || !digest_eq(&have, &want))
			return err_set(err, ERR_UNVERIFIED, 0, "the evidence's '%.100s' is not what the provenance names so", title);
		/* Nobody has vouched for this list: what is read of it must not grow with how often it names a thing. */
		if (is_titled(f, i, title))
			return err_set(err, ERR_UNVERIFIED, 0, "the evidence has '%.100s' twice", title);
		if (oci_archive_find(f->archive, &have, &m, err) < 0)
			return err_ctx(err, "the evidence's '%.100s'", title);
	}
	return 0;
}

/* ---- the inputs ------------------------------------------------------------------------ */

/** An input that is looked for. */
struct wanted {
	const struct evidence_file *f;
	struct store *store;        /**< or NULL */
	const char *name;
	struct digest digest;
};

/** The layer that says it is the tree, or NULL. */
static const json_t *find_tree(const struct evidence_file *f, const struct digest *tree)
{
	const json_t *layer;
	struct digest d;
	size_t i;

	json_array_foreach(layers_of(f), i, layer) {
		const char *text = json_str(json_object_get(layer, "annotations"), EVIDENCE_TREE);

		if (text != NULL && digest_parse(text, &d) && digest_eq(&d, tree))
			return layer;
	}
	return NULL;
}

/** Unpacks a tree: only that shows that it is the one. */
static int take_tree(const struct wanted *w, const json_t *layer, struct err *err)
{
	char text[DIGEST_STR_SIZE];
	struct oci_member m;
	struct digest d, tree;

	if (!digest_of(layer, &d))
		return no_form(err, "a layer without a digest");
	if (oci_archive_find(w->f->archive, &d, &m, err) < 0)
		return -1;
	if (rootfs_unpack_tree(w->store, m.fd, m.offset, m.size, &tree, err) < 0) {
		if (err->kind == ERR_INPUT)
			err->kind = ERR_UNVERIFIED;
		return -1;
	}
	if (digest_eq(&tree, &w->digest))
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "its files are the tree %s", digest_str(&tree, text));
}

/** Copies a blob into the store. */
static int store_blob(struct store *store, const struct oci_member *m, struct err *err)
{
	auto_store_writer writer = NULL;
	char chunk[64 << 10];
	struct digest d;

	if (store_writer_begin(store, &writer, err) < 0)
		return -1;
	store_writer_expect(writer, &m->digest, m->size);
	for (uint64_t at = 0; at < m->size; ) {
		size_t want = m->size - at < sizeof chunk ? (size_t)(m->size - at) : sizeof chunk;
		ssize_t n = pread(m->fd, chunk, want, (off_t)(m->offset + at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, ERR_INTERNAL, n < 0 ? errno : 0, "read the evidence");
		if (store_writer_add(writer, chunk, (size_t)n, err) < 0)
			return -1;
		at += (uint64_t)n;
	}
	return store_writer_end(writer, &d, NULL, err);
}

static int take_blob(const struct wanted *w, const struct digest *d, struct err *err)
{
	struct oci_member m;

	if (oci_archive_find(w->f->archive, d, &m, err) < 0)
		return -1;
	return w->store == NULL ? 0 : store_blob(w->store, &m, err);
}

/** What the manifest of an image below ours names. */
static int take_base(const struct wanted *w, struct err *err)
{
	auto_oci_base base = {0};
	auto_buf text = {0};

	if (oci_archive_text(w->f->archive, &w->digest, OCI_JSON_MAX, &text, err) < 0)
		return -1;
	if (oci_base_manifest(text.data, text.len, &base, err) < 0) {
		err->kind = err->kind == ERR_INPUT ? ERR_UNVERIFIED : err->kind;
		return -1;
	}
	if (take_blob(w, &base.config_digest, err) < 0)
		return -1;
	for (size_t i = 0; i < base.nlayers; i++)
		if (take_blob(w, &base.layers[i].digest, err) < 0)
			return -1;
	return take_blob(w, &w->digest, err);
}

static bool has_digest(const json_t *text, const char *hex)
{
	const char *have = json_str(json_object_get(text, "digest"), "sha256");

	return have != NULL && strcmp(have, hex) == 0;
}

/** Whether the digest is that of a text which the statement has in full: the spec, and what says what it means. */
static bool is_text(const json_t *definition, const char *hex)
{
	const json_t *spec = json_object_get(json_object_get(definition, "externalParameters"), "spec"), *one;
	size_t i;

	json_array_foreach(json_object_get(spec, "includes"), i, one)
		if (has_digest(one, hex))
			return true;
	return has_digest(spec, hex) || has_digest(json_object_get(spec, "lock"), hex);
}

/** Whether an input is one file, and no tree; a tree's manifest, which has the digest, is not the tree. */
static bool is_file(const json_t *definition, const char *uri, const char *hex)
{
	static const char *const files[] = { INPUT_PROFILE_URI, "file://", "https://", "http://" };

	for (size_t i = 0; uri != NULL && i < ARRAY_LEN(files); i++)
		if (text_starts(uri, files[i]))
			return true;
	return is_text(definition, hex);
}

/** The image of a registry that the root filesystem was made of: the tree is there in its place. */
static bool is_rootfs_image(const json_t *dep)
{
	const char *name = json_str(dep, "name"), *uri = json_str(dep, "uri");

	return name != NULL && strcmp(name, INPUT_ROOTFS_IMAGE) == 0 && uri != NULL && text_starts(uri, "oci:");
}

static int take_input(const struct wanted *w, const json_t *definition, const char *uri, const char *hex, struct err *err)
{
	const json_t *tree = find_tree(w->f, &w->digest);

	if (tree != NULL)
		return take_tree(w, tree, err);
	if (uri != NULL && text_starts(uri, "oci:"))
		return take_base(w, err);
	return is_file(definition, uri, hex) ? take_blob(w, &w->digest, err) : err_set(err, ERR_UNVERIFIED, 0, "the evidence has no such tree");
}

int evidence_file_inputs(const struct evidence_file *f, const json_t *statement, struct store *store, struct err *err)
{
	const json_t *definition = json_object_get(json_object_get(statement, "predicate"), "buildDefinition");
	const json_t *dep;
	size_t i;

	json_array_foreach(json_object_get(definition, "resolvedDependencies"), i, dep) {
		const char *hex = json_str(json_object_get(dep, "digest"), "sha256"), *name = json_str(dep, "name");
		struct wanted w = { f, store, name == NULL ? "without a name" : name };

		if (hex == NULL || !digest_parse_hex(hex, &w.digest))
			return err_set(err, ERR_UNVERIFIED, 0, "provenance: resolved dependency %zu has no sha256 digest", i + 1);
		if (is_rootfs_image(dep))
			continue;
		if (take_input(&w, definition, json_str(dep, "uri"), hex, err) < 0)
			return err_ctx(err, "the evidence's input '%.100s' (sha256:%s)", w.name, hex);
	}
	return check_manifests(f, statement, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Images in: manifest, config and layers into an OCI image layout. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "fetch/registry_client.h"

#define ACCEPT_IMAGES MEDIA_INDEX ", " MEDIA_MANIFEST ", " MEDIA_DOCKER_LIST ", " MEDIA_DOCKER_MANIFEST
/** Most entries looked at in an index. */
#define INDEX_ENTRIES_MAX 1000

/** A manifest, or an index, as it came. */
struct document {
	struct buf text;
	json_t *json;
	struct digest digest;
	char media_type[128];
};
static void document_clear(struct document *d)
{
	buf_free(&d->text);
	json_decref(d->json);
	*d = (struct document){0};
}
#define auto_document __attribute__((cleanup(document_clear))) struct document

/** What it says it is; what the answer says where it does not. */
static int take_type(const struct http_response *resp, struct document *d, struct err *err)
{
	const char *type = json_str(d->json, "mediaType"), *header = http_header(resp, "Content-Type");

	if (type == NULL)
		type = header != NULL ? header : "";
	size_t n = strcspn(type, "; ");
	if (n >= sizeof d->media_type)
		return err_set(err, ERR_INPUT, 0, "a media type of %zu bytes", n);
	memcpy(d->media_type, type, n);
	d->media_type[n] = '\0';
	return 0;
}

/** Without a mediaType of its own it is what the answer calls it: of one that could be both, the registry would choose what a digest pins. */
static bool is_ambiguous(const json_t *j)
{
	return json_object_get(j, "manifests") != NULL && (json_object_get(j, "layers") != NULL || json_object_get(j, "config") != NULL);
}

/** Gets the document @p name, a tag or a digest; @p expected is what its bytes must hash to, or NULL. */
static int get_document(struct registry *r, const char *name, const struct digest *expected, struct document *ret, struct err *err)
{
	auto_buf what = {0};
	auto_http_response resp = {0};
	auto_document d = {0};
	char a[DIGEST_STR_SIZE], b[DIGEST_STR_SIZE];

	buf_addf(&what, "/manifests/%s", name);
	if (buf_check(&what, "URL", err) < 0 || registry_get(r, what.data, ACCEPT_IMAGES, OCI_JSON_MAX, &resp, err) < 0)
		return -1;
	if (resp.status == 404)
		return err_set(err, ERR_INPUT, 0, "%s/%s: the registry has no '%s'", r->host, r->path, name);
	d.text = resp.body;
	resp.body = (struct buf){0};
	if (hash_bytes(d.text.data != NULL ? d.text.data : "", d.text.len, &d.digest, err) < 0)
		return -1;
	if (expected != NULL && !digest_eq(expected, &d.digest))
		return err_set(err, ERR_INPUT, 0, "%s/%s: the registry gave %s for %s", r->host, r->path, digest_str(&d.digest, a),
			       digest_str(expected, b));
	if (registry_check_digest(r, &resp, &d.digest, name, err) < 0 ||
	    json_parse_apart(d.text.data, d.text.len, name, ERR_INPUT, &d.json, err) < 0 ||
	    take_type(&resp, &d, err) < 0)
		return -1;
	if (!json_is_object(d.json))
		return err_set(err, ERR_INPUT, 0, "%s/%s: '%s' is no JSON object", r->host, r->path, name);
	if (is_ambiguous(d.json))
		return err_set(err, ERR_INPUT, 0, "%s/%s: '%s' has the members of an index and of an image; it can be one of them", r->host, r->path,
			       name);
	*ret = d;
	d = (struct document){0};
	return 0;
}

/* ---- which image ------------------------------------------------------------- */

/** "linux/amd64" or "linux/arm64/v8" against what an entry of an index says. */
static bool is_platform(const json_t *entry, const char *wanted)
{
	const json_t *p = json_object_get(entry, "platform");
	const char *os = json_str(p, "os"), *architecture = json_str(p, "architecture"), *variant = json_str(p, "variant");
	size_t n = strcspn(wanted, "/"), m = strcspn(wanted + n + (wanted[n] == '/'), "/");
	const char *rest = wanted + n + (wanted[n] == '/');

	if (os == NULL || architecture == NULL || strlen(os) != n || strncmp(os, wanted, n) != 0 || strlen(architecture) != m ||
	    strncmp(architecture, rest, m) != 0)
		return false;
	return rest[m] == '\0' || (variant != NULL && strcmp(variant, rest + m + 1) == 0);
}

static int choose(const struct document *index, const char *platform, struct described *ret, struct err *err)
{
	const json_t *list = json_object_get(index->json, "manifests");
	char linux_here[64];

	if (platform == NULL) {
		snprintf(linux_here, sizeof linux_here, "linux/%s", oci_architecture());
		platform = linux_here;
	}
	for (size_t i = 0; i < json_array_size(list) && i < INDEX_ENTRIES_MAX; i++)
		if (is_platform(json_array_get(list, i), platform))
			return described_read(json_array_get(list, i), OCI_JSON_MAX, "index", ret, err);
	return err_set(err, ERR_INPUT, 0, "the index of %zu images has none for %s", json_array_size(list), platform);
}

static bool is_one_of(const char *s, const char *a, const char *b)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0;
}

static int get_named(struct registry *r, const struct registry_ref *ref, struct document *ret, struct err *err)
{
	char text[DIGEST_STR_SIZE];

	if (ref->pinned)
		return get_document(r, digest_str(&ref->digest, text), &ref->digest, ret, err);
	if (ref->tag == NULL)
		return err_set(err, ERR_USAGE, 0, "%s/%s: which image? give :TAG or @sha256:…", ref->host, ref->path);
	return get_document(r, ref->tag, NULL, ret, err);
}

/** Gets the manifest of the image, through an index if need be. */
static int get_image(struct registry *r, const struct registry_ref *ref, const char *platform, struct document *manifest,
		     struct registry_image *ret, struct err *err)
{
	struct described chosen;
	char text[DIGEST_STR_SIZE];

	if (get_named(r, ref, manifest, err) < 0)
		return -1;
	ret->named = manifest->digest;
	if (is_one_of(manifest->media_type, MEDIA_INDEX, MEDIA_DOCKER_LIST)) {
		if (choose(manifest, platform, &chosen, err) < 0)
			return err_ctx(err, "%s/%s", r->host, r->path);
		document_clear(manifest);
		if (get_document(r, digest_str(&chosen.digest, text), &chosen.digest, manifest, err) < 0)
			return -1;
	}
	if (!is_one_of(manifest->media_type, MEDIA_MANIFEST, MEDIA_DOCKER_MANIFEST))
		return err_set(err, ERR_INPUT, 0, "%s/%s: of media type '%s', which is no image that glovebox reads", r->host, r->path,
			       manifest->media_type);
	ret->manifest = manifest->digest;
	ret->manifest_size = manifest->text.len;
	memcpy(ret->media_type, manifest->media_type, sizeof ret->media_type);
	return 0;
}

int registry_resolve(const struct registry_conf *conf, const struct registry_ref *ref, const char *platform,
		     struct registry_image *ret, struct err *err)
{
	auto_registry r = {0};
	auto_document manifest = {0};
	struct registry_image image;

	if (registry_open(conf, ref, false, &r, err) < 0 || get_image(&r, ref, platform, &manifest, &image, err) < 0)
		return -1;
	*ret = image;
	return 0;
}

/* ---- blobs ---------------------------------------------------------------------- */

/** A blob on its way into a file. */
struct arriving {
	int fd;
	struct hasher *hasher;
	uint64_t got;
};

static int arrive_begin(void *arg, uint64_t at, struct err *err)
{
	struct arriving *a = arg;
	struct digest ignored;

	/* Whatever came before is void: we never ask for a part. */
	if (at != 0)
		return err_set(err, ERR_INPUT, 0, "the registry sent another part than was asked for");
	if (ftruncate(a->fd, 0) < 0 || lseek(a->fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_INTERNAL, errno, "write a blob");
	a->got = 0;
	return hasher_final(a->hasher, &ignored, err);
}

static int arrive_add(void *arg, const void *data, size_t n, struct err *err)
{
	struct arriving *a = arg;

	hasher_add(a->hasher, data, n);
	a->got += n;
	return io_write_all(a->fd, data, n, err);
}

static int check_arrived(struct arriving *a, const struct described *d, struct err *err)
{
	char x[DIGEST_STR_SIZE], y[DIGEST_STR_SIZE];
	struct digest actual;

	if (hasher_final(a->hasher, &actual, err) < 0)
		return -1;
	if (a->got != d->size)
		return err_set(err, ERR_INPUT, 0, "blob %s: the registry sent %llu bytes, and it has %llu", digest_str(&d->digest, x),
			       (unsigned long long)a->got, (unsigned long long)d->size);
	if (digest_eq(&actual, &d->digest))
		return 0;
	return err_set(err, ERR_INPUT, 0, "blob %s: what the registry sent is %s", digest_str(&d->digest, x), digest_str(&actual, y));
}

static int receive(struct registry *r, const struct described *d, int fd, struct err *err)
{
	auto_hasher hasher = hasher_new();
	struct arriving a = { .fd = fd, .hasher = hasher };
	const struct http_sink sink = { arrive_begin, arrive_add, &a };
	auto_http_response resp = {0};
	auto_buf url = {0};
	char text[DIGEST_STR_SIZE];

	buf_addf(&url, "%s/blobs/%s", r->base, digest_str(&d->digest, text));
	if (hasher == NULL || buf_check(&url, "URL", err) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "fetch a blob");
	struct http_request req = { .url = url.data, .sink = &sink, .limit = d->size };
	if (registry_send(r, &req, &resp, err) < 0)
		return -1;
	return resp.status == 200 ? check_arrived(&a, d, err) : registry_refused(r, &req, &resp, err);
}

/** Fetches a blob into "HEX" of the directory of blobs, unless it is there: an image may have a layer twice. */
static int fetch_blob(struct registry *r, int blobs, const struct described *d, struct err *err)
{
	char hex[DIGEST_HEX_SIZE];
	struct stat st;

	digest_hex(&d->digest, hex);
	if (fstatat(blobs, hex, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	auto_fd fd = openat(blobs, "arriving", O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "make the file of a blob");
	int result = receive(r, d, fd, err);
	if (result == 0 && renameat(blobs, "arriving", blobs, hex) < 0)
		result = err_set(err, ERR_INTERNAL, errno, "name the file of a blob");
	if (result < 0)
		unlinkat(blobs, "arriving", 0);
	return result;
}

/** What an index says of the image: its config's architecture. */
static int read_architecture(int blobs, const struct digest *config, struct buf *out, struct err *err)
{
	auto_buf text = {0};
	auto_json j = NULL;
	char hex[DIGEST_HEX_SIZE];

	if (io_read_file(blobs, digest_hex(config, hex), OCI_JSON_MAX, &text, err) < 0 ||
	    json_parse_apart(text.data, text.len, "the image's config", ERR_INPUT, &j, err) < 0)
		return -1;
	const char *architecture = json_str(j, "architecture");
	buf_adds(out, architecture != NULL ? architecture : "unknown");
	return buf_check(out, "config", err);
}

/** Looks at all that is announced before any of it is fetched: a disk is soon full of layers of which one is refused. */
static int check_layers(const json_t *layers, size_t n, struct err *err)
{
	uint64_t total = 0;

	if (!json_is_array(layers) || n > OCI_LAYERS_MAX)
		return err_set(err, ERR_INPUT, 0, "manifest: no list of at most %d layers", OCI_LAYERS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct described layer;

		if (described_read(json_array_get(layers, i), OCI_BLOB_MAX, "manifest's layer", &layer, err) < 0)
			return -1;
		total += layer.size;
	}
	if (total > REGISTRY_IMAGE_MAX)
		return err_set(err, ERR_INPUT, 0, "its layers have more than %llu bytes together", (unsigned long long)REGISTRY_IMAGE_MAX);
	return 0;
}

static int fetch_blobs(struct registry *r, const struct document *manifest, int blobs, struct described *config, struct err *err)
{
	const json_t *layers = json_object_get(manifest->json, "layers");
	size_t n = json_array_size(layers);
	struct described layer;

	if (check_layers(layers, n, err) < 0 ||
	    described_read(json_object_get(manifest->json, "config"), OCI_JSON_MAX, "manifest's config", config, err) < 0 ||
	    fetch_blob(r, blobs, config, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (described_read(json_array_get(layers, i), OCI_BLOB_MAX, "manifest's layer", &layer, err) < 0 ||
		    fetch_blob(r, blobs, &layer, err) < 0)
			return -1;
	return 0;
}

/** The index last: without it there is no image. */
static int write_layout(int dirfd, int blobs, const struct registry_image *image, const struct document *manifest,
			const struct digest *config, const char *tag, struct err *err)
{
	auto_buf architecture = {0}, index = {0};
	char hex[DIGEST_HEX_SIZE];

	if (read_architecture(blobs, config, &architecture, err) < 0)
		return -1;
	const struct oci_name name = { image->media_type, image->manifest, image->manifest_size, architecture.data, tag };
	if (oci_index(&name, &index, err) < 0 ||
	    io_publish(blobs, digest_hex(&image->manifest, hex), manifest->text.data, manifest->text.len, 0644, 0, err) < 0 ||
	    io_publish(dirfd, "oci-layout", OCI_LAYOUT_TEXT, strlen(OCI_LAYOUT_TEXT), 0644, 0, err) < 0)
		return -1;
	return io_publish(dirfd, "index.json", index.data, index.len, 0644, 0, err);
}

int registry_pull(const struct registry_conf *conf, const struct registry_ref *ref, const char *platform, int dirfd, const char *tag,
		  struct registry_image *ret, struct err *err)
{
	auto_registry r = {0};
	auto_document manifest = {0};
	auto_fd blobs = -1;
	struct registry_image image;
	struct described config;

	if (registry_open(conf, ref, false, &r, err) < 0 || get_image(&r, ref, platform, &manifest, &image, err) < 0 ||
	    io_mkdirs(dirfd, "blobs/sha256", 0755, err) < 0 || io_open_dir(dirfd, "blobs/sha256", &blobs, err) < 0)
		return -1;
	if (fetch_blobs(&r, &manifest, blobs, &config, err) < 0)
		return err_ctx(err, "%s/%s", r.host, r.path);
	if (write_layout(dirfd, blobs, &image, &manifest, &config.digest, tag, err) < 0)
		return -1;
	*ret = image;
	return 0;
}

/* ---- what refers to an image -------------------------------------------------------- */

/** The index of what refers to @p subject: the registry's own, or the one under the fallback tag; NULL where there is neither. */
static int get_referrers(struct registry *r, const struct digest *subject, const char *artifact_type, json_t **ret, struct err *err)
{
	auto_buf what = {0};
	auto_http_response resp = {0};
	char digest[DIGEST_STR_SIZE], tag[FALLBACK_TAG_SIZE];

	buf_addf(&what, "/referrers/%s?artifactType=", digest_str(subject, digest));
	registry_escape(artifact_type, &what);
	if (buf_check(&what, "URL", err) < 0 || registry_get(r, what.data, MEDIA_INDEX, REGISTRY_ANSWER_MAX, &resp, err) < 0)
		return -1;
	if (resp.status == 404) {
		buf_clear(&what);
		buf_addf(&what, "/manifests/%s", fallback_tag(subject, tag));
		if (buf_check(&what, "URL", err) < 0 || registry_get(r, what.data, MEDIA_INDEX, REGISTRY_ANSWER_MAX, &resp, err) < 0)
			return -1;
	}
	if (resp.status == 404)
		return 0;
	return json_parse_apart(resp.body.data, resp.body.len, "index of referrers", ERR_INPUT, ret, err);
}

/** Fetches into memory. */
static int get_blob(struct registry *r, const struct described *d, struct buf *ret, struct err *err)
{
	auto_buf what = {0};
	auto_http_response resp = {0};
	char text[DIGEST_STR_SIZE];
	struct digest actual;

	buf_addf(&what, "/blobs/%s", digest_str(&d->digest, text));
	if (buf_check(&what, "URL", err) < 0 || registry_get(r, what.data, "*/*", d->size, &resp, err) < 0 ||
	    hash_bytes(resp.body.data != NULL ? resp.body.data : "", resp.body.len, &actual, err) < 0)
		return -1;
	if (resp.status == 404 || !digest_eq(&actual, &d->digest))
		return err_set(err, ERR_INPUT, 0, "blob %s: the registry %s", text, resp.status == 404 ? "has not got it" : "sent something else");
	*ret = resp.body;
	resp.body = (struct buf){0};
	return 0;
}

/** Whether the manifest is about @p subject: an index under a tag may hold anything. */
static bool refers_to(const struct document *d, const struct digest *subject)
{
	char text[DIGEST_STR_SIZE];
	const char *named = json_str(json_object_get(d->json, "subject"), "digest");

	return named != NULL && strcmp(named, digest_str(subject, text)) == 0;
}

int registry_referrers(const struct registry_conf *conf, const struct registry_ref *ref, const struct digest *subject,
		       const char *artifact_type, size_t max,
		       int (*take)(void *arg, const struct buf *content, const json_t *annotations, struct err *err), void *arg,
		       struct err *err)
{
	auto_registry r = {0};
	auto_json index = NULL;

	if (registry_open(conf, ref, false, &r, err) < 0 || get_referrers(&r, subject, artifact_type, &index, err) < 0)
		return -1;
	const json_t *list = json_object_get(index, "manifests");
	for (size_t i = 0; i < json_array_size(list) && i < INDEX_ENTRIES_MAX; i++) {
		const json_t *entry = json_array_get(list, i);
		const char *type = json_str(entry, "artifactType");
		struct described d, layer;
		auto_document manifest = {0};
		auto_buf content = {0};
		char text[DIGEST_STR_SIZE];

		if (type == NULL || strcmp(type, artifact_type) != 0)
			continue;
		if (described_read(entry, OCI_JSON_MAX, "referrer", &d, err) < 0 ||
		    get_document(&r, digest_str(&d.digest, text), &d.digest, &manifest, err) < 0)
			return -1;
		if (!refers_to(&manifest, subject))
			continue;
		if (described_read(json_array_get(json_object_get(manifest.json, "layers"), 0), max, "referrer's layer", &layer, err) < 0 ||
		    get_blob(&r, &layer, &content, err) < 0 ||
		    take(arg, &content, json_object_get(manifest.json, "annotations"), err) < 0)
			return -1;
	}
	return 0;
}

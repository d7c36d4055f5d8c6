/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/publication.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "attest/attest.h"

#define BUNDLE_SUFFIX ".sigstore.json"
#define PROVENANCE "provenance" BUNDLE_SUFFIX

/** An artifact to attach, and the memory that it points into. */
struct attached {
	struct buf content;
	char *predicate_type;        /**< bundles alone */
	struct oci_kv annotations[2];
};

struct publication {
	int fd;                      /**< image.tar; borrowed */
	struct oci_image image;
	struct buf manifest;
	struct registry_blob *blobs;
	size_t nblobs;
	struct attached attached[PUBLICATION_ARTIFACTS_MAX];
	struct registry_artifact artifacts[PUBLICATION_ARTIFACTS_MAX];
	size_t nartifacts;
};

void publication_free(struct publication *p)
{
	if (p == NULL)
		return;
	oci_image_clear(&p->image);
	buf_free(&p->manifest);
	free(p->blobs);
	for (size_t i = 0; i < p->nartifacts; i++) {
		buf_free(&p->attached[i].content);
		free(p->attached[i].predicate_type);
	}
	free(p);
}

size_t publication_attached(const struct publication *p)
{
	return p->nartifacts;
}

/* ---- the image -------------------------------------------------------------- */

static int read_manifest(struct publication *p, struct err *err)
{
	uint64_t offset, size;

	if (oci_image_find(p->fd, &p->image.manifest_digest, &offset, &size, err) < 0)
		return -1;
	char *room = buf_room(&p->manifest, size);
	if (room == NULL)
		return buf_check(&p->manifest, "manifest", err);
	ssize_t got = pread(p->fd, room, size, (off_t)offset);
	if (got < 0 || (uint64_t)got != size)
		return err_set(err, ERR_INPUT, got < 0 ? errno : 0, "read the image's manifest");
	buf_seal(&p->manifest, size);
	return 0;
}

static int add_blob(struct publication *p, const struct digest *digest, struct err *err)
{
	struct registry_blob *b = &p->blobs[p->nblobs];

	for (size_t i = 0; i < p->nblobs; i++)
		if (digest_eq(&p->blobs[i].digest, digest))
			return 0;
	*b = (struct registry_blob){ .digest = *digest, .fd = p->fd };
	if (oci_image_find(p->fd, digest, &b->offset, &b->size, err) < 0)
		return -1;
	p->nblobs++;
	return 0;
}

static int read_image(struct publication *p, struct err *err)
{
	if (oci_image_read_apart(p->fd, NULL, &p->image, err) < 0 || read_manifest(p, err) < 0)
		return -1;
	p->blobs = calloc(p->image.nlayers + 1, sizeof *p->blobs);
	if (p->blobs == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "list the blobs");
	for (size_t i = 0; i < p->image.nlayers; i++)
		if (add_blob(p, &p->image.layers[i].digest, err) < 0)
			return -1;
	return add_blob(p, &p->image.config_digest, err);
}

/* ---- what is attached --------------------------------------------------------- */

static int describe_bundle(struct publication *p, struct attached *a, struct registry_artifact *out, struct err *err)
{
	if (attest_peek(a->content.data, a->content.len, &p->image.manifest_digest, &a->predicate_type, err) < 0)
		return -1;
	a->annotations[0] = (struct oci_kv){ "dev.sigstore.bundle.content", "dsse-envelope" };
	a->annotations[1] = (struct oci_kv){ "dev.sigstore.bundle.predicateType", a->predicate_type };
	out->annotations = a->annotations;
	out->nannotations = ARRAY_LEN(a->annotations);
	return 0;
}

/** Reads a file beside the image as an artifact of @p type. A missing one is passed over. */
static int attach(struct publication *p, int dirfd, const char *name, const char *type, struct err *err)
{
	if (p->nartifacts == PUBLICATION_ARTIFACTS_MAX)
		return err_set(err, ERR_USAGE, 0, "more than %d files to attach", PUBLICATION_ARTIFACTS_MAX);
	struct attached *a = &p->attached[p->nartifacts];
	if (io_read_file(dirfd, name, PUBLICATION_ARTIFACT_SIZE_MAX, &a->content, err) < 0)
		return err->sys == ENOENT ? 0 : -1;
	struct registry_artifact *out = &p->artifacts[p->nartifacts++];
	*out = (struct registry_artifact){ .type = type, .data = a->content.data, .n = a->content.len };
	if (a->content.len == 0)
		return err_set(err, ERR_UNVERIFIED, 0, "'%s' is empty", name);
	if (strcmp(type, ATTEST_BUNDLE_TYPE) == 0 && describe_bundle(p, a, out, err) < 0)
		return err_ctx(err, "'%s'", name);
	return 0;
}

static int is_bundle(const struct dirent *e)
{
	size_t n = strlen(e->d_name), m = strlen(BUNDLE_SUFFIX);

	return n > m && strcmp(e->d_name + n - m, BUNDLE_SUFFIX) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/** Every bundle that lies there, by name: the same files make the same pushes. */
static int attach_bundles(struct publication *p, int dirfd, struct err *err)
{
	struct dirent **found = NULL;
	int n = scandirat(dirfd, ".", &found, is_bundle, by_name), result = 0;
	bool provenance = false;

	if (n < 0)
		return err_set(err, ERR_INPUT, errno, "list the attestations");
	for (int i = 0; i < n; i++) {
		provenance = provenance || strcmp(found[i]->d_name, PROVENANCE) == 0;
		if (result == 0)
			result = attach(p, dirfd, found[i]->d_name, ATTEST_BUNDLE_TYPE, err);
		free(found[i]);
	}
	free(found);
	if (result == 0 && !provenance)
		return err_set(err, ERR_INPUT, 0, "there is no " PROVENANCE " to attach (was the run given --key?)");
	return result;
}

int publication_read(int image_fd, int dirfd, struct publication **ret, struct err *err)
{
	auto_publication p = calloc(1, sizeof *p);

	if (p == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an image");
	p->fd = image_fd;
	if (read_image(p, err) < 0)
		return -1;
	if (dirfd >= 0 && (attach_bundles(p, dirfd, err) < 0 ||
			   attach(p, dirfd, "sbom.cdx.json", "application/vnd.cyclonedx+json", err) < 0 ||
			   attach(p, dirfd, "sbom.spdx.json", "application/spdx+json", err) < 0))
		return -1;
	*ret = move_ptr(p);
	return 0;
}

static struct registry_push push_of(const struct publication *p)
{
	return (struct registry_push){
		.media_type = json_str(p->image.manifest, "mediaType"), .manifest = p->manifest.data, .nmanifest = p->manifest.len,
		.blobs = p->blobs, .nblobs = p->nblobs, .artifacts = p->artifacts, .nartifacts = p->nartifacts,
	};
}

int publication_send(const struct publication *p, const struct registry_conf *conf, const struct registry_ref *ref,
		     const char *const *mount_from, size_t nmount_from, struct registry_pushed *ret, struct err *err)
{
	struct registry_push what = push_of(p);

	what.mount_from = mount_from;
	what.nmount_from = nmount_from;
	return registry_push(conf, ref, &what, ret, err);
}

int publication_tag(const struct publication *p, const struct registry_conf *conf, const struct registry_ref *ref, struct err *err)
{
	const struct registry_push what = push_of(p);

	return registry_tag(conf, ref, &what, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "oci/document.h"
#include "oci/outer.h"
#include "oci/tar.h"

/** A blob on its way into the archive: in memory or in a file. */
struct source {
	struct digest digest;
	uint64_t size;
	const char *data;  /* or NULL: fd from an offset on */
	int fd;
	uint64_t offset;
};

static int by_digest(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	return memcmp(x->digest.b, y->digest.b, DIGEST_LEN);
}

static int check_arguments(const struct oci_layer_file *layers, size_t n, const char *tag, struct err *err)
{
	if (n == 0 || n > OCI_LAYERS_MAX)
		return err_set(err, ERR_USAGE, 0, "write an image: %zu layers (1 to %d are possible)", n, OCI_LAYERS_MAX);
	if (tag != NULL && !document_is_tag(tag))
		return err_set(err, ERR_USAGE, 0, "write an image: '%s' cannot be a tag (letters and digits, parted by single -._:@/+)",
			       tag);
	for (size_t i = 0; i < n; i++)
		if (layers[i].blob.size > OCI_BLOB_MAX)
			return err_set(err, ERR_USAGE, 0,
				       "write an image: layer %zu has %llu bytes, and a tar member can hold %llu; split it into several layers",
				       i, (unsigned long long)layers[i].blob.size, OCI_BLOB_MAX);
	return 0;
}

static int add_document(struct source *s, const struct buf *text, struct err *err)
{
	*s = (struct source){ .size = text->len, .data = text->data, .fd = -1 };
	return hash_bytes(text->data, text->len, &s->digest, err);
}

/** Makes config and manifest, and lists them with the layers in @p sources (room for @p n + 2). */
static int make_sources(const struct oci_config *config, const struct oci_layer_file *layers, size_t n,
			struct buf *config_text, struct buf *manifest_text, struct source *sources, struct err *err)
{
	auto_free struct descriptor *d = calloc(n, sizeof *d);
	struct descriptor cd = { .media_type = MEDIA_CONFIG };

	if (d == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write an image");
	if (document_config(config, layers, n, config_text, err) < 0 || add_document(&sources[0], config_text, err) < 0)
		return -1;
	cd.digest = sources[0].digest;
	cd.size = sources[0].size;
	for (size_t i = 0; i < n; i++) {
		const struct oci_blob *b = &layers[i].blob;

		d[i] = (struct descriptor){ document_layer_media(layers[i].codec), b->digest, b->size };
		sources[i + 2] = (struct source){ .digest = b->digest, .size = b->size, .fd = layers[i].fd };
	}
	if (document_manifest(&cd, d, n, manifest_text, err) < 0)
		return -1;
	return add_document(&sources[1], manifest_text, err);
}

static int write_padding(int fd, uint64_t size, struct err *err)
{
	static const char zeros[TAR_BLOCK];

	return io_write_all(fd, zeros, tar_padding(size), err);
}

static int write_header(int fd, struct buf *header, struct err *err)
{
	if (buf_check(header, "a tar header", err) < 0)
		return -1;
	int rc = io_write_all(fd, header->data, header->len, err);
	buf_clear(header);
	return rc;
}

static int write_text(int fd, const char *name, const char *data, size_t n, struct err *err)
{
	auto_buf header = { 0 };

	outer_file_header(name, n, &header);
	if (write_header(fd, &header, err) < 0 || io_write_all(fd, data, n, err) < 0)
		return -1;
	return write_padding(fd, n, err);
}

/** Copies a blob, and hashes the very bytes that it copies: a file that changed meanwhile is noticed. */
static int write_blob(int fd, const struct source *s, struct err *err)
{
	char name[OUTER_BLOB_NAME_SIZE];
	auto_buf header = { 0 };
	struct digest d;

	outer_blob_name(&s->digest, name);
	if (s->data != NULL)
		return write_text(fd, name, s->data, (size_t)s->size, err);
	outer_file_header(name, s->size, &header);
	if (write_header(fd, &header, err) < 0)
		return -1;
	struct slice content = { .fd = s->fd, .offset = s->offset, .size = s->size };
	if (slice_hash(content, fd, ERR_INPUT, &d, err) < 0)
		return err_ctx(err, "%s", name);
	if (!digest_eq(&d, &s->digest))
		return err_set(err, ERR_INPUT, 0, "%s: the blob's file now has other content", name);
	return write_padding(fd, s->size, err);
}

/** All blobs in the archive's order, each once: two layers may be the same blob. */
static int write_blobs(int fd, struct source *sources, size_t n, struct err *err)
{
	qsort(sources, n, sizeof *sources, by_digest);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && digest_eq(&sources[i].digest, &sources[i - 1].digest))
			continue;
		if (write_blob(fd, &sources[i], err) < 0)
			return -1;
	}
	return 0;
}

static int write_archive(int fd, const struct buf *index, struct source *sources, size_t n, struct err *err)
{
	static const char end[TAR_END];
	auto_buf dirs = { 0 };

	outer_dir_header(OUTER_BLOBS, &dirs);
	outer_dir_header(OUTER_SHA256, &dirs);
	if (write_text(fd, OUTER_LAYOUT, OCI_LAYOUT_TEXT, strlen(OCI_LAYOUT_TEXT), err) < 0 ||
	    write_text(fd, OUTER_INDEX, index->data, index->len, err) < 0 ||
	    write_header(fd, &dirs, err) < 0 ||
	    write_blobs(fd, sources, n, err) < 0 ||
	    io_write_all(fd, end, sizeof end, err) < 0)
		return err_ctx(err, "write an image");
	return 0;
}

int oci_image_write(int out_fd, const struct oci_config *config, const struct oci_layer_file *layers, size_t nlayers,
		    const char *tag, struct digest *ret_manifest, struct err *err)
{
	auto_buf config_text = { 0 };
	auto_buf manifest_text = { 0 };
	auto_buf index_text = { 0 };

	if (check_arguments(layers, nlayers, tag, err) < 0)
		return -1;
	auto_free struct source *sources = calloc(nlayers + 2, sizeof *sources);
	if (sources == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write an image");
	if (make_sources(config, layers, nlayers, &config_text, &manifest_text, sources, err) < 0)
		return -1;
	struct descriptor manifest = { MEDIA_MANIFEST, sources[1].digest, sources[1].size };
	if (document_index(&manifest, config->architecture, tag, &index_text, err) < 0 ||
	    write_archive(out_fd, &index_text, sources, nlayers + 2, err) < 0)
		return -1;
	*ret_manifest = manifest.digest;
	return 0;
}

int oci_index(const struct oci_name *name, struct buf *out, struct err *err)
{
	const struct descriptor manifest = { name->media_type, name->digest, name->size };

	return document_index(&manifest, name->architecture, name->tag, out, err);
}

int oci_archive_write(int out_fd, const struct buf *index, const struct oci_member *blobs, size_t n, struct err *err)
{
	auto_free struct source *sources = calloc(n + 1, sizeof *sources);

	if (sources == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "write an image");
	for (size_t i = 0; i < n; i++) {
		if (blobs[i].size > OCI_BLOB_MAX)
			return err_set(err, ERR_INPUT, 0, "write an image: a blob has %llu bytes, and a tar member can hold %llu",
				       (unsigned long long)blobs[i].size, OCI_BLOB_MAX);
		sources[i] = (struct source){
			.digest = blobs[i].digest, .size = blobs[i].size, .fd = blobs[i].fd, .offset = blobs[i].offset,
		};
	}
	return write_archive(out_fd, index, sources, n, err);
}

int oci_image_wrap(int out_fd, const struct oci_name *name, const struct oci_member *blobs, size_t n, struct err *err)
{
	auto_buf index = { 0 };

	return oci_index(name, &index, err) < 0 ? -1 : oci_archive_write(out_fd, &index, blobs, n, err);
}

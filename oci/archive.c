/* SPDX-License-Identifier: Apache-2.0 */
/* An archive in the form of image.tar, whatever its index names. */
#include <errno.h>

#include "oci/outer.h"

struct oci_archive {
	struct outer outer;
	int fd;
};

void oci_archive_free(struct oci_archive *archive)
{
	if (archive == NULL)
		return;
	outer_clear(&archive->outer);
	free(archive);
}

int oci_archive_open(int fd, struct oci_archive **ret, struct err *err)
{
	auto_oci_archive a = calloc(1, sizeof *a);

	if (a == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an archive");
	a->fd = fd;
	if (outer_scan(fd, &a->outer, err) < 0)
		return err_ctx(err, "read an archive");
	*ret = move_ptr(a);
	return 0;
}

/** Appends a slice of at most @p max bytes. */
static int read_slice(struct slice s, size_t max, struct buf *out, struct err *err)
{
	size_t got;

	if (s.size > max)
		return err_set(err, ERR_UNVERIFIED, 0, "read an archive: a document of %llu bytes at offset %llu; the limit is %zu",
			       (unsigned long long)s.size, (unsigned long long)s.offset, max);
	char *room = buf_room(out, s.size);
	if (room == NULL)
		return buf_check(out, "a document", err);
	if (slice_take(&s, room, s.size, ERR_UNVERIFIED, &got, err) < 0)
		return -1;
	buf_seal(out, out->len + got);
	return 0;
}

int oci_archive_index(const struct oci_archive *archive, struct buf *out, struct err *err)
{
	return read_slice(archive->outer.index, OCI_JSON_MAX, out, err);
}

int oci_archive_find(const struct oci_archive *archive, const struct digest *digest, struct oci_member *ret, struct err *err)
{
	const struct outer_blob *b = outer_find(&archive->outer, digest);
	char text[DIGEST_STR_SIZE];
	struct digest actual;

	if (b == NULL)
		return err_set(err, ERR_UNVERIFIED, 0, "there is no blob %s in the archive", digest_str(digest, text));
	if (slice_hash(b->content, -1, ERR_UNVERIFIED, &actual, err) < 0)
		return -1;
	if (!digest_eq(&actual, digest))
		return err_set(err, ERR_UNVERIFIED, 0, "the blob %s at offset %llu has another digest than its name",
			       digest_str(digest, text), (unsigned long long)b->content.offset);
	*ret = (struct oci_member){ .digest = *digest, .size = b->content.size, .fd = archive->fd, .offset = b->content.offset };
	return 0;
}

int oci_archive_text(const struct oci_archive *archive, const struct digest *digest, size_t max, struct buf *out, struct err *err)
{
	struct oci_member m;

	if (oci_archive_find(archive, digest, &m, err) < 0)
		return -1;
	size_t start = out->len;
	struct digest actual;
	if (read_slice((struct slice){ m.fd, m.offset, m.size }, max, out, err) < 0 ||
	    hash_bytes(out->data + start, out->len - start, &actual, err) < 0)
		return -1;
	/* It may have changed since it was found. */
	return digest_eq(&actual, digest) ? 0 : err_set(err, ERR_UNVERIFIED, 0, "the archive changes while it is read");
}

size_t oci_archive_count(const struct oci_archive *archive)
{
	return archive->outer.nblobs;
}

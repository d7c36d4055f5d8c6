/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/unlayer.h"

#include <errno.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "oci/untar.h"

static inline void own_archive(struct archive **a)
{
	archive_read_free(*a);
}
#define auto_archive __attribute__((cleanup(own_archive))) struct archive *

/** From the file to the tar: slice → blob digest → gunzip → diff ID → untar. */
struct pipe {
	struct slice rest;        /* of the blob, not yet read */
	struct hasher *blob, *diff;
	uint64_t diff_size;
	struct archive *gunzip;   /* NULL: stored as it is */
	char *chunk;              /* SLICE_CHUNK bytes that libarchive reads from */
	struct err *why;          /* what a callback of libarchive's failed with */
	bool failed;
	struct rules *rules;
};

/** Stored bytes, hashed as they pass. */
static int take_stored(struct pipe *p, void *data, size_t n, size_t *ret_got, struct err *err)
{
	size_t got;

	if (slice_take(&p->rest, data, n, ERR_UNVERIFIED, &got, err) < 0)
		return -1;
	hasher_add(p->blob, data, got);
	*ret_got = got;
	return 0;
}

/** libarchive's read callback. */
static la_ssize_t feed(struct archive *a, void *arg, const void **ret)
{
	struct pipe *p = arg;
	size_t got;

	if (take_stored(p, p->chunk, SLICE_CHUNK, &got, p->why) < 0) {
		p->failed = true;
		archive_set_error(a, EIO, "%s", "read");
		return -1;
	}
	*ret = p->chunk;
	return (la_ssize_t)got;
}

/** Turns libarchive's failure into ours, unless a callback has said why already. */
static int gunzip_failed(struct pipe *p, struct err *err)
{
	if (p->failed)
		return -1;
	const char *text = archive_error_string(p->gunzip);
	if (archive_errno(p->gunzip) == ENOMEM)
		return err_set(err, ERR_INTERNAL, ENOMEM, "decompress");
	return err_set(err, ERR_UNVERIFIED, 0, "not a gzip stream to its end: %s", text != NULL ? text : "malformed");
}

/** One gzip filter and no guessing: with bidding on, gzip inside gzip would be undone twice. */
static int open_gunzip(struct pipe *p, struct err *err)
{
	struct archive *a = p->gunzip;
	struct archive_entry *entry;

	if (archive_read_append_filter(a, ARCHIVE_FILTER_GZIP) != ARCHIVE_OK ||
	    archive_read_support_format_raw(a) != ARCHIVE_OK ||
	    archive_read_open(a, p, NULL, feed, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(a, &entry) != ARCHIVE_OK)
		return gunzip_failed(p, err);
	return 0;
}

/** Tar bytes, decompressed where need be. */
static int take_plain(struct pipe *p, void *data, size_t n, size_t *ret_got, struct err *err)
{
	size_t have = 0;

	if (p->gunzip == NULL)
		return take_stored(p, data, n, ret_got, err);
	p->why = err;
	while (have < n) {
		la_ssize_t got = archive_read_data(p->gunzip, (char *)data + have, n - have);

		if (got == ARCHIVE_RETRY)
			continue;
		if (got < 0)
			return gunzip_failed(p, err);
		if (got == 0)
			break;
		have += (size_t)got;
	}
	*ret_got = have;
	return 0;
}

static int read_tar(void *arg, void *data, size_t n, size_t *ret_got, struct err *err)
{
	struct pipe *p = arg;
	size_t got = 0;

	if (take_plain(p, data, n, &got, err) < 0)
		return -1;
	p->diff_size += got;
	if (p->diff_size > OCI_DIFF_MAX)
		return err_set(err, ERR_UNVERIFIED, 0, "decompresses to more than %llu bytes", OCI_DIFF_MAX);
	hasher_add(p->diff, data, got);
	*ret_got = got;
	return 0;
}

static int take_entry(void *arg, const struct untar_entry *e, struct err *err)
{
	struct pipe *p = arg;

	return rules_check(p->rules, e, err);
}

/** libarchive stops without a word where a further member's header is not one: whatever it left is refused. */
static int check_all_used(const struct pipe *p, uint64_t size, struct err *err)
{
	if (p->gunzip != NULL && (uint64_t)archive_filter_bytes(p->gunzip, -1) != size)
		return err_set(err, ERR_UNVERIFIED, 0, "bytes after the last gzip member, at %lld of %llu",
			       (long long)archive_filter_bytes(p->gunzip, -1), (unsigned long long)size);
	return 0;
}

static int run(struct pipe *p, uint64_t size, struct oci_blob *ret, struct err *err)
{
	struct untar_ops ops = { .read = read_tar, .entry = take_entry, .arg = p };
	struct oci_blob blob = { .size = size };

	p->why = err;
	if (p->gunzip != NULL && open_gunzip(p, err) < 0)
		return -1;
	if (untar(&ops, err) < 0 || check_all_used(p, size, err) < 0)
		return -1;
	blob.diff_size = p->diff_size;
	if (hasher_final(p->blob, &blob.digest, err) < 0 || hasher_final(p->diff, &blob.diff_id, err) < 0)
		return -1;
	*ret = blob;
	return 0;
}

int unlayer(struct slice blob, enum oci_compression codec, struct rules *rules, struct oci_blob *ret, struct err *err)
{
	auto_hasher stored = hasher_new();
	auto_hasher diff = hasher_new();
	auto_free char *chunk = malloc(SLICE_CHUNK);
	auto_archive gunzip = codec == OCI_GZIP ? archive_read_new() : NULL;
	struct pipe p = {
		.rest = blob, .blob = stored, .diff = diff, .gunzip = gunzip, .chunk = chunk, .rules = rules,
	};

	if (stored == NULL || diff == NULL || chunk == NULL || (codec == OCI_GZIP && gunzip == NULL))
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a layer");
	rules_next_layer(rules);
	return run(&p, blob.size, ret, err);
}

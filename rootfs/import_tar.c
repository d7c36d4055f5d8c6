/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <errno.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "rootfs/import_table.h"

/** The archive is read in pieces of this size. */
#define READ_BLOCK (256u << 10)
/** Beyond IMPORT_RATIO_FROM bytes, an archive that unpacks to more than this times its size is a bomb. */
#define IMPORT_RATIO_MAX 1000
#define IMPORT_RATIO_FROM (1ull << 30)

struct import {
	struct archive *archive;
	struct store_writer *writer;
	struct import_table *table;
	uint64_t bytes;        /**< of all files so far, but hard links */
	uint64_t entries;
	/* the file at hand */
	const char *path;
	uint64_t size;
	uint64_t done;         /**< bytes taken */
	char head[PYC_HEADER]; /**< the first of them, held back for pyc_amend() */
};

static inline void own_archive(struct archive **a)
{
	if (*a != NULL)
		archive_read_free(*a);
}
#define auto_archive __attribute__((cleanup(own_archive))) struct archive *

static int archive_failed(struct archive *a, const char *what, struct err *err)
{
	const char *why = archive_error_string(a);

	return err_set(err, archive_errno(a) == ENOMEM ? ERR_INTERNAL : ERR_INPUT, 0, "%s: %s", what,
		       why == NULL ? "the archive is damaged" : why);
}

/** Tar in each of its dialects, and the codecs that libarchive has in itself: never one that it would start a program for. */
static int open_archive(int fd, struct archive *a, struct err *err)
{
	static int (*const codecs[])(struct archive *) = {
		archive_read_support_filter_bzip2, archive_read_support_filter_compress, archive_read_support_filter_gzip,
		archive_read_support_filter_lz4, archive_read_support_filter_lzip, archive_read_support_filter_lzma,
		archive_read_support_filter_xz, archive_read_support_filter_zstd,
	};

	for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
		if (codecs[i](a) != ARCHIVE_OK)
			return archive_failed(a, "set up the archive reader", err);
	if (archive_read_support_format_tar(a) != ARCHIVE_OK)
		return archive_failed(a, "set up the archive reader", err);
	if (archive_read_open_fd(a, fd, READ_BLOCK) != ARCHIVE_OK)
		return archive_failed(a, "open the archive", err);
	return 0;
}

/** Appends the clean form of an archive's path: "./a//b/" is "a/b", "./" is ".". */
static int clean_path(const char *raw, struct buf *out, struct err *err)
{
	const char *fault = raw == NULL || raw[0] == '\0' ? "an entry without a name" : NULL;

	if (fault == NULL && raw[0] == '/')
		fault = "an absolute path";
	for (const char *p = raw; fault == NULL && *p != '\0'; ) {
		size_t n = strcspn(p, "/");

		if (n == 2 && memcmp(p, "..", 2) == 0)
			fault = "a path with '..'";
		if (n > 0 && !(n == 1 && p[0] == '.')) {
			if (out->len > 0)
				buf_addc(out, '/');
			buf_add(out, p, n);
		}
		p += n + (p[n] == '/');
	}
	if (out->len == 0)
		buf_adds(out, ".");
	if (buf_check(out, "path", err) < 0)
		return -1;
	if (fault == NULL && strcmp(out->data, ".") != 0)
		fault = tree_path_fault(out->data);
	return fault == NULL ? 0 : err_set(err, ERR_INPUT, 0, "'" SHOWN "': %s", raw == NULL ? "" : raw, fault);
}

/** Bytes of all files so far, hard links as files of their own: what will be laid out. */
static uint64_t total(const struct import *im)
{
	return im->bytes + import_table_linked(im->table);
}

/** Refuses archives that are small only until they are unpacked. */
static int check_ratio(const struct import *im, struct err *err)
{
	uint64_t stored = (uint64_t)archive_filter_bytes(im->archive, -1);
	uint64_t unpacked = (uint64_t)archive_filter_bytes(im->archive, 0);

	if (unpacked < total(im))
		unpacked = total(im);
	if (unpacked <= IMPORT_RATIO_FROM || unpacked / IMPORT_RATIO_MAX <= stored)
		return 0;
	return err_set(err, ERR_INPUT, 0, "the archive unpacks to more than %d times its size", IMPORT_RATIO_MAX);
}

/** Hands the held-back head on. */
static int put_head(struct import *im, struct err *err)
{
	size_t n = im->done < sizeof im->head ? (size_t)im->done : sizeof im->head;

	pyc_amend(im->path, im->head, n);
	return store_writer_add(im->writer, im->head, n, err);
}

/** Takes the next bytes of the file at hand. */
static int put(struct import *im, const char *data, size_t n, struct err *err)
{
	if (n == 0)
		return 0;
	if (im->done < sizeof im->head) {
		size_t part = sizeof im->head - (size_t)im->done;

		if (part > n)
			part = n;
		memcpy(im->head + im->done, data, part);
		im->done += part;
		data += part;
		n -= part;
		if (im->done == sizeof im->head && put_head(im, err) < 0)
			return -1;
	}
	im->done += n;
	return store_writer_add(im->writer, data, n, err);
}

/** Fills a hole up to offset @p end. */
static int put_zeros(struct import *im, uint64_t end, struct err *err)
{
	static const char zeros[64 << 10];

	while (im->done < end) {
		uint64_t left = end - im->done;

		if (put(im, zeros, left < sizeof zeros ? (size_t)left : sizeof zeros, err) < 0)
			return -1;
	}
	return 0;
}

static int read_blocks(struct import *im, struct err *err)
{
	for (;;) {
		const void *data = NULL;
		size_t n = 0;
		la_int64_t offset = 0;
		int r = archive_read_data_block(im->archive, &data, &n, &offset);

		if (r == ARCHIVE_EOF)
			return 0;
		if (r != ARCHIVE_OK)
			return archive_failed(im->archive, "read", err);
		if (offset < 0 || (uint64_t)offset < im->done || (uint64_t)offset > im->size || n > im->size - (uint64_t)offset)
			return err_set(err, ERR_INPUT, 0, "its pieces do not make a file of its size");
		if (put_zeros(im, (uint64_t)offset, err) < 0 || put(im, data, n, err) < 0 || check_ratio(im, err) < 0)
			return -1;
	}
}

/** Puts the content of the file at hand into the store. */
static int read_file(struct import *im, struct digest *ret, struct err *err)
{
	im->done = 0;
	/* check_links() has seen that the difference is none below 0. */
	if (im->size > IMPORT_BYTES_MAX - total(im))
		return err_set(err, ERR_INPUT, 0, "the files come to more than %llu bytes", (unsigned long long)IMPORT_BYTES_MAX);
	im->bytes += im->size;
	if (check_ratio(im, err) < 0 || read_blocks(im, err) < 0 || put_zeros(im, im->size, err) < 0)
		return -1;
	if (im->done < sizeof im->head && put_head(im, err) < 0)
		return -1;
	return store_writer_end(im->writer, ret, NULL, err);
}

static int take_file(struct import *im, struct import_entry *e, struct err *err)
{
	/* Before its bytes are read. */
	if (import_table_check(im->table, e->path, false, err) < 0)
		return -1;
	e->kind = IMPORT_FILE;
	e->size = im->size;
	if (read_file(im, &e->digest, err) < 0)
		return err_ctx(err, "'" SHOWN "'", e->path);
	return import_table_add(im->table, e, err);
}

/** Holds hard links, which need no bytes of the archive, to its limits. */
static int check_links(const struct import *im, struct err *err)
{
	if (total(im) > IMPORT_BYTES_MAX)
		return err_set(err, ERR_INPUT, 0, "with hard links as files of their own, the files come to more than %llu bytes",
			       (unsigned long long)IMPORT_BYTES_MAX);
	return check_ratio(im, err);
}

static int take_hard_link(struct import *im, const char *raw, struct err *err)
{
	auto_buf target = {0};

	if (clean_path(raw, &target, err) < 0)
		return err_ctx(err, "'" SHOWN "' is a hard link to", im->path);
	if (import_table_link(im->table, im->path, target.data, err) < 0)
		return -1;
	return check_links(im, err) < 0 ? err_ctx(err, "'" SHOWN "'", im->path) : 0;
}

static int take_by_type(struct import *im, struct archive_entry *from, struct err *err)
{
	struct import_entry e = {
		.path = im->path, .mode = archive_entry_perm(from) & TREE_MODE_BITS,
		.uid = (uint64_t)archive_entry_uid(from), .gid = (uint64_t)archive_entry_gid(from),
	};

	switch (archive_entry_filetype(from)) {
	case AE_IFREG:
		return take_file(im, &e, err);
	case AE_IFDIR:
		e.kind = IMPORT_DIR;
		break;
	case AE_IFLNK:
		e.kind = IMPORT_LINK;
		e.link = archive_entry_symlink(from);
		if (e.link == NULL || e.link[0] == '\0')
			return err_set(err, ERR_INPUT, 0, "'" SHOWN "': a link to nowhere", e.path);
		break;
	default:
		e.kind = IMPORT_ODD;
	}
	return import_table_add(im->table, &e, err);
}

static int take_entry(struct import *im, struct archive_entry *from, struct err *err)
{
	auto_buf path = {0};
	const char *hard = archive_entry_hardlink(from);
	la_int64_t size = archive_entry_size(from);

	if (clean_path(archive_entry_pathname(from), &path, err) < 0)
		return -1;
	im->path = path.data;
	im->size = (uint64_t)size;
	im->entries++;
	/* For every type: what is not taken has to be read over. */
	if (size < 0 || im->size > IMPORT_FILE_MAX)
		return err_set(err, ERR_INPUT, 0, "'" SHOWN "': larger than %llu bytes", im->path, (unsigned long long)IMPORT_FILE_MAX);
	if (check_ratio(im, err) < 0)
		return err_ctx(err, "'" SHOWN "'", im->path);
	if (hard != NULL)
		return take_hard_link(im, hard, err);
	/* The root's own mode and owner are no content (enum tree_form). */
	if (strcmp(im->path, ".") == 0 && archive_entry_filetype(from) == AE_IFDIR)
		return 0;
	return take_by_type(im, from, err);
}

/** Whether a header is as it should be. libarchive warns of names in pax headers that this locale has no characters for, and gives their
 *  bytes, which are the names; any other warning is damage. */
static bool is_sound(struct archive *a, int result)
{
	const char *why = archive_error_string(a);

	return result == ARCHIVE_OK || (result == ARCHIVE_WARN && why != NULL && strstr(why, "can't be converted from") != NULL);
}

int import_tar(int fd, struct store_writer *writer, struct tree_builder *b, struct err *err)
{
	auto_import_table table = NULL;
	auto_archive a = archive_read_new();

	if (a == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "open the archive");
	if (import_table_new(&table, err) < 0 || open_archive(fd, a, err) < 0)
		return -1;
	struct import im = { .archive = a, .writer = writer, .table = table };
	for (;;) {
		struct archive_entry *entry;
		int r = archive_read_next_header(a, &entry);

		if (r == ARCHIVE_EOF)
			break;
		if (!is_sound(a, r))
			return archive_failed(a, "read the archive", err);
		if (take_entry(&im, entry, err) < 0)
			return -1;
	}
	if (im.entries == 0)
		return err_set(err, ERR_INPUT, 0, "the archive holds nothing");
	/* What waited is counted only now. */
	return import_table_end(table, b, err) < 0 ? -1 : check_links(&im, err);
}

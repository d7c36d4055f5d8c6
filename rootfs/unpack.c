/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/unpack.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "oci/tar.h"
#include "rootfs/wire.h"

/** The input is read in pieces of this size. */
#define READ_BLOCK (256u << 10)

struct unpack {
	int in, out;
	struct archive *archive;
	char *block;         /**< READ_BLOCK bytes that libarchive reads from */
	uint64_t total;      /**< bytes of the input so far */
	bool at_end;         /**< of the input */
	bool fill_up;        /**< the last block of the input, with zeros */
	uint64_t at, size;   /**< of a file that is read here and there: where, and its size */
	struct err *why;     /**< what the read callback failed with */
	bool failed;
};

static inline void own_archive(struct archive **a)
{
	if (*a != NULL)
		archive_read_free(*a);
}
#define auto_archive __attribute__((cleanup(own_archive))) struct archive *

static int archive_failed(const struct unpack *u, const char *what, struct err *err)
{
	const char *why = archive_error_string(u->archive);

	if (u->failed)
		return -1;
	/* What a reader may take is limited: a codec that wants more is the archive's doing. */
	return err_set(err, ERR_INPUT, archive_errno(u->archive) == ENOMEM ? ENOMEM : 0, "%s: %s", what,
		       why == NULL ? "the archive is damaged" : why);
}

/** libarchive's read callback for a file. */
static la_ssize_t feed_part(struct archive *a, void *arg, const void **ret)
{
	struct unpack *u = arg;
	uint64_t left = u->size - u->at;
	size_t want = left < READ_BLOCK ? (size_t)left : READ_BLOCK, got = 0;

	while (got < want) {
		ssize_t n = pread(u->in, u->block + got, want - got, (off_t)(u->at + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			archive_set_error(a, n < 0 ? errno : EIO, "%s", "read");
			return -1;
		}
		got += (size_t)n;
	}
	u->at += got;
	*ret = u->block;
	return (la_ssize_t)got;
}

/** And its seek callback. */
static la_int64_t seek_part(struct archive *a, void *arg, la_int64_t offset, int whence)
{
	struct unpack *u = arg;
	int64_t from = whence == SEEK_SET ? 0 : (int64_t)(whence == SEEK_CUR ? u->at : u->size);

	/* Sizes of files are far from the ends of the type. */
	if (offset > INT64_MAX / 2 || offset < -(INT64_MAX / 2) || from + offset < 0 || (uint64_t)(from + offset) > u->size) {
		archive_set_error(a, EINVAL, "%s", "it points out of itself");
		return ARCHIVE_FATAL;
	}
	u->at = (uint64_t)(from + offset);
	return (la_int64_t)u->at;
}

/** libarchive's read callback. */
static la_ssize_t feed(struct archive *a, void *arg, const void **ret)
{
	struct unpack *u = arg;
	size_t got;

	if (io_read_full(u->in, u->block, READ_BLOCK, &got, u->why) < 0) {
		u->failed = true;
		archive_set_error(a, EIO, "%s", "read");
		return -1;
	}
	u->at_end = got < READ_BLOCK;
	u->total += got;
	if (u->at_end && u->fill_up && u->total % TAR_BLOCK != 0) {
		size_t missing = TAR_BLOCK - u->total % TAR_BLOCK;

		/* Blocks are whole in READ_BLOCK: there is room. */
		memset(u->block + got, 0, missing);
		got += missing;
		u->fill_up = false;
	}
	*ret = u->block;
	return (la_ssize_t)got;
}

/** The codecs that libarchive has in itself: never one that it would start a program for. */
static int allow_codec(struct archive *a, enum unpack_codec codec)
{
	static int (*const codecs[])(struct archive *) = {
		archive_read_support_filter_bzip2, archive_read_support_filter_compress, archive_read_support_filter_gzip,
		archive_read_support_filter_lz4, archive_read_support_filter_lzip, archive_read_support_filter_lzma,
		archive_read_support_filter_xz, archive_read_support_filter_zstd,
	};
	int r = ARCHIVE_OK;

	/* By name there is no guessing: gzip inside gzip would be undone twice. */
	if (codec == UNPACK_GZIP)
		return archive_read_append_filter(a, ARCHIVE_FILTER_GZIP);
	if (codec == UNPACK_ZSTD)
		return archive_read_append_filter(a, ARCHIVE_FILTER_ZSTD);
	for (size_t i = 0; codec == UNPACK_ANY && r == ARCHIVE_OK && i < ARRAY_LEN(codecs); i++)
		r = codecs[i](a);
	return r;
}

static int open_archive(struct unpack *u, enum unpack_codec codec, int (*format)(struct archive *), struct err *err)
{
	u->why = err;
	if (u->archive == NULL || u->block == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an archive");
	if (allow_codec(u->archive, codec) != ARCHIVE_OK || format(u->archive) != ARCHIVE_OK)
		return archive_failed(u, "set up the archive reader", err);
	if (archive_read_open(u->archive, u, NULL, feed, NULL) != ARCHIVE_OK)
		return archive_failed(u, "open the archive", err);
	return 0;
}

/** Reads over what stands behind the archive's end: whoever feeds and hashes it sees all of it gone. */
static int drain(struct unpack *u, struct err *err)
{
	size_t got = 1;

	while (!u->at_end && got > 0)
		if (io_read_full(u->in, u->block, READ_BLOCK, &got, err) < 0)
			return -1;
	return 0;
}

static int copy_bytes(struct unpack *u, struct err *err)
{
	struct archive_entry *entry;
	int r = archive_read_next_header(u->archive, &entry);

	while (r == ARCHIVE_OK) {
		const void *data;
		size_t n;
		la_int64_t offset;

		r = archive_read_data_block(u->archive, &data, &n, &offset);
		if (r == ARCHIVE_OK && io_write_all(u->out, data, n, err) < 0)
			return -1;
	}
	return r == ARCHIVE_EOF ? 0 : archive_failed(u, "decompress", err);
}

int unpack_bytes(int in, int out, enum unpack_codec codec, struct err *err)
{
	auto_archive a = archive_read_new();
	auto_free char *block = malloc(READ_BLOCK);
	struct unpack u = { .in = in, .out = out, .archive = a, .block = block };

	if (open_archive(&u, codec, archive_read_support_format_raw, err) < 0 || copy_bytes(&u, err) < 0)
		return -1;
	return drain(&u, err);
}

static int send(struct unpack *u, const struct wire_head *h, struct err *err)
{
	return io_write_all(u->out, h, sizeof *h, err);
}

/** Sends a hole, and then @p n bytes. */
static int send_data(struct unpack *u, uint64_t hole, const char *data, size_t n, struct err *err)
{
	const struct wire_head h = { .type = WIRE_HOLE, .size = hole };

	if (hole > 0 && send(u, &h, err) < 0)
		return -1;
	while (n > 0) {
		size_t part = n < WIRE_DATA_MAX ? n : WIRE_DATA_MAX;
		const struct wire_head d = { .type = WIRE_DATA, .size = part };

		if (send(u, &d, err) < 0 || io_write_all(u->out, data, part, err) < 0)
			return -1;
		data += part;
		n -= part;
	}
	return 0;
}

static int send_content(struct unpack *u, uint64_t size, struct err *err)
{
	uint64_t done = 0;

	for (;;) {
		const void *data = NULL;
		size_t n = 0;
		la_int64_t offset = 0;
		int r = archive_read_data_block(u->archive, &data, &n, &offset);

		if (r == ARCHIVE_EOF)
			return send_data(u, size - done, NULL, 0, err);
		if (r != ARCHIVE_OK)
			return archive_failed(u, "read", err);
		if (offset < 0 || (uint64_t)offset < done || (uint64_t)offset > size || n > size - (uint64_t)offset)
			return err_set(err, ERR_INPUT, 0, "its pieces do not make a file of its size");
		if (send_data(u, (uint64_t)offset - done, data, n, err) < 0)
			return -1;
		done = (uint64_t)offset + n;
	}
}

static uint32_t kind_of(struct archive_entry *e)
{
	if (archive_entry_hardlink(e) != NULL)
		return WIRE_HARD;
	switch (archive_entry_filetype(e)) {
	case AE_IFREG: return WIRE_FILE;
	case AE_IFDIR: return WIRE_DIR;
	case AE_IFLNK: return WIRE_LINK;
	default: return WIRE_ODD;
	}
}

static int send_entry(struct unpack *u, struct archive_entry *e, struct err *err)
{
	uint32_t kind = kind_of(e);
	const char *path = archive_entry_pathname(e);
	const char *link = kind == WIRE_HARD ? archive_entry_hardlink(e) : kind == WIRE_LINK ? archive_entry_symlink(e) : NULL;
	size_t path_len = path == NULL ? 0 : strlen(path), link_len = link == NULL ? 0 : strlen(link);
	la_int64_t size = archive_entry_size(e);

	if (path_len > WIRE_NAME_MAX || link_len > WIRE_NAME_MAX)
		return err_set(err, ERR_INPUT, 0, "'%.200s': a name of more than %u bytes", path, WIRE_NAME_MAX);
	const struct wire_head h = {
		.type = WIRE_ENTRY, .kind = kind, .mode = archive_entry_perm(e), .path_len = (uint32_t)path_len,
		.link_len = (uint32_t)link_len, .uid = (uint64_t)archive_entry_uid(e), .gid = (uint64_t)archive_entry_gid(e),
		/* A negative one is too large as well. */
		.size = (uint64_t)size,
	};
	if (send(u, &h, err) < 0 || io_write_all(u->out, path, path_len, err) < 0 || io_write_all(u->out, link, link_len, err) < 0)
		return -1;
	return kind == WIRE_FILE ? send_content(u, h.size, err) : 0;
}

/** Whether a header is as it should be. libarchive warns of names in pax headers that this locale has no characters for, and gives their
 *  bytes, which are the names; any other warning is damage. */
static bool is_sound(struct archive *a, int result)
{
	const char *why = archive_error_string(a);

	return result == ARCHIVE_OK || (result == ARCHIVE_WARN && why != NULL && strstr(why, "can't be converted from") != NULL);
}

/** What a warning about a header means, where libarchive's words help nobody. */
static int unsound(const struct unpack *u, struct err *err)
{
	const char *why = archive_error_string(u->archive);

	if (why != NULL && strstr(why, "cannot be converted") != NULL)
		return err_set(err, ERR_INPUT, 0, "it has names beyond ASCII, which glovebox does not read from a zip: use a tar");
	return archive_failed(u, "read the archive", err);
}

static int send_entries(struct unpack *u, struct err *err)
{
	static const struct wire_head end = { .type = WIRE_END };

	for (;;) {
		struct archive_entry *entry;
		int r = archive_read_next_header(u->archive, &entry);

		if (r == ARCHIVE_EOF)
			return drain(u, err) < 0 ? -1 : send(u, &end, err);
		if (!is_sound(u->archive, r))
			return unsound(u, err);
		if (send_entry(u, entry, err) < 0)
			return -1;
	}
}

static int take_apart(struct unpack *u, enum unpack_codec codec, struct err *err)
{
	auto_archive a = archive_read_new();
	auto_free char *block = malloc(READ_BLOCK);

	u->archive = a;
	u->block = block;
	return open_archive(u, codec, archive_read_support_format_tar, err) < 0 ? -1 : send_entries(u, err);
}

int unpack_tar(int in, int out, enum unpack_codec codec, struct err *err)
{
	struct unpack u = { .in = in, .out = out };

	return take_apart(&u, codec, err);
}

int unpack_layer(int in, int out, enum unpack_codec codec, struct err *err)
{
	struct unpack u = { .in = in, .out = out, .fill_up = true };

	return take_apart(&u, codec, err);
}

int unpack_zip(int in, int out, enum unpack_codec codec, struct err *err)
{
	auto_archive a = archive_read_new();
	auto_free char *block = malloc(READ_BLOCK);
	off_t size = lseek(in, 0, SEEK_END);
	struct unpack u = { .in = in, .out = out, .archive = a, .block = block, .at_end = true, .size = size < 0 ? 0 : (uint64_t)size };

	(void)codec;
	if (size < 0)
		return err_set(err, ERR_INTERNAL, errno, "read an archive");
	if (a == NULL || block == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an archive");
	/* Never by the entries as they stream by: they may say another thing than the directory. */
	if (archive_read_support_format_zip_seekable(a) != ARCHIVE_OK || archive_read_set_callback_data(a, &u) != ARCHIVE_OK ||
	    archive_read_set_read_callback(a, feed_part) != ARCHIVE_OK || archive_read_set_seek_callback(a, seek_part) != ARCHIVE_OK)
		return archive_failed(&u, "set up the archive reader", err);
	if (archive_read_open1(a) != ARCHIVE_OK)
		return archive_failed(&u, "open the archive", err);
	return send_entries(&u, err);
}

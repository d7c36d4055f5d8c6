/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <errno.h>
#include <string.h>

#include "oci/foreign.h"
#include "rootfs/import_table.h"
#include "rootfs/stream.h"
#include "rootfs/wire.h"

/** An image being read, layer by layer. */
struct image {
	const struct oci_files *files;
	struct store_writer *writer;
	struct import_totals totals;
	struct import_rows rows;      /**< what the layers so far make */
};

/** The codec that the first bytes show. Right or wrong, the diff ID decides. */
static int find_codec(const struct oci_part *part, enum unpack_codec *ret, struct err *err)
{
	unsigned char head[4] = {0};
	ssize_t n;

	do
		n = pread(part->fd, head, part->size < sizeof head ? (size_t)part->size : sizeof head, (off_t)part->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, ERR_INPUT, errno, "read");
	if (head[0] == 0x1f && head[1] == 0x8b)
		*ret = UNPACK_GZIP;
	else if (memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0 || ((head[0] & 0xf0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0))
		*ret = UNPACK_ZSTD;
	else
		*ret = UNPACK_NONE;
	return 0;
}

static int check_digests(const struct oci_foreign_layer *l, const struct stream_sums *sums, struct err *err)
{
	char have[DIGEST_STR_SIZE], want[DIGEST_STR_SIZE];

	if (l->has_digest && !digest_eq(&l->digest, &sums->stored_digest))
		return err_set(err, ERR_INPUT, 0, "its bytes have the digest %s", digest_str(&sums->stored_digest, have));
	if (!digest_eq(&l->diff_id, &sums->plain_digest))
		return err_set(err, ERR_INPUT, 0, "decompressed, it is %s, and the config's diff ID is %s",
			       digest_str(&sums->plain_digest, have), digest_str(&l->diff_id, want));
	return 0;
}

int import_layer(struct store_writer *writer, struct import_totals *totals, const struct stream_source *from, enum unpack_codec codec,
		 enum tree_form form, size_t number, struct import_rows *below, struct stream_sums *ret_sums, struct err *err)
{
	auto_import_table table = NULL;
	auto_import_rows rows = {0};
	auto_stream s = NULL;

	if (import_table_new(totals, true, &table, err) < 0 || stream_open(from, codec, STREAM_LAYER, &s, err) < 0 ||
	    import_entries(s, writer, table, totals, form, err) < 0 || stream_end(s, ret_sums, err) < 0)
		return -1;
	import_table_take(table, &rows);
	for (size_t i = 0; i < rows.n; i++)
		rows.v[i]->layer = number;
	return import_layers_put(below, &rows, totals, err);
}

static int add_layer(struct image *im, size_t number, const struct oci_foreign_layer *l, bool links, struct err *err)
{
	auto_oci_part part = OCI_PART_NONE;
	enum unpack_codec codec;
	struct stream_sums sums;

	if (oci_files_find(im->files, l->file, links, &part, err) < 0)
		return -1;
	if (l->has_digest && l->size != part.size)
		return err_set(err, ERR_INPUT, 0, "%llu bytes, and its descriptor says %llu", (unsigned long long)part.size,
			       (unsigned long long)l->size);
	const struct stream_source from = { .fd = part.fd, .offset = part.offset, .size = part.size };
	if (find_codec(&part, &codec, err) < 0 ||
	    import_layer(im->writer, &im->totals, &from, codec, TREE_ROOTFS, number, &im->rows, &sums, err) < 0)
		return -1;
	return check_digests(l, &sums, err);
}

int import_image(struct store *store, const struct oci_files *files, enum oci_shape shape, const struct rootfs_source *source,
		 struct tree_builder *b, struct err *err)
{
	auto_oci_foreign found = {0};
	struct oci_platform platform;
	auto_store_writer w = NULL;
	struct image im = { .files = files };
	int result = 0;

	if (oci_platform_parse(source->platform, &platform, err) < 0 ||
	    oci_foreign_open(files, shape, source->ref, &platform, &found, err) < 0 ||
	    store_writer_begin(store, &w, err) < 0)
		return -1;
	im.writer = w;
	for (size_t i = 0; result == 0 && i < found.nlayers; i++) {
		result = add_layer(&im, i, &found.layers[i], found.links, err);
		if (result < 0)
			err_prefix(err, "layer %zu of %zu (%.200s)", i + 1, found.nlayers, found.layers[i].file);
	}
	if (result == 0)
		result = import_rows_hand_over(&im.rows, b, err);
	import_rows_free(&im.rows);
	return result;
}

/* ---- archives that are compressed as a whole ---------------------------------------- */

int import_spool(struct store *store, const struct stream_source *from, int *ret_fd, struct err *err)
{
	auto_fd to = -1;
	auto_stream s = NULL;
	auto_free char *chunk = malloc(WIRE_DATA_MAX);
	struct stream_sums sums;
	uint64_t total = 0;
	size_t got = 1;

	if (chunk == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "decompress an archive");
	if (scratch_file(store, &to, err) < 0 || stream_open(from, UNPACK_ANY, STREAM_BYTES, &s, err) < 0)
		return -1;
	while (got > 0) {
		if (stream_take(s, chunk, WIRE_DATA_MAX, &got, err) < 0)
			return -1;
		total += got;
		if (total > IMPORT_BYTES_MAX)
			return err_set(err, ERR_INPUT, 0, "it decompresses to more than %llu bytes", (unsigned long long)IMPORT_BYTES_MAX);
		if (stream_check_ratio(stream_stored(s), total, err) < 0 || io_write_all(to, chunk, got, err) < 0)
			return -1;
	}
	if (stream_end(s, &sums, err) < 0)
		return -1;
	*ret_fd = move_fd(&to);
	return 0;
}

bool import_begins_as_image(const struct stream_source *from)
{
	auto_stream s = NULL;
	struct err ignored = {0};
	struct wire_head h;
	auto_buf path = {0};

	if (stream_open(from, UNPACK_ANY, STREAM_TAR, &s, &ignored) < 0)
		return false;
	for (;;) {
		char *to;

		if (stream_read(s, &h, sizeof h, &ignored) < 0 || h.type != WIRE_ENTRY || h.path_len > WIRE_NAME_MAX)
			return false;
		buf_clear(&path);
		to = buf_room(&path, h.path_len);
		if (to == NULL || stream_read(s, to, h.path_len, &ignored) < 0)
			return false;
		buf_seal(&path, h.path_len);
		const char *name = text_starts(path.data, "./") ? path.data + 2 : path.data;
		/* The root says nothing yet. */
		if (h.kind != WIRE_DIR || (name[0] != '\0' && strcmp(name, ".") != 0))
			return oci_is_image_member(name);
	}
}

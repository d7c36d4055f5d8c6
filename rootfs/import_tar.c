/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <errno.h>
#include <string.h>

#include "oci/rules.h"
#include "rootfs/import_table.h"
#include "rootfs/stream.h"
#include "rootfs/wire.h"

struct import {
	struct stream *from;
	struct store_writer *writer;
	struct import_table *table;
	struct import_totals *totals;
	enum tree_form form;
	char *data;            /**< WIRE_DATA_MAX bytes */
	struct buf raw, link;  /**< the entry's names as they came */
	struct buf clean;      /**< and its path made clean */
	/* the entry at hand */
	const char *path;
	uint64_t size;
	uint64_t done;         /**< bytes taken */
	char head[PYC_HEADER]; /**< the first of them, held back for pyc_amend() */
};

static int malformed(struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "the process that read the archive says what makes no sense: the archive has taken it over");
}

/** Appends the clean form of an archive's path: "./a//b/" is "a/b", "./" is ".". */
static int clean_path(const char *raw, struct buf *out, struct err *err)
{
	const char *fault = raw == NULL || raw[0] == '\0' ? "an entry without a name" : NULL;

	/* "/" alone is the root: umoci insert writes it. */
	if (fault == NULL && raw[0] == '/' && raw[strspn(raw, "/")] != '\0')
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

/** Refuses archives that are small only until they are unpacked. */
static int check_ratio(const struct import *im, struct err *err)
{
	uint64_t unpacked = stream_plain(im->from);

	if (unpacked < import_totals_bytes(im->totals) - im->totals->before)
		unpacked = import_totals_bytes(im->totals) - im->totals->before;
	return stream_check_ratio(stream_stored(im->from), unpacked, err);
}

/** Hands the held-back head on. */
static int put_head(struct import *im, struct err *err)
{
	size_t n = im->done < sizeof im->head ? (size_t)im->done : sizeof im->head;

	if (im->form == TREE_ROOTFS)
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

/** Takes one message's worth of the file at hand. */
static int take_piece(struct import *im, struct err *err)
{
	struct wire_head h;

	if (stream_read(im->from, &h, sizeof h, err) < 0)
		return -1;
	if ((h.type != WIRE_DATA && h.type != WIRE_HOLE) || h.size > im->size - im->done)
		return malformed(err);
	if (h.type == WIRE_HOLE)
		return put_zeros(im, im->done + h.size, err);
	if (h.size > WIRE_DATA_MAX)
		return malformed(err);
	if (stream_read(im->from, im->data, (size_t)h.size, err) < 0)
		return -1;
	return put(im, im->data, (size_t)h.size, err);
}

/** Puts the content of the file at hand into the store. */
static int read_file(struct import *im, struct digest *ret, struct err *err)
{
	im->done = 0;
	if (import_totals_add(im->totals, im->size, err) < 0 || check_ratio(im, err) < 0)
		return -1;
	while (im->done < im->size)
		if (take_piece(im, err) < 0 || check_ratio(im, err) < 0)
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

static int take_hard_link(struct import *im, struct err *err)
{
	auto_buf target = {0};

	if (clean_path(im->link.data, &target, err) < 0)
		return err_ctx(err, "'" SHOWN "' is a hard link to", im->path);
	if (import_table_link(im->table, im->path, target.data, err) < 0)
		return -1;
	/* Hard links need no bytes of the archive: they are held to its limits all the same. */
	return check_ratio(im, err) < 0 ? err_ctx(err, "'" SHOWN "'", im->path) : 0;
}

/** Takes an entry of a layer if it is a whiteout; *@p ret_done says whether it was. */
static int take_whiteout(struct import *im, const struct wire_head *h, bool *ret_done, struct err *err)
{
	enum rules_mark mark;
	auto_buf victim = {0};
	const char *why = rules_whiteout(im->path, h->kind == WIRE_FILE && h->size == 0, &mark, &victim);

	if (why != NULL)
		return err_set(err, ERR_INPUT, 0, "'" SHOWN "': %s", im->path, why);
	buf_adds(&victim, "");
	if (buf_check(&victim, "path", err) < 0)
		return -1;
	*ret_done = mark != RULES_PLAIN;
	if (mark == RULES_PLAIN)
		return 0;
	return import_table_whiteout(im->table, im->path, mark == RULES_OPAQUE ? IMPORT_OPAQUE : IMPORT_WHITEOUT, victim.data, err);
}

static int take_by_kind(struct import *im, const struct wire_head *h, struct err *err)
{
	struct import_entry e = { .path = im->path, .mode = h->mode & TREE_MODE_BITS, .uid = h->uid, .gid = h->gid };

	switch (h->kind) {
	case WIRE_FILE:
		return take_file(im, &e, err);
	case WIRE_HARD:
		return take_hard_link(im, err);
	case WIRE_DIR:
		/* The root's own mode and owner are no content (enum tree_form). */
		if (strcmp(im->path, ".") == 0)
			return 0;
		e.kind = IMPORT_DIR;
		break;
	case WIRE_LINK:
		e.kind = IMPORT_LINK;
		e.link = im->link.data;
		if (e.link[0] == '\0')
			return err_set(err, ERR_INPUT, 0, "'" SHOWN "': a link to nowhere", e.path);
		break;
	default:
		e.kind = IMPORT_ODD;
	}
	return import_table_add(im->table, &e, err);
}

/** Takes a name that is announced with @p n bytes. */
static int take_name(struct import *im, uint32_t n, struct buf *out, struct err *err)
{
	buf_clear(out);
	char *to = n > WIRE_NAME_MAX ? NULL : buf_room(out, n);
	if (to == NULL)
		return n > WIRE_NAME_MAX ? malformed(err) : buf_check(out, "name", err);
	if (stream_read(im->from, to, n, err) < 0)
		return -1;
	buf_seal(out, n);
	return strlen(out->data) == n ? 0 : malformed(err);
}

static int take_entry(struct import *im, const struct wire_head *h, struct err *err)
{
	if (h->kind < WIRE_DIR || h->kind > WIRE_ODD)
		return malformed(err);
	if (take_name(im, h->path_len, &im->raw, err) < 0 || take_name(im, h->link_len, &im->link, err) < 0)
		return -1;
	buf_clear(&im->clean);
	if (clean_path(im->raw.data, &im->clean, err) < 0)
		return -1;
	im->path = im->clean.data;
	im->size = h->size;
	im->totals->entries++;
	/* For every kind: what is not taken has to be read over. */
	if (im->size > IMPORT_FILE_MAX)
		return err_set(err, ERR_INPUT, 0, "'" SHOWN "': larger than %llu bytes", im->path, (unsigned long long)IMPORT_FILE_MAX);
	if (check_ratio(im, err) < 0)
		return err_ctx(err, "'" SHOWN "'", im->path);
	bool done = false;
	if (import_table_is_layer(im->table) && take_whiteout(im, h, &done, err) < 0)
		return -1;
	return done ? 0 : take_by_kind(im, h, err);
}

static int take_entries(struct import *im, struct err *err)
{
	for (;;) {
		struct wire_head h;

		if (stream_read(im->from, &h, sizeof h, err) < 0)
			return -1;
		if (h.type == WIRE_END)
			return 0;
		if (h.type != WIRE_ENTRY)
			return malformed(err);
		if (take_entry(im, &h, err) < 0)
			return -1;
	}
}

int import_entries(struct stream *from, struct store_writer *writer, struct import_table *table, struct import_totals *totals,
		   enum tree_form form, struct err *err)
{
	auto_free char *data = malloc(WIRE_DATA_MAX);
	struct import im = { .from = from, .writer = writer, .table = table, .totals = totals, .form = form, .data = data };

	if (data == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read an archive");
	totals->before = import_totals_bytes(totals);
	int result = take_entries(&im, err);
	/* What waited is counted only now. */
	if (result == 0)
		result = import_table_settle(table, err);
	if (result == 0)
		result = check_ratio(&im, err);
	buf_free(&im.raw);
	buf_free(&im.link);
	buf_free(&im.clean);
	return result;
}

static int read_tar(struct store *store, const struct stream_source *from, enum tree_form form, struct import_totals *totals,
		    struct tree_builder *b, struct err *err)
{
	auto_store_writer w = NULL;
	auto_import_table table = NULL;
	auto_stream s = NULL;
	auto_import_rows rows = {0};
	struct stream_sums sums;

	if (store_writer_begin(store, &w, err) < 0 || import_table_new(totals, false, &table, err) < 0 ||
	    stream_open(from, UNPACK_ANY, STREAM_TAR, &s, err) < 0 || import_entries(s, w, table, totals, form, err) < 0 ||
	    stream_end(s, &sums, err) < 0)
		return -1;
	import_table_take(table, &rows);
	return import_rows_hand_over(&rows, b, err);
}

int import_tar(struct store *store, const struct stream_source *from, struct tree_builder *b, struct err *err)
{
	struct import_totals totals = {0};

	if (read_tar(store, from, TREE_ROOTFS, &totals, b, err) < 0)
		return -1;
	return totals.entries != 0 ? 0 : err_set(err, ERR_INPUT, 0, "the archive holds nothing");
}

/** The digest of what was built, or it put into the store. */
static int finish_tree(struct store *store, struct tree_builder *b, struct digest *ret, struct err *err)
{
	auto_buf manifest = {0};

	if (store != NULL)
		return store_put_tree(store, b, ret, err);
	return tree_builder_manifest(b, &manifest, err) < 0 ? -1 : hash_bytes(manifest.data, manifest.len, ret, err);
}

int rootfs_unpack_tree(struct store *store, int fd, uint64_t offset, uint64_t size, struct digest *ret, struct err *err)
{
	const struct stream_source from = { fd, offset, size };
	struct import_totals totals = {0};
	auto_tree_builder b = NULL;

	if (tree_builder_new(&b, err) < 0 || read_tar(store, &from, TREE_SOURCE, &totals, b, err) < 0)
		return -1;
	return finish_tree(store, b, ret, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* An archive that was fetched becomes a source: read like one that becomes a root filesystem, and laid down in the sources' normal form. */
#include "rootfs/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "rootfs/import_table.h"
#include "rootfs/stream.h"

/** What the store remembers of archives. Another version of the rules has another key. */
#define KIND "unpacked"
#define RULES "archive 1\n"

/** Sources know neither owners nor modes but x (glovebox-tree(5)), nor anything but directories, files and links. */
static int normalise(struct import_entry *e, struct err *err)
{
	if (e->kind == IMPORT_ODD)
		return err_set(err, ERR_INPUT, 0, "'" SHOWN "': a device, a fifo or a socket, which no source can hold", e->path);
	e->uid = e->gid = 0;
	e->mode = e->kind == IMPORT_DIR || (e->mode & 0100) != 0 ? 0755 : 0644;
	return 0;
}

static int is_zip(int fd, bool *ret, struct err *err)
{
	char magic[4];
	ssize_t n;

	do
		n = pread(fd, magic, sizeof magic, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, ERR_INPUT, errno, "read");
	/* A member, or, of an empty one, the directory's end. */
	*ret = n == sizeof magic && (memcmp(magic, "PK\3\4", sizeof magic) == 0 || memcmp(magic, "PK\5\6", sizeof magic) == 0);
	return 0;
}

static int read_rows(struct store *store, const struct stream_source *from, struct import_rows *rows, struct err *err)
{
	struct import_totals totals = {0};
	auto_store_writer w = NULL;
	auto_import_table table = NULL;
	auto_stream s = NULL;
	struct stream_sums sums;
	bool zip;

	if (is_zip(from->fd, &zip, err) < 0 || store_writer_begin(store, &w, err) < 0 || import_table_new(&totals, false, &table, err) < 0 ||
	    stream_open(from, zip ? UNPACK_NONE : UNPACK_ANY, zip ? STREAM_ZIP : STREAM_TAR, &s, err) < 0 ||
	    import_entries(s, w, table, &totals, TREE_SOURCE, err) < 0 || stream_end(s, &sums, err) < 0)
		return -1;
	if (totals.entries == 0)
		return err_set(err, ERR_INPUT, 0, "the archive holds nothing");
	import_table_take(table, rows);
	return 0;
}

static int unpack(struct store *store, const struct digest *file, struct digest *ret, struct err *err)
{
	auto_tree_builder b = NULL;
	auto_import_rows rows = {0};
	auto_fd fd = -1;
	struct stat st;

	if (store_open_object(store, file, &fd, err) < 0 || tree_builder_new(&b, err) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_INTERNAL, errno, "stat an object");
	const struct stream_source from = { .fd = fd, .size = (uint64_t)st.st_size };
	if (read_rows(store, &from, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows.n; i++)
		if (normalise(&rows.v[i]->e, err) < 0)
			return -1;
	return import_rows_hand_over(&rows, b, err) < 0 ? -1 : store_put_tree(store, b, ret, err);
}

static int make_key(const struct digest *file, struct digest *ret, struct err *err)
{
	auto_buf key = {0};
	char text[DIGEST_STR_SIZE];

	buf_addf(&key, RULES "%s\n", digest_str(file, text));
	return buf_check(&key, "name of an archive", err) < 0 ? -1 : hash_bytes(key.data, key.len, ret, err);
}

static bool recall(struct store *store, const struct digest *key, struct digest *ret)
{
	auto_buf value = {0};

	if (!store_derived_get(store, KIND, key, sizeof ret->b, &value) || value.len != sizeof ret->b)
		return false;
	memcpy(ret->b, value.data, sizeof ret->b);
	return store_has_tree(store, ret);
}

/** Counts what is in a tree, as a snapshot would. */
static int count(struct store *store, const struct digest *tree, struct snapshot_stats *ret, struct err *err)
{
	struct snapshot_stats stats = {0};
	auto_tree_reader reader = NULL;
	struct tree_entry e;
	int more;

	if (store_read_tree(store, tree, &reader, err) < 0)
		return -1;
	while ((more = tree_reader_next(reader, &e, err)) > 0) {
		stats.files += e.type == TREE_FILE;
		stats.dirs += e.type == TREE_DIR;
		stats.links += e.type == TREE_LINK;
		stats.bytes += e.type == TREE_FILE ? e.size : 0;
	}
	if (more == 0)
		*ret = stats;
	return more;
}

int rootfs_unpack(struct store *store, const struct digest *file, struct digest *ret, struct snapshot_stats *ret_stats, struct err *err)
{
	struct digest key, tree;
	struct snapshot_stats stats;

	if (make_key(file, &key, err) < 0)
		return -1;
	if (!recall(store, &key, &tree) &&
	    (unpack(store, file, &tree, err) < 0 || store_sync(store, err) < 0 ||
	     store_derived_put(store, KIND, &key, tree.b, sizeof tree.b, err) < 0))
		return -1;
	if (count(store, &tree, &stats, err) < 0)
		return -1;
	*ret = tree;
	if (ret_stats != NULL)
		*ret_stats = stats;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "rootfs/import_table.h"
#include "rootfs/stream.h"

static void amend(void *arg, const char *path, void *head, size_t n)
{
	(void)arg;
	pyc_amend(path, head, n);
}

static bool is_running_root(const struct stat *st)
{
	struct stat root;

	return stat("/", &root) == 0 && root.st_dev == st->st_dev && root.st_ino == st->st_ino;
}

static int import_dir(struct store *store, int fd, const struct stat *st, struct tree_builder *b, struct err *err)
{
	const struct snapshot_options opt = { .form = TREE_ROOTFS, .skip_odd = true, .amend = amend };
	struct snapshot_stats stats;

	if (is_running_root(st))
		return err_set(err, ERR_USAGE, 0, "that is the running system, which never stands still: import a tree made for it (mmdebstrap, an exported image)");
	return store_snapshot(store, fd, &opt, b, &stats, err);
}

static int import_archive(struct store *store, int fd, uint64_t size, struct tree_builder *b, struct err *err)
{
	const struct stream_source all = { .fd = fd, .size = size };
	struct import_totals totals = {0};
	auto_store_writer w = NULL;
	auto_import_table table = NULL;
	auto_stream s = NULL;
	auto_import_rows rows = {0};
	struct stream_sums sums;

	if (store_writer_begin(store, &w, err) < 0 || import_table_new(&totals, false, &table, err) < 0 ||
	    stream_open(&all, UNPACK_ANY, true, &s, err) < 0 || import_entries(s, w, table, &totals, err) < 0 ||
	    stream_end(s, &sums, err) < 0)
		return -1;
	if (totals.entries == 0)
		return err_set(err, ERR_INPUT, 0, "the archive holds nothing");
	import_table_take(table, &rows);
	return import_rows_hand_over(&rows, b, err);
}

/** Opens and reads @p path, with the right to read inputs. */
static int read_source(struct store *store, const char *path, struct tree_builder *b, struct err *err)
{
	struct stat st;
	auto_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_INPUT, errno, "open");
	if (S_ISDIR(st.st_mode))
		return import_dir(store, fd, &st, b, err);
	if (S_ISREG(st.st_mode))
		return import_archive(store, fd, (uint64_t)st.st_size, b, err);
	return err_set(err, ERR_INPUT, 0, "neither a directory nor an archive");
}

static int read_bracketed(struct store *store, const char *path, struct tree_builder *b, struct err *err)
{
	const struct ident *id = store_ident(store);

	if (ident_read_begin(id, err) < 0)
		return -1;
	return ident_read_done(id, read_source(store, path, b, err), err);
}

int rootfs_import(struct store *store, const char *name, const char *path, struct digest *ret, struct err *err)
{
	struct digest d;
	auto_tree_builder b = NULL;
	auto_free char *root = NULL;

	if (!text_is_name(name))
		return err_set(err, ERR_USAGE, 0, "'" SHOWN "' cannot be the name of a rootfs: letters, digits, '.', '_' and '-', a letter or digit first, at most 100", name);
	if (tree_builder_new(&b, err) < 0)
		return -1;
	if (read_bracketed(store, path, b, err) < 0 || store_put_tree(store, b, &d, err) < 0 ||
	    rootfs_ensure(store, &d, &root, err) < 0 || store_set_name(store, name, &d, err) < 0)
		return err_ctx(err, "import '" SHOWN "'", path);
	*ret = d;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static int sink_writer(void *arg, const char *data, size_t n, struct err *err)
{
	return store_writer_add(arg, data, n, err);
}

int store_put_tree(struct store *store, struct tree_builder *b, struct digest *ret, struct err *err)
{
	auto_store_writer w = NULL;

	if (store_writer_begin(store, &w, err) < 0 || tree_builder_emit(b, sink_writer, w, err) < 0)
		return -1;
	return store_writer_end_tree(w, ret, err);
}

bool store_has_tree(struct store *store, const struct digest *d)
{
	char path[STORE_PATH_SIZE];
	struct stat st;

	return fstatat(store->fd, store_tree_path(d, path), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/** Opens a manifest that is what its name says; @p path gets that. */
static int open_manifest(struct store *store, const struct digest *d, bool use, char path[STORE_PATH_SIZE], int *ret_fd, struct err *err)
{
	struct digest found;
	struct stat st;
	auto_fd fd = openat(store->fd, store_tree_path(d, path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_INPUT : ERR_INTERNAL, errno, "open %s in the store", path);
	if (use && fstat(fd, &st) == 0)
		store_freshen(fd, &st);
	if (hash_fd(fd, &found, NULL, err) < 0)
		return err_ctx(err, "%s", path);
	if (!digest_eq(&found, d))
		return err_set(err, ERR_INPUT, 0, "the manifest %s in the store is damaged: remove it, and import or snapshot its tree again", path);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_INTERNAL, errno, "read %s", path);
	*ret_fd = move_fd(&fd);
	return 0;
}

int store_open_tree(struct store *store, const struct digest *d, int *ret_fd, struct err *err)
{
	char path[STORE_PATH_SIZE];

	return open_manifest(store, d, true, path, ret_fd, err);
}

static int read_tree(struct store *store, const struct digest *d, bool use, struct tree_reader **ret, struct err *err)
{
	char path[STORE_PATH_SIZE];
	int fd;

	return open_manifest(store, d, use, path, &fd, err) < 0 ? -1 : tree_reader_from_fd(fd, path, ret, err);
}

int store_read_tree(struct store *store, const struct digest *d, struct tree_reader **ret, struct err *err)
{
	return read_tree(store, d, true, ret, err);
}

int store_peek_tree(struct store *store, const struct digest *d, struct tree_reader **ret, struct err *err)
{
	return read_tree(store, d, false, ret, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/** "rootfs/" and a digest, and what lies in it. */
#define DIR_SIZE (sizeof "rootfs/" + DIGEST_HEX_SIZE)
#define ROOT_SIZE (DIR_SIZE + sizeof "/root")

static bool is_there(struct store *store, const char *dir)
{
	char root[ROOT_SIZE];
	struct stat st;

	snprintf(root, sizeof root, "%s/root", dir);
	return fstatat(store_fd(store), root, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/** Lays the tree out in @p scratch and renames it to @p dir: what has that name is whole. */
static int make(struct store *store, const struct digest *d, struct store_scratch *scratch, const char *dir, struct err *err)
{
	int at = store_scratch_fd(scratch);

	if (mkdirat(at, "new", 0700) < 0 || mkdirat(at, "new/root", 0700) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a directory in %s", store_scratch_path(scratch));
	auto_fd root = openat(at, "new/root", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return err_set(err, ERR_INTERNAL, errno, "open the new rootfs");
	/* Its content is not read against digests again, so it must survive a loss of power before its name does. */
	if (rootfs_materialise(store, d, root, err) < 0 || store_sync(store, err) < 0)
		return -1;
	if (renameat(at, "new", store_fd(store), dir) == 0)
		return 0;
	int why = errno;
	/* Somebody else was faster. */
	if ((why == EEXIST || why == ENOTEMPTY) && is_there(store, dir))
		return 0;
	return err_set(err, ERR_INTERNAL, why, "rename the new rootfs to %s in the store", dir);
}

int rootfs_ensure(struct store *store, const struct digest *d, char **ret_path, struct err *err)
{
	char hex[DIGEST_HEX_SIZE], dir[DIR_SIZE];
	auto_buf root = {0};
	auto_store_scratch scratch = NULL;

	snprintf(dir, sizeof dir, "rootfs/%s", digest_hex(d, hex));
	buf_addf(&root, "%s/root", dir);
	if (buf_check(&root, "path", err) < 0)
		return -1;
	if (!is_there(store, dir) &&
	    (store_scratch_open(store, &scratch, err) < 0 || make(store, d, scratch, dir, err) < 0))
		return err_ctx(err, "lay out the rootfs sha256:%s", hex);
	*ret_path = buf_take(&root);
	return 0;
}

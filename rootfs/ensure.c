/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
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

int rootfs_begin(struct store_scratch *scratch, int *ret_root, struct err *err)
{
	int at = store_scratch_fd(scratch);

	if (mkdirat(at, "new", 0700) < 0 || mkdirat(at, "new/root", 0700) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a directory in %s", store_scratch_path(scratch));
	int root = openat(at, "new/root", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return err_set(err, ERR_INTERNAL, errno, "open the new rootfs");
	*ret_root = root;
	return 0;
}

/** Lays the tree out in @p scratch, as "new". */
static int lay_out(struct store *store, const struct digest *d, struct store_scratch *scratch, struct err *err)
{
	auto_fd root = -1;

	if (rootfs_begin(scratch, &root, err) < 0)
		return -1;
	/* Its content is not read against digests again, so it must survive a loss of power before its name does. */
	return rootfs_materialise(store, d, root, err) < 0 || store_sync(store, err) < 0 ? -1 : 0;
}

/** Renames what is laid out to @p dir: what has that name is whole. */
static int move_in_place(struct store *store, struct store_scratch *scratch, const char *dir, struct err *err)
{
	if (renameat(store_scratch_fd(scratch), "new", store_fd(store), dir) == 0)
		return 0;
	int why = errno;
	/* Somebody else was faster. */
	if ((why == EEXIST || why == ENOTEMPTY) && is_there(store, dir))
		return 0;
	return err_set(err, ERR_INTERNAL, why, "rename the new rootfs to %s in the store", dir);
}

/** Puts a rootfs in place of the damaged one, which goes with @p scratch. Nobody else does the same meanwhile: rootfs/ is locked. */
static int replace(struct store *store, const struct digest *d, const char *dir, struct err *err)
{
	auto_store_scratch scratch = NULL;

	if (store_scratch_open(store, &scratch, err) < 0)
		return -1;
	int at = store_scratch_fd(scratch);
	if (lay_out(store, d, scratch, err) < 0)
		return -1;
	if (renameat(store_fd(store), dir, at, "damaged") < 0 && errno != ENOENT)
		return err_set(err, ERR_INTERNAL, errno, "move %s in the store away", dir);
	return move_in_place(store, scratch, dir, err);
}

/** Heals a rootfs that was found damaged, unless somebody has healed it by now: what is sound may be in use, and stays. */
static int heal(struct store *store, const struct digest *d, const char *dir, struct err *err)
{
	struct err why = {0}, failed = {0};
	auto_fd lock = openat(store_fd(store), "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (lock < 0)
		return err_set(err, ERR_INTERNAL, errno, "open rootfs in the store");
	while (flock(lock, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_set(err, ERR_INTERNAL, errno, "lock rootfs in the store");
	if (rootfs_check(store, d, dir, &why) == 0)
		return 0;
	if (why.kind == ERR_INPUT && replace(store, d, dir, &failed) == 0)
		return 0;
	*err = why;
	if (why.kind == ERR_INPUT)
		return err_set(err, ERR_INPUT, 0, SHOWN "; to lay it out afresh failed: %.800s", why.msg, failed.msg);
	return -1;
}

int rootfs_place(struct store *store, const struct digest *d, struct store_scratch *scratch, struct err *err)
{
	char hex[DIGEST_HEX_SIZE], dir[DIR_SIZE];

	snprintf(dir, sizeof dir, "rootfs/%s", digest_hex(d, hex));
	if (is_there(store, dir))
		return 0;
	return store_sync(store, err) < 0 || move_in_place(store, scratch, dir, err) < 0 ? err_ctx(err, "lay out the rootfs sha256:%s", hex) : 0;
}

static int ensure(struct store *store, const struct digest *d, const char *dir, struct err *err)
{
	auto_store_scratch scratch = NULL;

	if (is_there(store, dir))
		return 0;
	if (store_scratch_open(store, &scratch, err) < 0 || lay_out(store, d, scratch, err) < 0)
		return -1;
	return move_in_place(store, scratch, dir, err);
}

static int ensure_checked(struct store *store, const struct digest *d, const char *dir, struct err *err)
{
	struct err found = {0};
	struct stat st;

	/* Whatever else has the name is damage. */
	if (fstatat(store_fd(store), dir, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return ensure(store, d, dir, err);
	if (rootfs_check(store, d, dir, &found) == 0)
		return 0;
	if (found.kind == ERR_INPUT)
		return heal(store, d, dir, err);
	*err = found;
	return -1;
}

typedef int ensure_fn(struct store *store, const struct digest *d, const char *dir, struct err *err);

static int ensure_by(ensure_fn *fn, struct store *store, const struct digest *d, char **ret_path, struct err *err)
{
	char hex[DIGEST_HEX_SIZE], dir[DIR_SIZE];
	auto_buf root = {0};

	snprintf(dir, sizeof dir, "rootfs/%s", digest_hex(d, hex));
	buf_addf(&root, "%s/root", dir);
	if (buf_check(&root, "path", err) < 0)
		return -1;
	if (fn(store, d, dir, err) < 0)
		return err_ctx(err, "lay out the rootfs sha256:%s", hex);
	*ret_path = buf_take(&root);
	return 0;
}

int rootfs_ensure(struct store *store, const struct digest *d, char **ret_path, struct err *err)
{
	return ensure_by(ensure, store, d, ret_path, err);
}

int rootfs_ensure_checked(struct store *store, const struct digest *d, char **ret_path, struct err *err)
{
	return ensure_by(ensure_checked, store, d, ret_path, err);
}

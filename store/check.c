/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what has a digest's name is what that digest says. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "store/internal.h"

void store_freshen(int fd, const struct stat *st)
{
	struct timespec now;

	/* Once an hour is enough to tell what is used from what is not, and spares the disk. A store that cannot be written to is not collected. */
	if (clock_gettime(CLOCK_REALTIME, &now) == 0 && (st->st_mtim.tv_sec + STORE_FRESH_S < now.tv_sec || st->st_mtim.tv_sec > now.tv_sec))
		(void)futimens(fd, NULL);
}

int store_check_file(int dirfd, const char *path, const struct digest *d, uint64_t size, bool content, struct err *err)
{
	struct stat st;
	struct digest found;
	auto_fd fd = -1;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, errno == ENOENT ? ERR_INPUT : ERR_INTERNAL, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, 0, "%s is damaged: it is no file", path);
	if (size != STORE_ANY_SIZE && (uint64_t)st.st_size != size)
		return err_set(err, ERR_INPUT, 0, "%s is damaged: it has %llu bytes, not %llu", path, (unsigned long long)st.st_size,
			       (unsigned long long)size);
	if (!content)
		return 0;
	fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, errno, "open %s", path);
	if (hash_fd(fd, &found, NULL, err) < 0)
		return err_ctx(err, "%s", path);
	return digest_eq(&found, d) ? 0 : err_set(err, ERR_INPUT, 0, "%s is damaged: its content has another digest", path);
}

int store_check_object(struct store *store, const struct digest *d, uint64_t size, bool content, struct err *err)
{
	char path[STORE_PATH_SIZE];

	return store_check_file(store->fd, store_object_path(d, path), d, size, content, err);
}

int store_check_tree(struct store *store, const struct digest *d, bool content, struct err *err)
{
	auto_tree_reader reader = NULL;
	struct tree_entry e;
	int more;

	if (store_read_tree(store, d, &reader, err) < 0)
		return -1;
	while ((more = tree_reader_next(reader, &e, err)) > 0)
		if (e.type == TREE_FILE && store_check_object(store, &e.digest, e.size, content, err) < 0)
			return -1;
	return more;
}

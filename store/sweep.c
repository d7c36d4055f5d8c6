/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/apart.h"

/** What a sweep has found dead is renamed to this and its own name, then removed. */
#define DEAD "dead-"

/** Whether the run that made @p name is gone: nobody holds its lock. */
static bool is_dead(int tmp, const char *name)
{
	char path[NAME_MAX + sizeof "/lock"];

	snprintf(path, sizeof path, "%s/lock", name);
	auto_fd lock = openat(tmp, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	/* Made under tmp/'s lock, which we hold: without a lock file it is unfinished, or half removed. */
	if (lock < 0)
		return errno == ENOENT || errno == ENOTDIR;
	return flock(lock, LOCK_EX | LOCK_NB) == 0;
}

static void condemn(const struct store *store, int tmp, const char *name)
{
	char dead[NAME_MAX + 1];

	(void)store;
	if (text_starts(name, DEAD) || strlen(name) > NAME_MAX - strlen(DEAD) || !is_dead(tmp, name))
		return;
	snprintf(dead, sizeof dead, DEAD "%s", name);
	(void)renameat(tmp, name, tmp, dead);
}

struct grave {
	const struct ident *id;
	int tmp;
	const char *name;
};

/** In a process apart, so that no root's rights stay. */
static int bury_as_root(const void *arg, void *answer, struct err *err)
{
	const struct grave *g = arg;

	(void)answer;
	return ident_caller_begin(g->id, err) < 0 ? -1 : io_remove_tree(g->tmp, g->name, err);
}

static void bury(const struct store *store, int tmp, const char *name)
{
	const struct grave grave = { &store->ident, tmp, name };
	struct err why = {0}, ignored = {0};
	char nothing;

	/* Another sweep may be at the same one; both come to its end. */
	if (!text_starts(name, DEAD) || io_remove_tree(tmp, name, &why) == 0)
		return;
	/* A run that built as another user, too, and was killed with all its processes. */
	if (store->ident.real_root && why.sys == EACCES)
		(void)apart_run(bury_as_root, &grave, &nothing, 0, &ignored);
}

static void each(const struct store *store, DIR *dir, void (*fn)(const struct store *store, int tmp, const char *name))
{
	struct dirent *e;

	rewinddir(dir);
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			fn(store, dirfd(dir), e->d_name);
}

void store_sweep(struct store *store)
{
	struct stat st;

	/* All scratch is directories, and most file systems count them: 2 and nothing to sweep is the rule. */
	if (fstatat(store->fd, "tmp", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink == 2)
		return;
	auto_fd fd = openat(store->fd, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_dir dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL)
		return;
	move_fd(&fd);
	/* Somebody is making scratch, or sweeping: then the next run sweeps. */
	if (flock(dirfd(dir), LOCK_EX | LOCK_NB) < 0)
		return;
	each(store, dir, condemn);
	flock(dirfd(dir), LOCK_UN);
	each(store, dir, bury);
}

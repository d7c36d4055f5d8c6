/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

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

static void condemn(int tmp, const char *name)
{
	char dead[NAME_MAX + 1];

	if (text_starts(name, DEAD) || strlen(name) > NAME_MAX - strlen(DEAD) || !is_dead(tmp, name))
		return;
	snprintf(dead, sizeof dead, DEAD "%s", name);
	(void)renameat(tmp, name, tmp, dead);
}

static void bury(int tmp, const char *name)
{
	struct err ignored;

	/* Another sweep may be at the same one; both come to its end. */
	if (text_starts(name, DEAD))
		(void)io_remove_tree(tmp, name, &ignored);
}

static void each(DIR *dir, void (*fn)(int tmp, const char *name))
{
	struct dirent *e;

	rewinddir(dir);
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			fn(dirfd(dir), e->d_name);
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
	each(dir, condemn);
	flock(dirfd(dir), LOCK_UN);
	each(dir, bury);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/near.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"

static bool is_dir(DIR *dir, const char *name)
{
	struct stat st;

	return fstatat(dirfd(dir), name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static DIR *open_parent(int dirfd, const char *path, const char **ret_name)
{
	struct err ignored = {0};
	auto_fd parent = -1;

	if (io_open_parent(dirfd, path, O_RDONLY, &parent, ret_name, &ignored) < 0)
		return NULL;
	DIR *dir = fdopendir(parent);
	if (dir != NULL)
		move_fd(&parent);
	return dir;
}

bool sibling_near(int dirfd, const char *path, char ret[NAME_MAX + 1])
{
	const char *name;
	const struct dirent *e;
	size_t seen = 0;
	bool found = false;
	auto_dir dir = open_parent(dirfd, path, &name);

	while (dir != NULL && seen++ < NEAR_ENTRIES_MAX && (e = readdir(dir)) != NULL) {
		/* The nearest of two: the one found so far, and this. */
		const char *const words[] = { e->d_name, found ? ret : NULL, NULL };
		const char *near = e->d_name[0] == '.' ? NULL : text_did_you_mean(name, words);

		if (near != NULL && near != ret && is_dir(dir, near)) {
			memcpy(ret, near, strlen(near) + 1);
			found = true;
		}
	}
	return found;
}

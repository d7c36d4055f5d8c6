/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <fcntl.h>
#include <string.h>

/** Opens the directory @p path below the root, name by name, through no link. */
static int open_below(int root, const char *path)
{
	char name[TREE_NAME_MAX + 1];
	int fd = -1;

	for (const char *p = path; *p != '\0'; ) {
		size_t n = strcspn(p, "/");

		memcpy(name, p, n);
		name[n] = '\0';
		int next = openat(fd == -1 ? root : fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd != -1)
			close(fd);
		if (next == -1)
			return -1;
		fd = next;
		p += n + (p[n] == '/');
	}
	return fd;
}

int cursor_at(struct cursor *c, const char *path, int *ret_fd, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	if (c->len != n || memcmp(c->path, path, n) != 0) {
		memcpy(c->path, path, n);
		c->path[n] = '\0';
		c->len = n;
		if (c->dir != -1)
			close(c->dir);
		c->dir = n == 0 ? -1 : open_below(c->root, c->path);
	}
	if (n != 0 && c->dir == -1) {
		c->len = 0;
		return -1;
	}
	*ret_fd = n == 0 ? c->root : c->dir;
	*ret_name = slash == NULL ? path : slash + 1;
	return 0;
}

void cursor_close(struct cursor *c)
{
	if (c->dir != -1)
		close(c->dir);
}

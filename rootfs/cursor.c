/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <fcntl.h>
#include <string.h>

/** How many of the held directories lie on the way to the one of @p n bytes of @p path; the last of them may be that itself. */
static unsigned shared(const struct cursor *c, const char *path, size_t n)
{
	unsigned i = 0;

	while (i < c->nheld && c->held[i].len <= n && memcmp(c->path, path, c->held[i].len) == 0 &&
	       (c->held[i].len == n || path[c->held[i].len] == '/') && (i < CURSOR_HELD || c->held[i].len == n))
		i++;
	return i;
}

static void let_go(struct cursor *c, unsigned from)
{
	while (c->nheld > from)
		close(c->held[--c->nheld].fd);
}

/** Opens the next directory on the way: the name that begins at @p start of the path. */
static int enter(struct cursor *c, size_t start, size_t len)
{
	char name[TREE_NAME_MAX + 1];
	int at = c->nheld == 0 ? c->root : c->held[c->nheld - 1].fd;

	memcpy(name, c->path + start, len);
	name[len] = '\0';
	int fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	/* The last place is that of the directory at hand, however deep. */
	if (c->nheld > CURSOR_HELD)
		let_go(c, CURSOR_HELD);
	c->held[c->nheld].fd = fd;
	c->held[c->nheld++].len = start + len;
	return 0;
}

/** Goes on to the directory of @p n bytes of @p path, name by name, through no link. */
static int go(struct cursor *c, const char *path, size_t n)
{
	let_go(c, shared(c, path, n));
	memcpy(c->path, path, n);
	c->path[n] = '\0';
	for (size_t at = c->nheld == 0 ? 0 : c->held[c->nheld - 1].len; at < n; ) {
		size_t start = at + (c->path[at] == '/');
		size_t len = strcspn(c->path + start, "/");

		if (enter(c, start, len) < 0)
			return -1;
		at = start + len;
	}
	return 0;
}

int cursor_at(struct cursor *c, const char *path, int *ret_fd, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	if (n != 0 && go(c, path, n) < 0)
		return -1;
	*ret_fd = n == 0 ? c->root : c->held[c->nheld - 1].fd;
	*ret_name = slash == NULL ? path : slash + 1;
	return 0;
}

void cursor_close(struct cursor *c)
{
	let_go(c, 0);
}

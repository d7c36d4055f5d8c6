/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void target_clear(const struct ident *id, struct target *t)
{
	struct err ignored = {0};

	own_fd(&t->fd);
	if (t->part[0] != '\0' && ident_caller_begin(id, &ignored) == 0) {
		(void)unlinkat(t->dirfd, t->part, 0);
		(void)ident_caller_end(id, &ignored);
	}
	own_fd(&t->dirfd);
}

static int make_part(const char *path, struct target *t, struct err *err)
{
	char hex[33];

	if (io_random_hex(hex, err) < 0 || io_open_parent(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, &t->dirfd, &t->name, err) < 0)
		return -1;
	if (t->name[0] == '\0')
		return err_set(err, ERR_USAGE, 0, "a file's name is wanted, not a directory's");
	snprintf(t->part, sizeof t->part, ".glovebox-%s.tmp", hex);
	t->fd = openat(t->dirfd, t->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (t->fd < 0)
		t->part[0] = '\0';
	return t->fd < 0 ? err_set(err, ERR_INTERNAL, errno, "make a file beside it") : 0;
}

bool target_is_misnamed(int sys)
{
	switch (sys) {
	case ENOENT:
	case EEXIST:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case EACCES:
	case EPERM:
	case EROFS:
		return true;
	default:
		return false;
	}
}

int target_open(const struct ident *id, const char *path, struct target *t, struct err *err)
{
	if (ident_caller_begin(id, err) < 0)
		return -1;
	if (ident_caller_done(id, make_part(path, t, err), err) < 0) {
		if (err->kind == ERR_INTERNAL && target_is_misnamed(err->sys))
			err->kind = ERR_USAGE;
		return err_ctx(err, "write '%s'", path);
	}
	return 0;
}

int target_publish(const struct ident *id, const char *path, struct target *t, struct err *err)
{
	if (ident_caller_begin(id, err) < 0)
		return -1;
	int result = 0;
	if (fchmod(t->fd, 0644) < 0 || renameat(t->dirfd, t->part, t->dirfd, t->name) < 0)
		result = err_set(err, ERR_INTERNAL, errno, "write '%s'", path);
	else
		t->part[0] = '\0';
	return ident_caller_done(id, result, err);
}

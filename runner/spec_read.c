/* SPDX-License-Identifier: Apache-2.0 */
/* A spec from its directory, with the files that it includes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "runner/source.h"

int open_spec(const char *path, struct buf *text, int *ret_dirfd, struct err *err)
{
	auto_free char *dir = dir_of(path);

	if (dir == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read %s", path);
	if (io_read_file(AT_FDCWD, path, SPEC_TEXT_MAX, text, err) < 0)
		return -1;
	*ret_dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_dirfd < 0 ? err_set(err, ERR_INPUT, errno, "open directory '%s'", dir) : 0;
}

static int read_beside(int dirfd, const char *path, struct buf *ret, struct err *err)
{
	auto_fd fd = open_beside(dirfd, path, O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return err_set(err, ERR_INPUT, 0, "%s", errno == ENOENT ? "no such file; paths start at the spec's own directory"
			       : errno == EXDEV ? "it leads out of the spec's directory" : strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, 0, "not a regular file");
	if (st.st_size > SPEC_INCLUDE_MAX)
		return err_set(err, ERR_INPUT, 0, "larger than %u bytes", SPEC_INCLUDE_MAX);
	return io_read_all(fd, SPEC_INCLUDE_MAX, ret, err);
}

int bring_beside(void *arg, const struct spec_include *include, struct buf *ret, struct err *err)
{
	const struct beside *from = arg;

	if (from->id == NULL)
		return read_beside(from->dirfd, include->path, ret, err);
	if (ident_read_begin(from->id, err) < 0)
		return -1;
	return ident_read_done(from->id, read_beside(from->dirfd, include->path, ret, err), err);
}

int spec_read(const char *path, struct spec **ret, struct err *err)
{
	auto_buf text = {0};
	auto_fd dirfd = -1;

	if (open_spec(path, &text, &dirfd, err) < 0)
		return -1;
	struct beside beside = { .dirfd = dirfd };
	return spec_parse_with(path, text.data == NULL ? "" : text.data, text.len, bring_beside, &beside, ret, err);
}

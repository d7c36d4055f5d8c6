/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/git_place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "fetch/git_read.h"

/** Largest of the small files: HEAD, commondir, a .git that points elsewhere, a loose ref. */
#define SMALL_MAX 8192
/** Most refs that lead from one to the next. */
#define LINKS_MAX 5
/** Most directories upwards. */
#define UPWARDS_MAX 128

void git_place_clear(struct git_place *p)
{
	own_fd(&p->git);
	own_fd(&p->common);
	free(p->objects);
	buf_free(&p->packed);
	*p = GIT_PLACE_NONE;
}

static int open_dir(int dirfd, const char *path)
{
	return openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/** Reads a small file as a line without its end. @return 1, 0: not there (or no file), -1. */
static int read_small(int dirfd, const char *path, struct buf *out, struct err *err)
{
	auto_fd fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_INPUT, errno, "open %.300s", path);
	if (!S_ISREG(st.st_mode))
		return 0;
	buf_clear(out);
	if (io_read_all(fd, SMALL_MAX, out, err) < 0) {
		err->kind = ERR_INPUT;
		return err_ctx(err, "read %.300s", path);
	}
	while (out->len > 0 && (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == '\r'))
		buf_seal(out, out->len - 1);
	if (out->len == 0 || memchr(out->data, '\0', out->len) != NULL)
		return err_set(err, ERR_INPUT, 0, "%.300s is empty, or has a NUL", path);
	return 1;
}

/** The git directory of a checkout: .git, or what a file of that name points to. -1 with errno 0 and err set, or with errno. */
static int open_git_dir(int dirfd, struct err *err)
{
	auto_buf text = {0};
	int fd = open_dir(dirfd, ".git");

	if (fd >= 0)
		return fd;
	int there = read_small(dirfd, ".git", &text, err);
	if (there < 0)
		return -1;
	if (there == 1 && text_starts(text.data, "gitdir: ")) {
		fd = open_dir(dirfd, text.data + 8);
		return fd >= 0 ? fd : err_set(err, ERR_INPUT, errno, "open '%.300s', which .git points to", text.data + 8);
	}
	return err_set(err, ERR_INPUT, 0, "there is no .git");
}

static int open_common(int git, struct err *err)
{
	auto_buf text = {0};
	int there = read_small(git, "commondir", &text, err);

	if (there < 0)
		return -1;
	int fd = open_dir(git, there == 1 ? text.data : ".");
	return fd >= 0 ? fd : err_set(err, ERR_INPUT, errno, "open the common directory of a worktree");
}

/** Takes over @p git. */
static int fill(int git, struct git_place *ret, struct err *err)
{
	auto_git_place p = { .git = git, .common = -1 };

	p.common = open_common(git, err);
	if (p.common < 0)
		return -1;
	auto_fd objects = open_dir(p.common, "objects");
	if (objects < 0)
		return err_set(err, ERR_INPUT, errno, "open its objects");
	p.objects = io_fd_path(objects);
	/* It will be a line of a file. */
	if (p.objects == NULL || p.objects[0] != '/' || strchr(p.objects, '\n') != NULL)
		return err_set(err, ERR_INPUT, 0, "the path of its objects cannot be written down");
	*ret = p;
	p = GIT_PLACE_NONE;
	return 0;
}

static bool is_git_dir(int fd)
{
	struct stat st;

	return fstatat(fd, "objects", &st, 0) == 0 && S_ISDIR(st.st_mode) && fstatat(fd, "HEAD", &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int git_place_open(int dirfd, const char *path, struct git_place *ret, struct err *err)
{
	auto_fd dir = open_dir(dirfd, path);
	int git;

	if (dir < 0)
		return err_set(err, ERR_INPUT, errno, "open repository '%.300s'", path);
	git = is_git_dir(dir) ? move_fd(&dir) : open_git_dir(dir, err);
	if (git < 0 || fill(git, ret, err) < 0)
		return err_ctx(err, "'%.300s' as a git repository", path);
	return 0;
}

/** Whether @p fd has a .git of any kind. */
static bool has_git(int fd)
{
	struct stat st;

	return fstatat(fd, ".git", &st, 0) == 0;
}

int git_place_search(int dirfd, struct git_place *ret, struct err *err)
{
	auto_fd dir = open_dir(dirfd, ".");
	struct stat here, above;

	for (int i = 0; i < UPWARDS_MAX && dir >= 0 && fstat(dir, &here) == 0; i++) {
		if (has_git(dir)) {
			int git = open_git_dir(dir, err);

			return git < 0 ? -1 : fill(git, ret, err);
		}
		int up = open_dir(dir, "..");
		own_fd(&dir);
		dir = up;
		/* The root is above itself; another file system is somebody else's. */
		if (dir < 0 || fstat(dir, &above) < 0 || above.st_dev != here.st_dev || above.st_ino == here.st_ino)
			break;
	}
	return err_set(err, ERR_INPUT, 0, "it is not in a git repository");
}

/* ---- refs ------------------------------------------------------------------------ */

/** Once for all that is asked of it. */
static int read_packed(struct git_place *p, struct err *err)
{
	if (p->has_packed)
		return 0;
	auto_fd fd = openat(p->common, "packed-refs", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return err_set(err, ERR_INPUT, errno, "open packed-refs");
	if (fd >= 0 && git_read_packed(fd, &p->packed, err) < 0)
		return err_ctx(err, "read packed-refs");
	p->has_packed = true;
	return 0;
}

/** Calls @p fn for each ref below @p prefix, by the rest of its name, until it returns other than 0. */
static int each_packed(struct git_place *p, const char *prefix, git_tag_fn *fn, void *arg, struct err *err)
{
	struct git_name name;
	const char *ref;
	size_t at = 0;
	int result = 0;

	if (read_packed(p, err) < 0)
		return -1;
	while (result == 0 && git_ref_next(&p->packed, &at, &name, &ref))
		if (text_starts(ref, prefix))
			result = fn(arg, ref + strlen(prefix), &name, err);
	return result;
}

static int take_exact(void *arg, const char *rest, const struct git_name *name, struct err *err)
{
	(void)err;
	if (*rest != '\0')
		return 0;
	*(struct git_name *)arg = *name;
	return 1;
}

int git_place_ref(struct git_place *p, const char *ref, struct git_name *ret, struct err *err)
{
	auto_buf text = {0};
	auto_free char *now = strdup(ref);

	for (int i = 0; i < LINKS_MAX && now != NULL; i++) {
		bool own = strcmp(now, "HEAD") == 0;
		int there = read_small(own ? p->git : p->common, now, &text, err);

		if (there < 0)
			return -1;
		if (there == 0)
			return own ? 0 : each_packed(p, now, take_exact, ret, err);
		if (!text_starts(text.data, "ref: "))
			return git_name_parse(text.data, text.len, ret) ? 1 : err_set(err, ERR_INPUT, 0, "ref '%.300s' is damaged", now);
		/* Only refs, and never out of the directory. */
		if (!text_starts(text.data, "ref: refs/") || !text_path_is_clean(text.data + 5))
			return err_set(err, ERR_INPUT, 0, "ref '%.300s' leads to '%.300s'", now, text.data + 5);
		free(now);
		now = strdup(text.data + 5);
	}
	return now == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "read refs")
			   : err_set(err, ERR_INPUT, 0, "ref '%.300s': more than %d lead from one to the next", ref, LINKS_MAX);
}

static int each_loose(DIR *dir, git_tag_fn *fn, void *arg, struct err *err)
{
	struct dirent *e;

	for (errno = 0; (e = readdir(dir)) != NULL; errno = 0) {
		auto_buf text = {0};
		struct git_name name;
		int there = e->d_name[0] == '.' ? 0 : read_small(dirfd(dir), e->d_name, &text, err);

		if (there < 0)
			return -1;
		if (there == 1 && git_name_parse(text.data, text.len, &name) && fn(arg, e->d_name, &name, err) < 0)
			return -1;
	}
	return errno == 0 ? 0 : err_set(err, ERR_INPUT, errno, "list refs/tags");
}

int git_place_tags(struct git_place *p, git_tag_fn *fn, void *arg, struct err *err)
{
	int fd = open_dir(p->common, "refs/tags");
	auto_dir dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL && fd >= 0)
		close(fd);
	if (dir != NULL && each_loose(dir, fn, arg, err) < 0)
		return -1;
	return each_packed(p, "refs/tags/", fn, arg, err);
}

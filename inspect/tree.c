/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "inspect/listing.h"
#include "store/store.h"

/** A directory being walked. */
struct walk {
	struct listing *listing;
	struct buf path;           /* of the directory at hand; empty: the root */
	unsigned depth;
};

static enum member_type type_of(mode_t mode)
{
	return S_ISREG(mode) ? MEMBER_FILE : S_ISDIR(mode) ? MEMBER_DIR : S_ISLNK(mode) ? MEMBER_LINK : MEMBER_OTHER;
}

static int fail(const struct walk *w, const char *what, struct err *err)
{
	return err_set(err, ERR_INPUT, errno, "%s '%.1000s'", what, w->path.len == 0 ? "." : w->path.data);
}

static int walk_dir(struct walk *w, int dirfd, struct err *err);

/** Goes down into the directory that the path ends in. */
static int enter(struct walk *w, int dirfd, const char *name, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return fail(w, "open directory", err);
	if (++w->depth > TREE_DEPTH_MAX) {
		close(fd);
		return err_set(err, ERR_INPUT, 0, "'%.1000s': deeper than %d directories", w->path.data, TREE_DEPTH_MAX);
	}
	int result = walk_dir(w, fd, err);
	w->depth--;
	return result;
}

static int add_entry(struct walk *w, int dirfd, const char *name, struct err *err)
{
	char target[TREE_PATH_MAX + 1];
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(w, "stat", err);
	struct member m = {
		.path = w->path.data, .type = type_of(st.st_mode), .mode = st.st_mode & 07777, .uid = st.st_uid, .gid = st.st_gid,
		.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0,
	};
	if (m.type == MEMBER_LINK) {
		ssize_t n = readlinkat(dirfd, name, target, sizeof target - 1);

		if (n < 0)
			return fail(w, "read link", err);
		target[n] = '\0';
		m.link = target;
		/* Links have no mode of their own. */
		m.mode = 0;
	}
	if (listing_add(w->listing, &m, err) < 0)
		return -1;
	return m.type == MEMBER_DIR ? enter(w, dirfd, name, err) : 0;
}

static int walk_entries(struct walk *w, DIR *dir, struct err *err)
{
	const size_t len = w->path.len;
	struct dirent *d;

	while (errno = 0, (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		buf_addf(&w->path, "%s%s", len == 0 ? "" : "/", d->d_name);
		if (buf_check(&w->path, "list a directory", err) < 0 || add_entry(w, dirfd(dir), d->d_name, err) < 0)
			return -1;
		buf_seal(&w->path, len);
	}
	return errno == 0 ? 0 : fail(w, "read directory", err);
}

/** Takes @p fd over. */
static int walk_dir(struct walk *w, int fd, struct err *err)
{
	auto_dir dir = fdopendir(fd);

	if (dir == NULL) {
		int error = errno;

		close(fd);
		errno = error;
		return fail(w, "read directory", err);
	}
	return walk_entries(w, dir, err);
}

int listing_read_dir(struct listing *l, struct err *err)
{
	struct walk w = { .listing = l };
	int fd = openat(l->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return fail(&w, "open directory", err);
	int result = walk_dir(&w, fd, err);
	buf_free(&w.path);
	return result;
}

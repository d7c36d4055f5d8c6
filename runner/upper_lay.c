/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/upper.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/array.h"
#include "rootfs/rootfs.h"

/** A line of the state. */
struct line {
	char type;
	unsigned mode;
	struct timespec time;
	const char *path, *target;
};

struct laying {
	int root;
	const char *next, *end;   /**< of the text, every string of which ends in NUL within it */
	struct line *dirs;        /**< directories: their modes and times come last */
	size_t ndirs, cap;
};

static int malformed(struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "what the build left was not written down in a known form");
}

/** The next string of the text, or NULL. */
static const char *next_string(struct laying *l)
{
	const char *s = l->next, *nul = s == l->end ? NULL : memchr(s, '\0', (size_t)(l->end - s));

	if (nul != NULL)
		l->next = nul + 1;
	return nul == NULL ? NULL : s;
}

static int parse(struct laying *l, struct line *ret, struct err *err)
{
	const char *s = next_string(l);
	long long sec;
	long nsec;
	int n = 0;

	if (s == NULL || sscanf(s, "%c %o %lld.%ld %n", &ret->type, &ret->mode, &sec, &nsec, &n) != 4 || n == 0 || ret->mode > 07777 ||
	    nsec < 0 || nsec > 999999999)
		return malformed(err);
	ret->path = s + n;
	ret->time = (struct timespec){ .tv_sec = sec, .tv_nsec = nsec };
	ret->target = ret->type == 'h' ? next_string(l) : NULL;
	if ((strcmp(ret->path, ".") != 0 && tree_path_fault(ret->path) != NULL) ||
	    (ret->type == 'h' && (ret->target == NULL || tree_path_fault(ret->target) != NULL)))
		return malformed(err);
	return 0;
}

/** Opens the directory of @p path, which is laid out already; nobody but us is there, and no link is on the way. */
static int open_place(const struct laying *l, const char *path, int *ret_fd, const char **ret_name, struct err *err)
{
	return io_open_parent(l->root, path, O_PATH | O_DIRECTORY, ret_fd, ret_name, err);
}

static int link_to(const struct laying *l, const struct line *e, int dir, const char *name, struct err *err)
{
	auto_fd other = -1;
	const char *target;

	if (open_place(l, e->target, &other, &target, err) < 0)
		return -1;
	if (unlinkat(dir, name, 0) < 0 || linkat(other, target, dir, name, 0) < 0)
		return err_set(err, ERR_INTERNAL, errno, "lay out '%.1000s'", e->path);
	return 0;
}

/** What no tree holds is made; a hard link replaces the copy that the tree has of it. */
static int make(const struct laying *l, const struct line *e, int dir, const char *name, struct err *err)
{
	mode_t kind = e->type == 'p' ? S_IFIFO : e->type == 's' ? S_IFSOCK : S_IFCHR;

	if (e->type == 'h')
		return link_to(l, e, dir, name, err);
	if (e->type != 'p' && e->type != 's' && e->type != 'w')
		return 0;
	if (mknodat(dir, name, kind | 0600, makedev(0, 0)) < 0)
		return err_set(err, ERR_INTERNAL, errno, "lay out '%.1000s'", e->path);
	return 0;
}

static int set_time(int dir, const char *name, const struct line *e)
{
	const struct timespec times[2] = { e->time, e->time };

	return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
}

/** Mode and time of what is no directory. Links have no mode, whiteouts none that anybody sees. */
static int finish(const struct line *e, int dir, const char *name, struct err *err)
{
	if (e->type == 'h')
		return 0;
	if ((e->type != 'l' && e->type != 'w' && fchmodat(dir, name, e->mode, 0) < 0) || set_time(dir, name, e) < 0)
		return err_set(err, ERR_INTERNAL, errno, "lay out '%.1000s'", e->path);
	return 0;
}

static int keep_dir(struct laying *l, const struct line *e, struct err *err)
{
	if (!array_room(&l->dirs, l->ndirs, &l->cap))
		return err_set(err, ERR_INTERNAL, ENOMEM, "lay out what the build left");
	l->dirs[l->ndirs++] = *e;
	return 0;
}

static int lay_one(struct laying *l, const struct line *e, struct err *err)
{
	auto_fd dir = -1;
	const char *name;

	if (strchr("doflhpsw", e->type) == NULL)
		return malformed(err);
	if (e->type == 'd' || e->type == 'o')
		return keep_dir(l, e, err);
	return open_place(l, e->path, &dir, &name, err) < 0 || make(l, e, dir, name, err) < 0 ? -1 : finish(e, dir, name, err);
}

/** From the last to the first: what lies in a directory comes after it, and may not be reached any more once it has its mode. */
static int finish_dirs(const struct laying *l, struct err *err)
{
	for (size_t i = l->ndirs; i-- > 0;) {
		const struct line *e = &l->dirs[i];
		auto_fd fd = -1;

		if (io_open_dir(l->root, e->path, &fd, err) < 0)
			return -1;
		const struct timespec times[2] = { e->time, e->time };
		if ((e->type == 'o' && fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) < 0) || fchmod(fd, e->mode) < 0 || futimens(fd, times) < 0)
			return err_set(err, ERR_INTERNAL, errno, "lay out '%.1000s'", e->path);
	}
	return 0;
}

static int lay_all(struct laying *l, struct err *err)
{
	struct line e;

	while (l->next < l->end)
		if (parse(l, &e, err) < 0 || lay_one(l, &e, err) < 0)
			return -1;
	return finish_dirs(l, err);
}

/** Reads the state, and checks that it is what its digest says. */
static int read_state(struct store *store, const struct digest *d, struct buf *ret, struct err *err)
{
	struct digest found;
	auto_fd fd = -1;

	if (store_open_object(store, d, &fd, err) < 0 || io_read_all(fd, UPPER_STATE_MAX * 2, ret, err) < 0 ||
	    hash_bytes(ret->data, ret->len, &found, err) < 0)
		return -1;
	return digest_eq(&found, d) ? 0 : err_set(err, ERR_INPUT, 0, "what the build left is damaged in the store");
}

int upper_lay_out(struct store *store, const struct upper *upper, int dirfd, struct err *err)
{
	auto_buf text = {0};

	if (read_state(store, &upper->state, &text, err) < 0 || rootfs_materialise(store, &upper->tree, dirfd, err) < 0)
		return -1;
	struct laying l = { .root = dirfd, .next = text.data, .end = text.data + text.len };
	int result = lay_all(&l, err);
	free(l.dirs);
	return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct check {
	struct cursor at;
	uid_t owner;
	uint64_t wanted;  /**< entries of the manifest, without the root */
	uint64_t found;   /**< entries of the directories */
};

static int differs(const struct tree_entry *e, const char *how, struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "'" SHOWN "' is not as it was laid out: %s", e->path, how);
}

/** A failure to look at @p e: where that tells of a change, ERR_INPUT. */
static int cannot_look(const struct tree_entry *e, int sys, struct err *err)
{
	switch (sys) {
	case ENOENT:
		return differs(e, "it is missing", err);
	case ENOTDIR:
	case ELOOP:
		return differs(e, "it, or what leads to it, is of another type", err);
	case EACCES:
		return err_set(err, ERR_HOST, sys,
			       "check '" SHOWN "': a directory's mode keeps its owner out, so only root can tell whether it was changed", e->path);
	default:
		return err_set(err, ERR_INTERNAL, sys, "check '" SHOWN "'", e->path);
	}
}

static bool same_link(const struct tree_entry *e, int dir, const char *name)
{
	char target[TREE_LINK_MAX + 1];
	ssize_t n = readlinkat(dir, name, target, sizeof target);

	return n >= 0 && (size_t)n == strlen(e->link) && memcmp(target, e->link, (size_t)n) == 0;
}

/** What is wrong with an entry that has the state @p st, or NULL. */
static const char *fault(const struct check *c, const struct tree_entry *e, const struct stat *st)
{
	static const mode_t types[] = { [TREE_DIR] = S_IFDIR, [TREE_FILE] = S_IFREG, [TREE_LINK] = S_IFLNK };

	if ((st->st_mode & S_IFMT) != types[e->type])
		return "it is of another type";
	if (e->type != TREE_LINK && (st->st_mode & 07777) != e->mode)
		return "its mode is another";
	if (st->st_uid != c->owner)
		return "it belongs to somebody else";
	if (st->st_mtim.tv_sec != ROOTFS_MTIME || st->st_mtim.tv_nsec != 0)
		return "it was written to";
	if (e->type == TREE_FILE && (uint64_t)st->st_size != e->size)
		return "its size is another";
	if (e->type == TREE_FILE && st->st_nlink != 1)
		return "it has another name too";
	return NULL;
}

/** Counts what is in a directory: what is there beyond the manifest shows in the sum. */
static int count_entries(struct check *c, const struct tree_entry *e, int at, const char *name, struct err *err)
{
	auto_fd fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_dir dir = fd < 0 ? NULL : fdopendir(fd);
	uint64_t n = 0;

	if (dir == NULL)
		return cannot_look(e, errno, err);
	move_fd(&fd);
	errno = 0;
	while (readdir(dir) != NULL)
		n++;
	if (errno != 0)
		return cannot_look(e, errno, err);
	/* Not every file system has "." and ".." in it, but those that a store lies on do. */
	c->found += n - 2;
	return 0;
}

static int check_entry(struct check *c, const struct tree_entry *e, struct err *err)
{
	struct stat st;
	int dir;
	const char *name;

	if (cursor_at(&c->at, e->path, &dir, &name) < 0 || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot_look(e, errno, err);
	const char *how = fault(c, e, &st);
	if (how == NULL && e->type == TREE_LINK && !same_link(e, dir, name))
		how = "its target is another";
	if (how != NULL)
		return differs(e, how, err);
	c->wanted += strcmp(e->path, ".") != 0;
	return e->type == TREE_DIR ? count_entries(c, e, dir, name, err) : 0;
}

static int check_all(struct check *c, struct tree_reader *r, struct err *err)
{
	struct tree_entry e;
	int more;

	while ((more = tree_reader_next(r, &e, err)) > 0)
		if (check_entry(c, &e, err) < 0)
			return -1;
	if (more < 0)
		return -1;
	if (c->found == c->wanted)
		return 0;
	return err_set(err, ERR_INPUT, 0, "'.' is not as it was laid out: %llu entries below it, %llu in its manifest",
		       (unsigned long long)c->found, (unsigned long long)c->wanted);
}

/** The walk, with the right to read what a mode closes. */
static int check_root(struct store *store, int root, struct tree_reader *r, struct err *err)
{
	const struct ident *id = store_ident(store);
	struct check c = { .at = { .root = root } };
	struct stat st;

	if (fstat(store_fd(store), &st) < 0)
		return err_set(err, ERR_INTERNAL, errno, "look at the store");
	c.owner = st.st_uid;
	if (ident_read_begin(id, err) < 0)
		return -1;
	int result = check_all(&c, r, err);
	cursor_close(&c.at);
	return ident_read_done(id, result, err);
}

int rootfs_check(struct store *store, const struct digest *d, const char *dir, struct err *err)
{
	const struct tree_entry top = { .path = "." };
	auto_tree_reader r = NULL;
	auto_fd at = openat(store_fd(store), dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd root = at < 0 ? -1 : openat(at, "root", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (root < 0)
		return cannot_look(&top, errno, err);
	if (store_read_tree(store, d, &r, err) < 0)
		return -1;
	return check_root(store, root, r, err);
}

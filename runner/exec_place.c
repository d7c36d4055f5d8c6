/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "rootfs/rootfs.h"
#include "runner/exec.h"

void exec_place_clear(struct exec_place *p)
{
	own_fd(&p->dir);
	own_fd(&p->parent);
	free(p->name);
	*p = (struct exec_place){ .dir = -1, .parent = -1 };
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/** A second descriptor of a directory, to read it from its start. */
static DIR *list(int dir)
{
	auto_fd fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d != NULL)
		(void)move_fd(&fd);
	return d;
}

static int check_empty(int dir, struct err *err)
{
	auto_dir d = list(dir);
	const struct dirent *e;

	if (d == NULL)
		return err_set(err, ERR_USAGE, errno, "read it");
	while ((e = readdir(d)) != NULL)
		if (!is_dot(e->d_name))
			return err_set(err, ERR_USAGE, 0, "the directory is not empty; give a new or an empty one");
	return 0;
}

/** The command may take hours: what can be known of their end is said before. */
static int check_writable(int dir, const char *what, struct err *err)
{
	if (faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return err_set(err, ERR_USAGE, errno, "%s cannot be written to", what);
	return 0;
}

/** For one that is not there yet. */
static int open_parent(const char *bare, struct exec_place *p, struct err *err)
{
	const char *name;

	if (io_open_parent(AT_FDCWD, bare, O_PATH, &p->parent, &name, err) < 0 ||
	    check_writable(p->parent, "the directory that it is to be made in", err) < 0)
		return -1;
	p->name = strdup(name);
	return p->name == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "output") : 0;
}

static int open_place(const char *bare, struct exec_place *p, struct err *err)
{
	if (io_open_dir(AT_FDCWD, bare, &p->dir, err) < 0)
		return err->sys == ENOENT ? open_parent(bare, p, err) : -1;
	if (check_empty(p->dir, err) < 0)
		return -1;
	return check_writable(p->dir, "the directory", err);
}

int exec_place_open(const char *path, struct exec_place *ret, struct err *err)
{
	struct exec_place p = { .dir = -1, .parent = -1 };
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	auto_free char *bare = strndup(path, n);
	if (bare == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "output");
	if (open_place(bare, &p, err) < 0) {
		exec_place_clear(&p);
		err->kind = ERR_USAGE;
		return -1;
	}
	*ret = p;
	return 0;
}

/* ---- filling --------------------------------------------------------- */

/** Lays the tree out below the new directory @p temp, which keeps the mode that the umask gave it. */
static int lay_out(struct store *store, const struct digest *tree, int holder, const char *temp, struct err *err)
{
	struct stat st;
	auto_fd fd = -1;

	if (io_open_dir(holder, temp, &fd, err) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_INTERNAL, errno, "look at the new directory");
	if (rootfs_materialise(store, tree, fd, err) < 0)
		return -1;
	return fchmod(fd, st.st_mode & 07777) < 0 ? err_set(err, ERR_INTERNAL, errno, "set its mode") : 0;
}

/** Moves all that is in @p temp, in the directory @p dir, up into that. */
static int move_up(int dir, const char *temp, struct err *err)
{
	const struct dirent *e;
	auto_fd from = -1;

	if (io_open_dir(dir, temp, &from, err) < 0)
		return -1;
	auto_dir d = list(from);
	if (d == NULL)
		return err_set(err, ERR_INTERNAL, errno, "read the new files");
	while ((e = readdir(d)) != NULL)
		if (!is_dot(e->d_name) && renameat(from, e->d_name, dir, e->d_name) < 0)
			return err_set(err, ERR_INTERNAL, errno, "move '%s' in", e->d_name);
	if (unlinkat(dir, temp, AT_REMOVEDIR) < 0)
		return err_set(err, ERR_INTERNAL, errno, "remove '%s'", temp);
	return 0;
}

/** Gives the new directory its name. rename(2) takes the place of nothing but an empty directory. */
static int put_in_place(const struct exec_place *p, const char *temp, struct err *err)
{
	if (renameat(p->parent, temp, p->parent, p->name) < 0)
		return err_set(err, ERR_INPUT, errno, "make it (somebody else has, while the command ran?)");
	return 0;
}

int exec_place_fill(const struct exec_place *p, struct store *store, const struct digest *tree, struct err *err)
{
	int holder = p->dir != -1 ? p->dir : p->parent;
	char random[33], temp[sizeof ".glovebox-.tmp" + sizeof random];
	struct err ignored;

	if ((p->dir != -1 && check_empty(p->dir, err) < 0) || io_random_hex(random, err) < 0)
		return -1;
	snprintf(temp, sizeof temp, ".glovebox-%s.tmp", random);
	if (mkdirat(holder, temp, 0777) < 0)
		return err_set(err, ERR_INPUT, errno, "make a directory");
	int result = lay_out(store, tree, holder, temp, err);
	if (result == 0)
		result = p->dir != -1 ? move_up(p->dir, temp, err) : put_in_place(p, temp, err);
	if (result < 0)
		(void)io_remove_tree(holder, temp, &ignored);
	return result;
}

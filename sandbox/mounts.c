/* SPDX-License-Identifier: Apache-2.0 */
/* The child's root: a tmpfs, what is made in it, what is mounted on it, and the way in
 * (mount_namespaces(7), pivot_root(2)). Sources are opened without following links (but
 * for host paths, whose owner is the caller), targets only below the new root, and
 * mounts are attached by descriptor: no path can be swapped in between. */
#include "sandbox/child.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "sandbox/sys.h"

#define STRICT (RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH)
#define IN_ROOT (RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_IN_ROOT)

/* ---- the skeleton ------------------------------------------------------------ */

static int configure_tmpfs(int fs, const struct plan *plan)
{
	if (sys_set_string(fs, "size", plan->tmpfs_size) != 0 || sys_set_string(fs, "nr_inodes", plan->tmpfs_inodes) != 0 ||
	    sys_set_string(fs, "mode", "0755") != 0)
		return -1;
	return sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

int child_tmpfs(struct child *c)
{
	c->part = PART_FS;
	int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -1;
	c->tmpfs = configure_tmpfs(fs, c->plan);
	sys_close(fs);
	if (c->tmpfs < 0)
		return -1;
	c->part = PART_TARGET;
	int at = sys_openat2(AT_FDCWD, c->plan->mountpoint, O_PATH | O_DIRECTORY, STRICT);
	if (at < 0)
		return -1;
	c->part = PART_ATTACH;
	int r = sys_move_mount(c->tmpfs, at);
	sys_close(at);
	return r;
}

static int make_file(int dirfd, const struct make *m)
{
	if (m->text == NULL)
		return (int)syscall(SYS_mknodat, dirfd, m->path, S_IFREG | m->mode, 0);
	int fd = (int)syscall(SYS_openat, dirfd, m->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, m->mode);
	if (fd < 0)
		return -1;
	size_t n = strlen(m->text);
	long done = n == 0 ? 0 : syscall(SYS_write, fd, m->text, n);
	sys_close(fd);
	if (done >= 0 && (size_t)done != n)
		errno = ENOSPC;
	return done >= 0 && (size_t)done == n ? 0 : -1;
}

/** What is made here has the time that every tree inside has. Backwards: what is made below a directory changes it. */
static int set_times(struct child *c)
{
	const struct timespec times[2] = { { .tv_sec = GB_EPOCH }, { .tv_sec = GB_EPOCH } };

	for (size_t i = c->plan->nmakes; i-- > 0;) {
		c->index = (int)i;
		if (syscall(SYS_utimensat, c->tmpfs, c->plan->makes[i].path, times, AT_SYMLINK_NOFOLLOW) != 0)
			return -1;
	}
	return 0;
}

/** Nothing but the rows of this table is in the tmpfs yet, and no row leads through a link. */
int child_skeleton(struct child *c)
{
	for (size_t i = 0; i < c->plan->nmakes; i++) {
		const struct make *m = &c->plan->makes[i];
		int r;

		c->index = (int)i;
		if (m->kind == MAKE_DIR)
			r = (int)syscall(SYS_mkdirat, c->tmpfs, m->path, m->mode);
		else if (m->kind == MAKE_LINK)
			r = (int)syscall(SYS_symlinkat, m->text, c->tmpfs, m->path);
		else
			r = make_file(c->tmpfs, m);
		if (r != 0)
			return -1;
	}
	if (c->plan->kind == PLAN_STEP)
		return set_times(c);
	c->root = c->tmpfs; /* a space's root is the tmpfs itself, and stays writable */
	return 0;
}

/** What sources start from. */
static int open_places(struct child *c)
{
	const struct plan *plan = c->plan;

	c->part = PART_SOURCE;
	if ((c->base = sys_open(AT_FDCWD, ".", O_PATH | O_DIRECTORY)) < 0)
		return -1;
	if (plan->rootfs != NULL && (c->rootfs = sys_openat2(AT_FDCWD, plan->rootfs, O_PATH | O_DIRECTORY, STRICT)) < 0)
		return -1;
	if (plan->mntns >= 0 && (c->trees = sys_openat2(AT_FDCWD, "/trees", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS)) < 0)
		return -1;
	return 0;
}

/** From here the skeleton is read-only: what is copied from its mount is, too. */
int child_root(struct child *c)
{
	if (sys_mount_setattr(c->tmpfs, 0, MOUNT_ATTR_RDONLY, 0, 0) != 0 || open_places(c) != 0)
		return -1;
	c->root = child_overlay(c, c->plan->root, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY);
	if (c->root < 0)
		return -1;
	c->part = PART_ATTACH;
	return (int)syscall(SYS_move_mount, c->root, "", c->tmpfs, "root", MOVE_MOUNT_F_EMPTY_PATH);
}

/* ---- rows -------------------------------------------------------------------- */

/** Opens a source as O_PATH. */
int child_open_place(const struct child *c, const struct place *at)
{
	switch (at->where) {
	case PLACE_BASE:
		return sys_openat2(c->base, at->path, O_PATH, STRICT);
	case PLACE_ROOTFS:
		return sys_openat2(c->rootfs, at->path, O_PATH, STRICT);
	case PLACE_SKELETON:
		return sys_openat2(c->tmpfs, at->path, O_PATH, STRICT);
	case PLACE_TREES:
		return sys_openat2(c->trees, at->path, O_PATH, STRICT);
	case PLACE_HOST:
		return sys_openat2(AT_FDCWD, at->path, O_PATH, RESOLVE_NO_MAGICLINKS);
	}
	errno = EINVAL;
	return -1;
}

/** A detached copy of what is mounted at the source. The skeleton is glovebox's own: no link on the way
 *  to it is anyone else's, so it is named directly. */
static int clone_place(struct child *c, const struct row *row, unsigned int recursive)
{
	c->part = PART_SOURCE;
	if (row->from.where == PLACE_SKELETON)
		return sys_open_tree(c->tmpfs, row->from.path, OPEN_TREE_CLONE);
	int from = child_open_place(c, &row->from);
	if (from < 0)
		return -1;
	c->part = PART_FS;
	int tree = sys_open_tree(from, "", OPEN_TREE_CLONE | AT_EMPTY_PATH | recursive);
	sys_close(from);
	return tree;
}

static int copy_tree(struct child *c, const struct row *row)
{
	unsigned int recursive = row->recursive ? AT_RECURSIVE : 0;
	int tree = clone_place(c, row, recursive);

	if (tree < 0 || (row->set == 0 && row->clear == 0))
		return tree;
	c->part = PART_FS;
	if (sys_mount_setattr(tree, recursive, row->set, row->clear, 0) != 0) {
		sys_close(tree);
		return -1;
	}
	return tree;
}

/** A file system of the kernel's own. */
static int make_fs(const char *type, const char *key, const char *value, uint64_t attrs)
{
	int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);

	if (fs < 0)
		return -1;
	int mount = key != NULL && sys_set_string(fs, key, value) != 0 ? -1 : sys_fsmount(fs, (unsigned int)attrs);
	sys_close(fs);
	return mount;
}

/** The second wall against user namespaces of a step's own, in which it would have capabilities: seccomp is the first. The
 *  number is this user namespace's (namespaces(7), /proc/sys/user), and nobody inside has the right to write it again. */
static int forbid_nesting(struct child *c, int proc)
{
	c->part = PART_NESTING;
	int fd = sys_open(proc, "sys/user/max_user_namespaces", O_WRONLY);
	if (fd < 0)
		return -1;
	long done = syscall(SYS_write, fd, "0", 1);
	sys_close(fd);
	return done == 1 ? 0 : -1;
}

/** Attached nowhere: what init reads and writes of others there, nobody else can. Away from where stdio will be. */
static int keep_proc(struct child *c)
{
	int mount = make_fs("proc", NULL, NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

	if (mount < 0)
		return -1;
	c->proc = (int)syscall(SYS_fcntl, mount, F_DUPFD_CLOEXEC, 3);
	sys_close(mount);
	return c->proc < 0 ? -1 : 0;
}

/** A step's own. A space's must let steps make theirs. */
static int make_proc(struct child *c, uint64_t attrs)
{
	bool step = c->plan->kind == PLAN_STEP;
	int mount = make_fs("proc", NULL, NULL, step ? attrs & ~(uint64_t)MOUNT_ATTR_RDONLY : attrs);

	if (mount < 0 || !step)
		return mount;
	if (forbid_nesting(c, mount) == 0) {
		c->part = PART_FS;
		if (sys_mount_setattr(mount, 0, attrs, 0, 0) == 0 && (c->plan->asking == NULL || keep_proc(c) == 0))
			return mount;
	}
	sys_close(mount);
	return -1;
}

static int make_mount(struct child *c, const struct row *row)
{
	c->part = PART_FS;
	switch (row->kind) {
	case ROW_BIND:
		return copy_tree(c, row);
	case ROW_COVER:
	case ROW_FLAGS:
		break;
	case ROW_PROC:
		return make_proc(c, row->set);
	case ROW_PTS:
		return make_fs("devpts", "ptmxmode", "0666", row->set);
	case ROW_OVERLAY:
		return child_overlay(c, row->overlay, row->set);
	}
	errno = EINVAL;
	return -1;
}

/** The mount's root, opened for reading, stays usable after the namespace is gone. */
static int send_view(struct child *c, int mount)
{
	const struct note note = { .kind = NOTE_VIEW };

	c->part = PART_VIEW;
	int fd = sys_open(mount, ".", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return -1;
	child_send(c, &note, &fd, 1);
	sys_close(fd);
	return 0;
}

/** Where nothing of the rootfs's or the caller's lies on the way, there is no link to beware of. */
static int attach(struct child *c, const struct row *row, int mount)
{
	if (row->own) {
		c->part = PART_ATTACH;
		return (int)syscall(SYS_move_mount, mount, "", c->root, row->target, MOVE_MOUNT_F_EMPTY_PATH);
	}
	c->part = PART_TARGET;
	int target = sys_openat2(c->root, row->target, O_PATH, IN_ROOT);
	if (target < 0)
		return -1;
	c->part = PART_ATTACH;
	int r = sys_move_mount(mount, target);
	sys_close(target);
	return r;
}

/** A plain bind by mount(2) from within the new root: there are many, and the new interface costs three times as much.
 *  The way to source and target is glovebox's own, or the host's /dev. A bind of a read-only mount is read-only. */
static int cover(struct child *c, const struct row *row)
{
	c->part = PART_ATTACH;
	if (syscall(SYS_mount, row->from.path, row->target, NULL, MS_BIND, NULL) == 0)
		return 0;
	return row->optional && errno == ENOENT ? 0 : -1;
}

/** One call for all of a directory's mounts. */
static int set_flags(struct child *c, const struct row *row)
{
	struct mount_attr attr = { .attr_set = row->set };

	c->part = PART_FS;
	return (int)syscall(SYS_mount_setattr, c->root, row->target, AT_RECURSIVE, &attr, sizeof attr);
}

static int do_row(struct child *c, const struct row *row)
{
	if (row->kind == ROW_COVER)
		return cover(c, row);
	if (row->kind == ROW_FLAGS)
		return set_flags(c, row);
	int mount = make_mount(c, row);
	if (mount < 0)
		return -1;
	int r = attach(c, row, mount);
	if (r == 0 && row->view)
		r = send_view(c, mount);
	sys_close(mount);
	return r;
}

int child_mounts(struct child *c)
{
	const struct plan *plan = c->plan;

	if (plan->kind == PLAN_SPACE && open_places(c) != 0)
		return -1;
	if (syscall(SYS_fchdir, c->root) != 0)
		return -1;
	for (size_t i = 0; i < plan->nrows; i++) {
		c->index = (int)i;
		if (do_row(c, &plan->rows[i]) != 0)
			return -1;
	}
	return 0;
}

/** pivot_root(2), "pivot_root(".", ".")": the old root lies on the new one for a moment, and is detached. */
int child_pivot(struct child *c)
{
	if (syscall(SYS_fchdir, c->root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
	    syscall(SYS_umount2, ".", SYS_MNT_DETACH) != 0)
		return -1;
	return (int)syscall(SYS_chdir, "/");
}

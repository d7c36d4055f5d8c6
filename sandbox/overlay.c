/* SPDX-License-Identifier: Apache-2.0 */
/* The child's overlay mounts (the kernel's overlayfs.rst), in two ways: by descriptor, and for kernels before
 * 6.8 by a string of options. */
#include "sandbox/child.h"

#include <string.h>

#include "sandbox/sys.h"

/* An overlay's layers are named "." from within each: no path to escape, none to swap, and
 * none to be read in /proc/mounts inside. */

static int set_layer(struct child *c, int fs, const char *key, const struct place *at)
{
	c->part = PART_SOURCE;
	int fd = child_open_place(c, at);
	if (fd < 0)
		return -1;
	int r = (int)syscall(SYS_fchdir, fd);
	sys_close(fd);
	if (r != 0)
		return -1;
	c->part = PART_FS;
	return sys_set_string(fs, key, ".");
}

static int configure_overlay(struct child *c, int fs, const struct overlay *o)
{
	static const char *const off[] = { "index", "xino" };

	for (size_t i = 0; i < o->nlowers; i++)
		if (set_layer(c, fs, "lowerdir+", &o->lowers[i]) != 0)
			return -1;
	if (o->upper.path != NULL &&
	    (set_layer(c, fs, "upperdir", &o->upper) != 0 || set_layer(c, fs, "workdir", &o->work) != 0 ||
	     sys_fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL) != 0))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(off); i++)
		if (sys_set_string(fs, off[i], "off") != 0)
			return -1;
	return sys_fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL);
}

static int overlay_by_descriptor(struct child *c, const struct overlay *o, uint64_t attrs)
{
	int fs = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);

	if (fs < 0)
		return -1;
	int mount = -1;
	if (sys_set_string(fs, "source", "overlay") == 0 && configure_overlay(c, fs, o) == 0)
		mount = sys_fsmount(fs, (unsigned int)attrs);
	sys_close(fs);
	return mount;
}

/** Whether every layer is there and reached without a link: mount(2) would follow one. */
static int check_layers(struct child *c, const struct overlay *o)
{
	c->part = PART_SOURCE;
	for (size_t i = 0; i < o->nlowers + 2; i++) {
		const struct place *at = i < o->nlowers ? &o->lowers[i] : i == o->nlowers ? &o->upper : &o->work;
		int fd = at->path == NULL ? -1 : child_open_place(c, at);

		if (fd < 0 && at->path != NULL)
			return -1;
		if (fd >= 0)
			sys_close(fd);
	}
	c->part = PART_FS;
	return 0;
}

/** For kernels before 6.8, where fsconfig takes at most 255 bytes of lowerdir and no "lowerdir+". */
static int overlay_by_options(struct child *c, const struct overlay *o, uint64_t attrs)
{
	unsigned long flags = MS_NOSUID | MS_NODEV | ((attrs & MOUNT_ATTR_RDONLY) != 0 ? MS_RDONLY : 0);
	const char *layer = c->plan->layer;

	if (check_layers(c, o) != 0 || syscall(SYS_fchdir, c->base) != 0 ||
	    syscall(SYS_mount, "overlay", layer, "overlay", flags, o->options) != 0)
		return -1;
	return sys_open_tree(AT_FDCWD, layer, 0);
}

/** By descriptor; by options where the kernel has no "lowerdir+". */
static int make_overlay(struct child *c, const struct overlay *o, uint64_t attrs)
{
	if (!c->plan->no_lowerdir_plus) {
		int mount = overlay_by_descriptor(c, o, attrs);

		if (mount >= 0 || errno != EINVAL)
			return mount;
	}
	return overlay_by_options(c, o, attrs);
}

int child_overlay(struct child *c, const struct overlay *o, uint64_t attrs)
{
	c->part = PART_FS;
	int mount = make_overlay(c, o, attrs);
	if (mount >= 0 && c->root >= 0 && syscall(SYS_fchdir, c->root) != 0)
		return -1;
	return mount;
}

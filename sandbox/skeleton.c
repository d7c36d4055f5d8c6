/* SPDX-License-Identifier: Apache-2.0 */
/* The skeleton: what is made in a sandbox's own tmpfs, and what is mounted on it (parent's side). */
#include "sandbox/plan.h"

#include <errno.h>
#include <string.h>

#include <linux/mount.h>

#define HARMLESS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
/** A device node cannot be opened through nodev; read-only keeps the inode itself from being changed. */
#define DEVICE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY)

static const char *const devices[] = { "dev/null", "dev/zero", "dev/full", "dev/random", "dev/urandom", "dev/tty" };

/** Files of /proc that tell of the host, and that nothing in a build needs; those that exist are covered with an
 *  empty file. /proc as a whole is read-only. */
static const char *const proc_files[] = {
	"proc/cmdline", "proc/config.gz", "proc/diskstats", "proc/interrupts", "proc/iomem", "proc/ioports",
	"proc/kallsyms", "proc/key-users", "proc/keys", "proc/latency_stats", "proc/modules", "proc/partitions",
	"proc/sched_debug", "proc/softirqs", "proc/swaps",
};
/** These only the host's root can open at all: covered where a step's user is uid 0 outside, too. */
static const char *const proc_root_files[] = {
	"proc/kcore", "proc/kmsg", "proc/kpagecgroup", "proc/kpagecount", "proc/kpageflags", "proc/pagetypeinfo",
	"proc/slabinfo", "proc/sysrq-trigger", "proc/timer_list", "proc/vmallocinfo",
};
/** Directories of /proc, covered with an empty directory. */
static const char *const proc_dirs[] = {
	"proc/acpi", "proc/asound", "proc/bus", "proc/driver", "proc/fs", "proc/irq", "proc/scsi",
};

static int add_all(struct plan_box *box, const struct make *makes, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (plan_add_make(box, makes[i], err) != 0)
			return -1;
	return 0;
}

int skeleton_fixed(struct plan_box *box, struct err *err)
{
	static const struct make makes[] = {
		{ MAKE_DIR, "root", 0755, NULL, false },
		{ MAKE_DIR, "tmp", 01777, NULL, false },
		{ MAKE_DIR, "shm", 01777, NULL, false },
		{ MAKE_DIR, "home", 0755, NULL, false },
		{ MAKE_DIR, "layer", 0755, NULL, false },
		{ MAKE_DIR, "void", 0555, NULL, false },
		{ MAKE_FILE, "empty", 0444, NULL, false },
		{ MAKE_FILE, "version", 0444, "Linux version 0 (glovebox)\n", false },
		{ MAKE_FILE, "boot_id", 0444, "00000000-0000-4000-8000-000000000000\n", false },
		{ MAKE_DIR, "root/dev", 0755, NULL, false },
		{ MAKE_FILE, "root/dev/null", 0444, NULL, false },
		{ MAKE_FILE, "root/dev/zero", 0444, NULL, false },
		{ MAKE_FILE, "root/dev/full", 0444, NULL, false },
		{ MAKE_FILE, "root/dev/random", 0444, NULL, false },
		{ MAKE_FILE, "root/dev/urandom", 0444, NULL, false },
		{ MAKE_FILE, "root/dev/tty", 0444, NULL, false },
		{ MAKE_DIR, "root/dev/pts", 0755, NULL, true },
		{ MAKE_DIR, "root/dev/shm", 0755, NULL, true },
		{ MAKE_LINK, "root/dev/ptmx", 0, "pts/ptmx", false },
		{ MAKE_LINK, "root/dev/fd", 0, "/proc/self/fd", false },
		{ MAKE_LINK, "root/dev/stdin", 0, "/proc/self/fd/0", false },
		{ MAKE_LINK, "root/dev/stdout", 0, "/proc/self/fd/1", false },
		{ MAKE_LINK, "root/dev/stderr", 0, "/proc/self/fd/2", false },
		{ MAKE_DIR, "root/proc", 0555, NULL, true },
		{ MAKE_DIR, "root/sys", 0555, NULL, true },
		{ MAKE_DIR, "root/tmp", 0755, NULL, true },
		{ MAKE_DIR, "root/build", 0755, NULL, false },
		{ MAKE_DIR, "root/build/home", 0755, NULL, true },
	};

	return add_all(box, makes, ARRAY_LEN(makes), err);
}

/** Covers something of /proc's, if it is there. */
static int cover(struct plan_box *box, const char *from, const char *target, struct err *err)
{
	return plan_add_row(box, (struct row){ .kind = ROW_COVER, .target = target, .user = -1, .own = true, .optional = true,
					       .from = { PLACE_SKELETON, from } }, err);
}

static int bind_writable(struct plan_box *box, const char *from, const char *target, struct err *err)
{
	return plan_add_row(box, (struct row){ .kind = ROW_BIND, .target = target, .user = -1, .own = true,
					       .from = { PLACE_SKELETON, from }, .clear = MOUNT_ATTR_RDONLY }, err);
}

static int mask_files(struct plan_box *box, const char *const *files, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (cover(box, "../empty", files[i], err) != 0)
			return -1;
	return 0;
}

static int mask_proc(struct plan_box *box, const struct sandbox_conf *conf, struct err *err)
{
	if (mask_files(box, proc_files, ARRAY_LEN(proc_files), err) != 0)
		return -1;
	if (conf->outer_uid == 0 && mask_files(box, proc_root_files, ARRAY_LEN(proc_root_files), err) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(proc_dirs); i++)
		if (cover(box, "../void", proc_dirs[i], err) != 0)
			return -1;
	if (cover(box, "../version", "proc/version", err) != 0)
		return -1;
	return cover(box, "../boot_id", "proc/sys/kernel/random/boot_id", err);
}

/** The host's nodes: a user namespace cannot make its own. */
static int bind_devices(struct plan_box *box, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		const char *host = plan_str(box, "/%s", devices[i]);
		struct row row = { .kind = ROW_BIND, .target = host == NULL ? NULL : devices[i], .user = -1,
				   .own = true, .from = { PLACE_HOST, host }, .set = DEVICE };

		if (plan_add_row(box, row, err) != 0)
			return -1;
	}
	return 0;
}

int skeleton_rows(struct plan_box *box, const struct sandbox_conf *conf, struct err *err)
{
	if (plan_add_row(box, (struct row){ .kind = ROW_PROC, .target = "proc", .user = -1, .own = true,
					    .set = HARMLESS | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY }, err) != 0 ||
	    mask_proc(box, conf, err) != 0 || bind_devices(box, err) != 0)
		return -1;
	if (plan_add_row(box, (struct row){ .kind = ROW_PTS, .target = "dev/pts", .user = -1, .own = true,
					    .set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC }, err) != 0)
		return -1;
	if (bind_writable(box, "shm", "dev/shm", err) != 0 || bind_writable(box, "tmp", "tmp", err) != 0)
		return -1;
	return bind_writable(box, "home", "build/home", err);
}

int skeleton_space(struct plan_box *box, struct err *err)
{
	static const struct make makes[] = {
		{ MAKE_DIR, "base", 0755, NULL, true },
		{ MAKE_DIR, "trees", 0755, NULL, true },
		{ MAKE_DIR, "proc", 0555, NULL, true },
		{ MAKE_DIR, "dev", 0755, NULL, false },
		{ MAKE_FILE, "dev/null", 0444, NULL, false },
		{ MAKE_FILE, "dev/zero", 0444, NULL, false },
		{ MAKE_FILE, "dev/full", 0444, NULL, false },
		{ MAKE_FILE, "dev/random", 0444, NULL, false },
		{ MAKE_FILE, "dev/urandom", 0444, NULL, false },
		{ MAKE_FILE, "dev/tty", 0444, NULL, false },
	};

	if (add_all(box, makes, ARRAY_LEN(makes), err) != 0)
		return -1;
	/* A store may have mounts of the user's below it: they come along. */
	if (plan_add_row(box, (struct row){ .kind = ROW_BIND, .target = "base", .from = { PLACE_BASE, "." }, .user = -1,
					    .own = true, .set = HARMLESS, .recursive = true }, err) != 0 ||
	    bind_devices(box, err) != 0)
		return -1;
	/* A step can mount its own /proc only where its mount namespace shows one whole (the kernel's
	 * "mount too revealing"). It is the keeper's, not the host's, and must not be read-only for that. */
	return plan_add_row(box, (struct row){ .kind = ROW_PROC, .target = "proc", .user = -1, .own = true,
					       .set = HARMLESS | MOUNT_ATTR_NOEXEC }, err);
}

/* ---- the caller's mounts --------------------------------------------------- */

/** A target is UTF-8: the receipt names every mount, and JSON holds nothing else. */
static int check_target(const char *target, struct err *err)
{
	static const char *const ours[] = { "/dev", "/proc", "/sys" };

	if (target != NULL && !text_is_utf8(target))
		return err_set(err, ERR_USAGE, 0, "mount on '%s': must be UTF-8", target);
	if (target == NULL || !text_path_is_absolute(target) || target[1] == '\0')
		return err_set(err, ERR_USAGE, 0, "mount on '%s': must be an absolute clean path other than '/'",
			       target == NULL ? "" : target);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (text_path_is_below(target, ours[i]))
			return err_set(err, ERR_USAGE, 0, "mount on '%s': nothing can be mounted in %s", target, ours[i]);
	return 0;
}

/** Makes the mount point where that is the skeleton's business. Below a directory of the rootfs
 *  or of an earlier mount nothing can be made: the child finds out whether it is there. */
static int make_target(struct plan_box *box, const char *target, struct err *err)
{
	const char *end = target;

	do {
		end += 1 + strcspn(end + 1, "/");
		const char *path = plan_str(box, "root%.*s", (int)(end - target), target);
		struct make *made = path == NULL ? NULL : plan_find_make(box, path);
		if (made == NULL) {
			if (plan_add_make(box, (struct make){ .kind = MAKE_DIR, .path = path, .mode = 0755 }, err) != 0)
				return -1;
			made = &box->makes[box->plan.nmakes - 1];
		}
		if (made->kind != MAKE_DIR)
			return err_set(err, ERR_USAGE, 0, "mount on '%s': '%.*s' is a %s in the rootfs, not a directory", target,
				       (int)(end - target), target, made->kind == MAKE_LINK ? "link" : "file");
		if (*end == '\0')
			made->foreign = true;
		else if (made->foreign)
			return 0;
	} while (*end != '\0');
	return 0;
}

static int take_place(const struct sandbox_path *from, const struct sandbox_conf *conf, const char *target,
		      struct place *ret, struct err *err)
{
	const char *path = from->path;

	if (path == NULL)
		return err_set(err, ERR_USAGE, 0, "mount on '%s': a source is missing", target);
	switch (from->where) {
	case SANDBOX_IN_HOST:
		if (conf->space != NULL)
			return err_set(err, ERR_USAGE, 0, "mount on '%s': a live host directory cannot be used in a space", target);
		if (path[0] != '/')
			return err_set(err, ERR_USAGE, 0, "mount on '%s': host path '%s' is not absolute", target, path);
		*ret = (struct place){ PLACE_HOST, path };
		return 0;
	case SANDBOX_IN_SPACE:
		if (conf->space == NULL)
			return err_set(err, ERR_USAGE, 0, "mount on '%s': '%s' is in a space, but none is given", target, path);
		*ret = (struct place){ PLACE_TREES, path };
		break;
	case SANDBOX_IN_BASE:
		*ret = (struct place){ PLACE_BASE, path };
		break;
	default:
		return err_set(err, ERR_USAGE, 0, "mount on '%s': unknown kind of source", target);
	}
	if (!text_path_is_clean(path))
		return err_set(err, ERR_USAGE, 0, "mount on '%s': source '%s' is not a clean relative path", target, path);
	return 0;
}

static int take_overlay(struct plan_box *box, const struct sandbox_mount *m, const struct sandbox_conf *conf,
			const struct overlay **ret, struct err *err)
{
	struct overlay *o = plan_alloc(box, sizeof *o);

	if (o == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "planning the sandbox");
	if (m->nlowers == 0 || m->nlowers > SANDBOX_LOWERS_MAX)
		return err_set(err, ERR_USAGE, 0, "mount on '%s': an overlay has 1 to %d lower layers, not %zu", m->target,
			       SANDBOX_LOWERS_MAX, m->nlowers);
	for (size_t i = 0; i < m->nlowers; i++)
		if (take_place(&m->lowers[i], conf, m->target, &o->lowers[i], err) != 0)
			return -1;
	o->nlowers = m->nlowers;
	if (take_place(&m->upper, conf, m->target, &o->upper, err) != 0 ||
	    take_place(&m->work, conf, m->target, &o->work, err) != 0 || overlay_options(box, o, err) != 0)
		return -1;
	*ret = o;
	return 0;
}

static int add_mount(struct plan_box *box, const struct sandbox_conf *conf, size_t i, struct err *err)
{
	const struct sandbox_mount *m = &conf->mounts[i];

	if (check_target(m->target, err) != 0)
		return -1;
	struct row row = { .target = m->target + 1, .set = HARMLESS, .view = m->want_view, .user = (int)i };
	switch (m->kind) {
	case SANDBOX_BIND_RO:
		row.set |= MOUNT_ATTR_RDONLY;
		/* fall through */
	case SANDBOX_BIND_RW:
		row.kind = ROW_BIND;
		if (take_place(&m->source, conf, m->target, &row.from, err) != 0)
			return -1;
		row.recursive = row.from.where == PLACE_HOST;
		break;
	case SANDBOX_OVERLAY:
		row.kind = ROW_OVERLAY;
		if (take_overlay(box, m, conf, &row.overlay, err) != 0)
			return -1;
		break;
	default:
		return err_set(err, ERR_USAGE, 0, "mount on '%s': unknown kind", m->target);
	}
	if (make_target(box, m->target, err) != 0)
		return -1;
	return plan_add_row(box, row, err);
}

int skeleton_mounts(struct plan_box *box, const struct sandbox_conf *conf, struct err *err)
{
	size_t views = 0;

	for (size_t i = 0; i < conf->nmounts; i++) {
		views += conf->mounts[i].want_view;
		if (add_mount(box, conf, i, err) != 0)
			return -1;
	}
	if (views > 1)
		return err_set(err, ERR_USAGE, 0, "sandbox: a view of more than one mount was asked for");
	return 0;
}

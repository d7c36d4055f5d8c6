/* SPDX-License-Identifier: Apache-2.0 */
/* The skeleton: what is made in a sandbox's own tmpfs, and what is mounted on it (parent's side). */
#include "sandbox/plan.h"

#include <errno.h>

#include <linux/mount.h>

#define HARMLESS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
/** A device node cannot be opened through nodev; read-only keeps the inode itself from being changed. */
#define DEVICE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY)

static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty" };

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
		{ MAKE_DIR, "dev", 0755, NULL, false },
		{ MAKE_FILE, "dev/null", 0444, NULL, false },
		{ MAKE_FILE, "dev/zero", 0444, NULL, false },
		{ MAKE_FILE, "dev/full", 0444, NULL, false },
		{ MAKE_FILE, "dev/random", 0444, NULL, false },
		{ MAKE_FILE, "dev/urandom", 0444, NULL, false },
		{ MAKE_FILE, "dev/tty", 0444, NULL, false },
		{ MAKE_DIR, "dev/pts", 0755, NULL, false },
		{ MAKE_DIR, "dev/shm", 0755, NULL, false },
		{ MAKE_LINK, "dev/ptmx", 0, "pts/ptmx", false },
		{ MAKE_LINK, "dev/fd", 0, "/proc/self/fd", false },
		{ MAKE_LINK, "dev/stdin", 0, "/proc/self/fd/0", false },
		{ MAKE_LINK, "dev/stdout", 0, "/proc/self/fd/1", false },
		{ MAKE_LINK, "dev/stderr", 0, "/proc/self/fd/2", false },
		{ MAKE_DIR, "root/dev", 0755, NULL, true },
		{ MAKE_DIR, "root/proc", 0555, NULL, true },
		{ MAKE_DIR, "root/sys", 0555, NULL, true },
		{ MAKE_DIR, "root/tmp", 0755, NULL, true },
		{ MAKE_DIR, "root/build", 0755, NULL, false },
		{ MAKE_DIR, "root/build/home", 0755, NULL, true },
	};

	return add_all(box, makes, ARRAY_LEN(makes), err);
}

int skeleton_cover(struct plan_box *box, const char *from, const char *target, struct err *err)
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
		if (skeleton_cover(box, "../empty", files[i], err) != 0)
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
		if (skeleton_cover(box, "../void", proc_dirs[i], err) != 0)
			return -1;
	if (skeleton_cover(box, "../version", "proc/version", err) != 0)
		return -1;
	if (skeleton_cover(box, "../boot_id", "proc/sys/kernel/random/boot_id", err) != 0)
		return -1;
	return box->plan.vary.one_cpu ? skeleton_one_cpu(box, err) : 0;
}

/** /dev, whole: nothing of what a rootfs has there. The nodes are the host's: a user namespace cannot make its own. */
static int bind_devices(struct plan_box *box, struct err *err)
{
	if (plan_add_row(box, (struct row){ .kind = ROW_BIND, .target = "dev", .user = -1, .own = true,
					    .from = { PLACE_SKELETON, "dev" } }, err) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		if (plan_add_row(box, (struct row){ .kind = ROW_COVER, .target = devices[i] + 1, .user = -1, .own = true,
						    .from = { PLACE_HOST, devices[i] } }, err) != 0)
			return -1;
	return plan_add_row(box, (struct row){ .kind = ROW_FLAGS, .target = "dev", .set = DEVICE, .user = -1 }, err);
}

int skeleton_rows(struct plan_box *box, const struct sandbox_conf *conf, struct err *err)
{
	if (plan_add_row(box, (struct row){ .kind = ROW_PROC, .target = "proc", .user = -1, .own = true,
					    .set = HARMLESS | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY }, err) != 0 ||
	    mask_proc(box, conf, err) != 0 || skeleton_cover(box, "../void", "sys", err) != 0 ||
	    bind_devices(box, err) != 0)
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

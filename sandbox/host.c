/* SPDX-License-Identifier: Apache-2.0 */
/* From {stage, errno} to a sentence: what was being done, why this host denies it, what cures it. */
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "sandbox/mounted.h"

#define PROC_FILE_MAX (1u << 20)
/** How many covered paths of /proc an error names. */
#define PROC_COVERS_SHOWN 4

/** Names in the order of enum stage. */
static const char *const stage_text[] = {
	[STAGE_JOIN] = "entering the space",
	[STAGE_CLONE] = "making user, pid, network, ipc, uts and cgroup namespaces",
	[STAGE_DETACH] = "starting a session",
	[STAGE_IDS] = "mapping ids",
	[STAGE_CGROUP] = "making a cgroup namespace",
	[STAGE_MOUNT_NS] = "making a mount namespace",
	[STAGE_TMPFS] = "mounting a tmpfs for the root",
	[STAGE_SKELETON] = "filling the root",
	[STAGE_ROOT] = "mounting the root, an overlay over the rootfs",
	[STAGE_MOUNTS] = "mounting",
	[STAGE_PIVOT] = "leaving the host's root (pivot_root)",
	[STAGE_HOSTNAME] = "setting the host name",
	[STAGE_LOOPBACK] = "bringing the loopback interface up",
	[STAGE_KEYRING] = "making a session keyring",
	[STAGE_CAPS] = "dropping capabilities and setting no_new_privs",
	[STAGE_HIDE] = "making its init unreadable",
	[STAGE_FORK] = "starting the command's process",
	[STAGE_SESSION] = "starting the command's session",
	[STAGE_STDIO] = "connecting stdin, stdout and stderr",
	[STAGE_WORKDIR] = "entering the work directory",
	[STAGE_LIMITS] = "setting a resource limit",
	[STAGE_LANDLOCK] = "setting up Landlock",
	[STAGE_SECCOMP] = "loading the seccomp filter",
	[STAGE_HANDOVER] = "handing over the space",
};

/** The number in a file of /proc/sys, or -1. */
static long read_number(const char *path)
{
	char text[32] = "";
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	return n <= 0 ? -1 : strtol(text, NULL, 10);
}

/** A file of /proc as a string, or NULL. */
static char *read_proc(const char *path)
{
	auto_buf text = BUF_LIMIT(PROC_FILE_MAX);
	struct err ignored = { 0 };
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || io_read_all(fd, PROC_FILE_MAX, &text, &ignored) != 0)
		return NULL;
	return buf_take(&text);
}

/** Whether a filter of somebody else's (a container's) binds this process. */
static bool under_seccomp(void)
{
	auto_free char *status = read_proc("/proc/self/status");

	return status != NULL && strstr(status, "\nSeccomp:\t2") != NULL;
}

/** A user namespace is made, or refused, by rules that the errno alone does not tell apart. */
static const char *why_denied(void)
{
	if (read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
		return "AppArmor restricts unprivileged user namespaces here; cure: sysctl -w "
		       "kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for glovebox with 'userns,'";
	if (read_number("/proc/sys/kernel/unprivileged_userns_clone") == 0)
		return "unprivileged user namespaces are switched off; cure: sysctl -w kernel.unprivileged_userns_clone=1";
	if (mounted_in_chroot())
		return "this process runs in a chroot, where no user namespace can be made; run it in a root of its own "
		       "(a container, pivot_root), not in a chroot";
	if (under_seccomp())
		return "a seccomp filter binds this process (a container's?); cure: start the container with "
		       "--security-opt seccomp=unconfined, or with a profile that allows clone, unshare, setns and mount calls";
	return "a security module or a container forbids it (see the kernel log, and the security options of the container)";
}

/** ENOSPC of clone(2): a limit of namespaces in /proc/sys/user. */
static int explain_full(const char *what, struct err *err)
{
	static const char *const kinds[] = { "user", "mnt", "pid", "net", "ipc", "uts", "cgroup" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		char path[64];

		snprintf(path, sizeof path, "/proc/sys/user/max_%s_namespaces", kinds[i]);
		if (read_number(path) == 0)
			return err_set(err, ERR_HOST, 0, "sandbox: %s: user.max_%s_namespaces is 0 on this host; cure: "
				       "sysctl -w user.max_%s_namespaces=10000", what, kinds[i], kinds[i]);
	}
	return err_set(err, ERR_HOST, 0, "sandbox: %s: this user has as many namespaces as user.max_*_namespaces allows; "
		       "end some, or raise the limit", what);
}

/** EAGAIN of clone(2) and vfork(2): a limit of processes. */
static int explain_no_process(const char *what, struct err *err)
{
	struct rlimit now = { RLIM_INFINITY, RLIM_INFINITY };
	char text[32] = "unlimited";

	(void)getrlimit(RLIMIT_NPROC, &now);
	if (now.rlim_cur != RLIM_INFINITY)
		snprintf(text, sizeof text, "%ju", (uintmax_t)now.rlim_cur);
	return err_set(err, ERR_HOST, 0, "sandbox: %s: no more processes can be made: this user has as many as its limit allows "
		       "(ulimit -u: %s), or the machine or this process's cgroup has (kernel.pid_max, pids.max); end some, or "
		       "raise the limit", what, text);
}

/* ---- mounts ----------------------------------------------------------------------- */

static bool is_missing(int sys)
{
	return sys == ENOENT || sys == ENOTDIR || sys == ELOOP || sys == EXDEV;
}

/** A row of the caller's, by the caller's names. */
static int explain_user_row(const struct row *row, const struct note *note, struct err *err)
{
	const char *from = row->from.path != NULL ? row->from.path : "its layers";

	if (note->part == PART_TARGET && is_missing(note->code))
		return err_set(err, ERR_USAGE, 0, "mount on '/%s': there is no such directory in the rootfs (or in the mount it "
			       "lies in), or it is reached through a link; make it there, or mount at top level", row->target);
	if ((note->part == PART_ATTACH && (note->code == ENOTDIR || note->code == EINVAL)) ||
	    (note->part == PART_SOURCE && note->code == ENOTDIR))
		return err_set(err, ERR_USAGE, 0, "mount on '/%s': it or '%s' is not a directory", row->target, from);
	if (note->part == PART_SOURCE && row->from.where == PLACE_HOST)
		return err_set(err, ERR_USAGE, note->code, "mount on '/%s': opening '%s'", row->target, from);
	if (row->kind == ROW_OVERLAY && note->part != PART_SOURCE)
		return err_set(err, note->code == EINVAL || note->code == EPERM || note->code == ENODEV ? ERR_HOST : ERR_INTERNAL,
			       note->code, "mount on '/%s': overlay over %zu layers (its upper and work directories must be "
			       "new and on a file system with user extended attributes; the kernel needs overlayfs)", row->target,
			       row->overlay->nlowers);
	return err_set(err, ERR_INTERNAL, note->code, "mount on '/%s' of '%s'", row->target, from);
}

/** "mount too revealing": a new /proc would show what a container has covered in its own. */
static int explain_proc(const struct note *note, struct err *err)
{
	auto_buf covers = { 0 };

	mounted_on_proc(&covers, PROC_COVERS_SHOWN);
	return err_set(err, ERR_HOST, note->code, "sandbox: mounting /proc: the kernel allows it only where the host's own /proc is "
		       "not masked; this looks like a container with parts of /proc covered (%s): start it with "
		       "--security-opt systempaths=unconfined (docker) or --security-opt unmask=ALL (podman)",
		       covers.data == NULL ? "none seen from here" : covers.data);
}

static int explain_root(const struct plan *plan, const struct note *note, struct err *err)
{
	const char *what = stage_text[STAGE_ROOT];

	if (note->part == PART_SOURCE)
		return err_set(err, ERR_INTERNAL, note->code, "sandbox: opening the rootfs '%s'", plan->rootfs);
	if (note->code == ENODEV)
		return err_set(err, ERR_HOST, note->code, "sandbox: %s: this kernel has no overlayfs; cure: modprobe overlay", what);
	if (note->code == EPERM || note->code == EINVAL)
		return err_set(err, ERR_HOST, note->code, "sandbox: %s: the kernel must let a user namespace mount overlayfs "
			       "(Linux 5.11 or later), the store must lie on a mount of this mount namespace with no other mount "
			       "below the rootfs, and on no more than one overlay itself", what);
	return err_set(err, ERR_INTERNAL, note->code, "sandbox: %s", what);
}

static int explain_mount(const struct plan *plan, const struct note *note, struct err *err)
{
	if (note->index < 0)
		return err_set(err, ERR_INTERNAL, note->code, "sandbox: opening the base directory");
	const struct row *row = &plan->rows[note->index];
	if (row->user >= 0)
		return explain_user_row(row, note, err);
	if (row->kind == ROW_PROC && note->part == PART_FS && (note->code == EPERM || note->code == EACCES))
		return explain_proc(note, err);
	if (row->from.where == PLACE_HOST)
		return err_set(err, ERR_HOST, note->code, "sandbox: the host's %s", row->from.path);
	return err_set(err, note->code == EPERM || note->code == EACCES || note->code == ENODEV ? ERR_HOST : ERR_INTERNAL,
		       note->code, "sandbox: mounting /%s", row->target);
}

/* ---- the rest ------------------------------------------------------------------------ */

static bool is_denial(int sys)
{
	return sys == EPERM || sys == EACCES;
}

static int explain_skeleton(const struct plan *plan, const struct note *note, struct err *err)
{
	if (note->code == ENOSPC)
		return err_set(err, ERR_USAGE, 0, "sandbox: limit tmp: %s bytes and %s inodes are too few even for the root's own "
			       "entries", plan->tmpfs_size, plan->tmpfs_inodes);
	return err_set(err, ERR_INTERNAL, note->code, "sandbox: making '%s'",
		       note->index < 0 ? "/" : plan->makes[note->index].path);
}

static int explain_workdir(const struct plan *plan, const struct note *note, struct err *err)
{
	return err_set(err, ERR_USAGE, note->code, "work directory '%s' in the sandbox", plan->workdir);
}

int host_explain(const struct plan *plan, const struct note *note, struct err *err)
{
	const char *what = note->stage > 0 && (size_t)note->stage < ARRAY_LEN(stage_text) ? stage_text[note->stage] : "starting";

	if (note->code == ENOSYS)
		return err_set(err, ERR_HOST, 0, "sandbox: %s: this kernel lacks a system call that is needed, or a container's "
			       "seccomp filter hides it; Linux 5.14 or later is required", what);
	switch (note->stage) {
	case STAGE_ROOT:
		return explain_root(plan, note, err);
	case STAGE_MOUNTS:
		return explain_mount(plan, note, err);
	case STAGE_SKELETON:
		return explain_skeleton(plan, note, err);
	case STAGE_WORKDIR:
		return explain_workdir(plan, note, err);
	case STAGE_SECCOMP:
		if (note->code == EINVAL)
			return err_set(err, ERR_USAGE, 0, "sandbox: %s: the kernel refuses it as malformed", what);
		break;
	case STAGE_KEYRING:
		if (note->code == EDQUOT)
			return err_set(err, ERR_HOST, 0, "sandbox: %s: this user's quota of keys is used up (sysctl "
				       "kernel.keys.maxkeys)", what);
		break;
	case STAGE_IDS:
		if (note->part == PART_OOM)
			what = "setting oom_score_adj";
		break;
	case STAGE_FORK:
		if (note->code == EAGAIN)
			return explain_no_process(what, err);
		break;
	case STAGE_CLONE:
	case STAGE_MOUNT_NS:
		if (note->code == EAGAIN)
			return explain_no_process(what, err);
		if (note->code == ENOSPC || note->code == EUSERS)
			return explain_full(what, err);
		if (note->code == EINVAL)
			return err_set(err, ERR_HOST, note->code, "sandbox: %s: this kernel is built without one of them", what);
		break;
	case STAGE_PIVOT:
		if (note->code == EINVAL)
			return err_set(err, ERR_HOST, note->code, "sandbox: %s: the host's root is a chroot or an initramfs, which "
				       "cannot be left that way", what);
		break;
	default:
		break;
	}
	if (is_denial(note->code))
		return err_set(err, ERR_HOST, note->code, "sandbox: %s is denied: %s", what, why_denied());
	return err_set(err, ERR_INTERNAL, note->code, "sandbox: %s", what);
}

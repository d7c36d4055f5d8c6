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
#include "sandbox/outer.h"

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
	[STAGE_ANSWER] = "telling a process of the command another time or order of directories",
	[STAGE_HANDOVER] = "handing over the space",
};

/** EPERM and EACCES are what many rules answer. */
static int explain_denial(const char *what, bool making, const struct note *note, struct err *err)
{
	auto_buf detail = { 0 };
	char doing[160];
	enum sandbox_cause cause = outer_why_denied(making, &detail);

	snprintf(doing, sizeof doing, "sandbox: %s is denied", what);
	return sandbox_denied(err, cause, note->code, doing, detail.data);
}

/** ENOSYS: of an old kernel, or of a filter that knows no better word. */
static int explain_missing(const char *what, struct err *err)
{
	auto_buf detail = { 0 };
	char doing[160];
	bool refused = outer_kernel_is(5, 14) && outer_refuses(&detail);

	snprintf(doing, sizeof doing, "sandbox: %s", what);
	return sandbox_denied(err, refused || (outer_kernel_is(5, 14) && outer_seccomp()) ? CAUSE_SECCOMP : CAUSE_OLD_KERNEL, ENOSYS,
			      doing, detail.data);
}

/** ENOSPC of clone(2): a limit of namespaces in /proc/sys/user. */
static int explain_full(const char *what, struct err *err)
{
	static const char *const kinds[] = { "user", "mnt", "pid", "net", "ipc", "uts", "cgroup" };
	char doing[160], name[64];

	snprintf(doing, sizeof doing, "sandbox: %s", what);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		snprintf(name, sizeof name, "/proc/sys/user/max_%s_namespaces", kinds[i]);
		if (outer_number(name) != 0)
			continue;
		snprintf(name, sizeof name, "user.max_%s_namespaces is 0", kinds[i]);
		return sandbox_denied(err, i == 0 ? CAUSE_USERNS_OFF : CAUSE_NAMESPACES_OFF, ENOSPC, doing, i == 0 ? NULL : name);
	}
	return sandbox_denied(err, CAUSE_NAMESPACES_FULL, ENOSPC, doing, NULL);
}

/** EAGAIN of clone(2) and vfork(2): a limit of processes. */
static int explain_no_process(const char *what, struct err *err)
{
	struct rlimit now = { RLIM_INFINITY, RLIM_INFINITY };
	char doing[160], text[48] = "ulimit -u: unlimited";

	(void)getrlimit(RLIMIT_NPROC, &now);
	if (now.rlim_cur != RLIM_INFINITY)
		snprintf(text, sizeof text, "ulimit -u: %ju", (uintmax_t)now.rlim_cur);
	snprintf(doing, sizeof doing, "sandbox: %s", what);
	return sandbox_denied(err, CAUSE_PROCESSES, EAGAIN, doing, text);
}

/* ---- mounts ----------------------------------------------------------------------- */

static bool is_missing(int sys)
{
	return sys == ENOENT || sys == ENOTDIR || sys == ELOOP || sys == EXDEV;
}

static int explain_user_overlay(const struct row *row, const struct note *note, struct err *err)
{
	auto_buf doing = { 0 };

	buf_addf(&doing, "mount on '/%s': overlay over %zu layers: %s", row->target, row->overlay->nlowers, strerror(note->code));
	if (buf_check(&doing, "message", err) != 0)
		return -1;
	if (note->code == EINVAL || note->code == EPERM || note->code == ENODEV)
		return sandbox_denied(err, CAUSE_UPPER_DENIED, note->code, doing.data, NULL);
	return err_set(err, ERR_INTERNAL, note->code, "mount on '/%s': overlay over %zu layers", row->target, row->overlay->nlowers);
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
		return explain_user_overlay(row, note, err);
	return err_set(err, ERR_INTERNAL, note->code, "mount on '/%s' of '%s'", row->target, from);
}

/** "mount too revealing": a new /proc would show what a container has covered in its own. */
int sandbox_proc_denied(int sys, struct err *err)
{
	auto_buf covers = { 0 };

	mounted_on_proc(&covers, PROC_COVERS_SHOWN);
	return sandbox_denied(err, CAUSE_PROC_MASKED, sys, "sandbox: mounting /proc is denied",
			      covers.data == NULL ? "none seen from here" : covers.data);
}

static int explain_root(const struct plan *plan, const struct note *note, struct err *err)
{
	const char *what = stage_text[STAGE_ROOT];

	if (note->part == PART_SOURCE)
		return err_set(err, ERR_INTERNAL, note->code, "sandbox: opening the rootfs '%s'", plan->rootfs);
	if (note->code == ENODEV)
		return sandbox_denied(err, CAUSE_NO_OVERLAY, note->code, "sandbox: mounting the root, an overlay over the rootfs", NULL);
	if (note->code == EPERM || note->code == EINVAL)
		return sandbox_denied(err, CAUSE_OVERLAY_DENIED, note->code, "sandbox: mounting the root, an overlay over the rootfs",
				      strerror(note->code));
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
		return sandbox_proc_denied(note->code, err);
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
		return explain_missing(what, err);
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
		if (note->code == EBUSY && plan->asking != NULL)
			return err_set(err, ERR_HOST, 0, "sandbox: another clock or order of directories takes a seccomp listener, and a filter "
				       "from outside has the only one that there can be");
		if (plan->learning && note->code == EBUSY)
			return err_set(err, ERR_HOST, EBUSY, "sandbox: listening to the command's calls: a listener above this process has them"
				       " already (a container manager's, or another 'profile learn'); learn outside of it");
		if (plan->learning && note->code == EMFILE)
			return err_set(err, ERR_USAGE, EMFILE, "sandbox: listening to the command's calls: its limit of open files is too low"
				       " for that; raise it (--files)");
		break;
	case STAGE_KEYRING:
		if (note->code == EDQUOT)
			return sandbox_denied(err, CAUSE_KEYS, EDQUOT, "sandbox: making a session keyring", NULL);
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
			return sandbox_denied(err, CAUSE_LEAN_KERNEL, note->code,
					      "sandbox: making user, mount, pid, network, ipc, uts and cgroup namespaces", NULL);
		break;
	case STAGE_PIVOT:
		if (note->code == EINVAL)
			return sandbox_denied(err, CAUSE_ROOT, note->code, "sandbox: leaving the host's root (pivot_root)", NULL);
		break;
	default:
		break;
	}
	if (is_denial(note->code))
		return explain_denial(what, note->stage == STAGE_CLONE, note, err);
	return err_set(err, ERR_INTERNAL, note->code, "sandbox: %s", what);
}

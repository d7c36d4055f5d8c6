/* SPDX-License-Identifier: Apache-2.0 */
/* The table of causes and cures. Where a cure is the same in every container, it stands under `cure` alone. */
#include "sandbox/cause.h"

#include <string.h>
#include <unistd.h>

#include "sandbox/outer.h"

#define OUTER_PROFILE "outer-seccomp.json"

static const struct sandbox_cause_row rows[CAUSES] = {
	[CAUSE_NONE] = { "unknown", "it is denied", NULL, NULL, NULL, NULL },
	[CAUSE_USERNS_OFF] = { "userns-off", "user.max_user_namespaces is 0 on this host",
		"sysctl -w user.max_user_namespaces=10000", NULL, NULL, NULL },
	[CAUSE_NAMESPACES_OFF] = { "namespaces-off", "a kind of namespaces is switched off on this host",
		"sysctl -w the one that is 0 of user.max_{mnt,pid,net,ipc,uts,cgroup}_namespaces to 10000", NULL, NULL, NULL },
	[CAUSE_NAMESPACES_FULL] = { "namespaces-full", "this user has as many namespaces as user.max_*_namespaces allows",
		"end some, or raise the limit (sysctl user.max_user_namespaces)", NULL, NULL, NULL },
	[CAUSE_CLONE_OFF] = { "userns-clone-off", "unprivileged user namespaces are switched off (kernel.unprivileged_userns_clone is 0)",
		"sysctl -w kernel.unprivileged_userns_clone=1", NULL, NULL, NULL },
	[CAUSE_APPARMOR] = { "apparmor-userns",
		"AppArmor restricts unprivileged user namespaces here (kernel.apparmor_restrict_unprivileged_userns is 1)",
		NULL /* made for this program: outer_apparmor_cure() */, NULL, NULL, NULL },
	[CAUSE_APPARMOR_PROFILE] = { "apparmor-profile", "an AppArmor profile binds this process",
		"allow 'userns,' 'mount,' 'umount,' and 'pivot_root,' in that profile",
		"docker run --security-opt apparmor=unconfined", "podman run --security-opt apparmor=unconfined",
		"securityContext: {appArmorProfile: {type: Unconfined}}" },
	[CAUSE_SELINUX] = { "selinux", "a container's SELinux domain binds this process", NULL,
		"docker run --security-opt label=disable", "podman run --security-opt label=disable",
		"securityContext: {seLinuxOptions: {type: spc_t}}" },
	[CAUSE_SECCOMP] = { "seccomp", "a seccomp filter binds this process (a container's?) and refuses calls that make a sandbox", NULL,
		"docker run --security-opt seccomp=" OUTER_PROFILE " (in glovebox's share directory; or seccomp=unconfined)",
		"podman run --security-opt seccomp=" OUTER_PROFILE " (in glovebox's share directory; or seccomp=unconfined)",
		"hostUsers: false and securityContext: {seccompProfile: {type: Localhost, localhostProfile: " OUTER_PROFILE "}} (or type: Unconfined)" },
	[CAUSE_CHROOT] = { "chroot", "this process runs in a chroot, where no user namespace can be made",
		"run it in a root of its own, which pivot_root makes (unshare --mount, a container), not in a chroot", NULL, NULL, NULL },
	[CAUSE_FORBIDDEN] = { "forbidden", "a security module, a container or a chroot forbids it",
		"see the kernel log, and the security options of the container", NULL, NULL, NULL },
	[CAUSE_OLD_KERNEL] = { "old-kernel", "this kernel lacks a system call that is needed", "Linux 5.14 or later", NULL, NULL, NULL },
	[CAUSE_LEAN_KERNEL] = { "lean-kernel", "this kernel is built without one of them",
		"a kernel with CONFIG_USER_NS, CONFIG_PID_NS, CONFIG_NET_NS, CONFIG_IPC_NS, CONFIG_UTS_NS and CONFIG_CGROUPS", NULL, NULL, NULL },
	[CAUSE_PROCESSES] = { "no-processes", "no more processes can be made: this user has as many as its limit allows, or the machine or this "
		"process's cgroup has (kernel.pid_max, pids.max)", "end some, or raise the limit",
		"docker run --pids-limit=-1", "podman run --pids-limit=-1", NULL },
	[CAUSE_KEYS] = { "keys-full", "this user's quota of keys is used up", "sysctl -w kernel.keys.maxkeys=2000", NULL, NULL, NULL },
	[CAUSE_ROOT] = { "root", "the host's root is a chroot or an initramfs, which cannot be left that way",
		"run it in a root of its own, which pivot_root or switch_root makes", NULL, NULL, NULL },
	[CAUSE_PROC_MASKED] = { "proc-masked", "the kernel allows it only where the host's own /proc is not masked; this looks like a container "
		"with parts of /proc covered", NULL,
		"docker run --security-opt systempaths=unconfined", "podman run --security-opt unmask=ALL",
		"hostUsers: false and securityContext: {procMount: Unmasked}" },
	[CAUSE_PROC_MISSING] = { "proc-missing", "there is no /proc here", "mount -t proc proc /proc", NULL, NULL, NULL },
	[CAUSE_NO_OVERLAY] = { "no-overlay", "this kernel has no overlayfs", "modprobe overlay", NULL, NULL, NULL },
	[CAUSE_OVERLAY_DENIED] = { "overlay-denied", "the kernel must let a user namespace mount overlayfs (Linux 5.11 or later), the store must "
		"lie on a mount of this mount namespace with no other mount below the rootfs, and on no more than one overlay itself",
		"choose another place with --store DIR, on ext4, xfs, btrfs or tmpfs",
		"docker run -v VOLUME:/store, and --store /store", "podman run -v VOLUME:/store, and --store /store",
		"an emptyDir volume, and --store there" },
	[CAUSE_UPPER_DENIED] = { "overlay-upper-denied", "an overlay's upper and work directories must be new and on a file system with user "
		"extended attributes; the kernel needs overlayfs", "choose another place with --store DIR, on ext4, xfs, btrfs or tmpfs",
		"docker run -v VOLUME:/store, and --store /store", "podman run -v VOLUME:/store, and --store /store",
		"an emptyDir volume, and --store there" },
	[CAUSE_NO_LANDLOCK] = { "no-landlock",
		"this kernel has no Landlock, the second wall of a step, and what names the files that the process which speaks HTTP may read",
		"a kernel with CONFIG_SECURITY_LANDLOCK, and 'landlock' in the list of its parameter lsm=", NULL, NULL, NULL },
	[CAUSE_CGROUP] = { "no-cgroup", "limits of memory and of processor time need a cgroup that may be divided",
		"start glovebox in a scope of its own (systemd-run --user --scope -p Delegate=yes glovebox ...) or as root, leave the limit out, or "
		"let it be passed over, and recorded (limits: best-effort)",
		"docker run --cgroupns=private --security-opt writable-cgroups=true", "podman run --cgroupns=private --security-opt unmask=/sys/fs/cgroup",
		"containerd's cgroup_writable: true for the runtime" },
	[CAUSE_GROUP] = { "group", "steps keep a group with rights over the host, which only root can drop",
		"start glovebox as a user that is not in it, or as root, who drops all", NULL, NULL, NULL },
	[CAUSE_STORE_READONLY] = { "store-readonly", "its file system is read-only",
		"choose another with --store DIR, or mount -o remount,rw",
		"docker run -v VOLUME:/store, and --store /store", "podman run -v VOLUME:/store, and --store /store",
		"an emptyDir volume, and --store there" },
	[CAUSE_STORE_FULL] = { "store-full", "its file system is full",
		"make room (glovebox rootfs remove), or choose another with --store DIR", NULL, NULL, NULL },
};

const struct sandbox_cause_row *sandbox_cause(enum sandbox_cause cause)
{
	return &rows[cause < CAUSES ? cause : CAUSE_NONE];
}

static void add(struct buf *out, size_t start, const char *name, const char *text)
{
	if (text != NULL)
		buf_addf(out, "%s%s%s%s", out->len > start ? "; " : "", name, name[0] == '\0' ? "" : ": ", text);
}

void sandbox_cause_cure(enum sandbox_cause cause, struct buf *out)
{
	const struct sandbox_cause_row *row = sandbox_cause(cause);
	enum outer_container in = outer_container();
	size_t start = out->len;

	if (cause == CAUSE_APPARMOR)
		outer_apparmor_cure(out);
	add(out, start, "", row->cure);
	add(out, start, "docker", in == OUTER_NONE || in == OUTER_DOCKER ? row->docker : NULL);
	add(out, start, "podman", in == OUTER_NONE || in == OUTER_PODMAN ? row->podman : NULL);
	add(out, start, "kubernetes", in == OUTER_NONE || in == OUTER_KUBERNETES ? row->kubernetes : NULL);
}

int sandbox_denied(struct err *err, enum sandbox_cause cause, int sys, const char *what, const char *detail)
{
	const struct sandbox_cause_row *row = sandbox_cause(cause);
	auto_buf cure = { 0 };
	bool told = detail != NULL && detail[0] != '\0';

	sandbox_cause_cure(cause, &cure);
	err_fill(err, ERR_HOST, 0, "%s: %s%s%s%s%s%s", what, row->why, told ? " (" : "", told ? detail : "", told ? ")" : "",
		 cure.len == 0 ? "" : "; cure: ", cure.len == 0 ? "" : cure.data);
	err->sys = sys;
	err->cause = (int)cause;
	return -1;
}

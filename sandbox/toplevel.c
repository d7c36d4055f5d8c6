/* SPDX-License-Identifier: Apache-2.0 */
/* The root directory: the skeleton's own part, with a generated /etc, over the rootfs. */
#include "sandbox/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/** Where the skeleton has directories of its own. In a rootfs these must be directories, or be absent: a link would be
 *  covered in silence, and a rootfs that has one means something else. */
static const char *const own_names[] = { "build", "dev", "etc", "proc", "sys", "tmp" };

const char *skeleton_type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFLNK: return "a link";
	case S_IFREG: return "a file";
	case S_IFDIR: return "a directory";
	case S_IFIFO: return "a named pipe";
	case S_IFSOCK: return "a socket";
	default: return "a device node";
	}
}

static int check_own(int rootfs, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(own_names); i++) {
		struct stat st;

		if (fstatat(rootfs, own_names[i], &st, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno == ENOENT)
				continue;
			return err_set(err, ERR_INPUT, errno, "rootfs: looking at /%s", own_names[i]);
		}
		if (!S_ISDIR(st.st_mode))
			return err_set(err, ERR_USAGE, 0, "rootfs: /%s is %s: it must be a directory, or be absent", own_names[i],
				       skeleton_type_name(st.st_mode));
	}
	return 0;
}

int skeleton_root(struct plan_box *box, int rootfs, struct err *err)
{
	struct overlay *o = plan_alloc(box, sizeof *o);

	if (o == NULL)
		return plan_no_memory(err);
	o->lowers[0] = (struct place){ PLACE_SKELETON, "root" };
	o->lowers[1] = (struct place){ PLACE_ROOTFS, "." };
	o->nlowers = 2;
	box->plan.root = o;
	return check_own(rootfs, err) != 0 ? -1 : overlay_options(box, o, err);
}

/* ---- /etc ------------------------------------------------------------------ */

static const char *passwd_text(struct plan_box *box, uid_t uid, gid_t gid)
{
	static const char nobody[] = "nobody:x:65534:65534:nobody:/:/bin/false\n";

	if (uid == 0)
		return plan_str(box, "root:x:0:%u:root:/build/home:/bin/sh\n%s", gid, nobody);
	return plan_str(box, "root:x:0:0:root:/root:/bin/sh\nbuilder:x:%u:%u:builder:/build/home:/bin/sh\n%s", uid, gid,
			uid == 65534 ? "" : nobody);
}

static const char *group_text(struct plan_box *box, gid_t gid)
{
	static const char nogroup[] = "nogroup:x:65534:\n";

	if (gid == 0)
		return plan_str(box, "root:x:0:\n%s", nogroup);
	return plan_str(box, "root:x:0:\nbuilder:x:%u:\n%s", gid, gid == 65534 ? "" : nogroup);
}

int skeleton_etc(struct plan_box *box, const struct sandbox_conf *conf, struct err *err)
{
	const char *hosts = plan_str(box, "127.0.0.1\tlocalhost %s\n::1\tlocalhost ip6-localhost ip6-loopback\n",
				     conf->hostname);
	const struct make makes[] = {
		{ MAKE_DIR, "root/etc", 0755, NULL, true },
		{ MAKE_FILE, "root/etc/passwd", 0644, passwd_text(box, conf->inner_uid, conf->inner_gid), false },
		{ MAKE_FILE, "root/etc/group", 0644, group_text(box, conf->inner_gid), false },
		{ MAKE_FILE, "root/etc/hosts", 0644, hosts, false },
		{ MAKE_FILE, "root/etc/nsswitch.conf", 0644, "passwd: files\ngroup: files\nshadow: files\nhosts: files\n"
			"services: files\nprotocols: files\nrpc: files\nethers: files\nnetworks: files\n", false },
		{ MAKE_FILE, "root/etc/resolv.conf", 0644, "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(makes); i++) {
		if (makes[i].kind == MAKE_FILE && makes[i].text == NULL)
			return plan_no_memory(err);
		if (plan_add_make(box, makes[i], err) != 0)
			return -1;
	}
	return 0;
}

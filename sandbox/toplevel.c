/* SPDX-License-Identifier: Apache-2.0 */
/* The rootfs's top level: each entry bound, linked or made on the skeleton; and the generated /etc. */
#include "sandbox/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/mount.h>

#define READ_ONLY (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY)
/** Longest link target (PATH_MAX). */
#define LINK_MAX_BYTES 4096

/** What the skeleton has of its own. In a rootfs these must be directories, or be absent; but for
 *  /etc their content is not used. */
static const char *const own_names[] = { "build", "dev", "etc", "proc", "sys", "tmp" };
static const char *const etc_files[] = { "group", "hosts", "nsswitch.conf", "passwd", "resolv.conf" };

static bool is_own(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(own_names); i++)
		if (strcmp(name, own_names[i]) == 0)
			return true;
	return false;
}

static const char *type_name(mode_t mode)
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

/** Whether a directory has no entries. One that cannot be read counts as full. */
static bool is_empty(int dirfd, const char *name)
{
	auto_fd fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_dir dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL)
		return false;
	move_fd(&fd);
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return false;
	return true;
}

static int add_link(struct plan_box *box, int rootfs, const char *name, const char *path, struct err *err)
{
	char target[LINK_MAX_BYTES];
	ssize_t n = readlinkat(rootfs, name, target, sizeof target);

	if (n < 0 || (size_t)n == sizeof target)
		return err_set(err, ERR_INPUT, n < 0 ? errno : ENAMETOOLONG, "rootfs: reading the link /%s", name);
	return plan_add_make(box, (struct make){ .kind = MAKE_LINK, .path = path,
						 .text = plan_str(box, "%.*s", (int)n, target) }, err);
}

static int add_bind(struct plan_box *box, const char *name, struct err *err)
{
	return plan_add_row(box, (struct row){ .kind = ROW_BIND, .target = name, .from = { PLACE_ROOTFS, name },
					       .set = READ_ONLY, .user = -1, .own = true }, err);
}

/** One entry. The child opens each again without following links, so a type that has
 *  changed since fails there instead of leading elsewhere. */
static int add_entry(struct plan_box *box, int rootfs, const char *entry, struct err *err)
{
	const char *name = plan_str(box, "%s", entry);
	const char *path = name == NULL ? NULL : plan_str(box, "root/%s", name);
	struct stat st;

	if (path == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "planning the sandbox");
	if (fstatat(rootfs, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_set(err, ERR_INPUT, errno, "rootfs: looking at /%s", name);
	if (is_own(name)) {
		if (S_ISDIR(st.st_mode))
			return 0;
		return err_set(err, ERR_USAGE, 0, "rootfs: /%s is %s: it must be a directory, or be absent", name,
			       type_name(st.st_mode));
	}
	switch (st.st_mode & S_IFMT) {
	case S_IFLNK:
		return add_link(box, rootfs, name, path, err);
	case S_IFREG:
		if (plan_add_make(box, (struct make){ .kind = MAKE_FILE, .path = path, .mode = 0444 }, err) != 0)
			return -1;
		return add_bind(box, name, err);
	case S_IFDIR:
		if (plan_add_make(box, (struct make){ .kind = MAKE_DIR, .path = path, .mode = 0755, .foreign = true },
				  err) != 0)
			return -1;
		return is_empty(rootfs, name) ? 0 : add_bind(box, name, err);
	default:
		return err_set(err, ERR_USAGE, 0, "rootfs: /%s is %s: only directories, files and links can be used", name,
			       type_name(st.st_mode));
	}
}

static int add_entries(struct plan_box *box, int rootfs, struct err *err)
{
	auto_fd fd = openat(rootfs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir dir = fd < 0 ? NULL : fdopendir(fd);
	size_t n = 0;

	if (dir == NULL)
		return err_set(err, ERR_INPUT, errno, "rootfs: reading the top directory");
	move_fd(&fd);
	for (;;) {
		errno = 0;
		struct dirent *e = readdir(dir);
		if (e == NULL)
			return errno == 0 ? 0 : err_set(err, ERR_INPUT, errno, "rootfs: reading the top directory");
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (++n > PLAN_ROOTFS_TOP_MAX)
			return err_set(err, ERR_USAGE, 0, "rootfs: more than %d entries in the top directory", PLAN_ROOTFS_TOP_MAX);
		if (add_entry(box, rootfs, e->d_name, err) != 0)
			return -1;
	}
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

/** The generated files, in the skeleton's etc/. */
static int make_etc(struct plan_box *box, const struct sandbox_conf *conf, struct err *err)
{
	const char *hosts = plan_str(box, "127.0.0.1\tlocalhost %s\n::1\tlocalhost ip6-localhost ip6-loopback\n",
				     conf->hostname);
	const struct make makes[] = {
		{ MAKE_DIR, "etc", 0755, NULL, false },
		{ MAKE_FILE, "etc/passwd", 0644, passwd_text(box, conf->inner_uid, conf->inner_gid), false },
		{ MAKE_FILE, "etc/group", 0644, group_text(box, conf->inner_gid), false },
		{ MAKE_FILE, "etc/hosts", 0644, hosts, false },
		{ MAKE_FILE, "etc/nsswitch.conf", 0644, "passwd: files\ngroup: files\nshadow: files\nhosts: files\n"
			"services: files\nprotocols: files\nrpc: files\nethers: files\nnetworks: files\n", false },
		{ MAKE_FILE, "etc/resolv.conf", 0644, "", false },
		{ MAKE_DIR, "root/etc", 0755, NULL, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(makes); i++) {
		if (makes[i].kind == MAKE_FILE && makes[i].text == NULL)
			return err_set(err, ERR_INTERNAL, ENOMEM, "planning the sandbox");
		if (plan_add_make(box, makes[i], err) != 0)
			return -1;
	}
	return 0;
}

/** Whether each generated file has a regular file of the rootfs to be bound over. */
static bool etc_is_complete(int rootfs)
{
	for (size_t i = 0; i < ARRAY_LEN(etc_files); i++) {
		char path[64] = "etc/";
		struct stat st;

		strcat(path, etc_files[i]);
		if (fstatat(rootfs, path, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
			return false;
	}
	return true;
}

static int bind_etc(struct plan_box *box, struct err *err)
{
	if (add_bind(box, "etc", err) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(etc_files); i++) {
		const char *path = plan_str(box, "etc/%s", etc_files[i]);

		if (plan_add_row(box, (struct row){ .kind = ROW_BIND, .target = path, .from = { PLACE_SKELETON, path },
						    .user = -1 }, err) != 0)
			return -1;
	}
	return 0;
}

/** The generated files over the rootfs's etc, wherever that has a link, or nothing, at one of the names. */
static int overlay_etc(struct plan_box *box, struct err *err)
{
	struct overlay *o = plan_alloc(box, sizeof *o);

	if (o == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "planning the sandbox");
	o->lowers[0] = (struct place){ PLACE_SKELETON, "etc" };
	o->lowers[1] = (struct place){ PLACE_ROOTFS, "etc" };
	o->nlowers = 2;
	if (overlay_options(box, o, err) != 0)
		return -1;
	return plan_add_row(box, (struct row){ .kind = ROW_OVERLAY, .target = "etc", .set = READ_ONLY, .user = -1,
					       .own = true, .overlay = o }, err);
}

int skeleton_rootfs(struct plan_box *box, int rootfs, const struct sandbox_conf *conf, struct err *err)
{
	struct stat st;

	if (add_entries(box, rootfs, err) != 0 || make_etc(box, conf, err) != 0)
		return -1;
	if (fstatat(rootfs, "etc", &st, AT_SYMLINK_NOFOLLOW) != 0 || is_empty(rootfs, "etc"))
		return plan_add_row(box, (struct row){ .kind = ROW_BIND, .target = "etc", .user = -1, .own = true,
						       .from = { PLACE_SKELETON, "etc" } }, err);
	return etc_is_complete(rootfs) ? bind_etc(box, err) : overlay_etc(box, err);
}

/* ---- overlay options for kernels before 6.8 --------------------------------- */

/** Appends the path as the child's mount namespace shows it from its working directory, the base,
 *  with what separates options and layers escaped by a backslash (overlayfs.rst). */
static void add_layer(struct buf *out, const struct plan *plan, const struct place *at)
{
	const char *parts[2] = { "", at->path };

	if (at->where == PLACE_ROOTFS)
		parts[0] = plan->rootfs;
	else if (at->where == PLACE_SKELETON)
		parts[0] = plan->mountpoint;
	else if (at->where == PLACE_TREES)
		parts[0] = "/trees";
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		for (const char *p = parts[i]; *p != '\0'; p++) {
			if (strchr(":,\\", *p) != NULL)
				buf_addc(out, '\\');
			buf_addc(out, *p);
		}
		if (i == 0 && *parts[0] != '\0')
			buf_addc(out, '/');
	}
}

int overlay_options(struct plan_box *box, struct overlay *o, struct err *err)
{
	auto_buf text = { 0 };

	buf_adds(&text, "lowerdir=");
	for (size_t i = 0; i < o->nlowers; i++) {
		if (i != 0)
			buf_addc(&text, ':');
		add_layer(&text, &box->plan, &o->lowers[i]);
	}
	if (o->upper.path != NULL) {
		buf_adds(&text, ",upperdir=");
		add_layer(&text, &box->plan, &o->upper);
		buf_adds(&text, ",workdir=");
		add_layer(&text, &box->plan, &o->work);
		buf_adds(&text, ",volatile");
	}
	buf_adds(&text, ",userxattr,index=off,xino=off");
	if (buf_check(&text, "overlay options", err) != 0)
		return -1;
	o->options = plan_str(box, "%s", text.data);
	return o->options == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "planning the sandbox") : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Promise 8: no setuid, setgid, device or file capability is made by any way of making one. */
#include "probe.h"

#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#define SYS_SETXATTRAT 463
#define SYS_FILE_SETATTR 469

/** Looks at what is there after the call. */
static enum verdict made(const char *path, long r, int sys)
{
	struct stat st;

	if (is_dangerous(path))
		return lstat(path, &st) == 0 ? through("%s has mode %o", path, st.st_mode) : through("%s", path);
	return held(r < 0 ? sys : 0);
}

#define MADE(path, call) ({ long r_ = (call); int sys_ = errno; made(path, r_, sys_); })

static enum verdict creat_mode(void) { return MADE("/tmp/creat", syscall(SYS_creat, "/tmp/creat", 04755)); }
static enum verdict open_mode(void) { return MADE("/tmp/open", syscall(SYS_open, "/tmp/open", O_CREAT | O_WRONLY, 04755)); }
static enum verdict openat_mode(void) { return MADE("/tmp/openat", syscall(SYS_openat, AT_FDCWD, "/tmp/openat", O_CREAT | O_WRONLY, 02755)); }

static enum verdict openat2_mode(void)
{
	const uint64_t how[3] = { O_CREAT | O_WRONLY, 04755, 0 };

	return MADE("/tmp/openat2", syscall(SYS_openat2, AT_FDCWD, "/tmp/openat2", how, sizeof how));
}

static enum verdict mknod_regular(void) { return MADE("/tmp/mknod", syscall(SYS_mknod, "/tmp/mknod", S_IFREG | 04755, 0)); }
static enum verdict mknodat_regular(void) { return MADE("/tmp/mknodat", syscall(SYS_mknodat, AT_FDCWD, "/tmp/mknodat", 06755, 0)); }
static enum verdict mknod_fifo(void) { return MADE("/tmp/fifo", syscall(SYS_mknod, "/tmp/fifo", S_IFIFO | 04755, 0)); }
static enum verdict mkdir_mode(void)
{
	/* mkdir(2) drops setuid and setgid of its mode; a filter need not rely on that. */
	return MADE("/tmp/mkdir", syscall(SYS_mkdir, "/tmp/mkdir", 02755));
}
static enum verdict mkdirat_mode(void) { return MADE("/tmp/mkdirat", syscall(SYS_mkdirat, AT_FDCWD, "/tmp/mkdirat", 06755)); }

/** @return a file or directory to change the mode of. */
static const char *fresh(const char *path)
{
	return put_file(path, 0755) == 0 ? path : "/nowhere";
}

static enum verdict chmod_setuid(void) { return MADE("/tmp/chmod", syscall(SYS_chmod, fresh("/tmp/chmod"), 04755)); }
static enum verdict chmod_setgid(void) { return MADE("/tmp/chmodg", syscall(SYS_chmod, fresh("/tmp/chmodg"), 02755)); }
static enum verdict chmod_shm(void) { return MADE("/dev/shm/chmod", syscall(SYS_chmod, fresh("/dev/shm/chmod"), 04755)); }
static enum verdict chmod_home(void) { return MADE("/build/home/chmod", syscall(SYS_chmod, fresh("/build/home/chmod"), 06755)); }
static enum verdict chmod_live(void) { return MADE("/live/chmod", syscall(SYS_chmod, fresh("/live/chmod"), 04755)); }
static enum verdict chmod_output(void) { return MADE("/out/chmod", syscall(SYS_chmod, fresh("/out/chmod"), 04755)); }
static enum verdict fchmodat_mode(void) { return MADE("/tmp/fchmodat", syscall(SYS_fchmodat, AT_FDCWD, fresh("/tmp/fchmodat"), 04755)); }
static enum verdict fchmodat2_mode(void) { return MADE("/tmp/fchmodat2", syscall(SYS_fchmodat2, AT_FDCWD, fresh("/tmp/fchmodat2"), 04755, 0)); }

static enum verdict fchmod_mode(void)
{
	int fd = open("/tmp/fchmod", O_CREAT | O_RDWR, 0755);

	return MADE("/tmp/fchmod", syscall(SYS_fchmod, fd, 02755));
}

/** A file that is nowhere, and can be started all the same. */
static enum verdict memory_file(void)
{
	int fd = (int)syscall(SYS_memfd_create, "probe", 0);
	struct stat st;

	if (fd < 0)
		return broken("memfd_create");
	long r = syscall(SYS_fchmod, fd, 06755);
	int sys = errno;
	return fstat(fd, &st) == 0 && (st.st_mode & 06000) != 0 ? through("mode %o", st.st_mode) : held(r < 0 ? sys : 0);
}

/** Of a directory, all that is made in it gets its group. */
static enum verdict directory_setgid(void)
{
	if (mkdir("/tmp/group", 0755) != 0)
		return broken("/tmp/group");
	return MADE("/tmp/group", syscall(SYS_chmod, "/tmp/group", 02755));
}

/** An inode with the bits, under a name where one can write. */
static enum verdict setuid_linked(void)
{
	static const char *const at[] = { "/bin/suid", "/in/suid", "/live/suid" };
	int sys = ENOENT;

	for (size_t i = 0; i < sizeof at / sizeof *at; i++)
		for (int j = 0; j < 2; j++) {
			const char *to = j == 0 ? "/tmp/linked-suid" : "/live/linked-suid";

			if (link(at[i], to) == 0 && is_dangerous(to))
				return through("%s is %s", to, at[i]);
			sys = errno;
		}
	return held(sys);
}

/** Written to by its owner, a file loses the bits; one that was given them again has them. */
static enum verdict given_again(void)
{
	int fd = open(fresh("/tmp/again"), O_WRONLY | O_APPEND);

	if (fd < 0 || write(fd, "x", 1) != 1)
		return broken("/tmp/again");
	long r = syscall(SYS_fchmodat, AT_FDCWD, "/tmp/again", 06755);
	int sys = errno;
	return made("/tmp/again", r, sys);
}

static enum verdict fchmodat2_empty(void)
{
	int fd = open(fresh("/tmp/empty"), O_PATH);

	return MADE("/tmp/empty", syscall(SYS_fchmodat2, fd, "", 04755, AT_EMPTY_PATH));
}

static enum verdict chmod_by_proc(void)
{
	char path[64];
	int fd = open(fresh("/tmp/byproc"), O_RDONLY);

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return MADE("/tmp/byproc", syscall(SYS_chmod, path, 04755));
}

/** A file without a name, given its bits before its name. */
static enum verdict nameless(void)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR, 04755), sys = errno;
	char path[64];

	if (fd < 0) {
		fd = open("/tmp", O_TMPFILE | O_RDWR, 0755);
		if (syscall(SYS_fchmod, fd, 04755) != 0)
			sys = errno;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fd < 0 || linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/nameless", AT_SYMLINK_FOLLOW) != 0)
		return broken("a file without a name");
	return made("/tmp/nameless", -1, sys);
}

/** No bit of a umask sets one of a mode. */
static enum verdict umask_tricks(void)
{
	umask(0);
	return MADE("/tmp/umask", syscall(SYS_open, "/tmp/umask", O_CREAT | O_WRONLY, 07777));
}

/** A socket's file has the mode that its descriptor was given. */
static enum verdict socket_mode(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "/tmp/socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	long r = syscall(SYS_fchmod, fd, 06777);
	int sys = errno;

	if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
		return broken("bind");
	return made("/tmp/socket", r, sys);
}

static enum verdict moved_in(void)
{
	/* Whatever bits a file has were given before: renaming and linking give none. */
	if (put_file("/tmp/plain", 0755) != 0)
		return broken("/tmp/plain");
	long r = syscall(SYS_chmod, "/tmp/plain", 04755);
	int sys = errno;
	rename("/tmp/plain", "/tmp/renamed");
	if (link("/tmp/renamed", "/tmp/linked") != 0)
		return broken("/tmp/linked");
	return made("/tmp/linked", r, sys);
}

/* ---- devices ---- */

static enum verdict character_device(void) { return MADE("/tmp/chr", syscall(SYS_mknod, "/tmp/chr", S_IFCHR | 0666, makedev(1, 1))); }
static enum verdict block_device(void) { return MADE("/tmp/blk", syscall(SYS_mknodat, AT_FDCWD, "/tmp/blk", S_IFBLK | 0666, makedev(254, 0))); }
static enum verdict whiteout(void) { return MADE("/tmp/wh", syscall(SYS_mknod, "/tmp/wh", S_IFCHR | 0666, 0)); }
static enum verdict high_type(void) { return MADE("/tmp/hi", syscall(SYS_mknod, "/tmp/hi", 0x10000l | S_IFCHR | 0666, makedev(1, 3))); }

static enum verdict rename_whiteout(void)
{
	if (put_file("/tmp/from", 0644) != 0)
		return broken("/tmp/from");
	return MADE("/tmp/from", syscall(SYS_renameat2, AT_FDCWD, "/tmp/from", AT_FDCWD, "/tmp/to", RENAME_WHITEOUT));
}

/* ---- capabilities and owners of files ---- */

/** cap_setuid+ep in the form that has no root's id. */
static const unsigned char capability[20] = { 1, 0, 0, 2, 0x80, 0, 0, 0 };

static enum verdict capable(long r)
{
	char value[64];
	int sys = errno;

	return getxattr("/tmp/capable", "security.capability", value, sizeof value) >= 0 ? through("a capability is on the file") : held(r < 0 ? sys : 0);
}

static enum verdict set_capability(void)
{
	return capable(syscall(SYS_setxattr, fresh("/tmp/capable"), "security.capability", capability, sizeof capability, 0));
}

static enum verdict fset_capability(void)
{
	int fd = open(fresh("/tmp/capable"), O_RDWR);

	return capable(syscall(SYS_fsetxattr, fd, "security.capability", capability, sizeof capability, 0));
}

static enum verdict setat_capability(void)
{
	struct { uint64_t value; uint32_t size, flags; } args = { (uintptr_t)capability, sizeof capability, 0 };

	return capable(syscall(SYS_SETXATTRAT, AT_FDCWD, fresh("/tmp/capable"), 0, "security.capability", &args, sizeof args));
}

static enum verdict overlay_mark(void)
{
	return unless_failed(syscall(SYS_setxattr, fresh("/tmp/marked"), "user.overlay.opaque", "y", 1, 0), "a mark of overlayfs's");
}

static enum verdict file_attributes(void)
{
	const uint64_t attr[4] = { 0x10 };

	return unless_failed(syscall(SYS_FILE_SETATTR, AT_FDCWD, fresh("/tmp/attr"), attr, 24, 0), "set");
}

static enum verdict give_away(void)
{
	struct stat before, after;

	if (stat(fresh("/tmp/given"), &before) != 0)
		return broken("/tmp/given");
	int r = chown("/tmp/given", before.st_uid == 0 ? 1 : 0, 0), sys = errno;
	stat("/tmp/given", &after);
	return before.st_uid != after.st_uid ? through("its owner is %d", after.st_uid) : held(r < 0 ? sys : 0);
}

/** Only what a filter sees keeps an owner from giving bits to its own file. */
#define BITS(name_, fn_) { 8, name_, fn_, { "EPERM", [MODE_BARE] = "through" } }
#define NO_NODE(name_, fn_) { 8, name_, fn_, { "EPERM", [MODE_WEAK] = "EPERM" } }

const struct probe mode_probes[] = {
	BITS("creat-mode", creat_mode), BITS("open-mode", open_mode), BITS("openat-mode", openat_mode),
	{ 8, "openat2-mode", openat2_mode, { "ENOSYS", [MODE_BARE] = "through" } },
	BITS("mknod-regular", mknod_regular), BITS("mknodat-regular", mknodat_regular), BITS("mknod-fifo", mknod_fifo),
	{ 8, "mkdir-mode", mkdir_mode, { "EPERM", [MODE_BARE] = "held", [MODE_WEAK] = "held" } },
	{ 8, "mkdirat-mode", mkdirat_mode, { "EPERM", [MODE_BARE] = "held", [MODE_WEAK] = "held" } },
	BITS("chmod-setuid", chmod_setuid), BITS("chmod-setgid", chmod_setgid), BITS("chmod-shm", chmod_shm), BITS("chmod-home", chmod_home),
	{ 8, "chmod-live", chmod_live, { "EPERM", [MODE_BARE] = "-" } },
	{ 8, "chmod-output", chmod_output, { "EPERM", [MODE_BARE] = "-" } },
	BITS("fchmodat-mode", fchmodat_mode), BITS("fchmod-mode", fchmod_mode),
	{ 8, "fchmodat2-mode", fchmodat2_mode, { "EPERM", [MODE_BARE] = "through|ENOSYS", [MODE_WEAK] = "through|ENOSYS" } },
	{ 8, "fchmodat2-empty", fchmodat2_empty, { "EPERM", [MODE_BARE] = "through|ENOSYS", [MODE_WEAK] = "through|ENOSYS" } },
	BITS("memory-file", memory_file), BITS("directory-setgid", directory_setgid), BITS("given-again", given_again),
	{ 8, "setuid-linked", setuid_linked, { "EXDEV|ENOENT|EPERM|EROFS", [MODE_WEAK] = "through|EPERM" } },
	BITS("chmod-by-proc", chmod_by_proc), BITS("nameless", nameless), BITS("umask-tricks", umask_tricks),
	BITS("socket-mode", socket_mode), BITS("moved-in", moved_in),
	NO_NODE("character-device", character_device), NO_NODE("block-device", block_device), NO_NODE("high-type", high_type),
	{ 8, "whiteout", whiteout, { "EPERM", [MODE_BARE] = "through|*" } },
	{ 8, "rename-whiteout", rename_whiteout, { "EPERM", [MODE_BARE] = "through|*" } },
	{ 8, "set-capability", set_capability, { "EOPNOTSUPP" } },
	{ 8, "fset-capability", fset_capability, { "EOPNOTSUPP" } },
	{ 8, "setat-capability", setat_capability, { "ENOSYS", [MODE_WEAK] = "through|ENOSYS" } },
	{ 8, "overlay-mark", overlay_mark, { "EOPNOTSUPP", [MODE_FLOOR] = "through|EOPNOTSUPP", [MODE_BARE] = "through|EOPNOTSUPP" } },
	{ 8, "file-attributes", file_attributes, { "ENOSYS", [MODE_FLOOR] = "through|*", [MODE_BARE] = "through|*", [MODE_WEAK] = "through|*" } },
	{ 8, "give-away", give_away, { "EINVAL|EPERM", [MODE_WEAK] = "EINVAL|EPERM" } },
	{ 0 },
};

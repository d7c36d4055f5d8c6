/* SPDX-License-Identifier: Apache-2.0 */
/* Promise 2: no privilege, and no way to one. */
#include "probe.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static enum verdict capability_sets(void)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };

	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		const char *value = field("/proc/self/status", sets[i]);

		if (value == NULL)
			return broken("no %s", sets[i]);
		if (strtoull(value, NULL, 16) != 0)
			return through("%s %s", sets[i], value);
	}
	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			return through("capability %lu is in the bounding set", cap);
	return held(0);
}

static enum verdict raise_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[2], all[2] = { { 1u << CAP_SYS_ADMIN, 1u << CAP_SYS_ADMIN, 1u << CAP_SYS_ADMIN } };
	long r = syscall(SYS_capset, &head, all);
	int sys = errno;

	if (syscall(SYS_capget, &head, now) != 0)
		return broken("capget");
	return now[0].effective != 0 ? through("effective %#x", now[0].effective) : held(r < 0 ? sys : 0);
}

static enum verdict ambient_capability(void)
{
	return unless_failed(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), "raised");
}

static enum verdict keep_capabilities(void) { return unless_failed(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "kept"); }
static enum verdict set_securebits(void) { return unless_failed(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0), "cleared"); }

static enum verdict no_new_privs(void)
{
	const char *value = field("/proc/self/status", "NoNewPrivs");

	if (value == NULL)
		return broken("no NoNewPrivs");
	return value[0] != '1' || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ? through("not set") : held(0);
}

static enum verdict unset_no_new_privs(void)
{
	long r = prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
	int sys = errno;

	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ? through("cleared") : held(r < 0 ? sys : 0);
}

/** Becomes another id by every call that there is. */
static enum verdict other_uid(void)
{
	uid_t me = getuid(), other = me == 0 ? 1 : 0;
	int sys;

	setuid(other);
	setreuid(other, other);
	setresuid((uid_t)-1, other, (uid_t)-1);
	sys = errno;
	setfsuid(other);
	if (getuid() != me || geteuid() != me || (uid_t)setfsuid((uid_t)-1) != me)
		return through("uid %d, effective %d", getuid(), geteuid());
	return held(sys);
}

static enum verdict other_gid(void)
{
	gid_t me = getgid(), other = me == 0 ? 1 : 0;
	int sys;

	setgid(other);
	setregid(other, other);
	setresgid((gid_t)-1, other, (gid_t)-1);
	sys = errno;
	setfsgid(other);
	if (getgid() != me || getegid() != me || (gid_t)setfsgid((gid_t)-1) != me)
		return through("gid %d, effective %d", getgid(), getegid());
	return held(sys);
}

static enum verdict other_groups(void)
{
	gid_t g = getgid();
	int r = setgroups(1, &g), sys = errno;

	return r == 0 ? through("set") : held(sys);
}

/** Only one id is mapped: with more, a helper would have been at work. */
static enum verdict more_ids(void)
{
	char map[256];
	unsigned inside, outside, count;

	if (slurp("/proc/self/uid_map", map, sizeof map) < 0 || sscanf(map, "%u %u %u", &inside, &outside, &count) != 3)
		return broken("uid_map");
	return count != 1 || strchr(map, '\n')[1] != '\0' ? through("%s", map) : held(0);
}

/** Rewrites the map of ids. */
static enum verdict map_ids(void)
{
	int fd = open("/proc/self/uid_map", O_WRONLY);

	return fd < 0 ? held(errno) : unless_failed(write(fd, "0 0 1", 5), "written");
}

/* ---- files with privilege ---- */

/** The test puts setuid and setgid programs into everything that goes in: the rootfs, a snapshot, a live directory. */
static enum verdict setuid_came_in(void)
{
	static const char *const at[] = { "/bin/suid", "/bin/sgid", "/in/suid", "/in/sgid" };
	int seen = 0;

	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		struct stat st;

		if (stat(at[i], &st) != 0)
			continue;
		seen++;
		if ((st.st_mode & 06000) != 0)
			return through("%s has mode %o", at[i], st.st_mode & 07777);
	}
	return seen < 2 ? broken("the test has laid out only %d", seen) : held(0);
}

static enum verdict file_capability_came_in(void)
{
	static const char *const at[] = { "/bin/capable", "/in/capable" };
	char value[64];

	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		if (access(at[i], F_OK) != 0)
			return broken("%s", at[i]);
		if (getxattr(at[i], "security.capability", value, sizeof value) >= 0)
			return through("%s has a capability", at[i]);
	}
	return held(errno);
}

/** Every mount but the device nodes is nodev, every one is nosuid. */
static enum verdict mount_flags(void)
{
	static char text[262144];
	char *line;

	if (slurp("/proc/self/mountinfo", text, sizeof text) <= 0)
		return broken("mountinfo");
	for (char *rest = text; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
		char target[4096], flags[256], fs[64];
		bool device;

		if (sscanf(line, "%*s %*s %*s %*s %4095s %255s%*[^-]- %63s", target, flags, fs) != 3)
			return broken("mountinfo: %s", line);
		device = strcmp(fs, "devpts") == 0 || (strncmp(target, "/dev/", 5) == 0 && strcmp(target, "/dev/shm") != 0);
		if (strstr(flags, "nosuid") == NULL || (!device && strstr(flags, "nodev") == NULL))
			return through("%s is %s", target, flags);
		/* A rule of this house. */
		if (device && mode != MODE_PEER && strstr(flags, "noexec") == NULL)
			return through("%s is %s", target, flags);
	}
	return held(0);
}

/** A shell for whom comes next: a setuid copy of this program on every place that can be written to. */
static enum verdict own_setuid_shell(void)
{
	static const char *const at[] = { "/tmp/shell", "/dev/shm/shell", "/build/home/shell" };
	int sys = 0;

	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		if (put_file(at[i], 0755) != 0)
			return broken("%s", at[i]);
		if (chmod(at[i], 06755) != 0)
			sys = errno;
		if (is_dangerous(at[i]))
			return through("%s is setuid", at[i]);
	}
	return held(sys);
}

const struct probe privilege_probes[] = {
	{ 2, "capability-sets", capability_sets, { "held" } },
	{ 2, "raise-capabilities", raise_capabilities, { "EPERM" } },
	{ 2, "ambient-capability", ambient_capability, { "EPERM", [MODE_WEAK] = "EPERM|through" } },
	{ 2, "keep-capabilities", keep_capabilities, { "EPERM" } },
	{ 2, "set-securebits", set_securebits, { "EPERM" } },
	{ 2, "no-new-privs", no_new_privs, { "held" } },
	{ 2, "unset-no-new-privs", unset_no_new_privs, { "EINVAL" } },
	{ 2, "other-uid", other_uid, { "EINVAL", [MODE_WEAK] = "EINVAL" } },
	{ 2, "other-gid", other_gid, { "EINVAL", [MODE_WEAK] = "EINVAL" } },
	{ 2, "other-groups", other_groups, { "EPERM", [MODE_WEAK] = "EPERM" } },
	{ 2, "more-ids", more_ids, { "held", [MODE_WEAK] = "held" } },
	{ 2, "map-ids", map_ids, { "EROFS", [MODE_WEAK] = "EPERM" } },
	{ 2, "setuid-came-in", setuid_came_in, { "held", [MODE_BARE] = "-" } },
	{ 2, "file-capability-came-in", file_capability_came_in, { "ENODATA", [MODE_BARE] = "-", [MODE_WEAK] = "-" } },
	{ 2, "mount-flags", mount_flags, { "held" } },
	{ 2, "own-setuid-shell", own_setuid_shell, { "EPERM", [MODE_BARE] = "through" } },
	{ 0 },
};

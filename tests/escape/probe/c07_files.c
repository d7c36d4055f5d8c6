/* SPDX-License-Identifier: Apache-2.0 */
/* Promise 7: all is read-only but what was declared, and nothing of the host shows. */
#include "probe.h"

#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* ---- writing ---- */

/** Where a step may write. */
static const char *const declared[] = { "/tmp", "/dev/shm", "/build/home", "/live", "/out", "/dev/pts" };

static bool is_declared(const char *path)
{
	for (size_t i = 0; i < sizeof declared / sizeof *declared; i++)
		if (strncmp(path, declared[i], strlen(declared[i])) == 0 && strchr("/", path[strlen(declared[i])]) != NULL)
			return true;
	return false;
}

static char found[PATH_MAX + 64];

/** Some change to the name or the inode. */
static bool changed(const char *path, const struct stat *st)
{
	char name[PATH_MAX];

	if (S_ISDIR(st->st_mode)) {
		snprintf(name, sizeof name, "%s/glovebox-probe", path);
		if (put_file(name, 0644) == 0 || mkdir(name, 0755) == 0 || symlink("x", name) == 0)
			return true;
	}
	if (chmod(path, st->st_mode & 0777) == 0 || utimensat(AT_FDCWD, path, NULL, 0) == 0)
		return true;
	snprintf(name, sizeof name, "%s.moved", path);
	if (rename(path, name) == 0)
		return true;
	return !S_ISDIR(st->st_mode) && (truncate(path, st->st_size) == 0 || link(path, name) == 0);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	if (is_declared(path))
		return FTW_SKIP_SUBTREE;
	/* /proc is looked at by proc_writable. */
	if (strcmp(path, "/proc") == 0)
		return FTW_SKIP_SUBTREE;
	if (type == FTW_NS || S_ISLNK(st->st_mode))
		return FTW_CONTINUE;
	if (changed(path, st)) {
		snprintf(found, sizeof found, "%s could be changed", path);
		return FTW_STOP;
	}
	return FTW_CONTINUE;
}

static enum verdict walk_from(const char *top)
{
	errno = 0;
	int r = nftw(top, visit, 32, FTW_PHYS | FTW_ACTIONRETVAL);

	return r == FTW_STOP ? through("%s", found) : r != 0 ? broken("%s", top) : held(0);
}

/** Every file and directory there is. The caller makes the same walk fail in the control. */
static enum verdict write_everywhere(void) { return walk_from("/"); }
static enum verdict write_etc(void) { return put_file("/etc/passwd", 0644) == 0 ? through("/etc/passwd was written to") : held(errno); }
static enum verdict write_bin(void) { return put_file("/bin/planted", 0755) == 0 ? through("/bin was written to") : held(errno); }
static enum verdict write_root(void) { return put_file("/planted", 0644) == 0 ? through("/ was written to") : held(errno); }
static enum verdict write_dev(void) { return put_file("/dev/planted", 0644) == 0 ? through("/dev was written to") : held(errno); }
static enum verdict write_snapshot(void) { return put_file("/in/planted", 0644) == 0 ? through("/in was written to") : held(errno); }

/** The inode of the host's own device node. */
static enum verdict change_null(void)
{
	struct stat st;

	if (stat("/dev/null", &st) != 0)
		return broken("/dev/null");
	if (chmod("/dev/null", st.st_mode & 0777) == 0)
		return through("its mode was set");
	int sys = errno;
	return utimensat(AT_FDCWD, "/dev/null", NULL, 0) == 0 ? through("its times were set") : held(sys);
}

static int visit_proc(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	if (type == FTW_NS || S_ISLNK(st->st_mode) || S_ISDIR(st->st_mode))
		return strncmp(path, "/proc/", 6) == 0 && path[6] >= '1' && path[6] <= '9' && atoi(path + 6) != getpid() && atoi(path + 6) != 1 ?
			FTW_SKIP_SUBTREE : FTW_CONTINUE;
	int fd = S_ISREG(st->st_mode) ? open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC) : -1;
	if (fd >= 0) {
		snprintf(found, sizeof found, "%s can be opened for writing", path);
		close(fd);
		return FTW_STOP;
	}
	return FTW_CONTINUE;
}

/** Every file of /proc, its sysctls, this process's and init's. */
static enum verdict proc_writable(void)
{
	int r = nftw("/proc", visit_proc, 32, FTW_PHYS | FTW_ACTIONRETVAL);

	return r == FTW_STOP ? through("%s", found) : held(0);
}

static enum verdict proc_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	return fd < 0 ? held(errno) : unless_failed(write(fd, text, strlen(text)), path);
}

/** Each writes what is there already, or what harms nobody. */
static enum verdict core_pattern(void) { return proc_write("/proc/sys/kernel/core_pattern", "core"); }
static enum verdict sysrq(void) { return proc_write("/proc/sysrq-trigger", "h"); }
static enum verdict oom_of_init(void) { return proc_write("/proc/1/oom_score_adj", "1000"); }
static enum verdict oom_of_self(void) { return proc_write("/proc/self/oom_score_adj", "1000"); }
static enum verdict name_of_init(void) { return proc_write("/proc/1/comm", "x"); }
static enum verdict shm_sysctl(void) { return proc_write("/proc/sys/kernel/shmmni", "4096"); }
static enum verdict hostname_sysctl(void) { return proc_write("/proc/sys/kernel/hostname", "owned"); }
/** What a helper of the kernel's would start as root of the host. */
static enum verdict modprobe_path(void) { return unless_failed(open("/proc/sys/kernel/modprobe", O_WRONLY), "opened to write"); }
static enum verdict binfmt_register(void) { return proc_write("/proc/sys/fs/binfmt_misc/register", ""); }
static enum verdict uevent_helper(void) { return unless_failed(open("/sys/kernel/uevent_helper", O_WRONLY), "opened to write"); }
/** Labels of security modules: runc wrote them wherever a link of /proc led (CVE-2025-52881). */
static enum verdict label_of_self(void) { return unless_failed(open("/proc/self/attr/exec", O_WRONLY), "opened to write"); }
static enum verdict memory_of_self(void) { return unless_failed(open("/proc/self/mem", O_WRONLY), "/proc/self/mem"); }

/** A file of the declared places by another way: the read-only flag is the mount's, not the path's. */
static enum verdict through_proc_fd(void)
{
	int fd = open("/bin/busybox", O_RDONLY);
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return fd < 0 ? broken("/bin/busybox") : unless_failed(open(path, O_RDWR), "reopened for writing");
}

static enum verdict reopened(const char *path)
{
	int fd = open(path, O_PATH);
	char again[64];

	if (fd < 0)
		return held(errno);
	snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
	return unless_failed(open(again, O_WRONLY | O_APPEND), "reopened for writing");
}

/** runc's CVE-2019-5736 in its two steps: a descriptor that only names the program, and that reopened to write. */
static enum verdict exe_reopened(void) { return reopened("/proc/self/exe"); }

/** The program of each process that can be seen, whoever's: one that is no file of this box is the sandbox's own. */
static enum verdict foreign_exe(void)
{
	struct stat own, st;
	int sys = ENOENT;

	if (stat("/proc/self/exe", &own) != 0)
		return broken("/proc/self/exe");
	for (int pid = 1; pid < 5000; pid++) {
		char path[64];

		snprintf(path, sizeof path, "/proc/%d/exe", pid);
		int fd = open(path, O_PATH);
		if (fd < 0) {
			sys = errno == ENOENT ? sys : errno;
			continue;
		}
		if (fstat(fd, &st) == 0 && (st.st_ino != own.st_ino || st.st_dev != own.st_dev))
			return through("process %d is a program of the host's", pid);
		close(fd);
	}
	return held(sys);
}

static enum verdict own_exe(void) { return unless_failed(open("/proc/self/exe", O_WRONLY | O_TRUNC), "opened for writing"); }

/* ---- the host's facts ---- */

/** Files that are covered: empty, or with a text that is the same everywhere. */
static enum verdict masked(void)
{
	static const char *const files[] = { "cmdline", "config.gz", "diskstats", "interrupts", "iomem", "ioports", "kallsyms", "kcore",
					     "key-users", "keys", "kmsg", "kpagecgroup", "kpagecount", "kpageflags", "latency_stats",
					     "modules", "pagetypeinfo", "partitions", "sched_debug", "slabinfo", "softirqs", "swaps",
					     "timer_list", "vmallocinfo", "version", "sys/kernel/random/boot_id" };

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char path[128], text[256];

		snprintf(path, sizeof path, "/proc/%s", files[i]);
		int fd = open(path, O_RDONLY | O_NONBLOCK);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
		text[n < 0 ? 0 : n] = '\0';
		if (n > 0 && strcmp(text, "Linux version 0 (glovebox)\n") != 0 && strcmp(text, "00000000-0000-4000-8000-000000000000\n") != 0)
			return through("%s: %.80s", path, text);
	}
	return held(0);
}

static enum verdict masked_directories(void)
{
	static const char *const dirs[] = { "/proc/acpi", "/proc/asound", "/proc/bus", "/proc/driver", "/proc/fs", "/proc/irq", "/proc/scsi", "/sys" };
	int seen = 0;

	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
		DIR *dir = opendir(dirs[i]);

		seen += dir != NULL;
		for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
			if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
				return through("%s has %s", dirs[i], e->d_name);
	}
	return seen == 0 ? broken("none of them is there") : held(0);
}

/** A mask is a mount; what lies below it must not be had by a name that goes round it. */
static enum verdict round_a_mask(void)
{
	static const char *const ways[] = { "/proc/self/root/proc/keys", "/proc/self/cwd/proc/keys", "/proc/self/../keys", "/proc/thread-self/../../../keys",
					    "/proc/self/task/../../keys", "/dev/fd/../../keys", "/proc/self/root/proc/kallsyms", "/proc/self/../cmdline" };

	if (chdir("/") != 0)
		return broken("/");
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		char text[64];

		if (slurp(ways[i], text, sizeof text) > 0)
			return through("%s: %.40s", ways[i], text);
	}
	return held(0);
}

/** What covers a file is one for all: who could write to it would speak to every box. */
static enum verdict write_a_mask(void)
{
	static const char *const masks[] = { "/proc/cmdline", "/proc/keys", "/proc/kallsyms", "/proc/version", "/proc/sys/kernel/random/boot_id", "/proc/interrupts" };
	int sys = 0;

	for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
		int fd = open(masks[i], O_WRONLY);

		/* Of /dev/null, with which others cover, nobody reads anything. */
		struct stat st;
		if (fd >= 0 && fstat(fd, &st) == 0 && !S_ISCHR(st.st_mode))
			return through("%s can be written to", masks[i]);
		sys = fd < 0 ? errno : sys;
	}
	return held(sys);
}

/** A second /proc is without the covers of the first. */
static enum verdict another_proc(void)
{
	struct stat first, at;
	static const char *const places[] = { "/tmp", "/dev/shm", "/build/home", "/live" };

	if (stat("/proc/self/status", &first) != 0)
		return broken("/proc");
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		char path[64];

		if (syscall(SYS_mount, "proc", places[i], "proc", 0, NULL) != 0 && errno == EPERM)
			continue;
		snprintf(path, sizeof path, "%s/self/status", places[i]);
		if (stat(path, &at) == 0)
			return through("on %s", places[i]);
	}
	return held(EPERM);
}

static bool has_needle(const char *data, ssize_t n, const char *where)
{
	for (size_t i = 0; n > 0 && needles[i][0] != '\0'; i++)
		if (memmem(data, (size_t)n, needles[i], strlen(needles[i])) != NULL) {
			snprintf(found, sizeof found, "%s tells '%s'", where, needles[i]);
			return true;
		}
	return false;
}

static ssize_t without_line(char *text, ssize_t n, const char *of)
{
	char *at = n <= 0 ? NULL : strstr(text, of);

	if (at == NULL)
		return n;
	char *begin = at, *end = at + strcspn(at, "\n");
	while (begin > text && begin[-1] != '\n')
		begin--;
	memmove(begin, end, strlen(end) + 1);
	return n - (end - begin);
}

/** The line of a live directory: `exec --rw` is asked for by name, and the kernel tells where it lies (glovebox-exec(1)). Others bind
 * all that goes in and out. */
static ssize_t without_live(char *text, ssize_t n)
{
	if (mode == MODE_WEAK)
		return n;
	n = without_line(text, n, " /live ");
	if (mode == MODE_PEER)
		n = without_line(text, without_line(text, n, " /in "), " /out ");
	return n;
}

/** No word of the store's path, the rootfs's digest or the caller's directory in any of these. */
static enum verdict tells(const char *const *files)
{
	static char text[1 << 20];

	if (needles[0][0] == '\0')
		return broken("no words to look for were given");
	for (size_t i = 0; files[i] != NULL; i++)
		if (has_needle(text, without_live(text, slurp(files[i], text, sizeof text)), files[i]))
			return through("%s", found);
	return held(0);
}

static enum verdict host_path_mountinfo(void) { return tells((const char *const[]){ "/proc/self/mountinfo", "/proc/1/mountinfo", "/proc/thread-self/mountinfo", NULL }); }
static enum verdict host_path_mounts(void) { return tells((const char *const[]){ "/proc/self/mounts", "/proc/mounts", "/proc/self/mountstats", "/etc/mtab", NULL }); }

static enum verdict host_path_proc(void)
{
	return tells((const char *const[]){ "/proc/self/maps", "/proc/self/smaps", "/proc/self/numa_maps", "/proc/self/environ", "/proc/self/cmdline",
					    "/proc/self/cgroup", "/proc/1/cmdline", "/proc/1/cgroup", "/proc/1/comm", "/proc/1/status", "/proc/cgroups",
					    "/proc/locks", "/proc/swaps", "/proc/net/unix", "/proc/self/attr/current", "/proc/sys/kernel/core_pattern",
					    "/etc/passwd", "/etc/hosts", "/etc/resolv.conf", NULL });
}

/** Links of /proc, and what the kernel says of where one is. */
static enum verdict host_path_links(void)
{
	static const char *const links[] = { "/proc/self/cwd", "/proc/self/exe", "/proc/self/root", "/proc/self/ns/mnt",
					     "/proc/1/exe", "/proc/1/cwd", "/proc/1/root" };
	char text[PATH_MAX];

	if (needles[0][0] == '\0')
		return broken("no words to look for were given");
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		if (has_needle(text, readlink(links[i], text, sizeof text), links[i]))
			return through("%s", found);
	for (int fd = 0; fd < 1024; fd++) {
		char path[64];

		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (has_needle(text, readlink(path, text, sizeof text), path))
			return through("%s", found);
	}
	for (size_t i = 0; i < sizeof declared / sizeof *declared; i++)
		if (chdir(declared[i]) == 0 && getcwd(text, sizeof text) != NULL && has_needle(text, (ssize_t)strlen(text), "getcwd"))
			return through("%s", found);
	return held(0);
}

/** The same for every other process that can be seen. */
static enum verdict host_path_others(void)
{
	static char text[1 << 18];
	DIR *proc = opendir("/proc");

	for (struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL;) {
		static const char *const files[] = { "cmdline", "environ", "maps", "stat", "wchan", "cgroup" };

		for (size_t i = 0; i < sizeof files / sizeof *files && atoi(e->d_name) > 0; i++) {
			char path[300];

			snprintf(path, sizeof path, "/proc/%s/%s", e->d_name, files[i]);
			if (has_needle(text, slurp(path, text, sizeof text), path))
				return through("%s", found);
		}
	}
	return needles[0][0] == '\0' ? broken("no words to look for were given") : held(0);
}

/** Processes of the host, by their numbers. */
static enum verdict foreign_process(void)
{
	for (int pid = 1; pid < 5000; pid++) {
		char path[64], text[512];

		/* How another tool calls its own is its affair. */
		if (mode == MODE_PEER && (pid == 1 || pid == getppid()))
			continue;
		snprintf(path, sizeof path, "/proc/%d/comm", pid);
		if (slurp(path, text, sizeof text) > 0 && strncmp(text, "probe", 5) != 0 && strncmp(text, "glovebox-init", 13) != 0 &&
		    strncmp(text, "inside", 6) != 0)
			return through("process %d is %s", pid, text);
	}
	return held(0);
}

/* ---- where one can get to ---- */

static enum verdict dot_dot(void)
{
	struct stat root, up;

	if (stat("/", &root) != 0 || chdir("/") != 0 || chdir("../../../../../..") != 0 || stat(".", &up) != 0)
		return broken("/");
	return up.st_ino != root.st_ino || up.st_dev != root.st_dev ? through("above the root") : held(0);
}

/** What the box is made of lies in the same tmpfs, beside the root. */
static enum verdict beside_the_root(void)
{
	static const char *const ways[] = { "/../etc", "/../tmp", "/proc/self/root/../layer", "/tmp/../../void", "/dev/shm/../../../empty", "/../root" };
	struct stat st, own;

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (stat(ways[i], &st) == 0 && (stat(strrchr(ways[i], '/'), &own) != 0 || st.st_ino != own.st_ino))
			return through("%s is there", ways[i]);
	return held(0);
}

static int visit_device(const char *path, const struct stat *st, int type, struct FTW *at)
{
	static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };

	(void)at;
	if (strcmp(path, "/proc") == 0)
		return FTW_SKIP_SUBTREE;
	if (type == FTW_NS || (!S_ISCHR(st->st_mode) && !S_ISBLK(st->st_mode)) || strncmp(path, "/dev/pts/", 9) == 0)
		return FTW_CONTINUE;
	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
		if (strncmp(path, "/dev/", 5) == 0 && strcmp(path + 5, nodes[i]) == 0 && major(st->st_rdev) == (i == 5 ? 5 : 1))
			return FTW_CONTINUE;
	snprintf(found, sizeof found, "%s is a device", path);
	return FTW_STOP;
}

static enum verdict other_devices(void)
{
	int r = nftw("/", visit_device, 32, FTW_PHYS | FTW_ACTIONRETVAL);

	return r == FTW_STOP ? through("%s", found) : r != 0 ? broken("walk") : held(0);
}

/** Files that lie on the host at places known everywhere, and not in this rootfs. */
static enum verdict host_files(void)
{
	static const char *const files[] = { "/etc/shadow", "/etc/machine-id", "/root", "/home", "/var", "/boot", "/run", "/mnt", "/lib/modules",
					     "/etc/ssh", "/etc/hostname", "/.dockerenv", "/usr/bin/gpg" };

	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (access(files[i], F_OK) == 0)
			return through("%s is there", files[i]);
	return held(errno);
}

/** System V shared memory of the caller's, by its number: namespaces of IPC keep it apart, and nothing else does. */
static enum verdict host_memory(void)
{
	if (host_abstract[0] == '\0')
		return broken("no name was given");
	int id = shmget(segment_key(host_abstract), 0, 0);
	const char *at = id < 0 ? (char *)-1 : shmat(id, NULL, SHM_RDONLY);

	return at == (char *)-1 ? held(errno) : through("it reads: %.16s", at);
}

/** Devices by the names that they have everywhere. */
static enum verdict devices_by_name(void)
{
	static const char *const names[] = { "mem", "kmem", "port", "kmsg", "fuse", "kvm", "loop-control", "mapper/control", "btrfs-control", "uinput",
					     "userfaultfd", "vhost-vsock", "vhost-net", "dri/card0", "rtc0", "snapshot", "autofs", "hpet", "console" };
	int sys = ENOENT;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[64];

		snprintf(path, sizeof path, "/dev/%s", names[i]);
		if (open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY) >= 0)
			return through("%s", path);
		sys = errno == ENOENT ? sys : errno;
	}
	return held(sys);
}

static enum verdict terminals_of_others(void)
{
	DIR *dir = opendir("/dev/pts");

	if (dir == NULL)
		return broken("/dev/pts");
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		if (e->d_name[0] != '.' && strcmp(e->d_name, "ptmx") != 0)
			return through("/dev/pts/%s", e->d_name);
	return held(0);
}

static enum verdict cgroup_place(void)
{
	char text[8192], *line;

	if (slurp("/proc/self/cgroup", text, sizeof text) < 0)
		return broken("/proc/self/cgroup");
	for (char *rest = text; (line = strsep(&rest, "\n")) != NULL && *line != '\0';)
		if (strcmp(strrchr(line, ':'), ":/") != 0)
			return through("%s", line);
	return held(0);
}

#define TOLD { "held", [MODE_BARE] = "-" }

const struct probe file_probes[] = {
	{ 7, "write-everywhere", write_everywhere, { "held", [MODE_BARE] = "held" } },
	{ 7, "write-etc", write_etc, { "EROFS" } },
	{ 7, "write-bin", write_bin, { "EROFS" } },
	{ 7, "write-root", write_root, { "EROFS" } },
	{ 7, "write-dev", write_dev, { "EROFS", [MODE_WEAK] = "EACCES" } },
	{ 7, "write-snapshot", write_snapshot, { "EROFS", [MODE_BARE] = "-" } },
	{ 7, "change-null", change_null, { "EROFS" } },
	{ 7, "proc-writable", proc_writable, { "held" } },
	{ 7, "core-pattern", core_pattern, { "EROFS|EACCES", [MODE_WEAK] = "EACCES" } },
	{ 7, "sysrq", sysrq, { "EROFS|EACCES|ENOENT", [MODE_WEAK] = "EACCES|ENOENT" } },
	{ 7, "oom-of-init", oom_of_init, { "EROFS|EACCES" } },
	{ 7, "oom-of-self", oom_of_self, { "EROFS" } },
	{ 7, "name-of-init", name_of_init, { "EROFS|EACCES", [MODE_WEAK] = "EINVAL" } },
	{ 7, "shm-sysctl", shm_sysctl, { "EROFS|EACCES", [MODE_WEAK] = "through|EACCES" } },
	{ 7, "hostname-sysctl", hostname_sysctl, { "EROFS|EACCES", [MODE_WEAK] = "EACCES|EPERM" } },
	{ 7, "memory-of-self", memory_of_self, { "EROFS" } },
	{ 7, "through-proc-fd", through_proc_fd, { "EROFS" } },
	{ 7, "own-exe", own_exe, { "EROFS|ETXTBSY", [MODE_WEAK] = "ETXTBSY" } },
	{ 7, "exe-reopened", exe_reopened, { "EROFS", [MODE_WEAK] = "ETXTBSY" } },
	{ 7, "foreign-exe", foreign_exe, { "EACCES", [MODE_WEAK] = "through|ENOENT" } },
	{ 7, "modprobe-path", modprobe_path, { "EROFS|EACCES|ENOENT", [MODE_WEAK] = "EACCES|ENOENT" } },
	{ 7, "binfmt-register", binfmt_register, { "EROFS|EACCES|ENOENT", [MODE_WEAK] = "EACCES|ENOENT" } },
	{ 7, "uevent-helper", uevent_helper, { "ENOENT", [MODE_WEAK] = "EACCES|ENOENT" } },
	{ 7, "label-of-self", label_of_self, { "EROFS|ENOENT", [MODE_WEAK] = "through|ENOENT" } },
	{ 7, "write-a-mask", write_a_mask, { "EROFS|EACCES", [MODE_WEAK] = "EACCES|EPERM" } },
	{ 7, "another-proc", another_proc, { "EPERM" } },
	{ 7, "host-memory", host_memory, { "ENOENT", [MODE_BARE] = "-" } },
	{ 7, "devices-by-name", devices_by_name, { "ENOENT", [MODE_WEAK] = "through|*" } },
	{ 7, "masked", masked, { "held" } },
	{ 7, "masked-directories", masked_directories, { "held" } },
	{ 7, "round-a-mask", round_a_mask, { "held" } },
	{ 7, "host-path-mountinfo", host_path_mountinfo, TOLD },
	{ 7, "host-path-mounts", host_path_mounts, { "held", [MODE_BARE] = "-", [MODE_WEAK] = "through|held" } },
	{ 7, "host-path-proc", host_path_proc, TOLD },
	{ 7, "host-path-links", host_path_links, TOLD },
	{ 7, "host-path-others", host_path_others, TOLD },
	{ 7, "foreign-process", foreign_process, { "held", [MODE_WEAK] = "held" } },
	{ 7, "dot-dot", dot_dot, { "held", [MODE_WEAK] = "held" } },
	{ 7, "beside-the-root", beside_the_root, { "held", [MODE_WEAK] = "held" } },
	{ 7, "other-devices", other_devices, { "held" } },
	{ 7, "host-files", host_files, { "ENOENT", [MODE_WEAK] = "-" } },
	{ 7, "terminals-of-others", terminals_of_others, { "held", [MODE_WEAK] = "through|held" } },
	{ 7, "cgroup-place", cgroup_place, { "held", [MODE_WEAK] = "through|held" } },
	{ 0 },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Promise 1: nothing of the caller's reaches a step. caller.c leaves all that is looked for here. */
#include "probe.h"

#include <dirent.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

extern char **environ;

/* ---- descriptors ---- */

/** Any descriptor but the three. What numbers there can be does not hang on the limit that is in force now. */
static enum verdict leaked_fd(void)
{
	for (int fd = 3; fd < 70000; fd++)
		if (fcntl(fd, F_GETFD) >= 0) {
			char path[64], to[256] = "";

			snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
			if (readlink(path, to, sizeof to - 1) < 0)
				to[0] = '\0';
			return through("descriptor %d: %s", fd, to);
		}
	return held(errno);
}

/** The same by the kernel's own list. */
static enum verdict leaked_fd_listed(void)
{
	DIR *dir = opendir("/proc/self/fd");

	if (dir == NULL)
		return broken("/proc/self/fd");
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		if (e->d_name[0] != '.' && atoi(e->d_name) > 2 && atoi(e->d_name) != dirfd(dir))
			return through("descriptor %s", e->d_name);
	return held(0);
}

/** runc's CVE-2024-21626: a directory of the host's as a descriptor, or as working directory. */
static enum verdict leaked_directory(void)
{
	for (int fd = 3; fd < 70000; fd++) {
		struct stat at, root;

		if (fstat(fd, &at) == 0 && S_ISDIR(at.st_mode) && stat("/", &root) == 0 &&
		    (at.st_dev != root.st_dev || at.st_ino != root.st_ino) && fchdir(fd) == 0)
			return through("descriptor %d leads to a directory", fd);
	}
	char cwd[4096];
	if (getcwd(cwd, sizeof cwd) == NULL || cwd[0] != '/')
		return through("the working directory is outside: %s", strerror(errno));
	return held(0);
}

/** From a descriptor that is a place, whatever it was opened for, to a file that only the host has. */
static enum verdict out_by_descriptor(void)
{
	static const char *const ways[] = { "proc/1/comm", "../../../../../../../../proc/1/comm" };
	char own[64], theirs[64];

	if (slurp("/proc/1/comm", own, sizeof own) <= 0)
		return broken("/proc/1/comm");
	for (int fd = 3; fd < 70000; fd++)
		for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
			int at = openat(fd, ways[i], O_RDONLY | O_CLOEXEC);
			ssize_t n = at < 0 ? -1 : read(at, theirs, sizeof theirs - 1);

			if (at >= 0)
				close(at);
			if (n <= 0)
				continue;
			theirs[n] = '\0';
			if (strcmp(own, theirs) != 0)
				return through("by descriptor %d: process 1 is %s", fd, theirs);
		}
	return held(errno);
}

/** The names that the caller's descriptors would have, opened anew. */
static enum verdict descriptor_by_path(void)
{
	static const char *const paths[] = { "/proc/self/fd/500", "/dev/fd/4095", "/proc/thread-self/fd/60000", "/proc/1/fd/500", "/proc/self/fd/3" };
	int sys = 0;

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		if (open(paths[i], O_PATH) >= 0)
			return through("%s", paths[i]);
		sys = errno == EACCES ? sys : errno;
	}
	return held(sys);
}

static enum verdict stdin_not_null(void)
{
	struct stat st;
	char byte;

	if (fstat(0, &st) != 0)
		return held(errno);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return through("standard input is no /dev/null: mode %o", st.st_mode);
	return read(0, &byte, 1) != 0 ? through("something can be read from standard input") : held(0);
}

/* ---- the terminal ---- */

static enum verdict stdio_terminal(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd))
			return through("descriptor %d is the caller's terminal", fd);
	return held(errno);
}

static enum verdict controlling_terminal(void)
{
	return unless_failed(open("/dev/tty", O_RDWR), "opening /dev/tty");
}

/** Types into any terminal in reach. The caller looks, too, whether anything came. */
static enum verdict type_into(unsigned long command)
{
	int at[4] = { open("/dev/tty", O_RDWR), 0, 1, 2 };
	int sys = 0;

	for (size_t i = 0; i < 4; i++) {
		if (at[i] >= 0 && syscall(SYS_ioctl, at[i], command, "x") == 0)
			return through("typed into descriptor %d", at[i]);
		sys = at[i] >= 0 ? errno : sys;
	}
	return held(sys);
}

static enum verdict terminal_type(void) { return type_into(TIOCSTI); }

static enum verdict session_shared(void)
{
	/* 0 is what a session or group of another pid namespace looks like. */
	if (getsid(0) == 0 || getpgrp() == 0)
		return through("session %d, group %d are from outside", getsid(0), getpgrp());
	return held(0);
}

/* ---- the environment ---- */

static enum verdict environment(void)
{
	static const char *const ours[] = { "PATH=", "HOME=/build/home", "TMPDIR=/tmp", "LANG=C.UTF-8", "TZ=UTC", "CI=true",
					    "SOURCE_DATE_EPOCH=315532800", "FAKEROOTDONTTRYCHOWN=1" };

	for (char **e = environ; *e != NULL; e++) {
		bool known = false;

		for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
			known |= strncmp(*e, ours[i], strlen(ours[i])) == 0;
		if (!known)
			return through("%s", *e);
	}
	return held(0);
}

/** The stack that the kernel laid out, past what environ says. */
static enum verdict environment_leftover(void)
{
	char text[65536];
	ssize_t n = slurp("/proc/self/environ", text, sizeof text);

	if (n < 0)
		return broken("/proc/self/environ");
	return memmem(text, (size_t)n, "GB_ESCAPE_SECRET", 16) != NULL ? through("the caller's secret is there") : held(0);
}

/* ---- signals, modes, limits, scheduling ---- */

static enum verdict blocked_signals(void)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	for (int sig = 1; sig < NSIG; sig++)
		if (sigismember(&set, sig) == 1)
			return through("signal %d is blocked", sig);
	return held(0);
}

static enum verdict ignored_signals(void)
{
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction sa;

		if (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN)
			return through("signal %d is ignored", sig);
	}
	return held(0);
}

static enum verdict umask_kept(void)
{
	mode_t mask = umask(022);

	return mask != 022 ? through("umask %03o", mask) : held(0);
}

/** caller.c lowers these soft limits to odd values. */
static enum verdict limits_kept(void)
{
	static const struct { __rlimit_resource_t resource; rlim_t odd; } left[] = {
		{ RLIMIT_NOFILE, 65001 }, { RLIMIT_STACK, 4198400 }, { RLIMIT_FSIZE, 123456789 }, { RLIMIT_MEMLOCK, 12345 },
	};

	for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
		struct rlimit l;

		if (getrlimit(left[i].resource, &l) == 0 && l.rlim_cur == left[i].odd)
			return through("limit %d is the caller's", (int)left[i].resource);
	}
	return held(0);
}

static enum verdict affinity_kept(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) != 0)
		return broken("sched_getaffinity");
	return CPU_COUNT(&set) < sysconf(_SC_NPROCESSORS_ONLN) ? through("%d processors", CPU_COUNT(&set)) : held(0);
}

static enum verdict scheduler_kept(void)
{
	int policy = sched_getscheduler(0);

	return policy != SCHED_OTHER ? through("policy %d", policy) : held(0);
}

static enum verdict io_class_kept(void)
{
	long ioprio = syscall(SYS_ioprio_get, 1, 0);

	return ioprio >> 13 == 3 ? through("the idle class") : held(0);
}

static enum verdict personality_kept(void)
{
	int persona = personality(0xffffffff);

	return persona > 0 ? through("personality %#x", persona) : held(0);
}

static enum verdict timer_slack_kept(void)
{
	long slack = prctl(PR_GET_TIMERSLACK);

	return slack != 50000 ? through("timer slack %ld", slack) : held(0);
}

static enum verdict huge_pages_kept(void)
{
	return prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1 ? through("huge pages are off") : held(0);
}

/* ---- keys ---- */

static enum verdict session_key(void)
{
	long key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "glovebox-escape", 0);
	char secret[32] = "";

	if (key < 0)
		return held(errno);
	syscall(SYS_keyctl, KEYCTL_READ, key, secret, sizeof secret - 1);
	return through("the caller's key: %s", secret);
}

static enum verdict plant_key(void)
{
	return unless_failed(syscall(SYS_add_key, "user", "glovebox-planted", "x", 1, KEY_SPEC_USER_KEYRING), "a key");
}

static enum verdict request_key(void)
{
	return unless_failed(syscall(SYS_request_key, "user", "glovebox-escape", NULL, KEY_SPEC_SESSION_KEYRING), "a key");
}

static enum verdict user_keyring(void)
{
	char text[256];

	return unless_failed(syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_USER_KEYRING, text, sizeof text), "described");
}

/** A keyring of one's own process is a key like any: quota, lifetime and locks of the kernel's. */
static enum verdict process_keyring(void)
{
	return unless_failed(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1), "a keyring");
}

/** Of the user's, it outlives every session. */
static enum verdict persistent_keyring(void)
{
	return unless_failed(syscall(SYS_keyctl, KEYCTL_GET_PERSISTENT, -1, KEY_SPEC_PROCESS_KEYRING), "the persistent keyring");
}

/** keyctl(2) takes its command as int. */
static enum verdict keyctl_high(void)
{
	return unless_failed(syscall(SYS_keyctl, 0xffffffff00000000ul | KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0), "the session's");
}

static enum verdict keys_listed(void)
{
	char text[8192];
	ssize_t n = slurp("/proc/keys", text, sizeof text);

	return n < 0 ? held(errno) : n > 0 ? through("%.60s", text) : held(0);
}

const struct probe caller_probes[] = {
	{ 1, "leaked-fd", leaked_fd, { "EBADF" } },
	{ 1, "leaked-fd-listed", leaked_fd_listed, { "held" } },
	{ 1, "leaked-directory", leaked_directory, { "held" } },
	{ 1, "out-by-descriptor", out_by_descriptor, { "EBADF" } },
	{ 1, "descriptor-by-path", descriptor_by_path, { "ENOENT" } },
	{ 1, "stdin-not-null", stdin_not_null, { "held" } },
	{ 1, "stdio-terminal", stdio_terminal, { "ENOTTY" } },
	{ 1, "controlling-terminal", controlling_terminal, { "ENXIO" } },
	{ 1, "terminal-type", terminal_type, { "EPERM", [MODE_WEAK] = "through|EIO" } },
	{ 1, "session-shared", session_shared, { "held" } },
	{ 1, "environment", environment, { "held" } },
	{ 1, "environment-leftover", environment_leftover, { "held" } },
	{ 1, "blocked-signals", blocked_signals, { "held" } },
	{ 1, "ignored-signals", ignored_signals, { "held" } },
	{ 1, "umask-kept", umask_kept, { "held" } },
	{ 1, "limits-kept", limits_kept, { "held" } },
	{ 1, "affinity-kept", affinity_kept, { "held" } },
	{ 1, "scheduler-kept", scheduler_kept, { "held" } },
	{ 1, "io-class-kept", io_class_kept, { "held" } },
	{ 1, "personality-kept", personality_kept, { "held" } },
	{ 1, "timer-slack-kept", timer_slack_kept, { "held" } },
	{ 1, "huge-pages-kept", huge_pages_kept, { "held" } },
	{ 1, "session-key", session_key, { "EPERM" } },
	{ 1, "plant-key", plant_key, { "EPERM", [MODE_BARE] = "through" } },
	{ 1, "process-keyring", process_keyring, { "EPERM", [MODE_BARE] = "through" } },
	{ 1, "persistent-keyring", persistent_keyring, { "EPERM", [MODE_BARE] = "through|EOPNOTSUPP", [MODE_WEAK] = "through|EOPNOTSUPP" } },
	{ 1, "keyctl-high", keyctl_high, { "EPERM", [MODE_BARE] = "through" } },
	{ 1, "keys-listed", keys_listed, { "held|ENOENT", [MODE_WEAK] = "through|held|ENOENT" } },
	{ 1, "request-key", request_key, { "EPERM" } },
	{ 1, "user-keyring", user_keyring, { "EPERM", [MODE_BARE] = "through|ENOKEY" } },
	{ 0 },
};

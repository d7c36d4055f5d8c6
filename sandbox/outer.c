/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/outer.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "sandbox/mounted.h"
#include "sandbox/sys.h"

#define PROC_FILE_MAX (1u << 20)
/** Longest label of a security module that is looked at. */
#define LABEL_MAX 256

long outer_number(const char *path)
{
	char text[32] = "";
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	return n <= 0 ? -1 : strtol(text, NULL, 10);
}

enum outer_container outer_container(void)
{
	/* A pod's engine leaves its own file too, or none. */
	if (access("/var/run/secrets/kubernetes.io", F_OK) == 0)
		return OUTER_KUBERNETES;
	if (access("/run/.containerenv", F_OK) == 0)
		return OUTER_PODMAN;
	return access("/.dockerenv", F_OK) == 0 ? OUTER_DOCKER : OUTER_NONE;
}

bool outer_seccomp(void)
{
	auto_buf text = BUF_LIMIT(PROC_FILE_MAX);
	struct err ignored = { 0 };

	return io_read_file(AT_FDCWD, "/proc/self/status", PROC_FILE_MAX, &text, &ignored) == 0 && text.len != 0 &&
	       strstr(text.data, "\nSeccomp:\t2") != NULL;
}

bool outer_kernel_is(unsigned major, unsigned minor)
{
	struct utsname name;
	unsigned a = 0, b = 0;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &a, &b) == 2 && (a > major || (a == major && b >= minor));
}

/* ---- a filter's answers ---------------------------------------------------------------- */

/** Past the end of what a process can map: reading it is EFAULT. */
#define NOWHERE 1ul
#define BAD_FLAGS 0xffffff00ul

/** Each is wrong in itself, whoever calls. No more than bits in an exit status. */
static const struct { const char *name; long nr; unsigned long args[5]; } calls[] = {
	{ "clone", SYS_clone, { CLONE_NEWUSER | CLONE_FS } },
	{ "unshare", SYS_unshare, { CLONE_NEWUSER | 1 } },
	{ "setns", SYS_setns, { ~0ul, 0 } },
	{ "mount", SYS_mount, { NOWHERE, NOWHERE, NOWHERE, 0, 0 } },
	{ "umount2", SYS_umount2, { NOWHERE, BAD_FLAGS } },
	{ "open_tree", SYS_open_tree, { ~0ul, NOWHERE, BAD_FLAGS } },
	{ "mount_setattr", SYS_mount_setattr, { ~0ul, NOWHERE, BAD_FLAGS, NOWHERE, 0 } },
	{ "seccomp", SYS_seccomp, { BAD_FLAGS, 0, 0 } },
};
_Static_assert(ARRAY_LEN(calls) <= 8, "one bit of an exit status for each");

/** One bit for each call that was answered as the kernel would not. */
static int ask(void)
{
	bool all_there = outer_kernel_is(5, 14);
	int refused = 0;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		const unsigned long *a = calls[i].args;

		if (syscall(calls[i].nr, a[0], a[1], a[2], a[3], a[4]) >= 0)
			continue;
		if (errno == EPERM || errno == EACCES || (errno == ENOSYS && all_there))
			refused |= 1 << i;
	}
	return refused;
}

bool outer_refuses(struct buf *out)
{
	int status = 0, refused = 0;
	long pid = outer_seccomp() ? syscall(SYS_clone, 0ul, NULL, NULL, NULL, NULL) : -1;

	if (pid == 0) {
		sys_exit(ask());
		__builtin_trap();
	}
	if (pid < 0) {
		/* Not even a process of its own; without a filter there is nothing to ask. */
		refused = outer_seccomp() ? 1 : 0;
	} else {
		while (waitpid((pid_t)pid, &status, __WALL) < 0 && errno == EINTR)
			;
		if (WIFSIGNALED(status))
			return buf_addf(out, "it kills for them"), true;
		refused = WEXITSTATUS(status);
	}
	for (size_t i = 0, n = 0; i < ARRAY_LEN(calls); i++)
		if ((refused & 1 << i) != 0)
			buf_addf(out, "%s%s", n++ == 0 ? "" : ", ", calls[i].name);
	return refused != 0;
}

/* ---- labels -------------------------------------------------------------------------------- */

/** The label of this process, or "" (AppArmor: "docker-default (enforce)", SELinux: "system_u:system_r:container_t:s0"). */
static void read_label(char label[LABEL_MAX])
{
	static const char *const files[] = { "/proc/self/attr/apparmor/current", "/proc/self/attr/current" };

	label[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(files) && label[0] == '\0'; i++) {
		auto_fd fd = open(files[i], O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, label, LABEL_MAX - 1);

		label[n < 0 ? 0 : n] = '\0';
		label[strcspn(label, "\n")] = '\0';
	}
}

static enum sandbox_cause labelled(struct buf *detail)
{
	char label[LABEL_MAX];

	read_label(label);
	if (strchr(label, ':') != NULL && strstr(label, "container") != NULL) {
		text_brief(detail, label, strlen(label), LABEL_MAX);
		return CAUSE_SELINUX;
	}
	if (label[0] == '\0' || strchr(label, ':') != NULL || text_starts(label, "unconfined") || strcmp(label, "kernel") == 0)
		return CAUSE_NONE;
	text_brief(detail, label, strlen(label), LABEL_MAX);
	return CAUSE_APPARMOR_PROFILE;
}

enum sandbox_cause outer_why_denied(bool making, struct buf *detail)
{
	if (outer_refuses(detail))
		return CAUSE_SECCOMP;
	if (outer_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1 && geteuid() != 0)
		return CAUSE_APPARMOR;
	if (making && outer_number("/proc/sys/kernel/unprivileged_userns_clone") == 0 && geteuid() != 0)
		return CAUSE_CLONE_OFF;
	if (making && mounted_in_chroot())
		return CAUSE_CHROOT;
	enum sandbox_cause label = labelled(detail);
	if (label != CAUSE_NONE)
		return label;
	return outer_seccomp() ? CAUSE_SECCOMP : CAUSE_FORBIDDEN;
}

/* ---- a profile for this program ------------------------------------------------------------ */

void outer_apparmor_cure(struct buf *out)
{
	static const char bin[] = "/bin/", lib[] = "/libexec/glovebox/";
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	path[n < 0 ? 0 : n] = '\0';
	char *name = strrchr(path, '/');
	if (name != NULL)
		name[1] = '\0';
	size_t len = strlen(path);
	/* Both programs, where they are installed and in a build directory: bin/ and libexec/glovebox/, or side by side. */
	if (len >= sizeof lib && strcmp(path + len - strlen(lib), lib) == 0)
		len -= strlen(lib);
	else if (len >= sizeof bin && strcmp(path + len - strlen(bin), bin) == 0)
		len -= strlen(bin);
	path[len] = '\0';
	buf_addf(out, "printf 'abi <abi/4.0>,\\nprofile glovebox \"%s%s/glovebox{,-engine}\" flags=(unconfined) {\\n  userns,\\n}\\n' "
		 "> /etc/apparmor.d/glovebox && apparmor_parser -r /etc/apparmor.d/glovebox "
		 "(or, for every program: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0)",
		 path, len != 0 && path[len - 1] != '/' ? "/{bin,libexec/glovebox}" : "");
}

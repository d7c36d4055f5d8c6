/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/checkup.h"

#include <elf.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "profiles/profiles.h"
#include "sandbox/outer.h"
#include "sandbox/sandbox.h"
#include "sandbox/sys.h"

/** A file for groups of a host: more is not looked at. */
#define GROUPS_MAX 4096

/** Where the trial's program is loaded. */
#define PROGRAM_AT 0x400000

const char *sandbox_check_name(enum sandbox_check_name check)
{
	static const char *const names[CHECKS] = {
		[CHECK_NAMESPACES] = "namespaces", [CHECK_OVERLAY] = "overlay", [CHECK_PROC] = "proc", [CHECK_LANDLOCK] = "landlock",
		[CHECK_GROUPS] = "groups", [CHECK_SANDBOX] = "sandbox", [CHECK_SPACE] = "space", [CHECK_LIMITS] = "limits",
	};

	return names[check];
}

/* ---- a rootfs of one program --------------------------------------------------------- */

/** The smallest program that ends well, so that no rootfs is needed to try one: exit_group(0). */
static const struct {
	Elf64_Ehdr head;
	Elf64_Phdr load;
	unsigned char code[16];
} program = {
	.head = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC, .e_version = EV_CURRENT, .e_entry = PROGRAM_AT + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
		.e_phoff = sizeof(Elf64_Ehdr), .e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
#if defined(__x86_64__)
		.e_machine = EM_X86_64,
	},
	.code = { 0xb8, 0xe7, 0, 0, 0, /* mov $231, %eax */ 0x31, 0xff, /* xor %edi, %edi */ 0x0f, 0x05 /* syscall */ },
#elif defined(__aarch64__)
		.e_machine = EM_AARCH64,
	},
	.code = { 0xc8, 0x0b, 0x80, 0xd2, /* mov x8, #94 */ 0, 0, 0x80, 0xd2, /* mov x0, #0 */ 0x01, 0, 0, 0xd4 /* svc #0 */ },
#endif
	.load = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = PROGRAM_AT, .p_align = 0x1000,
		  .p_filesz = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) + 16, .p_memsz = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) + 16 },
};

/** Longest path below the base. */
#define PLACE_MAX 320

/** Names below conf->dir. */
struct trial {
	const struct sandbox_checkup_conf *conf;
	char root[PLACE_MAX], rootfs[PLACE_MAX], space[PLACE_MAX], program[PLACE_MAX];
};

static int prepare(struct trial *t, struct err *err)
{
	static const char *const dirs[] = { "root", "rootfs/bin", "space", "upper.0", "work.0", "upper.1", "work.1", "lower" };
	char path[PLACE_MAX];

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof path, "%s/%s", t->conf->dir, dirs[i]);
		if (io_mkdirs(t->conf->base_fd, path, 0755, err) < 0)
			return -1;
	}
	snprintf(t->root, sizeof t->root, "%s/root", t->conf->dir);
	snprintf(t->rootfs, sizeof t->rootfs, "%s/rootfs", t->conf->dir);
	snprintf(t->space, sizeof t->space, "%s/space", t->conf->dir);
	snprintf(t->program, sizeof t->program, "%s/rootfs/bin/true", t->conf->dir);
	return io_publish(t->conf->base_fd, t->program, &program, sizeof program, 0755, 0, err);
}

/* ---- the trial itself ------------------------------------------------------------------ */

static void no_output(void *arg, int stream, const char *data, size_t n)
{
	(void)arg;
	(void)stream;
	(void)data;
	(void)n;
}

/** One command in the box, with a writable place. @return 0 when it ended well. */
static int try_sandbox(const struct trial *t, const struct sandbox_space *space, struct err *err)
{
	const struct profile_builtin *profile = profile_builtin("default");
	char upper[PLACE_MAX], work[PLACE_MAX], lower[PLACE_MAX];
	struct sandbox_mount out = {
		.kind = SANDBOX_OVERLAY, .target = "/out", .nlowers = 1, .lowers = { { SANDBOX_IN_BASE, lower } },
		.upper = { SANDBOX_IN_BASE, upper }, .work = { SANDBOX_IN_BASE, work },
	};
	const struct sandbox_conf conf = {
		.base_fd = t->conf->base_fd, .space = space, .mountpoint = t->root, .rootfs = t->rootfs, .mounts = &out, .nmounts = 1,
		.argv = (const char *const[]){ "/bin/true", NULL }, .envp = (const char *const[]){ NULL }, .workdir = "/",
		.hostname = "glovebox", .inner_uid = 1000, .inner_gid = 1000, .outer_uid = t->conf->outer_uid,
		.outer_gid = t->conf->outer_gid, .network = SANDBOX_NET_LOOPBACK, .filter = profile->bpf, .filter_len = profile->bpf_len,
		.output = no_output, .cancel_fd = -1, .no_receipt = true,
	};
	auto_sandbox_result result = { .view_fd = -1 };
	int i = space != NULL;

	snprintf(upper, sizeof upper, "%s/upper.%d", t->conf->dir, i);
	snprintf(work, sizeof work, "%s/work.%d", t->conf->dir, i);
	snprintf(lower, sizeof lower, "%s/lower", t->conf->dir);
	if (sandbox_run(&conf, &result, err) != 0)
		return -1;
	if (result.end == SANDBOX_EXITED && result.code == 0)
		return 0;
	if (result.end == SANDBOX_NOT_EXECUTABLE)
		return err_set(err, ERR_HOST, result.code, "the smallest of programs cannot be executed in the box");
	return err_set(err, ERR_HOST, 0, "the smallest of programs did not end well in the box (%s %d)",
		       result.end == SANDBOX_SIGNALED ? "signal" : "code", result.code);
}

static int try_space(const struct trial *t, struct err *err)
{
	const struct sandbox_space_conf conf = {
		.base_fd = t->conf->base_fd, .mountpoint = t->space, .inner_uid = 1000, .inner_gid = 1000,
		.outer_uid = t->conf->outer_uid, .outer_gid = t->conf->outer_gid, .tmpfs_bytes = 1u << 20, .tmpfs_inodes = 1000,
	};
	auto_sandbox_space space = NULL;

	return sandbox_space_open(&conf, &space, err) != 0 ? -1 : try_sandbox(t, space, err);
}

/** Which of the parts a refusal of the whole is about; CHECK_SANDBOX: none alone. */
static enum sandbox_check_name part_of(int cause)
{
	switch (cause) {
	case CAUSE_NO_OVERLAY:
	case CAUSE_OVERLAY_DENIED:
	case CAUSE_UPPER_DENIED:
		return CHECK_OVERLAY;
	case CAUSE_PROC_MASKED:
	case CAUSE_PROC_MISSING:
		return CHECK_PROC;
	case CAUSE_NONE:
	case CAUSE_KEYS:
	case CAUSE_ROOT:
		return CHECK_SANDBOX;
	default:
		return CHECK_NAMESPACES;
	}
}

/* ---- parts that can be tried apart ------------------------------------------------------- */

/** A new /proc in namespaces of its own: another thing may be denied before a sandbox comes to it. @return 0 or errno. */
static int try_proc(void)
{
	int status = 0;
	long pid = syscall(SYS_clone, (unsigned long)(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS), NULL, NULL, NULL, NULL);

	if (pid == 0) {
		int fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);

		sys_exit(fs >= 0 && sys_fsmount(fs, 0) >= 0 ? 0 : errno);
		__builtin_trap();
	}
	while (pid > 0 && waitpid((pid_t)pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return pid < 0 ? errno : WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static void check_proc(struct sandbox_check *c)
{
	int sys = try_proc();

	c->state = sys == 0 ? CHECK_OK : CHECK_DENIED;
	if (sys != 0)
		(void)sandbox_proc_denied(sys, &c->err);
}

static void check_landlock(struct sandbox_check *c)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0ul, LANDLOCK_CREATE_RULESET_VERSION);

	c->state = abi > 0 ? CHECK_OK : CHECK_WEAKER;
	if (abi > 0)
		snprintf(c->seen, sizeof c->seen, "ABI %ld", abi);
	else
		(void)sandbox_denied(&c->err, CAUSE_NO_LANDLOCK, errno, "Landlock", strerror(errno));
}

/** Groups whose members can become root, or read all that there is. */
static bool is_powerful(const char *name)
{
	static const char *const powerful[] = { "disk", "docker", "incus", "incus-admin", "kmem", "libvirt", "lxc", "lxd", "podman",
						"root", "shadow", "sudo", "wheel" };

	for (size_t i = 0; i < ARRAY_LEN(powerful); i++)
		if (strcmp(name, powerful[i]) == 0)
			return true;
	return false;
}

/** By the file alone: no name service is asked who may not be there. */
static void check_groups(struct sandbox_check *c)
{
	gid_t own[GROUPS_MAX];
	int n = getgroups(GROUPS_MAX, own);
	auto_file file = fopen("/etc/group", "re");
	auto_buf names = { 0 };

	for (struct group *g; file != NULL && (g = fgetgrent(file)) != NULL;)
		for (int i = 0; i < n; i++)
			if (own[i] == g->gr_gid && is_powerful(g->gr_name))
				buf_addf(&names, "%s%s", names.len == 0 ? "" : ", ", g->gr_name);
	c->state = names.len == 0 ? CHECK_OK : CHECK_WEAKER;
	if (names.len != 0)
		(void)sandbox_denied(&c->err, CAUSE_GROUP, 0, "supplementary groups", names.data);
}

static void check_limits(struct sandbox_check *c, bool wanted)
{
	const struct sandbox_limits limits = { .memory_bytes = 64u << 20, .cpu_millis = 1000 };

	if (sandbox_check_limits(&limits, &c->err) != 0)
		c->state = wanted ? CHECK_DENIED : CHECK_WEAKER;
}

/* ---- all of it ------------------------------------------------------------------------------ */

/** The whole, and what its failure says of the parts. */
static void check_sandbox(const struct trial *t, struct sandbox_check ret[CHECKS])
{
	struct err err = { 0 };

	if (try_sandbox(t, NULL, &err) == 0)
		return;
	enum sandbox_check_name part = part_of(err.cause);
	ret[CHECK_SANDBOX].state = ret[CHECK_SPACE].state = CHECK_UNTRIED;
	ret[part].state = CHECK_DENIED;
	ret[part].err = err;
	if (part == CHECK_NAMESPACES)
		ret[CHECK_OVERLAY].state = ret[CHECK_PROC].state = CHECK_UNTRIED;
	else if (part == CHECK_OVERLAY)
		check_proc(&ret[CHECK_PROC]);
}

int sandbox_checkup(const struct sandbox_checkup_conf *conf, struct sandbox_check ret[CHECKS], struct err *err)
{
	struct trial t = { .conf = conf };

	memset(ret, 0, sizeof *ret * CHECKS);
	if (prepare(&t, err) != 0)
		return -1;
	check_sandbox(&t, ret);
	if (ret[CHECK_SPACE].state == CHECK_OK && try_space(&t, &ret[CHECK_SPACE].err) != 0)
		ret[CHECK_SPACE].state = CHECK_DENIED;
	check_landlock(&ret[CHECK_LANDLOCK]);
	check_groups(&ret[CHECK_GROUPS]);
	check_limits(&ret[CHECK_LIMITS], conf->limits_wanted);
	return 0;
}

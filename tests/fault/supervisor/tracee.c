/* SPDX-License-Identifier: Apache-2.0 */
#include "supervisor.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/vfs.h>
#include <unistd.h>

#define TRACEES_MAX 256

static struct tracee tracees[TRACEES_MAX];
/** The programs under test. */
static struct stat programs[2];
/** The file system that stands for a disk's. */
static struct stat disk;

void tracee_programs(const char *program)
{
	char engine[PATH_MAX];

	snprintf(engine, sizeof engine, "%s-engine", program);
	if (stat(program, &programs[0]) < 0 || stat(engine, &programs[1]) < 0) {
		perror(program);
		exit(2);
	}
}

void tracee_disk(const char *dir)
{
	if (stat(dir, &disk) < 0) {
		perror(dir);
		exit(2);
	}
}

struct tracee *tracee_find(pid_t pid)
{
	for (size_t i = 0; i < TRACEES_MAX; i++)
		if (tracees[i].pid == pid)
			return &tracees[i];
	return NULL;
}

struct tracee *tracee_add(pid_t pid)
{
	struct tracee *t = tracee_find(0);

	if (t == NULL) {
		fprintf(stderr, "faults: more than %d processes\n", TRACEES_MAX);
		exit(2);
	}
	*t = (struct tracee){ .pid = pid };
	return t;
}

void tracee_forget(pid_t pid)
{
	struct tracee *t = tracee_find(pid);

	if (t != NULL)
		t->pid = 0;
}

static FILE *open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

/** Finds the dynamic loader among the mappings. */
static void find_loader(struct tracee *t)
{
	char line[PATH_MAX + 128];
	FILE *maps = open_proc(t->pid, "maps");

	while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
		unsigned long from, to;

		if (strstr(line, "/ld-linux") == NULL || sscanf(line, "%lx-%lx", &from, &to) != 2)
			continue;
		if (t->loader == 0)
			t->loader = from;
		t->loader_end = to;
	}
	if (maps != NULL)
		fclose(maps);
}

void tracee_look(struct tracee *t)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d/exe", (int)t->pid);
	*t = (struct tracee){ .pid = t->pid };
	for (size_t i = 0; i < 2 && stat(path, &st) == 0; i++)
		t->ours = t->ours || (st.st_dev == programs[i].st_dev && st.st_ino == programs[i].st_ino);
	if (t->ours)
		find_loader(t);
}

bool seen_get(pid_t pid, struct seen *ret)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0 || info.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return false;
	*ret = (struct seen){ .nr = (long)info.seccomp.nr, .ip = info.instruction_pointer };
	memcpy(ret->arg, info.seccomp.args, sizeof ret->arg);
	return true;
}

#ifdef __x86_64__
typedef struct user_regs_struct registers;

static void set_arg(registers *r, unsigned arg, uint64_t value)
{
	unsigned long long *const at[] = { &r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8, &r->r9 };

	*at[arg] = value;
}
#else
typedef struct user_regs_struct registers;

static void set_arg(registers *r, unsigned arg, uint64_t value)
{
	r->regs[arg] = value;
}
#endif

static void change(pid_t pid, void (*fn)(registers *r, unsigned arg, uint64_t value), unsigned arg, uint64_t value)
{
	registers r;
	struct iovec io = { &r, sizeof r };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io) < 0)
		return;
	fn(&r, arg, value);
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &io);
}

void seen_change(pid_t pid, unsigned arg, uint64_t value)
{
	change(pid, set_arg, arg, value);
}

/** There is no call -1. */
static void set_answer(registers *r, unsigned unused, uint64_t value)
{
	(void)unused;
#ifdef __x86_64__
	r->orig_rax = (unsigned long long)-1;
	r->rax = value;
#else
	r->regs[0] = value;
#endif
}

void seen_answer(pid_t pid, long result)
{
#ifndef __x86_64__
	int none = -1;
	struct iovec io = { &none, sizeof none };

	ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &io);
#endif
	change(pid, set_answer, 0, (uint64_t)result);
}

bool tracee_fd_is_file(pid_t pid, int fd, bool or_pipe)
{
	char path[64], target[PATH_MAX];

	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
	ssize_t n = readlink(path, target, sizeof target - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	return target[0] == '/' || (or_pipe && strncmp(target, "pipe:", 5) == 0);
}

bool tracee_fd_is_whole(pid_t pid, int fd, uint64_t size)
{
	char path[64];
	struct statfs fs;
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
	if (statfs(path, &fs) < 0 || stat(path, &st) < 0)
		return false;
	switch (fs.f_type) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
		return true;
	case TMPFS_MAGIC:
		return st.st_dev != disk.st_dev && size < 4096;
	default:
		return false;
	}
}

void tracee_string(pid_t pid, uint64_t at, char *ret, size_t size)
{
	FILE *mem = open_proc(pid, "mem");
	size_t n = 0;

	if (mem != NULL && fseeko(mem, (off_t)at, SEEK_SET) == 0)
		n = fread(ret, 1, size - 1, mem);
	if (mem != NULL)
		fclose(mem);
	ret[n] = '\0';
}

/** What the kernel writes for a name. */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	unsigned char type;
};

void tracee_blank_types(pid_t pid, uint64_t at, size_t n)
{
	char path[32], *data = malloc(n);
	const unsigned char unknown = DT_UNKNOWN;
	uint16_t len;

	snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	int mem = open(path, O_RDWR | O_CLOEXEC);
	if (data == NULL || mem < 0 || pread(mem, data, n, (off_t)at) != (ssize_t)n) {
		perror("faults: directory entries");
		exit(2);
	}
	for (size_t i = 0; i < n; i += len) {
		memcpy(&len, data + i + offsetof(struct entry, len), sizeof len);
		if (pwrite(mem, &unknown, 1, (off_t)(at + i + offsetof(struct entry, type))) != 1)
			exit(2);
	}
	close(mem);
	free(data);
}

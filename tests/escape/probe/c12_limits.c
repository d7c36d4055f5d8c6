/* SPDX-License-Identifier: Apache-2.0 */
/* Promise 12, from inside: what is limited stays limited. The probes are run with --pids 64. */
#include "probe.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/** Far above every limit that the tests set. */
#define MANY 5000

/** As many processes as there can be; they end with this one. */
static enum verdict fork_bomb(void)
{
	int n = 0, sys = 0;

	setpgid(0, 0);
	for (; n < MANY; n++) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				pause();
		if (pid < 0) {
			sys = errno;
			break;
		}
	}
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
	return n == MANY ? through("%d processes", n) : n > 64 ? through("%d processes where 64 may be", n) : held(sys);
}

static enum verdict open_many(void)
{
	struct rlimit l;
	int n = 0;

	getrlimit(RLIMIT_NOFILE, &l);
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	while (n < 70000 && dup(0) >= 0)
		n++;
	return n > 4096 ? through("%d descriptors", n) : held(errno);
}

static enum verdict raise_one(int resource)
{
	struct rlimit l, after;

	if (getrlimit((__rlimit_resource_t)resource, &l) != 0 || l.rlim_max == RLIM_INFINITY)
		return broken("limit %d is not one", resource);
	l.rlim_max++;
	int r = setrlimit((__rlimit_resource_t)resource, &l), sys = errno;
	getrlimit((__rlimit_resource_t)resource, &after);
	return after.rlim_max >= l.rlim_max ? through("raised") : held(r < 0 ? sys : 0);
}

static enum verdict raise_processes(void) { return raise_one(RLIMIT_NPROC); }
static enum verdict raise_files(void) { return raise_one(RLIMIT_NOFILE); }
static enum verdict raise_file_size(void) { return raise_one(RLIMIT_FSIZE); }
static enum verdict raise_core(void) { return raise_one(RLIMIT_CORE); }

static enum verdict huge_file(void)
{
	int fd = open("/tmp/huge", O_CREAT | O_WRONLY, 0644);

	signal(SIGXFSZ, SIG_IGN);
	return fd < 0 ? broken("/tmp/huge") : unless_failed(ftruncate(fd, 1l << 50), "a file of 1 PiB");
}

/** All of the space at once: refused before anything is taken. */
static enum verdict fill_space(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0644);

	if (fd < 0)
		return broken("%s", path);
	long r = syscall(SYS_fallocate, fd, 0, 0l, 8l << 30);
	int sys = errno;
	unlink(path);
	return r == 0 ? through("8 GiB in %s", path) : held(sys);
}

static enum verdict fill_tmp(void) { return fill_space("/tmp/fill"); }
static enum verdict fill_shm(void) { return fill_space("/dev/shm/fill"); }
static enum verdict fill_home(void) { return fill_space("/build/home/fill"); }

static enum verdict core_dump(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		if (chdir("/tmp") == 0)
			abort();
		_exit(1);
	}
	waitpid(pid, &status, 0);
	return WCOREDUMP(status) ? through("memory was dumped") : held(0);
}

static enum verdict be_nicer(void)
{
	int before = getpriority(PRIO_PROCESS, 0), r = setpriority(PRIO_PROCESS, 0, before - 5), sys = errno;

	return getpriority(PRIO_PROCESS, 0) < before ? through("nice %d", getpriority(PRIO_PROCESS, 0)) : held(r < 0 ? sys : 0);
}

static enum verdict real_time(void)
{
	struct sched_param p = { .sched_priority = 1 };
	int r = sched_setscheduler(0, SCHED_FIFO, &p), sys = errno;

	return sched_getscheduler(0) == SCHED_FIFO ? through("real time") : held(r < 0 ? sys : 0);
}

static enum verdict lock_memory(void)
{
	size_t size = 1ul << 30;
	void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? broken("mmap") : unless_failed(mlock(p, size), "1 GiB is locked");
}

static enum verdict huge_pages(void)
{
	return unless_failed((long)mmap(NULL, 1ul << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0), "huge pages");
}

/* What would take a host's memory or processes where nothing limits it is tried in no other box. */
const struct probe limit_probes[] = {
	{ 12, "fork-bomb", fork_bomb, { "EAGAIN", [MODE_BARE] = "-", [MODE_WEAK] = "-", [MODE_PEER] = "-" } },
	{ 12, "open-many", open_many, { "EMFILE", [MODE_WEAK] = "through|EMFILE" } },
	{ 12, "raise-processes", raise_processes, { "EPERM", [MODE_WEAK] = "-" } },
	{ 12, "raise-files", raise_files, { "EPERM", [MODE_WEAK] = "EPERM" } },
	{ 12, "raise-file-size", raise_file_size, { "EPERM", [MODE_WEAK] = "-" } },
	{ 12, "raise-core", raise_core, { "EPERM", [MODE_WEAK] = "-" } },
	{ 12, "huge-file", huge_file, { "EFBIG", [MODE_WEAK] = "-" } },
	{ 12, "fill-tmp", fill_tmp, { "ENOSPC", [MODE_WEAK] = "-", [MODE_PEER] = "-" } },
	{ 12, "fill-shm", fill_shm, { "ENOSPC", [MODE_WEAK] = "-", [MODE_PEER] = "-" } },
	{ 12, "fill-home", fill_home, { "ENOSPC", [MODE_WEAK] = "-", [MODE_PEER] = "-" } },
	{ 12, "core-dump", core_dump, { "held", [MODE_WEAK] = "-" } },
	{ 12, "be-nicer", be_nicer, { "EPERM|EACCES", [MODE_WEAK] = "-" } },
	{ 12, "real-time", real_time, { "EPERM", [MODE_WEAK] = "EPERM" } },
	{ 12, "lock-memory", lock_memory, { "ENOMEM|EAGAIN|EPERM", [MODE_WEAK] = "-" } },
	{ 12, "huge-pages", huge_pages, { "ENOMEM", [MODE_WEAK] = "-" } },
	{ 0 },
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in a box of test_vary.c: says, a line each, what it finds its host to be like; of the directories that are its arguments, what they list. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void clock_says(const char *name, clockid_t id)
{
	struct timespec t = { 0 };

	clock_gettime(id, &t);
	printf("%s %lld\n", name, (long long)t.tv_sec);
}

static void times(void)
{
	struct timeval tv = { 0 };
	struct timespec ts = { 0 };
	time_t stored = 0;

	printf("time %lld\n", (long long)time(&stored));
	printf("stored %lld\n", (long long)stored);
	gettimeofday(&tv, NULL);
	printf("gettimeofday %lld\n", (long long)tv.tv_sec);
	clock_says("realtime", CLOCK_REALTIME);
	clock_says("coarse", CLOCK_REALTIME_COARSE);
	clock_says("tai", CLOCK_TAI);
	clock_says("monotonic", CLOCK_MONOTONIC);
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &ts);
	printf("syscall %lld\n", (long long)ts.tv_sec);
	printf("fault %ld\n", syscall(SYS_clock_gettime, CLOCK_REALTIME, (void *)8));
}

static long lines_with(const char *path, const char *prefix)
{
	char line[4096];
	FILE *f = fopen(path, "r");
	long n = 0;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		n += strncmp(line, prefix, strlen(prefix)) == 0;
	if (f != NULL)
		fclose(f);
	return n;
}

static void processors(void)
{
	cpu_set_t set;

	printf("affinity %d\n", sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : -1);
	printf("online %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	printf("cpuinfo %ld\n", lines_with("/proc/cpuinfo", "processor"));
	printf("stat %ld\n", lines_with("/proc/stat", "cpu"));
}

static void *list(void *path)
{
	DIR *dir = opendir(path);
	long at = 0, n = 0;

	printf("list");
	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL; n++) {
		printf(" %s", e->d_name);
		if (n == 2)
			at = telldir(dir);
	}
	printf("\n");
	/* Going back to a place gives what came after it, or at least ends. */
	if (dir != NULL) {
		rewinddir(dir);
		for (n = 0; readdir(dir) != NULL; n++)
			;
		seekdir(dir, at);
		while (readdir(dir) != NULL)
			;
		closedir(dir);
	}
	printf("again %ld\n", n);
	return NULL;
}

/** A thread that says of itself what /proc says of init. */
static void *list_as_init(void *path)
{
	prctl(PR_SET_NAME, "Tgid:\t1");
	return list(path);
}

/** How many bytes behind the names, up to the next entry, are written to: the kernel leaves them as they are. After another
 *  directory, so that whoever lists has something else in its memory. */
static long behind_names(const char *path)
{
	static char buf[32 << 10];
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	long n = 0, written = 0;

	memset(buf, 0, sizeof buf);
	if (fd < 0 || (n = syscall(SYS_getdents64, fd, buf, sizeof buf)) <= 0)
		return -1;
	close(fd);
	for (long at = 0, len; at < n; at += len) {
		const struct dirent *e = (void *)(buf + at);

		len = e->d_reclen;
		for (const char *p = e->d_name + strlen(e->d_name); p < buf + at + len; p++)
			written += *p != 0;
	}
	return written;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	printf("pid %d\n", getpid());
	times();
	processors();
	for (int i = 1; i < argc; i++) {
		list(argv[i]);
		fflush(stdout);
		/* A thread has an id that is no process's. */
		if (pthread_create(&thread, NULL, list_as_init, argv[i]) != 0 || pthread_join(thread, NULL) != 0)
			return 1;
		printf("behind %ld\n", behind_names("/proc") + behind_names(argv[i]));
	}
	/* Nobody may look into this process from here on, and all goes on. */
	prctl(PR_SET_DUMPABLE, 0);
#ifdef __x86_64__
	unsigned long fs;
	/* As a program begins that may be executed, and not read. */
	printf("begins %ld\n", syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, &fs));
#endif
	clock_says("closed", CLOCK_REALTIME);
	for (int i = 1; i < argc; i++)
		list(argv[i]);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* probe act WHAT [ARGUMENT]…: hostile programs whose effect is looked at from outside. */
#include "probe.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void for_ever(void)
{
	for (;;)
		pause();
}

static void ignore_all(void)
{
	for (int sig = 1; sig <= 64; sig++)
		signal(sig, SIG_IGN);
}

/** Ways to outlive a parent. */
static _Noreturn void hide(int way)
{
	switch (way % 8) {
	case 0: /* no child of anybody's, in a session of its own */
		if (setsid() < 0 || fork() != 0)
			_exit(0);
		break;
	case 1:
		setsid();
		raise(SIGSTOP);
		break;
	case 2:
		ignore_all();
		break;
	case 3: /* its parent waits in the kernel, and cannot be woken but by SIGKILL */
		if (vfork() == 0)
			for_ever();
		break;
	case 4:
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		if (fork() == 0 && fork() == 0)
			setsid();
		break;
	case 5:
		prctl(PR_SET_PDEATHSIG, 0);
		setsid();
		ignore_all();
		if (fork() != 0)
			_exit(0);
		ignore_all();
		break;
	case 6: /* forks away from whoever kills it by number */
		for (int i = 0; i < 200; i++) {
			usleep(500);
			if (fork() != 0)
				_exit(0);
		}
		break;
	default: /* no exit signal: wait without __WALL does not see it */
		if (syscall(SYS_clone, 0ul, NULL, NULL, NULL, NULL) != 0)
			_exit(0);
		break;
	}
	for_ever();
}

static int crowd(int n)
{
	for (int i = 0; i < n; i++)
		if (fork() == 0)
			hide(i);
	usleep(2000);
	if (write(1, "up\n", 3) != 3)
		return 1;
	return 0;
}

/** Moves a file to and fro for as long as it lives: who looks once sees exactly one of two names. */
static int mover(const char *dir)
{
	if (chdir(dir) != 0 || put_file("a", 0644) != 0)
		return 1;
	if (fork() == 0) {
		setsid();
		ignore_all();
		for (;;) {
			rename("a", "b");
			rename("b", "a");
		}
	}
	usleep(3000);
	return 0;
}

/** A file that grows for as long as its writer lives. */
static int writer(const char *path)
{
	if (fork() == 0) {
		int fd = open(path, O_CREAT | O_WRONLY | O_APPEND, 0644);

		setsid();
		ignore_all();
		while (write(fd, "x", 1) == 1)
			;
		_exit(1);
	}
	struct stat st;
	for (int i = 0; i < 1000 && (stat(path, &st) != 0 || st.st_size < 100); i++)
		usleep(1000);
	return 0;
}

/** As many processes as there can be, each of which goes on trying. */
static _Noreturn void bomb(void)
{
	for (;;)
		fork();
}

/** Files without end, a thousand to a directory; empty ones, which cost a disk less when they go. */
static int files(const char *dir)
{
	char name[32];

	for (unsigned i = 0; chdir(dir) == 0; i++) {
		snprintf(name, sizeof name, "d%u", i);
		if (mkdir(name, 0755) != 0 || chdir(name) != 0)
			return -1;
		for (unsigned j = 0; j < 1000; j++) {
			snprintf(name, sizeof name, "f%u", j);
			if (mknod(name, S_IFREG | 0644, 0) != 0)
				return -1;
		}
		dir = "..";
	}
	return -1;
}

/* ---- odd outputs ---- */

static int odd_socket(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "odd" };

	return bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&at, sizeof at);
}

static int odd_name(const char *name)
{
	return put_file(name, 0644);
}

static int odd_long(void)
{
	char name[256];

	memset(name, 'n', 255);
	name[255] = '\0';
	return odd_name(name);
}

/** Far below what any path can name at once. */
static int odd_deep(int levels)
{
	char name[201];

	memset(name, 'd', 200);
	name[200] = '\0';
	for (int i = 0; i < levels; i++)
		if (mkdir(name, 0755) != 0 || chdir(name) != 0)
			return -1;
	return put_file("bottom", 0644);
}

static int odd_sparse(void)
{
	int fd = open("odd", O_CREAT | O_WRONLY, 0644);

	return fd < 0 ? -1 : ftruncate(fd, 1l << 35);
}

static int odd_many(int n)
{
	for (int i = 0; i < n; i++) {
		char name[32];

		snprintf(name, sizeof name, "f%d", i);
		if (put_file(name, 0644) != 0)
			return -1;
	}
	return 0;
}

static int odd(const char *dir, const char *what)
{
	if (chdir(dir) != 0)
		return -1;
	if (strcmp(what, "fifo") == 0)
		return mkfifo("odd", 0644);
	if (strcmp(what, "socket") == 0)
		return odd_socket();
	if (strcmp(what, "newline") == 0)
		return odd_name("od\nd");
	if (strcmp(what, "bytes") == 0)
		return odd_name("od\xff\xfe\x01" "d");
	if (strcmp(what, "long") == 0)
		return odd_long();
	if (strcmp(what, "deep") == 0)
		return odd_deep(19);
	if (strcmp(what, "deeper") == 0)
		return odd_deep(40);
	if (strcmp(what, "sparse") == 0)
		return odd_sparse();
	if (strcmp(what, "many") == 0)
		return odd_many(20000);
	if (strcmp(what, "hardlink") == 0)
		return put_file("one", 0644) != 0 ? -1 : link("one", "two");
	if (strcmp(what, "shut") == 0)
		return mkdir("odd", 0755) != 0 || put_file("odd/in", 0644) != 0 ? -1 : chmod("odd", 0);
	if (strcmp(what, "unreadable") == 0)
		return put_file("odd", 0) != 0 ? -1 : chmod("odd", 0);
	if (strcmp(what, "loop") == 0)
		return symlink("odd", "odd");
	if (strcmp(what, "up") == 0)
		return symlink("..", "odd");
	if (strcmp(what, "passwd") == 0)
		return symlink("/etc/passwd", "odd");
	if (strcmp(what, "proc") == 0)
		return symlink("/proc/self/root/etc", "odd");
	return errno = EINVAL, -1;
}

/* ---- what a receipt has to say, seen from inside ---- */

static int facts(void)
{
	static const char *const names[] = { "Seccomp", "Seccomp_filters", "NoNewPrivs", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
	static const char *const spaces[] = { "user", "mnt", "pid", "net", "ipc", "uts", "cgroup" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		printf("%s %s\n", names[i], field("/proc/self/status", names[i]) ?: "?");
	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
		char path[64], to[64] = "?";

		snprintf(path, sizeof path, "/proc/self/ns/%s", spaces[i]);
		if (readlink(path, to, sizeof to - 1) < 0)
			strcpy(to, "?");
		printf("%s\n", to);
	}
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit l;

		getrlimit((__rlimit_resource_t)i, &l);
		printf("limit%d %llu\n", i, (unsigned long long)l.rlim_max);
	}
	printf("uid %d gid %d\n", getuid(), getgid());
	return 0;
}

int act_main(int argc, char **argv)
{
	const char *what = argc > 0 ? argv[0] : "", *a = argc > 1 ? argv[1] : "", *b = argc > 2 ? argv[2] : "";

	if (strcmp(what, "crowd") == 0)
		return crowd(atoi(a)) != 0 ? 1 : (for_ever(), 0);
	if (strcmp(what, "daemons") == 0)
		return crowd(atoi(a));
	if (strcmp(what, "mover") == 0)
		return mover(a);
	if (strcmp(what, "writer") == 0)
		return writer(a);
	if (strcmp(what, "facts") == 0)
		return facts();
	if (strcmp(what, "bomb") == 0)
		bomb();
	if (strcmp(what, "odd") == 0 && odd(a, b) == 0)
		return 0;
	if (strcmp(what, "files") == 0)
		files(a);
	perror("probe act");
	return 2;
}

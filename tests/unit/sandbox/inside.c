/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests run inside a sandbox: one static program, its first argument says what to do.
 * Built by box.h when a test starts. Exits 0 when the thing was done, 1 (errno on stdout) when refused. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int refused(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

static int do_cat(const char *path)
{
	char data[65536];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return refused(path);
	while ((n = read(fd, data, sizeof data)) > 0)
		if (write(1, data, (size_t)n) != n)
			return 1;
	return n == 0 ? 0 : refused(path);
}

static int do_ls(const char *path)
{
	DIR *dir = opendir(path);

	if (dir == NULL)
		return refused(path);
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			printf("%s\n", e->d_name);
	return 0;
}

static int do_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return refused(path);
	return 0;
}

/** Everything a process inherits, one line each. */
static int do_state(void)
{
	sigset_t blocked;
	mode_t mask = umask(0);
	cpu_set_t cpus;
	int ignored = 0, nblocked = 0;

	printf("umask %04o\n", (unsigned)mask);
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (int s = 1; s < NSIG; s++) {
		struct sigaction sa;

		if (sigaction(s, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL)
			ignored++;
		nblocked += sigismember(&blocked, s) == 1;
	}
	sched_getaffinity(0, sizeof cpus, &cpus);
	printf("signals %d %d\n", ignored, nblocked);
	printf("session %d\n", getsid(0) == getpid());
	printf("tty %d\n", open("/dev/tty", O_RDWR) >= 0);
	printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
	printf("cpus %d\n", CPU_COUNT(&cpus));
	printf("uid %d %d gid %d %d\n", getuid(), geteuid(), getgid(), getegid());
	char cwd[4096];
	printf("cwd %s\n", getcwd(cwd, sizeof cwd));
	printf("fds");
	for (int fd = 0; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf(" %d", fd);
	printf("\n");
	return 0;
}

static int do_limits(void)
{
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit l;

		getrlimit((__rlimit_resource_t)i, &l);
		printf("%d %lld %lld\n", i, (long long)l.rlim_cur, (long long)l.rlim_max);
	}
	return 0;
}

/** Forks until refused; the children stay. */
static int do_forkbomb(void)
{
	int n = 0;

	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				pause();
		if (pid < 0)
			break;
		n++;
	}
	printf("%d %s\n", n, strerror(errno));
	return 0;
}

/** Takes from init what a process of the same uid may take by prlimit(2), but for memory where @p memory is "", makes it
 *  reap an orphan, and ends. RLIMIT_CPU is the one that the kernel itself would end init by. */
static int do_starve_init(const char *memory)
{
	const struct rlimit none = { 0, 0 };

	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (i != RLIMIT_CPU && (memory[0] != '\0' || (i != RLIMIT_AS && i != RLIMIT_DATA)) &&
		    prlimit(1, (__rlimit_resource_t)i, &none, NULL) != 0)
			return refused("prlimit");
	if (fork() == 0) {
		if (fork() == 0)
			usleep(20000);
		_exit(0);
	}
	usleep(100000);
	return 7;
}

/** The score by which the kernel picks whom to end when memory is short; init has its own once it has started this. */
static int do_oom(const char *init)
{
	char text[32] = "";

	for (int i = 0; i < 200 && strcmp(text, init) != 0; i++) {
		FILE *f = fopen("/proc/1/oom_score_adj", "r");

		if (f == NULL || fscanf(f, "%31s", text) != 1)
			return refused("/proc/1/oom_score_adj");
		fclose(f);
		usleep(1000);
	}
	printf("init %s\n", text);
	fflush(stdout);
	return do_cat("/proc/self/oom_score_adj");
}

/** Opens a socket of a family, or connects to the loopback address. */
static int do_socket(int family)
{
	return socket(family, SOCK_DGRAM, 0) < 0 ? refused("socket") : 0;
}

static int do_loopback(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(server, (struct sockaddr *)&at, sizeof at) != 0 || listen(server, 1) != 0)
		return refused("bind");
	getsockname(server, (struct sockaddr *)&at, &n);
	return connect(client, (struct sockaddr *)&at, sizeof at) != 0 ? refused("connect") : 0;
}

/** A name in the abstract name space. */
static int do_abstract(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(at.sun_path + 1, name);
	if (connect(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))) != 0)
		return refused("connect");
	return 0;
}

static int do_names(void)
{
	struct utsname u;

	uname(&u);
	printf("%s %s\n", u.nodename, u.domainname);
	return 0;
}

static int do_fill(const char *path)
{
	static char data[1 << 16];
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	long total = 0;
	ssize_t n;

	signal(SIGXFSZ, SIG_IGN);
	if (fd < 0)
		return refused(path);
	while ((n = write(fd, data, sizeof data)) > 0)
		total += n;
	printf("%ld %s\n", total, strerror(errno));
	return 0;
}

/** Leaves processes behind in every way, each holding stdout. */
static int do_daemons(void)
{
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (pid != 0)
			continue;
		if (i > 0)
			setsid();
		if (i > 1 && fork() != 0)
			_exit(0);
		for (int s = 1; s < NSIG; s++)
			signal(s, SIG_IGN);
		if (i == 3)
			raise(SIGSTOP);
		for (;;)
			pause();
	}
	usleep(20000);
	printf("left\n");
	return 0;
}

static int do_sleep(int stubborn)
{
	if (stubborn)
		signal(SIGTERM, SIG_IGN);
	printf("asleep\n");
	fflush(stdout);
	for (;;)
		pause();
}

static void on_term(int sig)
{
	(void)sig;
	if (write(1, "term\n", 5) < 0)
		_exit(9);
	_exit(7);
}

static int do_polite(void)
{
	signal(SIGTERM, on_term);
	return do_sleep(0);
}

static int do_flood(long bytes)
{
	static char data[1 << 16];

	memset(data, 'x', sizeof data);
	while (bytes > 0) {
		ssize_t n = write(1, data, bytes < (long)sizeof data ? (size_t)bytes : sizeof data);

		if (n < 0)
			return 1;
		bytes -= n;
	}
	return 0;
}

static int do_append(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND);

	return fd < 0 || write(fd, "+", 1) != 1 ? refused(path) : 0;
}

/** Calls, with refusals expected: N times each number from A up to B; prints the last errno. */
static int do_calls(int from, int to, long times)
{
	for (int nr = from; nr <= to; nr++)
		for (long i = 0; i < times; i++)
			if (syscall(nr, 1, 2, 3, 4, 5, 6) != -1)
				return 2;
	printf("%d\n", errno);
	return 0;
}

static void *call_for_ever(void *nr)
{
	for (;;)
		syscall((int)(intptr_t)nr, 1);
	return NULL;
}

/** Threads that are refused again and again, while the process is killed. */
static int do_refused_to_death(int nr)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			pthread_t t;

			for (int k = 0; k < 3; k++)
				pthread_create(&t, NULL, call_for_ever, (void *)(intptr_t)nr);
			call_for_ever((void *)(intptr_t)nr);
		}
		usleep(2000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return 0;
}

struct caller {
	int nr;
	volatile long done;
};

static void *count_calls(void *arg)
{
	struct caller *c = arg;

	for (;; c->done++)
		syscall(c->nr, 1);
	return NULL;
}

/** Threads that are refused again and again for some seconds. Exits 9 as soon as none has had an answer for two. */
static int do_refused_all_along(int nr, int seconds)
{
	static struct caller callers[8];
	long last = -1;
	int silent = 0;
	pthread_t t;

	for (int i = 0; i < 8; i++) {
		callers[i].nr = nr;
		pthread_create(&t, NULL, count_calls, &callers[i]);
	}
	for (int s = 0; s < seconds; s++) {
		long all = 0;

		sleep(1);
		for (int i = 0; i < 8; i++)
			all += callers[i].done;
		silent = all == last ? silent + 1 : 0;
		if (silent == 2)
			return 9;
		last = all;
	}
	return 0;
}

/** Asks to be traced by its parent, takes a signal that it ignores, executes itself, and exits with @p code. */
static int do_traced(const char *self, const char *code)
{
	signal(SIGUSR1, SIG_IGN);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		return refused("traceme");
	raise(SIGUSR1);
	execl(self, self, "exit", code, NULL);
	return refused(self);
}

/** The same in one whose parent has left it to init; waits for it. */
static int do_traced_orphan(const char *self)
{
	int ends[2];
	char byte;

	if (pipe(ends) != 0)
		return refused("pipe");
	if (fork() == 0) {
		pid_t parent = getpid();

		if (fork() != 0)
			_exit(0);
		while (getppid() == parent)
			usleep(1000);
		_exit(do_traced(self, "0"));
	}
	close(ends[1]);
	return read(ends[0], &byte, 1) == 0 ? 0 : refused("read");
}

/** Takes and touches memory, and keeps it. */
static int do_hog(long bytes)
{
	char *p = malloc((size_t)bytes);

	if (p == NULL)
		return refused("malloc");
	memset(p, 1, (size_t)bytes);
	printf("%d\n", p[bytes - 1]);
	fflush(stdout);
	pause();
	return 0;
}

/** A child does it, and dies of it; this one goes on as if nothing had been. */
static int do_hog_apart(long bytes)
{
	if (fork() == 0)
		_exit(do_hog(bytes));
	pause();
	return 0;
}

/** Files without end in a directory. */
static int do_files(const char *dir)
{
	char path[4096];

	for (int i = 0;; i++) {
		snprintf(path, sizeof path, "%s/%d", dir, i);
		if (mkdir(path, 0755) != 0)
			return refused(path);
		usleep(20);
	}
}

/** Writes a file of some size; it may stay, and so may this. */
static int do_grow(const char *path, const char *bytes, int stay)
{
	static char data[1 << 16];
	int fd = open(path, O_WRONLY | O_CREAT, 0644);

	memset(data, 'x', sizeof data);
	for (long left = atol(bytes); left > 0; left -= (long)sizeof data)
		if (write(fd, data, sizeof data) < 0)
			return refused(path);
	close(fd);
	return stay ? pause() : 0;
}

/** Burns one processor's time for a while. */
static int do_burn(long ms)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000;
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec < end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	return 0;
}

/** What asks for too much of something, or to be traced. */
static int greed(const char *what, const char *a, const char *b)
{
	if (!strcmp(what, "traced"))
		return do_traced("/bin/inside", a);
	if (!strcmp(what, "traced-orphan"))
		return do_traced_orphan("/bin/inside");
	if (!strcmp(what, "hog"))
		return do_hog(atol(a));
	if (!strcmp(what, "hog-apart"))
		return do_hog_apart(atol(a));
	if (!strcmp(what, "files"))
		return do_files(a);
	if (!strcmp(what, "grow"))
		return do_grow(a, b, 0);
	if (!strcmp(what, "grow-and-stay"))
		return do_grow(a, b, 1);
	if (!strcmp(what, "burn"))
		return do_burn(atol(a));
	if (!strcmp(what, "fill-and-fail"))
		return do_fill(a), 3;
	if (!strcmp(what, "forkbomb-and-fail"))
		return do_forkbomb(), 3;
	return 99;
}

static int do_terminal(void)
{
	struct winsize size;

	if (ioctl(0, TIOCGWINSZ, &size) != 0 || !isatty(1) || !isatty(2))
		return refused("terminal");
	printf("%s %d %d %s\n", ttyname(0), size.ws_row, size.ws_col, tcgetpgrp(0) == getpgrp() ? "own" : "not its own");
	return 0;
}

static int do_echo_line(void)
{
	char line[64];

	if (fgets(line, sizeof line, stdin) == NULL)
		return refused("line");
	printf("heard %s", line);
	return 0;
}

static int at_terminal(const char *what, const char *a, const char *b)
{
	if (!strcmp(what, "terminal"))
		return do_terminal();
	if (!strcmp(what, "echo-line"))
		return do_echo_line();
	return greed(what, a, b);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const char *a = argc > 2 ? argv[2] : "", *b = argc > 3 ? argv[3] : "";

	if (!strcmp(what, "true"))
		return 0;
	if (!strcmp(what, "exit"))
		return atoi(a);
	if (!strcmp(what, "kill"))
		return kill(getpid(), atoi(a)), pause();
	if (!strcmp(what, "kill1"))
		return kill(1, atoi(a)) != 0 ? refused("kill") : 0;
	if (!strcmp(what, "abort"))
		abort();
	if (!strcmp(what, "echo"))
		return printf("%s\n", a), fprintf(stderr, "%s\n", b), 0;
	if (!strcmp(what, "env")) {
		for (char **e = environ; *e != NULL; e++)
			printf("%s\n", *e);
		return 0;
	}
	if (!strcmp(what, "cat"))
		return do_cat(a);
	if (!strcmp(what, "ls"))
		return do_ls(a);
	if (!strcmp(what, "write"))
		return do_write(a, b);
	if (!strcmp(what, "append"))
		return do_append(a);
	if (!strcmp(what, "mkdir"))
		return mkdir(a, 0755) != 0 ? refused(a) : 0;
	if (!strcmp(what, "rename"))
		return rename(a, b) != 0 ? refused(a) : 0;
	if (!strcmp(what, "unlink"))
		return unlink(a) != 0 ? refused(a) : 0;
	if (!strcmp(what, "chmod"))
		return chmod(a, (mode_t)strtol(b, NULL, 8)) != 0 ? refused(a) : 0;
	if (!strcmp(what, "state"))
		return do_state();
	if (!strcmp(what, "limits"))
		return do_limits();
	if (!strcmp(what, "forkbomb"))
		return do_forkbomb();
	if (!strcmp(what, "forkbomb-and-stay"))
		return do_forkbomb(), pause();
	if (!strcmp(what, "starve-init"))
		return do_starve_init(a);
	if (!strcmp(what, "oom"))
		return do_oom(a);
	if (!strcmp(what, "unshare"))
		return unshare(CLONE_NEWUSER) != 0 ? refused("unshare") : 0;
	if (!strcmp(what, "socket"))
		return do_socket(atoi(a));
	if (!strcmp(what, "loopback"))
		return do_loopback();
	if (!strcmp(what, "abstract"))
		return do_abstract(a);
	if (!strcmp(what, "names"))
		return do_names();
	if (!strcmp(what, "fill"))
		return do_fill(a);
	if (!strcmp(what, "daemons"))
		return do_daemons();
	if (!strcmp(what, "sleep"))
		return do_sleep(0);
	if (!strcmp(what, "stubborn"))
		return do_sleep(1);
	if (!strcmp(what, "polite"))
		return do_polite();
	if (!strcmp(what, "calls"))
		return do_calls(atoi(a), atoi(argv[3]), atol(argv[4]));
	if (!strcmp(what, "refused-to-death"))
		return do_refused_to_death(atoi(a));
	if (!strcmp(what, "refused-all-along"))
		return do_refused_all_along(atoi(a), atoi(argv[3]));
	if (!strcmp(what, "flood"))
		return do_flood(atol(a));
	return at_terminal(what, a, b);
}

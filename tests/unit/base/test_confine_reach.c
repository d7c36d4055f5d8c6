/* SPDX-License-Identifier: Apache-2.0 */
/* A confined child that reaches the network: what it has beyond another, and what hostile code in it does not get. */
#include "confine_help.h"

#include <arpa/inet.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

/** What a test's child knows, by its copy of memory. */
static struct {
	char allowed[PATH_MAX], below[PATH_MAX], linked[PATH_MAX], other[PATH_MAX], beside[PATH_MAX];
	struct sockaddr_in tcp;   /**< somebody listens there */
	struct sockaddr_un local; /**< and there */
	pid_t runner;
	int secret;               /**< a descriptor that is not handed over */
} at;

static long inet(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/** A pair of local sockets, of which one is closed, and the other connected to a name. */
static long reuses_half_a_pair(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return 0;
	close(ends[1]);
	return connect(ends[0], (const struct sockaddr *)&at.local, sizeof at.local);
}

/** Code that is written to memory, and then is to run. */
static long changes_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? 0 : mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static long maps_a_library(void)
{
	int fd = open(at.allowed, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? 0 : mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0;
}

static long opens_too_many(void)
{
	for (int i = 0; i < CONFINE_REACH_FDS; i++)
		if (open(at.allowed, O_RDONLY | O_CLOEXEC) < 0)
			return -1;
	return 0;
}

CALLS(reads_what_is_named, open(at.allowed, O_RDONLY | O_CLOEXEC))
CALLS(reads_below_what_is_named, open(at.below, O_RDONLY | O_CLOEXEC))
CALLS(reads_through_a_link, open(at.linked, O_RDONLY | O_CLOEXEC))
CALLS(looks_at_it, ({ struct stat st; stat(at.allowed, &st); }))
CALLS(connects, connect((int)inet(), (const struct sockaddr *)&at.tcp, sizeof at.tcp))
CALLS(makes_a_udp_socket, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP))
CALLS(makes_a_pair, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, (int[2]){ 0 }))

CALLS(reads_another, open(at.other, O_RDONLY | O_CLOEXEC))
CALLS(reads_beside, open(at.beside, O_RDONLY | O_CLOEXEC))
CALLS(reads_the_runner, open("/proc/self/environ", O_RDONLY | O_CLOEXEC))
CALLS(lists, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
CALLS(writes, open(at.allowed, O_WRONLY | O_CLOEXEC))
CALLS(writes_and_reads, open(at.allowed, O_RDWR | O_CLOEXEC))
CALLS(cuts, open(at.allowed, O_RDONLY | O_TRUNC | O_CLOEXEC))
CALLS(makes_a_file, open(at.beside, O_RDONLY | O_CREAT | O_CLOEXEC, 0644))
CALLS(makes_a_nameless, open("/tmp", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644))
CALLS(gets_a_path, open("/", O_PATH | O_CLOEXEC))
CALLS(opens_by_openat2, syscall(SYS_openat2, AT_FDCWD, "/", &(uint64_t[3]){ O_PATH }, 24))
CALLS(opens_too_much, opens_too_many())
CALLS(writes_elsewhere, write(at.secret, "x", 1))
CALLS(makes_a_local_socket, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
CALLS(makes_a_local_datagram, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0))
CALLS(makes_a_pair_of_datagrams, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, (int[2]){ 0 }))
CALLS(makes_a_pair_of_packets, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, (int[2]){ 0 }))
CALLS(connects_half_a_pair, reuses_half_a_pair())
CALLS(asks_the_kernel, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0))
CALLS(speaks_to_machines, socket(40 /* AF_VSOCK */, SOCK_STREAM | SOCK_CLOEXEC, 0))
CALLS(speaks_raw, socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1))
CALLS(pings, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 1))
CALLS(speaks_sctp, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 132))
CALLS(binds, bind((int)inet(), (const struct sockaddr *)&at.tcp, sizeof at.tcp))
CALLS(maps_code, maps_a_library())
CALLS(makes_code, changes_code())
CALLS(asks_a_terminal, syscall(SYS_ioctl, out, 0x5412 /* TIOCSTI */, "x"))
CALLS(owns_a_pipe, fcntl(out, F_SETOWN, at.runner))
CALLS(raises_a_limit, setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 999, 999 }))
CALLS(becomes_dumpable, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
CALLS(clones, syscall(SYS_clone3, &(struct clone_args){ .exit_signal = SIGCHLD }, sizeof(struct clone_args)))

CALLS(listens, listen((int)inet(), 1))
CALLS(forks, syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL))
CALLS(clones_almost_a_thread, syscall(SYS_clone, 0x3d0f00 | CLONE_NEWNET, NULL, NULL, NULL, NULL))
CALLS(executes, execve("/bin/sh", (char *[]){ (char *)"sh", NULL }, NULL))
CALLS(executes_by_fd, syscall(SYS_execveat, AT_FDCWD, "/bin/sh", NULL, NULL, 0))
CALLS(traces, ptrace(PTRACE_ATTACH, at.runner, NULL, NULL))
CALLS(reads_memory, syscall(SYS_process_vm_readv, at.runner, NULL, 0ul, NULL, 0ul, 0ul))
/* With signal 0, which reaches nobody: where the wall is missing, the test fails and the tester's session lives. */
CALLS(kills_the_runner, kill(at.runner, 0))
CALLS(aborts_the_runner, syscall(SYS_tgkill, at.runner, at.runner, SIGABRT))
CALLS(makes_a_memfd, syscall(SYS_memfd_create, "x", 1 /* MFD_CLOEXEC */))
CALLS(changes_ids, syscall(SYS_setresuid, 0, 0, 0))
CALLS(unshares, unshare(CLONE_NEWUSER))
CALLS(rings, syscall(SYS_io_uring_setup, 1u, NULL))
CALLS(unlinks, syscall(SYS_unlinkat, AT_FDCWD, at.allowed, 0))
CALLS(changes_a_mode, syscall(SYS_fchmodat, AT_FDCWD, at.allowed, 0777))
CALLS(cuts_its_timer, syscall(SYS_timer_delete, 0))
CALLS(accepts, syscall(SYS_accept4, (int)inet(), NULL, NULL, 0))

#define DOES 0
#define DIES -1
static const struct {
	const char *name;
	confine_fn *fn;
	int sys;         /**< DOES, DIES, or the errno that it gets */
	bool landlock;   /**< by Landlock; else by the filter */
} calls[] = {
#define ROW(what, fn) { #fn, fn, what, false }
#define BY_LANDLOCK(fn) { #fn, fn, EACCES, true }
	ROW(DOES, reads_what_is_named), ROW(DOES, reads_below_what_is_named), ROW(DOES, reads_through_a_link), ROW(DOES, looks_at_it),
	ROW(DOES, connects), ROW(DOES, makes_a_udp_socket), ROW(DOES, makes_a_pair),
	BY_LANDLOCK(reads_another), BY_LANDLOCK(reads_beside), BY_LANDLOCK(lists), ROW(EACCES, reads_the_runner),
	ROW(EACCES, writes), ROW(EACCES, writes_and_reads), ROW(EACCES, cuts), ROW(EACCES, makes_a_file), ROW(EACCES, makes_a_nameless),
	ROW(EACCES, gets_a_path), ROW(EACCES, opens_by_openat2), ROW(EMFILE, opens_too_much), ROW(EBADF, writes_elsewhere),
	ROW(EACCES, makes_a_local_socket), ROW(EACCES, makes_a_local_datagram), ROW(EACCES, makes_a_pair_of_datagrams),
	ROW(EACCES, makes_a_pair_of_packets), ROW(EISCONN, connects_half_a_pair), ROW(EACCES, asks_the_kernel),
	ROW(EACCES, speaks_to_machines), ROW(EACCES, speaks_raw), ROW(EACCES, pings), ROW(EACCES, speaks_sctp), ROW(EACCES, binds),
	ROW(EACCES, maps_code), ROW(EACCES, makes_code), ROW(EACCES, asks_a_terminal), ROW(EACCES, owns_a_pipe),
	ROW(EACCES, raises_a_limit), ROW(EACCES, becomes_dumpable), ROW(ENOSYS, clones),
	ROW(DIES, listens), ROW(DIES, forks), ROW(DIES, clones_almost_a_thread), ROW(DIES, executes), ROW(DIES, executes_by_fd),
	ROW(DIES, traces), ROW(DIES, reads_memory), ROW(DIES, kills_the_runner), ROW(DIES, aborts_the_runner), ROW(DIES, makes_a_memfd),
	ROW(DIES, changes_ids), ROW(DIES, unshares), ROW(DIES, rings), ROW(DIES, unlinks), ROW(DIES, changes_a_mode),
	ROW(DIES, cuts_its_timer), ROW(DIES, accepts),
};

/** Two that listen, which the process that called owns. */
static int listen_at(struct place *p)
{
	socklen_t n = sizeof at.tcp;
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.tcp = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	at.local = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(at.local.sun_path, sizeof at.local.sun_path, "%.90s/socket", p->path);
	CHECK(bind(tcp, (const struct sockaddr *)&at.tcp, sizeof at.tcp) == 0 && listen(tcp, 8) == 0);
	CHECK(getsockname(tcp, (struct sockaddr *)&at.tcp, &n) == 0);
	CHECK(bind(local, (const struct sockaddr *)&at.local, sizeof at.local) == 0 && listen(local, 8) == 0);
	CHECK(chmod(at.local.sun_path, 0777) == 0);
	return 0;
}

static struct confine_reach furnish(struct place *p)
{
	static const char *files[] = { NULL, NULL, "/nonexistent/file", NULL };
	static char dir[PATH_MAX + 8];

	/* Where real root runs this, the child is nobody's. */
	assert_int_equal(chmod(p->path, 0755), 0);
	assert_int_equal(mkdirat(p->fd, "dir", 0755), 0);
	put(p, "allowed", "x", 1, 0666);
	put(p, "other", "x", 1, 0644);
	put(p, "dir/below", "x", 1, 0644);
	assert_int_equal(symlinkat("allowed", p->fd, "link"), 0);
	snprintf(at.allowed, sizeof at.allowed, "%.4000s/allowed", p->path);
	snprintf(at.other, sizeof at.other, "%.4000s/other", p->path);
	snprintf(at.below, sizeof at.below, "%.4000s/dir/below", p->path);
	snprintf(at.linked, sizeof at.linked, "%.4000s/link", p->path);
	snprintf(at.beside, sizeof at.beside, "%.4000s/dir/../other", p->path);
	snprintf(dir, sizeof dir, "%.4000s/dir", p->path);
	at.runner = getpid();
	files[0] = at.linked;
	files[1] = dir;
	return (struct confine_reach){ .files = files, .file = at.allowed };
}

/** Runs every row. @p landlock: whether this kernel has it. */
static int run_rows(struct place *p, const struct confine_reach *reach, bool landlock)
{
	CHECK(listen_at(p) == 0);
	CHECK((at.secret = memfd_create("secret", MFD_CLOEXEC)) >= 0);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		struct err err = {0};
		auto_buf out = {0};
		struct confine_conf conf = { .cpu_s = 5, .reach = reach };
		int result = run(conf, calls[i].fn, NULL, &out, &err);
		int sys = calls[i].landlock && !landlock ? DOES : calls[i].sys;

		if ((sys == DOES) != (result == 0) || err.sys != (sys > 0 ? sys : 0) ||
		    (sys == DIES && strstr(err.msg, "(signal 31)") == NULL)) {
			fprintf(stderr, "# %s: %d, errno %d, %s\n", calls[i].name, result, err.sys, err.msg);
			return 1;
		}
	}
	return 0;
}

static struct confine_reach reached;

static int with_landlock(struct place *p)
{
	return run_rows(p, &reached, syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0);
}

/** As a kernel without it: the filter stands alone, and files that its user can read are read. */
static int without_landlock(struct place *p)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_LEN(filter), filter };

	CHECK(unlinkat(p->fd, "socket", 0) == 0);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
	return run_rows(p, &reached, false);
}

static void test_calls(void **state)
{
	reached = furnish(*state);
	in_child(with_landlock, *state);
	in_child(without_landlock, *state);
}

/* ---- ordinary work --------------------------------------------------------------------------- */

static void *adds(void *arg)
{
	int *n = arg;
	char *p = malloc(100000);

	if (p != NULL)
		memset(p, 1, 100000);
	free(p);
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
	return NULL;
}

/** As libcurl does for each name that it looks up. */
static int has_threads(void *arg, int out, struct err *err)
{
	pthread_t threads[8];
	int n = 0;

	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		if (pthread_create(&threads[i], NULL, adds, &n) != 0)
			return err_set(err, ERR_INPUT, errno, "make a thread");
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	return io_write_all(out, &n, sizeof n, err);
}

static void test_it_has_threads(void **state)
{
	const struct confine_reach reach = furnish(*state);
	struct confine_conf conf = { .reach = &reach };
	struct err err = {0};
	auto_buf out = {0};

	if (run(conf, has_threads, NULL, &out, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(*(int *)(void *)out.data, 8);
}

/** Says something, and then nothing any more. */
static int falls_silent(void *arg, int out, struct err *err)
{
	(void)arg;
	if (io_write_all(out, "x", 1, err) < 0)
		return -1;
	for (;;)
		poll(NULL, 0, -1);
	return 0;
}

static void test_silence_has_an_end(void **state)
{
	struct confine_conf conf = { .what = "the reader of x", .fn = falls_silent, .kind = ERR_INPUT };
	auto_confined c = CONFINED_NONE;
	auto_free struct answer *a = NULL;
	struct err err = {0};
	char byte;

	(void)state;
	assert_int_equal(confine_start(&conf, &c, &err), 0);
	assert_int_equal(answer_new(&c, -1, &a, &err), 0);
	a->silence_ms = 1000;
	assert_int_equal(answer_take(a, &byte, 1, &err), 0);
	assert_int_equal(answer_take(a, &byte, 1, &err), -1);
	assert_error(err, ERR_INPUT, 0, "the reader of x has said nothing for 1 s");
}

static int does_nothing(void *arg, int out, struct err *err)
{
	(void)arg;
	(void)out;
	(void)err;
	return 0;
}

/** Two milliseconds are promised; ten times that fail here, since others use this machine. */
static void test_it_costs_little(void **state)
{
	const struct confine_reach reach = furnish(*state);
	struct confine_conf conf = { .reach = &reach };
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 20; i++) {
		struct timespec a, b;
		struct err err = {0};
		auto_buf out = {0};

		clock_gettime(CLOCK_MONOTONIC, &a);
		if (run(conf, does_nothing, NULL, &out, &err) < 0)
			fail_msg("%s", err.msg);
		clock_gettime(CLOCK_MONOTONIC, &b);
		uint64_t us = (uint64_t)(b.tv_sec - a.tv_sec) * 1000000 + (uint64_t)(b.tv_nsec / 1000) - (uint64_t)(a.tv_nsec / 1000);
		best = us < best ? us : best;
	}
	print_message("# %llu us\n", (unsigned long long)best);
	assert_in_range(best, 0, 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_place(test_calls),
		test_in_place(test_it_has_threads),
		cmocka_unit_test(test_silence_has_an_end),
		test_in_place(test_it_costs_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

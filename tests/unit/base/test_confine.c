/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile code in a confined child: what it tries, what it takes, what it says. */
#include "confine_help.h"

#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/sched.h>

#include "base/confine_child.h"

/* ---- what it is for ------------------------------------------------------------------------ */

static void test_an_answer_comes_back(void **state)
{
	int ends[2];
	struct err err = {0};
	auto_buf out = {0};

	(void)state;
	buf_adds(&out, "> ");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "bytes", 5), 5);
	close(ends[1]);
	struct confine_conf conf = { .fds = &ends[0], .nfds = 1 };
	if (run(conf, copies, &ends[0], &out, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(out.data, "> bytes");
	assert_int_equal(touched, 0);
	close(ends[0]);
}

/* ---- hostile code: calls --------------------------------------------------------------------- */

/** The runner, from inside. */
static pid_t runner;
/** A descriptor of the runner's that is not handed over. */
static int secret_fd = -1;

CALLS(opens_a_file, open("/etc/passwd", O_RDONLY | O_CLOEXEC))
CALLS(makes_a_file, openat(AT_FDCWD, "/tmp/confined", O_WRONLY | O_CREAT | O_CLOEXEC, 0644))
CALLS(reads_the_runner, open("/proc/self/environ", O_RDONLY | O_CLOEXEC))
CALLS(opens_by_openat2, syscall(SYS_openat2, AT_FDCWD, "/", &(uint64_t[3]){ O_PATH }, 24))
CALLS(looks_up, access("/etc/shadow", F_OK))
CALLS(stats, syscall(SYS_newfstatat, AT_FDCWD, "/etc/shadow", arg, 0))
CALLS(reads_a_link, readlink("/proc/self/exe", (char[64]){ 0 }, 64))
CALLS(owns_a_pipe, fcntl(out, F_SETOWN, runner))
CALLS(asks_a_terminal, syscall(SYS_ioctl, out, 0x5412 /* TIOCSTI */, "x"))
CALLS(raises_a_limit, setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 9, 9 }))
CALLS(becomes_dumpable, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
CALLS(writes_elsewhere, write(secret_fd, "x", 1))
CALLS(reads_elsewhere, read(secret_fd, &(char){ 0 }, 1))

CALLS(makes_a_socket, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
CALLS(connects, connect(out, &(struct sockaddr){ .sa_family = AF_UNIX }, sizeof(struct sockaddr)))
CALLS(passes_fds, sendmsg(out, &(struct msghdr){ 0 }, 0))
CALLS(forks, syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL))
CALLS(clones, syscall(SYS_clone3, &(struct clone_args){ .exit_signal = SIGCHLD }, sizeof(struct clone_args)))
CALLS(executes, execve("/bin/sh", (char *[]){ (char *)"sh", NULL }, NULL))
CALLS(executes_by_fd, syscall(SYS_execveat, AT_FDCWD, "/bin/sh", NULL, NULL, 0))
CALLS(traces, ptrace(PTRACE_ATTACH, runner, NULL, NULL))
CALLS(lets_trace, ptrace(PTRACE_TRACEME, 0, NULL, NULL))
CALLS(reads_memory, syscall(SYS_process_vm_readv, runner, NULL, 0ul, NULL, 0ul, 0ul))
/* With signal 0, which reaches nobody: where the wall is missing, the test fails and the tester's session lives. */
CALLS(kills_the_runner, kill(runner, 0))
CALLS(kills_all, kill(-1, 0))
CALLS(aborts_the_runner, syscall(SYS_tgkill, runner, runner, SIGABRT))
CALLS(queues_a_signal, sigqueue(runner, SIGUSR1, (union sigval){ 0 }))
CALLS(maps_code, mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0)
CALLS(makes_code, mprotect((void *)((uintptr_t)&touched & ~4095ul), 4096, PROT_READ | PROT_WRITE | PROT_EXEC))
CALLS(makes_code_by_key, syscall(SYS_pkey_mprotect, (uintptr_t)&touched & ~4095ul, 4096, PROT_EXEC, -1))
CALLS(makes_a_memfd, syscall(SYS_memfd_create, "x", 1 /* MFD_CLOEXEC */))
CALLS(doubles_a_descriptor, fcntl(out, F_DUPFD_CLOEXEC, 0) >= 0 ? 0 : dup2(out, 0))
CALLS(makes_a_pipe, pipe2((int[2]){ 0 }, O_CLOEXEC))
CALLS(changes_ids, syscall(SYS_setresuid, 0, 0, 0))
CALLS(takes_capabilities, syscall(SYS_capset, NULL, NULL))
CALLS(unshares, unshare(CLONE_NEWUSER))
CALLS(mounts, syscall(SYS_mount, "x", "/", "tmpfs", 0ul, NULL))
CALLS(uses_a_key, syscall(SYS_keyctl, 0, -3, 0, 0, 0))
CALLS(rings, syscall(SYS_io_uring_setup, 1u, NULL))
CALLS(unlinks, syscall(SYS_unlinkat, AT_FDCWD, "/tmp/x", 0))
CALLS(renames, syscall(SYS_renameat2, AT_FDCWD, "/tmp/x", AT_FDCWD, "/tmp/y", 0u))
CALLS(changes_a_mode, syscall(SYS_fchmodat, AT_FDCWD, "/tmp/x", 0777))
CALLS(cuts_its_timer, syscall(SYS_timer_delete, 0))
CALLS(calls_the_unknown, syscall(9999))
#ifdef __x86_64__
CALLS(calls_x32, syscall(0x40000000 + SYS_getpid))
CALLS(calls_i386, ({
	long r = 20; /* getpid there */
	__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
	r;
}))
#endif

static const struct {
	const char *name;
	confine_fn *fn;
	int sys;      /**< the errno that it gets, or 0: it is killed */
} calls[] = {
#define GETS(error, fn) { #fn, fn, error }
	GETS(EACCES, opens_a_file), GETS(EACCES, makes_a_file), GETS(EACCES, reads_the_runner), GETS(EACCES, opens_by_openat2),
	GETS(EACCES, looks_up), GETS(EACCES, stats), GETS(EACCES, reads_a_link), GETS(EACCES, owns_a_pipe),
	GETS(EACCES, asks_a_terminal), GETS(EACCES, raises_a_limit), GETS(EACCES, becomes_dumpable),
	GETS(EBADF, writes_elsewhere), GETS(EBADF, reads_elsewhere),
#define DIES(fn) { #fn, fn, 0 }
	DIES(makes_a_socket), DIES(connects), DIES(passes_fds), DIES(forks), DIES(clones), DIES(executes), DIES(executes_by_fd),
	DIES(traces), DIES(lets_trace), DIES(reads_memory), DIES(kills_the_runner), DIES(kills_all), DIES(aborts_the_runner),
	DIES(queues_a_signal), DIES(maps_code), DIES(makes_code), DIES(makes_code_by_key), DIES(makes_a_memfd),
	DIES(doubles_a_descriptor), DIES(makes_a_pipe), DIES(changes_ids), DIES(takes_capabilities), DIES(unshares), DIES(mounts),
	DIES(uses_a_key), DIES(rings), DIES(unlinks), DIES(renames), DIES(changes_a_mode), DIES(cuts_its_timer),
	DIES(calls_the_unknown),
#ifdef __x86_64__
	DIES(calls_x32), DIES(calls_i386),
#endif
};

static void test_calls_are_refused(void **state)
{
	(void)state;
	runner = getpid();
	secret_fd = memfd_create("secret", MFD_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		struct err err = {0};
		auto_buf out = {0};
		struct confine_conf conf = { .cpu_s = 5 };

		if (run(conf, calls[i].fn, NULL, &out, &err) == 0)
			fail_msg("%s did", calls[i].name);
		if (err.sys != calls[i].sys || strstr(err.msg, err.sys == 0 ? "(signal 31)" : "refused") == NULL)
			fail_msg("%s: errno %d, %s", calls[i].name, err.sys, err.msg);
	}
	close(secret_fd);
}

/** What libraries do when nobody asks them to. */
static int is_ordinary(void *arg, int out, struct err *err)
{
	struct pollfd p = { .fd = *(int *)arg, .events = POLLIN };
	struct timespec t;
	char random[8];
	int n[3] = { 3, 1, 2 };
	auto_file f = fdopen(*(int *)arg, "re");
	char *big = malloc(8 << 20);

	(void)out;
	if (f == NULL || big == NULL || (big = realloc(big, 32 << 20)) == NULL)
		return err_set(err, ERR_INTERNAL, errno, "fdopen, malloc");
	memset(big, 1, 32 << 20);
	free(big);
	if (poll(&p, 1, 0) < 0 || clock_gettime(CLOCK_REALTIME, &t) < 0 || getentropy(random, 8) < 0 || fgetc(f) != 'b')
		return err_set(err, ERR_INTERNAL, errno, "poll, clock_gettime, getentropy, fgetc");
	if (lseek(*(int *)arg, 0, SEEK_SET) != 0 || isatty(*(int *)arg) || getenv("PATH") == NULL || time(NULL) < 1)
		return err_set(err, ERR_INTERNAL, errno, "lseek, isatty, getenv, time");
	(void)sysconf(_SC_NPROCESSORS_ONLN);
	(void)sysconf(_SC_PHYS_PAGES);
	qsort(n, 3, sizeof n[0], (int (*)(const void *, const void *))(void (*)(void))strcmp);
	return 0;
}

static void test_ordinary_work_is_done(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	auto_buf out = {0};

	put(p, "file", "bytes", 5, 0600);
	auto_fd fd = openat(p->fd, "file", O_RDONLY | O_CLOEXEC);
	struct confine_conf conf = { .fds = &fd, .nfds = 1 };
	if (run(conf, is_ordinary, &fd, &out, &err) < 0)
		fail_msg("%s", err.msg);
}

/* ---- hostile code: limits ---------------------------------------------------------------------- */

static int hogs_memory(void *arg, int out, struct err *err)
{
	const size_t piece = 1 << 20;
	size_t got = 0;
	char *p;

	(void)arg;
	for (; (p = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED; got += piece)
		memset(p, 1, piece);
	int sys = errno;
	(void)io_write_all(out, &got, sizeof got, err);
	return err_set(err, ERR_INTERNAL, sys, "mmap");
}

static void test_memory_is_limited(void **state)
{
	struct err err = {0};
	struct confined c;
	struct confine_conf conf = { .what = "the reader of x", .fn = hogs_memory, .kind = ERR_INPUT, .memory = 16 << 20 };
	size_t got = 0, n;

	(void)state;
	assert_int_equal(confine_start(&conf, &c, &err), 0);
	assert_int_equal(io_read_full(c.out, &got, sizeof got, &n, &err), 0);
	assert_int_equal(confine_finish(&c, &err), -1);
	assert_error(err, ERR_INTERNAL, ENOMEM, "the reader of x may take no more than 16 MiB of memory: mmap");
	assert_in_range(got, 8 << 20, 16 << 20);
}

static int loops(void *arg, int out, struct err *err)
{
	(void)arg;
	(void)out;
	(void)err;
	for (volatile unsigned i = 0;; i++)
		;
	return 0;
}

static void go_deaf(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static int loops_deaf(void *arg, int out, struct err *err)
{
	go_deaf();
	return loops(arg, out, err);
}

static int sleeps_deaf(void *arg, int out, struct err *err)
{
	(void)arg;
	(void)out;
	(void)err;
	go_deaf();
	for (;;)
		poll(NULL, 0, -1);
	return 0;
}

/** Leaves nothing open and loops: the runner's reads end long before it does. */
static int closes_all_and_loops(void *arg, int out, struct err *err)
{
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	return loops(arg, out, err);
}

static int closes_all_and_ends(void *arg, int out, struct err *err)
{
	(void)arg;
	(void)out;
	(void)err;
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	return 0;
}

static int aborts(void *arg, int out, struct err *err)
{
	(void)arg;
	(void)out;
	(void)err;
	abort();
}

static int answers_for_ever(void *arg, int out, struct err *err)
{
	char piece[4096] = "";

	(void)arg;
	while (io_write_all(out, piece, sizeof piece, err) == 0)
		;
	return -1;
}

static int writes_a_file(void *arg, int out, struct err *err)
{
	(void)out;
	return io_write_all(*(int *)arg, "12345678", 8, err);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void test_deaths_and_limits_are_named(void **state)
{
	static const struct {
		confine_fn *fn;
		struct confine_conf conf;
		enum err_kind kind;
		const char *text;
	} rows[] = {
		{ loops, { .cpu_s = 1 }, ERR_UNVERIFIED, "the reader of x was stopped: it took more than 1 s of processor time" },
		{ loops_deaf, { .cpu_s = 1 }, ERR_UNVERIFIED, "it took more than 1 s of processor time" },
		{ loops, { .wall_ms = 200 }, ERR_UNVERIFIED, "the reader of x was stopped: it took longer than 200 ms" },
		{ sleeps_deaf, { .wall_ms = 200 }, ERR_UNVERIFIED, "it took longer than 200 ms" },
		{ closes_all_and_loops, { .wall_ms = 60000 }, ERR_INTERNAL, "the reader of x " },
		{ closes_all_and_ends, { 0 }, ERR_INTERNAL, "without an answer" },
		{ crashes, { 0 }, ERR_INTERNAL, "the reader of x died (signal 11, SIGSEGV)" },
		{ aborts, { 0 }, ERR_INTERNAL, "the reader of x died (signal 6, SIGABRT)" },
		{ answers_for_ever, { 0 }, ERR_UNVERIFIED, "the reader of x: its answer: larger than the limit of 1048576 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct confine_conf conf = rows[i].conf;
		struct err err = {0};
		auto_buf out = {0};
		uint64_t start = now_ms();

		conf.kind = ERR_UNVERIFIED;
		buf_adds(&out, "kept");
		assert_int_equal(run(conf, rows[i].fn, NULL, &out, &err), -1);
		assert_error(err, rows[i].kind, 0, rows[i].text);
		assert_string_equal(out.data, "kept");
		assert_true(now_ms() - start < 20000);
	}
}

static void test_files_grow_only_as_allowed(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	auto_buf out = {0};
	auto_fd fd = openat(p->fd, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct confine_conf conf = { .fds = &fd, .nfds = 1 };

	assert_int_equal(run(conf, writes_a_file, &fd, &out, &err), -1);
	assert_error(err, ERR_INPUT, 0, "it wrote more than 0 bytes to a file");
	conf.file_size = 8;
	assert_int_equal(run(conf, writes_a_file, &fd, &out, &err), 0);
	assert_int_equal(run(conf, writes_a_file, &fd, &out, &err), -1);
	assert_int_equal(lseek(fd, 0, SEEK_END), 8);
}

/* ---- hostile code: lies -------------------------------------------------------------------------- */

/** Sends a report of its own to every descriptor but @p out, and lives on. */
static void forge(const struct confine_report *said, int out)
{
	for (int fd = 0; fd < 1024; fd++)
		if (fd != out && fd != STDERR_FILENO)
			(void)!write(fd, said, sizeof *said);
}

static int lies_of_success(void *arg, int out, struct err *err)
{
	const struct confine_report said = { 0 };

	forge(&said, out);
	close(out);
	return loops(arg, out, err);
}

static int has_no_end(void *arg, int out, struct err *err)
{
	struct confine_report said = { .result = -1, .kind = ERR_TERMINATED, .sys = -5 };

	(void)arg;
	(void)err;
	memset(said.msg, 'a', sizeof said.msg);
	for (;;) {
		forge(&said, out);
		close(out);
	}
	return 0;
}

/** Fails with @p arg as message. */
static int says(void *arg, int out, struct err *err)
{
	(void)out;
	return err_set(err, ERR_INTERRUPTED, 0, "%s", (const char *)arg);
}

static int says_nothing(void *arg, int out, struct err *err)
{
	(void)arg;
	(void)out;
	(void)err;
	return -1;
}

static void test_what_it_says_is_not_believed(void **state)
{
	struct err err = {0};
	auto_buf out = {0};
	struct confine_conf conf = { .wall_ms = 60000 };
	uint64_t start = now_ms();
	char message[ERR_MSG_MAX];

	(void)state;
	assert_int_equal(run(conf, lies_of_success, NULL, &out, &err), 0);
	assert_int_equal(run(conf, has_no_end, NULL, &out, &err), -1);
	assert_error(err, ERR_INPUT, 0, "aaaa");
	assert_int_equal(strlen(err.msg), CONFINE_MSG_MAX - 1);
	assert_true(now_ms() - start < 20000);
	assert_int_equal(run(conf, says, (void *)"a\nb\x1b[2J \xff \xc2\x9b \xc3\xa9", &out, &err), -1);
	assert_error(err, ERR_INPUT, 0, "a\\012b\\033[2J \\377 \\302\\233 \xc3\xa9");
	/* Cut within a character: it goes as a whole. */
	for (size_t i = 0; i < 1600; i += 2)
		memcpy(message + i, "\xc3\xa9", 3);
	assert_int_equal(run(conf, says, message, &out, &err), -1);
	assert_int_equal(strlen(err.msg), CONFINE_MSG_MAX - 2);
	assert_true(text_is_utf8(err.msg));
	assert_int_equal(run(conf, says_nothing, NULL, &out, &err), -1);
	assert_error(err, ERR_INPUT, 0, "the reader of x failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_comes_back),
		cmocka_unit_test(test_calls_are_refused),
		test_in_place(test_ordinary_work_is_done),
		cmocka_unit_test(test_memory_is_limited),
		cmocka_unit_test(test_deaths_and_limits_are_named),
		test_in_place(test_files_grow_only_as_allowed),
		cmocka_unit_test(test_what_it_says_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A confined child seen from outside: what it has, how it lives beside its caller, where a host does not let it. */
#include "confine_help.h"

#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/confine_child.h"

/* ---- what it has, seen from outside ---------------------------------------------------------------- */

/** Says that it is there, and waits to be ended. */
static int waits(void *arg, int out, struct err *err)
{
	(void)arg;
	(void)err;
	(void)!write(out, "!", 1);
	for (;;)
		poll(NULL, 0, -1);
	return 0;
}

static int counts_descriptors(void *arg, int out, struct err *err)
{
	int n = 0;

	(void)arg;
	for (int fd = 0; fd < 4096; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return io_write_all(out, &n, sizeof n, err);
}

/** Starts @p fn and waits for its first byte. @return its process id. */
static pid_t begin(confine_fn *fn, struct confined *c)
{
	struct confine_conf conf = { .what = "the reader of x", .fn = fn, .kind = ERR_INPUT, .wall_ms = 30000 };
	struct err err = {0};
	auto_buf text = {0};
	char path[64], byte;

	if (confine_start(&conf, c, &err) < 0 || (read(c->out, &byte, 1) != 1 && confine_finish(c, &err) < 0)) {
		fprintf(stderr, "# %s\n", err.msg);
		return -1;
	}
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", c->pidfd);
	if (io_read_file(AT_FDCWD, path, 4096, &text, &err) < 0)
		return -1;
	const char *pid = strstr(text.data, "\nPid:");
	return pid == NULL ? -1 : (pid_t)strtol(pid + 5, NULL, 10);
}

/** Whether /proc/PID/status has the line @p line. */
static bool has(const struct buf *status, const char *line)
{
	const char *at = strstr(status->data, line);

	return at != NULL && at[strlen(line)] == '\n' && at[-1] == '\n';
}

/** Compares a confined child's status with what it should be, for the ids @p uid and @p gid. */
static int check_status(uid_t uid, gid_t gid)
{
	auto_confined c = CONFINED_NONE;
	auto_buf status = {0};
	struct err err = {0};
	char path[64], uids[128], gids[128];
	pid_t pid = begin(waits, &c);

	CHECK(pid > 0);
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	snprintf(uids, sizeof uids, "Uid:\t%u\t%u\t%u\t%u", uid, uid, uid, uid);
	snprintf(gids, sizeof gids, "Gid:\t%u\t%u\t%u\t%u", gid, gid, gid, gid);
	CHECK(io_read_file(AT_FDCWD, path, 1 << 16, &status, &err) == 0);
	CHECK(has(&status, uids));
	CHECK(has(&status, gids));
	CHECK(has(&status, "Groups:\t ") || getuid() != 0);
	CHECK(has(&status, "CapInh:\t0000000000000000"));
	CHECK(has(&status, "CapPrm:\t0000000000000000"));
	CHECK(has(&status, "CapEff:\t0000000000000000"));
	CHECK(has(&status, "CapAmb:\t0000000000000000"));
	CHECK(has(&status, "NoNewPrivs:\t1"));
	CHECK(has(&status, "Seccomp:\t2"));
	CHECK(has(&status, "SigIgn:\t0000000000001000")); /* SIGPIPE */
	CHECK(has(&status, "SigCgt:\t0000000000000000"));
	/* Not dumpable: it belongs to root, and nobody else looks into it. */
	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	struct stat st;
	CHECK(stat(path, &st) == 0 && st.st_uid == 0);
	confined_kill(&c);
	CHECK(kill(pid, 0) < 0 && errno == ESRCH);
	return 0;
}

static void on_signal(int sig)
{
	(void)sig;
	touched++;
}

/** Root that works as a step user, in and out of its brackets; root as it is; an ordinary user. */
static int every_identity(struct place *p)
{
	struct ident id;
	struct err err = {0};

	(void)p;
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, SIG_IGN);
	/* As whoever was started by posix_spawn(3) finds libc's own signals. */
	const uintptr_t ign[4] = { (uintptr_t)SIG_IGN };
	CHECK(syscall(SYS_rt_sigaction, 33, ign, NULL, 8) == 0);
	CHECK(ident_detect(&id, &err) == 0);
	if (!id.real_root)
		return check_status(getuid(), getgid());
	CHECK(check_status(IDENT_STEP_ID, IDENT_STEP_ID) == 0);
	id.step_uid = 61234;
	id.step_gid = 61235;
	CHECK(ident_drop(&id, &err) == 0);
	CHECK(check_status(61234, 61235) == 0);
	CHECK(ident_read_begin(&id, &err) == 0);
	CHECK(check_status(61234, 61235) == 0);
	CHECK(ident_read_end(&id, &err) == 0);
	CHECK(ident_caller_begin(&id, &err) == 0);
	CHECK(check_status(IDENT_STEP_ID, IDENT_STEP_ID) == 0);
	CHECK(ident_caller_end(&id, &err) == 0);
	return geteuid() == 61234 ? 0 : 1;
}

static void test_it_has_lost_everything(void **state)
{
	struct err err = {0};
	auto_buf out = {0};
	auto_fd low = open("/dev/null", O_RDONLY | O_CLOEXEC);
	auto_fd high = fcntl(low, F_DUPFD_CLOEXEC, 900);
	const int twice[] = { high, low, high };
	struct confine_conf conf = { .fds = twice, .nfds = 3 };
#ifdef CONFINE_SANITIZED
	const int others = 3;
#else
	const int others = 2;
#endif

	in_child(every_identity, *state);
	assert_int_equal(run(conf, counts_descriptors, NULL, &out, &err), 0);
	assert_int_equal(*(int *)(void *)out.data, 2 + others);
	conf.nfds = CONFINE_FDS_MAX + 1;
	assert_int_equal(run(conf, counts_descriptors, NULL, &out, &err), -1);
	assert_error(err, ERR_INTERNAL, EINVAL, "hand over");
}

static int fails(void *arg, int out, struct err *err)
{
	(void)arg;
	(void)out;
	return err_set(err, ERR_INPUT, 0, "not today");
}

static int opens(void *arg, int out, struct err *err)
{
	(void)arg;
	(void)out;
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 ? err_set(err, ERR_INPUT, errno, "refused") : 0;
}

/* ---- beside its caller --------------------------------------------------------------------------- */

static int streams(void *arg, int out, struct err *err)
{
	char piece[65536];

	memset(piece, 'a', sizeof piece);
	for (int i = 0; i < *(int *)arg; i++)
		if (io_write_all(out, piece, sizeof piece, err) < 0)
			return -1;
	return 0;
}

static void test_the_caller_reads_meanwhile(void **state)
{
	int pieces = 160;
	struct confine_conf conf = { .what = "the reader of x", .fn = streams, .arg = &pieces, .kind = ERR_INPUT };
	struct confined c;
	struct err err = {0};
	char piece[65536];
	size_t got, sum = 0;

	(void)state;
	assert_int_equal(confine_start(&conf, &c, &err), 0);
	do {
		assert_int_equal(io_read_full(c.out, piece, sizeof piece, &got, &err), 0);
		sum += got;
	} while (got > 0);
	assert_int_equal(confine_finish(&c, &err), 0);
	assert_int_equal(sum, 160 * 65536);
	/* And when the caller has seen enough. */
	assert_int_equal(confine_start(&conf, &c, &err), 0);
	assert_int_equal(confine_finish(&c, &err), -1);
	assert_error(err, ERR_INTERNAL, EPIPE, "write: Broken pipe");
	confined_kill(&c);
}

static int open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 4096; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/** Of 1,000 children, some fail, some die, some are let go; the caller's own SIGCHLD and wait hear of none. */
static int leaves_nothing(struct place *p)
{
	int before = open_descriptors(), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct confine_conf conf = { .fds = &null, .nfds = 1 };

	(void)p;
	signal(SIGCHLD, on_signal);
	touched = 0;
	for (int i = 0; i < 1000; i++) {
		struct err err = {0};
		auto_buf out = {0};
		auto_confined c = CONFINED_NONE;
		confine_fn *fn[] = { copies, crashes, fails, copies, opens };

		if (i % 5 == 3) {
			CHECK(begin(waits, &c) > 0);
			CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
		} else {
			CHECK(run(conf, fn[i % 5], &null, &out, &err) == (i % 5 == 0 ? 0 : -1));
		}
	}
	close(null);
	CHECK(waitpid(-1, NULL, __WALL | WNOHANG) < 0 && errno == ECHILD);
	CHECK(open_descriptors() == before);
	CHECK(touched == 0);
	return 0;
}

static void test_nothing_is_left(void **state)
{
	in_child(leaves_nothing, *state);
}

static void *churns(void *stop)
{
	while (!__atomic_load_n((int *)stop, __ATOMIC_RELAXED)) {
		void *held[64];

		for (int i = 0; i < 64; i++)
			held[i] = malloc((size_t)(i + 1) * 700);
		for (int i = 0; i < 64; i++)
			free(held[i]);
	}
	return NULL;
}

static int works_among_threads(struct place *p)
{
	pthread_t threads[3];
	int stop = 0, null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct confine_conf conf = { .fds = &null, .nfds = 1, .wall_ms = 20000 };
	struct err err = {0};
	auto_buf out = {0};

	(void)p;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		CHECK(pthread_create(&threads[i], NULL, churns, &stop) == 0);
	for (int i = 0; i < 100; i++)
		CHECK(run(conf, copies, &null, &out, &err) == 0);
	signal(SIGCHLD, SIG_IGN);
	CHECK(run(conf, copies, &null, &out, &err) < 0 && strstr(err.msg, "SIGCHLD is ignored") != NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void test_the_caller_may_have_threads(void **state)
{
	in_child(works_among_threads, *state);
}

/** A runner that is killed while its child waits. The child is this process's then. */
static int dies_with_its_parent(struct place *p)
{
	struct confined c;
	int ends[2], status;
	pid_t child;

	(void)p;
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	pid_t middle = fork();
	if (middle == 0) {
		child = begin(waits, &c);
		_exit(write(ends[1], &child, sizeof child) == sizeof child && kill(getpid(), SIGKILL) == 0);
	}
	CHECK(read(ends[0], &child, sizeof child) == sizeof child && child > 0);
	CHECK(waitpid(middle, &status, 0) == middle && WIFSIGNALED(status));
	CHECK(waitpid(child, &status, __WALL) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return 0;
}

static void test_it_dies_with_its_parent(void **state)
{
	in_child(dies_with_its_parent, *state);
}

static void test_interruptions_are_told(void **state)
{
	static const struct { int sig; enum err_kind kind; const char *text; } rows[] = {
		{ SIGINT, ERR_INTERRUPTED, "the reader of x was interrupted" },
		{ SIGTERM, ERR_TERMINATED, "the reader of x was interrupted" },
		{ SIGKILL, ERR_INTERNAL, "the reader of x was killed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct confined c;
		struct err err = {0};
		struct confine_conf conf = { .what = "the reader of x", .fn = streams, .arg = &(int){ 1000 }, .kind = ERR_INPUT };
		char byte;

		assert_int_equal(confine_start(&conf, &c, &err), 0);
		assert_int_equal(read(c.out, &byte, 1), 1);
		assert_int_equal(syscall(SYS_pidfd_send_signal, c.pidfd, rows[i].sig, NULL, 0), 0);
		while (read(c.out, &byte, 1) == 1)
			;
		assert_int_equal(confine_finish(&c, &err), -1);
		assert_error(err, rows[i].kind, 0, rows[i].text);
	}
}

/* ---- a host that does not let it --------------------------------------------------------------------- */

/** Refuses a call to this process: what a container's filter does. */
static int deny(int nr)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_LEN(filter), filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -1 : (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static int is_refused(int nr, const char *text)
{
	struct err err = {0};
	auto_buf out = {0};
	struct confine_conf conf = { 0 };

	CHECK(deny(nr) == 0);
	touched = 0;
	CHECK(run(conf, copies, NULL, &out, &err) < 0 && err.kind == ERR_HOST && err.sys == EPERM);
	CHECK(strstr(err.msg, "the reader of x cannot be confined: ") != NULL && strstr(err.msg, text) != NULL);
	return 0;
}

static int without_timer(struct place *p)
{
	(void)p;
	return is_refused(SYS_timer_create, "set a timer");
}

static int without_capset(struct place *p)
{
	(void)p;
	return is_refused(SYS_capset, "drop rights");
}

static int without_landlock(struct place *p)
{
	(void)p;
	return is_refused(SYS_landlock_restrict_self, "restrict by Landlock");
}

/** A kernel without it, or a container's filter of before its time, has the first wall. */
static int where_there_is_no_landlock(struct place *p)
{
	struct err err = {0};
	auto_buf out = {0};
	struct confine_conf conf = { 0 };

	(void)p;
	CHECK(deny(SYS_landlock_create_ruleset) == 0);
	CHECK(run(conf, opens, NULL, &out, &err) < 0 && err.kind == ERR_INPUT && err.sys == EACCES);
	return 0;
}

static int without_closing(struct place *p)
{
	(void)p;
	return is_refused(SYS_close_range, "close descriptors");
}

static int with_lower_limits(struct place *p)
{
	const struct rlimit cpu = { 30, 30 }, files = { 40, 40 };
	struct err err = {0};
	auto_buf out = {0};
	auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct confine_conf conf = { .fds = &null, .nfds = 1 };

	(void)p;
	CHECK(setrlimit(RLIMIT_CPU, &cpu) == 0 && setrlimit(RLIMIT_NOFILE, &files) == 0);
	signal(SIGCHLD, SIG_IGN);
	return run(conf, copies, &null, &out, &err) == 0 ? 0 : 1;
}

static void test_a_host_that_denies_is_told(void **state)
{
	in_child(without_timer, *state);
	in_child(without_capset, *state);
	in_child(without_landlock, *state);
	in_child(where_there_is_no_landlock, *state);
	in_child(without_closing, *state);
	in_child(with_lower_limits, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_place(test_it_has_lost_everything),
		cmocka_unit_test(test_the_caller_reads_meanwhile),
		test_in_place(test_nothing_is_left),
		test_in_place(test_the_caller_may_have_threads),
		test_in_place(test_it_dies_with_its_parent),
		cmocka_unit_test(test_interruptions_are_told),
		test_in_place(test_a_host_that_denies_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

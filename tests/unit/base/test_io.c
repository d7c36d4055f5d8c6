/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

#define MANY (3u << 20)

static void on_alarm(int sig)
{
	(void)sig;
}

/** Signals every few hundred microseconds, without SA_RESTART: writes come short, reads say EINTR. */
static void storm(bool on)
{
	struct sigaction act = { .sa_handler = on_alarm };
	struct itimerval every = { { 0, on ? 300 : 0 }, { 0, on ? 300 : 0 } };

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 31 + (i >> 12));
}

static unsigned char *pattern(size_t n)
{
	unsigned char *data = malloc(n);

	for (size_t i = 0; data != NULL && i < n; i++)
		data[i] = byte_at(i);
	return data;
}

/** A child that reads a pipe slowly and says by its status whether all came right. */
static int slow_reader(int fd)
{
	unsigned char piece[5000];
	size_t at = 0;
	ssize_t n;

	while ((n = read(fd, piece, sizeof piece)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			CHECK(piece[i] == byte_at(at++));
		if (at % 40 == 0)
			usleep(50);
	}
	CHECK(n == 0 && at == MANY);
	return 0;
}

static void all_is_written_to_a_pipe_in_a_storm_of_signals(void **state)
{
	struct err err = {0};
	int pipes[2], status;
	auto_free unsigned char *data = pattern(MANY);

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pipes[1]);
		_exit(slow_reader(pipes[0]));
	}
	close(pipes[0]);
	storm(true);
	int result = io_write_all(pipes[1], data, MANY, &err);
	storm(false);
	close(pipes[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(result, 0);
	assert_int_equal(status, 0);
}

static int slow_writer(int fd)
{
	for (size_t at = 0; at < MANY; ) {
		unsigned char piece[7000];
		size_t n = sizeof piece < MANY - at ? sizeof piece : MANY - at;

		for (size_t i = 0; i < n; i++)
			piece[i] = byte_at(at + i);
		CHECK(write(fd, piece, n) == (ssize_t)n);
		at += n;
		if (at % 70000 == 0)
			usleep(100);
	}
	return 0;
}

/** A pipe out of which MANY bytes come in small pieces. */
static int from_slow_writer(pid_t *ret_pid)
{
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pipes[0]);
		_exit(slow_writer(pipes[1]));
	}
	close(pipes[1]);
	*ret_pid = pid;
	return pipes[0];
}

static void all_is_read_from_a_pipe_in_a_storm_of_signals(void **state)
{
	struct err err = {0};
	pid_t pid;
	int status;
	auto_fd fd = from_slow_writer(&pid);
	auto_free unsigned char *want = pattern(MANY);
	auto_free unsigned char *half = malloc(MANY / 2);
	auto_buf rest = {0};
	size_t got = 0;

	(void)state;
	storm(true);
	int a = io_read_full(fd, half, MANY / 2, &got, &err);
	int b = io_read_all(fd, MANY, &rest, &err);
	storm(false);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(a, 0);
	assert_int_equal(b, 0);
	assert_int_equal(got, MANY / 2);
	assert_int_equal(rest.len, MANY - MANY / 2);
	assert_memory_equal(half, want, MANY / 2);
	assert_memory_equal(rest.data, want + MANY / 2, rest.len);
}

static int write_past_the_limit(struct place *p)
{
	struct err err = {0};
	struct rlimit limit = { 5000, 5000 };
	struct stat st;
	char data[9000] = "x";
	auto_fd fd = openat(p->fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	/* A short write of 5,000 first, then the error. */
	CHECK(io_write_all(fd, data, sizeof data, &err) == -1);
	CHECK(err.kind == ERR_INTERNAL && err.sys == EFBIG);
	CHECK(fstat(fd, &st) == 0 && st.st_size == 5000);
	return 0;
}

static void a_write_that_fails_half_way_is_an_error(void **state)
{
	struct err err = {0};
	auto_fd full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	in_child(write_past_the_limit, *state);
	assert_int_equal(io_write_all(full, "x", 1, &err), -1);
	assert_error(err, ERR_INTERNAL, ENOSPC, "write");
	assert_int_equal(io_write_all(-1, "x", 1, &err), -1);
	assert_int_equal(err.sys, EBADF);
	assert_int_equal(io_write_all(-1, NULL, 0, &err), 0);
}

static void reading_full_stops_at_the_end(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	char got[16] = "";
	size_t n = 99;

	put(p, "f", "abcdef", 6, 0600);
	auto_fd fd = openat(p->fd, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(io_read_full(fd, got, 4, &n, &err), 0);
	assert_int_equal(n, 4);
	assert_int_equal(io_read_full(fd, got, sizeof got, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(io_read_full(fd, got, sizeof got, &n, &err), 0);
	assert_int_equal(n, 0);
	n = 99;
	assert_int_equal(io_read_full(p->fd, got, 1, &n, &err), -1);
	assert_error(err, ERR_INTERNAL, EISDIR, "read");
	assert_int_equal(n, 99);
}

/** Whatever was expected, all that is there comes; only a read that gives just that is taken for the end. */
static void what_is_expected_comes_in_one_read(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	static const uint64_t expected[] = { 0, 1, 7, 8, 100 };
	char got[64];
	int ends[2];

	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		auto_fd fd = openat(p->fd, "f", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		size_t n = 0;

		assert_int_equal(write(fd, "7 bytes", 7), 7);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(io_read_expected(fd, got, sizeof got, expected[i], &n, &err), 0);
		assert_int_equal(n, 7);
		assert_memory_equal(got, "7 bytes", 7);
	}
	/* Where pieces come, the second is asked for unless the first was all. */
	for (uint64_t want = 3; want <= 6; want += 3) {
		size_t n = 0;
		int status;

		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		pid_t pid = fork();
		if (pid == 0) {
			bool ok = write(ends[1], "abc", 3) == 3 && usleep(50000) == 0 && write(ends[1], "def", 3) == 3;
			_exit(ok ? 0 : 1);
		}
		close(ends[1]);
		assert_int_equal(io_read_expected(ends[0], got, sizeof got, want, &n, &err), 0);
		assert_int_equal(n, want);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		close(ends[0]);
	}
	assert_int_equal(io_read_expected(-1, got, sizeof got, 1, &(size_t){0}, &err), -1);
	assert_int_equal(err.sys, EBADF);
}

static void the_maximum_is_exact(void **state)
{
	/* Around the pieces in which it reads, too. */
	static const size_t sizes[] = { 0, 1, 6, 16383, 16384, 16385, 100000 };
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct err err = {0};
		auto_free unsigned char *data = pattern(sizes[i] + 1);
		auto_buf out = {0};
		char name[32];

		snprintf(name, sizeof name, "f%zu", i);
		put(p, name, data, sizes[i], 0600);
		buf_adds(&out, "before:");
		assert_int_equal(io_read_file(p->fd, name, sizes[i], &out, &err), 0);
		assert_int_equal(out.len, 7 + sizes[i]);
		assert_memory_equal(out.data + 7, data, sizes[i]);
		assert_int_equal(out.data[out.len], '\0');
		if (sizes[i] == 0)
			continue;
		assert_int_equal(io_read_file(p->fd, name, sizes[i] - 1, &out, &err), -1);
		assert_error(err, ERR_USAGE, 0, "larger than the limit of");
		assert_error(err, ERR_USAGE, 0, name);
		/* As it was before, and a string. */
		assert_int_equal(out.len, 7 + sizes[i]);
		assert_int_equal(out.data[out.len], '\0');
		assert_false(out.failed);
	}
}

static void a_buffer_with_a_limit_needs_no_more_than_the_file(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	auto_buf fits = BUF_LIMIT(6);
	auto_buf tight = BUF_LIMIT(5);

	put(p, "f", "abcdef", 6, 0600);
	assert_int_equal(io_read_file(p->fd, "f", SIZE_MAX, &fits, &err), 0);
	assert_string_equal(fits.data, "abcdef");
	assert_int_equal(io_read_file(p->fd, "f", SIZE_MAX, &tight, &err), -1);
	assert_error(err, ERR_INTERNAL, 0, "larger than the limit of 5 bytes");
	assert_int_equal(tight.len, 0);
}

static void only_regular_files_are_read(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	auto_buf out = {0};

	assert_int_equal(mkfifoat(p->fd, "fifo", 0600), 0);
	assert_int_equal(mkdirat(p->fd, "dir", 0700), 0);
	assert_int_equal(symlinkat("loop", p->fd, "loop"), 0);
	alarm(20); /* a fifo that is waited for would hang here */
	assert_int_equal(io_read_file(p->fd, "fifo", 100, &out, &err), -1);
	alarm(0);
	assert_error(err, ERR_INPUT, 0, "'fifo' is not a regular file");
	assert_int_equal(io_read_file(p->fd, "dir", 100, &out, &err), -1);
	assert_error(err, ERR_INPUT, 0, "'dir' is not a regular file");
	assert_int_equal(io_read_file(AT_FDCWD, "/dev/zero", 100, &out, &err), -1);
	assert_error(err, ERR_INPUT, 0, "not a regular file");
	assert_int_equal(io_read_file(p->fd, "missing", 100, &out, &err), -1);
	assert_error(err, ERR_INPUT, ENOENT, "open 'missing': No such file");
	assert_int_equal(io_read_file(p->fd, "loop", 100, &out, &err), -1);
	assert_error(err, ERR_INPUT, ELOOP, "loop");
	assert_null(out.data);

	put(p, "f", "text", 4, 0600);
	assert_int_equal(symlinkat("f", p->fd, "link"), 0);
	assert_int_equal(io_read_file(p->fd, "link", 100, &out, &err), 0);
	assert_string_equal(out.data, "text");
}

/* Files whose size stat does not tell. */
static void proc_files_are_read(void **state)
{
	struct err err = {0};
	auto_buf out = {0};

	(void)state;
	assert_int_equal(io_read_file(AT_FDCWD, "/proc/self/status", 1 << 20, &out, &err), 0);
	assert_non_null(strstr(out.data, "\nPid:"));
}

static void directories_are_made(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	struct stat st;
	char absolute[8192];
	mode_t old = umask(022);

	assert_int_equal(io_mkdirs(p->fd, "a/b/c", 0755, &err), 0);
	assert_int_equal(fstatat(p->fd, "a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(io_mkdirs(p->fd, "a/b/c", 0755, &err), 0);
	assert_int_equal(io_mkdirs(p->fd, "a//b///d/", 0700, &err), 0);
	assert_true(exists(p, "a/b/d"));
	assert_int_equal(io_mkdirs(p->fd, ".", 0700, &err), 0);
	assert_int_equal(io_mkdirs(AT_FDCWD, "/", 0700, &err), 0);
	snprintf(absolute, sizeof absolute, "%s/x/y", p->path);
	assert_int_equal(io_mkdirs(AT_FDCWD, absolute, 0700, &err), 0);
	assert_true(exists(p, "x/y"));
	umask(077);
	assert_int_equal(io_mkdirs(p->fd, "u/v", 0755, &err), 0);
	assert_int_equal(fstatat(p->fd, "u/v", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	umask(old);
	assert_int_equal(io_mkdirs(p->fd, "", 0700, &err), -1);
	assert_error(err, ERR_INTERNAL, ENOENT, "make directory ''");
}

static void directories_through_links_and_over_files(void **state)
{
	struct place *p = *state;
	struct err err = {0};

	assert_int_equal(mkdirat(p->fd, "real", 0700), 0);
	assert_int_equal(symlinkat("real", p->fd, "link"), 0);
	assert_int_equal(symlinkat("nowhere", p->fd, "dangling"), 0);
	put(p, "file", "", 0, 0600);
	assert_int_equal(io_mkdirs(p->fd, "link", 0700, &err), 0);
	assert_int_equal(io_mkdirs(p->fd, "link/x/y", 0700, &err), 0);
	assert_true(exists(p, "real/x/y"));
	assert_int_equal(io_mkdirs(p->fd, "file", 0700, &err), -1);
	assert_error(err, ERR_INTERNAL, ENOTDIR, "make directory 'file'");
	assert_int_equal(io_mkdirs(p->fd, "file/x", 0700, &err), -1);
	assert_error(err, ERR_INTERNAL, ENOTDIR, "make directory 'file/x'");
	assert_int_equal(io_mkdirs(p->fd, "dangling", 0700, &err), -1);
	assert_int_equal(err.sys, ENOENT);
	assert_int_equal(io_mkdirs(p->fd, "dangling/x", 0700, &err), -1);
	assert_false(exists(p, "nowhere"));
}

static int make_thousands(struct place *p)
{
	struct err err = {0};
	auto_buf path = {0};

	for (int i = 0; i < 1000; i++)
		buf_adds(&path, i == 0 ? "d" : "/d");
	CHECK(io_mkdirs(p->fd, path.data, 0700, &err) == 0);
	buf_adds(&path, "/");
	for (int i = 0; i < 3000; i++)
		buf_adds(&path, "x");
	CHECK(io_mkdirs(p->fd, path.data, 0700, &err) == -1 && err.sys == ENAMETOOLONG);
	return 0;
}

static void directories_as_deep_as_a_path_goes(void **state)
{
	in_child(make_thousands, *state);
}

static void a_directory_is_opened_and_a_link_is_not(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	struct stat a, b;
	int fd = -5;

	assert_int_equal(mkdirat(p->fd, "dir", 0700), 0);
	assert_int_equal(symlinkat("dir", p->fd, "link"), 0);
	put(p, "file", "", 0, 0600);
	static const struct {
		const char *path;
		int sys;
	} bad[] = {
		{ "missing", ENOENT }, { "file", ENOTDIR }, { "link", ENOTDIR }, { "link/", ENOTDIR },
		{ "link//", ENOTDIR }, { "", ENOENT }, { "file/x", ENOTDIR },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(io_open_dir(p->fd, bad[i].path, &fd, &err), -1);
		assert_error(err, ERR_INPUT, bad[i].sys, "open directory '");
		assert_int_equal(fd, -5);
	}
	static const char *const good[] = { "dir", "dir/", "dir//", "./dir", "link/../dir" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(io_open_dir(p->fd, good[i], &fd, &err), 0);
		assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		assert_int_equal(fstat(fd, &a), 0);
		assert_int_equal(fstatat(p->fd, "dir", &b, 0), 0);
		assert_int_equal(a.st_ino, b.st_ino);
		close(fd);
	}
	assert_int_equal(io_open_dir(AT_FDCWD, "/", &fd, &err), 0);
	close(fd);
}

static void the_parent_and_the_name(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	static const struct {
		const char *path, *parent, *name;
	} rows[] = {
		{ "x", ".", "x" }, { "dir/x", "dir", "x" }, { "dir//x", "dir", "x" }, { "link/x", "dir", "x" },
		{ "dir/", "dir", "" }, { "dir/..", "dir", ".." },
	};
	struct stat a, b, root;
	const char *name = "untouched";
	int fd = -5;

	assert_int_equal(mkdirat(p->fd, "dir", 0700), 0);
	assert_int_equal(symlinkat("dir", p->fd, "link"), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(io_open_parent(p->fd, rows[i].path, O_PATH, &fd, &name, &err), 0);
		assert_string_equal(name, rows[i].name);
		assert_int_equal(fstat(fd, &a), 0);
		assert_int_equal(fstatat(p->fd, rows[i].parent, &b, 0), 0);
		assert_int_equal(a.st_ino, b.st_ino);
		close(fd);
	}
	assert_int_equal(io_open_parent(p->fd, "/x", O_PATH, &fd, &name, &err), 0);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(stat("/", &root), 0);
	assert_int_equal(a.st_ino, root.st_ino);
	close(fd);
	fd = -5;
	name = "untouched";
	assert_int_equal(io_open_parent(p->fd, "missing/x", O_PATH, &fd, &name, &err), -1);
	assert_error(err, ERR_INTERNAL, ENOENT, "open directory 'missing/'");
	assert_int_equal(fd, -5);
	assert_string_equal(name, "untouched");
}

/** Copies @p n bytes of @p from at @p skip into a new file and compares. */
static void copy_and_compare(struct place *p, const char *from, off_t skip, uint64_t n)
{
	struct err err = {0};
	struct digest a, b;
	uint64_t size;

	unlinkat(p->fd, "copy", 0);
	auto_fd in = openat(p->fd, from, O_RDONLY | O_CLOEXEC);
	auto_fd out = openat(p->fd, "copy", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_equal(lseek(in, skip, SEEK_SET), skip);
	assert_int_equal(io_copy(in, out, n, &err), 0);
	/* Both offsets have moved on. */
	assert_int_equal(lseek(in, 0, SEEK_CUR), skip + (off_t)n);
	assert_int_equal(lseek(out, 0, SEEK_CUR), (off_t)n);

	auto_free char *want = malloc(n + 1);
	assert_int_equal(pread(in, want, n, skip), (ssize_t)n);
	assert_int_equal(lseek(out, 0, SEEK_SET), 0);
	assert_int_equal(hash_fd(out, &a, &size, &err), 0);
	assert_int_equal(size, n);
	assert_int_equal(hash_bytes(want, n, &b, &err), 0);
	assert_true(digest_eq(&a, &b));
}

static void files_are_copied(void **state)
{
	struct place *p = *state;
	auto_free unsigned char *data = pattern(MANY);

	put(p, "f", data, MANY, 0600);
	copy_and_compare(p, "f", 0, MANY);
	copy_and_compare(p, "f", 12345, MANY - 12345);
	copy_and_compare(p, "f", 7, 1);
	copy_and_compare(p, "f", 0, 0);
}

static void sparse_files_are_copied(void **state)
{
	struct place *p = *state;
	off_t n = 40 << 20;

	put(p, "sparse", "start", 5, 0600);
	auto_fd fd = openat(p->fd, "sparse", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "middle", 6, n / 2 + 100), 6);
	assert_int_equal(ftruncate(fd, n), 0);
	copy_and_compare(p, "sparse", 0, (uint64_t)n);
	copy_and_compare(p, "sparse", n - 10, 10);
}

/** Writes @p n bytes behind 3 others, and reads them back; @return bytes on disk. */
static uint64_t with_holes(const struct place *p, const char *data, size_t n)
{
	struct err err = {0};
	struct stat st;
	auto_fd fd = openat(p->fd, "holes", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	auto_free char *back = malloc(n + 4);
	size_t got;

	assert_int_equal(write(fd, "abc", 3), 3);
	assert_int_equal(io_write_holes(fd, data, n, &err), 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), n + 3);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, n + 3);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(io_read_full(fd, back, n + 4, &got, &err), 0);
	assert_int_equal(got, n + 3);
	assert_memory_equal(back + 3, data, n);
	return (uint64_t)st.st_blocks * 512;
}

static void zeros_become_holes_and_read_the_same(void **state)
{
	struct place *p = *state;
	const size_t n = 40 * IO_HOLE + 100;
	auto_free char *data = calloc(1, n);

	assert_true(with_holes(p, data, n) <= 2 * IO_HOLE);
	/* A byte at either end of a block keeps that block, and no other. */
	data[0] = 1;
	data[7 * IO_HOLE - 1] = 2;
	data[20 * IO_HOLE] = 3;
	data[n - 1] = 4;
	assert_true(with_holes(p, data, n) <= 12 * IO_HOLE);
	for (size_t i = 0; i < n; i++)
		data[i] = (char)i;
	assert_true(with_holes(p, data, n) >= n);
	memset(data + 5 * IO_HOLE, 0, 3 * IO_HOLE);
	(void)with_holes(p, data, n);
	for (size_t i = 0; i < 3; i++) {
		memset(data, 0, IO_HOLE + 1);
		(void)with_holes(p, data, IO_HOLE - 1 + i);
	}
	(void)with_holes(p, data, 0);
}

/** Reads "f" in pieces of @p piece, with and without knowledge of holes. */
static void read_both_ways(const struct place *p, size_t piece)
{
	struct err err = {0};
	struct io_holes h = {0};
	auto_fd a = openat(p->fd, "f", O_RDONLY | O_CLOEXEC);
	auto_fd b = openat(p->fd, "f", O_RDONLY | O_CLOEXEC);
	auto_free char *x = malloc(piece);
	auto_free char *y = malloc(piece);
	size_t m, n;

	do {
		memset(x, 'x', piece);
		assert_int_equal(io_read_holes(a, &h, x, piece, &m, &err), 0);
		assert_int_equal(io_read_full(b, y, piece, &n, &err), 0);
		assert_int_equal(m, n);
		assert_memory_equal(x, y, n);
	} while (n > 0);
}

static void holes_are_not_read_and_read_the_same(void **state)
{
	static const off_t sizes[] = { 0, 1, 65536, 1 << 20, (1 << 20) + 5, 3 << 20 };
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		put(p, "f", "start", 5, 0600);
		auto_fd fd = openat(p->fd, "f", O_WRONLY | O_CLOEXEC);
		assert_int_equal(ftruncate(fd, sizes[i]), 0);
		for (off_t at = 300000; at < sizes[i]; at += 700000)
			assert_int_equal(pwrite(fd, "middle", 6, at), 6);
		for (size_t piece = 1000; piece < 1 << 20; piece *= 16)
			read_both_ways(p, piece);
		assert_int_equal(unlinkat(p->fd, "f", 0), 0);
	}
}

static void what_cannot_tell_its_holes_is_read(void **state)
{
	struct err err = {0};
	struct io_holes h = {0};
	char text[64];
	size_t got;

	(void)state;
	auto_fd proc = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	assert_int_equal(io_read_holes(proc, &h, text, sizeof text, &got, &err), 0);
	assert_int_equal(got, sizeof text);
	assert_memory_equal(text, "Name:", 5);
	assert_int_equal(io_read_holes(proc, &h, text, sizeof text, &got, &err), 0);
	assert_true(got > 0 && memcmp(text, "Name:", 5) != 0);
}

static void holes_need_a_file_and_room(void **state)
{
	struct err err = {0};
	int pipes[2];
	static const char zeros[IO_HOLE];

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(io_write_holes(pipes[1], zeros, sizeof zeros, &err), -1);
	assert_error(err, ERR_INTERNAL, ESPIPE, "hole");
	close(pipes[0]);
	close(pipes[1]);
	auto_fd full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(io_write_holes(full, "x", 1, &err), -1);
	assert_int_equal(err.sys, ENOSPC);
}

static void short_input_is_said(void **state)
{
	struct place *p = *state;
	struct err err = {0};

	put(p, "f", "0123456789", 10, 0600);
	auto_fd in = openat(p->fd, "f", O_RDONLY | O_CLOEXEC);
	auto_fd out = openat(p->fd, "copy", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(io_copy(in, out, 17, &err), -1);
	assert_error(err, ERR_INPUT, 0, "the file ends 7 bytes early");
	assert_int_equal(io_copy(in, out, UINT64_MAX, &err), -1);
	assert_error(err, ERR_INPUT, 0, "ends 18446744073709551615 bytes early");
	assert_int_equal(io_copy(in, -1, 1, &err), -1);
	assert_int_equal(lseek(in, 0, SEEK_SET), 0);
	assert_int_equal(io_copy(in, -1, 1, &err), -1);
	assert_error(err, ERR_INTERNAL, EBADF, "write");
}

/* copy_file_range refuses pipes and gives 0 for /proc: both go by hand. */
static void what_copy_file_range_refuses_is_copied(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	pid_t pid;
	int status;
	auto_free unsigned char *want = pattern(MANY);
	auto_fd in = from_slow_writer(&pid);
	auto_fd out = openat(p->fd, "copy", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(io_copy(in, out, MANY, &err), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	auto_free unsigned char *got = malloc(MANY);
	assert_int_equal(pread(out, got, MANY, 0), (ssize_t)MANY);
	assert_memory_equal(got, want, MANY);

	auto_fd proc = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	assert_int_equal(io_copy(proc, out, 1, &err), 0);
	/* A file opened to append. */
	put(p, "f", "0123456789", 10, 0600);
	auto_fd f = openat(p->fd, "f", O_RDONLY | O_CLOEXEC);
	auto_fd append = openat(p->fd, "copy", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(io_copy(f, append, 10, &err), 0);
	assert_int_equal(pread(out, got, 11, MANY + 1), 10);
	assert_memory_equal(got, "0123456789", 10);
}

static void random_names(void **state)
{
	struct err err = {0};
	char a[33], b[33];
	unsigned seen = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		memset(a, 'X', sizeof a);
		assert_int_equal(io_random_hex(a, &err), 0);
		assert_int_equal(strlen(a), 32);
		assert_int_equal(strspn(a, "0123456789abcdef"), 32);
		assert_int_equal(io_random_hex(b, &err), 0);
		assert_string_not_equal(a, b);
		for (int k = 0; k < 32; k++)
			seen |= 1u << (a[k] <= '9' ? a[k] - '0' : a[k] - 'a' + 10);
	}
	assert_int_equal(seen, 0xffff);
}

/* RFC 9562, section 5.4: version 4, variant 10. */
static void uuids(void **state)
{
	struct err err = {0};
	char a[37], b[37];

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(io_uuid(a, &err), 0);
		assert_int_equal(strlen(a), 36);
		for (int k = 0; k < 36; k++) {
			bool dash = k == 8 || k == 13 || k == 18 || k == 23;

			assert_true(dash ? a[k] == '-' : strchr("0123456789abcdef", a[k]) != NULL);
		}
		assert_int_equal(a[14], '4');
		assert_non_null(strchr("89ab", a[19]));
		assert_int_equal(io_uuid(b, &err), 0);
		assert_string_not_equal(a, b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_written_to_a_pipe_in_a_storm_of_signals),
		cmocka_unit_test(all_is_read_from_a_pipe_in_a_storm_of_signals),
		test_in_place(a_write_that_fails_half_way_is_an_error),
		test_in_place(reading_full_stops_at_the_end),
		test_in_place(what_is_expected_comes_in_one_read),
		test_in_place(the_maximum_is_exact),
		test_in_place(a_buffer_with_a_limit_needs_no_more_than_the_file),
		test_in_place(only_regular_files_are_read),
		cmocka_unit_test(proc_files_are_read),
		test_in_place(directories_are_made),
		test_in_place(directories_through_links_and_over_files),
		test_in_place(directories_as_deep_as_a_path_goes),
		test_in_place(a_directory_is_opened_and_a_link_is_not),
		test_in_place(the_parent_and_the_name),
		test_in_place(files_are_copied),
		test_in_place(sparse_files_are_copied),
		test_in_place(zeros_become_holes_and_read_the_same),
		test_in_place(holes_are_not_read_and_read_the_same),
		cmocka_unit_test(what_cannot_tell_its_holes_is_read),
		test_in_place(holes_need_a_file_and_room),
		test_in_place(short_input_is_said),
		test_in_place(what_copy_file_range_refuses_is_copied),
		cmocka_unit_test(random_names),
		cmocka_unit_test(uuids),
	};

	return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <signal.h>
#include <sys/resource.h>

static void assert_content(struct place *p, const char *name, const char *want)
{
	struct err err = {0};
	auto_buf got = {0};

	assert_int_equal(io_read_file(p->fd, name, 1 << 20, &got, &err), 0);
	assert_int_equal(got.len, strlen(want));
	assert_memory_equal(got.data, want, got.len);
}

static mode_t mode_of(struct place *p, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(p->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void appears_and_replaces(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	char absolute[8192];

	assert_int_equal(io_publish(p->fd, "f", "one", 3, 0644, 0, &err), 0);
	assert_content(p, "f", "one");
	assert_int_equal(io_publish(p->fd, "f", "second", 6, 0600, IO_DURABLE, &err), 0);
	assert_content(p, "f", "second");
	assert_int_equal(mode_of(p, "f"), 0600);
	assert_int_equal(io_publish(p->fd, "f", NULL, 0, 0600, 0, &err), 0);
	assert_content(p, "f", "");
	assert_int_equal(mkdirat(p->fd, "d", 0700), 0);
	assert_int_equal(io_publish(p->fd, "d/g", "below", 5, 0644, IO_EXCL | IO_DURABLE, &err), 0);
	assert_content(p, "d/g", "below");
	snprintf(absolute, sizeof absolute, "%s/d/h", p->path);
	assert_int_equal(io_publish(AT_FDCWD, absolute, "abs", 3, 0644, IO_DURABLE, &err), 0);
	assert_content(p, "d/h", "abs");
	assert_int_equal(entries(p, "."), 2);
	assert_int_equal(entries(p, "d"), 2);
}

static void the_mode_is_the_one_asked_for_whatever_the_umask(void **state)
{
	static const mode_t umasks[] = { 0, 022, 077, 0777 };
	static const mode_t modes[] = { 0644, 0600, 0755, 0444, 0 };
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(umasks); i++)
		for (size_t k = 0; k < ARRAY_LEN(modes); k++) {
			struct err err = {0};
			mode_t old = umask(umasks[i]);
			int plain = io_publish(p->fd, "f", "x", 1, modes[k], 0, &err);
			int excl = io_publish(p->fd, "e", "x", 1, modes[k], IO_EXCL, &err);

			umask(old);
			assert_int_equal(plain, 0);
			assert_int_equal(excl, 0);
			assert_int_equal(mode_of(p, "f"), modes[k]);
			assert_int_equal(mode_of(p, "e"), modes[k]);
			assert_int_equal(unlinkat(p->fd, "e", 0), 0);
		}
}

static void exclusive_means_that_nothing_was_there(void **state)
{
	struct place *p = *state;
	struct err err = {0};

	assert_int_equal(io_publish(p->fd, "f", "one", 3, 0644, IO_EXCL, &err), 0);
	assert_int_equal(io_publish(p->fd, "f", "two", 3, 0644, IO_EXCL, &err), -1);
	assert_error(err, ERR_USAGE, EEXIST, "write 'f'");
	assert_content(p, "f", "one");
	/* A link that leads nowhere is a name that is taken, too. */
	assert_int_equal(symlinkat("nowhere", p->fd, "link"), 0);
	assert_int_equal(io_publish(p->fd, "link", "two", 3, 0644, IO_EXCL, &err), -1);
	assert_error(err, ERR_USAGE, EEXIST, "write 'link'");
	assert_false(exists(p, "nowhere"));
	assert_int_equal(entries(p, "."), 2);
	/* One link only: the name beside is gone. */
	struct stat st;
	assert_int_equal(fstatat(p->fd, "f", &st, 0), 0);
	assert_int_equal(st.st_nlink, 1);
}

static void a_link_is_replaced_and_not_followed(void **state)
{
	struct place *p = *state;
	struct err err = {0};

	put(p, "target", "old", 3, 0600);
	assert_int_equal(symlinkat("target", p->fd, "link"), 0);
	assert_int_equal(io_publish(p->fd, "link", "new", 3, 0644, 0, &err), 0);
	assert_content(p, "target", "old");
	assert_content(p, "link", "new");
	assert_int_equal(mode_of(p, "link"), 0644);
}

static void the_longest_name_works(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	char name[257];

	memset(name, 'n', 255);
	name[255] = '\0';
	assert_int_equal(io_publish(p->fd, name, "x", 1, 0644, 0, &err), 0);
	assert_content(p, name, "x");
	memset(name, 'n', 256);
	name[256] = '\0';
	assert_int_equal(io_publish(p->fd, name, "x", 1, 0644, 0, &err), -1);
	assert_error(err, ERR_INTERNAL, ENAMETOOLONG, "rename");
	assert_int_equal(entries(p, "."), 1);
}

static int publish_past_the_limit(struct place *p)
{
	struct rlimit limit = { 4096, 4096 };
	char data[10000] = "x";

	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	for (int flags = 0; flags < 4; flags++) {
		struct err err = {0};

		CHECK(io_publish(p->fd, flags & IO_EXCL ? "new" : "f", data, sizeof data, 0644, flags, &err) == -1);
		CHECK(err.kind == ERR_INTERNAL && err.sys == EFBIG);
	}
	return 0;
}

static void nothing_is_left_beside_on_failure(void **state)
{
	struct place *p = *state;
	struct err err = {0};

	/* No room. */
	put(p, "f", "old", 3, 0600);
	in_child(publish_past_the_limit, p);
	assert_content(p, "f", "old");
	assert_int_equal(entries(p, "."), 1);
	/* A directory has the name. */
	assert_int_equal(mkdirat(p->fd, "d", 0700), 0);
	assert_int_equal(io_publish(p->fd, "d", "x", 1, 0644, 0, &err), -1);
	assert_error(err, ERR_INTERNAL, EISDIR, "write 'd': rename");
	assert_int_equal(io_publish(p->fd, "d", "x", 1, 0644, IO_EXCL, &err), -1);
	assert_error(err, ERR_USAGE, EEXIST, "write 'd'");
	/* No name at all. */
	assert_int_equal(io_publish(p->fd, "d/", "x", 1, 0644, 0, &err), -1);
	assert_int_equal(io_publish(p->fd, "", "x", 1, 0644, 0, &err), -1);
	assert_int_equal(io_publish(p->fd, "d/..", "x", 1, 0644, 0, &err), -1);
	/* No directory. */
	assert_int_equal(io_publish(p->fd, "missing/f", "x", 1, 0644, 0, &err), -1);
	assert_error(err, ERR_INTERNAL, ENOENT, "write 'missing/f'");
	assert_int_equal(io_publish(p->fd, "f/g", "x", 1, 0644, 0, &err), -1);
	assert_error(err, ERR_INTERNAL, ENOTDIR, "write 'f/g'");
	assert_int_equal(entries(p, "."), 2);
	assert_int_equal(entries(p, "d"), 0);
}

/* fsync needs the directory open for reading: found out before anything is written, not after. */
static void a_directory_that_cannot_be_synced_is_refused_first(void **state)
{
	struct place *p = *state;
	struct err err = {0};

	assert_int_equal(mkdirat(p->fd, "d", 0700), 0);
	assert_int_equal(fchmodat(p->fd, "d", 0300, 0), 0);
	assert_int_equal(io_publish(p->fd, "d/plain", "x", 1, 0644, 0, &err), 0);
	int result = io_publish(p->fd, "d/durable", "x", 1, 0644, IO_DURABLE, &err);
	assert_int_equal(fchmodat(p->fd, "d", 0700, 0), 0);
	if (geteuid() == 0) {
		/* Root reads any directory. */
		assert_int_equal(result, 0);
		assert_int_equal(entries(p, "d"), 2);
	} else {
		assert_int_equal(result, -1);
		assert_error(err, ERR_INTERNAL, EACCES, "write 'd/durable'");
		assert_int_equal(entries(p, "d"), 1);
	}
}

#define WRITERS 6
#define ROUNDS 60
#define BIG 40000

static int publish_often(struct place *p)
{
	auto_free char *data = malloc(BIG);

	memset(data, 'a' + getpid() % 26, BIG);
	for (int i = 0; i < ROUNDS; i++) {
		struct err err = {0};

		CHECK(io_publish(p->fd, "shared", data, BIG, 0644, 0, &err) == 0);
	}
	return 0;
}

static pid_t start(int (*fn)(struct place *), struct place *p)
{
	fflush(NULL);
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn(p));
	return pid;
}

static void writers_at_the_same_time_never_show_half_a_file(void **state)
{
	struct place *p = *state;
	struct err err = {0};
	pid_t pids[WRITERS];
	int running = WRITERS, wrong = 0, reads = 0;

	assert_int_equal(io_publish(p->fd, "shared", "", 0, 0644, 0, &err), 0);
	for (int i = 0; i < WRITERS; i++)
		pids[i] = start(publish_often, p);
	while (running > 0) {
		auto_buf got = {0};
		int status;

		wrong += io_read_file(p->fd, "shared", BIG, &got, &err) < 0;
		reads++;
		if (got.len != 0)
			wrong += got.len != BIG || memcmp(got.data, got.data + 1, BIG - 1) != 0;
		for (int i = 0; i < WRITERS; i++)
			if (pids[i] > 0 && waitpid(pids[i], &status, WNOHANG) == pids[i]) {
				pids[i] = 0;
				running--;
				wrong += status != 0;
			}
	}
	assert_int_equal(wrong, 0);
	assert_true(reads > 1);
	assert_int_equal(entries(p, "."), 1);
}

static int publish_once(struct place *p)
{
	struct err err = {0};

	if (io_publish(p->fd, "prize", "x", 1, 0644, IO_EXCL, &err) == 0)
		return 0;
	return err.kind == ERR_USAGE && err.sys == EEXIST ? 7 : 8;
}

static void of_exclusive_writers_one_wins(void **state)
{
	struct place *p = *state;
	pid_t pids[8];
	int won = 0, lost = 0;

	for (size_t i = 0; i < ARRAY_LEN(pids); i++)
		pids[i] = start(publish_once, p);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		won += status == 0;
		lost += WIFEXITED(status) && WEXITSTATUS(status) == 7;
	}
	assert_int_equal(won, 1);
	assert_int_equal(lost, 7);
	assert_int_equal(entries(p, "."), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_place(appears_and_replaces),
		test_in_place(the_mode_is_the_one_asked_for_whatever_the_umask),
		test_in_place(exclusive_means_that_nothing_was_there),
		test_in_place(a_link_is_replaced_and_not_followed),
		test_in_place(the_longest_name_works),
		test_in_place(nothing_is_left_beside_on_failure),
		test_in_place(a_directory_that_cannot_be_synced_is_refused_first),
		test_in_place(writers_at_the_same_time_never_show_half_a_file),
		test_in_place(of_exclusive_writers_one_wins),
	};

	return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}

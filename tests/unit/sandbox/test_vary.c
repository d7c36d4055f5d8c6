/* SPDX-License-Identifier: Apache-2.0 */
/* Another host than it is, as a command sees it. */
#include "box.h"

#include <sched.h>
#include <time.h>

#define AHEAD 100000000
/** The clocks may go on between what is compared. */
#define SLACK 60

static int setup(void **state)
{
	if (box_setup(state) != 0)
		return -1;
	box_program(*state, "facts.c", "rootfs/bin/facts");
	return 0;
}

/** What facts.c says of @p name, as a number. */
static long long fact(const struct box *b, const char *name)
{
	char key[64];
	const char *line;

	snprintf(key, sizeof key, "\n%s ", name);
	line = strstr(b->out.data, key);
	if (line == NULL)
		fail_msg("nothing of '%s' in: %s%s", name, b->out.data, b->errout.data);
	return atoll(line + strlen(key));
}

static void ask(struct box *b, const struct sandbox_vary *vary, const char *dir)
{
	b->conf.vary = vary;
	b->conf.no_receipt = true;
	box_must(box_try(b, BOX_ARGV("facts", dir)), &b->err);
	if (b->res.end != SANDBOX_EXITED || b->res.code != 0)
		fail_msg("end %d code %d: %s", b->res.end, b->res.code, b->errout.data);
}

static void near(long long a, long long b)
{
	assert_in_range(a - b + SLACK, 0, 2 * SLACK);
}

static void test_nothing_is_varied(void **state)
{
	struct box *b = *state;
	const struct sandbox_vary none = { 0 };

	ask(b, &none, "/etc");
	near(fact(b, "time"), time(NULL));
	b->conf.no_receipt = false;
	assert_int_equal(box_inside(b, "true"), 0);
	assert_non_null(b->res.receipt);
}

static void test_no_receipt_is_of_another_host(void **state)
{
	struct box *b = *state;
	const struct sandbox_vary vary = { .pids = 1 };

	b->conf.vary = &vary;
	box_fails(b, ERR_USAGE, "has no receipt");
}

static void test_another_clock(void **state)
{
	struct box *b = *state;
	const struct sandbox_vary vary = { .clock_s = AHEAD };
	static const char *const ahead[] = { "time", "stored", "gettimeofday", "realtime", "coarse", "tai", "syscall" };
	struct timespec since;

	ask(b, &vary, "/etc");
	for (size_t i = 0; i < ARRAY_LEN(ahead); i++)
		near(fact(b, ahead[i]), time(NULL) + AHEAD);
	clock_gettime(CLOCK_MONOTONIC, &since);
	near(fact(b, "monotonic"), since.tv_sec);
	assert_int_equal(fact(b, "fault"), -1);
	assert_int_equal(fact(b, "begins"), 0);
	near(fact(b, "closed"), time(NULL));
}

/** The names that the first line with a list has, in order. */
static void names(const char *from, char all[64][64], size_t *ret)
{
	const char *line = strstr(from, "\nlist ");
	size_t n = 0, len;

	assert_non_null(line);
	for (const char *p = line + 5; *p == ' '; p += 1 + len) {
		len = strcspn(p + 1, " \n");
		assert_in_range(n, 0, 63);
		snprintf(all[n++], sizeof all[0], "%.*s", (int)len, p + 1);
	}
	*ret = n;
}

static void test_another_order(void **state)
{
	struct box *b = *state;
	const struct sandbox_vary vary = { .other_order = true };
	char plain[64][64], other[64][64], threads[64][64];
	size_t n, m, k;

	ask(b, NULL, "/etc");
	names(b->out.data, plain, &n);
	ask(b, &vary, "/etc");
	names(b->out.data, other, &m);
	names(strstr(b->out.data, "\nlist ") + 1, threads, &k);
	assert_in_range(n, 5, 63);
	assert_int_equal(n, m);
	assert_int_equal(n, k);
	assert_int_equal(fact(b, "again"), n);
	assert_int_equal(fact(b, "behind"), 0);
	const char *closed = strstr(strstr(b->out.data, "\nclosed "), "\nagain ");
	assert_non_null(closed);
	assert_int_equal(atoll(closed + 7), n);
	/* Entries of the directory itself and the one above are first, wherever they were. */
	size_t dots = 0;
	for (size_t i = 0; i < n; i++)
		dots += strcmp(plain[i], ".") == 0 || strcmp(plain[i], "..") == 0;
	assert_int_equal(dots, 2);
	assert_int_equal(other[0][0], '.');
	assert_int_equal(other[1][0], '.');
	for (size_t i = 0, at = n; i < n; i++) {
		if (strcmp(plain[i], ".") == 0 || strcmp(plain[i], "..") == 0)
			continue;
		assert_string_equal(other[--at], plain[i]);
		assert_string_equal(threads[at], plain[i]);
	}
}

/** More than one piece: each name once. */
static void test_a_long_directory(void **state)
{
	struct box *b = *state;
	const struct sandbox_vary vary = { .other_order = true };
	char path[64];

	box_dir(b, "rootfs/srv/long");
	for (int i = 0; i < 3000; i++) {
		snprintf(path, sizeof path, "rootfs/srv/long/some-longer-name-%d", i);
		box_file(b, path, "");
	}
	ask(b, &vary, "/srv/long");
	assert_int_equal(fact(b, "again"), 3002);
	for (int i = 0; i < 3000; i++) {
		snprintf(path, sizeof path, " some-longer-name-%d ", i);
		const char *found = strstr(b->out.data, path);
		/* The last of a line has its end behind it. */
		if (found == NULL) {
			path[strlen(path) - 1] = '\n';
			found = strstr(b->out.data, path);
		}
		assert_non_null(found);
	}
	box_must(io_remove_tree(b->base, "rootfs/srv/long", &b->err), &b->err);
}

static void test_one_processor(void **state)
{
	struct box *b = *state;
	const struct sandbox_vary vary = { .one_cpu = true };

	ask(b, &vary, "/etc");
	assert_int_equal(fact(b, "affinity"), 1);
	assert_int_equal(fact(b, "online"), 1);
	assert_int_equal(fact(b, "cpuinfo"), 1);
	assert_int_equal(fact(b, "stat"), 2); /* "cpu" and "cpu0" */
}

static void test_other_pids(void **state)
{
	struct box *b = *state;
	const struct sandbox_vary vary = { .pids = 500 };

	ask(b, NULL, "/etc");
	long before = atol(b->out.data + 4);
	ask(b, &vary, "/etc");
	assert_int_equal(atol(b->out.data + 4), before + 500);
}

/** All at once, with a filter of glovebox's own that refuses; in a space and with programs that start programs it is the end-to-end
 *  tests' affair. */
static void test_together(void **state)
{
	struct box *b = *state;
	const struct sandbox_vary vary = { .one_cpu = true, .other_order = true, .clock_s = AHEAD, .pids = 100 };

	ask(b, &vary, "/etc");
	near(fact(b, "time"), time(NULL) + AHEAD);
	assert_int_equal(fact(b, "online"), 1);
	b->conf.vary = &vary;
	box_refuses(b, EPERM, "unshare");
	/* Where the command may have no more files open than it is started with, it is still answered. */
	b->conf.limits.files = 16;
	ask(b, &vary, "/etc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		box_test(test_nothing_is_varied),
		box_test(test_no_receipt_is_of_another_host),
		box_test(test_another_clock),
		box_test(test_another_order),
		box_test(test_a_long_directory),
		box_test(test_one_processor),
		box_test(test_other_pids),
		box_test(test_together),
	};

	return cmocka_run_group_tests(tests, setup, box_teardown);
}

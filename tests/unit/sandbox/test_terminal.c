/* SPDX-License-Identifier: Apache-2.0 */
/* A command on a terminal of the sandbox's own, seen from the caller's: bytes both ways, size, hang-up. */
#include "box.h"

#include <poll.h>
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>

/** The caller's terminal, raw; somebody sits at its master. */
struct desk {
	int master, tty;
	struct sandbox_terminal terminal;
};

static struct desk desk_open(void)
{
	struct desk d;
	struct winsize size = { .ws_row = 31, .ws_col = 77 };
	struct termios raw;

	assert_int_equal(openpty(&d.master, &d.tty, NULL, NULL, &size), 0);
	assert_int_equal(tcgetattr(d.tty, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(d.tty, TCSANOW, &raw), 0);
	d.terminal = (struct sandbox_terminal){ .in = d.tty, .out = d.tty, .resized = -1 };
	return d;
}

static void desk_close(struct desk *d)
{
	close(d->master);
	close(d->tty);
}

/** The kernel passes on what was written in its own time. */
static void assert_stands(const struct desk *d, const char *text)
{
	char shown[4096];
	size_t n = 0;
	struct pollfd p = { .fd = d->master, .events = POLLIN };

	for (shown[0] = '\0'; strstr(shown, text) == NULL; shown[n] = '\0') {
		if (poll(&p, 1, 10000) != 1)
			fail_msg("not there: %s; but: %s", text, shown);
		ssize_t got = read(d->master, shown + n, sizeof shown - 1 - n);
		assert_true(got > 0);
		n += (size_t)got;
	}
}

static int run(struct box *b, const struct desk *d, const char *const *argv)
{
	b->conf.terminal = &d->terminal;
	b->conf.output = NULL;
	return box_try(b, argv);
}

static void test_is_terminal(void **state)
{
	struct box *b = *state;
	struct desk d = desk_open();

	box_must(run(b, &d, BOX_ARGV("inside", "terminal")), &b->err);
	assert_int_equal(b->res.end, SANDBOX_EXITED);
	assert_int_equal(b->res.code, 0);
	assert_stands(&d, "/dev/pts/0 31 77 own\r\n");
	desk_close(&d);
}

static void test_typed(void **state)
{
	struct box *b = *state;
	struct desk d = desk_open();

	/* Waiting before it starts, as what people type ahead. */
	assert_int_equal(write(d.master, "word\n", 5), 5);
	box_must(run(b, &d, BOX_ARGV("inside", "echo-line")), &b->err);
	assert_int_equal(b->res.code, 0);
	/* The sandbox's terminal echoes, the caller's does not. */
	assert_stands(&d, "word\r\nheard word\r\n");
	desk_close(&d);
}

/** The caller's terminal is gone: so is the sandbox's, and what minds neither that nor SIGTERM is killed. */
static void test_gone(void **state)
{
	struct box *b = *state;
	struct desk d = desk_open();

	b->conf.limits.grace_ms = 200;
	close(d.master);
	box_must(run(b, &d, BOX_ARGV("inside", "sleep", "30")), &b->err);
	assert_int_equal(b->res.end, SANDBOX_CANCELLED);
	assert_in_range(b->res.wall_us, 0, 10000000);
	close(d.tty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		box_test(test_is_terminal),
		box_test(test_typed),
		box_test(test_gone),
	};

	return cmocka_run_group_tests(tests, box_setup, box_teardown);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include <linux/capability.h>
#include <linux/sched.h>

#include "base/confine.h"

/** Runs @p fn confined with @p conf's limits. */
static int run(struct confine_conf conf, confine_fn *fn, void *arg, struct buf *out, struct err *err)
{
	conf.what = "the reader of x";
	conf.fn = fn;
	conf.arg = arg;
	conf.kind = conf.kind == 0 ? ERR_INPUT : conf.kind;
	return confine_run(&conf, 1 << 20, out, err);
}

/* ---- what it is for ------------------------------------------------------------------------ */

static int touched;

/** Copies what it was given, upper-cased. */
static int copies(void *arg, int out, struct err *err)
{
	char *data = malloc(100000);
	ssize_t n;

	touched = 1;
	if (data == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "malloc");
	while ((n = read(*(int *)arg, data, 100000)) > 0)
		if (io_write_all(out, data, (size_t)n, err) < 0)
			return -1;
	free(data);
	return n < 0 ? err_set(err, ERR_INTERNAL, errno, "read") : 0;
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

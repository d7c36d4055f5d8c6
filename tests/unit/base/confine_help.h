/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file confine_help.h
 * What the test programs of base/confine.h share: running a function confined, and some functions.
 */
#ifndef GB_TEST_BASE_CONFINE_HELP_H
#define GB_TEST_BASE_CONFINE_HELP_H

#include "help.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "base/confine.h"

/** A call came back, and did what it was asked, or failed with an errno: that is the error. */
static inline int came_back(long result, struct err *err)
{
	return result < 0 ? err_set(err, ERR_INPUT, errno, "refused") : 0;
}

/** A function of the child that makes one call. */
#define CALLS(name, ...)                                            \
	static int name(void *arg, int out, struct err *err)        \
	{                                                           \
		(void)arg;                                          \
		(void)out;                                          \
		return came_back((long)(__VA_ARGS__), err);         \
	}

/** Runs @p fn confined with @p conf's limits. */
static inline int run(struct confine_conf conf, confine_fn *fn, void *arg, struct buf *out, struct err *err)
{
	conf.what = "the reader of x";
	conf.fn = fn;
	conf.arg = arg;
	conf.kind = conf.kind == 0 ? ERR_INPUT : conf.kind;
	return confine_run(&conf, 1 << 20, out, err);
}

static int touched;

/** Copies what it was given. */
static inline int copies(void *arg, int out, struct err *err)
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

static inline int crashes(void *arg, int out, struct err *err)
{
	(void)arg;
	(void)out;
	(void)err;
	*(volatile int *)4096 = 1; /* not NULL: UBSan would come first */
	return 0;
}

#endif

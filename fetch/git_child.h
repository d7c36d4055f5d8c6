/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file git_child.h
 * git(1) as a child with as little as it needs: our environment and nothing of the caller's, no descriptors, no capabilities, no
 * new privileges, limits on memory, time and file size, and no network where it needs none. Private to fetch/.
 */
#ifndef GB_FETCH_GIT_CHILD_H
#define GB_FETCH_GIT_CHILD_H

#include <sys/types.h>

#include "fetch/fetch.h"

/** Most bytes that are kept of what a child says on its standard error. */
#define GIT_CHILD_SAID_MAX 2000

/** What to run. Borrowed. */
struct git_child_conf {
	const struct ident *id;
	const struct fetch_net *net; /**< for the cancel descriptor, and with @c network its proxies and certificates */
	const char *const *args;     /**< behind "git"; NULL-terminated */
	const char *git_dir;         /**< absolute path of the repository that it works in: always one of our own making */
	const char *protocols;       /**< GIT_ALLOW_PROTOCOL */
	bool network;                /**< may make sockets other than local ones */
	bool read_all;               /**< real root: keeps the right to read inputs, which the step user lacks */
};

/** A child that is spoken to through pipes. */
struct git_child {
	pid_t pid;
	int in, out, said;   /**< its standard input (a socket), output and error; -1: none */
};
#define GIT_CHILD_NONE ((struct git_child){ .pid = -1, .in = -1, .out = -1, .said = -1 })

/** Starts it with pipes at standard input and output; what it says on standard error is lost. */
int git_child_start(const struct git_child_conf *conf, struct git_child *ret, struct err *err);
/** Ends it, with all that it started, and leaves nothing of it. Any number of times. */
void git_child_kill(struct git_child *c);
#define auto_git_child __attribute__((cleanup(git_child_kill))) struct git_child

/** Runs it to its end; appends what it writes to standard output to @p out (over the buffer's limit: ERR_INPUT; NULL: it has none).
 *  ERR_INPUT with what it said when it fails; ERR_HOST: there is no git; ERR_INTERRUPTED. */
int git_child_run(const struct git_child_conf *conf, struct buf *out, struct err *err);

#endif

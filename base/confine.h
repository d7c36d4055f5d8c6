/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file confine.h
 * Confinement of the process itself: bytes from outside are parsed in a child that has lost everything but its
 * pipes, so that a bug in a decompressor is no bug in the runner.
 *
 * The child is a copy of the caller in which one function runs. It has: the descriptors it was given, one pipe to
 * answer into, memory, random numbers and the clock. It has not: any other descriptor, any id but the effective
 * ones, capabilities, signal handlers, a way to open, look up or execute anything, to make sockets or processes, to
 * signal or to trace (seccomp(2): a call that opens or looks up gives EACCES, so that libraries which look for a file
 * hear of an error; any other that is not on the list ends the child. Landlock, where the kernel has it, repeats
 * the first half). It ends when the thread that started it ends, and at its limits. What it says is not believed:
 * errors are checked, cut and cleaned here; what it writes to the pipe is untrusted input of the caller's.
 * A child costs half a millisecond beyond fork(2), which itself grows with the memory that the caller has touched.
 *
 * A child whose work is to speak to the network (struct confine_reach) has more: it may make sockets of IPv4 and IPv6 and connect them,
 * have threads, and open the files that are named for it, for reading; nothing else by Landlock, and never for writing, by seccomp. Where the
 * kernel has no Landlock it can read what its user can. By either it can ask whether a path exists, and cannot execute, map a file as code, listen,
 * or reach a local socket.
 *
 * What the function may count on: malloc (also where the caller has threads), reading, writing, seeking and mapping
 * what it was given. It may not count on: fstat(2) (libc 2.33 to 2.38 asks by a call that could look up names), so
 * libarchive reads by callbacks, not archive_read_open_fd(); files of a locale or a converter; threads; other
 * threads' locks. All that the caller's memory holds at the start is in the copy: read private keys and secrets later, or
 * in another process (base/apart.h), and have no writable MAP_SHARED mapping, which would be shared with it.
 */
#ifndef GB_CONFINE_H
#define GB_CONFINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/** Most descriptors that are handed over. */
#define CONFINE_FDS_MAX 8
/** What a limit of 0 means: there is no "unlimited". */
#define CONFINE_MEMORY (256ull << 20)
#define CONFINE_CPU_S 60
#define CONFINE_WALL_MS (300 * 1000)
/** Longest message taken from a child, after cleaning. */
#define CONFINE_MSG_MAX 1024

/** Descriptors that a child which reaches the network may have at once. */
#define CONFINE_REACH_FDS 64

/** What a child may do beside computing: speak to the network. Borrowed until the end of the child. */
struct confine_reach {
	const char *const *files;  /**< NULL-terminated: files it may read, and directories all files below which it may read. Links are
				    *   followed once, at its start; what is not there then is not missed */
	const char *file;          /**< one more, or NULL */
};

/** The work: reads what @p arg (the caller's memory, copied) names, writes its answer to the pipe @p out.
 *  @return 0, or -1 with @p err filled. SIGPIPE is ignored: nobody reading is EPIPE. */
typedef int confine_fn(void *arg, int out, struct err *err);

/** What runs, and with how much. Pointers are the caller's and stay valid until the end of the child. */
struct confine_conf {
	const char *what;     /**< who it is in messages: "the reader of layer sha256:…" */
	confine_fn *fn;
	void *arg;
	const int *fds;       /**< what the child keeps, at the same numbers; the caller's copies stay the caller's */
	size_t nfds;          /**< at most CONFINE_FDS_MAX */
	const struct confine_reach *reach; /**< or NULL: nothing but those */
	enum err_kind kind;   /**< what its errors are, and limits that it ran into; it may choose only between this and ERR_INTERNAL */
	uint64_t memory;      /**< bytes of address space beyond the copy's own; 0: CONFINE_MEMORY */
	uint64_t file_size;   /**< RLIMIT_FSIZE of files that were handed over; 0: nothing is written but pipes */
	unsigned cpu_s;       /**< seconds of processor time; 0: CONFINE_CPU_S */
	unsigned wall_ms;     /**< time, also that in which it waits for the caller; 0: CONFINE_WALL_MS */
};

/** A child at work, owned by who started it: confine_finish() or confined_kill() end it, by the same thread and
 *  under the same effective ids as it was started. */
struct confined {
	struct confine_conf conf;
	int out;       /**< read end of its pipe: the caller may read, and close by move_fd() */
	int report;
	int pidfd;     /**< -1: none */
	uint64_t start_ms;
};

/** No child. */
#define CONFINED_NONE ((struct confined){ .out = -1, .report = -1, .pidfd = -1 })

/** Starts the child and returns at once; its set-up may still fail, which confine_finish() tells. ERR_INTERNAL.
 *  A caller of one thread hears of it in no other way. One of several is sent SIGCHLD at its end, and must neither ignore that
 *  nor wait for just any child meanwhile. */
int confine_start(const struct confine_conf *conf, struct confined *ret, struct err *err);

/** Closes `out`, waits for the child's end and leaves nothing of it behind, whatever it @return s: 0 when
 *  the function returned 0. Its own error, as conf.kind or ERR_INTERNAL; a limit of time as conf.kind, named;
 *  ERR_INTERNAL when it died ("the reader of X died (SIGSEGV, …)"); ERR_HOST when this host cannot
 *  confine it. An answer that ends too early is explained here: ask before complaining of the answer. */
int confine_finish(struct confined *c, struct err *err);

/** Ends and reaps the child, if there is one. */
void confined_kill(struct confined *c);

/** `auto_confined c = CONFINED_NONE;`: killed at scope end unless finished. */
#define auto_confined __attribute__((cleanup(confined_kill))) struct confined

/** Start and finish in one, for an answer of at most @p max bytes, which is appended to @p ret. Over
 *  @p max: conf.kind. @p ret keeps its content on failure. With @p max 0, no answer is expected. */
int confine_run(const struct confine_conf *conf, size_t max, struct buf *ret, struct err *err);

#endif

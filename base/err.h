/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file err.h
 * One error object, owned by the caller, of fixed size, filled once at the
 * place of failure and given context on the way up.
 *
 * Every fallible function of glovebox returns 0, or -1 with `struct err`
 * filled; its `ret_` outputs come last before `struct err *` and are untouched
 * on failure. Only cli/ prints an error, once, and maps its kind to an exit code.
 */
#ifndef GB_ERR_H
#define GB_ERR_H

/** What sort of failure it was. The number is the exit code of glovebox(1). */
enum err_kind {
	ERR_NONE = 0,
	ERR_STEP = 1,         /**< a step or a required test failed */
	ERR_USAGE = 2,        /**< usage, or the spec is not valid */
	ERR_REFUSED = 3,      /**< a gate or a policy of the run refused */
	ERR_UNVERIFIED = 4,   /**< not verified, malformed evidence, not reproduced */
	ERR_HOST = 5,         /**< this host cannot make the sandbox */
	ERR_INPUT = 6,        /**< an input is missing or has another digest */
	ERR_PUBLISH = 7,      /**< publishing failed */
	ERR_INTERNAL = 125,   /**< an error of glovebox's own (out of disk, a bug, …) */
	ERR_INTERRUPTED = 130, /**< SIGINT */
	ERR_TERMINATED = 143, /**< SIGTERM */
};

/** Longest message kept; longer ones are cut at the end. */
#define ERR_MSG_MAX 2048

/** An error. Zero-initialise: `struct err err = {0};`. Owns nothing. */
struct err {
	enum err_kind kind;
	int sys;               /**< errno of the failing call, or 0 */
	int cause;             /**< of ERR_HOST: why this host denies it, a row of the table in sandbox/cause.h; 0: none of these.
	                        *   Set after err_set(), which clears it */
	char msg[ERR_MSG_MAX]; /**< what was being done, on what, why, what next. May hold bytes of
	                        *   hostile names: printed through text_printable() only */
};

/** What err_set() does; call that. */
void err_fill(struct err *err, enum err_kind kind, int sys, const char *fmt, ...)
	__attribute__((format(printf, 4, 5), cold));

/** What err_ctx() does; call that. */
void err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/**
 * err_set(err, kind, sys, format, …): fills @p err with a new message; when
 * `sys` is not 0, ": " and its strerror text are appended. Replaces whatever
 * @p err held, which the arguments may point into. The value is always -1, so that callers can `return err_set(…)`;
 * a macro, so that compilers see that too and follow which outputs are set.
 */
#define err_set(err, kind, sys, ...) (err_fill((err), (kind), (sys), __VA_ARGS__), -1)

/** err_ctx(err, format, …): puts "context: " in front of the message that @p err holds. The value is -1. */
#define err_ctx(err, ...) (err_prefix((err), __VA_ARGS__), -1)

#endif

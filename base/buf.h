/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file buf.h
 * A growable byte buffer. Invariants: `len < cap` or both 0; `data[len]` is NUL
 * whenever `data` is not NULL; the content may hold NUL bytes.
 *
 * Allocation failure: glovebox treats running out of memory as an error like
 * any other; a failed append sets `failed`, leaves the content as it was, makes
 * all later appends no-ops, and is asked for once with buf_check().
 */
#ifndef GB_BUF_H
#define GB_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/own.h"

/** Zero-initialise, or BUF_LIMIT(n) for a buffer that refuses to grow past n bytes. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t limit;  /**< 0: no limit but memory */
	bool failed;   /**< an append did not fit or memory was short */
	bool full;     /**< and it was that it did not fit */
};

#define BUF_LIMIT(n) ((struct buf){ .limit = (n) })

/** Appends @p n bytes. Nothing that is appended may lie in the buffer itself. */
void buf_add(struct buf *b, const void *data, size_t n);
/** Appends a string. */
void buf_adds(struct buf *b, const char *s);
/** Appends one byte. */
void buf_addc(struct buf *b, char c);
/** Appends printf-style. */
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Makes room for @p n more bytes and returns where to put them, or NULL (then `failed`).
 *  The caller adds what it wrote to `len` and calls buf_seal(). */
char *buf_room(struct buf *b, size_t n);
/** Sets `len` and writes the closing NUL. @p len must be within the room made. */
void buf_seal(struct buf *b, size_t len);
/** Empties and forgets a failure, keeps the memory. */
void buf_clear(struct buf *b);
/** Frees the memory and zeroes all but the limit. */
void buf_free(struct buf *b);
/** buf_free() for what held a secret: zeroes the memory first. A secret is given room in advance, else growing leaves copies behind. */
void buf_wipe(struct buf *b);
/** The content as a string the caller owns (free()); the buffer is empty after.
 *  NULL when the buffer has failed (it keeps its content then) or memory is short.
 *  An empty buffer gives "". */
char *buf_take(struct buf *b);
/** @return 0, or -1 (ERR_INTERNAL) when any append failed. @p what names the content. */
int buf_check(const struct buf *b, const char *what, struct err *err);

#define auto_buf __attribute__((cleanup(buf_free))) struct buf
#define auto_secret __attribute__((cleanup(buf_wipe))) struct buf

#endif

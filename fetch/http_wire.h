/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_wire.h
 * What http.h's client says to the confined process that speaks HTTP for it, and hears from it. For each exchange one struct http_ask goes
 * there with its strings behind it, and struct http_tell come back, each with @c n bytes behind it but for HTTP_TELL_GIVE, up to an HTTP_TELL_END.
 * A part of the body that is asked for goes there as it is.
 *
 * What comes back is believed no more than a server is: a process that was taken over by what it read can say nothing that another server could
 * not. The receiver reads status lines and header fields itself, and holds to the limits here. Both ends are the same program: numbers are as
 * memory has them. Private to fetch/.
 */
#ifndef GB_FETCH_HTTP_WIRE_H
#define GB_FETCH_HTTP_WIRE_H

#include <stdint.h>

/** Most bytes of a body in one piece, either way. */
#define HTTP_PIECE_MAX (64u << 10)
/** Longest reason why an exchange has failed. */
#define HTTP_WHY_MAX 512
/** Most status lines of one exchange: those of 1xx come before the one that counts. */
#define HTTP_STATUS_LINES_MAX 20
/** Most bytes of one piece behind a tell of kind HTTP_TELL_LINE: one more than all lines together may have, so that one that is too long is told. */
#define HTTP_LINE_MAX ((64u << 10) + 1)

struct http_ask {
	uint32_t method_len, url_len, lines_len;  /**< of the strings, in this order; of the lines each has a NUL behind it */
	uint32_t has_body;
	uint64_t body_len;
};

enum http_tell_kind {
	HTTP_TELL_LINE = 1,  /**< a line of the answer's header, a status line among them */
	HTTP_TELL_BODY,      /**< at least one byte of the answer's body */
	HTTP_TELL_GIVE,      /**< @c n bytes of the request's body are wanted, from @c at on */
	HTTP_TELL_END,       /**< the exchange is over: @c at is an enum http_end; but for the first with the reason in words */
};

enum http_end {
	HTTP_END_ANSWERED,   /**< the answer is whole */
	HTTP_END_BROKEN,     /**< another attempt may do better */
	HTTP_END_FAILED,     /**< it would not */
	HTTP_END_INTERNAL,   /**< it is this side's fault */
};

struct http_tell {
	uint32_t kind;       /**< enum http_tell_kind */
	uint32_t n;
	uint64_t at;         /**< 0 where nothing else is said */
};

#endif

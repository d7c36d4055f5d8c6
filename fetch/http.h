/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http.h
 * HTTP(S) requests (RFC 9110), one at a time, with what every caller needs: tries again with growing waits, resumes, follows redirects
 * without giving credentials away, is stopped by a descriptor. Private to fetch/.
 *
 * Spoken, by libcurl, it is in a confined process (http_child.h), one a client, which keeps the connections from one request to the next. It is
 * told of each exchange what to send, and says what came; all decisions are made here: what a status, a header or a redirect means, what is
 * sent to whom, what is too much. It begins as a copy of this process's memory with the first request: send that before secrets are read.
 *
 * TLS is always verified, against the system's certificates or a file of the caller's. Nothing is taken from the environment, from
 * .netrc or from a cookie jar. Content encodings are neither asked for nor undone: the bytes are those that were named by digest.
 */
#ifndef GB_FETCH_HTTP_H
#define GB_FETCH_HTTP_H

#include "fetch/fetch.h"

/** Attempts, where struct fetch_net says 0. */
#define HTTP_ATTEMPTS 5
/** Most redirects of one request. */
#define HTTP_REDIRECTS_MAX 10
/** Most bytes of all header lines of an answer. */
#define HTTP_HEADERS_MAX (64u << 10)
/** Most bytes kept of the body of an answer that is not 2xx. */
#define HTTP_REFUSAL_MAX (16u << 10)
/** Most bytes read of it. */
#define HTTP_REFUSAL_READ_MAX (1u << 20)

/** A client: its settings and its open connections. Belongs to one thread; any number may exist. */
struct http;

/** @p net is borrowed while the client lives, and must not change from the first request on. */
int http_open(const struct fetch_net *net, struct http **ret, struct err *err);
void http_close(struct http *http);
static inline void own_http(struct http **h)
{
	http_close(*h);
}
#define auto_http __attribute__((cleanup(own_http))) struct http *

/** Where the body of a 2xx answer goes as it comes. */
struct http_sink {
	/** The bytes to come begin at offset @p at of the whole. Called before the first of them, and again when the
	 *  transfer has to start anew (at 0, or where the request began): what came before is void. A resumed transfer goes on without a call. */
	int (*begin)(void *arg, uint64_t at, struct err *err);
	int (*add)(void *arg, const void *data, size_t n, struct err *err);
	void *arg;
};

/** A request. Borrowed. */
struct http_request {
	const char *method;            /**< or NULL: GET */
	const char *url;               /**< https:, or http: where struct fetch_net allows it; no user information */
	const char *const *headers;    /**< NULL-terminated "Name: value" lines, or NULL */
	const char *authorization;     /**< value of that header, or NULL; goes to the URL's own scheme, host and port only */
	const void *body;              /**< or NULL */
	int body_fd;                   /**< read by pread(2) where @c body is NULL and @c has_body is set */
	uint64_t body_at, body_len;    /**< which part of @c body_fd (@c body: from its start) */
	bool has_body;
	uint64_t from;                 /**< GET: begin at this offset; an answer that does not heed it begins at 0 */
	const char *if_range;          /**< with @c from: only while the resource still has this validator (a strong ETag, a date) */
	const struct http_sink *sink;  /**< or NULL: the body goes into the response */
	uint64_t limit;                /**< most bytes of a 2xx body; 0: none is wanted */
	bool once;                     /**< try again only after an answer, never after a connection that broke */
	bool keep_redirects;           /**< give a 3xx answer to the caller; so it is anyway for all but GET and HEAD */
};

/** An answer; all of it owned. Zero-initialise. */
struct http_response {
	int status;
	struct buf headers;  /**< lines of the last answer, each with a NUL behind */
	struct buf body;     /**< without a sink; of an answer that is not 2xx, its first bytes */
	char *url;           /**< where it came from in the end */
};
void http_response_clear(struct http_response *r);
#define auto_http_response __attribute__((cleanup(http_response_clear))) struct http_response

/** The value of the first header @p name (any case), without surrounding white space; NULL when there is none. Borrowed. */
const char *http_header(const struct http_response *r, const char *name);

/**
 * Sends, and tries again: after 429 and 5xx (Retry-After is heeded, up to the longest wait), after a connection that failed, broke or
 * stalled. A GET that broke in its body goes on from there by Range and If-Range where the answer had a strong ETag or a date, else anew.
 * Any status is a success of this function, 503 after the last attempt too (http_refused() makes an error of it). ERR_INPUT: no
 * answer, a redirect to where it may not go, a body over the limit; ERR_USAGE: such a URL is not allowed; ERR_INTERRUPTED; ERR_HOST: no
 * libcurl, or no confinement; ERR_INTERNAL: the process died. A failure of the sink ends it at once and is passed on.
 */
int http_send(struct http *http, const struct http_request *req, struct http_response *ret, struct err *err);

/** ERR_INPUT "GET URL: 404 …" with what the server said, shortened. @return -1. */
int http_refused(const struct http_request *req, const struct http_response *r, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file transfer.h
 * One exchange of a request and its answer, made by a confined process (http_child.h): http.c decides whether there is another. Private
 * to fetch/.
 */
#ifndef GB_FETCH_TRANSFER_H
#define GB_FETCH_TRANSFER_H

#include "fetch/http.h"
#include "fetch/http_child.h"
#include "fetch/url.h"

/** Limits of the process that speaks HTTP: of memory beyond what this one has, for TLS, certificates and threads; of time, for all that one
 *  client sends. */
#define HTTP_CHILD_MEMORY (512ull << 20)
#define HTTP_CHILD_CPU_S 3600
#define HTTP_CHILD_WALL_MS (24u * 3600 * 1000)
/** How much longer than connecting and stalling may take it may be silent. */
#define HTTP_CHILD_GRACE_MS 30000
/** Room of the pipe that it answers through. */
#define HTTP_CHILD_PIPE (512 << 10)
/** How long it may leave unread what it was told, and has asked for. */
#define HTTP_CHILD_DEAF_S 3

struct http {
	const struct fetch_net *net;
	confine_fn *speak;           /**< http_child_speak(), but in tests */
	/** The process, from the first exchange on. */
	struct http_child child;
	struct confine_reach reach;
	struct confined process;
	struct answer *answer;       /**< what it says; NULL: there is no process */
	int to;                      /**< a socket: what it is told */
};

/** Ends the process, if there is one; the next exchange starts another. */
void http_child_end(struct http *http);

/** What one request carries from one exchange to the next. */
struct exchange {
	struct http *http;
	const struct http_request *req;
	const struct url *url;       /**< where this exchange goes */
	bool authorized;             /**< the authorization may be sent there */
	uint64_t at;                 /**< how far the whole has been handed to the sink */
	char *validator;             /**< what must not have changed for the transfer to go on from there, or NULL */
	struct http_response *resp;  /**< cleared, filled */

	/* During the exchange. */
	bool began;                  /**< the sink knows where the bytes that come belong */
	unsigned status_lines;       /**< so many have come */
	uint64_t had;                /**< so many bytes of a body have come */
	uint64_t asked;              /**< the offset asked for */
};

/** How an exchange ended, where it did not fail for good. */
enum exchange_end {
	EXCHANGE_ANSWERED,  /**< the whole answer is there */
	EXCHANGE_BROKEN,    /**< no answer, or half of one: @p err says why; another attempt may do better */
};

/** Makes it. -1 with @p err: another attempt cannot help. */
int exchange_run(struct exchange *x, enum exchange_end *ret, struct err *err);

#endif

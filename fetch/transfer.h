/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file transfer.h
 * One exchange of a request and its answer by libcurl: http.c decides whether there is another. Private to fetch/.
 */
#ifndef GB_FETCH_TRANSFER_H
#define GB_FETCH_TRANSFER_H

#include "fetch/curl.h"
#include "fetch/http.h"
#include "fetch/url.h"

struct http {
	const struct fetch_net *net;
	struct curl curl;
	CURLM *multi;  /**< holds the connections from one request to the next */
};

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
	CURL *easy;
	struct curl_slist *lines;    /**< the request's header */
	struct err *err;             /**< filled by a callback that refused to go on */
	bool refused;
	bool began;                  /**< the sink knows where the bytes that come belong */
	uint64_t asked;              /**< the offset asked for */
	uint64_t sent;               /**< of the request's body */
};

/** How an exchange ended, where it did not fail for good. */
enum exchange_end {
	EXCHANGE_ANSWERED,  /**< the whole answer is there */
	EXCHANGE_BROKEN,    /**< no answer, or half of one: @p err says why; another attempt may do better */
};

/** Makes it. -1 with @p err: another attempt cannot help. */
int exchange_run(struct exchange *x, enum exchange_end *ret, struct err *err);

#endif

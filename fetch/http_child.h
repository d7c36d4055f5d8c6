/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file http_child.h
 * The confined process that speaks HTTP (base/confine.h): libcurl and all that it brings, TLS, name resolution and proxies, works there and
 * nowhere else. It reaches the network, and for reading what says how: certificates, name servers. Private to fetch/.
 */
#ifndef GB_FETCH_HTTP_CHILD_H
#define GB_FETCH_HTTP_CHILD_H

#include "fetch/curl.h"
#include "fetch/fetch.h"

/** What it begins with, copied with the memory that it lies in. */
struct http_child {
	const struct fetch_net *net;
	struct curl curl;
	int in;           /**< a socket: struct http_ask come out of it (http_wire.h) */
};

/** The limits of @p net, with what 0 means. */
static inline uint64_t http_connect_ms(const struct fetch_net *net)
{
	return net->connect_ms != 0 ? net->connect_ms : 20000;
}
static inline uint64_t http_stall_ms(const struct fetch_net *net)
{
	return net->stall_ms != 0 ? net->stall_ms : 60000;
}

/** Its work: answers what comes through @c in to @p out, until that ends. @p arg: a struct http_child. */
int http_child_speak(void *arg, int out, struct err *err);

/** Where certificates and the settings of name resolution are, for struct confine_reach. */
extern const char *const http_child_files[];

#endif

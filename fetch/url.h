/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file url.h
 * URLs (RFC 3986): which of them may be asked for, and where a redirect leads. A parser of our own, for https: and http: alone and stricter
 * than the RFC: servers say where they redirect to, and what they say is not for a library in this process. Private to fetch/.
 */
#ifndef GB_FETCH_URL_H
#define GB_FETCH_URL_H

#include "fetch/fetch.h"

/** Longest URL. */
#define URL_MAX 8192
/** Longest host: what the domain name system has room for. */
#define URL_HOST_MAX 253

/** What requests go by; owned. */
struct url {
	char *text;    /**< normal form, without a fragment: dot segments are gone, the host is in lower case, an IPv6 address in its own short form */
	char *scheme;  /**< lower case */
	char *host;    /**< lower case; IPv6 without brackets */
	char *port;    /**< the scheme's own where none was given */
};
void url_clear(struct url *u);
#define auto_url __attribute__((cleanup(url_clear))) struct url

/** Parses @p text, relative to @p base where that is not NULL (RFC 3986, 5.2). ERR_USAGE: no absolute http: or https: URL, one with a user
 *  or password in it (they would be recorded), white space or control characters, a host that is neither a name of letters, digits, '.', '-'
 *  and '_' nor an address as inet_pton(3) takes it. @p ret may not be @p base. */
int url_parse(const char *text, const struct url *base, struct url *ret, struct err *err);

/** ERR_USAGE unless @p plain lets requests go to @p u. */
int url_allowed(const struct url *u, enum fetch_plain plain, struct err *err);

/** Whether both have the same scheme, host and port: what credentials belong to. */
bool url_same_origin(const struct url *a, const struct url *b);

/** Whether the host is this machine by its spelling: localhost, 127.0.0.0/8, ::1. */
bool url_is_loopback(const struct url *u);

/** How many bytes of @p url a message may tell, at most @p max: not its query, which is often as good as a password (the places that
 *  registries name for uploads). For "%.*s". */
int url_told(const char *url, int max);

/** Whether @p url is a file: URL. */
bool url_is_file(const char *url);

/** Appends the absolute path that a file: URL names, on this machine. ERR_USAGE for anything else. */
int url_file_path(const char *url, struct buf *out, struct err *err);

/** Where the path of @p url begins, and how many bytes it has, without a query or fragment. */
const char *url_path(const char *url, size_t *ret_n);

/** Appends @p n bytes with %xx undone; ERR_USAGE for control characters, NUL among them, and a '%' that is no %xx. */
int url_decode(const char *s, size_t n, struct buf *out, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/http.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "fetch/transfer.h"

void http_response_clear(struct http_response *r)
{
	buf_free(&r->headers);
	buf_free(&r->body);
	free(r->url);
	*r = (struct http_response){0};
}

const char *http_header(const struct http_response *r, const char *name)
{
	size_t n = strlen(name);

	for (size_t at = 0; at < r->headers.len; at += strlen(r->headers.data + at) + 1) {
		const char *line = r->headers.data + at;

		if (strncasecmp(line, name, n) == 0 && line[n] == ':')
			return line + n + 1 + strspn(line + n + 1, " \t");
	}
	return NULL;
}

int http_open(const struct fetch_net *net, struct http **ret, struct err *err)
{
	struct http *http = calloc(1, sizeof *http);

	if (http == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "speak HTTP");
	http->net = net;
	http->speak = http_child_speak;
	http->process = CONFINED_NONE;
	http->to = -1;
	*ret = http;
	return 0;
}

void http_close(struct http *http)
{
	if (http == NULL)
		return;
	http_child_end(http);
	free(http);
}

/* ---- waiting ------------------------------------------------------------------ */

/** Between half of @p ms and all of it: clients that failed together shall not come back together. */
static uint64_t jittered(uint64_t ms)
{
	uint32_t random = 0;

	/* Without random bytes the wait is the shortest; nothing depends on them. */
	(void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
	return ms / 2 + random % (ms / 2 + 1);
}

static int wait_ms(const struct fetch_net *net, uint64_t ms, struct err *err)
{
	struct pollfd p = { .fd = net->cancel_fd, .events = POLLIN };

	if (net->wait != NULL)
		return net->wait(net->wait_arg, ms, err);
	int n = poll(&p, 1, (int)jittered(ms));
	return n > 0 ? err_set(err, ERR_INTERRUPTED, 0, "interrupted") : 0;
}

/** A date as servers write it, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7); 0: it is none, or of the forms that went out of use. */
static time_t date_of(const char *text)
{
	struct tm t = {0};

	/* The names are English: no locale is ever set. */
	if (strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &t) == NULL)
		return 0;
	time_t then = timegm(&t);
	return then > 0 ? then : 0;
}

/** How long before attempt @p next (from 2): doubled each time; a server that says how long is heeded. */
static uint64_t wait_before(const struct http *http, unsigned next, const struct http_response *r)
{
	const struct fetch_net *net = http->net;
	uint64_t most = net->most_wait_ms != 0 ? net->most_wait_ms : 30000;
	uint64_t ms = net->first_wait_ms != 0 ? net->first_wait_ms : 500;
	const char *after = r->status == 429 || r->status == 503 ? http_header(r, "Retry-After") : NULL;
	uint64_t told = 0;

	for (unsigned i = 2; i < next && ms < most; i++)
		ms *= 2;
	if (after != NULL && after[0] >= '0' && after[0] <= '9')
		told = strtoull(after, NULL, 10) > most / 1000 ? most : strtoull(after, NULL, 10) * 1000;
	else if (after != NULL) {
		time_t then = date_of(after), now = time(NULL);

		told = then > now ? (uint64_t)(then - now) * 1000 : 0;
	}
	ms = told > ms ? told : ms;
	return ms < most ? ms : most;
}

/* ---- attempts ------------------------------------------------------------------- */

static bool is_busy(int status)
{
	return status == 429 || (status >= 500 && status != 501 && status != 505);
}

/** One place's answer, after as many attempts as it takes or there may be. @p left counts them for the whole request. */
static int try_there(struct exchange *x, unsigned *left, struct err *err)
{
	const struct fetch_net *net = x->http->net;
	unsigned most = *left;
	enum exchange_end end;

	for (;;) {
		(*left)--;
		if (exchange_run(x, &end, err) < 0)
			return -1;
		if (end == EXCHANGE_ANSWERED && x->resp->status == 416 && x->at > 0 && x->validator != NULL) {
			/* What it had there is shorter now: anew, without a part of it. */
			free(x->validator);
			x->validator = NULL;
		} else if (end == EXCHANGE_ANSWERED && !is_busy(x->resp->status))
			return 0;
		if (*left == 0 || (end == EXCHANGE_BROKEN && x->req->once))
			return end == EXCHANGE_ANSWERED ? 0 : err_ctx(err, "after %u attempt%s", most - *left,
								      most - *left == 1 ? "" : "s");
		if (wait_ms(net, wait_before(x->http, most - *left + 1, x->resp), err) < 0)
			return -1;
	}
}

/** Whether the answer sends us elsewhere, and may. */
static const char *redirect_of(const struct http_request *req, const struct http_response *r)
{
	bool reads = req->method == NULL || strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0;

	if (!reads || req->keep_redirects || (r->status != 301 && r->status != 302 && r->status != 303 && r->status != 307 &&
					      r->status != 308))
		return NULL;
	return http_header(r, "Location");
}

/** Where a redirect leads: never from https: to http:, never to where the caller could not have gone. */
static int follow(const struct http *http, const char *location, struct url *url, struct err *err)
{
	auto_url next = {0};

	if (url_parse(location, url, &next, err) < 0 || url_allowed(&next, http->net->plain, err) < 0) {
		err->kind = ERR_INPUT;
		return err_ctx(err, "a redirect from %s", url->host);
	}
	if (strcmp(url->scheme, "https") == 0 && strcmp(next.scheme, "https") != 0)
		return err_set(err, ERR_INPUT, 0, "a redirect from https: to http:, to '%.300s'", next.host);
	url_clear(url);
	*url = next;
	next = (struct url){0};
	return 0;
}

/** Goes where the redirects lead. @p url: where it begins, and where it ended. */
static int try_all(struct exchange *x, struct url *url, struct err *err)
{
	unsigned attempts = x->http->net->attempts;
	unsigned left = attempts != 0 ? attempts : HTTP_ATTEMPTS;
	auto_url home = {0};
	const char *location;

	if (url_parse(url->text, NULL, &home, err) < 0)
		return -1;
	x->url = url;
	x->authorized = true;
	for (unsigned hops = 0;; hops++) {
		if (try_there(x, &left, err) < 0)
			return -1;
		location = redirect_of(x->req, x->resp);
		if (location == NULL)
			return 0;
		if (hops == HTTP_REDIRECTS_MAX)
			return err_set(err, ERR_INPUT, 0, "more than %d redirects", HTTP_REDIRECTS_MAX);
		if (follow(x->http, location, url, err) < 0)
			return -1;
		/* Once elsewhere, a way back is not trusted with them either. */
		x->authorized = x->authorized && url_same_origin(&home, url);
		left = left == 0 ? 1 : left;
	}
}

static const char *method_name(const struct http_request *req)
{
	return req->method != NULL ? req->method : "GET";
}

int http_send(struct http *http, const struct http_request *req, struct http_response *ret, struct err *err)
{
	auto_http_response resp = {0};
	auto_url url = {0};
	struct exchange x = { .http = http, .req = req, .resp = &resp };

	if (url_parse(req->url, NULL, &url, err) < 0 || url_allowed(&url, http->net->plain, err) < 0)
		return -1;
	int result = try_all(&x, &url, err);
	free(x.validator);
	if (result < 0)
		return err_ctx(err, "%s %.*s", method_name(req), url_told(req->url, 500), req->url);
	resp.url = move_ptr(url.text);
	http_response_clear(ret);
	*ret = resp;
	resp = (struct http_response){0};
	return 0;
}

int http_refused(const struct http_request *req, const struct http_response *r, struct err *err)
{
	auto_buf said = {0};

	text_printable(&said, r->body.data == NULL ? "" : r->body.data, r->body.len < 300 ? r->body.len : 300);
	return err_set(err, ERR_INPUT, 0, "%s %.*s: the server answered %d%s%s", method_name(req), url_told(req->url, 500), req->url,
		       r->status, said.len > 0 ? ": " : "", said.len > 0 ? said.data : "");
}

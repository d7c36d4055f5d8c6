/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/transfer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *method_of(const struct http_request *req)
{
	return req->method != NULL ? req->method : "GET";
}

/** Ends the exchange from within a callback. */
static size_t refuse(struct exchange *x)
{
	x->refused = true;
	return 0;
}

/* ---- the answer -------------------------------------------------------- */

/** A header line; the status line of a further answer (after 100 Continue, a proxy's CONNECT) begins anew. */
static size_t take_header(char *line, size_t one, size_t n, void *arg)
{
	struct exchange *x = arg;
	struct buf *to = &x->resp->headers;

	(void)one;
	if (n >= 5 && memcmp(line, "HTTP/", 5) == 0)
		buf_clear(to);
	size_t len = n;
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	/* A NUL would end the line early for whoever reads it, late for whoever counts. */
	if (to->len + len + 1 > HTTP_HEADERS_MAX || memchr(line, '\0', len) != NULL) {
		(void)err_set(x->err, ERR_INPUT, 0, "the header of the answer is over %u bytes, or has a NUL", HTTP_HEADERS_MAX);
		return refuse(x);
	}
	buf_add(to, line, len);
	buf_addc(to, '\0');
	return n;
}

/** The offset that a 206 answer begins at; -1 where it says none. */
static int64_t range_start(const struct http_response *r)
{
	const char *range = http_header(r, "Content-Range");
	int64_t at;
	int end = 0;

	if (range == NULL || sscanf(range, "bytes %19" SCNd64 "-%n", &at, &end) != 1 || end == 0)
		return -1;
	return at;
}

/** Keeps what must not change for the rest to be of the same thing: a strong ETag, else a date (RFC 9110, 13.1.5). */
static int keep_validator(struct exchange *x)
{
	const char *v = http_header(x->resp, "ETag");

	if (v == NULL || v[0] != '"')
		v = http_header(x->resp, "Last-Modified");
	free(x->validator);
	x->validator = v == NULL ? NULL : strdup(v);
	return v != NULL && x->validator == NULL ? err_set(x->err, ERR_INTERNAL, ENOMEM, "keep a header") : 0;
}

/** Before the first byte of a 2xx body: says where it belongs. */
static int begin_body(struct exchange *x)
{
	bool resuming = x->resp->status == 206 && x->at > 0 && x->at == x->asked;
	uint64_t at = 0;

	x->began = true;
	if (x->resp->status == 206) {
		if (range_start(x->resp) != (int64_t)x->asked || x->asked == 0)
			return err_set(x->err, ERR_INPUT, 0, "the answer is another part than was asked for");
		at = x->asked;
	}
	if (keep_validator(x) < 0)
		return -1;
	x->at = at;
	if (x->req->sink == NULL) {
		buf_clear(&x->resp->body);
		return 0;
	}
	return resuming ? 0 : x->req->sink->begin(x->req->sink->arg, at, x->err);
}

static int take_wanted(struct exchange *x, const char *data, size_t n)
{
	if (!x->began && begin_body(x) < 0)
		return -1;
	/* `limit` is of the whole, from wherever this began. */
	if (n > x->req->limit || x->at > x->req->limit - n)
		return err_set(x->err, ERR_INPUT, 0, "the answer is larger than %" PRIu64 " bytes", x->req->limit);
	x->at += n;
	if (x->req->sink != NULL)
		return x->req->sink->add(x->req->sink->arg, data, n, x->err);
	buf_add(&x->resp->body, data, n);
	return buf_check(&x->resp->body, "answer", x->err);
}

static int read_status(struct exchange *x)
{
	long status = 0;

	x->http->curl.easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	return x->resp->status = (int)status;
}

static size_t take_body(char *data, size_t one, size_t n, void *arg)
{
	struct exchange *x = arg;
	int status = read_status(x);

	(void)one;
	if (status / 100 == 2)
		return take_wanted(x, data, n) < 0 ? refuse(x) : n;
	/* What a refusal says is for people: its beginning is enough. */
	size_t room = HTTP_REFUSAL_MAX - x->resp->body.len;
	buf_add(&x->resp->body, data, n < room ? n : room);
	return n;
}

/* ---- the request -------------------------------------------------------- */

static size_t give_body(char *to, size_t one, size_t n, void *arg)
{
	struct exchange *x = arg;
	uint64_t left = x->req->body_len - x->sent;
	size_t want = one * n < left ? one * n : (size_t)left;
	ssize_t got;

	if (x->req->body != NULL) {
		memcpy(to, (const char *)x->req->body + x->sent, want);
		x->sent += want;
		return want;
	}
	do
		got = want == 0 ? 0 : pread(x->req->body_fd, to, want, (off_t)(x->req->body_at + x->sent));
	while (got < 0 && errno == EINTR);
	if (got < 0 || (got == 0 && want > 0)) {
		(void)err_set(x->err, ERR_INTERNAL, got < 0 ? errno : 0, "read what is to be sent%s", got < 0 ? "" : ": it is too short");
		x->refused = true;
		return CURL_READFUNC_ABORT;
	}
	x->sent += (uint64_t)got;
	return (size_t)got;
}

/** libcurl rewinds a body when a kept connection turned out to be dead. */
static int rewind_body(void *arg, curl_off_t offset, int origin)
{
	struct exchange *x = arg;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > x->req->body_len)
		return CURL_SEEKFUNC_FAIL;
	x->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static int add_line(struct exchange *x, const char *line, struct err *err)
{
	if (strpbrk(line, "\r\n") != NULL)
		return err_set(err, ERR_INTERNAL, 0, "a header line holds a line break");
	struct curl_slist *longer = x->http->curl.slist_append(x->lines, line);
	if (longer == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "list the headers");
	x->lines = longer;
	return 0;
}

static int add_field(struct exchange *x, const char *name, const char *value, struct err *err)
{
	auto_buf line = {0};

	buf_addf(&line, "%s: %s", name, value);
	return buf_check(&line, "header", err) < 0 ? -1 : add_line(x, line.data, err);
}

static int list_headers(struct exchange *x, struct err *err)
{
	char range[40];

	/* An answer of 100 is not waited for: what is sent can be sent again. */
	if (add_line(x, "Expect:", err) < 0)
		return -1;
	for (const char *const *h = x->req->headers; h != NULL && *h != NULL; h++)
		if (add_line(x, *h, err) < 0)
			return -1;
	if (x->authorized && x->req->authorization != NULL &&
	    add_field(x, "Authorization", x->req->authorization, err) < 0)
		return -1;
	if (x->asked == 0)
		return 0;
	snprintf(range, sizeof range, "bytes=%" PRIu64 "-", x->asked);
	if (add_field(x, "Range", range, err) < 0)
		return -1;
	const char *if_range = x->validator != NULL ? x->validator : x->req->if_range;
	return if_range == NULL ? 0 : add_field(x, "If-Range", if_range, err);
}

/** Where to begin: what the sink has, if it can be gone on from; else where the caller wanted to. */
static uint64_t offset_to_ask(const struct exchange *x)
{
	if (strcmp(method_of(x->req), "GET") != 0)
		return 0;
	return x->req->sink != NULL && x->at > 0 && x->validator != NULL ? x->at : x->req->from;
}

static void set_method(struct exchange *x)
{
	const struct curl *c = &x->http->curl;
	const char *method = method_of(x->req);

	if (strcmp(method, "HEAD") == 0) {
		c->easy_setopt(x->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (x->req->has_body) {
		c->easy_setopt(x->easy, CURLOPT_UPLOAD, 1L);
		c->easy_setopt(x->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)x->req->body_len);
		c->easy_setopt(x->easy, CURLOPT_READFUNCTION, give_body);
		c->easy_setopt(x->easy, CURLOPT_READDATA, x);
		c->easy_setopt(x->easy, CURLOPT_SEEKFUNCTION, rewind_body);
		c->easy_setopt(x->easy, CURLOPT_SEEKDATA, x);
	}
	if (strcmp(method, x->req->has_body ? "PUT" : "GET") != 0)
		c->easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_limits(struct exchange *x)
{
	const struct curl *c = &x->http->curl;
	const struct fetch_net *net = x->http->net;
	uint64_t stall = net->stall_ms != 0 ? net->stall_ms : 60000;

	c->easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L);
	c->easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(net->connect_ms != 0 ? net->connect_ms : 20000));
	c->easy_setopt(x->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	c->easy_setopt(x->easy, CURLOPT_LOW_SPEED_TIME, (long)((stall + 999) / 1000));
	c->easy_setopt(x->easy, CURLOPT_FOLLOWLOCATION, 0L);
	/* One request at a time gains nothing from HTTP/2, and a rewound body is simpler without. */
	c->easy_setopt(x->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

/** Settings without which the transfer must not be made: each one is asked after. */
static CURLcode set_trust(struct exchange *x)
{
	const struct curl *c = &x->http->curl;
	const struct fetch_net *net = x->http->net;
	const char *proxy = strcmp(x->url->scheme, "https") == 0 ? net->https_proxy : net->http_proxy;
	CURLcode code;

	/* "" is "none": NULL would mean the environment's. */
	if ((code = c->easy_setopt(x->easy, CURLOPT_URL, x->url->text)) != CURLE_OK ||
	    (code = c->easy_setopt(x->easy, CURLOPT_PROTOCOLS_STR, "http,https")) != CURLE_OK ||
	    (code = c->easy_setopt(x->easy, CURLOPT_PROXY, proxy != NULL ? proxy : "")) != CURLE_OK ||
	    (code = c->easy_setopt(x->easy, CURLOPT_NOPROXY, net->no_proxy != NULL ? net->no_proxy : "")) != CURLE_OK ||
	    (code = c->easy_setopt(x->easy, CURLOPT_SSL_VERIFYPEER, 1L)) != CURLE_OK ||
	    (code = c->easy_setopt(x->easy, CURLOPT_SSL_VERIFYHOST, 2L)) != CURLE_OK ||
	    (code = c->easy_setopt(x->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2)) != CURLE_OK ||
	    (code = c->easy_setopt(x->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED)) != CURLE_OK)
		return code;
	if (net->ca_file == NULL)
		return CURLE_OK;
	if ((code = c->easy_setopt(x->easy, CURLOPT_CAINFO, net->ca_file)) != CURLE_OK)
		return code;
	return c->easy_setopt(x->easy, CURLOPT_CAPATH, NULL);
}

static int set_up(struct exchange *x, char *why, struct err *err)
{
	const struct curl *c = &x->http->curl;
	CURLcode code = set_trust(x);

	if (code != CURLE_OK)
		return err_set(err, ERR_INTERNAL, 0, "prepare a transfer: %s", c->easy_strerror(code));
	set_limits(x);
	set_method(x);
	c->easy_setopt(x->easy, CURLOPT_USERAGENT, "glovebox/" GB_VERSION);
	c->easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->lines);
	c->easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, take_header);
	c->easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
	c->easy_setopt(x->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	c->easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, take_body);
	c->easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
	c->easy_setopt(x->easy, CURLOPT_ERRORBUFFER, why);
	return 0;
}

/* ---- driving it ----------------------------------------------------------- */

/** Lets libcurl work until the transfer has ended. */
static int drive(struct exchange *x, CURLcode *ret, struct err *err)
{
	const struct curl *c = &x->http->curl;
	struct curl_waitfd cancel = { .fd = x->http->net->cancel_fd, .events = CURL_WAIT_POLLIN };
	unsigned ncancel = cancel.fd >= 0;
	CURLMcode code;
	int running = 1, left;
	CURLMsg *msg;

	for (;;) {
		if ((code = c->multi_perform(x->http->multi, &running)) != CURLM_OK)
			return err_set(err, ERR_INTERNAL, 0, "transfer: %s", c->multi_strerror(code));
		while ((msg = c->multi_info_read(x->http->multi, &left)) != NULL)
			if (msg->msg == CURLMSG_DONE && msg->easy_handle == x->easy) {
				*ret = msg->data.result;
				return 0;
			}
		cancel.revents = 0;
		if ((code = c->multi_poll(x->http->multi, ncancel != 0 ? &cancel : NULL, ncancel, 1000, NULL)) != CURLM_OK)
			return err_set(err, ERR_INTERNAL, 0, "transfer: %s", c->multi_strerror(code));
		if (cancel.revents != 0)
			return err_set(err, ERR_INTERRUPTED, 0, "interrupted");
	}
}

static int perform(struct exchange *x, CURLcode *ret, struct err *err)
{
	const struct curl *c = &x->http->curl;
	CURLMcode code = c->multi_add_handle(x->http->multi, x->easy);

	if (code != CURLM_OK)
		return err_set(err, ERR_INTERNAL, 0, "transfer: %s", c->multi_strerror(code));
	int result = drive(x, ret, err);
	c->multi_remove_handle(x->http->multi, x->easy);
	return result;
}

/** Whether another attempt may help. */
static bool may_pass(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return true;
	default:
		return false;
	}
}

static int judge(struct exchange *x, CURLcode code, const char *why, enum exchange_end *ret, struct err *err)
{
	if (x->refused)
		return -1;
	if (code == CURLE_OUT_OF_MEMORY)
		return err_set(err, ERR_INTERNAL, ENOMEM, "transfer");
	if (code != CURLE_OK) {
		(void)err_set(err, ERR_INPUT, 0, "%s", why[0] != '\0' ? why : x->http->curl.easy_strerror(code));
		*ret = EXCHANGE_BROKEN;
		return may_pass(code) ? 0 : -1;
	}
	if (buf_check(&x->resp->headers, "header", err) < 0 || buf_check(&x->resp->body, "answer", err) < 0)
		return -1;
	/* A body of no bytes begins too. */
	if (read_status(x) / 100 == 2 && !x->began && begin_body(x) < 0)
		return -1;
	*ret = EXCHANGE_ANSWERED;
	return 0;
}

/** Lets go of what one exchange has of libcurl's. */
static void end(struct exchange *x)
{
	x->http->curl.easy_cleanup(x->easy);
	x->http->curl.slist_free_all(x->lines);
	x->easy = NULL;
	x->lines = NULL;
}

static int begin(struct exchange *x, struct err *err)
{
	buf_clear(&x->resp->headers);
	buf_clear(&x->resp->body);
	x->resp->status = 0;
	x->err = err;
	x->refused = x->began = false;
	x->sent = 0;
	x->asked = offset_to_ask(x);
	x->lines = NULL;
	x->easy = x->http->curl.easy_init();
	return x->easy == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "transfer") : list_headers(x, err);
}

int exchange_run(struct exchange *x, enum exchange_end *ret, struct err *err)
{
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code = CURLE_OK;
	int result = begin(x, err);

	if (result == 0)
		result = set_up(x, why, err);
	if (result == 0)
		result = perform(x, &code, err);
	if (result == 0)
		result = judge(x, code, why, ret, err);
	end(x);
	return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/http_child.h"

#include <errno.h>
#include <string.h>

#include "fetch/http_wire.h"
#include "fetch/url.h"

const char *const http_child_files[] = {
	/* Names. resolv.conf is a link on many systems, and can be led to another of these while this one runs. A file that is itself replaced
	 * is another one from then on, which may not be read: names are resolved again by the next process. */
	"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
	"/run/systemd/resolve/stub-resolv.conf", "/run/systemd/resolve/resolv.conf", "/run/resolvconf", "/run/NetworkManager/resolv.conf",
	/* Certificates, and what their directories link to; no private key lies there. */
	"/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/ssl/cert.pem", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	"/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/etc/ca-certificates/extracted", "/var/lib/ca-certificates",
	NULL,
};

/** One exchange at work. */
struct speech {
	const struct http_child *c;
	CURLM *multi;                /**< holds the connections from one exchange to the next */
	int out;
	struct http_ask ask;
	char *method, *url, *lines;  /**< with a NUL behind each */
	CURL *easy;
	struct curl_slist *list;
	uint64_t sent;               /**< of the request's body */
	bool deaf;                   /**< nobody listens any more */
	size_t held;                 /**< bytes of the answer's body in @c frame that are not told yet */
	struct err *err;
	struct {
		struct http_tell tell;
		char bytes[HTTP_LINE_MAX];
	} frame;
};

_Static_assert(HTTP_PIECE_MAX <= HTTP_LINE_MAX && HTTP_WHY_MAX <= HTTP_LINE_MAX, "a frame holds what is told");

/* ---- words ---------------------------------------------------------------------- */

/** Sends the frame, with @p n bytes in it. */
static int send_frame(struct speech *s, enum http_tell_kind kind, uint64_t at, size_t n)
{
	s->frame.tell = (struct http_tell){ .kind = kind, .n = (uint32_t)n, .at = at };
	if (io_write_all(s->out, &s->frame, sizeof s->frame.tell + n, s->err) == 0)
		return 0;
	s->deaf = true;
	return -1;
}

/** Tells what there is of the body. */
static int tell_held(struct speech *s)
{
	size_t n = s->held;

	s->held = 0;
	return n == 0 ? 0 : send_frame(s, HTTP_TELL_BODY, 0, n);
}

/** Says one thing, with @p n bytes behind it. */
static int tell(struct speech *s, enum http_tell_kind kind, uint64_t at, const void *data, size_t n)
{
	if (tell_held(s) < 0)
		return -1;
	memcpy(s->frame.bytes, data, n);
	return send_frame(s, kind, at, n);
}

static int tell_end(struct speech *s, enum http_end end, const char *why)
{
	return tell(s, HTTP_TELL_END, end, why, strnlen(why, HTTP_WHY_MAX));
}

static size_t take_header(char *line, size_t one, size_t n, void *arg)
{
	size_t len = n;

	(void)one;
	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	return tell(arg, HTTP_TELL_LINE, 0, line, len < HTTP_LINE_MAX ? len : HTTP_LINE_MAX) == 0 ? n : 0;
}

/** libcurl gives it in small pieces: what they cost is paid for larger ones. */
static size_t take_body(char *data, size_t one, size_t n, void *arg)
{
	struct speech *s = arg;

	(void)one;
	for (size_t at = 0, part; at < n; at += part) {
		part = n - at < HTTP_PIECE_MAX - s->held ? n - at : HTTP_PIECE_MAX - s->held;
		memcpy(s->frame.bytes + s->held, data + at, part);
		s->held += part;
		if (s->held == HTTP_PIECE_MAX && tell_held(s) < 0)
			return 0;
	}
	return n;
}

/** Asks for the next part of the request's body, and gets just that. */
static size_t give_body(char *to, size_t one, size_t n, void *arg)
{
	struct speech *s = arg;
	uint64_t left = s->ask.body_len - s->sent, want = one * n < left ? one * n : left;

	want = want < HTTP_PIECE_MAX ? want : HTTP_PIECE_MAX;
	const struct http_tell give = { .kind = HTTP_TELL_GIVE, .n = (uint32_t)want, .at = s->sent };
	if (want > 0 && (tell_held(s) < 0 || io_write_all(s->out, &give, sizeof give, s->err) < 0 || apart_receive(s->c->in, to, want, s->err) < 0)) {
		s->deaf = true;
		return CURL_READFUNC_ABORT;
	}
	s->sent += want;
	return want;
}

/** libcurl rewinds a body when a kept connection turned out to be dead. */
static int rewind_body(void *arg, curl_off_t offset, int origin)
{
	struct speech *s = arg;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > s->ask.body_len)
		return CURL_SEEKFUNC_FAIL;
	s->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* ---- settings --------------------------------------------------------------------- */

static CURLcode list_lines(struct speech *s)
{
	for (const char *line = s->lines; line < s->lines + s->ask.lines_len; line += strlen(line) + 1) {
		struct curl_slist *longer = s->c->curl.slist_append(s->list, line);

		if (longer == NULL)
			return CURLE_OUT_OF_MEMORY;
		s->list = longer;
	}
	return s->c->curl.easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->list);
}

static void set_method(struct speech *s)
{
	const struct curl *c = &s->c->curl;

	if (strcmp(s->method, "HEAD") == 0) {
		c->easy_setopt(s->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (s->ask.has_body) {
		c->easy_setopt(s->easy, CURLOPT_UPLOAD, 1L);
		c->easy_setopt(s->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)s->ask.body_len);
		c->easy_setopt(s->easy, CURLOPT_READFUNCTION, give_body);
		c->easy_setopt(s->easy, CURLOPT_READDATA, s);
		c->easy_setopt(s->easy, CURLOPT_SEEKFUNCTION, rewind_body);
		c->easy_setopt(s->easy, CURLOPT_SEEKDATA, s);
	}
	if (strcmp(s->method, s->ask.has_body ? "PUT" : "GET") != 0)
		c->easy_setopt(s->easy, CURLOPT_CUSTOMREQUEST, s->method);
}

static void set_limits(struct speech *s)
{
	const struct curl *c = &s->c->curl;

	c->easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L);
	c->easy_setopt(s->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)http_connect_ms(s->c->net));
	c->easy_setopt(s->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	c->easy_setopt(s->easy, CURLOPT_LOW_SPEED_TIME, (long)((http_stall_ms(s->c->net) + 999) / 1000));
	c->easy_setopt(s->easy, CURLOPT_FOLLOWLOCATION, 0L);
	c->easy_setopt(s->easy, CURLOPT_BUFFERSIZE, (long)HTTP_PIECE_MAX);
	/* One request at a time gains nothing from HTTP/2, and a rewound body is simpler without. */
	c->easy_setopt(s->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

/** The proxy to go by; "" is none, where NULL would mean the environment's. Without TLS this machine is spoken to since nobody else hears it, and a
 *  proxy may be on another, for which the same address is its own. */
static const char *proxy_for(const struct fetch_net *net, const char *text)
{
	struct err ignored = {0};
	auto_url u = {0};

	if (url_parse(text, NULL, &u, &ignored) < 0)
		return "";
	bool tls = strcmp(u.scheme, "https") == 0;
	const char *proxy = tls ? net->https_proxy : net->http_proxy;
	return proxy == NULL || (!tls && url_is_loopback(&u)) ? "" : proxy;
}

/** Settings without which the transfer must not be made: each one is asked after. */
static CURLcode set_trust(struct speech *s)
{
	const struct curl *c = &s->c->curl;
	const struct fetch_net *net = s->c->net;
	CURLcode code;

	if ((code = c->easy_setopt(s->easy, CURLOPT_URL, s->url)) != CURLE_OK ||
	    (code = c->easy_setopt(s->easy, CURLOPT_PROTOCOLS_STR, "http,https")) != CURLE_OK ||
	    (code = c->easy_setopt(s->easy, CURLOPT_PROXY, proxy_for(net, s->url))) != CURLE_OK ||
	    (code = c->easy_setopt(s->easy, CURLOPT_NOPROXY, net->no_proxy != NULL ? net->no_proxy : "")) != CURLE_OK ||
	    (code = c->easy_setopt(s->easy, CURLOPT_SSL_VERIFYPEER, 1L)) != CURLE_OK ||
	    (code = c->easy_setopt(s->easy, CURLOPT_SSL_VERIFYHOST, 2L)) != CURLE_OK ||
	    (code = c->easy_setopt(s->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2)) != CURLE_OK ||
	    (code = c->easy_setopt(s->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED)) != CURLE_OK)
		return code;
	if (net->ca_file == NULL)
		return CURLE_OK;
	if ((code = c->easy_setopt(s->easy, CURLOPT_CAINFO, net->ca_file)) != CURLE_OK)
		return code;
	return c->easy_setopt(s->easy, CURLOPT_CAPATH, NULL);
}

static CURLcode set_up(struct speech *s, char *why)
{
	const struct curl *c = &s->c->curl;
	CURLcode code = set_trust(s);

	if (code != CURLE_OK || (code = list_lines(s)) != CURLE_OK)
		return code;
	set_limits(s);
	set_method(s);
	c->easy_setopt(s->easy, CURLOPT_USERAGENT, "glovebox/" GB_VERSION);
	c->easy_setopt(s->easy, CURLOPT_HEADERFUNCTION, take_header);
	c->easy_setopt(s->easy, CURLOPT_HEADERDATA, s);
	c->easy_setopt(s->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	c->easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, take_body);
	c->easy_setopt(s->easy, CURLOPT_WRITEDATA, s);
	c->easy_setopt(s->easy, CURLOPT_ERRORBUFFER, why);
	return CURLE_OK;
}

/* ---- an exchange --------------------------------------------------------------------- */

/** Lets libcurl work until the transfer has ended. */
static CURLMcode drive(struct speech *s, CURLcode *ret)
{
	const struct curl *c = &s->c->curl;
	CURLMcode code;
	int running = 1, left;
	CURLMsg *msg;

	for (;;) {
		if ((code = c->multi_perform(s->multi, &running)) != CURLM_OK)
			return code;
		/* Nothing is kept back while it waits. */
		if (tell_held(s) < 0)
			return CURLM_OK;
		while ((msg = c->multi_info_read(s->multi, &left)) != NULL)
			if (msg->msg == CURLMSG_DONE && msg->easy_handle == s->easy) {
				*ret = msg->data.result;
				return CURLM_OK;
			}
		if ((code = c->multi_poll(s->multi, NULL, 0, 1000, NULL)) != CURLM_OK)
			return code;
	}
}

/** What the end of a transfer means for another attempt. */
static enum http_end meaning(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return HTTP_END_ANSWERED;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return HTTP_END_BROKEN;
	case CURLE_OUT_OF_MEMORY:
		return HTTP_END_INTERNAL;
	default:
		return HTTP_END_FAILED;
	}
}

static int perform(struct speech *s, const char *why)
{
	const struct curl *c = &s->c->curl;
	CURLcode code = CURLE_OK;
	CURLMcode multi = c->multi_add_handle(s->multi, s->easy);

	if (multi == CURLM_OK) {
		multi = drive(s, &code);
		c->multi_remove_handle(s->multi, s->easy);
	}
	if (s->deaf)
		return -1;
	if (multi != CURLM_OK)
		return tell_end(s, HTTP_END_INTERNAL, c->multi_strerror(multi));
	return tell_end(s, meaning(code), code == CURLE_OK ? "" : why[0] != '\0' ? why : c->easy_strerror(code));
}

static int speak(struct speech *s)
{
	const struct curl *c = &s->c->curl;
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code = CURLE_OUT_OF_MEMORY;

	s->sent = s->held = 0;
	s->easy = c->easy_init();
	if (s->easy != NULL)
		code = set_up(s, why);
	int result = code == CURLE_OK ? perform(s, why) : tell_end(s, HTTP_END_INTERNAL, c->easy_strerror(code));
	c->easy_cleanup(s->easy);
	c->slist_free_all(s->list);
	s->list = NULL;
	return result;
}

/* ---- one after the other ------------------------------------------------------------- */

static char *hear_string(const struct speech *s, size_t n, struct err *err)
{
	auto_free char *text = malloc(n + 1);

	if (text == NULL || apart_receive(s->c->in, text, n, err) < 0)
		return NULL;
	text[n] = '\0';
	return move_ptr(text);
}

static int hear_strings(struct speech *s, struct err *err)
{
	if ((s->method = hear_string(s, s->ask.method_len, err)) != NULL && (s->url = hear_string(s, s->ask.url_len, err)) != NULL &&
	    (s->lines = hear_string(s, s->ask.lines_len, err)) != NULL)
		return 0;
	return err->kind != 0 ? -1 : err_set(err, ERR_INTERNAL, ENOMEM, "transfer");
}

static void forget(struct speech *s)
{
	free(s->method);
	free(s->url);
	free(s->lines);
	s->method = s->url = s->lines = NULL;
}

int http_child_speak(void *arg, int out, struct err *err)
{
	const struct http_child *c = arg;
	struct speech *s = calloc(1, sizeof *s);
	size_t got;

	if (s == NULL || (s->multi = c->curl.multi_init()) == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "start libcurl");
	s->c = c;
	s->out = out;
	s->err = err;
	/* It ends where the caller does; nothing is given back, the process is. */
	for (;;) {
		if (io_read_full(c->in, &s->ask, sizeof s->ask, &got, err) < 0)
			return -1;
		if (got == 0)
			return 0;
		if (got != sizeof s->ask || hear_strings(s, err) < 0 || speak(s) < 0)
			return err->kind != 0 ? -1 : err_set(err, ERR_INTERNAL, 0, "its caller has ended");
		forget(s);
	}
}

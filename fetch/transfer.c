/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "fetch/http_wire.h"

/** Who it is in messages. */
#define WHO "the process that speaks HTTP"
/** Bytes that a request's lines have room for without growing, by which copies of credentials would stay: the longest token, and as much again. */
#define HTTP_LINES_ROOM (32u << 10)

static const char *method_of(const struct http_request *req)
{
	return req->method != NULL ? req->method : "GET";
}

_Static_assert(HTTP_LINE_MAX > HTTP_HEADERS_MAX, "a line that is too long is told as such");

/* ---- the process -------------------------------------------------------------- */

void http_child_end(struct http *http)
{
	confined_kill(&http->process);
	http->process = CONFINED_NONE;
	/* What it told, tokens for one, is not for the next one that begins as a copy of this memory. */
	if (http->answer != NULL)
		explicit_bzero(http->answer, sizeof *http->answer);
	free(http->answer);
	http->answer = NULL;
	own_fd(&http->to);
	http->to = -1;
	curl_unload(&http->child.curl);
}

/** The socket to it: one way, and nobody is waited for who does not listen. */
static int make_socket(struct http *http, int *ret_peer, struct err *err)
{
	const struct timeval patience = { .tv_sec = HTTP_CHILD_DEAF_S };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, ERR_INTERNAL, errno, "make a pair of sockets");
	http->to = ends[0];
	*ret_peer = ends[1];
	if (shutdown(ends[0], SHUT_RD) < 0 || setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
		return err_set(err, ERR_INTERNAL, errno, "set up a pair of sockets");
	return 0;
}

static int start(struct http *http, struct err *err)
{
	auto_fd peer = -1;

	http->reach = (struct confine_reach){ .files = http_child_files, .file = http->net->ca_file };
	if (curl_load(&http->child.curl, err) < 0 || make_socket(http, &peer, err) < 0)
		return -1;
	http->child.net = http->net;
	http->child.in = peer;
	const struct confine_conf conf = {
		.what = WHO, .fn = http->speak, .arg = &http->child, .fds = &http->child.in, .nfds = 1, .kind = ERR_INPUT, .reach = &http->reach,
		.memory = HTTP_CHILD_MEMORY, .cpu_s = HTTP_CHILD_CPU_S, .wall_ms = HTTP_CHILD_WALL_MS,
	};
	if (confine_start(&conf, &http->process, err) < 0 || answer_new(&http->process, http->net->cancel_fd, &http->answer, err) < 0)
		return -1;
	/* Where it may: the less often each of the two waits for the other. */
	(void)fcntl(http->process.out, F_SETPIPE_SZ, HTTP_CHILD_PIPE);
	http->answer->silence_ms = (int)(http_connect_ms(http->net) + http_stall_ms(http->net)) + HTTP_CHILD_GRACE_MS;
	return 0;
}

/** Tells it something. It may have died, which is told by how. */
static int say(struct http *http, const void *data, size_t n, struct err *err)
{
	if (n == 0 || apart_send(http->to, data, n, err) == 0)
		return 0;
	if (err->sys == EAGAIN)
		return err_set(err, ERR_INPUT, 0, WHO " does not listen");
	http->answer->ended = true;
	return -1;
}

/* ---- the answer -------------------------------------------------------- */

/** The status of a line "HTTP/1.1 200 …"; 0: it is none (RFC 9112, 4). */
static int status_of(const char *line)
{
	const char *p = line + strcspn(line, " ");

	if (!text_starts(line, "HTTP/") || p[0] != ' ' || p[1] < '1' || p[1] > '9' || p[2] < '0' || p[2] > '9' || p[3] < '0' || p[3] > '9' ||
	    (p[4] != ' ' && p[4] != '\0'))
		return 0;
	return (p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0');
}

/** A header line; the status line of a further answer (after 100 Continue, a proxy's CONNECT) begins anew. */
static int take_line(struct exchange *x, const char *line, struct err *err)
{
	struct buf *to = &x->resp->headers;
	size_t n = strlen(line);

	if (text_starts(line, "HTTP/")) {
		/* Of a body there is one, and what is behind it are trailers: limits hold for the status that it came with. */
		if (x->had > 0)
			return answer_nonsense(x->http->answer, err);
		buf_clear(to);
		x->resp->status = status_of(line);
		x->status_lines++;
	}
	if (strpbrk(line, "\r\n") != NULL || x->resp->status == 0 || x->status_lines > HTTP_STATUS_LINES_MAX)
		return answer_nonsense(x->http->answer, err);
	if (to->len + n + 1 > HTTP_HEADERS_MAX)
		return err_set(err, ERR_INPUT, 0, "the header of the answer is over %u bytes", HTTP_HEADERS_MAX);
	buf_add(to, line, n + 1);
	return 0;
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
static int keep_validator(struct exchange *x, struct err *err)
{
	const char *v = http_header(x->resp, "ETag");

	if (v == NULL || v[0] != '"')
		v = http_header(x->resp, "Last-Modified");
	free(x->validator);
	x->validator = v == NULL ? NULL : strdup(v);
	return v != NULL && x->validator == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "keep a header") : 0;
}

/** Before the first byte of a 2xx body: says where it belongs. */
static int begin_body(struct exchange *x, struct err *err)
{
	bool resuming = x->resp->status == 206 && x->at > 0 && x->at == x->asked;
	uint64_t at = 0;

	x->began = true;
	if (x->resp->status == 206) {
		if (range_start(x->resp) != (int64_t)x->asked || x->asked == 0)
			return err_set(err, ERR_INPUT, 0, "the answer is another part than was asked for");
		at = x->asked;
	}
	if (keep_validator(x, err) < 0)
		return -1;
	x->at = at;
	if (x->req->sink == NULL) {
		/* Room for what small answers have, such as tokens: growing would leave copies behind. */
		buf_clear(&x->resp->body);
		(void)buf_room(&x->resp->body, x->req->limit < HTTP_PIECE_MAX ? (size_t)x->req->limit : HTTP_PIECE_MAX);
		return 0;
	}
	return resuming ? 0 : x->req->sink->begin(x->req->sink->arg, at, err);
}

static int take_wanted(struct exchange *x, const char *data, size_t n, struct err *err)
{
	if (!x->began && begin_body(x, err) < 0)
		return -1;
	/* `limit` is of the whole, from wherever this began. */
	if (n > x->req->limit || x->at > x->req->limit - n)
		return err_set(err, ERR_INPUT, 0, "the answer is larger than %" PRIu64 " bytes", x->req->limit);
	x->at += n;
	if (x->req->sink != NULL)
		return x->req->sink->add(x->req->sink->arg, data, n, err);
	buf_add(&x->resp->body, data, n);
	return buf_check(&x->resp->body, "answer", err);
}

/** What a refusal says is for people: its beginning is enough, and what is behind that is read for the connection's sake, not for ever. */
static int take_refusal(struct exchange *x, const char *data, size_t n, struct err *err)
{
	size_t room = HTTP_REFUSAL_MAX - x->resp->body.len;

	if (x->had > HTTP_REFUSAL_READ_MAX)
		return err_set(err, ERR_INPUT, 0, "the server answered %d, and more than %u bytes with it", x->resp->status, HTTP_REFUSAL_READ_MAX);
	buf_add(&x->resp->body, data, n < room ? n : room);
	return 0;
}

/** @p n bytes of the body, as they come. */
static int take_body(struct exchange *x, size_t n, struct err *err)
{
	const char *p;

	if (x->resp->status < 200 || n == 0)
		return answer_nonsense(x->http->answer, err);
	for (size_t got; n > 0; n -= got) {
		if (answer_some(x->http->answer, n, &p, &got, err) < 0)
			return -1;
		x->had += got;
		if ((x->resp->status / 100 == 2 ? take_wanted(x, p, got, err) : take_refusal(x, p, got, err)) < 0)
			return -1;
	}
	return 0;
}

/* ---- the request -------------------------------------------------------- */

/** A part of the request's body, which the process asks for when it needs it; again, where a kept connection turned out to be dead. */
static int give_body(struct exchange *x, const struct http_tell *t, struct err *err)
{
	const struct http_request *req = x->req;
	char piece[HTTP_PIECE_MAX];
	ssize_t got;

	if (!req->has_body || t->n == 0 || t->at > req->body_len || t->n > req->body_len - t->at)
		return answer_nonsense(x->http->answer, err);
	if (req->body != NULL)
		return say(x->http, (const char *)req->body + t->at, t->n, err);
	for (size_t have = 0; have < t->n; have += (size_t)got) {
		do
			got = pread(req->body_fd, piece + have, t->n - have, (off_t)(req->body_at + t->at + have));
		while (got < 0 && errno == EINTR);
		if (got <= 0)
			return err_set(err, ERR_INTERNAL, got < 0 ? errno : 0, "read what is to be sent%s", got < 0 ? "" : ": it is too short");
	}
	return say(x->http, piece, t->n, err);
}

/** Appends a line with its NUL. */
static int add_line(struct buf *lines, const char *line, struct err *err)
{
	if (strpbrk(line, "\r\n") != NULL)
		return err_set(err, ERR_INTERNAL, 0, "a header line holds a line break");
	buf_add(lines, line, strlen(line) + 1);
	return 0;
}

static int add_field(struct buf *lines, const char *name, const char *value, struct err *err)
{
	auto_secret line = {0};

	(void)buf_room(&line, strlen(name) + strlen(value) + sizeof ": ");
	buf_addf(&line, "%s: %s", name, value);
	return buf_check(&line, "header", err) < 0 ? -1 : add_line(lines, line.data, err);
}

static int list_headers(const struct exchange *x, struct buf *lines, struct err *err)
{
	char range[40];

	/* An answer of 100 is not waited for: what is sent can be sent again. */
	if (add_line(lines, "Expect:", err) < 0)
		return -1;
	for (const char *const *h = x->req->headers; h != NULL && *h != NULL; h++)
		if (add_line(lines, *h, err) < 0)
			return -1;
	if (x->authorized && x->req->authorization != NULL &&
	    add_field(lines, "Authorization", x->req->authorization, err) < 0)
		return -1;
	if (x->asked == 0)
		return 0;
	snprintf(range, sizeof range, "bytes=%" PRIu64 "-", x->asked);
	if (add_field(lines, "Range", range, err) < 0)
		return -1;
	const char *if_range = x->validator != NULL ? x->validator : x->req->if_range;
	return if_range == NULL ? 0 : add_field(lines, "If-Range", if_range, err);
}

/** Where to begin: what the sink has, if it can be gone on from; else where the caller wanted to. */
static uint64_t offset_to_ask(const struct exchange *x)
{
	if (strcmp(method_of(x->req), "GET") != 0)
		return 0;
	return x->req->sink != NULL && x->at > 0 && x->validator != NULL ? x->at : x->req->from;
}

static int ask(struct exchange *x, struct err *err)
{
	const char *method = method_of(x->req);
	auto_secret lines = {0};

	(void)buf_room(&lines, HTTP_LINES_ROOM);
	if (list_headers(x, &lines, err) < 0 || buf_check(&lines, "header", err) < 0)
		return -1;
	const struct http_ask a = {
		.method_len = (uint32_t)strlen(method), .url_len = (uint32_t)strlen(x->url->text), .lines_len = (uint32_t)lines.len,
		.has_body = x->req->has_body, .body_len = x->req->body_len,
	};
	return say(x->http, &a, sizeof a, err) < 0 || say(x->http, method, a.method_len, err) < 0 ||
	       say(x->http, x->url->text, a.url_len, err) < 0 || say(x->http, lines.data, lines.len, err) < 0 ? -1 : 0;
}

/* ---- one exchange ---------------------------------------------------------- */

/** How it ended. */
static int take_end(struct exchange *x, const struct http_tell *t, enum exchange_end *ret, struct err *err)
{
	char why[HTTP_WHY_MAX + 1];
	auto_buf shown = {0};

	if (t->at > HTTP_END_INTERNAL || t->n > HTTP_WHY_MAX)
		return answer_nonsense(x->http->answer, err);
	if (answer_string(x->http->answer, why, t->n, err) < 0)
		return -1;
	if (t->at != HTTP_END_ANSWERED) {
		text_printable(&shown, why, t->n);
		(void)err_set(err, t->at == HTTP_END_INTERNAL ? ERR_INTERNAL : ERR_INPUT, 0, "%s",
			      shown.data == NULL ? "the transfer failed" : shown.data);
		*ret = EXCHANGE_BROKEN;
		return t->at == HTTP_END_BROKEN ? 0 : -1;
	}
	if (x->resp->status < 200)
		return answer_nonsense(x->http->answer, err);
	if (buf_check(&x->resp->headers, "header", err) < 0 || buf_check(&x->resp->body, "answer", err) < 0)
		return -1;
	/* A body of no bytes begins too. */
	if (x->resp->status / 100 == 2 && !x->began && begin_body(x, err) < 0)
		return -1;
	*ret = EXCHANGE_ANSWERED;
	return 0;
}

/** Hears one thing that is not the end. */
static int hear(struct exchange *x, const struct http_tell *t, char *line, struct err *err)
{
	struct answer *a = x->http->answer;
	bool give = t->kind == HTTP_TELL_GIVE;

	if (t->n > (t->kind == HTTP_TELL_LINE ? HTTP_LINE_MAX : HTTP_PIECE_MAX) || (!give && t->at != 0))
		return answer_nonsense(a, err);
	if (give)
		return give_body(x, t, err);
	if (t->kind == HTTP_TELL_BODY)
		return take_body(x, t->n, err);
	if (t->kind != HTTP_TELL_LINE)
		return answer_nonsense(a, err);
	return answer_string(a, line, t->n, err) < 0 ? -1 : take_line(x, line, err);
}

static int hear_all(struct exchange *x, enum exchange_end *ret, struct err *err)
{
	auto_free char *line = malloc(HTTP_LINE_MAX + 1);
	struct http_tell t;

	if (line == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "transfer");
	for (;;) {
		if (answer_take(x->http->answer, &t, sizeof t, err) < 0)
			return -1;
		if (t.kind == HTTP_TELL_END)
			return take_end(x, &t, ret, err);
		if (hear(x, &t, line, err) < 0)
			return -1;
	}
}

int exchange_run(struct exchange *x, enum exchange_end *ret, struct err *err)
{
	struct http *http = x->http;
	int result;

	buf_clear(&x->resp->headers);
	buf_clear(&x->resp->body);
	x->resp->status = 0;
	x->status_lines = 0;
	x->had = 0;
	x->began = false;
	x->asked = offset_to_ask(x);
	result = http->answer == NULL ? start(http, err) : 0;
	if (result == 0)
		result = ask(x, err);
	if (result == 0)
		result = hear_all(x, ret, err);
	if (result < 0 && http->answer != NULL)
		(void)answer_end(http->answer, &http->process, result, err);
	/* Whatever it was about to say belongs to this exchange, which is over. */
	if (result < 0)
		http_child_end(http);
	return result;
}

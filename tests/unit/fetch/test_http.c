/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP against a server that misbehaves as told: attempts, waits, resuming, redirects, credentials, limits. */
#include "tests/unit/fetch/server.h"

#include "fetch/http.h"

/** What a test's client did: the waits it would have made, what its sink got. */
struct seen {
	struct buf waits, body;
	unsigned begun;
	bool refuse;
};

static int note_wait(void *arg, uint64_t ms, struct err *err)
{
	struct seen *seen = arg;

	(void)err;
	buf_addf(&seen->waits, "%u ", (unsigned)ms);
	return 0;
}

static int sink_begin(void *arg, uint64_t at, struct err *err)
{
	struct seen *seen = arg;

	(void)err;
	seen->begun++;
	buf_clear(&seen->body);
	buf_addf(&seen->body, "@%u:", (unsigned)at);
	return 0;
}

static int sink_add(void *arg, const void *data, size_t n, struct err *err)
{
	struct seen *seen = arg;

	if (seen->refuse)
		return err_set(err, ERR_INTERNAL, ENOSPC, "keep it");
	buf_add(&seen->body, data, n);
	return 0;
}

struct talk {
	struct world *w;
	struct server server;
	struct fetch_net net;
	struct seen seen;
	struct http_sink sink;
	struct http_request req;
	struct http_response resp;
	char url[100];
};

static void talk_begin(struct talk *t, struct world *w, const char *const *answers)
{
	*t = (struct talk){ .w = w, .server = server_start(answers) };
	t->net = (struct fetch_net){ .plain = FETCH_PLAIN_LOOPBACK, .cancel_fd = -1, .wait = note_wait, .wait_arg = &t->seen };
	t->sink = (struct http_sink){ sink_begin, sink_add, &t->seen };
	snprintf(t->url, sizeof t->url, "http://127.0.0.1:%u/a", t->server.port);
	t->req = (struct http_request){ .url = t->url, .limit = 1000 };
}

static int talk(struct talk *t)
{
	auto_http http = NULL;
	struct world *w = t->w;

	must(http_open(&t->net, &http, &w->err));
	return http_send(http, &t->req, &t->resp, &w->err);
}

/** The requests, for the caller to free. */
static char *talk_end(struct talk *t)
{
	http_response_clear(&t->resp);
	buf_free(&t->seen.waits);
	buf_free(&t->seen.body);
	return server_stop(&t->server);
}

#define OK(n, body) "HTTP/1.1 200 OK\r\nContent-Length: " #n "\r\nX-It:  v \r\n\r\n" body
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"

static void test_get(void **state)
{
	struct talk t;

	talk_begin(&t, *state, (const char *const[]){ OK(5, "hello"), NULL });
	t.req.headers = (const char *const[]){ "Accept: a/b", NULL };
	t.req.authorization = "Basic abc";
	struct world *w = *state;
	must(talk(&t));
	assert_int_equal(t.resp.status, 200);
	assert_string_equal(t.resp.body.data, "hello");
	assert_string_equal(http_header(&t.resp, "x-it"), "v ");
	assert_null(http_header(&t.resp, "x-i"));
	assert_string_equal(t.resp.url, t.url);
	auto_free char *log = talk_end(&t);
	assert_non_null(strstr(log, "GET /a HTTP/1.1\r\n"));
	assert_non_null(strstr(log, "\r\nAccept: a/b\r\n"));
	assert_non_null(strstr(log, "\r\nAuthorization: Basic abc\r\n"));
}

static void test_busy_then_ok(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){ BUSY, "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
						 "", OK(2, "ok"), NULL });
	must(talk(&t));
	assert_string_equal(t.resp.body.data, "ok");
	assert_string_equal(t.seen.waits.data, "500 7000 2000 ");
	free(talk_end(&t));
}

#define BUSY_UNTIL(date) "HTTP/1.1 503 busy\r\nRetry-After: " date "\r\nContent-Length: 0\r\n\r\n"

/** A date far ahead is the longest wait; one that is past, or none, is as long as without it. */
static void test_busy_until_a_date(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){ BUSY_UNTIL("Thu, 31 Dec 2099 23:59:59 GMT"), BUSY_UNTIL("Sun, 06 Nov 1994 08:49:37 GMT"),
						 BUSY_UNTIL("Thu Dec 31 23:59:59 2099"), OK(2, "ok"), NULL });
	must(talk(&t));
	assert_string_equal(t.seen.waits.data, "30000 1000 2000 ");
	free(talk_end(&t));
}

static void test_always_busy(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){ BUSY, BUSY, BUSY, BUSY, NULL });
	t.net.attempts = 3;
	must(talk(&t));
	assert_int_equal(t.resp.status, 503);
	assert_string_equal(t.seen.waits.data, "500 1000 ");
	assert_int_equal(http_refused(&t.req, &t.resp, &w->err), -1);
	assert_error(ERR_INPUT, "the server answered 503: busy");
	free(talk_end(&t));
}

static void test_broken_connections_end(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){ "", "", "", NULL });
	t.net.attempts = 2;
	assert_int_equal(talk(&t), -1);
	assert_error(ERR_INPUT, "after 2 attempts");
	assert_int_equal(t.resp.status, 0);
	free(talk_end(&t));
}

static void test_once(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){ BUSY, "", OK(0, ""), NULL });
	t.req.method = "POST";
	t.req.once = t.req.has_body = true;
	assert_int_equal(talk(&t), -1);
	assert_error(ERR_INPUT, "after 2 attempts");
	auto_free char *log = talk_end(&t);
	assert_non_null(strstr(log, "Content-Length: 0\r\n"));
}

static void test_resume(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){
		"HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 10\r\n\r\n0123",
		"HTTP/1.1 206 Part\r\nETag: \"v1\"\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n45",
		"HTTP/1.1 206 Part\r\nETag: \"v1\"\r\nContent-Range: bytes 6-9/10\r\nContent-Length: 4\r\n\r\n6789", NULL });
	t.req.sink = &t.sink;
	must(talk(&t));
	assert_string_equal(t.seen.body.data, "@0:0123456789");
	assert_int_equal(t.seen.begun, 1);
	auto_free char *log = talk_end(&t);
	assert_non_null(strstr(log, "Range: bytes=4-\r\nIf-Range: \"v1\"\r\n"));
	assert_non_null(strstr(log, "Range: bytes=6-\r\nIf-Range: \"v1\"\r\n"));
}

/** It changed meanwhile; or there was nothing to know that by; or what is left there is shorter. */
static void test_anew(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){
		"HTTP/1.1 200 OK\r\nLast-Modified: Tue, 01 Jan 2030 00:00:00 GMT\r\nContent-Length: 10\r\n\r\n0123",
		"HTTP/1.1 200 OK\r\nETag: W/\"weak\"\r\nContent-Length: 3\r\n\r\nab",
		"HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 3\r\n\r\nxy",
		"HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n",
		OK(2, "ok"), NULL });
	t.req.sink = &t.sink;
	must(talk(&t));
	assert_string_equal(t.seen.body.data, "@0:ok");
	assert_int_equal(t.seen.begun, 4);
	auto_free char *log = talk_end(&t);
	assert_non_null(strstr(log, "If-Range: Tue, 01 Jan 2030"));
	assert_null(strstr(log, "weak"));
	assert_non_null(strstr(log, "Range: bytes=2-\r\nIf-Range: \"x\""));
}

static void test_another_part(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){
		"HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 10\r\n\r\n0123",
		"HTTP/1.1 206 Part\r\nContent-Range: bytes 3-9/10\r\nContent-Length: 7\r\n\r\n3456789", NULL });
	t.req.sink = &t.sink;
	assert_int_equal(talk(&t), -1);
	assert_error(ERR_INPUT, "another part");
	free(talk_end(&t));
}

static void test_from(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){
		"HTTP/1.1 206 Part\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n456789", NULL });
	t.req.sink = &t.sink;
	t.req.from = 4;
	must(talk(&t));
	assert_string_equal(t.seen.body.data, "@4:456789");
	free(talk_end(&t));
}

static void test_limits(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){ OK(5, "hello"), NULL });
	t.req.limit = 4;
	assert_int_equal(talk(&t), -1);
	assert_error(ERR_INPUT, "larger than 4 bytes");
	free(talk_end(&t));

	auto_buf many = {0};
	buf_adds(&many, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 100; i++)
		buf_addf(&many, "X-%d: %01000d\r\n", i, 0);
	buf_adds(&many, "Content-Length: 0\r\n\r\n");
	talk_begin(&t, w, (const char *const[]){ many.data, NULL });
	assert_int_equal(talk(&t), -1);
	assert_error(ERR_INPUT, "the header of the answer");
	free(talk_end(&t));
}

static void test_sink_refuses(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){ OK(5, "hello"), OK(5, "hello"), NULL });
	t.req.sink = &t.sink;
	t.seen.refuse = true;
	assert_int_equal(talk(&t), -1);
	assert_error(ERR_INTERNAL, "keep it");
	assert_int_equal(t.seen.waits.len, 0);
	free(talk_end(&t));
}

#define TO(where) "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " where "\r\n\r\n"

/** A name of this machine that is another origin: credentials stay behind, and do not come back with it. */
static void test_redirects_and_credentials(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){ TO("b?q"), TO("http://localhost:%P/c"), TO("http://127.0.0.1:%P/d"), OK(2, "ok"),
						 NULL });
	t.req.authorization = "Bearer secret";
	must(talk(&t));
	assert_string_equal(t.resp.body.data, "ok");
	assert_non_null(strstr(t.resp.url, "/d"));
	auto_free char *log = talk_end(&t);
	const char *a = strstr(log, "GET /a "), *b = strstr(log, "GET /b?q "), *c = strstr(log, "GET /c "), *d = strstr(log, "GET /d ");
	const char *last = NULL;
	assert_true(a != NULL && b != NULL && c != NULL && d != NULL);
	for (const char *p = log; (p = strstr(p, "secret")) != NULL; p++)
		last = p;
	assert_true(last > b && last < c);
}

static void test_redirects_refused(void **state)
{
	static const char *const rows[][2] = {
		{ TO("file:///etc/passwd"), "only https: and http:" },
		{ TO("ftp://127.0.0.1/x"), "only https: and http:" },
		{ TO("http://example.com/x"), "http: is not encrypted" },
		{ TO("http://user:pw@127.0.0.1:%P/x"), "user or password" },
		{ TO("http://127.0.0.1:%P/a b"), "bytes that must be written" },
	};
	struct world *w = *state;
	struct talk t;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		talk_begin(&t, w, (const char *const[]){ rows[i][0], NULL });
		assert_int_equal(talk(&t), -1);
		assert_error(ERR_INPUT, rows[i][1]);
		free(talk_end(&t));
	}
	const char *round[HTTP_REDIRECTS_MAX + 3] = { NULL };
	for (size_t i = 0; i < HTTP_REDIRECTS_MAX + 2; i++)
		round[i] = TO("/a");
	talk_begin(&t, w, round);
	assert_int_equal(talk(&t), -1);
	assert_error(ERR_INPUT, "more than 10 redirects");
	free(talk_end(&t));
}

static void test_puts(void **state)
{
	struct world *w = *state;
	struct talk t;

	put(w->in, "f", "xxBODYyy", 0600);
	auto_fd fd = openat(w->in, "f", O_RDONLY | O_CLOEXEC);
	talk_begin(&t, w, (const char *const[]){ BUSY, OK(0, ""), OK(0, ""), "HTTP/1.1 307 T\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
						 NULL });
	t.req.method = "PUT";
	t.req.has_body = true;
	t.req.body_fd = fd;
	t.req.body_at = 2;
	t.req.body_len = 4;
	must(talk(&t));
	t.req.method = "PATCH";
	t.req.body = "memory";
	t.req.body_len = 6;
	must(talk(&t));
	/* What changes something is not sent to another place unasked. */
	must(talk(&t));
	assert_int_equal(t.resp.status, 307);
	auto_free char *log = talk_end(&t);
	const char *first = strstr(log, "\r\n\r\nBODY");
	assert_true(first != NULL && strstr(first + 1, "\r\n\r\nBODY") != NULL);
	assert_non_null(strstr(log, "PATCH /a "));
	assert_non_null(strstr(log, "\r\n\r\nmemory"));
	assert_null(strstr(log, "Expect"));
}

static void test_head_and_empty(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){ "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", OK(0, ""), NULL });
	t.req.method = "HEAD";
	must(talk(&t));
	assert_string_equal(http_header(&t.resp, "content-length"), "500");
	t.req.method = NULL;
	t.req.sink = &t.sink;
	must(talk(&t));
	assert_string_equal(t.seen.body.data, "@0:");
	free(talk_end(&t));
}

static void test_stall_and_cancel(void **state)
{
	struct world *w = *state;
	struct talk t;
	int stop[2];

	talk_begin(&t, w, (const char *const[]){ "~", "~", NULL });
	t.net.attempts = 1;
	t.net.stall_ms = 1000;
	assert_int_equal(talk(&t), -1);
	assert_error(ERR_INPUT, "after 1 attempt");
	assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
	assert_int_equal(write(stop[1], "x", 1), 1);
	t.net.cancel_fd = stop[0];
	assert_int_equal(talk(&t), -1);
	assert_error(ERR_INTERRUPTED, "interrupted");
	t.net.cancel_fd = -1;
	close(stop[0]);
	close(stop[1]);
	free(talk_end(&t));
}

static void test_urls_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "http://example.com/", "http: is not encrypted" }, { "file:///etc/passwd", "only https:" },
		{ "https://u@example.com/", "user or password" }, { "https://example.com/a b", "bytes that must" },
		{ "https://example.com/\n", "bytes that must" }, { "", "URL" }, { "/a", "URL" }, { "scp://example.com/", "only https:" },
		{ "http://127.0.0.1.example.com/", "http: is not" }, { "http://localhost.example.com/", "http: is not" },
		{ "https://", "URL" }, { "http://[::2]/", "http: is not" },
	};
	struct world *w = *state;
	struct fetch_net net = { .plain = FETCH_PLAIN_LOOPBACK, .cancel_fd = -1 };
	auto_http http = NULL;

	must(http_open(&net, &http, &w->err));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_request req = { .url = rows[i][0], .limit = 10 };
		auto_http_response resp = {0};

		assert_int_equal(http_send(http, &req, &resp, &w->err), -1);
		assert_error(ERR_USAGE, rows[i][1]);
	}
	const struct http_request broken = { .url = "http://127.0.0.1:1/", .headers = (const char *const[]){ "A: b\r\nC: d", NULL } };
	auto_http_response resp = {0};
	assert_int_equal(http_send(http, &broken, &resp, &w->err), -1);
	assert_error(ERR_INTERNAL, "line break");
}

/** Names that are not of this machine are looked up in threads, and by DNS: by way of sockets, which is what there is. */
static void test_a_name(void **state)
{
	struct world *w = *state;
	struct fetch_net net = { .plain = FETCH_PLAIN_ANY, .cancel_fd = -1, .attempts = 1, .connect_ms = 5000 };
	const struct http_request req = { .url = "http://nowhere.invalid/" };
	auto_http http = NULL;
	auto_http_response resp = {0};

	must(http_open(&net, &http, &w->err));
	assert_int_equal(http_send(http, &req, &resp, &w->err), -1);
	/* "Could not resolve host", or where no server answers "Resolving timed out". */
	assert_error(ERR_INPUT, "esolv");
}

/** Proxies come from the caller alone. */
static void test_proxy(void **state)
{
	struct world *w = *state;
	struct talk t;
	char proxy[64];

	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	talk_begin(&t, w, (const char *const[]){ OK(2, "ok"), OK(2, "px"), NULL });
	must(talk(&t));
	snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", t.server.port);
	t.net.http_proxy = proxy;
	t.net.plain = FETCH_PLAIN_ANY;
	t.req.url = "http://nowhere.example.com/z";
	must(talk(&t));
	assert_string_equal(t.resp.body.data, "px");
	assert_int_equal(unsetenv("http_proxy"), 0);
	auto_free char *log = talk_end(&t);
	assert_non_null(strstr(log, "GET http://nowhere.example.com/z HTTP"));
}

/** http: to this machine is allowed because nobody else hears it: so it goes to no proxy, whose own machine would be meant by then. */
static void test_no_proxy_to_this_machine(void **state)
{
	struct world *w = *state;
	struct talk t;

	talk_begin(&t, w, (const char *const[]){ OK(2, "ok"), OK(2, "ok"), NULL });
	t.net.http_proxy = "http://127.0.0.1:1";
	t.net.attempts = 1;
	t.req.authorization = "Basic c2VjcmV0";
	must(talk(&t));
	snprintf(t.url, sizeof t.url, "http://localhost:%u/a", t.server.port);
	must(talk(&t));
	auto_free char *log = talk_end(&t);
	assert_non_null(strstr(log, "GET /a HTTP"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(test_get),
		test_in_world(test_busy_then_ok),
		test_in_world(test_busy_until_a_date),
		test_in_world(test_always_busy),
		test_in_world(test_broken_connections_end),
		test_in_world(test_once),
		test_in_world(test_resume),
		test_in_world(test_anew),
		test_in_world(test_another_part),
		test_in_world(test_from),
		test_in_world(test_limits),
		test_in_world(test_sink_refuses),
		test_in_world(test_redirects_and_credentials),
		test_in_world(test_redirects_refused),
		test_in_world(test_puts),
		test_in_world(test_head_and_empty),
		test_in_world(test_stall_and_cancel),
		test_in_world(test_urls_refused),
		test_in_world(test_a_name),
		test_in_world(test_proxy),
		test_in_world(test_no_proxy_to_this_machine),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A process that speaks HTTP and has been taken over: what it says instead of answers, and how it ends. */
#include "tests/unit/store/help.h"

#include <inttypes.h>

#include "base/confine_child.h"
#include "fetch/http_wire.h"
#include "fetch/transfer.h"

/** What it says, in pieces, and what it does then. */
struct lie {
	struct http_tell tell;
	const char *bytes;   /**< @c tell.n of them; NULL: none, whatever @c n says */
};

static struct {
	const struct lie *lies;
	size_t n;
	enum { HEARS, ENDS, FAILS, CRASHES, WAITS, REPEATS, REPEATS_LAST } then;
} plot;

static int tell(int out, const struct lie *lie, struct err *err)
{
	return io_write_all(out, &lie->tell, sizeof lie->tell, err) < 0 ||
	       (lie->bytes != NULL && io_write_all(out, lie->bytes, lie->tell.n, err) < 0) ? -1 : 0;
}

/** Reads a question, and its strings. */
static int hear(int in, struct err *err)
{
	char text[8192];
	struct http_ask ask;

	if (apart_receive(in, &ask, sizeof ask, err) < 0)
		return -1;
	return apart_receive(in, text, (size_t)ask.method_len + ask.url_len + ask.lines_len, err);
}

static int lies(void *arg, int out, struct err *err)
{
	const struct http_child *c = arg;

	while (hear(c->in, err) == 0) {
		do
			for (size_t i = 0; i < plot.n; i++)
				if (tell(out, &plot.lies[i], err) < 0)
					return -1;
		while (plot.then == REPEATS);
		while (plot.then == REPEATS_LAST)
			if (tell(out, &plot.lies[plot.n - 1], err) < 0)
				return -1;
		if (plot.then == CRASHES)
			*(volatile int *)4096 = 1;
		if (plot.then == ENDS)
			return 0;
		if (plot.then == FAILS)
			return err_set(err, ERR_USAGE, 0, "I am\033[31m evil");
		if (plot.then == WAITS)
			return (int)read(c->in, (char[1]){ 0 }, 1);
	}
	return 0;
}

#define LINE(text) { { HTTP_TELL_LINE, sizeof (text) - 1, 0 }, text }
#define BODY(text) { { HTTP_TELL_BODY, sizeof (text) - 1, 0 }, text }
#define GIVE(at, n) { { HTTP_TELL_GIVE, n, at }, NULL }
#define END(end, why) { { HTTP_TELL_END, sizeof (why) - 1, end }, why }
#define OK LINE("HTTP/1.1 200 OK")

/** Sends @p req, or a GET, to a process that tells @p lie. */
static int send_to_liar(struct world *w, const struct http_request *req, struct http_response *resp)
{
	static const struct http_request get = { .url = "http://127.0.0.1:1/", .limit = 100 };
	struct fetch_net net = { .plain = FETCH_PLAIN_LOOPBACK, .cancel_fd = -1, .attempts = 1 };
	auto_http http = NULL;

	w->err = (struct err){0};
	must(http_open(&net, &http, &w->err));
	http->speak = lies;
	return http_send(http, req == NULL ? &get : req, resp, &w->err);
}

#define PLOT(what, ...)                                                     \
	static const struct lie told[] = { __VA_ARGS__ };                   \
	plot = (__typeof__(plot)){ told, ARRAY_LEN(told), what }

/** One that tells the truth, so that the lies below fail for what they are. */
static void test_the_truth(void **state)
{
	struct world *w = *state;
	auto_http_response resp = {0};

	PLOT(HEARS, LINE("HTTP/1.1 100 Continue"), LINE("A: b"), LINE("HTTP/1.1 200"), LINE("C: d"), LINE(""), BODY("hel"), BODY("lo"), END(0, ""));
	must(send_to_liar(w, NULL, &resp));
	assert_int_equal(resp.status, 200);
	assert_string_equal(resp.body.data, "hello");
	assert_string_equal(http_header(&resp, "C"), "d");
	assert_null(http_header(&resp, "A"));
}

struct row {
	struct lie lies[4];
	enum err_kind kind;
	const char *text;
};
#define NONSENSE ERR_INPUT, "the process that speaks HTTP says what makes no sense"

static void check_rows(struct world *w, const struct row *rows, size_t n, const struct http_request *req)
{
	for (size_t i = 0; i < n; i++) {
		auto_http_response resp = {0};

		plot = (__typeof__(plot)){ rows[i].lies, ARRAY_LEN(rows[i].lies), HEARS };
		while (plot.n > 0 && rows[i].lies[plot.n - 1].tell.kind == 0 && rows[i].lies[plot.n - 1].tell.n == 0)
			plot.n--;
		if (send_to_liar(w, req, &resp) == 0)
			fail_msg("row %zu: status %d", i, resp.status);
		if (w->err.kind != rows[i].kind || strstr(w->err.msg, rows[i].text) == NULL)
			fail_msg("row %zu: kind %d, %s", i, (int)w->err.kind, w->err.msg);
	}
}

static char many[HTTP_LINE_MAX + 8];

static void test_lies(void **state)
{
	const struct row rows[] = {
		{ { { { 0, 1, 0 }, "x" } }, NONSENSE },
		{ { { { 99, 0, 0 }, NULL } }, NONSENSE },
		{ { OK, { { HTTP_TELL_LINE, UINT32_MAX, 0 }, NULL } }, NONSENSE },
		{ { OK, { { HTTP_TELL_LINE, HTTP_LINE_MAX + 1, 0 }, NULL } }, NONSENSE },
		{ { OK, { { HTTP_TELL_LINE, 1, 1 }, "x" } }, NONSENSE },
		{ { OK, { { HTTP_TELL_LINE, HTTP_LINE_MAX, 0 }, many } }, ERR_INPUT, "the header of the answer is over 65536 bytes" },
		{ { LINE("A: b") }, NONSENSE },
		{ { LINE("HTTP/1.1 2000 x") }, NONSENSE }, { { LINE("HTTP/1.1 20") }, NONSENSE }, { { LINE("HTTP/1.1") }, NONSENSE },
		{ { LINE("HTTP/1.1 099 x") }, NONSENSE }, { { LINE("HTTP/1.1 -20 x") }, NONSENSE }, { { LINE("HTTP/ 2x0") }, NONSENSE },
		{ { OK, LINE("A: b\r\nHTTP/1.1 500 x") }, NONSENSE }, { { OK, LINE("A: b\nC: d") }, NONSENSE },
		{ { OK, LINE("A: b\0C: d") }, NONSENSE },
		{ { BODY("x") }, NONSENSE }, { { LINE("HTTP/1.1 100 x"), BODY("x") }, NONSENSE }, { { OK, BODY("") }, NONSENSE },
		{ { OK, { { HTTP_TELL_BODY, HTTP_PIECE_MAX + 1, 0 }, NULL } }, NONSENSE },
		{ { OK, { { HTTP_TELL_BODY, 1, 7 }, "x" } }, NONSENSE },
		/* The limits of one status are not those of another. */
		{ { OK, BODY("x"), LINE("HTTP/1.1 404 x"), END(0, "") }, NONSENSE },
		{ { LINE("HTTP/1.1 404 x"), BODY("x"), OK, END(0, "") }, NONSENSE },
		{ { OK, { { HTTP_TELL_BODY, 101, 0 }, many } }, ERR_INPUT, "the answer is larger than 100 bytes" },
		{ { OK, { { HTTP_TELL_BODY, 60, 0 }, many }, { { HTTP_TELL_BODY, 41, 0 }, many } }, ERR_INPUT, "larger than 100 bytes" },
		{ { LINE("HTTP/1.1 206 x"), BODY("x") }, ERR_INPUT, "another part" },
		{ { END(HTTP_END_ANSWERED, "") }, NONSENSE }, { { LINE("HTTP/1.1 103 x"), END(HTTP_END_ANSWERED, "") }, NONSENSE },
		{ { OK, END(4, "") }, NONSENSE }, { { OK, END(UINT64_MAX, "") }, NONSENSE },
		{ { OK, { { HTTP_TELL_END, HTTP_WHY_MAX + 1, HTTP_END_FAILED }, NULL } }, NONSENSE },
		{ { END(HTTP_END_FAILED, "a\0b") }, NONSENSE },
		{ { END(HTTP_END_FAILED, "red \033[31m") }, ERR_INPUT, "red \\033[31m" },
		{ { END(HTTP_END_BROKEN, "gone") }, ERR_INPUT, "after 1 attempt: gone" },
		{ { END(HTTP_END_INTERNAL, "odd") }, ERR_INTERNAL, "odd" },
		{ { OK, GIVE(0, 1) }, NONSENSE },
	};
	const struct row gives[] = {
		{ { GIVE(0, 0) }, NONSENSE }, { { GIVE(0, 5) }, NONSENSE }, { { GIVE(4, 1) }, NONSENSE }, { { GIVE(5, 0) }, NONSENSE },
		{ { GIVE(1, 4) }, NONSENSE }, { { GIVE(UINT64_MAX, 1) }, NONSENSE }, { { GIVE(UINT64_MAX - 1, 4) }, NONSENSE },
		{ { GIVE(0, HTTP_PIECE_MAX + 1) }, NONSENSE }, { { GIVE(0, UINT32_MAX) }, NONSENSE },
	};
	const struct http_request put = { .method = "PUT", .url = "http://127.0.0.1:1/", .has_body = true, .body = "body", .body_len = 4, .limit = 1 };

	memset(many, 'a', sizeof many);
	check_rows(*state, rows, ARRAY_LEN(rows), NULL);
	check_rows(*state, gives, ARRAY_LEN(gives), &put);
}

/** What has no end in itself: status lines, header lines, what a refusal says, demands that nobody reads the answers to. */
static void test_endless(void **state)
{
	struct world *w = *state;
	auto_http_response resp = {0};
	static char body[HTTP_PIECE_MAX];
	const struct http_request put = {
		.method = "PUT", .url = "http://127.0.0.1:1/", .has_body = true, .body = body, .body_len = sizeof body, .limit = 1,
	};

	{
		PLOT(REPEATS, OK);
		assert_int_equal(send_to_liar(w, NULL, &resp), -1);
		assert_error(ERR_INPUT, "makes no sense");
	}
	{
		PLOT(REPEATS, LINE("HTTP/1.1 200 OK"), LINE(""));
		assert_int_equal(send_to_liar(w, NULL, &resp), -1);
		assert_error(ERR_INPUT, "makes no sense");
	}
	{
		PLOT(REPEATS_LAST, LINE("HTTP/1.1 404 x"), { { HTTP_TELL_BODY, HTTP_PIECE_MAX, 0 }, many });
		assert_int_equal(send_to_liar(w, NULL, &resp), -1);
		assert_error(ERR_INPUT, "the server answered 404, and more than 1048576 bytes with it");
	}
	{
		PLOT(REPEATS, GIVE(0, HTTP_PIECE_MAX));
		assert_int_equal(send_to_liar(w, &put, &resp), -1);
		assert_error(ERR_INPUT, "the process that speaks HTTP does not listen");
	}
}

/** How often @p hidden, each byte of which is one more than is meant, lies in this process's heap. */
static size_t count_in_heap(const char *hidden)
{
	auto_file maps = fopen("/proc/self/maps", "re");
	const size_t n = strlen(hidden);
	size_t found = 0;
	char line[512];
	uintptr_t from, to;

	assert_non_null(maps);
	while (fgets(line, sizeof line, maps) != NULL) {
		if (strstr(line, "[heap]") == NULL || sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to) != 2)
			continue;
		for (const char *p = (const char *)from; p + n <= (const char *)to; p++) {
			size_t same = 0;

			while (same < n && p[same] == hidden[same] - 1)
				same++;
			found += same == n;
		}
	}
	return found;
}

/** What an answer told, a token of one registry, is not in memory when the next registry's process begins as a copy of it. */
static void test_forgotten(void **state)
{
	struct world *w = *state;
	auto_http_response resp = {0};

	PLOT(HEARS, OK, BODY("................................................tokenone........"), BODY("tokentwo"), END(0, ""));
	must(send_to_liar(w, NULL, &resp));
#ifndef CONFINE_SANITIZED /* a sanitizer has its own heap, which is not looked through */
	assert_int_not_equal(count_in_heap("uplfopof"), 0);
#endif
	buf_wipe(&resp.body);
	assert_int_equal(count_in_heap("uplfopof"), 0);
	assert_int_equal(count_in_heap("uplfouxp"), 0);
}

static void test_ends(void **state)
{
	struct world *w = *state;
	auto_http_response resp = {0};

	PLOT(CRASHES, OK, BODY("x"));
	assert_int_equal(send_to_liar(w, NULL, &resp), -1);
#ifndef __SANITIZE_ADDRESS__
	assert_error(ERR_INTERNAL, "GET http://127.0.0.1:1/: the process that speaks HTTP died (signal 11, SIGSEGV)");
#endif
	plot.then = ENDS;
	assert_int_equal(send_to_liar(w, NULL, &resp), -1);
	assert_error(ERR_INPUT, "what the process that speaks HTTP says ends too early");
	plot.then = FAILS;
	assert_int_equal(send_to_liar(w, NULL, &resp), -1);
	assert_error(ERR_INPUT, "I am\\033[31m evil");
	assert_null(strchr(w->err.msg, '\033'));
}

/** One that has failed is no loss for the next request of the same client; it gets another. */
static void test_the_next_request(void **state)
{
	struct world *w = *state;
	struct fetch_net net = { .plain = FETCH_PLAIN_LOOPBACK, .cancel_fd = -1, .attempts = 1 };
	const struct http_request get = { .url = "http://127.0.0.1:1/", .limit = 100 };
	auto_http http = NULL;
	auto_http_response resp = {0};

	must(http_open(&net, &http, &w->err));
	http->speak = lies;
	{
		/* What it says beyond the end of an exchange that failed is not taken for the next answer. */
		PLOT(HEARS, OK, BODY(""), LINE("HTTP/1.1 500 x"), END(0, ""));
		assert_int_equal(http_send(http, &get, &resp, &w->err), -1);
	}
	PLOT(HEARS, OK, BODY("well"), END(0, ""));
	for (int i = 0; i < 3; i++) {
		must(http_send(http, &get, &resp, &w->err));
		assert_string_equal(resp.body.data, "well");
	}
}

static void test_interrupted(void **state)
{
	struct world *w = *state;
	int stop[2];
	auto_http http = NULL;
	auto_http_response resp = {0};
	const struct http_request get = { .url = "http://127.0.0.1:1/", .limit = 100 };

	assert_int_equal(pipe2(stop, O_CLOEXEC), 0);
	assert_int_equal(write(stop[1], "x", 1), 1);
	struct fetch_net net = { .plain = FETCH_PLAIN_LOOPBACK, .cancel_fd = stop[0] };
	must(http_open(&net, &http, &w->err));
	http->speak = lies;
	PLOT(WAITS, OK);
	assert_int_equal(http_send(http, &get, &resp, &w->err), -1);
	assert_error(ERR_INTERRUPTED, "interrupted");
	/* And it has gone. */
	assert_int_equal(waitpid(-1, NULL, __WALL | WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	close(stop[0]);
	close(stop[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(test_the_truth),
		test_in_world(test_lies),
		test_in_world(test_endless),
		test_in_world(test_forgotten),
		test_in_world(test_ends),
		test_in_world(test_the_next_request),
		test_in_world(test_interrupted),
	};

	return cmocka_run_group_tests_name("http_wire", tests, NULL, NULL);
}

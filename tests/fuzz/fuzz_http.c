/* SPDX-License-Identifier: Apache-2.0 */
/* What HTTP brings that is read outside of its confined process: the first byte chooses between a URL, and one that refers to it in a second line,
 * and what that process says of an exchange. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "fetch/transfer.h"
#include "tests/fuzz/fuzz.h"

/** Most bytes of a body that is wanted, and of one that is sent. */
#define LIMIT 1000
#define BODY "sixteen bytes it"

/** What was taken is taken again as it is, and means the same. */
static void check_url(const struct url *u)
{
	auto_url again = {0};
	struct err err = {0};

	MUST(url_parse(u->text, NULL, &again, &err) == 0);
	MUST(strcmp(again.text, u->text) == 0 && url_same_origin(&again, u));
	MUST(strcmp(u->scheme, "https") == 0 || strcmp(u->scheme, "http") == 0);
	MUST(u->host[0] != '\0' && strpbrk(u->host, "/?#@\\[] ") == NULL);
}

static void urls(char *text)
{
	char *second = strchr(text, '\n');
	auto_url base = {0}, u = {0};
	struct err err = {0};

	if (second != NULL)
		*second++ = '\0';
	if (url_parse(text, NULL, &base, &err) < 0) {
		MUST(err.kind == ERR_USAGE && base.text == NULL);
		return;
	}
	check_url(&base);
	/* What is put together may be longer than what may be given. */
	if (second != NULL && url_parse(second, &base, &u, &err) == 0 && strlen(u.text) <= URL_MAX)
		check_url(&u);
}

static uint64_t sunk;

static int sink_begin(void *arg, uint64_t at, struct err *err)
{
	(void)arg;
	(void)err;
	sunk = at;
	return 0;
}

static int sink_add(void *arg, const void *data, size_t n, struct err *err)
{
	(void)arg;
	(void)data;
	(void)err;
	sunk += n;
	MUST(n > 0 && sunk <= LIMIT);
	return 0;
}

/** A client whose process has said @p n bytes already, and will not say more. */
static struct http *client(const struct fetch_net *net, const char *said, size_t n, int *ret_other)
{
	struct http *http;
	struct err err = {0};
	int ends[2];

	MUST(http_open(net, &http, &err) == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	http->to = ends[0];
	*ret_other = ends[1];
	http->process.conf.what = "it";
	http->process.out = memfd_create("said", MFD_CLOEXEC);
	MUST(http->process.out >= 0 && (n == 0 || pwrite(http->process.out, said, n, 0) == (ssize_t)n));
	MUST(answer_new(&http->process, -1, &http->answer, &err) == 0);
	return http;
}

/** @p how: whether there is a body to send, a sink, a part that is asked for. */
static void exchange(unsigned how, const char *said, size_t n)
{
	const struct fetch_net net = { .cancel_fd = -1 };
	const struct http_sink sink = { sink_begin, sink_add, NULL };
	const struct http_request req = {
		.url = "https://registry.example.com/", .method = how & 1 ? "PUT" : "GET", .limit = LIMIT, .body = BODY, .body_len = how & 1 ? sizeof BODY - 1 : 0,
		.has_body = how & 1, .sink = how & 2 ? &sink : NULL, .from = how & 4 ? 7 : 0,
	};
	auto_http_response resp = {0};
	auto_fd other = -1;
	auto_http http = client(&net, said, n, &other);
	auto_url url = {0};
	struct exchange x = { .http = http, .req = &req, .url = &url, .resp = &resp };
	enum exchange_end end;
	struct err err = {0};

	MUST(url_parse(req.url, NULL, &url, &err) == 0);
	if (exchange_run(&x, &end, &err) == 0 && end == EXCHANGE_ANSWERED)
		MUST(resp.status >= 200 && resp.status <= 999 && resp.headers.len <= HTTP_HEADERS_MAX &&
		     resp.body.len <= (resp.status / 100 == 2 ? LIMIT : HTTP_REFUSAL_MAX));
	free(x.validator);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = size == 0 ? NULL : malloc(size);

	if (text == NULL)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] < '0' || data[0] > '7')
		urls(text);
	else
		exchange(data[0] - '0', text, size - 1);
	free(text);
	return 0;
}

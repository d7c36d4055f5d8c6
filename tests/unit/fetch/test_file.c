/* SPDX-License-Identifier: Apache-2.0 */
/* Files by URL: stored only when they are what they should be, and asked for only when they are not there. */
#include "tests/unit/fetch/server.h"

#include "fetch/fetch.h"

static const struct fetch_net net = { .plain = FETCH_PLAIN_LOOPBACK, .cancel_fd = -1, .first_wait_ms = 1, .most_wait_ms = 2 };

static struct digest digest_of(const char *text)
{
	struct err err = {0};
	struct digest d;

	assert_int_equal(hash_bytes(text, strlen(text), &d, &err), 0);
	return d;
}

static bool is_stored(struct world *w, const char *text)
{
	struct digest d = digest_of(text);
	auto_fd fd = -1;

	return store_open_object(w->store, &d, &fd, &w->err) == 0;
}

static int fetch(struct world *w, const char *url, const char *want, uint64_t size)
{
	struct digest d, got;
	uint64_t got_size;
	struct fetch_url from = { .url = url, .size = size };

	if (want != NULL) {
		d = digest_of(want);
		from.digest = &d;
	}
	return fetch_url(w->store, &net, &from, &got, &got_size, &w->err);
}

static void test_file_url(void **state)
{
	struct world *w = *state;
	char url[5000];

	put(w->in, "a b", "hello", 0600);
	snprintf(url, sizeof url, "file://%s/in/a%%20b", w->path);
	assert_int_equal(fetch(w, url, "other", STORE_ANY_SIZE), -1);
	assert_error(ERR_INPUT, "not sha256:d9298a10");
	assert_int_equal(fetch(w, url, "hello", 4), -1);
	assert_error(ERR_INPUT, "larger than 4");
	assert_int_equal(fetch(w, url, "hello", 6), -1);
	assert_error(ERR_INPUT, "has 5 bytes, not 6");
	assert_false(is_stored(w, "hello"));
	must(fetch(w, url, "hello", 5));
	assert_true(is_stored(w, "hello"));
	/* Now nobody is asked, but a wrong size is still wrong. */
	must(fetch(w, "file:///nowhere/else", "hello", STORE_ANY_SIZE));
	assert_int_equal(fetch(w, "file:///nowhere/else", "hello", 6), -1);
	assert_error(ERR_INPUT, "has 5 bytes, not 6");
	assert_int_equal(fetch(w, "file:///nowhere/else", "other", STORE_ANY_SIZE), -1);
	assert_error(ERR_INPUT, "No such file");
	assert_int_equal(fetch(w, "file:///", "other", STORE_ANY_SIZE), -1);
	assert_error(ERR_INPUT, "not a regular file");
	assert_int_equal(fetch(w, "file://example.com/x", "other", STORE_ANY_SIZE), -1);
	assert_error(ERR_USAGE, "write file://");
	assert_int_equal(fetch(w, "file:///x%0", "other", STORE_ANY_SIZE), -1);
	assert_error(ERR_USAGE, "no %xx");
	assert_int_equal(fetch(w, "file:///x%00y", "other", STORE_ANY_SIZE), -1);
	assert_error(ERR_USAGE, "control character");
}

/** Damaged in the store: fetched again. */
static void test_damaged(void **state)
{
	struct world *w = *state;
	char url[5000];

	put(w->in, "a", "hello", 0600);
	snprintf(url, sizeof url, "file://%s/in/a", w->path);
	must(fetch(w, url, "hello", STORE_ANY_SIZE));
	shell(w, "f=$(find store/objects -type f); chmod u+w $f; echo jello >$f");
	must(fetch(w, url, "hello", STORE_ANY_SIZE));
	shell(w, "test \"$(cat $(find store/objects -type f))\" = hello");
}

static void test_by_http(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 5\r\n\r\nhe",
		"HTTP/1.1 206 P\r\nETag: \"e\"\r\nContent-Range: bytes 2-4/5\r\nContent-Length: 3\r\n\r\nllo",
		"HTTP/1.1 404 Gone\r\nContent-Length: 7\r\n\r\nno\033[mwe", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\njello",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\njello", "HTTP/1.1 204 None\r\n\r\n", NULL };
	struct world *w = *state;
	struct server server = server_start(answers);
	char url[100];

	snprintf(url, sizeof url, "http://127.0.0.1:%u/d/a.tar.gz?x=1", server.port);
	must(fetch(w, url, "hello", 5));
	assert_int_equal(fetch(w, url, "jello", STORE_ANY_SIZE), -1);
	assert_error(ERR_INPUT, "answered 404: no\\033[m");
	assert_int_equal(fetch(w, url, "cello", STORE_ANY_SIZE), -1);
	assert_error(ERR_INPUT, "(5 bytes), not sha256:");
	assert_int_equal(fetch(w, url, "jell", 4), -1);
	assert_error(ERR_INPUT, "larger than 4");
	assert_int_equal(fetch(w, url, NULL, STORE_ANY_SIZE), -1);
	assert_error(ERR_INPUT, "answered 204");
	assert_false(is_stored(w, "jello"));
	free(server_stop(&server));
}

static void test_names(void **state)
{
	static const char *const rows[][2] = {
		{ "https://h.example/a/b.tar.gz", "b.tar.gz" }, { "https://h.example/a%20b?c/d", "a b" }, { "https://h.example/%2e", NULL },
		{ "https://h.example/a/", NULL }, { "https://h.example", NULL }, { "https://h.example/a/..", NULL },
		{ "https://h.example/a%2fb", NULL }, { "https://h.example/a%00", NULL }, { "https://h.example/x#/y", "x" },
		{ "https://h.example?/x", NULL }, { "file:///q", "q" }, { "https://h.example/%zz", NULL },
	};
	struct world *w = *state;
	char name[TREE_NAME_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r = fetch_url_name(rows[i][0], name, &w->err);

		assert_int_equal(r, rows[i][1] == NULL ? -1 : 0);
		if (r == 0)
			assert_string_equal(name, rows[i][1]);
		else
			assert_error(ERR_USAGE, "URL '");
	}
}

static void test_tree(void **state)
{
	struct world *w = *state;
	struct digest tree, d = digest_of("hello");

	must(fetch_url_tree(w->store, "https://h.example/x/hello.txt", &d, 5, &tree, &w->err));
	auto_free char *text = stored_manifest(w, &tree);
	assert_string_equal(text, "#mtree\n. type=dir mode=0755\n./hello.txt type=file mode=0644 size=5 "
			    "sha256=2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_world(test_file_url),
		test_in_world(test_damaged),
		test_in_world(test_by_http),
		test_in_world(test_names),
		test_in_world(test_tree),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}

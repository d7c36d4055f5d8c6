/* SPDX-License-Identifier: Apache-2.0 */
/* Registries: references, and a client whose registry says what the test tells it to. */
#include "tests/unit/fetch/server.h"

#include "fetch/registry_client.h"

/** What must() of the store's tests looks at. */
static struct {
	struct err err;
} world, *const w = &world;

#define must_fail(call, want_kind, text)                                                    \
	do {                                                                                \
		w->err = (struct err){0};                                                      \
		if ((call) == 0)                                                            \
			fail_msg("%s: passed, expected \"%s\"", #call, text);               \
		if (strstr(w->err.msg, text) == NULL)                                          \
			fail_msg("%s: said \"%s\", expected \"%s\"", #call, w->err.msg, text); \
		assert_int_equal(w->err.kind, want_kind);                                      \
	} while (0)

/* ---- references ------------------------------------------------------------ */

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_references(void **state)
{
	static const struct {
		const char *text, *host, *path, *tag;
		bool pinned;
	} rows[] = {
		{ "registry.example.com/app", "registry.example.com", "app", NULL, false },
		{ "registry.example.com:5000/team/app:1.0", "registry.example.com:5000", "team/app", "1.0", false },
		{ "localhost/a/b/c@sha256:" HEX, "localhost", "a/b/c", NULL, true },
		{ "localhost:5000/a:v1@sha256:" HEX, "localhost:5000", "a", "v1", true },
		{ "[::1]:5000/a", "[::1]:5000", "a", NULL, false },
		{ "r.example.com/a__b/c--d/e.f_g:_x", "r.example.com", "a__b/c--d/e.f_g", "_x", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_registry_ref r = {0};

		must(registry_ref_parse(rows[i].text, &r, &w->err));
		assert_string_equal(r.host, rows[i].host);
		assert_string_equal(r.path, rows[i].path);
		assert_true((r.tag == NULL) == (rows[i].tag == NULL));
		if (r.tag != NULL)
			assert_string_equal(r.tag, rows[i].tag);
		assert_int_equal(r.pinned, rows[i].pinned);
	}
}

static void test_no_references(void **state)
{
	static const char *const rows[] = {
		"", "app", "team/app", "registry.example.com", "registry.example.com/", "registry.example.com/A", "r.example.com/a//b",
		"r.example.com/a/", "r.example.com/-a", "r.example.com/a-", "r.example.com/a..b", "r.example.com/a___b", "r.example.com/a:",
		"r.example.com/a:-x", "r.example.com/a:.x", "r.example.com/a:x/y", "r.example.com/a@sha256:00", "r.example.com/a@sha512:" HEX HEX,
		("r.example.com/a@" HEX), "r.example.com:/a", "r.example.com:x/a", "r.example.com:123456/a", "-r.example.com/a", "[::1/a", "[x]:1/a",
		"r.example.com/a?b", "r.example.com/a#b", "r.example.com/../b", "u@r.example.com/a", "https://r.example.com/a", "r.example.com/a b",
		"r.example.com/a:v1\n", "r.example.com/\xc3\xa9",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct registry_ref r = {0};

		w->err = (struct err){0};
		if (registry_ref_parse(rows[i], &r, &w->err) == 0)
			fail_msg("'%s' passed", rows[i]);
		assert_int_equal(w->err.kind, ERR_USAGE);
		assert_null(r.host);
	}
}

/* ---- a conversation ----------------------------------------------------------- */

struct talk {
	struct server server;
	struct fetch_net net;
	struct registry_conf conf;
	struct registry_ref ref;
};

static int no_wait(void *arg, uint64_t ms, struct err *e)
{
	(void)arg;
	(void)ms;
	(void)e;
	return 0;
}

static void talk_begin(struct talk *t, const char *what, const char *const *answers)
{
	char text[300];

	*t = (struct talk){ .server = server_start(answers) };
	t->net = (struct fetch_net){ .cancel_fd = -1, .wait = no_wait };
	t->conf = (struct registry_conf){ .net = &t->net, .chunk = 4 };
	snprintf(text, sizeof text, "127.0.0.1:%u/a/b%s", t->server.port, what);
	must(registry_ref_parse(text, &t->ref, &w->err));
}

/** Ends it; every request's first line and Content-Range, one a line. */
static void talk_end(struct talk *t, struct buf *out)
{
	auto_free char *log = server_stop(&t->server);
	char *save = NULL;

	registry_ref_clear(&t->ref);
	for (char *line = strtok_r(log, "\r\n", &save); line != NULL; line = strtok_r(NULL, "\r\n", &save)) {
		char *end = strstr(line, " HTTP/1.1");

		if (end != NULL)
			buf_addf(out, "%.*s\n", (int)(end - line), line);
		else if (strncmp(line, "Content-Range: ", 15) == 0)
			buf_addf(out, " %s\n", line + 15);
	}
}

static struct digest digest_of(const char *text)
{
	struct digest d;

	must(hash_bytes(text, strlen(text), &d, &w->err));
	return d;
}

#define NOT_FOUND "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
#define FOUND "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
#define CREATED "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
#define STARTED(where) "HTTP/1.1 202 Accepted\r\nLocation: " where "\r\nContent-Length: 0\r\n\r\n"
#define AGAIN "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n"

/** Pushes one blob of ten bytes and a manifest, by digest. */
static int push(struct talk *t, struct registry_pushed *ret)
{
	const struct registry_blob blob = { .digest = digest_of("0123456789"), .size = 10, .data = "0123456789", .fd = -1 };
	const struct registry_push p = { .media_type = MEDIA_MANIFEST, .manifest = "{}", .nmanifest = 2, .blobs = &blob, .nblobs = 1 };

	return registry_push(&t->conf, &t->ref, &p, ret, &w->err);
}

static void test_chunks(void **state)
{
	static const char *const answers[] = {
		NOT_FOUND, STARTED("/v2/a/b/up?x=1"), STARTED("up2"), STARTED("/v2/a/b/up3?s=%41"), STARTED("/up4"), CREATED, CREATED, NULL,
	};
	struct talk t;
	struct registry_pushed pushed;
	auto_buf asked = {0};

	(void)state;
	talk_begin(&t, "", answers);
	must(push(&t, &pushed));
	assert_int_equal(pushed.sent, 1);
	talk_end(&t, &asked);
	assert_string_equal(asked.data,
		"HEAD /v2/a/b/blobs/sha256:84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882\n"
		"POST /v2/a/b/blobs/uploads/\n"
		"PATCH /v2/a/b/up?x=1\n 0-3\n"
		"PATCH /v2/a/b/up2\n 4-7\n"
		"PATCH /v2/a/b/up3?s=%41\n 8-9\n"
		"PUT /up4?digest=sha256:84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882\n"
		"PUT /v2/a/b/manifests/sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n");
}

/** A chunk that the registry has had already, its answer lost: the blob is asked for, and sent anew. */
static void test_lost_uploads(void **state)
{
	static const char *const one_lost[] = {
		NOT_FOUND, STARTED("/up"), STARTED("/up"), AGAIN, NOT_FOUND, STARTED("/up"), STARTED("/up"), STARTED("/up"), STARTED("/up"),
		CREATED, CREATED, NULL,
	};
	static const char *const it_was_there[] = { NOT_FOUND, STARTED("/up"), STARTED("/up"), AGAIN, FOUND, CREATED, NULL };
	static const char *const always[] = {
		NOT_FOUND, STARTED("/up"), AGAIN, NOT_FOUND, STARTED("/up"), AGAIN, NOT_FOUND, STARTED("/up"), AGAIN, NULL,
	};
	struct talk t;
	struct registry_pushed pushed = {0};
	auto_buf a = {0}, b = {0}, c = {0};

	(void)state;
	talk_begin(&t, "", one_lost);
	must(push(&t, &pushed));
	assert_int_equal(pushed.sent, 1);
	talk_end(&t, &a);
	talk_begin(&t, "", it_was_there);
	must(push(&t, &pushed));
	assert_int_equal(pushed.sent, 1);
	talk_end(&t, &b);
	talk_begin(&t, "", always);
	must_fail(push(&t, &pushed), ERR_PUBLISH, "lost the upload of blob");
	talk_end(&t, &c);
}

static void test_bad_answers_to_a_push(void **state)
{
	static const struct {
		const char *answers[6];
		const char *why;
	} rows[] = {
		{ { "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\ndenied" }, "answered 403" },
		{ { NOT_FOUND, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n" }, "says nowhere to send" },
		{ { NOT_FOUND, STARTED("http://plain.example.com/up") }, "not encrypted" },
		{ { NOT_FOUND, STARTED("file:///etc/passwd") }, "only https: and http:" },
		{ { NOT_FOUND, STARTED("http://u:p@127.0.0.1/up") }, "user or password" },
		{ { NOT_FOUND, CREATED }, "answered 201" },
		{ { NOT_FOUND, STARTED("/up"), "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" }, "answered 400" },
		{ { NOT_FOUND, STARTED("/up?X-Signature=geheim"), "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" }, "/up: the server answered 400" },
		{ { NOT_FOUND, STARTED("http://plain.example.com/up?geheim") }, "'http://plain.example.com/up'" },
		{ { FOUND, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }, "answered 200" },
		{ { FOUND, "HTTP/1.1 201 Created\r\nDocker-Content-Digest: sha256:" HEX "\r\nContent-Length: 0\r\n\r\n" }, "the registry says it is" },
		{ { "HTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:" HEX "\r\n\r\n" }, "the registry says it is" },
		{ { "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n" }, "neither 'Basic' nor 'Bearer'" },
		{ { "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n" }, "neither 'Basic' nor 'Bearer'" },
		{ { "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"x\r\nContent-Length: 0\r\n\r\n" }, "cannot be read" },
		{ { "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm\r\nContent-Length: 0\r\n\r\n" }, "cannot be read" },
		{ { "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer service=\"x\"\r\nContent-Length: 0\r\n\r\n" }, "token service" },
		{ { "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"http://127.0.0.1:%P/t\"\r\nContent-Length: 0\r\n\r\n",
		    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" }, "gave no token" },
		{ { "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"http://127.0.0.1:%P/t\"\r\nContent-Length: 0\r\n\r\n",
		    "HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{\"token\":\"a\\r\\nX: y\"}" }, "gave no token" },
		{ { "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"http://127.0.0.1:%P/t\"\r\nContent-Length: 0\r\n\r\n",
		    "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"token\":\"a\"}", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n" },
		  "answered 401" },
		{ { "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n" }, "docker login" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct talk t;
		struct registry_pushed pushed;
		auto_buf asked = {0};

		talk_begin(&t, ":v1", rows[i].answers);
		/* In one piece: fewer answers to write down. */
		t.conf.chunk = 0;
		must_fail(push(&t, &pushed), ERR_PUBLISH, rows[i].why);
		talk_end(&t, &asked);
		assert_null(strstr(asked.data, "/manifests/v1"));
		assert_null(strstr(w->err.msg, "geheim"));
	}
}

/** One more tag is one more request; where it would go is none. */
static void test_tag(void **state)
{
	static const char *const answers[] = { CREATED, "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\ndenied", NULL };
	const struct registry_push p = { .media_type = MEDIA_MANIFEST, .manifest = "{}", .nmanifest = 2 };
	struct talk t;
	auto_buf asked = {0}, want = {0};
	auto_free char *where = NULL;

	(void)state;
	talk_begin(&t, ":v2", answers);
	buf_addf(&want, "http://127.0.0.1:%u/v2/a/b", t.server.port);
	must(registry_where(&t.conf, &t.ref, &where, &w->err));
	assert_string_equal(where, want.data);
	must(registry_tag(&t.conf, &t.ref, &p, &w->err));
	must_fail(registry_tag(&t.conf, &t.ref, &p, &w->err), ERR_PUBLISH, "tag 'v2' of 127.0.0.1:");
	talk_end(&t, &asked);
	assert_string_equal(asked.data, "PUT /v2/a/b/manifests/v2\nPUT /v2/a/b/manifests/v2\n");
}

static void test_where(void **state)
{
	static const char *const maps[] = { "registry.example.com/team=https://mirror.example.com:5000/x", "r.example.com=http://plain.example.com" };
	const struct fetch_net net = { .cancel_fd = -1 };
	struct registry_conf conf = { .net = &net, .maps = maps, .nmaps = ARRAY_LEN(maps) };
	auto_registry_ref a = {0}, b = {0};
	auto_free char *where = NULL, *other = NULL;

	(void)state;
	must(registry_ref_parse("registry.example.com/team/app", &a, &w->err));
	must(registry_where(&conf, &a, &where, &w->err));
	assert_string_equal(where, "https://mirror.example.com:5000/v2/x/app");
	must(registry_ref_parse("r.example.com/app", &b, &w->err));
	must_fail(registry_where(&conf, &b, &other, &w->err), ERR_USAGE, "not encrypted");
	assert_null(other);
}

/* ---- what is pulled ----------------------------------------------------------------- */

static int resolve(const char *what, const char *type, const char *body, struct registry_image *ret)
{
	char answer[4096];
	const char *const answers[] = { answer, NULL };
	struct talk t;
	auto_buf asked = {0};

	snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", type, strlen(body), body);
	talk_begin(&t, what, answers);
	int result = registry_resolve(&t.conf, &t.ref, NULL, ret, &w->err);
	talk_end(&t, &asked);
	return result;
}

static void test_resolve(void **state)
{
	static const char plain[] = "{\"schemaVersion\":2}";
	struct registry_image image;
	char pinned[100], text[DIGEST_STR_SIZE];
	struct digest d = digest_of(plain);

	(void)state;
	must(resolve(":v1", MEDIA_MANIFEST "; charset=utf-8", plain, &image));
	assert_true(digest_eq(&image.manifest, &d) && digest_eq(&image.named, &d));
	assert_string_equal(image.media_type, MEDIA_MANIFEST);
	snprintf(pinned, sizeof pinned, "@%s", digest_str(&d, text));
	must(resolve(pinned, MEDIA_DOCKER_MANIFEST, plain, &image));
	must_fail(resolve("@sha256:" HEX, MEDIA_MANIFEST, plain, &image), ERR_INPUT, "for sha256:" HEX);
	must_fail(resolve("", MEDIA_MANIFEST, plain, &image), ERR_USAGE, "which image?");
	must_fail(resolve(":v1", "text/html", plain, &image), ERR_INPUT, "no image that glovebox reads");
	must_fail(resolve(":v1", MEDIA_MANIFEST, "{\"a\":1,\"a\":2}", &image), ERR_INPUT, "v1");
	must_fail(resolve(":v1", MEDIA_MANIFEST, "[]", &image), ERR_INPUT, "is no JSON object");
	must_fail(resolve(":v1", MEDIA_INDEX, "{\"manifests\":[]}", &image), ERR_INPUT, "index of 0 images has none for linux/");
	must_fail(resolve(":v1", MEDIA_INDEX, "{\"manifests\":[1,{\"platform\":{\"os\":\"linux\",\"architecture\":\"none\"}}]}", &image), ERR_INPUT,
		  "index of 2 images has none");
	/* One digest, and the registry's Content-Type would say what it stands for. */
	must_fail(resolve(":v1", MEDIA_MANIFEST, "{\"manifests\":[],\"layers\":[]}", &image), ERR_INPUT, "of an index and of an image");
	must_fail(resolve(":v1", MEDIA_INDEX, "{\"manifests\":[],\"config\":{}}", &image), ERR_INPUT, "of an index and of an image");
	must_fail(resolve(":v1", "x", "{\"mediaType\":\"" MEDIA_MANIFEST "\",\"manifests\":[],\"layers\":[]}", &image), ERR_INPUT,
		  "of an index and of an image");
}

static int pull(const char *manifest, const char *blob)
{
	char first[4096], second[4096], dir[] = "/tmp/glovebox-registry.XXXXXX";
	const char *const answers[] = { first, second, NULL };
	struct talk t;
	struct registry_image image;
	auto_buf asked = {0};

	assert_non_null(mkdtemp(dir));
	auto_fd dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(first, sizeof first, "HTTP/1.1 200 OK\r\nContent-Type: " MEDIA_MANIFEST "\r\nContent-Length: %zu\r\n\r\n%s", strlen(manifest),
		 manifest);
	snprintf(second, sizeof second, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(blob), blob);
	talk_begin(&t, ":v1", answers);
	int result = registry_pull(&t.conf, &t.ref, NULL, dirfd, NULL, &image, &w->err);
	talk_end(&t, &asked);
	assert_int_equal(faccessat(dirfd, "blobs/sha256/arriving", F_OK, 0), -1);
	assert_true((faccessat(dirfd, "index.json", F_OK, 0) == 0) == (result == 0));
	struct err ignored = {0};
	must(io_remove_tree(AT_FDCWD, dir, &ignored));
	return result;
}

/** The empty config's digest is that of "{}". */
#define CONFIG(size) "{\"layers\":[],\"config\":{\"mediaType\":\"x\",\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"size\":" size "}}"

static void test_pull(void **state)
{
	(void)state;
	must(pull(CONFIG("2"), "{}"));
	must_fail(pull(CONFIG("3"), "{}"), ERR_INPUT, "sent 2 bytes, and it has 3");
	must_fail(pull(CONFIG("1"), "{}"), ERR_INPUT, "larger than 1 bytes");
	must_fail(pull(CONFIG("2"), "[]"), ERR_INPUT, "what the registry sent is");
	must_fail(pull(CONFIG("-1"), "{}"), ERR_INPUT, "no descriptor");
	must_fail(pull(CONFIG("99999999999"), "{}"), ERR_INPUT, "more than the limit");
	must_fail(pull("{\"layers\":[]}", "{}"), ERR_INPUT, "no descriptor");
	must_fail(pull("{\"config\":{}}", "{}"), ERR_INPUT, "no list of at most");
	must_fail(pull("{\"layers\":[{\"digest\":\"sha256:../../x\",\"size\":1}],\"config\":{\"digest\":\"sha256:../../x\",\"size\":1}}", "{}"),
		  ERR_INPUT, "no descriptor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_no_references),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_lost_uploads),
		cmocka_unit_test(test_bad_answers_to_a_push),
		cmocka_unit_test(test_tag),
		cmocka_unit_test(test_where),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_pull),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

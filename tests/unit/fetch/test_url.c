/* SPDX-License-Identifier: Apache-2.0 */
/* URLs: what is taken and what is not, where references lead (RFC 3986, 5.4), and that libcurl, which is given them, understands the same. */
#include "tests/unit/store/help.h"

#include <curl/curl.h>
#include <dlfcn.h>

#include "fetch/url.h"

/** libcurl's parser, for a judge: the same that takes what we give it. */
static struct {
	__typeof__(curl_url) *url;
	__typeof__(curl_url_cleanup) *cleanup;
	__typeof__(curl_url_get) *get;
	__typeof__(curl_url_set) *set;
	__typeof__(curl_free) *free;
} judge;

static int find_judge(void **state)
{
	void *lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_NODELETE);

	(void)state;
	if (lib == NULL)
		return -1;
	judge.url = (__typeof__(judge.url))dlsym(lib, "curl_url");
	judge.cleanup = (__typeof__(judge.cleanup))dlsym(lib, "curl_url_cleanup");
	judge.get = (__typeof__(judge.get))dlsym(lib, "curl_url_get");
	judge.set = (__typeof__(judge.set))dlsym(lib, "curl_url_set");
	judge.free = (__typeof__(judge.free))dlsym(lib, "curl_free");
	return judge.url != NULL && judge.cleanup != NULL && judge.get != NULL && judge.set != NULL && judge.free != NULL ? 0 : -1;
}

/** Fails unless libcurl has @p part of @p text as @p expected. */
static void check_part(const char *text, CURLUPart part, const char *expected)
{
	CURLU *u = judge.url();
	char *got = NULL;

	if (judge.set(u, CURLUPART_URL, text, 0) != CURLUE_OK || judge.get(u, part, &got, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) != CURLUE_OK)
		fail_msg("libcurl does not take '%s'", text);
	if (strcmp(got, expected) != 0)
		fail_msg("'%s': libcurl has '%s', not '%s'", text, got, expected);
	judge.free(got);
	judge.cleanup(u);
}

/** What libcurl makes of a reference; NULL: nothing. */
static char *judged(const char *base, const char *text)
{
	CURLU *u = judge.url();
	char *got = NULL, *copy = NULL;

	if ((base == NULL || judge.set(u, CURLUPART_URL, base, 0) == CURLUE_OK) && judge.set(u, CURLUPART_URL, text, 0) == CURLUE_OK &&
	    judge.set(u, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK && judge.get(u, CURLUPART_URL, &got, 0) == CURLUE_OK)
		copy = strdup(got);
	judge.free(got);
	judge.cleanup(u);
	return copy;
}

static void check_same(const struct url *u)
{
	auto_buf host = {0};
	bool v6 = strchr(u->host, ':') != NULL;

	buf_addf(&host, "%s%s%s", v6 ? "[" : "", u->host, v6 ? "]" : "");
	check_part(u->text, CURLUPART_SCHEME, u->scheme);
	check_part(u->text, CURLUPART_HOST, host.data);
	check_part(u->text, CURLUPART_PORT, u->port);
	check_part(u->text, CURLUPART_URL, u->text);
}

static void test_taken(void **state)
{
	static const struct { const char *text, *normal, *host, *port; } rows[] = {
		{ "https://example.com", "https://example.com/", "example.com", "443" },
		{ "http://example.com/", "http://example.com/", "example.com", "80" },
		{ "HTTPS://EXAMPLE.com:0443/A?B#c", "https://example.com:443/A?B", "example.com", "443" },
		{ "https://example.com:/x", "https://example.com/x", "example.com", "443" },
		{ "https://a_b-c.example.com.:8443?q=/../x", "https://a_b-c.example.com.:8443/?q=/../x", "a_b-c.example.com.", "8443" },
		{ "http://127.0.0.1:5000/v2/", "http://127.0.0.1:5000/v2/", "127.0.0.1", "5000" },
		{ "http://[0:0:0:0:0:0:0:1]:5000/", "http://[::1]:5000/", "::1", "5000" },
		{ "http://[2001:DB8::A]/", "http://[2001:db8::a]/", "2001:db8::a", "80" },
		{ "https://example.com/a/./b/../c/..", "https://example.com/a/", "example.com", "443" },
		{ "https://example.com/../../x", "https://example.com/x", "example.com", "443" },
		{ "https://example.com//a//../b", "https://example.com//a/b", "example.com", "443" },
		{ "https://example.com/%2e%2E/%41?%41", "https://example.com/%2e%2E/%41?%41", "example.com", "443" },
		{ "https://example.com/a@b:c", "https://example.com/a@b:c", "example.com", "443" },
		{ "https://1.2.3.4.example/", "https://1.2.3.4.example/", "1.2.3.4.example", "443" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_url u = {0};
		struct err err = {0};

		if (url_parse(rows[i].text, NULL, &u, &err) < 0)
			fail_msg("%s: %s", rows[i].text, err.msg);
		assert_string_equal(u.text, rows[i].normal);
		assert_string_equal(u.host, rows[i].host);
		assert_string_equal(u.port, rows[i].port);
		check_same(&u);
	}
}

static void test_refused(void **state)
{
	static const char *const rows[] = {
		"", "/", "//example.com/", "example.com", "example.com/x", "localhost:5000/x", "https:", "https:/", "https:example.com",
		"https:/example.com", "https://", "https:///", "https://?x", "https://#x", "https://:443/", "ftp://example.com/",
		"file:///etc/passwd", "httpsx://example.com/", "1https://example.com/", "https://u@example.com/", "https://u:p@example.com/",
		"https://@example.com/", "https://example.com@", "https://example.com:443@other.example/",
		"https://example.com:65536/", "https://example.com:99999999999/", "https://example.com:0/", "https://example.com:4x/",
		"https://example.com:-1/", "https://example.com:+1/", "https://example.com:1:2/", "https://exa mple.com/", "https://example.com/\t",
		"https://example.com/\x7f", "https://example.com/\xc3\xa4", "https://ex%61mple.com/", "https://example.com\\@other.example/",
		"https://example.com\\x/", "https://exam;ple.com/", "https://.example.com/", "https://[::1/", "https://::1/", "https://[]/",
		"https://[::1]x/", "https://[::1]:x/", "https://[::1%25lo]/", "https://[::1%lo]/", "https://[v1.x]/", "https://[127.0.0.1]/",
		"https://127.1/", "https://0x7f000001/", "https://2130706433/", "https://0177.0.0.1/", "https://127.0.0.0x1/",
		"https://256.0.0.1/", "https://1.2.3.4.5/", "https://a.1/", "https://[::1]@x/", "https://x[::1]/",
	};
	char long_host[400] = "https://", long_path[URL_MAX + 20] = "https://example.com/";
	auto_url u = {0};
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		err = (struct err){0};
		if (url_parse(rows[i], NULL, &u, &err) == 0)
			fail_msg("'%s' is taken as '%s'", rows[i], u.text);
		assert_int_equal(err.kind, ERR_USAGE);
	}
	memset(long_host + 8, 'a', URL_HOST_MAX);
	assert_int_equal(url_parse(long_host, NULL, &u, &err), 0);
	url_clear(&u);
	long_host[8 + URL_HOST_MAX] = 'a';
	assert_int_equal(url_parse(long_host, NULL, &u, &err), -1);
	memset(long_path + 20, 'a', URL_MAX - 20);
	assert_int_equal(url_parse(long_path, NULL, &u, &err), 0);
	url_clear(&u);
	long_path[URL_MAX] = 'a';
	assert_int_equal(url_parse(long_path, NULL, &u, &err), -1);
}

/** RFC 3986, 5.4, less those whose result is no http: URL or has a fragment; and some more. */
static void test_references(void **state)
{
	static const char *const base = "http://a/b/c/d;p?q";
	static const char *const rows[][2] = {
		{ "g", "http://a/b/c/g" }, { "./g", "http://a/b/c/g" }, { "g/", "http://a/b/c/g/" }, { "/g", "http://a/g" },
		{ "//g", "http://g/" }, { "?y", "http://a/b/c/d;p?y" }, { "g?y", "http://a/b/c/g?y" }, { "#s", "http://a/b/c/d;p?q" },
		{ "g#s", "http://a/b/c/g" }, { "g?y#s", "http://a/b/c/g?y" }, { ";x", "http://a/b/c/;x" }, { "g;x", "http://a/b/c/g;x" },
		{ "g;x?y#s", "http://a/b/c/g;x?y" }, { "", "http://a/b/c/d;p?q" }, { ".", "http://a/b/c/" }, { "./", "http://a/b/c/" },
		{ "..", "http://a/b/" }, { "../", "http://a/b/" }, { "../g", "http://a/b/g" }, { "../..", "http://a/" },
		{ "../../", "http://a/" }, { "../../g", "http://a/g" }, { "../../../g", "http://a/g" }, { "../../../../g", "http://a/g" },
		{ "/./g", "http://a/g" }, { "/../g", "http://a/g" }, { "g.", "http://a/b/c/g." }, { ".g", "http://a/b/c/.g" },
		{ "g..", "http://a/b/c/g.." }, { "..g", "http://a/b/c/..g" }, { "./../g", "http://a/b/g" }, { "./g/.", "http://a/b/c/g/" },
		{ "g/./h", "http://a/b/c/g/h" }, { "g/../h", "http://a/b/c/h" }, { "g;x=1/./y", "http://a/b/c/g;x=1/y" },
		{ "g;x=1/../y", "http://a/b/c/y" }, { "g?y/./x", "http://a/b/c/g?y/./x" }, { "g?y/../x", "http://a/b/c/g?y/../x" },
		{ "https://x:1/y", "https://x:1/y" }, { "//x", "http://x/" }, { "//x?y", "http://x/?y" }, { "/a:b", "http://a/a:b" },
		{ "?", "http://a/b/c/d;p" }, { "g?", "http://a/b/c/g" },
	};
	static const char *const refused[] = { "g:h", "http:g", "http:/g", "file:///g", "//u@g/", "///g", "//", "a b", "//g:x/", "javascript:x" };
	struct err err = {0};
	auto_url from = {0};

	(void)state;
	assert_int_equal(url_parse(base, NULL, &from, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_url u = {0};

		if (url_parse(rows[i][0], &from, &u, &err) < 0)
			fail_msg("%s: %s", rows[i][0], err.msg);
		assert_string_equal(u.text, rows[i][1]);
		check_same(&u);
		auto_free char *other = judged(base, rows[i][0]);
		/* Of a reference without a path libcurl 7.88 makes something of its own. */
		if (other != NULL && rows[i][0][0] != '\0' && rows[i][0][0] != '?' && rows[i][0][0] != '#')
			assert_string_equal(other, u.text);
	}
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		auto_url u = {0};

		if (url_parse(refused[i], &from, &u, &err) == 0)
			fail_msg("'%s' leads to '%s'", refused[i], u.text);
	}
}

static void test_origins(void **state)
{
	auto_url a = {0}, b = {0}, c = {0};
	struct err err = {0};

	(void)state;
	assert_int_equal(url_parse("https://A.example/x", NULL, &a, &err), 0);
	assert_int_equal(url_parse("https://a.example:443/y", NULL, &b, &err), 0);
	assert_int_equal(url_parse("http://a.example:443/y", NULL, &c, &err), 0);
	assert_true(url_same_origin(&a, &b));
	assert_false(url_same_origin(&b, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_origins),
	};

	return cmocka_run_group_tests_name("url", tests, find_judge, NULL);
}

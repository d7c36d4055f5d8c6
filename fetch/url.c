/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "fetch/http.h"

/** A parsed URL, and the library that parsed it. */
struct parsed {
	const struct curl *c;
	CURLU *u;
};

static void parsed_clear(struct parsed *p)
{
	p->c->url_cleanup(p->u);
}
#define auto_parsed __attribute__((cleanup(parsed_clear))) struct parsed

void url_clear(struct url *u)
{
	free(u->text);
	free(u->scheme);
	free(u->host);
	free(u->port);
	*u = (struct url){0};
}

/** A part as memory of ours; NULL when memory is short or it is not there. */
static char *part(const struct parsed *p, CURLUPart which, unsigned flags)
{
	char *text = NULL, *copy;

	if (p->c->url_get(p->u, which, &text, flags) != CURLUE_OK)
		return NULL;
	copy = strdup(text);
	p->c->free(text);
	return copy;
}

static bool has_part(const struct parsed *p, CURLUPart which)
{
	auto_free char *text = part(p, which, 0);

	return text != NULL;
}

/** Spaces and control characters end lines and words in places where URLs are written. */
static bool is_spelled_well(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return false;
	return true;
}

static void lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

static int take_parts(const struct parsed *p, struct url *ret, struct err *err)
{
	auto_url got = {
		.text = part(p, CURLUPART_URL, 0),
		.scheme = part(p, CURLUPART_SCHEME, 0),
		.host = part(p, CURLUPART_HOST, 0),
		.port = part(p, CURLUPART_PORT, CURLU_DEFAULT_PORT),
	};

	if (got.text == NULL || got.scheme == NULL || got.host == NULL || got.port == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "take a URL apart");
	lower(got.scheme);
	lower(got.host);
	size_t n = strlen(got.host);
	if (n > 1 && got.host[0] == '[') {
		got.host[n - 1] = '\0';
		memmove(got.host, got.host + 1, n - 1);
	}
	*ret = got;
	got = (struct url){0};
	return 0;
}

int url_parse(const struct curl *c, const char *text, const struct url *base, struct url *ret, struct err *err)
{
	auto_parsed p = { .c = c, .u = c->url() };
	CURLUcode code = CURLUE_OK;

	if (p.u == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "parse a URL");
	if (strlen(text) > HTTP_URL_MAX || !is_spelled_well(text))
		return err_set(err, ERR_USAGE, 0, "URL '%.*s': longer than %d bytes, or with bytes that must be written as %%xx",
			       url_told(text, 300), text, HTTP_URL_MAX);
	if (base != NULL)
		code = c->url_set(p.u, CURLUPART_URL, base->text, 0);
	if (code == CURLUE_OK)
		code = c->url_set(p.u, CURLUPART_URL, text, 0);
	if (code == CURLUE_UNSUPPORTED_SCHEME)
		return err_set(err, ERR_USAGE, 0, "URL '%.*s': only https: and http: are spoken here", url_told(text, 300), text);
	if (code != CURLUE_OK)
		return err_set(err, ERR_USAGE, 0, "URL '%.*s': %s", url_told(text, 300), text, c->url_strerror(code));
	if (has_part(&p, CURLUPART_USER) || has_part(&p, CURLUPART_PASSWORD))
		return err_set(err, ERR_USAGE, 0, "a URL has a user or password in it, which would be recorded; leave them out");
	(void)c->url_set(p.u, CURLUPART_FRAGMENT, NULL, 0);
	auto_free char *scheme = part(&p, CURLUPART_SCHEME, 0);
	if (scheme == NULL || (strcasecmp(scheme, "https") != 0 && strcasecmp(scheme, "http") != 0))
		return err_set(err, ERR_USAGE, 0, "URL '%.*s': only https: and http: are spoken here", url_told(text, 300), text);
	return take_parts(&p, ret, err);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0 && strcmp(a->port, b->port) == 0;
}

bool url_is_loopback(const struct url *u)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, u->host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, u->host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return strcmp(u->host, "localhost") == 0;
}

int url_told(const char *url, int max)
{
	size_t n = strcspn(url, "?#");

	return n < (size_t)max ? (int)n : max;
}

int url_allowed(const struct url *u, enum fetch_plain plain, struct err *err)
{
	if (strcmp(u->scheme, "https") == 0 || plain == FETCH_PLAIN_ANY ||
	    (plain == FETCH_PLAIN_LOOPBACK && url_is_loopback(u)))
		return 0;
	return err_set(err, ERR_USAGE, 0, "URL '%.*s': http: is not encrypted, and allowed only to this machine; use https:",
		       url_told(u->text, 300), u->text);
}

/* ---- paths ------------------------------------------------------------------ */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** The byte that the %xx at @p s stands for; -1 where it is none. At most @p n bytes are read. */
static int escaped(const char *s, size_t n)
{
	if (n < 3 || hex_value(s[1]) < 0 || hex_value(s[2]) < 0)
		return -1;
	return hex_value(s[1]) * 16 + hex_value(s[2]);
}

int url_decode(const char *s, size_t n, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)s[i];

		if (c == '%') {
			c = escaped(s + i, n - i);
			i += 2;
		}
		if (c < ' ' || c == 0x7f)
			return err_set(err, ERR_USAGE, 0, "its path has a control character, or a '%%' that is no %%xx");
		buf_addc(out, (char)c);
	}
	return buf_check(out, "path", err);
}

const char *url_path(const char *url, size_t *ret_n)
{
	const char *p = strchr(url, ':');

	p = p == NULL ? url : p + 1;
	if (text_starts(p, "//"))
		p += 2 + strcspn(p + 2, "/?#");
	*ret_n = strcspn(p, "?#");
	return p;
}

bool url_is_file(const char *url)
{
	return strncasecmp(url, "file:", 5) == 0;
}

int url_file_path(const char *url, struct buf *out, struct err *err)
{
	size_t n;
	const char *path = url_path(url, &n);

	if (!url_is_file(url) || (!text_starts(url + 5, "///") && !text_starts(url + 5, "//localhost/")) || path[n] != '\0')
		return err_set(err, ERR_USAGE, 0, "URL '%.300s': write file:// and an absolute path, without a query", url);
	return url_decode(path, n, out, err) < 0 ? err_ctx(err, "URL '%.300s'", url) : 0;
}

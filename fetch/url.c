/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/** A piece of a URL's text. */
struct piece {
	const char *s;   /**< NULL: it is not there, which is another thing than being empty */
	size_t n;
};

/** The components of a URI reference (RFC 3986, appendix B), without its fragment. */
struct pieces {
	struct piece scheme, authority, path, query;
};

void url_clear(struct url *u)
{
	free(u->text);
	free(u->scheme);
	free(u->host);
	free(u->port);
	*u = (struct url){0};
}

/** Spaces and control characters end lines and words in places where URLs are written. */
static bool is_spelled_well(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return false;
	return true;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* ---- taking it apart -------------------------------------------------------- */

/** How many bytes of @p s are a scheme with a ':' behind it, which is not counted; 0: it has none. */
static size_t scheme_length(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	return n > 0 && s[n] == ':' && lower(s[0]) >= 'a' && lower(s[0]) <= 'z' ? n : 0;
}

static struct pieces take_apart(const char *s)
{
	struct pieces p = {0};
	size_t n = scheme_length(s);

	if (n > 0) {
		p.scheme = (struct piece){ s, n };
		s += n + 1;
	}
	if (text_starts(s, "//")) {
		p.authority = (struct piece){ s + 2, strcspn(s + 2, "/?#") };
		s = p.authority.s + p.authority.n;
	}
	p.path = (struct piece){ s, strcspn(s, "?#") };
	s += p.path.n;
	if (*s == '?')
		p.query = (struct piece){ s + 1, strcspn(s + 1, "#") };
	return p;
}

static bool is(struct piece p, const char *word)
{
	return p.s != NULL && p.n == strlen(word) && strncasecmp(p.s, word, p.n) == 0;
}

/* ---- host and port ------------------------------------------------------------- */

/** Whether a name's last label is a number: then it is an address, or wants to be read as one ("127.1", "0x7f000001"). */
static bool looks_like_address(const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *last = dot == NULL ? name : dot + 1;

	return last[0] >= '0' && last[0] <= '9' && (strspn(last, "0123456789") == strlen(last) || lower(last[1]) == 'x');
}

/** An IPv6 address in brackets, in the one form that inet_ntop(3) gives it. */
static char *take_address(struct piece host)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (host.n < 3 || host.n - 2 >= sizeof text || host.s[host.n - 1] != ']')
		return NULL;
	memcpy(text, host.s + 1, host.n - 2);
	text[host.n - 2] = '\0';
	if (inet_pton(AF_INET6, text, &address) != 1 || inet_ntop(AF_INET6, &address, text, sizeof text) == NULL)
		return NULL;
	return strdup(text);
}

static char *take_name(struct piece host)
{
	char text[URL_HOST_MAX + 1];
	struct in_addr address;

	if (host.n == 0 || host.n > URL_HOST_MAX)
		return NULL;
	for (size_t i = 0; i < host.n; i++)
		text[i] = lower(host.s[i]);
	text[host.n] = '\0';
	if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != host.n || text[0] == '.' ||
	    (looks_like_address(text) && inet_pton(AF_INET, text, &address) != 1))
		return NULL;
	return strdup(text);
}

/** A port from 1 to 65535; where none is written, 0. @return whether it is one of these. */
static bool take_port(struct piece port, unsigned *ret)
{
	unsigned n = 0;

	for (size_t i = 0; i < port.n; i++) {
		if (port.s[i] < '0' || port.s[i] > '9' || (n = n * 10 + (unsigned)(port.s[i] - '0')) > 65535)
			return false;
	}
	*ret = n;
	return port.n == 0 || n > 0;
}

/** Host and port into @p ret; *ret_port is what was written, 0 for none. @return whether they could be read. */
static bool take_authority(struct piece authority, bool tls, struct url *ret, unsigned *ret_port)
{
	const char *close = authority.s[0] == '[' ? memchr(authority.s, ']', authority.n) : NULL;
	const char *end = authority.s + authority.n, *from = close != NULL ? close : authority.s;
	const char *colon = memchr(from, ':', (size_t)(end - from));
	struct piece host = { authority.s, (size_t)((colon != NULL ? colon : end) - authority.s) };
	struct piece port = { colon != NULL ? colon + 1 : end, colon != NULL ? (size_t)(end - colon) - 1 : 0 };

	if (!take_port(port, ret_port))
		return false;
	ret->host = close != NULL ? take_address(host) : take_name(host);
	if (ret->host == NULL)
		return false;
	if (asprintf(&ret->port, "%u", *ret_port != 0 ? *ret_port : tls ? 443u : 80u) < 0)
		ret->port = NULL;
	return ret->port != NULL;
}

/* ---- path ---------------------------------------------------------------------------- */

/** Appends @p path, which begins with a slash, without its dot segments (RFC 3986, 5.2.4). */
static void add_path(struct buf *out, const struct buf *path)
{
	const char *p = path->data, *end = p + path->len;
	size_t start = out->len;

	while (p < end) {
		const char *next = memchr(p + 1, '/', (size_t)(end - p) - 1);
		size_t n = (size_t)((next != NULL ? next : end) - p);
		bool up = n == 3 && memcmp(p, "/..", 3) == 0;

		if (up && !out->failed)
			while (out->len > start && out->data[--out->len] != '/')
				;
		if (!up && !(n == 2 && p[1] == '.'))
			buf_add(out, p, n);
		else if (next == NULL)
			buf_addc(out, '/');
		p += n;
	}
}

/** The path that @p p has, merged with that of @p base where it is relative to it; it begins with a slash. */
static void merge_path(const struct pieces *p, const struct pieces *base, struct buf *out)
{
	bool relative = p->authority.s == NULL && base != NULL && (p->path.n == 0 || p->path.s[0] != '/');
	size_t keep = relative ? base->path.n : 0;

	if (relative && p->path.n > 0)
		while (keep > 0 && base->path.s[keep - 1] != '/')
			keep--;
	if (keep > 0)
		buf_add(out, base->path.s, keep);
	else if (p->path.n == 0 || p->path.s[0] != '/')
		buf_addc(out, '/');
	buf_add(out, p->path.s, p->path.n);
}

/* ---- putting it together ---------------------------------------------------------------- */

static int put_together(const struct pieces *p, const struct pieces *base, unsigned port, struct url *u, struct err *err)
{
	/* "?x" alone is of the base's path; a path, even an empty one with it, keeps no query of the base's. */
	struct piece query = p->query.s == NULL && p->authority.s == NULL && p->path.n == 0 && base != NULL ? base->query : p->query;
	bool brackets = strchr(u->host, ':') != NULL;
	auto_buf path = {0}, text = {0};

	merge_path(p, base, &path);
	buf_addf(&text, "%s://%s%s%s", u->scheme, brackets ? "[" : "", u->host, brackets ? "]" : "");
	if (port != 0)
		buf_addf(&text, ":%u", port);
	if (buf_check(&path, "URL", err) < 0)
		return -1;
	add_path(&text, &path);
	/* An empty one is not sent: libcurl leaves it out. */
	if (query.n > 0) {
		buf_addc(&text, '?');
		buf_add(&text, query.s, query.n);
	}
	if (buf_check(&text, "URL", err) < 0)
		return -1;
	u->text = buf_take(&text);
	return u->text == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "URL") : 0;
}

/** "URL '…': @p why". */
static int refuse(const char *text, const char *why, struct err *err)
{
	return err_set(err, ERR_USAGE, 0, "URL '%.*s': %s", url_told(text, 300), text, why);
}

static int parse(const char *text, const struct url *base, struct url *ret, struct err *err)
{
	const struct pieces p = take_apart(text), b = take_apart(base != NULL ? base->text : "");
	struct piece scheme = p.scheme.s != NULL ? p.scheme : b.scheme, authority = p.authority.s != NULL ? p.authority : b.authority;
	bool tls = is(scheme, "https");
	auto_url u = {0};
	unsigned port;

	if (scheme.s == NULL)
		return refuse(text, "it does not begin with https://", err);
	if (!tls && !is(scheme, "http"))
		return refuse(text, "only https: and http: are spoken here", err);
	if (p.scheme.s != NULL && p.authority.s == NULL)
		return refuse(text, "it has no host: write SCHEME://HOST/PATH", err);
	if (memchr(authority.s, '@', authority.n) != NULL)
		return err_set(err, ERR_USAGE, 0, "a URL has a user or password in it, which would be recorded; leave them out");
	u.scheme = strdup(tls ? "https" : "http");
	if (u.scheme == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "URL");
	if (!take_authority(authority, tls, &u, &port))
		return refuse(text, "its host or port is none", err);
	if (put_together(&p, p.scheme.s == NULL && base != NULL ? &b : NULL, port, &u, err) < 0)
		return -1;
	*ret = u;
	u = (struct url){0};
	return 0;
}

int url_parse(const char *text, const struct url *base, struct url *ret, struct err *err)
{
	if (strlen(text) > URL_MAX || !is_spelled_well(text))
		return err_set(err, ERR_USAGE, 0, "URL '%.*s': longer than %d bytes, or with bytes that must be written as %%xx",
			       url_told(text, 300), text, URL_MAX);
	return parse(text, base, ret, err);
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

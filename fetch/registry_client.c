/* SPDX-License-Identifier: Apache-2.0 */
/* Where a repository is, and requests to it. */
#include "fetch/registry_client.h"

#include <errno.h>
#include <string.h>

void registry_close(struct registry *r)
{
	http_close(r->http);
	free(r->host);
	free(r->path);
	free(r->base);
	url_clear(&r->origin);
	secret_forget(&r->authorization);
	credentials_clear(&r->credentials);
	*r = (struct registry){0};
}

void registry_escape(const char *s, struct buf *out)
{
	for (; *s != '\0'; s++)
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr("-._~", *s) != NULL)
			buf_addc(out, *s);
		else
			buf_addf(out, "%%%02X", (unsigned char)*s);
}

/* ---- where it is ------------------------------------------------------------- */

/** How much of "host/path" the FROM of a map covers, at a component's end; 0: it is another's. */
static size_t covers(const char *map, const char *name)
{
	size_t n = strcspn(map, "=");

	return n > 0 && map[n] == '=' && strncmp(map, name, n) == 0 && (name[n] == '\0' || name[n] == '/') ? n : 0;
}

/** "host/path" after the maps; it may begin with a scheme. */
static int map_name(const struct registry_conf *conf, const struct registry_ref *ref, struct buf *out, struct err *err)
{
	auto_buf name = {0};
	size_t longest = 0;
	const char *to = "";

	buf_addf(&name, "%s/%s", ref->host, ref->path);
	if (buf_check(&name, "reference", err) < 0)
		return -1;
	for (size_t i = 0; i < conf->nmaps; i++) {
		size_t n = covers(conf->maps[i], name.data);

		if (n > longest) {
			longest = n;
			to = strchr(conf->maps[i], '=') + 1;
		}
	}
	buf_addf(out, "%s%s", to, name.data + longest);
	return buf_check(out, "reference", err);
}

bool registry_may_be_plain(const struct registry_conf *conf, const struct url *u)
{
	auto_buf with_port = {0};

	if (url_is_loopback(u))
		return true;
	buf_addf(&with_port, "%s:%s", u->host, u->port);
	for (size_t i = 0; i < conf->ninsecure && !with_port.failed; i++)
		if (strcmp(conf->insecure[i], u->host) == 0 || strcmp(conf->insecure[i], with_port.data) == 0)
			return true;
	return false;
}

static int set_origin(struct registry *r, const char *scheme, const char *host, struct err *err)
{
	auto_buf text = {0};

	buf_addf(&text, "%s://%s/", scheme, host);
	if (buf_check(&text, "URL", err) < 0)
		return -1;
	url_clear(&r->origin);
	return url_parse(text.data, NULL, &r->origin, err);
}

/** Fills in host, path and origin from "[SCHEME://]HOST/PATH". */
static int locate(struct registry *r, const char *name, struct err *err)
{
	const char *sep = strstr(name, "://");
	auto_free char *scheme = strndup(name, sep != NULL ? (size_t)(sep - name) : 0);
	auto_registry_ref ref = {0};

	if (scheme == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "URL");
	if (registry_ref_parse(sep != NULL ? sep + 3 : name, &ref, err) < 0)
		return err_ctx(err, "--registry-map");
	if (set_origin(r, sep != NULL ? scheme : "http", ref.host, err) < 0)
		return -1;
	bool plain = registry_may_be_plain(r->conf, &r->origin);
	if (sep == NULL && !plain && set_origin(r, "https", ref.host, err) < 0)
		return -1;
	r->net.plain = !plain ? FETCH_PLAIN_NEVER : url_is_loopback(&r->origin) ? FETCH_PLAIN_LOOPBACK : FETCH_PLAIN_ANY;
	r->host = move_ptr(ref.host);
	r->path = move_ptr(ref.path);
	return url_allowed(&r->origin, r->net.plain, err);
}

static int begin(struct registry *r, const struct registry_ref *ref, struct err *err)
{
	auto_buf name = {0};

	if (map_name(r->conf, ref, &name, err) < 0 || http_open(&r->net, &r->http, err) < 0)
		return -1;
	if (locate(r, name.data, err) < 0)
		return -1;
	if (asprintf(&r->base, "%s://%s/v2/%s", r->origin.scheme, r->host, r->path) < 0) {
		r->base = NULL;
		return err_set(err, ERR_INTERNAL, ENOMEM, "URL");
	}
	return 0;
}

int registry_open(const struct registry_conf *conf, const struct registry_ref *ref, bool push, struct registry *ret, struct err *err)
{
	/* Where it stands in the end: the HTTP client keeps a pointer into it. */
	*ret = (struct registry){ .conf = conf, .net = *conf->net, .kind = push ? ERR_PUBLISH : ERR_INPUT, .push = push };
	if (begin(ret, ref, err) == 0)
		return 0;
	registry_close(ret);
	return -1;
}

int registry_where(const struct registry_conf *conf, const struct registry_ref *ref, char **ret, struct err *err)
{
	auto_registry r = {0};

	if (registry_open(conf, ref, true, &r, err) < 0)
		return -1;
	*ret = move_ptr(r.base);
	return 0;
}

/* ---- requests ------------------------------------------------------------------ */

/** What is the registry's fault is told as such. */
static int blame(const struct registry *r, struct err *err)
{
	if (err->kind == ERR_INPUT)
		err->kind = r->kind;
	return -1;
}

int registry_refused(const struct registry *r, const struct http_request *req, const struct http_response *resp, struct err *err)
{
	(void)http_refused(req, resp, err);
	return blame(r, err);
}

/** An upload may be told to go elsewhere: there without what is meant for the registry. */
static int is_home(const struct registry *r, const char *text, bool *ret, struct err *err)
{
	auto_url u = {0};

	if (url_parse(text, NULL, &u, err) < 0)
		return -1;
	*ret = url_same_origin(&u, &r->origin);
	return 0;
}

int registry_send(struct registry *r, struct http_request *req, struct http_response *ret, struct err *err)
{
	bool home;

	if (is_home(r, req->url, &home, err) < 0)
		return -1;
	for (unsigned attempt = 0;; attempt++) {
		auto_http_response resp = {0};

		req->authorization = home ? r->authorization : NULL;
		if (http_send(r->http, req, &resp, err) < 0)
			return blame(r, err);
		if (resp.status != 401) {
			http_response_clear(ret);
			*ret = resp;
			resp = (struct http_response){0};
			return 0;
		}
		/* Who was led to by a redirect does not say where the registry's tokens come from. */
		if (home && is_home(r, resp.url, &home, err) < 0)
			return -1;
		if (!home || attempt == 1)
			return registry_refused(r, req, &resp, err);
		if (registry_authenticate(r, &resp, err) < 0)
			return blame(r, err);
	}
}

int registry_get(struct registry *r, const char *what, const char *accept, uint64_t max, struct http_response *ret, struct err *err)
{
	auto_buf url = {0}, line = {0};

	buf_addf(&url, "%s%s", r->base, what);
	buf_addf(&line, "Accept: %s", accept);
	if (buf_check(&url, "URL", err) < 0 || buf_check(&line, "header", err) < 0)
		return -1;
	const char *const headers[] = { line.data, NULL };
	struct http_request req = { .url = url.data, .headers = headers, .limit = max };
	if (registry_send(r, &req, ret, err) < 0)
		return -1;
	return ret->status == 200 || ret->status == 404 ? 0 : registry_refused(r, &req, ret, err);
}

int registry_check_digest(const struct registry *r, const struct http_response *resp, const struct digest *expected,
			  const char *what, struct err *err)
{
	const char *said = http_header(resp, "Docker-Content-Digest");
	char text[DIGEST_STR_SIZE];

	if (said == NULL || strcmp(said, digest_str(expected, text)) == 0)
		return 0;
	return err_set(err, r->kind, 0, "%s: the registry says it is '%.100s', and it is %s", what, said, text);
}

int described_read(const json_t *j, uint64_t max, const char *what, struct described *ret, struct err *err)
{
	const char *digest = json_str(j, "digest"), *type = json_str(j, "mediaType");
	const json_t *size = json_object_get(j, "size");
	struct digest d;

	if (digest == NULL || !digest_parse(digest, &d) || !json_is_integer(size) || json_integer_value(size) < 0)
		return err_set(err, ERR_INPUT, 0, "%s: no descriptor with a sha256 digest and a size", what);
	if ((uint64_t)json_integer_value(size) > max)
		return err_set(err, ERR_INPUT, 0, "%s: %lld bytes are more than the limit of %llu", what,
			       (long long)json_integer_value(size), (unsigned long long)max);
	*ret = (struct described){ type != NULL ? type : "", d, (uint64_t)json_integer_value(size) };
	return 0;
}

char *fallback_tag(const struct digest *subject, char out[FALLBACK_TAG_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	snprintf(out, FALLBACK_TAG_SIZE, "sha256-%s", digest_hex(subject, hex));
	return out;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry that answers 401 wants: a user and a password (RFC 7617), or a token that another service gives for them
 * (distribution's token authentication; for a refresh token, OAuth 2). */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "attest/base64.h"
#include "fetch/registry_client.h"

/** Longest token. */
#define TOKEN_MAX (16u << 10)

/** Reads `name=value` or `name="value"` with its backslashes. @return what follows, or NULL. */
static const char *read_parameter(const char *p, char name[32], char value[CHALLENGE_VALUE_MAX])
{
	size_t n = strcspn(p, "= \t,\""), len = 0;

	if (n == 0 || n > 31 || p[n] != '=')
		return NULL;
	memcpy(name, p, n);
	name[n] = '\0';
	p += n + 1;
	bool quoted = *p == '"';
	for (p += quoted; *p != '\0' && (quoted ? *p != '"' : strchr(" \t,", *p) == NULL); p++) {
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		if (len + 1 >= CHALLENGE_VALUE_MAX)
			return NULL;
		value[len++] = *p;
	}
	value[len] = '\0';
	if (quoted && *p++ != '"')
		return NULL;
	return p + strspn(p, " \t,");
}

int challenge_read(const char *header, struct challenge *ret, struct err *err)
{
	char name[32], value[CHALLENGE_VALUE_MAX];
	struct challenge c = { .bearer = header != NULL && strncasecmp(header, "Bearer ", 7) == 0 };

	if (header == NULL || (!c.bearer && strncasecmp(header, "Basic", 5) != 0))
		return err_set(err, ERR_INPUT, 0, "the registry wants to know who asks, and says neither 'Basic' nor 'Bearer'");
	for (const char *p = header + 7; c.bearer && *p != '\0';) {
		p += strspn(p, " \t");
		p = read_parameter(p, name, value);
		if (p == NULL)
			return err_set(err, ERR_INPUT, 0, "the registry's challenge cannot be read: '%.200s'", header);
		char *to = strcasecmp(name, "realm") == 0 ? c.realm : strcasecmp(name, "service") == 0 ? c.service
			 : strcasecmp(name, "scope") == 0 ? c.scope : NULL;
		if (to != NULL)
			memcpy(to, value, strlen(value) + 1);
	}
	*ret = c;
	return 0;
}

static int basic(const struct credentials *c, struct buf *out, struct err *err)
{
	const size_t n = strlen(c->user) + strlen(c->password) + 2;
	auto_secret both = {0};

	(void)buf_room(&both, n);
	(void)buf_room(out, sizeof "Basic " + n / 3 * 4 + 4);
	buf_addf(&both, "%s:%s", c->user, c->password);
	if (buf_check(&both, "credentials", err) < 0)
		return -1;
	buf_adds(out, "Basic ");
	base64_encode(both.data, both.len, out);
	return buf_check(out, "credentials", err);
}

/** Where tokens come from is the registry's to say, but not that they may be asked for in the clear. */
static int check_realm(const struct registry *r, const char *realm, struct err *err)
{
	auto_url u = {0};

	if (url_parse(realm, NULL, &u, err) < 0) {
		err->kind = ERR_INPUT;
		return err_ctx(err, "the registry's token service");
	}
	if (strcmp(u.scheme, "https") == 0 || (strcmp(r->origin.scheme, "http") == 0 && registry_may_be_plain(r->conf, &u)))
		return 0;
	return err_set(err, ERR_INPUT, 0, "the registry's token service '%.200s' is not https:", realm);
}

/** What will be done: "repository:PATH:pull,push", and another repository to read from. */
static int add_scopes(const struct registry *r, const struct challenge *c, const char *join, struct buf *out)
{
	auto_buf own = {0};

	buf_addf(&own, "repository:%s:%s", r->path, r->push ? "pull,push" : "pull");
	if (own.failed)
		return -1;
	registry_escape(own.data, out);
	if (r->mount_from != NULL) {
		buf_addf(out, "%srepository%%3A", join);
		registry_escape(r->mount_from, out);
		buf_adds(out, "%3Apull");
	}
	/* A registry that asks for the same in other words gets those as well. */
	if (c->scope[0] != '\0' && strcmp(c->scope, own.data) != 0) {
		buf_adds(out, join);
		registry_escape(c->scope, out);
	}
	return 0;
}

/** Takes the token out of the service's answer. */
static int take_token(struct registry *r, const struct http_request *req, const struct http_response *resp, struct err *err)
{
	auto_json j = NULL;

	if (resp->status != 200)
		return http_refused(req, resp, err);
	if (json_parse_apart(resp->body.data, resp->body.len, "answer of the registry's token service", ERR_INPUT,
		       &j, err) < 0)
		return -1;
	const char *token = json_str(j, "token");
	if (token == NULL)
		token = json_str(j, "access_token");
	if (token == NULL || token[0] == '\0' || strlen(token) > TOKEN_MAX || strpbrk(token, "\r\n") != NULL)
		return err_set(err, ERR_INPUT, 0, "the registry's token service gave no token");
	secret_forget(&r->authorization);
	int n = asprintf(&r->authorization, "Bearer %s", token);
	/* Nobody else has this document: what it held is not left behind in memory. */
	explicit_bzero((char *)(uintptr_t)token, strlen(token));
	if (n >= 0)
		return 0;
	r->authorization = NULL;
	return err_set(err, ERR_INTERNAL, ENOMEM, "token");
}

/** With a user's password, or with nothing: GET. */
static int get_token(struct registry *r, const struct challenge *c, struct err *err)
{
	auto_buf url = {0};
	auto_secret authorization = {0};
	auto_http_response resp = {0};

	buf_addf(&url, "%s%sservice=", c->realm, strchr(c->realm, '?') != NULL ? "&" : "?");
	registry_escape(c->service, &url);
	buf_adds(&url, "&scope=");
	if (add_scopes(r, c, "&scope=", &url) < 0 || buf_check(&url, "URL", err) < 0)
		return buf_check(&url, "URL", err) < 0 ? -1 : err_set(err, ERR_INTERNAL, ENOMEM, "URL");
	if (r->credentials.user != NULL && basic(&r->credentials, &authorization, err) < 0)
		return -1;
	const struct http_request req = { .url = url.data, .authorization = authorization.data, .limit = REGISTRY_ANSWER_MAX };
	int result = http_send(r->http, &req, &resp, err);
	if (result == 0)
		result = take_token(r, &req, &resp, err);
	buf_wipe(&resp.body);
	return result;
}

/** With a refresh token: POST. */
static int post_token(struct registry *r, const struct challenge *c, struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded", NULL };
	auto_secret body = {0};
	auto_http_response resp = {0};

	(void)buf_room(&body, 2 * URL_MAX + 3 * strlen(r->credentials.identity));
	buf_adds(&body, "grant_type=refresh_token&client_id=glovebox&service=");
	registry_escape(c->service, &body);
	buf_adds(&body, "&scope=");
	if (add_scopes(r, c, "%20", &body) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "token");
	buf_adds(&body, "&refresh_token=");
	registry_escape(r->credentials.identity, &body);
	if (buf_check(&body, "token", err) < 0)
		return -1;
	const struct http_request req = {
		.method = "POST", .url = c->realm, .headers = headers, .body = body.data, .body_len = body.len, .has_body = true,
		.limit = REGISTRY_ANSWER_MAX,
	};
	int result = http_send(r->http, &req, &resp, err);
	if (result == 0)
		result = take_token(r, &req, &resp, err);
	buf_wipe(&resp.body);
	return result;
}

static int use_basic(struct registry *r, struct err *err)
{
	auto_secret value = {0};

	if (r->credentials.user == NULL)
		return err_set(err, ERR_INPUT, 0, "the registry wants a user and a password, and there are none for it in docker's "
			       "configuration ('docker login' writes them there)");
	if (basic(&r->credentials, &value, err) < 0)
		return -1;
	if (r->authorization != NULL && strcmp(r->authorization, value.data) == 0)
		return err_set(err, ERR_INPUT, 0, "the registry does not accept the user or the password");
	secret_forget(&r->authorization);
	r->authorization = buf_take(&value);
	return r->authorization == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "credentials") : 0;
}

int registry_authenticate(struct registry *r, const struct http_response *resp, struct err *err)
{
	struct challenge c;

	if (challenge_read(http_header(resp, "WWW-Authenticate"), &c, err) < 0)
		return err_ctx(err, "%s", r->host);
	if (!r->have_credentials && credentials_find(r->conf, r->host, r->path, &r->credentials, err) < 0)
		return -1;
	r->have_credentials = true;
	int result = !c.bearer ? use_basic(r, err) : check_realm(r, c.realm, err);
	if (result == 0 && c.bearer)
		result = r->credentials.identity != NULL ? post_token(r, &c, err) : get_token(r, &c, err);
	return result < 0 ? err_ctx(err, "%s", r->host) : 0;
}

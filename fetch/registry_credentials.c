/* SPDX-License-Identifier: Apache-2.0 */
/* docker's config.json: "auths", "credHelpers", "credsStore". */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "attest/base64.h"
#include "fetch/registry_client.h"

/** What a helper says in place of a user where its secret is a refresh token. */
#define TOKEN_USER "<token>"

void secret_forget(char **s)
{
	if (*s != NULL)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void credentials_clear(struct credentials *c)
{
	secret_forget(&c->user);
	secret_forget(&c->password);
	secret_forget(&c->identity);
}

static int keep(const char *user, const char *password, const char *identity, struct credentials *ret, struct err *err)
{
	auto_credentials c = {
		.user = user != NULL ? strdup(user) : NULL, .password = password != NULL ? strdup(password) : NULL,
		.identity = identity != NULL ? strdup(identity) : NULL,
	};

	if ((user != NULL) != (c.user != NULL) || (password != NULL) != (c.password != NULL) ||
	    (identity != NULL) != (c.identity != NULL))
		return err_set(err, ERR_INTERNAL, ENOMEM, "credentials");
	*ret = c;
	c = (struct credentials){0};
	return 0;
}

/** An entry of "auths": base64 of "user:password", both apart, or an identity token. */
static int read_entry(const json_t *entry, const char *file, struct credentials *ret, struct err *err)
{
	const char *auth = json_str(entry, "auth"), *identity = json_str(entry, "identitytoken");
	const char *user = json_str(entry, "username"), *password = json_str(entry, "password");
	auto_secret both = {0};

	if (identity != NULL && identity[0] != '\0')
		return keep(NULL, NULL, identity, ret, err);
	if (auth == NULL || auth[0] == '\0')
		return user == NULL || password == NULL ? 0 : keep(user, password, NULL, ret, err);
	char *colon = !base64_decode(auth, strlen(auth), &both) || both.data == NULL ? NULL : strchr(both.data, ':');
	if (colon == NULL || strlen(both.data) != both.len)
		return err_set(err, ERR_USAGE, 0, "'%s': an 'auth' in it is not the base64 of USER:PASSWORD", file);
	*colon = '\0';
	return keep(both.data, colon + 1, NULL, ret, err);
}

static int ask_helper(const struct registry_conf *conf, const char *name, const char *host, struct credentials *ret, struct err *err)
{
	auto_secret answer = BUF_LIMIT(REGISTRY_CREDENTIALS_MAX);
	auto_json j = NULL;

	if (helper_get(conf, name, host, &answer, err) < 0)
		return -1;
	if (answer.len == 0)
		return 0;
	/* What is in it is not for messages. */
	if (json_parse_apart(answer.data, answer.len, "answer", ERR_USAGE, &j, err) < 0 && err->kind != ERR_USAGE)
		return -1;
	if (json_str(j, "Username") == NULL || json_str(j, "Secret") == NULL)
		return err_set(err, ERR_USAGE, 0, "docker-credential-%s: its answer is not JSON with Username and Secret", name);
	const char *user = json_str(j, "Username"), *secret = json_str(j, "Secret");
	if (strcmp(user, TOKEN_USER) == 0)
		return keep(NULL, NULL, secret, ret, err);
	return keep(user, secret, NULL, ret, err);
}

static bool is_set(const struct credentials *c)
{
	return c->user != NULL || c->identity != NULL;
}

/** Whether the key of an entry, which may be written as a URL, is for just @p name. */
static bool key_names(const char *key, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(key, "https://", 8) == 0 || strncmp(key, "http://", 7) == 0) {
		key = strstr(key, "://") + 3;
		return strncmp(key, name, n) == 0 && (key[n] == '\0' || strcmp(key + n, "/") == 0 || strncmp(key + n, "/v1", 3) == 0 ||
						      strncmp(key + n, "/v2", 3) == 0);
	}
	return strcmp(key, name) == 0;
}

static const json_t *find_entry(const json_t *auths, const char *name)
{
	const char *key;
	json_t *entry;

	json_object_foreach((json_t *)auths, key, entry)
		if (json_is_object(entry) && key_names(key, name))
			return entry;
	return NULL;
}

/** Looks under "host/path/of/repository" first, then under what is above it, at last under the host. */
static int look_in_auths(const json_t *auths, const char *host, const char *path, const char *file, struct credentials *ret, struct err *err)
{
	auto_free char *name = NULL;
	const json_t *entry;
	char *slash;

	if (asprintf(&name, "%s/%s", host, path) < 0) {
		name = NULL;
		return err_set(err, ERR_INTERNAL, ENOMEM, "credentials");
	}
	while ((entry = find_entry(auths, name)) == NULL && (slash = strrchr(name, '/')) != NULL)
		*slash = '\0';
	return entry == NULL ? 0 : read_entry(entry, file, ret, err);
}

static int look_in_file(const struct registry_conf *conf, const char *file, const char *host, const char *path, struct credentials *ret,
			struct err *err)
{
	auto_secret text = BUF_LIMIT(2 * REGISTRY_CREDENTIALS_MAX);
	auto_json j = NULL;

	if (conf->ident != NULL && ident_read_begin(conf->ident, err) < 0)
		return -1;
	int result = io_read_file(AT_FDCWD, file, REGISTRY_CREDENTIALS_MAX, &text, err);
	if (conf->ident != NULL)
		result = ident_read_done(conf->ident, result, err);
	if (result < 0)
		return err->sys == ENOENT || err->sys == ENOTDIR ? 0 : err_ctx(err, "docker's configuration");
	if (json_parse_apart(text.data, text.len, file, ERR_USAGE, &j, err) < 0)
		return -1;
	const char *helper = json_str(json_object_get(j, "credHelpers"), host);
	if (helper == NULL)
		helper = json_str(j, "credsStore");
	if (helper != NULL && helper[0] != '\0' && ask_helper(conf, helper, host, ret, err) < 0)
		return err_ctx(err, "'%s'", file);
	return is_set(ret) ? 0 : look_in_auths(json_object_get(j, "auths"), host, path, file, ret, err);
}

/* ---- apart ------------------------------------------------------------------------ */

/** Longest secret: tokens in the place of passwords have a few thousand bytes. */
#define SECRET_MAX (20u << 10)

struct question {
	const struct registry_conf *conf;
	const char *host, *path;
};

/** What comes back: strings, empty where there is none. */
struct found {
	bool user, identity;   /**< which of them is meant */
	char name[1024];
	char secret[SECRET_MAX];
};

static int look(const void *arg, void *answer, struct err *err)
{
	const struct question *q = arg;
	struct found *f = answer;
	auto_credentials c = {0};

	for (size_t i = 0; i < q->conf->ncredentials && !is_set(&c); i++)
		if (look_in_file(q->conf, q->conf->credentials[i], q->host, q->path, &c, err) < 0)
			return -1;
	f->user = c.user != NULL;
	f->identity = c.identity != NULL;
	const char *name = f->user ? c.user : "", *secret = f->user ? c.password : f->identity ? c.identity : "";
	if (strlen(name) >= sizeof f->name || strlen(secret) >= sizeof f->secret)
		return err_set(err, ERR_USAGE, 0, "docker's configuration: the user or the password for '%s' is longer than %u bytes", q->host,
			       SECRET_MAX);
	strcpy(f->name, name);
	strcpy(f->secret, secret);
	return 0;
}

/** In a process of its own, since all that this one knows is in the copy of it that a confined reader, or one that speaks HTTP, begins as: it
 *  knows what one registry asks for, and no other's. */
int credentials_find(const struct registry_conf *conf, const char *host, const char *path, struct credentials *ret, struct err *err)
{
	const struct question q = { conf, host, path };
	auto_credentials c = {0};
	struct found *f = calloc(1, sizeof *f);

	if (f == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "credentials");
	int result = apart_run(look, &q, f, sizeof *f, err);
	if (result == 0)
		result = keep(f->user ? f->name : NULL, f->user ? f->secret : NULL, f->identity ? f->secret : NULL, &c, err);
	explicit_bzero(f, sizeof *f);
	free(f);
	if (result < 0)
		return -1;
	credentials_clear(ret);
	*ret = c;
	c = (struct credentials){0};
	return 0;
}

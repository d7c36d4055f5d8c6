/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in tokens (PKCS #11), by their URIs (RFC 7512). Debian 12 has no provider for them, but OpenSSL's engine of libp11: deprecated with all engines,
 * and there. The module that it loads, the token's own library, is code of whoever names it, and runs in this process. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "attest/key.h"

#include <string.h>
#include <sys/auxv.h>

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

#define SCHEME "pkcs11:"
/** Longest URI. */
#define URI_MAX 4096

OWN_DEFINE(token_pkey, EVP_PKEY *, NULL, EVP_PKEY_free)
OWN_DEFINE(engine, ENGINE *, NULL, token_engine_free)

void token_engine_free(ENGINE *engine)
{
	(void)ENGINE_finish(engine);
	(void)ENGINE_free(engine);
}

bool key_is_token(const char *path)
{
	return text_starts(path, SCHEME);
}

/** The URI as the engine takes it, and what it does not know of it. */
struct uri {
	struct buf rest;      /**< without `module-path` */
	struct buf module;    /**< that; empty: the engine's own choice, p11-kit's list of modules */
	bool pin_source;      /**< says itself where the PIN is */
};

static void uri_clear(struct uri *u)
{
	buf_free(&u->rest);
	buf_free(&u->module);
}
#define auto_uri __attribute__((cleanup(uri_clear))) struct uri

/** Appends @p n bytes with what stands as %XX. @return whether it is well formed. */
static bool decode(const char *s, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		unsigned c = (unsigned char)s[i];

		if (c == '%') {
			if (n - i < 3 || strspn(s + i + 1, "0123456789abcdefABCDEF") < 2 || sscanf(s + i + 1, "%2x", &c) != 1 || c == 0)
				return false;
			i += 2;
		}
		buf_addc(out, (char)c);
	}
	return true;
}

/** Whether an attribute stands anywhere: RFC 7512 knows some in the query alone, but the engine cuts at each of these and takes all of them. */
static bool has(const char *uri, const char *attribute)
{
	for (const char *p = strchr(uri, ':'); p != NULL; p = strpbrk(p + 1, ";?&"))
		if (text_starts(p + 1, attribute))
			return true;
	return false;
}

/** Takes one attribute of the query. */
static int take_attribute(const char *s, size_t n, struct uri *u, struct err *err)
{
	static const char module[] = "module-path=";

	if (strncmp(s, module, sizeof module - 1) == 0) {
		if (decode(s + sizeof module - 1, n - (sizeof module - 1), &u->module) && u->module.len > 0 && u->module.data[0] == '/')
			return 0;
		return err_set(err, ERR_USAGE, 0, "module-path must be an absolute path");
	}
	buf_addc(&u->rest, strchr(u->rest.data, '?') == NULL ? '?' : '&');
	buf_add(&u->rest, s, n);
	return 0;
}

static int read_uri(const char *uri, struct uri *u, struct err *err)
{
	const char *at = strchr(uri, '?');

	if (strlen(uri) > URI_MAX)
		return err_set(err, ERR_USAGE, 0, "longer than %d bytes", URI_MAX);
	if (has(uri, "pin-value="))
		return err_set(err, ERR_USAGE, 0, "a PIN does not belong into a URI, where others can read it; give it by --passphrase-fd, "
			       "or at the terminal");
	u->pin_source = has(uri, "pin-source=");
	buf_add(&u->rest, uri, at == NULL ? strlen(uri) : (size_t)(at - uri));
	while (at != NULL && u->rest.data != NULL) {
		size_t n = strcspn(at + 1, "&");

		if (take_attribute(at + 1, n, u, err) < 0)
			return -1;
		at = at[1 + n] == '&' ? at + 1 + n : NULL;
	}
	return buf_check(&u->rest, "URI", err) < 0 ? -1 : buf_check(&u->module, "URI", err);
}

int key_token_asks(const char *path, bool *ret, struct err *err)
{
	auto_uri u = {0};

	if (read_uri(path, &u, err) < 0)
		return err_ctx(err, "key in a token");
	*ret = !u.pin_source;
	return 0;
}

/** A program without shared libraries cannot load any: its loader is not there. */
static bool is_static(void)
{
	return getauxval(AT_BASE) == 0;
}

static int start_engine(const struct uri *u, const struct buf *pin, ENGINE **ret, struct err *err)
{
	(void)OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_DYNAMIC, NULL);
	ENGINE *e = ENGINE_by_id("pkcs11");

	if (e == NULL) {
		ERR_clear_error();
		return err_set(err, ERR_USAGE, 0, "OpenSSL's engine 'pkcs11' is not installed (Debian: libengine-pkcs11-openssl)");
	}
	if ((u->module.len > 0 && ENGINE_ctrl_cmd_string(e, "MODULE_PATH", u->module.data, 0) != 1) ||
	    (pin != NULL && pin->len > 0 && ENGINE_ctrl_cmd_string(e, "PIN", pin->data, 0) != 1) || ENGINE_init(e) != 1) {
		ENGINE_free(e);
		return crypto_failed(err, ERR_USAGE, "start OpenSSL's engine 'pkcs11'");
	}
	*ret = e;
	return 0;
}

/** What is known of a token's key is its public half; it must be as one of ours. */
static int public_of(EVP_PKEY *token, const char *what, struct key **ret, struct err *err)
{
	unsigned char *der = NULL;
	auto_buf bytes = {0};
	int n = i2d_PUBKEY(token, &der);

	if (n <= 0)
		return crypto_failed(err, ERR_USAGE, "read the public half");
	buf_add(&bytes, der, (size_t)n);
	OPENSSL_free(der);
	return buf_check(&bytes, what, err) < 0 ? -1 : key_decode_public(&bytes, what, ret, err);
}

static int open_token(const char *path, const struct buf *pin, struct key **ret, struct err *err)
{
	auto_uri u = {0};
	auto_own(engine) ENGINE *engine = NULL;
	auto_own(token_pkey) EVP_PKEY *token = NULL;
	auto_key key = NULL;

	if (is_static())
		return err_set(err, ERR_USAGE, 0, "this glovebox is linked without shared libraries and cannot load a token's module; use one that is not, or a key in a file");
	if (read_uri(path, &u, err) < 0 || start_engine(&u, pin, &engine, err) < 0)
		return -1;
	/* Who must be asked has been; nothing in there is to ask at a terminal. */
	token = ENGINE_load_private_key(engine, u.rest.data, (UI_METHOD *)(uintptr_t)UI_null(), NULL);
	if (token == NULL)
		return crypto_failed(err, ERR_USAGE, "no such key, a wrong PIN, or no such module");
	ERR_clear_error();
	if (public_of(token, "its public half", &key, err) < 0)
		return -1;
	key->secret = true;
	key->token = move_ptr(token);
	key->engine = move_ptr(engine);
	*ret = move_ptr(key);
	return 0;
}

int key_open_token(const char *path, const struct buf *pin, struct key **ret, struct err *err)
{
	return open_token(path, pin, ret, err) < 0 ? err_ctx(err, "key in a token") : 0;
}

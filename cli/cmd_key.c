/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "attest/attest.h"
#include "cli/cli.h"

/** Writes both halves, or neither; an existing key is never overwritten. */
static int write_pair(const char *prefix, const struct buf *private_pem, const struct buf *public_pem, struct err *err)
{
	auto_buf priv = {0};
	auto_buf pub = {0};

	buf_addf(&priv, "%s.pem", prefix);
	buf_addf(&pub, "%s.pub.pem", prefix);
	if (buf_check(&priv, "path", err) < 0 || buf_check(&pub, "path", err) < 0 ||
	    io_publish(AT_FDCWD, priv.data, private_pem->data, private_pem->len, 0600, IO_DURABLE | IO_EXCL, err) < 0)
		return -1;
	if (io_publish(AT_FDCWD, pub.data, public_pem->data, public_pem->len, 0644, IO_DURABLE | IO_EXCL, err) < 0) {
		unlink(priv.data);
		return -1;
	}
	return 0;
}

/** What --type says; p256 where it is not given. */
static int read_type(const char *text, enum key_type *ret, struct err *err)
{
	if (text == NULL || strcmp(text, "p256") == 0)
		*ret = KEY_P256;
	else if (strcmp(text, "ed25519") == 0)
		*ret = KEY_ED25519;
	else
		return err_set(err, ERR_USAGE, 0, "--type %s: it is p256 or ed25519", text);
	return 0;
}

/** Replaces the private text by the same key encrypted. */
static int encrypt(const char *prefix, int fd, struct buf *private_pem, struct err *err)
{
	struct cli_passphrase from = { .fd = fd, .twice = true };
	auto_secret passphrase = {0};
	auto_buf sealed = {0};
	auto_fd cancel = cli_catch_signals(err);

	if (cancel < 0)
		return -1;
	if (buf_room(&passphrase, ATTEST_PASSPHRASE_MAX + 1) == NULL)
		return buf_check(&passphrase, "passphrase", err);
	if (cli_passphrase(&from, prefix, cancel, &passphrase, err) < 0 ||
	    key_encrypt(private_pem, &passphrase, &sealed, err) < 0)
		return -1;
	buf_wipe(private_pem);
	*private_pem = sealed;
	sealed = (struct buf){0};
	return 0;
}

static int generate(const struct args *args, const char *prefix, struct err *err)
{
	auto_secret private_pem = {0};
	auto_buf public_pem = {0};
	auto_key key = NULL;
	enum key_type type;
	char id[45];
	int fd;

	if (read_type(args_get(args, "type"), &type, err) < 0 || cli_passphrase_fd(args, &fd, err) < 0 ||
	    key_generate(type, &private_pem, &public_pem, err) < 0 ||
	    key_read_public(public_pem.data, public_pem.len, "new key", &key, err) < 0 || key_id(key, id, err) < 0)
		return -1;
	if ((fd >= 0 || args_has(args, "encrypt")) && encrypt(prefix, fd, &private_pem, err) < 0)
		return -1;
	if (write_pair(prefix, &private_pem, &public_pem, err) < 0)
		return err_ctx(err, "key '%s'", prefix);
	puts(id);
	return 0;
}

/** What a key file is. */
struct facts {
	bool is_private, is_encrypted;
	const char *type;    /**< NULL: not known without the passphrase */
	char id[45];
};

static int print_facts(const struct args *args, const struct facts *f, struct err *err)
{
	if (args_has(args, "json")) {
		auto_json j = json_pack("{s:b, s:b, s:s?, s:s?}", "private", (int)f->is_private, "encrypted",
					(int)f->is_encrypted, "type", f->type, "keyId", f->type == NULL ? NULL : f->id);

		return j == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "print JSON") : cli_print_json(j, err);
	}
	printf("type  %s, %s%s\n", f->type == NULL ? "unknown" : f->type, f->is_private ? "private" : "public",
	       f->is_encrypted ? ", encrypted" : "");
	printf("id    %s\n", f->type == NULL ? "unknown (give --passphrase-fd, or ask the .pub.pem file)" : f->id);
	return 0;
}

static int read_encrypted(const struct buf *pem, int fd, const char *path, struct key **ret, struct err *err)
{
	struct cli_passphrase from = { .fd = fd };
	auto_secret passphrase = {0};

	if (buf_room(&passphrase, ATTEST_PASSPHRASE_MAX + 1) == NULL)
		return buf_check(&passphrase, "passphrase", err);
	if (cli_passphrase(&from, path, -1, &passphrase, err) < 0)
		return -1;
	return key_read_encrypted(pem->data, pem->len, &passphrase, path, ret, err);
}

/** A key in a token is its public half to us. */
static int show_token(const struct args *args, const char *uri, struct err *err)
{
	struct cli_passphrase from = {0};
	auto_secret pin = {0};
	auto_key key = NULL;
	struct facts f = { .is_private = true };
	bool asks;

	if (cli_passphrase_fd(args, &from.fd, err) < 0 || key_token_asks(uri, &asks, err) < 0)
		return -1;
	if (buf_room(&pin, ATTEST_PASSPHRASE_MAX + 1) == NULL)
		return buf_check(&pin, "PIN", err);
	if ((asks && cli_passphrase(&from, "the token", -1, &pin, err) < 0) || key_open_token(uri, asks ? &pin : NULL, &key, err) < 0 ||
	    key_id(key, f.id, err) < 0)
		return -1;
	f.type = key_type_name(key_type(key));
	return print_facts(args, &f, err);
}

static int show(const struct args *args, const char *path, struct err *err)
{
	auto_secret pem = BUF_LIMIT(4 * ATTEST_KEY_MAX);
	auto_key key = NULL;
	struct facts f = {0};
	int fd, result = 0;

	if (cli_passphrase_fd(args, &fd, err) < 0 || io_read_file(AT_FDCWD, path, ATTEST_KEY_MAX, &pem, err) < 0)
		return -1;
	const char *text = pem.data == NULL ? "" : pem.data;
	f.is_private = strstr(text, "PRIVATE KEY") != NULL;
	f.is_encrypted = key_is_encrypted(text, pem.len);
	if (!f.is_private)
		result = key_read_public(text, pem.len, path, &key, err);
	else if (!f.is_encrypted)
		result = key_read_private(text, pem.len, path, &key, err);
	else if (fd >= 0)
		result = read_encrypted(&pem, fd, path, &key, err);
	if (result == 0 && key != NULL) {
		f.type = key_type_name(key_type(key));
		result = key_id(key, f.id, err);
	}
	return result < 0 ? -1 : print_facts(args, &f, err);
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	const char *verb = args->positional[0], *what = args->positional[1];

	(void)ret_code;
	if (strcmp(verb, "show") == 0)
		return key_is_token(what) ? show_token(args, what, err) : show(args, what, err);
	if (strcmp(verb, "generate") == 0)
		return generate(args, what, err);
	return err_set(err, ERR_USAGE, 0, "key: no '%s'; it is generate or show", verb);
}

static const struct opt_def opts[] = {
	{ "type", "TYPE", "p256 (default): ECDSA on P-256 with SHA-256; ed25519", .words = "p256 ed25519" },
	{ "encrypt", NULL, "encrypt the private key under a passphrase, asked for at the terminal" },
	OPT_PASSPHRASE_FD, OPT_JSON, OPT_HELP, OPT_END,
};

const struct command cmd_key = {
	"key", "generate PREFIX | show FILE", "make a signing key (PREFIX.pem, PREFIX.pub.pem), or show what one is", opts, NULL,
	2, 2, false, run,
};

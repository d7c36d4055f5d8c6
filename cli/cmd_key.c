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

static int print_id(const struct key *key, struct err *err)
{
	char id[45];

	if (key_id(key, id, err) < 0)
		return -1;
	puts(id);
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

static int generate(const char *prefix, enum key_type type, struct err *err)
{
	auto_buf private_pem = BUF_LIMIT(ATTEST_KEY_MAX);
	auto_buf public_pem = {0};
	auto_key key = NULL;
	int result = key_generate(type, &private_pem, &public_pem, err);

	if (result == 0)
		result = key_read_public(public_pem.data, public_pem.len, "new key", &key, err);
	if (result == 0 && (result = write_pair(prefix, &private_pem, &public_pem, err)) < 0)
		(void)err_ctx(err, "key '%s'", prefix);
	if (private_pem.data != NULL)
		explicit_bzero(private_pem.data, private_pem.len);
	return result < 0 ? -1 : print_id(key, err);
}

static int show(const char *path, struct err *err)
{
	auto_buf pem = BUF_LIMIT(4 * ATTEST_KEY_MAX);
	auto_key key = NULL;

	if (io_read_file(AT_FDCWD, path, ATTEST_KEY_MAX, &pem, err) < 0)
		return -1;
	bool is_private = pem.data != NULL && strstr(pem.data, "PRIVATE KEY") != NULL;
	int result = is_private ? key_read_private(pem.data, pem.len, path, &key, err)
				: key_read_public(pem.data == NULL ? "" : pem.data, pem.len, path, &key, err);
	if (pem.data != NULL)
		explicit_bzero(pem.data, pem.len);
	if (result < 0)
		return -1;
	printf("type  %s, %s\nid    ", key_type_name(key_type(key)), is_private ? "private" : "public");
	return print_id(key, err);
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	const char *verb = args->positional[0], *what = args->positional[1];
	enum key_type type;

	(void)ret_code;
	if (strcmp(verb, "show") == 0)
		return show(what, err);
	if (strcmp(verb, "generate") != 0)
		return err_set(err, ERR_USAGE, 0, "key: no '%s'; it is generate or show", verb);
	return read_type(args_get(args, "type"), &type, err) < 0 ? -1 : generate(what, type, err);
}

static const struct opt_def opts[] = {
	{ "type", "TYPE", "p256 (default): ECDSA on P-256 with SHA-256; ed25519" },
	OPT_HELP, OPT_END,
};

const struct command cmd_key = {
	"key", "generate PREFIX | show FILE", "make a signing key (PREFIX.pem, PREFIX.pub.pem), or show one's id", opts, NULL, 2, 2,
	false, run,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signed.h"

#include <fcntl.h>
#include <string.h>

/** A statement needs a name and a key; neither means anything without. */
static int check_together(const struct args *args, const char *what, const char *key, struct err *err)
{
	size_t n = (size_t)args_has(args, what) + args_has(args, key) + args_has(args, "verifier-id");

	if (n != 0 && n != 3)
		return err_set(err, ERR_USAGE, 0, "%s: --%s FILE, --%s KEY and --verifier-id URI go together", args->command->name, what, key);
	if (n == 3 && strchr(args_get(args, "verifier-id"), ':') == NULL)
		return err_set(err, ERR_USAGE, 0, "--verifier-id %s: it must be a URI", args_get(args, "verifier-id"));
	return 0;
}

int cli_signer_start(const struct args *args, const char *what, const char *key, struct signer *ret, struct err *err)
{
	struct cli_passphrase from = {0};
	const struct key_passphrase passphrase = { cli_passphrase, &from };
	struct ident id;

	if (check_together(args, what, key, err) < 0)
		return -1;
	if (!args_has(args, key))
		return 0;
	if (cli_passphrase_fd(args, &from.fd, err) < 0 || ident_detect(&id, err) < 0)
		return -1;
	return signer_start(&id, args_get(args, key), &passphrase, -1, ret, err) < 0 ? err_ctx(err, "--%s", key) : 0;
}

int cli_write_signed(const struct signer *signer, const struct ident *id, const struct buf *statement, const char *path, struct err *err)
{
	auto_buf bundle = {0};

	if (signer_sign(signer, statement, &bundle, err) < 0 || (id != NULL && ident_caller_begin(id, err) < 0))
		return -1;
	int result = io_publish(AT_FDCWD, path, bundle.data, bundle.len, 0644, 0, err);
	return id != NULL ? ident_caller_done(id, result, err) : result;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "attest/attest.h"
#include "cli/cli.h"

int cli_read_public_key(const char *path, struct key **ret, struct err *err)
{
	auto_buf pem = {0};

	if (io_read_file(AT_FDCWD, path, ATTEST_KEY_MAX, &pem, err) < 0)
		return -1;
	return key_read_public(pem.data, pem.len, path, ret, err);
}

int cli_read_public_keys(const struct args *args, bool may_be_none, struct key ***ret, size_t *ret_n, struct err *err)
{
	size_t n = 0;
	const char *path;

	while (args_nth(args, "key", n) != NULL)
		n++;
	if (n == 0 && !may_be_none)
		return err_set(err, ERR_USAGE, 0, "%s: whose signature counts? give --key PUB.pem", args->command->name);
	struct key **keys = calloc(n + 1, sizeof *keys);
	if (keys == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read keys");
	for (size_t i = 0; (path = args_nth(args, "key", i)) != NULL; i++) {
		if (cli_read_public_key(path, &keys[i], err) < 0) {
			cli_free_keys(keys, i);
			return err_ctx(err, "--key");
		}
	}
	*ret = keys;
	*ret_n = n;
	return 0;
}

void cli_free_keys(struct key **keys, size_t n)
{
	for (size_t i = 0; keys != NULL && i < n; i++)
		key_free(keys[i]);
	free(keys);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/signing_key.h"

#include <fcntl.h>
#include <string.h>

int signing_key_load(const struct ident *id, const char *path, struct key **ret, struct err *err)
{
	auto_buf pem = BUF_LIMIT(ATTEST_KEY_MAX + (256 << 10));

	if (ident_read_begin(id, err) < 0)
		return -1;
	int result = ident_read_done(id, io_read_file(AT_FDCWD, path, ATTEST_KEY_MAX, &pem, err), err);
	if (result == 0)
		result = key_read_private(pem.data, pem.len, path, ret, err);
	if (pem.data != NULL)
		explicit_bzero(pem.data, pem.len);
	return result < 0 ? err_ctx(err, "--key") : 0;
}

/** What the process apart is told, and answers. */
struct question {
	const struct ident *id;
	const char *path;
};
struct answer {
	char id[45];
};

static int look_at_key(const void *arg, void *answer, struct err *err)
{
	const struct question *q = arg;
	struct answer *a = answer;
	auto_key key = NULL;

	return signing_key_load(q->id, q->path, &key, err) < 0 ? -1 : key_id(key, a->id, err);
}

int signing_key_id(const struct ident *id, const char *path, char ret[45], struct err *err)
{
	const struct question q = { id, path };
	struct answer a;

	if (apart_run(look_at_key, &q, &a, sizeof a, err) < 0)
		return -1;
	memcpy(ret, a.id, sizeof a.id);
	return 0;
}

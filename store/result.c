/* SPDX-License-Identifier: Apache-2.0 */
/* Results: what a step or an image came to, under the digest of all that it depends on. A file's name and its content are bound together
 * by a digest over both: what is moved to another name, or written by somebody who does not know that, is none. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "store/internal.h"

#define FOLDER STORE_RESULTS
/** FOLDER, a kind, 64 hex digits and what is between. */
#define PATH_SIZE (sizeof FOLDER + STORE_KIND_MAX + 70)
/** The digest that a result begins with, and its newline. */
#define HEAD_SIZE DIGEST_STR_SIZE

static char *make_path(const char *kind, const struct digest *key, char out[PATH_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	snprintf(out, PATH_SIZE, FOLDER "/%.*s-%s", STORE_KIND_MAX, kind, digest_hex(key, hex));
	return out;
}

/** The digest over the name and the content. */
static int seal(const char *name, const char *text, size_t n, struct digest *ret, struct err *err)
{
	auto_hasher h = hasher_new();

	if (h == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "hash a result");
	hasher_add(h, name, strlen(name) + 1);
	hasher_add(h, text, n);
	return hasher_final(h, ret, err);
}

int store_result_put(struct store *store, const char *kind, const struct digest *key, const json_t *result, struct err *err)
{
	char path[PATH_SIZE], head[DIGEST_STR_SIZE];
	auto_buf text = {0}, whole = {0};
	struct digest sum;

	make_path(kind, key, path);
	if (json_canonical(result, &text, err) < 0 || seal(text_path_name(path), text.data, text.len, &sum, err) < 0)
		return -1;
	buf_addf(&whole, "%s\n", digest_str(&sum, head));
	buf_add(&whole, text.data, text.len);
	if (buf_check(&whole, path, err) < 0)
		return -1;
	if (whole.len > STORE_RESULT_MAX)
		return err_set(err, ERR_INTERNAL, 0, "%s: a result of more than %u bytes is not kept", path, STORE_RESULT_MAX);
	/* Not among the store's first folders: it may be missing, and be deleted at any time. */
	if (mkdirat(store->fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return err_set(err, ERR_INTERNAL, errno, "make " FOLDER "/ in the store");
	return io_publish(store->fd, path, whole.data, whole.len, 0400, 0, err);
}

static int damaged(const char *path, struct err *err)
{
	return err_set(err, ERR_INPUT, 0, "%s in the store is damaged", path);
}

/** Reads a result that is ours: a plain file of the store's owner, that nobody else may write to. */
static int read_own(int dirfd, const char *path, bool use, struct buf *ret, struct err *err)
{
	struct stat st;
	auto_fd fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_INPUT : ERR_INTERNAL, errno, "open %s in the store", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    st.st_size > (off_t)STORE_RESULT_MAX)
		return damaged(path, err);
	if (use)
		store_freshen(fd, &st);
	return io_read_all(fd, STORE_RESULT_MAX, ret, err) < 0 ? err_ctx(err, "%s in the store", path) : 0;
}

int store_result_read(int dirfd, const char *name, bool use, json_t **ret, struct err *err)
{
	char head[DIGEST_STR_SIZE];
	auto_buf text = {0};
	struct digest sum, found;

	if (read_own(dirfd, name, use, &text, err) < 0)
		return -1;
	if (text.len <= HEAD_SIZE || text.data[HEAD_SIZE - 1] != '\n')
		return damaged(name, err);
	memcpy(head, text.data, HEAD_SIZE);
	head[HEAD_SIZE - 1] = '\0';
	if (!digest_parse(head, &sum) || seal(name, text.data + HEAD_SIZE, text.len - HEAD_SIZE, &found, err) < 0 ||
	    !digest_eq(&sum, &found))
		return damaged(name, err);
	return json_parse(text.data + HEAD_SIZE, text.len - HEAD_SIZE, name, ERR_INPUT, ret, err);
}

int store_result_get(struct store *store, const char *kind, const struct digest *key, json_t **ret, struct err *err)
{
	char path[PATH_SIZE];
	auto_fd dir = openat(store->fd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return err_set(err, errno == ENOENT ? ERR_INPUT : ERR_INTERNAL, errno, "open " FOLDER "/ in the store");
	return store_result_read(dir, text_path_name(make_path(kind, key, path)), true, ret, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What was worked out from content, and can be again: files below derived/, each with its own SHA-256 behind it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "store/internal.h"

#define FOLDER "derived"
/** FOLDER, a kind, 64 hex digits and what is between. */
#define PATH_SIZE (sizeof FOLDER + STORE_KIND_MAX + 70)

static const char *make_path(const char *kind, const struct digest *key, char out[PATH_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	snprintf(out, PATH_SIZE, FOLDER "/%.*s-%s", STORE_KIND_MAX, kind, digest_hex(key, hex));
	return out;
}

int store_derived_put(struct store *store, const char *kind, const struct digest *key, const void *data, size_t n, struct err *err)
{
	char path[PATH_SIZE];
	auto_buf whole = {0};
	struct digest sum;

	if (hash_bytes(data, n, &sum, err) < 0)
		return -1;
	buf_add(&whole, data, n);
	buf_add(&whole, sum.b, sizeof sum.b);
	if (buf_check(&whole, kind, err) < 0)
		return -1;
	/* Not among the store's first folders: it may be missing, and be deleted at any time. */
	if (mkdirat(store->fd, FOLDER, 0755) < 0 && errno != EEXIST)
		return err_set(err, ERR_INTERNAL, errno, "make " FOLDER "/ in the store");
	return io_publish(store->fd, make_path(kind, key, path), whole.data, whole.len, 0644, 0, err);
}

bool store_derived_get(struct store *store, const char *kind, const struct digest *key, size_t max, struct buf *ret)
{
	char path[PATH_SIZE];
	struct err ignored = {0};
	struct digest sum, actual;
	auto_buf whole = {0};

	if (io_read_file(store->fd, make_path(kind, key, path), max + sizeof sum.b, &whole, &ignored) < 0 ||
	    whole.len < sizeof sum.b)
		return false;
	size_t n = whole.len - sizeof sum.b;
	memcpy(sum.b, whole.data + n, sizeof sum.b);
	if (hash_bytes(whole.data, n, &actual, &ignored) < 0 || !digest_eq(&sum, &actual))
		return false;
	/* Not copied where it need not be: some are large. */
	if (ret->len == 0 && ret->limit == 0 && !ret->failed) {
		buf_free(ret);
		*ret = whole;
		whole = (struct buf){0};
		buf_seal(ret, n);
		return true;
	}
	buf_add(ret, whole.data, n);
	return !ret->failed;
}

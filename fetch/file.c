/* SPDX-License-Identifier: Apache-2.0 */
/* A file by URL, into the store where it has the digest that it should have. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "fetch/http.h"
#include "fetch/url.h"

int fetch_url_name(const char *url, char ret[TREE_NAME_MAX + 1], struct err *err)
{
	size_t n;
	const char *path = url_path(url, &n);
	const char *name = path + n;
	auto_buf text = {0};

	while (name > path && name[-1] != '/')
		name--;
	if (url_decode(name, (size_t)(path + n - name), &text, err) < 0)
		return err_ctx(err, "URL '%.300s'", url);
	if (text.len == 0 || text.len > TREE_NAME_MAX || !text_path_is_clean(text.data) || strchr(text.data, '/') != NULL)
		return err_set(err, ERR_USAGE, 0, "URL '%.300s': its last path element is no name for a file", url);
	strcpy(ret, text.data);
	return 0;
}

/* ---- file: ------------------------------------------------------------------ */

/** Opens what a file: URL names: on this machine, by an absolute path. */
static int open_file(const char *url, int *ret, struct err *err)
{
	auto_buf text = {0};
	struct stat st;

	if (url_file_path(url, &text, err) < 0)
		return -1;
	auto_fd fd = open(text.data, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_INPUT, errno, "open '%.300s'", url);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, 0, "'%.300s' is not a regular file", url);
	*ret = move_fd(&fd);
	return 0;
}

static int copy_file(struct store *store, const char *url, uint64_t limit, struct store_writer *w, struct err *err)
{
	const struct ident *id = store_ident(store);
	char chunk[64 << 10];
	uint64_t total = 0;
	size_t got;
	auto_fd fd = -1;

	if (ident_read_begin(id, err) < 0 || ident_read_done(id, open_file(url, &fd, err), err) < 0)
		return -1;
	do {
		if (io_read_full(fd, chunk, sizeof chunk, &got, err) < 0)
			return err_ctx(err, "read '%.300s'", url);
		total += got;
		if (total > limit)
			return err_set(err, ERR_INPUT, 0, "'%.300s' is larger than %" PRIu64 " bytes", url, limit);
		if (store_writer_add(w, chunk, got, err) < 0)
			return -1;
	} while (got == sizeof chunk);
	return 0;
}

/* ---- https:, http: -------------------------------------------------------------- */

static int sink_begin(void *arg, uint64_t at, struct err *err)
{
	/* It was asked for from the start. */
	if (at != 0)
		return err_set(err, ERR_INPUT, 0, "the answer begins at byte %" PRIu64, at);
	store_writer_reset(arg);
	return 0;
}

static int sink_add(void *arg, const void *data, size_t n, struct err *err)
{
	return store_writer_add(arg, data, n, err);
}

static int download(const struct fetch_net *net, const char *url, uint64_t limit, struct store_writer *w, struct err *err)
{
	const struct http_sink sink = { sink_begin, sink_add, w };
	const struct http_request req = { .url = url, .sink = &sink, .limit = limit };
	auto_http_response resp = {0};
	auto_http http = NULL;

	if (http_open(net, &http, err) < 0 || http_send(http, &req, &resp, err) < 0)
		return -1;
	/* 206 ends a transfer that was gone on with. */
	return resp.status == 200 || resp.status == 206 ? 0 : http_refused(&req, &resp, err);
}

/* ---- into the store ------------------------------------------------------------- */

/** Whether the store has it, undamaged: then nothing is asked of anybody. */
static bool is_stored(struct store *store, const struct fetch_url *from, uint64_t *ret_size)
{
	struct digest found;
	struct err ignored = {0};
	auto_fd fd = -1;

	return from->digest != NULL && store_open_object(store, from->digest, &fd, &ignored) == 0 &&
	       hash_fd(fd, &found, ret_size, &ignored) == 0 && digest_eq(&found, from->digest);
}

int fetch_url(struct store *store, const struct fetch_net *net, const struct fetch_url *from, struct digest *ret,
	      uint64_t *ret_size, struct err *err)
{
	bool sized = from->size != STORE_ANY_SIZE;
	uint64_t limit = sized && from->size < FETCH_URL_MAX ? from->size : FETCH_URL_MAX;
	auto_store_writer w = NULL;
	uint64_t size;

	if (is_stored(store, from, &size)) {
		if (sized && size != from->size)
			return err_set(err, ERR_INPUT, 0, "'%.300s': what has its digest has %" PRIu64 " bytes, not %" PRIu64,
				       from->url, size, from->size);
		*ret = *from->digest;
		*ret_size = size;
		return 0;
	}
	if (store_writer_begin(store, &w, err) < 0)
		return -1;
	if (from->digest != NULL)
		store_writer_expect(w, from->digest, from->size);
	int result = url_is_file(from->url) ? copy_file(store, from->url, limit, w, err)
						  : download(net, from->url, limit, w, err);
	if (result < 0)
		return -1;
	return store_writer_end(w, ret, ret_size, err) < 0 ? err_ctx(err, "'%.300s'", from->url) : 0;
}

int fetch_url_tree(struct store *store, const char *url, const struct digest *digest, uint64_t size, struct digest *ret,
		   struct err *err)
{
	char name[TREE_NAME_MAX + 1];
	auto_tree_builder b = NULL;
	const struct tree_entry entry = { .path = name, .type = TREE_FILE, .mode = 0644, .size = size, .digest = *digest };

	if (fetch_url_name(url, name, err) < 0 || tree_builder_new(&b, err) < 0 || tree_builder_add(b, &entry, err) < 0)
		return -1;
	return store_put_tree(store, b, ret, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A file by URL, into the store where it has the digest that it should have. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "fetch/http.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** The byte that the %xx at @p s stands for; -1 where it is none. At most @p n bytes are read. */
static int escaped(const char *s, size_t n)
{
	if (n < 3 || hex_value(s[1]) < 0 || hex_value(s[2]) < 0)
		return -1;
	return hex_value(s[1]) * 16 + hex_value(s[2]);
}

/** Undoes %xx in @p n bytes of a URL's path. What is no name anywhere is refused: NUL, control characters, a lone '%'. */
static int decode(const char *s, size_t n, struct buf *out, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int c = (unsigned char)s[i];

		if (c == '%') {
			c = escaped(s + i, n - i);
			i += 2;
		}
		if (c < ' ' || c == 0x7f)
			return err_set(err, ERR_USAGE, 0, "its path has a control character, or a '%%' that is no %%xx");
		buf_addc(out, (char)c);
	}
	return buf_check(out, "path", err);
}

/** Where the path of @p url begins, and how long it is; without a query or a fragment. */
static const char *path_of(const char *url, size_t *ret_n)
{
	const char *p = strchr(url, ':');

	p = p == NULL ? url : p + 1;
	if (text_starts(p, "//"))
		p += 2 + strcspn(p + 2, "/?#");
	*ret_n = strcspn(p, "?#");
	return p;
}

int fetch_url_name(const char *url, char ret[TREE_NAME_MAX + 1], struct err *err)
{
	size_t n;
	const char *path = path_of(url, &n);
	const char *name = path + n;
	auto_buf text = {0};

	while (name > path && name[-1] != '/')
		name--;
	if (decode(name, (size_t)(path + n - name), &text, err) < 0)
		return err_ctx(err, "URL '%.300s'", url);
	if (text.len == 0 || text.len > TREE_NAME_MAX || !text_path_is_clean(text.data) || strchr(text.data, '/') != NULL)
		return err_set(err, ERR_USAGE, 0, "URL '%.300s': its last path element is no name for a file", url);
	strcpy(ret, text.data);
	return 0;
}

bool fetch_url_is_file(const char *url)
{
	return strncasecmp(url, "file:", 5) == 0;
}

/* ---- file: ------------------------------------------------------------------ */

/** Opens what a file: URL names: on this machine, by an absolute path. */
static int open_file(const char *url, int *ret, struct err *err)
{
	size_t n;
	const char *path = path_of(url, &n);
	auto_buf text = {0};
	struct stat st;

	if ((!text_starts(url + 5, "///") && !text_starts(url + 5, "//localhost/")) || path[n] != '\0')
		return err_set(err, ERR_USAGE, 0, "URL '%.300s': write file:// and an absolute path, without a query", url);
	if (decode(path, n, &text, err) < 0)
		return err_ctx(err, "URL '%.300s'", url);
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
	int result = fetch_url_is_file(from->url) ? copy_file(store, from->url, limit, w, err)
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

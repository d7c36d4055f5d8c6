/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/git_object.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

bool git_name_parse(const char *s, size_t n, struct git_name *ret)
{
	if (n != 40 && n != 64)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return false;
	memcpy(ret->hex, s, n);
	ret->hex[n] = '\0';
	return true;
}

/** From the bytes that trees hold. */
static void name_from_raw(const unsigned char *raw, size_t n, struct git_name *ret)
{
	for (size_t i = 0; i < n; i++)
		sprintf(ret->hex + 2 * i, "%02x", raw[i]);
}

/* ---- hashing ------------------------------------------------------------------ */

struct git_hash {
	EVP_MD_CTX *ctx;
	bool failed;
};

int git_hash_begin(const struct git_name *like, const char *type, uint64_t size, struct git_hash **ret, struct err *err)
{
	auto_git_hash h = calloc(1, sizeof *h);
	char head[64];
	int n = snprintf(head, sizeof head, "%s %llu", type, (unsigned long long)size);

	if (h == NULL || (h->ctx = EVP_MD_CTX_new()) == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "hash an object");
	if (EVP_DigestInit_ex(h->ctx, strlen(like->hex) == 40 ? EVP_sha1() : EVP_sha256(), NULL) != 1)
		return err_set(err, ERR_INTERNAL, 0, "hash an object: the library has no such hash");
	git_hash_add(h, head, (size_t)n + 1);
	*ret = move_ptr(h);
	return 0;
}

void git_hash_add(struct git_hash *h, const void *data, size_t n)
{
	if (EVP_DigestUpdate(h->ctx, data, n) != 1)
		h->failed = true;
}

int git_hash_check(struct git_hash *h, const struct git_name *want, struct err *err)
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	struct git_name have = {0};
	unsigned n = 0;

	if (h->failed || EVP_DigestFinal_ex(h->ctx, raw, &n) != 1 || n > 32)
		return err_set(err, ERR_INTERNAL, 0, "hash an object");
	name_from_raw(raw, n, &have);
	if (strcmp(have.hex, want->hex) != 0)
		return err_set(err, ERR_INPUT, 0, "object %s has the hash %s: the repository is damaged, or lies", want->hex, have.hex);
	return 0;
}

void git_hash_free(struct git_hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

/* ---- commits and tags ------------------------------------------------------------ */

/** A text that is read line by line. */
struct lines {
	const char *p, *end;
};

/** Takes the next line where it is "KEY REST"; gives REST, up to its line feed. */
static bool take_line(struct lines *l, const char *key, const char **ret, size_t *ret_n)
{
	size_t k = strlen(key);
	const char *newline = memchr(l->p, '\n', (size_t)(l->end - l->p));

	if (newline == NULL || (size_t)(newline - l->p) < k + 1 || memcmp(l->p, key, k) != 0 || l->p[k] != ' ')
		return false;
	*ret = l->p + k + 1;
	*ret_n = (size_t)(newline - *ret);
	l->p = newline + 1;
	return true;
}

static bool take_name(struct lines *l, const char *key, size_t name_len, struct git_name *ret)
{
	const char *rest;
	size_t n;

	return take_line(l, key, &rest, &n) && n == name_len && git_name_parse(rest, n, ret);
}

/** "NAME <MAIL> SECONDS +ZONE" */
static bool parse_time(const char *s, size_t n, int64_t *ret)
{
	const char *close = memrchr(s, '>', n);
	const char *end = s + n, *p;
	int64_t t = 0;

	if (close == NULL || end - close < 4 || close[1] != ' ')
		return false;
	for (p = close + 2; p < end && *p >= '0' && *p <= '9'; p++) {
		t = t * 10 + (*p - '0');
		if (t > GIT_TIME_MAX)
			return false;
	}
	if (p == close + 2 || end - p != 6 || p[0] != ' ' || (p[1] != '+' && p[1] != '-'))
		return false;
	*ret = t;
	return true;
}

int git_commit_parse(const char *data, size_t n, size_t name_len, struct git_commit *ret, struct err *err)
{
	struct lines l = { data, data + n };
	struct git_commit c = {0};
	struct git_name parent;
	const char *rest;
	size_t len;

	if (!take_name(&l, "tree", name_len, &c.tree))
		return err_set(err, ERR_INPUT, 0, "a commit that does not begin with its tree");
	while (take_name(&l, "parent", name_len, &parent))
		;
	if (!take_line(&l, "author", &rest, &len))
		return err_set(err, ERR_INPUT, 0, "a commit without an author");
	if (!take_line(&l, "committer", &rest, &len) || !parse_time(rest, len, &c.time))
		return err_set(err, ERR_INPUT, 0, "a commit without a committer and a time");
	*ret = c;
	return 0;
}

int git_tag_parse(const char *data, size_t n, size_t name_len, struct git_name *ret, const char **ret_type, struct err *err)
{
	static const char *const types[] = { "commit", "tag", "tree", "blob" };
	struct lines l = { data, data + n };
	struct git_name object;
	const char *type;
	size_t len;

	if (!take_name(&l, "object", name_len, &object) || !take_line(&l, "type", &type, &len))
		return err_set(err, ERR_INPUT, 0, "a tag that does not begin with its object");
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (len == strlen(types[i]) && memcmp(type, types[i], len) == 0) {
			*ret = object;
			*ret_type = types[i];
			return 0;
		}
	return err_set(err, ERR_INPUT, 0, "a tag of a thing of no known type");
}

/* ---- trees -------------------------------------------------------------------------- */

static int parse_kind(const char *mode, size_t n, enum git_kind *ret)
{
	static const struct {
		const char *mode;
		enum git_kind kind;
	} known[] = {
		{ "40000", GIT_DIR }, { "100644", GIT_FILE }, { "100755", GIT_PROGRAM }, { "120000", GIT_LINK }, { "160000", GIT_SUBMODULE },
		/* Written by very old versions of git; checked out as 100644. */
		{ "100664", GIT_FILE },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strlen(known[i].mode) == n && memcmp(known[i].mode, mode, n) == 0) {
			*ret = known[i].kind;
			return 0;
		}
	return -1;
}

static bool may_be_named(const char *name)
{
	return text_path_is_clean(name) && strchr(name, '/') == NULL && strcasecmp(name, ".git") != 0;
}

int git_tree_next(struct git_tree *t, struct git_entry *ret, struct err *err)
{
	const char *p = t->data + t->at;
	size_t left = t->n - t->at, raw = t->name_len / 2;

	if (left == 0)
		return 0;
	const char *space = memchr(p, ' ', left < 8 ? left : 8);
	const char *name = space == NULL ? p : space + 1;
	const char *end = memchr(name, '\0', left - (size_t)(name - p));
	if (space == NULL || end == NULL || left - (size_t)(end + 1 - p) < raw)
		return err_set(err, ERR_INPUT, 0, "a tree that ends within an entry");
	struct git_entry e = {0};
	if (parse_kind(p, (size_t)(space - p), &e.kind) < 0)
		return err_set(err, ERR_INPUT, 0, "a tree with an entry of mode '%.*s'", (int)(space - p), p);
	if ((size_t)(end - name) > TREE_NAME_MAX || !may_be_named(name))
		return err_set(err, ERR_INPUT, 0, "a tree with an entry called '%.300s'", name);
	strcpy(e.name, name);
	name_from_raw((const unsigned char *)end + 1, raw, &e.object);
	t->at += (size_t)(end + 1 - p) + raw;
	*ret = e;
	return 1;
}

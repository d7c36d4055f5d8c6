/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/git_ask.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/** Longest head of an object: its name, its type, its size. */
#define HEAD_MAX 200

int git_objects_read(struct git_objects *o, size_t n, const char **ret, size_t *ret_n, struct err *err)
{
	while (o->at == o->n) {
		ssize_t got = read(o->out, o->buf, sizeof o->buf);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_set(err, ERR_INPUT, got < 0 ? errno : 0, "git ended before all of an object was there");
		o->at = 0;
		o->n = (size_t)got;
	}
	*ret = o->buf + o->at;
	*ret_n = o->n - o->at < n ? o->n - o->at : n;
	o->at += *ret_n;
	return 0;
}

/** "NAME TYPE SIZE" or "NAME missing". */
static int read_head(struct git_objects *o, char line[HEAD_MAX], struct err *err)
{
	size_t n = 0, got;
	const char *c;

	do {
		if (n == HEAD_MAX - 1)
			return err_set(err, ERR_INPUT, 0, "git answers what is no head of an object");
		if (git_objects_read(o, 1, &c, &got, err) < 0)
			return -1;
		line[n++] = *c;
	} while (*c != '\n');
	line[n - 1] = '\0';
	return 0;
}

static int ask(struct git_objects *o, const char *command, const struct git_name *name, char ret_type[GIT_TYPE_SIZE], uint64_t *ret_size,
	       struct err *err)
{
	char line[HEAD_MAX];
	unsigned long long size;
	size_t n = strlen(name->hex);
	int asked = snprintf(line, sizeof line, "%s %s\n", command, name->hex);

	if (io_write_all(o->in, line, (size_t)asked, err) < 0)
		return err_set(err, ERR_INPUT, err->sys, "ask git for object %s", name->hex);
	if (read_head(o, line, err) < 0)
		return -1;
	if (strncmp(line, name->hex, n) != 0 || sscanf(line + n, " %20[a-z] %19llu", ret_type, &size) != 2)
		return err_set(err, ERR_INPUT, 0, "object %s is not there", name->hex);
	*ret_size = size;
	return 0;
}

int git_objects_info(struct git_objects *o, const struct git_name *name, char ret_type[GIT_TYPE_SIZE], uint64_t *ret_size, struct err *err)
{
	return ask(o, "info", name, ret_type, ret_size, err);
}

int git_objects_want(struct git_objects *o, const struct git_name *name, const char *type, uint64_t max, uint64_t *ret_size,
		     struct err *err)
{
	char is[GIT_TYPE_SIZE];
	uint64_t size;

	if (ask(o, "contents", name, is, &size, err) < 0)
		return -1;
	if (strcmp(is, type) != 0)
		return err_set(err, ERR_INPUT, 0, "object %s is a %s, not a %s", name->hex, is, type);
	if (size > max)
		return err_set(err, ERR_INPUT, 0, "%s %s has %" PRIu64 " bytes; the limit is %" PRIu64, type, name->hex, size, max);
	*ret_size = size;
	return 0;
}

int git_objects_end(struct git_objects *o, struct err *err)
{
	const char *c;
	size_t got;

	if (git_objects_read(o, 1, &c, &got, err) < 0)
		return -1;
	return *c == '\n' ? 0 : err_set(err, ERR_INPUT, 0, "git gives more of an object than it said");
}

int git_objects_get(struct git_objects *o, const struct git_name *name, const char *type, uint64_t max, struct buf *ret, struct err *err)
{
	auto_git_hash h = NULL;
	uint64_t size;

	if (git_objects_want(o, name, type, max, &size, err) < 0 || git_hash_begin(name, type, size, &h, err) < 0)
		return -1;
	buf_clear(ret);
	for (uint64_t left = size; left > 0; ) {
		const char *p;
		size_t n;

		if (git_objects_read(o, left < sizeof o->buf ? (size_t)left : sizeof o->buf, &p, &n, err) < 0)
			return -1;
		git_hash_add(h, p, n);
		buf_add(ret, p, n);
		left -= n;
	}
	if (buf_check(ret, "object", err) < 0 || git_objects_end(o, err) < 0)
		return -1;
	return git_hash_check(h, name, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/pax.h"

#include <string.h>

#include "base/own.h"
#include "oci/show.h"
#include "oci/untar.h"

static int bad(struct err *err, const char *why)
{
	return err_set(err, ERR_UNVERIFIED, 0, "extended header: %s", why);
}

/** A decimal number without sign or leading zeros that fits 64 bits, over at most @p n bytes.
 *  @return how many bytes it has, 0 for none. */
static size_t decimal(const char *s, size_t n, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	for (; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
		if (i == 1 && s[0] == '0')
			return 0;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(s[i] - '0'), &v))
			return 0;
	}
	*ret = v;
	return i;
}

/** Sets @p which once. */
static int claim(struct pax_fields *f, enum pax_has which, struct err *err)
{
	if (f->has & which)
		return bad(err, "a field is given twice");
	f->has |= which;
	return 0;
}

static int set_text(struct pax_fields *f, enum pax_has which, const char *value, size_t n, struct err *err)
{
	struct buf *to = which == PAX_PATH ? &f->path : &f->link;

	if (claim(f, which, err) < 0)
		return -1;
	if (n == 0 || memchr(value, '\0', n) != NULL)
		return bad(err, "a name that is empty or holds a NUL");
	buf_clear(to);
	buf_add(to, value, n);
	return buf_check(to, "read an extended header", err);
}

static int set_number(struct pax_fields *f, enum pax_has which, const char *value, size_t n, struct err *err)
{
	uint64_t *to = which == PAX_SIZE ? &f->size : which == PAX_UID ? &f->uid : &f->gid;

	if (claim(f, which, err) < 0)
		return -1;
	if (n == 0 || decimal(value, n, to) != n)
		return bad(err, "a number that is none");
	return 0;
}

/** Takes a time over as it may stand there, "-1.5" too; what is none is left alone. */
static void set_time(struct pax_fields *f, const char *value, size_t n)
{
	bool negative = n > 0 && value[0] == '-';
	uint64_t v;
	size_t digits = decimal(value + negative, n - negative, &v);

	if (digits == 0 || v > INT64_MAX - 1)
		return;
	f->mtime = negative ? -(int64_t)v - (digits + negative < n) : (int64_t)v;
	f->has |= PAX_MTIME;
}

static void set_owner(struct pax_fields *f, enum pax_has which, const char *value, size_t n)
{
	struct buf *to = which == PAX_UNAME ? &f->uname : &f->gname;

	buf_clear(to);
	buf_add(to, value, strnlen(value, n));
	if (!to->failed)
		f->has |= which;
}

static bool key_is(const char *key, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(key, word, n) == 0;
}

static int set_record(struct pax_fields *f, const char *key, size_t nkey, const char *value, size_t n, bool tolerant,
		      struct err *err)
{
	static const struct { const char *key; enum pax_has which; } names[] = {
		{ "path", PAX_PATH }, { "linkpath", PAX_LINK },
	}, numbers[] = {
		{ "size", PAX_SIZE }, { "uid", PAX_UID }, { "gid", PAX_GID },
	};
	/* They say nothing of what is extracted where, or only times, which images drop. */
	static const char *const harmless[] = {
		"mtime", "atime", "ctime", "uname", "gname", "hdrcharset", "comment", "LIBARCHIVE.creationtime",
		"SCHILY.dev", "SCHILY.ino", "SCHILY.nlink",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (key_is(key, nkey, names[i].key))
			return set_text(f, names[i].which, value, n, err);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (key_is(key, nkey, numbers[i].key))
			return set_number(f, numbers[i].which, value, n, err);
	if (key_is(key, nkey, "mtime"))
		set_time(f, value, n);
	if (key_is(key, nkey, "uname") || key_is(key, nkey, "gname"))
		set_owner(f, key[0] == 'u' ? PAX_UNAME : PAX_GNAME, value, n);
	for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
		if (key_is(key, nkey, harmless[i]))
			return 0;
	char shown[SHOW_SIZE];
	if (tolerant)
		return 0;
	return err_set(err, ERR_UNVERIFIED, 0, "extended header: keyword '%s', which no layer of glovebox may have",
		       show_name(key, nkey, shown));
}

/** Parses one "LENGTH KEY=VALUE\n" at @p s and says how long it was. */
static int parse_record(struct pax_fields *f, const char *s, size_t n, bool tolerant, size_t *ret_len, struct err *err)
{
	uint64_t len;
	size_t digits = decimal(s, n, &len);

	if (digits == 0 || len > n || len < digits + 4 || s[digits] != ' ' || s[len - 1] != '\n')
		return bad(err, "a record of a wrong length");
	const char *key = s + digits + 1;
	const char *end = s + len - 1;
	const char *equals = memchr(key, '=', (size_t)(end - key));
	if (equals == NULL || equals == key)
		return bad(err, "a record without a keyword");
	*ret_len = (size_t)len;
	return set_record(f, key, (size_t)(equals - key), equals + 1, (size_t)(end - equals - 1), tolerant, err);
}

int pax_parse(struct pax_fields *f, const struct buf *content, bool tolerant, struct err *err)
{
	unsigned records = 0;

	if (claim(f, PAX_HEADER, err) < 0)
		return -1;
	for (size_t at = 0, len = 0; at < content->len; at += len) {
		if (++records > UNTAR_RECORDS_MAX)
			return bad(err, "too many records");
		if (parse_record(f, content->data + at, content->len - at, tolerant, &len, err) < 0)
			return -1;
	}
	return 0;
}

int pax_gnu_name(struct pax_fields *f, enum pax_has which, const struct buf *content, struct err *err)
{
	size_t n = content->len;

	/* GNU tar counts the closing NUL, others do not write one. */
	if (content->data[n - 1] == '\0')
		n--;
	return set_text(f, which, content->data, n, err);
}

void pax_clear(struct pax_fields *f)
{
	f->has = 0;
}

void pax_free(struct pax_fields *f)
{
	buf_free(&f->path);
	buf_free(&f->link);
	buf_free(&f->uname);
	buf_free(&f->gname);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <string.h>

static const char *const type_names[] = { [TREE_DIR] = "dir", [TREE_FILE] = "file", [TREE_LINK] = "link" };

static void write_path(struct buf *out, const char *path)
{
	if (strcmp(path, ".") != 0)
		buf_adds(out, "./");
	text_mtree(out, path, strlen(path));
}

void tree_line_write(struct buf *out, const struct tree_entry *e)
{
	char hex[DIGEST_HEX_SIZE];

	write_path(out, e->path);
	buf_addf(out, " type=%s", type_names[e->type]);
	if (e->type != TREE_LINK)
		buf_addf(out, " mode=%04o", e->mode);
	if (e->uid != 0)
		buf_addf(out, " uid=%llu", (unsigned long long)e->uid);
	if (e->gid != 0)
		buf_addf(out, " gid=%llu", (unsigned long long)e->gid);
	if (e->type == TREE_FILE)
		buf_addf(out, " size=%llu sha256=%s", (unsigned long long)e->size, digest_hex(&e->digest, hex));
	if (e->type == TREE_LINK) {
		buf_adds(out, " link=");
		text_mtree(out, e->link, strlen(e->link));
	}
	buf_addc(out, '\n');
}

/** A word of a line, not NUL-terminated. */
struct word {
	const char *s;
	size_t n;
};

/** Takes the next word off the line. */
static bool next_word(struct word *line, struct word *ret)
{
	if (line->n == 0)
		return false;
	const char *end = memchr(line->s, ' ', line->n);
	ret->s = line->s;
	ret->n = end == NULL ? line->n : (size_t)(end - line->s);
	size_t taken = ret->n + (end != NULL);
	line->s += taken;
	line->n -= taken;
	return true;
}

static int octal(char c)
{
	return c >= '0' && c <= '7' ? c - '0' : -1;
}

/** Undoes text_mtree(). What it does not write, it may take: the caller compares. */
static bool decode(struct word w, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < w.n; i++) {
		int c = (unsigned char)w.s[i];

		if (c == '\\') {
			if (w.n - i < 4 || octal(w.s[i + 1]) < 0 || octal(w.s[i + 2]) < 0 || octal(w.s[i + 3]) < 0)
				return false;
			c = octal(w.s[i + 1]) << 6 | octal(w.s[i + 2]) << 3 | octal(w.s[i + 3]);
			i += 3;
		}
		if (c == 0 || c > 255)
			return false;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	return len > 0;
}

static bool number(struct word w, unsigned base, uint64_t *ret)
{
	uint64_t v = 0;

	if (w.n == 0)
		return false;
	for (size_t i = 0; i < w.n; i++) {
		unsigned digit = (unsigned char)w.s[i] - (unsigned)'0';

		if (digit >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
			return false;
	}
	*ret = v;
	return true;
}

static bool parse_type(struct word w, enum tree_type *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(type_names); i++)
		if (w.n == strlen(type_names[i]) && memcmp(w.s, type_names[i], w.n) == 0) {
			*ret = (enum tree_type)i;
			return true;
		}
	return false;
}

static bool parse_mode(struct word w, unsigned *ret)
{
	uint64_t v;

	if (w.n != 4 || !number(w, 8, &v))
		return false;
	*ret = (unsigned)v;
	return true;
}

static bool parse_sha256(struct word w, struct digest *ret)
{
	char hex[DIGEST_HEX_SIZE];

	if (w.n != sizeof hex - 1)
		return false;
	memcpy(hex, w.s, w.n);
	hex[w.n] = '\0';
	return digest_parse_hex(hex, ret);
}

/** Whether @p w is "KEY=…"; leaves the value in it. */
static bool takes(struct word *w, const char *key)
{
	size_t n = strlen(key);

	if (w->n <= n || memcmp(w->s, key, n) != 0 || w->s[n] != '=')
		return false;
	w->s += n + 1;
	w->n -= n + 1;
	return true;
}

static bool parse_keyword(struct word w, struct tree_line *text, struct tree_entry *e)
{
	if (takes(&w, "type"))
		return parse_type(w, &e->type);
	if (takes(&w, "mode"))
		return parse_mode(w, &e->mode);
	if (takes(&w, "uid"))
		return number(w, 10, &e->uid);
	if (takes(&w, "gid"))
		return number(w, 10, &e->gid);
	if (takes(&w, "size"))
		return number(w, 10, &e->size);
	if (takes(&w, "sha256"))
		return parse_sha256(w, &e->digest);
	if (!takes(&w, "link"))
		return false;
	e->link = text->link;
	return decode(w, text->link);
}

bool tree_line_parse(const char *line, size_t n, struct tree_line *text, struct tree_entry *ret)
{
	struct word rest = { line, n }, w;
	struct tree_entry e = { .path = text->path };

	if (n >= TREE_LINE_MAX || !next_word(&rest, &w) || !decode(w, text->path))
		return false;
	if (text_starts(text->path, "./"))
		e.path = text->path + 2;
	else if (strcmp(text->path, ".") != 0)
		return false;
	while (next_word(&rest, &w))
		if (!parse_keyword(w, text, &e))
			return false;
	if (e.type == TREE_LINK && e.link == NULL)
		return false;
	*ret = e;
	return true;
}

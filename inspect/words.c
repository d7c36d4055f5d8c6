/* SPDX-License-Identifier: Apache-2.0 */
/* Which cause makes two strings differ: by the word that differs, and by what stands before it. */
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "inspect/cause.h"

/** Words of one line that are put in order. */
#define LINE_WORDS_MAX 4096
/** Longest way to write a time. */
#define TIME_BYTES 40
/** Bytes before a word that may say what it is. */
#define KEY_BYTES 32

/** Two strings and what differs: [from, ends) of each. */
struct pair {
	struct words a, b;
	size_t from, a_to, b_to;
};

/** A word of each, with what stands before them. */
struct word_pair {
	struct words a, b;
	char key[KEY_BYTES + 1];   /* lower case */
};

static bool ends_word(char c)
{
	return isspace((unsigned char)c) || (c != '\0' && strchr("\"'`<>()[]{},;=|", c) != NULL) || c == '\0';
}

static struct pair trim(struct words a, struct words b)
{
	struct pair p = { .a = a, .b = b };
	size_t n = a.n < b.n ? a.n : b.n, back = 0;

	while (p.from < n && a.s[p.from] == b.s[p.from])
		p.from++;
	while (back < n - p.from && a.s[a.n - back - 1] == b.s[b.n - back - 1])
		back++;
	p.a_to = a.n - back;
	p.b_to = b.n - back;
	return p;
}

/** The word around [from, to), and whether it is one only. */
static bool word_around(struct words w, size_t from, size_t to, struct words *ret)
{
	size_t start = from, end = to;
	bool one = true;

	for (size_t i = from; i < to; i++)
		one = one && !ends_word(w.s[i]);
	while (start > 0 && !ends_word(w.s[start - 1]))
		start--;
	while (end < w.n && !ends_word(w.s[end]))
		end++;
	*ret = (struct words){ w.s + start, end - start };
	return one;
}

static struct word_pair pair_of(struct words line, struct words a, struct words b)
{
	struct word_pair p = { .a = a, .b = b };
	size_t before = (size_t)(a.s - line.s), n = before < KEY_BYTES ? before : KEY_BYTES;

	for (size_t i = 0; i < n; i++)
		p.key[i] = (char)tolower((unsigned char)line.s[before - n + i]);
	return p;
}

/* ---- what a word is ------------------------------------------------------------------- */

static bool key_has(const struct word_pair *p, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		if (strstr(p->key, *keys) != NULL)
			return true;
	return false;
}

static bool contains(struct words w, const char *text)
{
	return memmem(w.s, w.n, text, strlen(text)) != NULL;
}

static size_t count(struct words w, int (*is)(int))
{
	size_t n = 0;

	for (size_t i = 0; i < w.n; i++)
		n += is((unsigned char)w.s[i]) != 0;
	return n;
}

static bool is_uuid(struct words w)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t at = 0;

	for (; at + sizeof form - 1 <= w.n; at++) {
		size_t i = 0;

		while (form[i] != '\0' && (form[i] == '-' ? w.s[at + i] == '-' : isxdigit((unsigned char)w.s[at + i])))
			i++;
		if (form[i] == '\0')
			return true;
	}
	return false;
}

static bool is_cpu_feature(struct words w)
{
	static const char *const features[] = {
		"sse3", "ssse3", "sse4_1", "sse4_2", "sse4.1", "sse4.2", "sse4a", "avx", "avx2", "fma", "fma3", "f16c", "bmi1", "bmi2", "aes", "sha_ni",
		"popcnt", "vaes", "neon", "asimd", "sve", "sve2", "crc32", "adx", "movbe", "rdrand", "rdseed", "pclmulqdq", "gfni", "amx_tile",
	};
	size_t skip = w.n > 0 && strchr("+-", w.s[0]) != NULL;

	if (w.n > 2 && w.s[0] == '-' && w.s[1] == 'm')
		skip = 2;
	w = (struct words){ w.s + skip, w.n - skip };
	if (w.n > 6 && strncasecmp(w.s, "avx512", 6) == 0)
		return true;
	if (w.n == 9 && strncmp(w.s, "x86-64-v", 8) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(features); i++)
		if (w.n == strlen(features[i]) && strncasecmp(w.s, features[i], w.n) == 0)
			return true;
	return false;
}

static bool is_host_like(struct words w)
{
	for (size_t i = 0; i < w.n; i++)
		if (!isalnum((unsigned char)w.s[i]) && strchr(".-_", w.s[i]) == NULL)
			return false;
	return w.n > 0 && w.n <= 253 && count(w, isalpha) > 0;
}

/** Digits with dots between them, maybe a letter before and a revision behind. */
static bool is_version_like(struct words w, size_t *ret_dots)
{
	size_t dots = 0, odd = 0;

	for (size_t i = 0; i < w.n; i++) {
		if (w.s[i] == '.' && i > 0 && isdigit((unsigned char)w.s[i - 1]) && i + 1 < w.n && isdigit((unsigned char)w.s[i + 1]))
			dots++;
		odd += !isalnum((unsigned char)w.s[i]) && strchr(".-+~:_", w.s[i]) == NULL;
	}
	*ret_dots = dots;
	return dots > 0 && odd == 0;
}

/* ---- causes of a word -------------------------------------------------------------------- */

static enum cause by_seed(const struct word_pair *p)
{
	static const char *const keys[] = { "seed", "random", "nonce", "uuid", "guid", NULL };

	return key_has(p, keys) && count(p->a, isdigit) > 0 && count(p->b, isdigit) > 0 ? CAUSE_RANDOM : CAUSE_NONE;
}

static enum cause by_locale(const struct word_pair *p)
{
	static const char *const keys[] = { "lang=", "lc_", "locale", "charset", "lang:", "language", NULL };
	size_t commas = 0;

	if (key_has(p, keys))
		return CAUSE_LOCALE;
	if (p->a.n != p->b.n || count(p->a, isdigit) == 0)
		return CAUSE_NONE;
	/* 3.14 and 3,14. A comma ends a word, so this is asked of lines, too. */
	for (size_t i = 0; i < p->a.n; i++) {
		char x = p->a.s[i], y = p->b.s[i];

		if (x != y && !((x == '.' && y == ',') || (x == ',' && y == '.')))
			return CAUSE_NONE;
		commas += x != y;
	}
	return commas > 0 ? CAUSE_LOCALE : CAUSE_NONE;
}

static enum cause by_cpu(const struct word_pair *p)
{
	static const char *const keys[] = { "march=", "mtune=", "mcpu=", "target-cpu", "goamd64", "model name", NULL };

	if (key_has(p, keys) || (is_cpu_feature(p->a) && is_cpu_feature(p->b)))
		return CAUSE_CPU;
	return CAUSE_NONE;
}

static enum cause by_owner_or_host(const struct word_pair *p)
{
	static const char *const hosts[] = { "host", "nodename", "machine", "built on", "compiled on", "uname -n", "fqdn", NULL };
	static const char *const owners[] = { "user", "owner", "uid=", "gid=", "uid:", "gid:", "packager", "built by", "built-by", "compiled by", "builder",
					      "login", "logname", NULL };
	const char *x = memchr(p->a.s, '@', p->a.n), *y = memchr(p->b.s, '@', p->b.n);

	if (x != NULL && y != NULL && x != p->a.s && y != p->b.s && x + 1 < p->a.s + p->a.n) {
		size_t n = (size_t)(x - p->a.s);
		struct words host_a = { x + 1, p->a.n - n - 1 }, host_b = { y + 1, p->b.n - (size_t)(y - p->b.s) - 1 };

		if (host_a.n != host_b.n || memcmp(host_a.s, host_b.s, host_a.n) != 0)
			return is_host_like(host_a) && is_host_like(host_b) ? CAUSE_HOST : CAUSE_NONE;
		return CAUSE_OWNER;
	}
	if (key_has(p, hosts) && is_host_like(p->a) && is_host_like(p->b))
		return CAUSE_HOST;
	if (key_has(p, owners) && memchr(p->a.s, '/', p->a.n) == NULL)
		return CAUSE_OWNER;
	return CAUSE_NONE;
}

/** A file's name that a program drew: ccAbC123.o of gcc, tmpab12cd34 of Python. */
static bool is_drawn_name(struct words w)
{
	const char *slash = memrchr(w.s, '/', w.n), *name = slash == NULL ? w.s : slash + 1;
	size_t n = w.n - (size_t)(name - w.s), stem = 0;

	while (stem < n && isalnum((unsigned char)name[stem]))
		stem++;
	if (n > 2 && strncmp(name, "cc", 2) == 0)
		return stem == 8 && (stem == n || name[stem] == '.');
	return n > 3 && strncmp(name, "tmp", 3) == 0 && (stem == 11 || (name[3] == '_' && n == 11));
}

/** Two absolute paths. */
static enum cause by_path(const struct word_pair *p)
{
	const char *x = memchr(p->a.s, '/', p->a.n), *y = memchr(p->b.s, '/', p->b.n);

	if (x == NULL || y == NULL || contains(p->a, "://") || contains(p->b, "://"))
		return CAUSE_NONE;
	struct words a = { x, p->a.n - (size_t)(x - p->a.s) }, b = { y, p->b.n - (size_t)(y - p->b.s) };
	if (is_drawn_name(a) && is_drawn_name(b))
		return CAUSE_RANDOM;
	/* What stands in front ("-I", "./") is the same, and both lead down at least two directories. */
	if (x - p->a.s != y - p->b.s || memcmp(p->a.s, p->b.s, (size_t)(x - p->a.s)) != 0)
		return CAUSE_NONE;
	if (memchr(a.s + 1, '/', a.n - 1) == NULL || memchr(b.s + 1, '/', b.n - 1) == NULL)
		return CAUSE_NONE;
	/* A slash within a word makes a relative path, unless the word is an option, as -I/usr/include, or a list. */
	return x == p->a.s || p->a.s[0] == '-' || x[-1] == ':' ? CAUSE_BUILD_PATH : CAUSE_NONE;
}

static enum cause by_version(const struct word_pair *p)
{
	static const char *const keys[] = { "version", "gcc", "clang", "release", "rustc", "python", "node", "npm", "go1", "compiler", "ld ",
					    "binutils", "software", "generator", "creator", "producer", "built with", NULL };
	size_t x, y, name = 0;

	if (!is_version_like(p->a, &x) || !is_version_like(p->b, &y))
		return CAUSE_NONE;
	/* Two versions of one thing, not two things. */
	while (name < p->a.n && !isdigit((unsigned char)p->a.s[name]))
		name++;
	if (name >= p->b.n || !isdigit((unsigned char)p->b.s[name]) || memcmp(p->a.s, p->b.s, name) != 0)
		return CAUSE_NONE;
	/* 0.53 may be seconds or a share; 1.2.3 and v1.2 are versions. */
	bool letter = isalpha((unsigned char)p->a.s[0]) && isalpha((unsigned char)p->b.s[0]);
	return (x > 1 && y > 1) || letter || key_has(p, keys) ? CAUSE_VERSION : CAUSE_NONE;
}

/** How many hex digits there are around the first byte that differs. */
static size_t hex_around(struct words w, size_t at, size_t *ret_start)
{
	size_t start = at, end = at;

	while (start > 0 && isxdigit((unsigned char)w.s[start - 1]))
		start--;
	while (end < w.n && isxdigit((unsigned char)w.s[end]))
		end++;
	*ret_start = start;
	return end - start;
}

static bool is_digest_length(size_t n)
{
	/* 38: a build id in the name of its debugging symbols, less the first two digits, which name a directory. */
	return n == 32 || n == 38 || n == 40 || n == 56 || n == 64 || n == 96 || n == 128;
}

static enum cause by_drawn(const struct word_pair *p)
{
	struct pair at = trim(p->a, p->b);
	size_t start_a, start_b, differing = 0;
	size_t n = hex_around(p->a, at.from, &start_a), m = hex_around(p->b, at.from, &start_b);

	if (is_uuid(p->a) && is_uuid(p->b))
		return CAUSE_RANDOM;
	if (n > 8 && m > 8 && start_a >= 2 && start_a == start_b && strncmp(p->a.s + start_a - 2, "0x", 2) == 0)
		return CAUSE_RANDOM;
	/* A digest of something that differs is no cause, unless it has a random UUID's version and variant. */
	if (n == 32 && m == 32)
		return p->a.s[start_a + 12] == '4' && p->b.s[start_b + 12] == '4' && strchr("89ab", p->a.s[start_a + 16]) != NULL &&
		       strchr("89ab", p->b.s[start_b + 16]) != NULL ? CAUSE_RANDOM : CAUSE_NONE;
	if (n != m || start_a != start_b || n < 8 || is_digest_length(n))
		return CAUSE_NONE;
	struct words x = { p->a.s + start_a, n }, y = { p->b.s + start_b, n };
	for (size_t i = 0; i < n; i++)
		differing += x.s[i] != y.s[i];
	if (differing * 2 < n)
		return CAUSE_NONE;
	/* Sixteen digits of a number between 0 and 1. */
	if (count(x, isdigit) == n && n < 14)
		return CAUSE_NONE;
	return count(x, isdigit) > 0 && count(y, isdigit) > 0 ? CAUSE_RANDOM : CAUSE_NONE;
}

static enum cause by_elapsed(const struct word_pair *p)
{
	static const char *const keys[] = { "elapsed", "took ", "duration", "finished in", "done in", "time:", "time=", NULL };

	return key_has(p, keys) && count(p->a, isdigit) > 0 && count(p->b, isdigit) > 0 ? CAUSE_TIMESTAMP : CAUSE_NONE;
}

static enum cause cause_of_word(const struct word_pair *p)
{
	static enum cause (*const questions[])(const struct word_pair *) = {
		by_seed, by_elapsed, by_locale, by_cpu, by_owner_or_host, by_path, by_version, by_drawn,
	};
	enum cause c = CAUSE_NONE;

	for (size_t i = 0; c == CAUSE_NONE && i < ARRAY_LEN(questions); i++)
		c = questions[i](p);
	return c;
}

/* ---- lines ------------------------------------------------------------------------------- */

static size_t split(struct words w, struct words *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < w.n && n < max; ) {
		size_t start;

		while (i < w.n && ends_word(w.s[i]))
			i++;
		for (start = i; i < w.n && !ends_word(w.s[i]); )
			i++;
		if (i > start)
			out[n++] = (struct words){ w.s + start, i - start };
	}
	return n;
}

static int by_bytes(const void *a, const void *b)
{
	const struct words *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = memcmp(x->s, y->s, n);

	return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

/** Both lines' words, each row owned by the caller. -1: too many, or no memory, and then nothing is known. */
static int split_both(struct words a, struct words b, struct words **ret_a, size_t *ret_n, struct words **ret_b, size_t *ret_m)
{
	*ret_a = calloc(LINE_WORDS_MAX, sizeof **ret_a);
	*ret_b = calloc(LINE_WORDS_MAX, sizeof **ret_b);
	if (*ret_a == NULL || *ret_b == NULL)
		return -1;
	*ret_n = split(a, *ret_a, LINE_WORDS_MAX);
	*ret_m = split(b, *ret_b, LINE_WORDS_MAX);
	return *ret_n == LINE_WORDS_MAX || *ret_m == LINE_WORDS_MAX ? -1 : 0;
}

enum cause cause_of_word_order(struct words a, struct words b)
{
	auto_free struct words *x = NULL;
	auto_free struct words *y = NULL;
	size_t n, m;

	if (a.n != b.n || split_both(a, b, &x, &n, &y, &m) < 0 || n != m || n < 2)
		return CAUSE_NONE;
	qsort(x, n, sizeof *x, by_bytes);
	qsort(y, m, sizeof *y, by_bytes);
	for (size_t i = 0; i < n; i++)
		if (by_bytes(&x[i], &y[i]) != 0)
			return CAUSE_NONE;
	return CAUSE_HASH_ORDER;
}

/** Whether all that one side has more of are features of a processor. */
static bool only_features(const struct words *x, size_t n, const struct words *y, size_t m)
{
	size_t i = 0, j = 0;

	while (i < n || j < m) {
		if (i < n && j < m && by_bytes(&x[i], &y[j]) == 0) {
			i++;
			j++;
		} else if (n > m ? i >= n || !is_cpu_feature(x[i++]) : j >= m || !is_cpu_feature(y[j++])) {
			return false;
		}
	}
	return true;
}

/** The cause that two words of two lines show. */
static enum cause of_nth(struct words a, struct words b, struct words x, struct words y)
{
	struct word_pair p = pair_of(a, x, y);
	struct pair d = trim(x, y);
	size_t at_a = (size_t)(x.s - a.s), at_b = (size_t)(y.s - b.s);

	if (by_seed(&p) == CAUSE_NONE && times_overlap(a, at_a + d.from, at_a + d.a_to) && times_overlap(b, at_b + d.from, at_b + d.b_to))
		return CAUSE_TIMESTAMP;
	return cause_of_word(&p);
}

/** Of several words that differ each is asked, if there are as many on either side. Two lines that have little in common are two lines, not one
 *  that was made twice: then every word that differs must have a cause. */
static cause_set of_several(struct words a, struct words b)
{
	auto_free struct words *x = NULL;
	auto_free struct words *y = NULL;
	cause_set found = 0;
	size_t n, m, same = 0;

	if (split_both(a, b, &x, &n, &y, &m) < 0)
		return 0;
	if (n != m)
		return only_features(x, n, y, m) ? CAUSE_SET(CAUSE_CPU) : 0;
	for (size_t i = 0; i < n; i++) {
		if (by_bytes(&x[i], &y[i]) == 0)
			same++;
		else
			found |= CAUSE_SET(of_nth(a, b, x[i], y[i]));
	}
	return same * 2 < n && (found & CAUSE_SET(CAUSE_NONE)) ? 0 : found & ~CAUSE_SET(CAUSE_NONE);
}

/** One side has typographic quotes where the other has ASCII's, as messages do by locale; or the same letters in another encoding. */
static enum cause by_letters(struct words a, struct words b)
{
	size_t i = 0, j = 0, quotes = 0, encoded = 0;

	while (i < a.n && j < b.n) {
		unsigned char x = (unsigned char)a.s[i], y = (unsigned char)b.s[j];
		size_t nx = text_utf8_len(a.s + i, a.n - i), ny = text_utf8_len(b.s + j, b.n - j);

		if (x == y) {
			i++;
			j++;
		} else if ((x == 0xe2 && nx == 3 && strchr("'`\"", y) != NULL && y != 0) || (y == 0xe2 && ny == 3 && strchr("'`\"", x) != NULL && x != 0)) {
			i += x == 0xe2 ? 3 : 1;
			j += y == 0xe2 ? 3 : 1;
			quotes++;
		} else if ((nx == 2 && ny == 0) || (nx == 0 && ny == 2)) {
			i += nx == 2 ? 2 : 1;
			j += ny == 2 ? 2 : 1;
			encoded++;
		} else {
			return CAUSE_NONE;
		}
	}
	return i == a.n && j == b.n && quotes + encoded > 0 ? CAUSE_LOCALE : CAUSE_NONE;
}

/** What is seen by the strings as a whole. */
static enum cause of_whole(struct words a, struct words b)
{
	enum cause c = by_letters(a, b);

	if (c == CAUSE_NONE && a.n == b.n)
		c = by_locale(&(struct word_pair){ .a = a, .b = b });
	return c == CAUSE_NONE ? cause_of_word_order(a, b) : c;
}

cause_set cause_of_words(struct words a, struct words b)
{
	struct pair p = trim(a, b);
	struct words x, y;
	cause_set found = 0;

	if (p.from == a.n && p.from == b.n)
		return 0;
	bool one_in_a = word_around(a, p.from, p.a_to, &x), one_in_b = word_around(b, p.from, p.b_to, &y), one = one_in_a && one_in_b;
	struct word_pair word = pair_of(a, x, y);
	if (one && by_seed(&word) != CAUSE_NONE)
		return CAUSE_SET(CAUSE_RANDOM);
	enum cause c = of_whole(a, b);
	if (c != CAUSE_NONE)
		return CAUSE_SET(c);
	if (!one)
		found = of_several(a, b);
	if (found == 0 && p.a_to - p.from <= TIME_BYTES && p.b_to - p.from <= TIME_BYTES && times_overlap(a, p.from, p.a_to) && times_overlap(b, p.from, p.b_to))
		found = CAUSE_SET(CAUSE_TIMESTAMP);
	if (found == 0 && one)
		found = CAUSE_SET(cause_of_word(&word)) & ~CAUSE_SET(CAUSE_NONE);
	return found;
}

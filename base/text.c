/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/** 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
#define TIME_FIRST (-62167219200)
#define TIME_LAST 253402300799

/** Longest word that spelling help is given for. */
#define SPELL_MAX 63

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/** Damerau-Levenshtein distance (optimal string alignment); both at most SPELL_MAX long. */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	size_t row[3][SPELL_MAX + 1];

	for (size_t j = 0; j <= lb; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *now = row[i % 3], *up = row[(i + 2) % 3], *upup = row[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			now[j] = min3(up[j] + 1, now[j - 1] + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    upup[j - 2] + 1 < now[j])
				now[j] = upup[j - 2] + 1;
		}
	}
	return row[la % 3][lb];
}

const char *text_did_you_mean(const char *word, const char *const *words)
{
	const char *best = NULL;
	size_t len = strlen(word);
	size_t best_distance = 1 + len / 4 + 1;

	if (len > SPELL_MAX)
		return NULL;
	for (; *words != NULL; words++) {
		if (strlen(*words) > SPELL_MAX)
			continue;
		size_t d = distance(word, *words);
		/* A "slip" that replaces the whole word is no slip. */
		if (d < best_distance && d < len) {
			best = *words;
			best_distance = d;
		}
	}
	return best;
}

bool text_path_is_clean(const char *path)
{
	const char *p = path;

	for (;;) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (p[n] == '\0')
			return true;
		p += n + 1;
	}
}

bool text_path_is_absolute(const char *path)
{
	return path[0] == '/' && (path[1] == '\0' || text_path_is_clean(path + 1));
}

bool text_path_is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return path[0] == '/';
	return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

const char *text_path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/** isalnum() of the C locale, whatever the locale. */
static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool text_is_name(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > 100 || !is_alnum(name[0]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_alnum(name[i]) && strchr("._-", name[i]) == NULL)
			return false;
	return true;
}

void text_words(struct buf *out, const char *const *words, const char *word)
{
	for (size_t i = 0; words[i] != NULL; i++) {
		if (i > 0 && words[i + 1] == NULL)
			buf_addf(out, " %s ", word);
		else if (i > 0)
			buf_adds(out, ", ");
		buf_adds(out, words[i]);
	}
}

void text_mtree(struct buf *out, const char *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = data[i];

		if (is_alnum(c) || (c != '\0' && strchr("._/+,@%:~-", c) != NULL))
			buf_addc(out, c);
		else
			buf_addf(out, "\\%03o", (unsigned char)c);
	}
}

void text_shell(struct buf *out, const char *s)
{
	size_t plain = 0;

	while (is_alnum(s[plain]) || (s[plain] != '\0' && strchr("._/+,@%:=-", s[plain]) != NULL))
		plain++;
	if (plain > 0 && s[plain] == '\0') {
		buf_adds(out, s);
		return;
	}
	buf_addc(out, '\'');
	for (; *s != '\0'; s++)
		buf_adds(out, *s == '\'' ? "'\\''" : (char[]){ *s, '\0' });
	buf_addc(out, '\'');
}

size_t text_utf8_len(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t len;

	if (n == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	len = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	/* Over-long forms, surrogates, and what lies past U+10FFFF. */
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return len;
}

bool text_is_utf8(const char *s)
{
	size_t left = strlen(s), n = 1;

	for (; left > 0 && n > 0; left -= n, s += n)
		n = text_utf8_len(s, left);
	return n > 0;
}

size_t text_control_len(const char *s, size_t n)
{
	if (n == 0)
		return 0;
	if ((unsigned char)s[0] < 0x20 || s[0] == 0x7f)
		return 1;
	return n > 1 && (unsigned char)s[0] == 0xc2 && (s[1] & 0xe0) == 0x80 ? 2 : 0;
}

void text_printable(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; ) {
		size_t len = text_utf8_len(s + i, n - i);
		size_t raw = len == 0 ? 1 : text_control_len(s + i, n - i);

		if (raw == 0)
			buf_add(out, s + i, len);
		for (size_t k = 0; k < raw; k++)
			buf_addf(out, "\\%03o", (unsigned char)s[i + k]);
		i += raw == 0 ? len : raw;
	}
}

void text_brief(struct buf *out, const char *s, size_t n, size_t max)
{
	auto_buf all = {0};
	size_t at = 0, len;

	text_printable(&all, s, n);
	if (all.failed) {
		out->failed = true;
		return;
	}
	while (at < all.len && at + (len = text_utf8_len(all.data + at, all.len - at)) <= max)
		at += len;
	buf_add(out, all.data, at);
	if (at < all.len)
		buf_adds(out, "...");
}

/** Parses digits at *s; moves *s past them. Not a number, or over 64 bits: false. */
static bool parse_digits(const char **s, uint64_t *ret)
{
	uint64_t v = 0;
	const char *p = *s;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return false;
	*s = p;
	*ret = v;
	return true;
}

bool text_parse_size(const char *s, uint64_t *ret)
{
	static const struct {
		const char *suffix;
		uint64_t factor;
	} units[] = {
		{ "", 1 }, { "k", 1000 }, { "M", 1000000 }, { "G", 1000000000 }, { "T", 1000000000000 },
		{ "Ki", 1ull << 10 }, { "Mi", 1ull << 20 }, { "Gi", 1ull << 30 }, { "Ti", 1ull << 40 },
	};
	uint64_t v;

	if (!parse_digits(&s, &v))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strcmp(s, units[i].suffix) != 0)
			continue;
		if (__builtin_mul_overflow(v, units[i].factor, &v))
			return false;
		*ret = v;
		return true;
	}
	return false;
}

bool text_parse_cpus(const char *s, uint64_t *ret_millis)
{
	uint64_t whole, millis = 0;
	unsigned scale = 1000;

	if ((s[0] == '0' && s[1] != '.') || !parse_digits(&s, &whole) || whole > 9999)
		return false;
	if (*s == '.' && s[1] != '\0')
		for (s++; *s >= '0' && *s <= '9' && scale > 1; s++)
			millis += (uint64_t)(*s - '0') * (scale /= 10);
	millis += whole * 1000;
	if (*s != '\0' || millis < 10)
		return false;
	*ret_millis = millis;
	return true;
}

/** Moves *s past a unit of time; 0 when there is none. A bare number counts seconds. */
static uint64_t duration_unit(const char **s)
{
	static const struct {
		const char *suffix;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };

	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (text_starts(*s, units[i].suffix)) {
			*s += strlen(units[i].suffix);
			return units[i].ms;
		}
	return 0;
}

bool text_parse_duration(const char *s, uint64_t *ret_ms)
{
	uint64_t total = 0, last = UINT64_MAX;

	do {
		uint64_t v, unit;
		bool first = last == UINT64_MAX;

		if (!parse_digits(&s, &v))
			return false;
		if (first && *s == '\0')
			unit = 1000;
		else
			unit = duration_unit(&s);
		/* Units come once each, largest first: "1h30m". */
		if (unit == 0 || unit >= last || __builtin_mul_overflow(v, unit, &v) ||
		    __builtin_add_overflow(total, v, &total))
			return false;
		last = unit;
	} while (*s != '\0');
	*ret_ms = total;
	return true;
}

bool text_starts(const char *a, const char *prefix)
{
	return strncmp(a, prefix, strlen(prefix)) == 0;
}

char *text_time(int64_t t, char out[32])
{
	struct tm tm;
	time_t when = t < TIME_FIRST ? TIME_FIRST : t > TIME_LAST ? TIME_LAST : t;

	gmtime_r(&when, &tm);
	/* %Y does not pad. */
	snprintf(out, 5, "%04u", (unsigned)(tm.tm_year + 1900) % 10000);
	strftime(out + 4, 28, "-%m-%dT%H:%M:%SZ", &tm);
	return out;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and times in texts, as programs write them. */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "inspect/cause.h"

/** Seconds since 1970 that are taken for a time: from 2000 on, in 10 digits. */
#define SECONDS_DIGITS 10
#define SECONDS_FIRST 946684800ull
#define SECONDS_LAST 4294967295ull

static bool digit_at(struct words w, size_t at)
{
	return at < w.n && w.s[at] >= '0' && w.s[at] <= '9';
}

static bool is_at(struct words w, size_t at, char c)
{
	return at < w.n && w.s[at] == c;
}

/** The number of @p digits digits at @p at; -1: there are fewer. */
static long number(struct words w, size_t at, size_t digits)
{
	long v = 0;

	for (size_t i = 0; i < digits; i++) {
		if (!digit_at(w, at + i))
			return -1;
		v = v * 10 + (w.s[at + i] - '0');
	}
	return v;
}

/** 09:10, 09:10:11, and a fraction. */
static size_t match_clock(struct words w, size_t at)
{
	size_t hours = digit_at(w, at + 1) ? 2 : 1, n = hours + 3;
	long h = number(w, at, hours), m = is_at(w, at + hours, ':') ? number(w, at + hours + 1, 2) : -1;

	if (h < 0 || h > 23 || m < 0 || m > 59 || digit_at(w, at + n))
		return 0;
	if (is_at(w, at + n, ':')) {
		long s = number(w, at + n + 1, 2);

		if (s < 0 || s > 60 || digit_at(w, at + n + 3))
			return 0;
		n += 3;
	} else if (is_at(w, at + n, ':') || (at > 0 && w.s[at - 1] == ':')) {
		/* A line and a column. */
		return 0;
	}
	if (n >= 7 && (is_at(w, at + n, '.') || is_at(w, at + n, ',')) && digit_at(w, at + n + 1))
		for (n++; digit_at(w, at + n); n++)
			;
	return n;
}

/** 2026-11-25, 2026/11/25, 20261125, and a clock behind it (T09:10:11Z, -091011). */
static size_t match_date(struct words w, size_t at)
{
	long y = number(w, at, 4);
	size_t sep = at + 4 < w.n && strchr("-/.:", w.s[at + 4]) != NULL && w.s[at + 4] != '\0' ? 1 : 0;
	long m = number(w, at + 4 + sep, 2), d = number(w, at + 6 + 2 * sep, 2);
	size_t n = 8 + 2 * sep;

	if (y < 1980 || y > 2106 || m < 1 || m > 12 || d < 1 || d > 31 || (sep == 1 && w.s[at + 7] != w.s[at + 4]))
		return 0;
	if (sep == 0 && number(w, at + n, 6) >= 0 && !digit_at(w, at + n + 6))
		return n + 6;
	if (digit_at(w, at + n))
		return 0;
	if (at + n < w.n && strchr("T -_", w.s[at + n]) != NULL && w.s[at + n] != '\0') {
		size_t clock = match_clock(w, at + n + 1);

		if (clock == 0 && number(w, at + n + 1, 6) >= 0 && !digit_at(w, at + n + 7))
			clock = 6;
		n += clock == 0 ? 0 : clock + 1;
	}
	return n;
}

/** Three letters at @p at that are one of those in @p names; else -1. */
static int name_at(struct words w, size_t at, const char *names)
{
	if (at + 3 > w.n)
		return -1;
	for (int i = 0; names[i] != '\0'; i += 3)
		if (strncasecmp(names + i, w.s + at, 3) == 0)
			return i / 3;
	return -1;
}

#define MONTHS "JanFebMarAprMayJunJulAugSepOctNovDec"
#define DAYS "MonTueWedThuFriSatSun"

/** "Nov 25 2026" as __DATE__ has it, "Nov 25 09:10:11 2026", "Wed Nov 25". */
static size_t match_month(struct words w, size_t at)
{
	size_t n = 0;

	if (name_at(w, at, DAYS) >= 0) {
		n = 3 + is_at(w, at + 3, ',');
		n += is_at(w, at + n, ' ');
	}
	/* RFC 5322 has the day in front of the month. */
	if (n > 0 && digit_at(w, at + n)) {
		n += digit_at(w, at + n + 1) ? 2 : 1;
		n += is_at(w, at + n, ' ');
	}
	if (name_at(w, at + n, MONTHS) < 0 || at + n + 3 >= w.n || isalpha((unsigned char)w.s[at + n + 3]))
		return 0;
	for (n += 3; at + n < w.n && (w.s[at + n] == ' ' || w.s[at + n] == ':' || digit_at(w, at + n)); n++)
		;
	return digit_at(w, at + n - 1) || (n > 0 && w.s[at + n - 1] == ' ') ? n : 0;
}

/** Seconds, milliseconds or nanoseconds since 1970. */
static size_t match_seconds(struct words w, size_t at)
{
	size_t n = 0;
	unsigned long long v = 0;

	for (; digit_at(w, at + n); n++)
		if (n < SECONDS_DIGITS)
			v = v * 10 + (unsigned long long)(w.s[at + n] - '0');
	if (n != SECONDS_DIGITS && n != SECONDS_DIGITS + 3 && n != SECONDS_DIGITS + 9)
		return 0;
	if (is_at(w, at + n, '.') && digit_at(w, at + n + 1))
		for (n++; digit_at(w, at + n); n++)
			;
	return v >= SECONDS_FIRST && v <= SECONDS_LAST ? n : 0;
}

size_t times_match(struct words w, size_t at)
{
	static size_t (*const forms[])(struct words, size_t) = { match_date, match_clock, match_month, match_seconds };
	unsigned char c = at < w.n ? (unsigned char)w.s[at] : 0;
	unsigned char before = at > 0 ? (unsigned char)w.s[at - 1] : ' ';

	/* A time is no part of a word; behind the T of a date, its clock is found with it. */
	if (!isalnum(c) || (isdigit(c) && isalnum(before)) || (isalpha(c) && isalpha(before)))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		size_t n = forms[i](w, at);

		if (n > 0 && (at + n >= w.n || !isdigit((unsigned char)w.s[at + n])))
			return n;
	}
	return 0;
}

bool times_overlap(struct words w, size_t from, size_t to)
{
	/* The longest form has some 40 bytes. */
	size_t at = from > 48 ? from - 48 : 0;

	while (at < w.n && at < to + (from == to)) {
		size_t n = times_match(w, at);

		if (n > 0 && at + n > from - (from == to && from > 0))
			return true;
		at += n > 0 ? n : 1;
	}
	return false;
}

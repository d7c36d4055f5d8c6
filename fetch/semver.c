/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/semver.h"

#include <stddef.h>
#include <string.h>

#define DIGITS "0123456789"

/** Longest of the three numbers. */
#define NUMBER_DIGITS 10

bool semver_ok(const char *s)
{
	if (strlen(s) > SEMVER_MAX)
		return false;
	for (int i = 0; i < 3; i++) {
		size_t n = strspn(s, DIGITS);

		if (n == 0 || n > NUMBER_DIGITS || (n > 1 && s[0] == '0') || (i < 2 && s[n] != '.'))
			return false;
		s += n + (i < 2);
	}
	if (*s != '\0' && *s != '-' && *s != '+')
		return false;
	return s[strspn(s, DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-+")] == '\0';
}

/** Two runs of digits by their value, whatever their length. */
static int compare_numbers(const char *a, size_t an, const char *b, size_t bn)
{
	for (; an > 1 && *a == '0'; a++)
		an--;
	for (; bn > 1 && *b == '0'; b++)
		bn--;
	if (an != bn)
		return an < bn ? -1 : 1;
	return strncmp(a, b, an);
}

/** One identifier of a pre-release: numbers by value and below words, words bytewise. */
static int compare_identifiers(const char *a, size_t an, const char *b, size_t bn)
{
	bool a_number = strspn(a, DIGITS) >= an, b_number = strspn(b, DIGITS) >= bn;

	if (a_number && b_number)
		return compare_numbers(a, an, b, bn);
	if (a_number != b_number)
		return a_number ? -1 : 1;
	int c = strncmp(a, b, an < bn ? an : bn);
	return c != 0 ? c : (an > bn) - (an < bn);
}

/** What stands behind the three numbers, less what is behind a +. A version without any is the higher. */
static int compare_prereleases(const char *a, const char *b)
{
	if (*a != '-' || *b != '-')
		return (*b == '-') - (*a == '-');
	for (;;) {
		size_t an = strcspn(++a, ".+"), bn = strcspn(++b, ".+");
		int c = compare_identifiers(a, an, b, bn);

		a += an;
		b += bn;
		if (c != 0 || *a != '.' || *b != '.')
			return c != 0 ? c : (*a == '.') - (*b == '.');
	}
}

int semver_compare(const char *a, const char *b)
{
	const char *x = a, *y = b;

	for (int i = 0; i < 3; i++) {
		size_t n = strspn(x, DIGITS), m = strspn(y, DIGITS);
		int c = compare_numbers(x, n, y, m);

		if (c != 0)
			return c;
		x += n + (i < 2);
		y += m + (i < 2);
	}
	int c = compare_prereleases(x, y);
	return c != 0 ? c : strcmp(a, b);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/ref.h"

#include <string.h>

/** A host label of RFC 1123, of @p n bytes. */
static bool host_label(const char *s, size_t n)
{
	if (n == 0 || n > 63 || !is_alnum(s[0]) || !is_alnum(s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_alnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

bool ref_hostname(const char *s, size_t n)
{
	for (;;) {
		const char *dot = memchr(s, '.', n);
		size_t len = dot != NULL ? (size_t)(dot - s) : n;

		if (!host_label(s, len))
			return false;
		if (dot == NULL)
			return true;
		s += len + 1;
		n -= len + 1;
	}
}

/** One component of a repository's path: lower-case words with single separators (OCI distribution-spec v1.1). */
static bool repo_part(const char *s, size_t n)
{
	size_t i = 0;

	for (;;) {
		size_t word = i;

		while (i < n && (is_lower(s[i]) || is_digit(s[i])))
			i++;
		if (i == word)
			return false;
		if (i == n)
			return true;
		if (s[i] == '-') {
			while (i < n && s[i] == '-')
				i++;
		} else if (s[i] == '.') {
			i++;
		} else if (s[i] == '_') {
			i += i + 1 < n && s[i + 1] == '_' ? 2 : 1;
		} else {
			return false;
		}
	}
}

/** HOST[:PORT], of @p n bytes. */
static bool repo_host(const char *s, size_t n)
{
	const char *colon = memchr(s, ':', n);
	size_t host = colon != NULL ? (size_t)(colon - s) : n;
	size_t digits = n - host;

	if (colon != NULL) {
		if (digits < 2 || digits > 6)
			return false;
		for (size_t i = host + 1; i < n; i++)
			if (!is_digit(s[i]))
				return false;
	}
	return ref_hostname(s, host);
}

bool ref_repository(const char *s, size_t n)
{
	bool first = true;

	for (;;) {
		const char *slash = memchr(s, '/', n);
		size_t len = slash != NULL ? (size_t)(slash - s) : n;

		if (!repo_part(s, len) && !(first && slash != NULL && repo_host(s, len)))
			return false;
		if (slash == NULL)
			return true;
		first = false;
		s += len + 1;
		n -= len + 1;
	}
}

bool ref_tag(const char *s)
{
	bool first = true;

	if (*s == '\0')
		return false;
	for (; *s != '\0'; first = false) {
		if (*s == '{') {
			size_t n = 1;

			while (is_alpha(s[n]) || (n > 1 && s[n] == '.'))
				n++;
			if (n == 1 || s[n] != '}')
				return false;
			s += n + 1;
		} else if (is_alnum(*s) || *s == '_' || (!first && (*s == '.' || *s == '-'))) {
			s++;
		} else {
			return false;
		}
	}
	return true;
}

/** HOST, [IPv6] and a port behind either; gives the number of its bytes, or 0. */
static size_t url_host(const char *s)
{
	size_t n = 0, digits;

	if (s[0] == '[') {
		n = 1 + strspn(s + 1, "0123456789abcdefABCDEF:.");
		if (n == 1 || s[n++] != ']')
			return 0;
	} else {
		while (is_alnum(s[n]) || s[n] == '.' || s[n] == '_' || s[n] == '-')
			n++;
	}
	if (n == 0 || s[n] != ':')
		return n;
	digits = strspn(s + n + 1, "0123456789");
	return digits >= 1 && digits <= 5 ? n + 1 + digits : 0;
}

bool ref_url(const char *s)
{
	bool file = strncmp(s, "file://", 7) == 0;
	const char *rest = file ? s + 7 : strncmp(s, "https://", 8) == 0 ? s + 8 : strncmp(s, "http://", 7) == 0 ? s + 7 : NULL;

	if (rest == NULL)
		return false;
	size_t host = file ? (strncmp(rest, "localhost/", 10) == 0 ? 9 : 0) : url_host(rest);
	if ((!file && host == 0) || (file && rest[host] != '/') || (rest[host] != '\0' && strchr("/?#", rest[host]) == NULL))
		return false;
	for (rest += host; *rest != '\0'; rest++)
		if (*rest <= ' ' || *rest > '~')
			return false;
	return true;
}

bool ref_git_name(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || !is_alnum(s[0]) || s[n - 1] == '/' || s[n - 1] == '.' || strstr(s, "..") != NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_alnum(s[i]) && strchr("._/+-", s[i]) == NULL)
			return false;
		/* No component is empty, begins with '.' or ends in ".lock". */
		if (s[i] == '/' && (s[i + 1] == '/' || s[i + 1] == '.'))
			return false;
		if (strncmp(s + i, ".lock", 5) == 0 && (s[i + 5] == '/' || s[i + 5] == '\0'))
			return false;
	}
	return true;
}

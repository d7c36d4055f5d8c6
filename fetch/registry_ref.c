/* SPDX-License-Identifier: Apache-2.0 */
/* References to images (distribution's reference grammar), and the maps that lead them elsewhere. */
#include <errno.h>
#include <string.h>

#include "fetch/registry.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

#define HOST_MAX 255
#define PATH_MAX_LEN 255
#define TAG_MAX 128

void registry_ref_clear(struct registry_ref *ref)
{
	free(ref->host);
	free(ref->path);
	free(ref->tag);
	*ref = (struct registry_ref){0};
}

static bool is_made_of(const char *s, size_t n, const char *chars)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] == '\0' || strchr(chars, s[i]) == NULL)
			return false;
	return true;
}

/** A name, an IPv4 address, or an IPv6 address in brackets; and a port. */
static bool is_host(const char *s, size_t n)
{
	const char *close = s[0] == '[' ? memchr(s, ']', n) : NULL;
	size_t name = close != NULL ? (size_t)(close + 1 - s) : 0;

	if (n > HOST_MAX || (s[0] == '[' && (close == NULL || !is_made_of(s + 1, name - 2, DIGITS "abcdefABCDEF:."))))
		return false;
	if (close == NULL) {
		const char *colon = memchr(s, ':', n);

		name = colon != NULL ? (size_t)(colon - s) : n;
		if (name == 0 || s[0] == '-' || s[0] == '.' || !is_made_of(s, name, LOWER UPPER DIGITS "-."))
			return false;
	}
	return name == n || (s[name] == ':' && n - name > 1 && n - name <= 6 && is_made_of(s + name + 1, n - name - 1, DIGITS));
}

/** Whether it is meant as a host: else "library/thing" would be looked for on a host "library". */
static bool names_host(const char *s, size_t n)
{
	return memchr(s, '.', n) != NULL || memchr(s, ':', n) != NULL || (n == 9 && memcmp(s, "localhost", 9) == 0);
}

/** One component: lower-case letters and digits, parted by one of "." "_" "__" or any number of "-". */
static bool is_component(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t word = strspn(s + i, LOWER DIGITS), sep;

		if (word == 0)
			return false;
		i += word;
		if (i >= n)
			return i == n;
		sep = s[i] == '-' ? strspn(s + i, "-") : strncmp(s + i, "__", 2) == 0 ? 2 : s[i] == '.' || s[i] == '_' ? 1 : 0;
		if (sep == 0)
			return false;
		i += sep;
	}
	return false;
}

static bool is_path(const char *s)
{
	if (strlen(s) > PATH_MAX_LEN)
		return false;
	for (;;) {
		size_t n = strcspn(s, "/");

		if (!is_component(s, n))
			return false;
		if (s[n] == '\0')
			return true;
		s += n + 1;
	}
}

static bool is_tag(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= TAG_MAX && s[0] != '.' && s[0] != '-' && is_made_of(s, n, LOWER UPPER DIGITS "_.-");
}

/** Cuts digest and tag off the end of @p rest, what stands after the host. */
static int split(char *rest, const char *text, struct registry_ref *r, struct err *err)
{
	char *at = strchr(rest, '@'), *colon;

	if (at != NULL) {
		*at = '\0';
		r->pinned = true;
		if (!digest_parse(at + 1, &r->digest))
			return err_set(err, ERR_USAGE, 0, "'%.300s': after the @ there must be sha256: and 64 hex digits in lower case", text);
	}
	colon = strrchr(rest, ':');
	if (colon != NULL) {
		*colon = '\0';
		if (!is_tag(colon + 1))
			return err_set(err, ERR_USAGE, 0, "'%.300s': '%.130s' cannot be a tag ([A-Za-z0-9_][A-Za-z0-9._-]{0,127})", text,
				       colon + 1);
		r->tag = strdup(colon + 1);
		if (r->tag == NULL)
			return err_set(err, ERR_INTERNAL, ENOMEM, "reference");
	}
	if (!is_path(rest))
		return err_set(err, ERR_USAGE, 0, "'%.300s': '%.260s' cannot be a repository (lower-case letters and digits, parted by / or by "
			       "single . _ or -)", text, rest);
	return 0;
}

int registry_ref_parse(const char *text, struct registry_ref *ret, struct err *err)
{
	auto_registry_ref r = {0};
	size_t n = strcspn(text, "/");

	if (text[n] != '/' || !names_host(text, n) || !is_host(text, n))
		return err_set(err, ERR_USAGE, 0, "'%.300s': write it as HOST/REPOSITORY[:TAG][@sha256:…], with the registry's host first "
			       "(registry.example.com/app:1.0)", text);
	r.host = strndup(text, n);
	r.path = strdup(text + n + 1);
	if (r.host == NULL || r.path == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "reference");
	if (split(r.path, text, &r, err) < 0)
		return -1;
	*ret = r;
	r = (struct registry_ref){0};
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ref.h
 * Names of hosts (RFC 1123) and of images (OCI distribution-spec v1.1), and the
 * character classes they are made of: those of the C locale, whatever the locale.
 */
#ifndef GB_SPEC_REF_H
#define GB_SPEC_REF_H

#include <stdbool.h>
#include <stddef.h>

static inline bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_alpha(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static inline bool is_alnum(char c)
{
	return is_alpha(c) || is_digit(c);
}

/** Host labels with dots between, in the @p n bytes at @p s. */
bool ref_hostname(const char *s, size_t n);

/** [HOST[:PORT]/]NAME[/NAME…] without tag or digest, in the @p n bytes at @p s. */
bool ref_repository(const char *s, size_t n);

/** A tag, of which parts may be placeholders such as {git.sha}. */
bool ref_tag(const char *s);

/** Whether @p s is a URL that a source may have: https:, http: or file:, without user information, of printable ASCII. */
bool ref_url(const char *s);

/** Whether @p s names a branch or tag as git-check-ref-format(1) allows, in letters, digits and "._/+-". */
bool ref_git_name(const char *s);

#endif

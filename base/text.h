/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file text.h
 * Small questions about strings: names, paths, spelling, printable form.
 */
#ifndef GB_TEXT_H
#define GB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/** The nearest of @p words (NULL-terminated) to @p word, or NULL when none is near
 *  enough to be a slip of the pen (Damerau-Levenshtein distance ≤ 1 + length/4). Borrowed. */
const char *text_did_you_mean(const char *word, const char *const *words);

/** Whether @p path is relative, not empty, and has no empty, "." or ".." component. */
bool text_path_is_clean(const char *path);

/** Whether @p path is absolute and clean after its first slash ("/" itself is). */
bool text_path_is_absolute(const char *path);

/** Whether @p path is @p dir or lies below it. Both absolute and clean, or both relative and clean: nothing is resolved. */
bool text_path_is_below(const char *path, const char *dir);

/** The last component of @p path: what stands after its last slash. Borrowed from @p path. */
const char *text_path_name(const char *path);

/** Whether @p name can name a thing in the store or a step: [A-Za-z0-9][A-Za-z0-9._-]{0,99}. */
bool text_is_name(const char *name);

/** Appends "a, b WORD c" of the NULL-terminated @p words. */
void text_words(struct buf *out, const char *const *words, const char *word);

/** Appends @p n bytes with everything outside [A-Za-z0-9._/+,@%:~-] as \ooo (mtree(5)). */
void text_mtree(struct buf *out, const char *data, size_t n);

/** Appends @p s as one word of a POSIX shell: as it is where nothing in it means something, else in quotes. */
void text_shell(struct buf *out, const char *s);

/** Appends @p s for a terminal: control characters and invalid UTF-8 as \ooo. */
void text_printable(struct buf *out, const char *s, size_t n);

/** The same, but no more than @p max bytes of it, in whole characters: then "..." tells that there is more. For names within a line. */
void text_brief(struct buf *out, const char *s, size_t n, size_t max);

/** Length in bytes of the control character at @p s, or 0: C0, DEL, and in UTF-8 the C1 controls
 *  (U+0080..U+009F), which drive terminals too. */
size_t text_control_len(const char *s, size_t n);

/** Length in bytes of the UTF-8 sequence at @p s, or 0 when it is not valid (RFC 3629). */
size_t text_utf8_len(const char *s, size_t n);

/** Whether all of @p s is valid UTF-8. */
bool text_is_utf8(const char *s);

/** Parses "10", "2Ki", "64Mi", "1Gi", "3Ti" (bytes; also k, M, G, T as powers of 1000). @return whether it was one. */
bool text_parse_size(const char *s, uint64_t *ret);

/** Parses a number of processors, "2" or "0.5", from "0.01" to "9999.999", with at most three decimals,
 *  into thousandths.
 *  @return whether it was one. */
bool text_parse_cpus(const char *s, uint64_t *ret_millis);

/** Parses a duration "250ms", "90s", "10m", "2h", "1h30m" or a bare number of seconds, into milliseconds. */
bool text_parse_duration(const char *s, uint64_t *ret_ms);

/** Whether @p a starts with @p prefix. */
bool text_starts(const char *a, const char *prefix);

/** Writes @p t as RFC 3339 in UTC with whole seconds ("1980-01-01T00:00:00Z"); returns @p out.
 *  What lies outside the years 0000 to 9999, which that form cannot say, becomes their first or last second. */
char *text_time(int64_t t, char out[32]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file json.h
 * JSON (RFC 8259) by jansson, with the two rules of this program: input with
 * duplicate keys or trailing text is refused, and bytes that are hashed or
 * signed come from json_canonical() alone.
 */
#ifndef GB_JSON_H
#define GB_JSON_H

#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/** Largest document json_parse() accepts: 64 MiB. jansson itself bounds depth at 2048. */
#define JSON_INPUT_MAX (64u << 20)
/** Most values (members, elements) in it: jansson takes up to 200 bytes for two of text, "{}". */
#define JSON_VALUES_MAX (2u << 20)

static inline void own_json(json_t **j)
{
	json_decref(*j);
}
/** `auto_json j = NULL;`: json_decref at scope end. */
#define auto_json __attribute__((cleanup(own_json))) json_t *

/** Parses one whole document: an object or an array. Besides duplicate keys and trailing text, a
 *  NUL in a string (\u0000: C strings would end there and compare equal), integers over 64 bits
 *  and reals beyond a double are refused. @p what names it in errors, which are of kind @p kind.
 *  @return 0 and a new reference, or -1. */
int json_parse(const char *data, size_t n, const char *what, enum err_kind kind, json_t **ret, struct err *err);
/** That, or json_parse_apart(). */
typedef int json_parse_fn(const char *data, size_t n, const char *what, enum err_kind kind, json_t **ret, struct err *err);

/** Depth of a row of values: no document of a registry's or an image's comes near, and each level is a call. */
#define JSON_ROW_DEPTH_MAX 200

/** The same for a document from outside: jansson reads it in a confined child (confine.h), and this process sees values alone. At most
 *  JSON_ROW_DEPTH_MAX deep. Costs about a millisecond. ERR_HOST where this host cannot confine. @p data may be NULL where @p n is 0. */
int json_parse_apart(const char *data, size_t n, const char *what, enum err_kind kind, json_t **ret, struct err *err);

/** Values in the form in which a confined child says them (json_row.c): appends @p j, which json_from_row() reads again, without a parser that
 *  is worth attacking, whatever bytes they are. */
void json_to_row(const json_t *j, struct buf *out);
/** @return 0 and a new reference, or -1: an object or an array, at most 200 deep. */
int json_from_row(const char *data, size_t n, json_t **ret);

/** Appends the canonical form: keys sorted bytewise, no white space, UTF-8 unescaped, no newline at the end.
 *  On failure the content of @p out is as it was (json_pretty() too). */
int json_canonical(const json_t *j, struct buf *out, struct err *err);

/** Appends the form for people: two spaces of indent, sorted keys, one newline at the end. */
int json_pretty(const json_t *j, struct buf *out, struct err *err);

/** An array of the first @p n strings of a list, or of those before a NULL. NULL: memory is short, or one is not UTF-8. */
json_t *json_strings(const char *const *list, size_t n);

/** The string member @p key of an object, or NULL when it is absent or no string. Borrowed. */
const char *json_str(const json_t *object, const char *key);

/** A string value from bytes that may not be UTF-8 (names, paths, logs): every byte of an
 *  invalid sequence and every control character (C1 too) becomes `\ooo`, a backslash `\134`: no two
 *  byte strings give the same value.
 *  @return a new reference, or NULL when memory is short. */
json_t *json_bytes(const char *data, size_t n);

#endif

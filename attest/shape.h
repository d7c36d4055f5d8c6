/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file shape.h
 * Questions about the shape of untrusted JSON. Every refusal is ERR_UNVERIFIED
 * and names the place, "predicate.runDetails: …". What is found is borrowed.
 */
#ifndef GB_ATTEST_SHAPE_H
#define GB_ATTEST_SHAPE_H

#include "base/base.h"

/** Bytes of a hostile string that a message shows. */
#define SHAPE_SHOWN 100

/** Parses @p n bytes that must be the canonical form of what they say (json_canonical()),
 *  followed by exactly @p newlines newlines: one document, one byte string. */
int shape_parse_canonical(const char *text, size_t n, size_t newlines, const char *what, json_t **ret, struct err *err);

/** The member @p name of @p object, which must be there and of type @p type. */
int shape_member(const json_t *object, const char *name, json_type type, const char *where,
		 const json_t **ret, struct err *err);

/** The same for a member that may be absent: NULL then. */
int shape_optional(const json_t *object, const char *name, json_type type, const char *where,
		   const json_t **ret, struct err *err);

/** A string member that is not empty. */
int shape_string(const json_t *object, const char *name, const char *where, const char **ret, struct err *err);

/** A string member that must be exactly @p value. */
int shape_equals(const json_t *object, const char *name, const char *value, const char *where, struct err *err);

/** Refuses members whose names are not in @p names (NULL-terminated). */
int shape_only(const json_t *object, const char *const *names, const char *where, struct err *err);

#endif

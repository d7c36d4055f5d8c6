/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file licence.h
 * Names of licences, as packages write them, as SPDX licence expressions (SPDX 2.3, annex D). Private to inspect/.
 *
 * What is no expression of known identifiers becomes one "LicenseRef-…" that is made of the words themselves: nothing is guessed.
 */
#ifndef GB_INSPECT_LICENCE_H
#define GB_INSPECT_LICENCE_H

#include "base/buf.h"

/** Longest text that is taken for a licence's name: longer ones are the licence itself. */
#define LICENCE_TEXT_MAX 512
/** What a name begins with that is not on SPDX's list. */
#define LICENCE_REF "LicenseRef-"

/** Whose words they are. */
enum licence_words {
	LICENCE_SPDX,        /**< meant to be SPDX's own: npm, cargo, apk, rpm, License-Expression */
	LICENCE_DEBIAN,      /**< short names of machine-readable copyright files: "GPL-2+ or Artistic, and Expat" */
	LICENCE_CLASSIFIER,  /**< Python's: "License :: OSI Approved :: MIT License" */
};

/** Appends the expression, or nothing where @p text is none (empty, or too long). Ask buf_check() for failure. */
void licence_expression(const char *text, enum licence_words words, struct buf *out);
/** SPDX's identifier for @p name whatever its case, static, or NULL. */
const char *licence_id(const char *name, size_t n);
/** Whether all of @p s is made of what an expression is made of: letters, digits, ".-+() :". */
bool licence_is_plain(const char *s);
/** Whether an expression, outside of parentheses, is "A OR B". */
bool licence_is_choice(const char *expression);
/** Whether @p s is one identifier of SPDX's alone. */
bool licence_is_id(const char *s);

#endif

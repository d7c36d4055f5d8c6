/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pieces.h
 * What two byte strings say: the lines of texts, the strings of binaries, and which of them differ. Private to inspect/.
 */
#ifndef GB_INSPECT_PIECES_H
#define GB_INSPECT_PIECES_H

#include "inspect/node.h"

/** Most bytes of one side that are taken apart. */
#define PIECES_BYTES (8u << 20)
/** Most lines or strings of one side. */
#define PIECES_MAX 100000u
/** Shortest string of a binary. */
#define PIECES_STRING_MIN 4

/** Whether what begins so is a text. */
bool pieces_is_text(const char *data, size_t n);
/** Compares lines (@p text) or strings of the first PIECES_BYTES, puts those that differ into @p node, and their causes. */
int pieces_compare(struct look *l, json_t *node, const struct slice *a, const struct slice *b, bool text, struct err *err);

#endif

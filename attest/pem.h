/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pem.h
 * Textual encoding of keys (PEM), the strict grammar of RFC 7468 only: one
 * block, lines of 64 characters, line ends LF or CRLF, no headers; around the
 * block nothing but white space.
 */
#ifndef GB_ATTEST_PEM_H
#define GB_ATTEST_PEM_H

#include <stddef.h>

#include "base/base.h"

/** Longest label read ("ENCRYPTED PRIVATE KEY" has 21). */
#define PEM_LABEL_MAX 40

/** A block that was read. The bytes may be secret: pem_clear() wipes them. */
struct pem {
	char label[PEM_LABEL_MAX + 1];
	struct buf der;
};

/** Wipes and frees. */
void pem_clear(struct pem *pem);
#define auto_pem __attribute__((cleanup(pem_clear))) struct pem

/** The label of the block that @p text begins with, "" for none. */
void pem_label(const char *text, size_t n, char label[PEM_LABEL_MAX + 1]);

/** Reads the one block in @p text. @p what names the file; every refusal is ERR_USAGE. */
int pem_read(const char *text, size_t n, const char *what, struct pem *ret, struct err *err);

/** Appends a block. Grows @p out at most once, so that no copy of a secret stays in freed memory. */
void pem_write(const char *label, const void *der, size_t n, struct buf *out);

#endif

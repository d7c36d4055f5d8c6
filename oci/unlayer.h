/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file unlayer.h
 * Reads a layer's blob once: hashes the stored bytes and, on request, decompresses
 * them as they pass, hashes the tar and checks every entry. Private to oci/.
 */
#ifndef GB_OCI_UNLAYER_H
#define GB_OCI_UNLAYER_H

#include "oci/oci.h"
#include "oci/rules.h"
#include "oci/slice.h"

/** Reads the layer in @p blob to its last byte in bounded memory: decompresses it
 *  (plain.h), checks its entries with @p rules, and fills all of @p ret from the bytes.
 *  What is wrong with it is ERR_UNVERIFIED. The caller compares the digests. */
int unlayer(struct slice blob, enum oci_compression codec, struct rules *rules, struct oci_blob *ret, struct err *err);
/** The same for a layer that somebody else vouches for: its entries are only remembered (rules_note()). */
int unlayer_kept(struct slice blob, enum oci_compression codec, struct rules *rules, struct oci_blob *ret, struct err *err);
/** The same, its entries handed to @p fn. */
typedef int unlayer_entry(void *arg, const struct untar_entry *e, struct err *err);
int unlayer_each(struct slice blob, enum oci_compression codec, unlayer_entry *fn, void *arg, struct oci_blob *ret, struct err *err);

#endif

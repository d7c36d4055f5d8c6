/* SPDX-License-Identifier: Apache-2.0 */
/** @file show.h Names from outside, for error messages. Private to oci/. */
#ifndef GB_OCI_SHOW_H
#define GB_OCI_SHOW_H

#include <stddef.h>

/** Bytes of a name that are shown; the reason must stay in sight behind a path of 4,095 bytes. */
#define SHOW_MAX 120
/** Room for them, each as \ooo, and an ellipsis. */
#define SHOW_SIZE (4 * SHOW_MAX + 8)

/** Writes @p name printably, cut where it is long; returns @p out. */
const char *show_name(const char *name, size_t n, char out[SHOW_SIZE]);

#endif

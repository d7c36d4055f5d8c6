/* SPDX-License-Identifier: Apache-2.0 */
/** @file licence_ids.h  The list of licence.c. */
#ifndef GB_INSPECT_LICENCE_IDS_H
#define GB_INSPECT_LICENCE_IDS_H

#include <stddef.h>

extern const char *const licence_ids[];
extern const size_t licence_ids_n;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file platform.h
 * What an image is for, compared and in words. Private to oci/.
 */
#ifndef GB_OCI_PLATFORM_H
#define GB_OCI_PLATFORM_H

#include <stdbool.h>

#include "oci/foreign.h"

/** Room for three words, two slashes and NUL. */
#define PLATFORM_SIZE 100

/** "linux/arm64/v8", with "?" for what is not said. @return @p out. */
const char *platform_text(const struct oci_platform *p, char out[PLATFORM_SIZE]);

/** Whether operating system and architecture are the same. */
bool platform_same_machine(const struct oci_platform *a, const struct oci_platform *b);

/** Whether the variant is so, too: the architecture's usual one where none is said. */
bool platform_same(const struct oci_platform *a, const struct oci_platform *b);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/** @file space.h What supervise.c needs of a space: its namespaces. Borrowed descriptors. */
#ifndef GB_SANDBOX_SPACE_H
#define GB_SANDBOX_SPACE_H

#include "sandbox/sandbox.h"

int space_userns(const struct sandbox_space *space);
int space_mntns(const struct sandbox_space *space);

#endif

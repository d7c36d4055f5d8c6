/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file limit.h
 * The limits by number: names, defaults, and which of them a command has run into. Private to sandbox/.
 */
#ifndef GB_SANDBOX_LIMIT_H
#define GB_SANDBOX_LIMIT_H

#include "sandbox/sandbox.h"

/** sandbox_limit_of(), which is on every other line here. */
static inline uint64_t limit_of(const struct sandbox_limits *limits, enum sandbox_limit which)
{
	return sandbox_limit_of(limits, which);
}

#endif

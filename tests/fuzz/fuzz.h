/* SPDX-License-Identifier: Apache-2.0 */
/** @file fuzz.h What every fuzzer is (libFuzzer), and how it says that a promise is broken. */
#ifndef GB_FUZZ_H
#define GB_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/** Tries one input. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Ends the fuzzer, with the input kept, where @p condition does not hold. */
#define MUST(condition) \
	do {            \
		if (!(condition)) \
			abort(); \
	} while (0)

#endif

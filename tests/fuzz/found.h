/* SPDX-License-Identifier: Apache-2.0 */
/** @file found.h What fuzzers of readers of packages do before and after them. */
#ifndef GB_FUZZ_FOUND_H
#define GB_FUZZ_FOUND_H

#include "inspect/pkg_apart.h"
#include "tests/fuzz/fuzz.h"

/** Adds plain files. */
static inline void found_files(struct contents *c, const char *const *paths, size_t n)
{
	struct err err = {0};

	for (size_t i = 0; i < n; i++) {
		const struct tree_entry e = { .type = TREE_FILE };

		MUST(contents_add(c, &e, paths[i], 0, &err) == 0);
	}
}

/** What was found is an answer that the process which asked believes: @p ret, for packages_clear(). */
static inline void found_believe(struct pkg_found *f, struct packages *ret)
{
	struct err err = {0};
	auto_buf answer = {0};

	MUST(pkg_finish(f, &err) == 0 && pkg_answer(f, &answer, &err) == 0);
	MUST(pkg_believe(answer.data, answer.len, f->contents->n, ret, &err) == 0);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pkg_apart.h
 * Reading what tells of packages in a confined process. Private to inspect/.
 */
#ifndef GB_INSPECT_PKG_APART_H
#define GB_INSPECT_PKG_APART_H

#include "inspect/pkg.h"

/** A file that is to be read. */
struct pkg_text {
	size_t at;               /**< its place in the contents */
	enum pkg_format format;
	struct slice bytes;      /**< in one of the descriptors that are handed over */
};

/** Puts them in the order that the readers count on: by format. */
void pkg_sort_texts(struct pkg_text *texts, size_t n);

/** Reads @p texts, in their order, and gives what they tell. @p fds: what their bytes lie in. */
int pkg_find_apart(const struct contents *c, const struct pkg_text *texts, size_t n, const int *fds, size_t nfds, struct packages *ret,
		   struct err *err);

/** The same in this very process, which is confined itself: @p f has begun. */
int pkg_read_texts(struct pkg_found *f, const struct pkg_text *texts, size_t n, struct err *err);
/** Finds all packages of @p c (laid), whose files' contents lie at @p bytes, one for each place, in this very process. @p f has begun. */
int pkg_find_here(const struct contents *c, const struct slice *bytes, struct pkg_found *f, struct err *err);
/** Notes why a file was not read, unless there are PACKAGE_NOTES_MAX notes. */
int pkg_note(struct pkg_found *f, size_t file, const char *why, struct err *err);

/** Appends the confined process's answer. */
int pkg_answer(const struct pkg_found *f, struct buf *out, struct err *err);
/** Takes an answer of whatever wrote it, about @p nfiles files: numbers that are none of theirs, texts that are too long, and all else that
 *  pkg_answer() does not write are ERR_INPUT. */
int pkg_believe(const char *answer, size_t n, size_t nfiles, struct packages *ret, struct err *err);

#endif

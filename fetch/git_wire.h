/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file git_wire.h
 * What the confined reader of a commit (git_read.h) tells the process that started it: a row for each thing in it, a struct git_wire
 * and what that says follows:
 *
 *     the path           within the commit
 *     the more           of a link its target, of a submodule its url, empty where .gitmodules has none
 *     the content        of a file; then GIT_WIRE_SOUND, once it has the hash that the commit wants
 *
 * The receiver believes none of it: a reader taken over by what it read can say nothing that another commit could not. Both ends are
 * the same program: numbers are as memory has them. Private to fetch/.
 */
#ifndef GB_FETCH_GIT_WIRE_H
#define GB_FETCH_GIT_WIRE_H

#include "fetch/git_object.h"

/** Longest url of a submodule. */
#define GIT_URL_MAX TREE_LINK_MAX
/** All files of a commit together. */
#define GIT_BYTES_MAX (16ull << 30)
/** Stands behind a file's content. */
#define GIT_WIRE_SOUND '+'

struct git_wire {
	uint32_t kind;            /**< enum git_kind */
	uint32_t path_len, more_len, zero;
	uint64_t size;            /**< of a file's content */
	struct git_name object;   /**< a submodule's commit */
};

/** A row that has been received. */
struct git_row {
	enum git_kind kind;
	char path[TREE_PATH_MAX + 1];
	char more[TREE_LINK_MAX + 1];
	uint64_t size;
	struct git_name object;
};

/** The next row of a commit's reader, whose content (of @c size bytes) is to be taken next. @return 1; 0 at the end; -1. */
int git_row_next(struct answer *a, struct git_row *ret, struct err *err);
/** After all of a file's content. */
int git_row_sound(struct answer *a, struct err *err);

#endif

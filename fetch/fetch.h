/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file fetch.h
 * fetch/: bytes from outside, by digest. For now: local directories.
 */
#ifndef GB_FETCH_H
#define GB_FETCH_H

#include "base/base.h"
#include "store/store.h"

/** A local directory to snapshot. Borrowed. */
struct fetch_local {
	const char *path;             /**< as opened, for messages */
	int dirfd;
	const char *const *exclude;   /**< NULL-terminated, .gitignore syntax, relative to the directory */
	bool gitignore;               /**< heed .gitignore files inside (gitignore(5)), and leave out .git at any level */
	const char *skip_dir;         /**< a clean relative path to leave out (the out directory), or NULL */
};

/**
 * Snapshots it in the sources' normal form; @p ret is the tree digest, @p ret_stats may be NULL. Brackets the reading with
 * ident_read_begin() itself. Special files are refused by name (ERR_INPUT).
 *
 * What is left out: @c skip_dir; with @c gitignore `.git` of any kind at any level; then the last matching pattern of @c exclude decides,
 * else that of the nearest .gitignore that has one. What lies below a directory left out cannot be brought back. Only .gitignore
 * files inside are read, no link of that name, none larger than 4 MiB (ERR_INPUT).
 */
int fetch_local(struct store *store, const struct fetch_local *from, struct digest *ret, struct snapshot_stats *ret_stats, struct err *err);

#endif

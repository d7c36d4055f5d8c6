/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file git_object.h
 * Objects of git (gitformat-*(5)): their names, and what commits, tags, trees and .gitmodules say. Pure parsers of bytes from
 * outside. Private to fetch/.
 */
#ifndef GB_FETCH_GIT_OBJECT_H
#define GB_FETCH_GIT_OBJECT_H

#include "fetch/fetch.h"

/** Largest commit or tag. */
#define GIT_TEXT_MAX (1u << 20)
/** Largest tree object: some 400,000 entries. */
#define GIT_TREE_MAX (16u << 20)
/** Largest .gitmodules, and most submodules in one. */
#define GIT_MODULES_MAX (256u << 10)
#define GIT_SUBMODULES_MAX 256
/** Largest time of a commit: the end of the year 9999. */
#define GIT_TIME_MAX 253402300799
/** Hex digits of the longest name, and NUL. */
#define GIT_NAME_SIZE 65

/** An object's name: 40 hex digits (SHA-1), or 64 (SHA-256), in lower case. */
struct git_name {
	char hex[GIT_NAME_SIZE];
};

/** Whether @p n bytes of @p s are a name. */
bool git_name_parse(const char *s, size_t n, struct git_name *ret);

/** Hashes an object as git does: "TYPE SIZE", NUL, content. */
struct git_hash;
/** @p like tells which hash: by the length of its name. */
int git_hash_begin(const struct git_name *like, const char *type, uint64_t size, struct git_hash **ret, struct err *err);
void git_hash_add(struct git_hash *h, const void *data, size_t n);
/** ERR_INPUT unless the content has the name @p want. */
int git_hash_check(struct git_hash *h, const struct git_name *want, struct err *err);
void git_hash_free(struct git_hash *h);
static inline void own_git_hash(struct git_hash **h)
{
	git_hash_free(*h);
}
#define auto_git_hash __attribute__((cleanup(own_git_hash))) struct git_hash *

/** What a commit says. */
struct git_commit {
	struct git_name tree;
	int64_t time;   /**< the committer's, in seconds since 1970 */
};
/** @p n bytes; names are of @p name_len digits. ERR_INPUT for what git-fsck(1) would not let pass either. */
int git_commit_parse(const char *data, size_t n, size_t name_len, struct git_commit *ret, struct err *err);

/** What an annotated tag names: an object and its type ("commit"). @p ret_type is borrowed from static text. */
int git_tag_parse(const char *data, size_t n, size_t name_len, struct git_name *ret, const char **ret_type, struct err *err);

enum git_kind { GIT_DIR, GIT_FILE, GIT_PROGRAM, GIT_LINK, GIT_SUBMODULE };

/** One entry of a tree. */
struct git_entry {
	enum git_kind kind;
	char name[TREE_NAME_MAX + 1];
	struct git_name object;
};
/** A tree being read. Borrows the bytes. */
struct git_tree {
	const char *data;
	size_t n, at, name_len;
};
/** @return 1 and an entry, 0 at the end, -1: ERR_INPUT. Refused: other modes; names that are empty, ".", "..", ".git" in any case, longer
 *  than TREE_NAME_MAX, or hold '/'. */
int git_tree_next(struct git_tree *t, struct git_entry *ret, struct err *err);

/** One submodule of a .gitmodules. */
struct git_module {
	char *path, *url;   /**< NULL: not said */
};
struct git_modules {
	struct git_module *v;
	size_t n;
};
void git_modules_clear(struct git_modules *m);
#define auto_git_modules __attribute__((cleanup(git_modules_clear))) struct git_modules
/** Reads the part of git-config(1)'s syntax that git itself writes there: sections, KEY = VALUE with quotes, comments. Includes
 *  and all but path and url are passed over; continued lines are refused (ERR_INPUT with the line). */
int git_modules_parse(const char *text, size_t n, struct git_modules *ret, struct err *err);
/** The url of the submodule at @p path, or NULL. Borrowed. */
const char *git_modules_url(const struct git_modules *m, const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file git_ask.h
 * Objects out of a repository, by git-cat-file(1) --batch-command, each hashed again. For confined readers (git_read.h): what git
 * says is outside bytes. Private to fetch/.
 */
#ifndef GB_FETCH_GIT_ASK_H
#define GB_FETCH_GIT_ASK_H

#include "fetch/git_object.h"

/** Objects of one repository, asked for one by one. */
struct git_objects {
	int in, out;                 /**< git's standard input and output */
	char buf[64 << 10];
	size_t at, n;                /**< what of it has not been taken */
};
/** Room for a type's name. */
#define GIT_TYPE_SIZE 21

/** Asks what @p name is. Nothing of its content follows. */
int git_objects_info(struct git_objects *o, const struct git_name *name, char ret_type[GIT_TYPE_SIZE], uint64_t *ret_size, struct err *err);
/** Asks for the content of @p name, which has to be of type @p type and at most @p max bytes: to be read next, all of it. After a
 *  failure no other can be asked for. */
int git_objects_want(struct git_objects *o, const struct git_name *name, const char *type, uint64_t max, uint64_t *ret_size,
		     struct err *err);
/** The next bytes of the content: at most @p n, at least one. */
int git_objects_read(struct git_objects *o, size_t n, const char **ret, size_t *ret_n, struct err *err);
/** After all of the content. */
int git_objects_end(struct git_objects *o, struct err *err);
/** All of it at once, its hash checked. @p max: at most GIT_TREE_MAX. */
int git_objects_get(struct git_objects *o, const struct git_name *name, const char *type, uint64_t max, struct buf *ret, struct err *err);

#endif

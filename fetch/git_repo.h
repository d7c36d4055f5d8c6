/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file git_repo.h
 * Repositories of our own making, in scratch: the only ones that git(1) works in. One takes in what is fetched; another lends its
 * name to somebody's objects directory. Private to fetch/.
 */
#ifndef GB_FETCH_GIT_REPO_H
#define GB_FETCH_GIT_REPO_H

#include "fetch/git_child.h"
#include "fetch/git_place.h"

/** Where the repositories of one piece of work are. */
struct git_work {
	struct store *store;
	const struct fetch_net *net;
	struct store_scratch *scratch;
	char *path;      /**< absolute, of the scratch */
	unsigned made;   /**< repositories in it */
};
int git_work_begin(struct store *store, const struct fetch_net *net, struct git_work *ret, struct err *err);
void git_work_end(struct git_work *w);
#define auto_git_work __attribute__((cleanup(git_work_end))) struct git_work

/** Where commits come from. */
struct git_origin {
	char *url;          /**< https: or http:, or the absolute path of a local repository */
	bool local;
	char *objects;      /**< local: its objects directory */
	bool read_all;      /**< local: the step user cannot read it, root can */
};
void git_origin_clear(struct git_origin *o);
#define auto_git_origin __attribute__((cleanup(git_origin_clear))) struct git_origin

/** Finds the origin that @p url, relative to @p dirfd where it is a path, names; checks that it may be asked. */
int git_origin_open(const struct git_work *w, int dirfd, const char *url, struct git_origin *ret, struct err *err);

/** That of a repository that is open already; @p url is for messages and for what is relative to it. */
int git_origin_of(const struct git_work *w, const struct git_place *place, const char *url, struct git_origin *ret, struct err *err);

/** Makes an empty repository for names like @p like, which sees the objects of a local @p from (or NULL) besides its own.
 *  @p ret_path: absolute; free. */
int git_repo_make(struct git_work *w, const struct git_name *like, const struct git_origin *from, char **ret_path, struct err *err);

/** Makes a repository and brings the commit @p commit of @p from into it, with its tree and without its history, checked by git.
 *  @p ret_path: absolute; free. */
int git_repo_fetch(struct git_work *w, const struct git_origin *from, const struct git_name *commit, char **ret_path,
		   struct err *err);

/** Starts git in the repository @p path, to be asked for objects by the readers of git_read.h; @p read_all as in struct git_child_conf. */
int git_repo_serve(struct git_work *w, const char *path, bool read_all, struct git_child *ret, struct err *err);

#endif

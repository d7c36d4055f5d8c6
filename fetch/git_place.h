/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file git_place.h
 * A repository on this machine, as files: where its objects lie, and what its refs say. Nothing of it is run, and no
 * configuration of it is read. Of its files this process reads those that are one line alone, each taken or refused as a
 * whole; packed-refs is for a confined reader. The caller brackets all of this with ident_read_begin(). Private to fetch/.
 */
#ifndef GB_FETCH_GIT_PLACE_H
#define GB_FETCH_GIT_PLACE_H

#include "fetch/git_object.h"

/** Largest packed-refs file. */
#define GIT_REFS_MAX (64u << 20)

/** An opened repository. */
struct git_place {
	int git;         /**< its directory (of a worktree, that one's own: HEAD lies there) */
	int common;      /**< where refs and objects are */
	char *objects;   /**< real path of the objects directory */
	bool has_packed; /**< @c packed has been read */
	struct buf packed; /**< what packed-refs holds, for git_ref_next() */
};
#define GIT_PLACE_NONE ((struct git_place){ .git = -1, .common = -1 })
void git_place_clear(struct git_place *p);
#define auto_git_place __attribute__((cleanup(git_place_clear))) struct git_place

/** Opens the repository at @p path: a checkout, a worktree, a bare one, or a .git directory. ERR_INPUT. */
int git_place_open(int dirfd, const char *path, struct git_place *ret, struct err *err);

/** Opens the one that the directory @p dirfd is a part of. */
int git_place_search(int dirfd, struct git_place *ret, struct err *err);

/** What the ref @p ref ("HEAD", "refs/heads/main") names: a commit, or an annotated tag. @return 1, 0: there is none, -1: ERR_INPUT. */
int git_place_ref(struct git_place *p, const char *ref, struct git_name *ret, struct err *err);

/** Calls @p fn for every tag directly below refs/tags/, by its bare name; one that is there loose and packed, for both. */
typedef int git_tag_fn(void *arg, const char *tag, const struct git_name *name, struct err *err);
int git_place_tags(struct git_place *p, git_tag_fn *fn, void *arg, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file git_read.h
 * What git says, and what refs files of somebody's repository hold, read by confined children (base/confine.h). One child
 * reads a whole commit; it has git's two pipes, its own, and nothing else. Private to fetch/.
 */
#ifndef GB_FETCH_GIT_READ_H
#define GB_FETCH_GIT_READ_H

#include "fetch/git_child.h"
#include "fetch/git_wire.h"

/* ---- a commit ------------------------------------------------------------------ */

/** A commit to read. */
struct git_read_commit {
	struct git_name name;
	bool modules;             /**< submodules are wanted, with their urls */
	int fds[2];               /**< git's; filled in by git_read_start() */
};
/** Starts the reader of the commit that @p git serves; it writes rows (git_wire.h). @p c must live, and stay where it is, as long as it. */
int git_read_start(struct git_read_commit *c, const struct git_child *git, struct confined *ret, struct err *err);

/* ---- what objects are ------------------------------------------------------------- */

/** Most objects asked for at once. */
#define GIT_PEEL_MAX 300

/** What an object is, or names as a tag. */
struct git_peeled {
	struct git_name commit;   /**< empty: no commit */
	int64_t time;             /**< the committer's, where it was asked for */
};
/** Follows each of @p n names to the commit that it is or names; of the first, the time too, where @p timed. */
int git_read_peel(const struct git_child *git, const struct git_name *names, size_t n, bool timed, struct git_peeled *ret, struct err *err);

/* ---- refs ---------------------------------------------------------------------------- */

/** Gives a struct git_ref and its name, with its NUL, for each line of the packed-refs file @p fd that is one. */
int git_read_packed(int fd, struct buf *ret, struct err *err);
struct git_ref {
	struct git_name name;
	uint32_t ref_size;        /**< bytes of what follows, NUL and all */
};
/** Takes the next of them at *at, which moves on. @return false at the end, or before what is none. @p ret_ref is borrowed. */
bool git_ref_next(const struct buf *refs, size_t *at, struct git_name *ret, const char **ret_ref);

/** Looks @p names (NULL: not that one) up in an answer of git-ls-remote(1); what a tag peels to stands for it. @p ret: empty where there is none. */
int git_read_remote(const struct buf *answer, char *const *names, size_t n, struct git_name *ret, struct err *err);

/* ---- for tests: what runs in the children ------------------------------------------------ */

/** Appends the refs of the text of a packed-refs file. */
void git_packed_parse(const char *text, size_t n, struct buf *ret);
/** The same look-up here. */
void git_remote_parse(const char *text, size_t len, char *const *names, size_t n, struct git_name *ret);

#endif

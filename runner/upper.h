/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file upper.h
 * The upper of the build's overlay, which is the tests' lower: written down so that it can be laid out again just as it was. Private to runner/.
 *
 * Contents are kept as a tree of their own, a part of the output's; a text beside it, the state, has what trees have not: modes, times,
 * hard links, special files, and overlayfs's marks for what was removed. It has an entry for each path of the upper, sorted bytewise:
 *
 *     TYPE MODE SECONDS.NANOSECONDS PATH NUL        and for a type h:  TARGET NUL
 *
 * TYPE: d a directory, o one that hides what is below it, f a file, l a link, h another name of the file TARGET, p a fifo, s a socket,
 * w a whiteout. MODE: octal, with setuid and setgid.
 */
#ifndef GB_RUNNER_UPPER_H
#define GB_RUNNER_UPPER_H

#include "store/store.h"

/** Most bytes of a state; more is not written down. */
#define UPPER_STATE_MAX (64u << 20)

struct upper {
	struct digest tree;   /**< contents, in normal form */
	struct digest state;  /**< object: the text */
};

/** Writes down the upper @p dirfd, with contents by what @p output, the tree of its merged view, says of them: nothing is read again. Nobody is alive
 *  in it. ERR_INPUT: it has something that could not be laid out again (another kind of file, extended attributes), or is too large. */
int upper_record(struct store *store, int dirfd, const struct digest *output, struct upper *ret, struct err *err);

/** Lays it out below @p dirfd (an existing empty directory); contents and state are verified. ERR_INPUT: they are damaged. */
int upper_lay_out(struct store *store, const struct upper *upper, int dirfd, struct err *err);

#endif

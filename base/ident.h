/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ident.h
 * Whose rights this process works with (design.md, fact 6; credentials(7)).
 *
 * Started by an ordinary user (or by uid 0 of a single-id user namespace):
 * everything is done as that user and all of this does nothing. Started by real
 * root: the process works as an unprivileged step user, by effective and file
 * system ids, and takes root's rights back only inside the two brackets below:
 * to read inputs, and to write the out directory. Single-threaded by contract:
 * ids are a property of a thread.
 */
#ifndef GB_IDENT_H
#define GB_IDENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/** The step user that real root gets where neither --step-user nor the store names one:
 *  an id that no distribution assigns to a person or a service. */
#define IDENT_STEP_ID 65530

/** Who runs, decided once. */
struct ident {
	bool real_root;   /**< the caller is uid 0 and its uid_map maps more than id 0 */
	uid_t caller_uid; /**< who started glovebox */
	gid_t caller_gid;
	uid_t step_uid;   /**< host ids that steps, store and scratch have */
	gid_t step_gid;
};

/** Finds out who runs; changes nothing. For real root, step ids are IDENT_STEP_ID until set by the caller. */
int ident_detect(struct ident *ret, struct err *err);

/** For real root: drops supplementary groups and becomes the step user in effective
 *  and file system ids, keeping root in reserve: the real and saved ids stay 0. So access(2) must not
 *  be asked (faccessat with AT_EACCESS tells the truth), and a child gives up the real and saved ids
 *  for good before it runs anything: exec(2) would let it become root again. step ids of 0 are refused (ERR_USAGE).
 *  Otherwise nothing. */
int ident_drop(const struct ident *id, struct err *err);

/** Begins and ends reading inputs: root's CAP_DAC_READ_SEARCH beside the step user's ids (where a
 *  container has left root only CAP_DAC_OVERRIDE, that; where neither, nothing is gained), and CAP_LEASE,
 *  by which one learns that nobody has a file open for writing, whosever it is. The
 *  brackets do not nest, neither in themselves nor in the other. When an end fails, the process
 *  holds more rights than it should: do no more work. */
int ident_read_begin(const struct ident *id, struct err *err);
int ident_read_end(const struct ident *id, struct err *err);

/** Begins and ends writing as the caller: the caller's uid and gid, so that what is made belongs to the caller. */
int ident_caller_begin(const struct ident *id, struct err *err);
int ident_caller_end(const struct ident *id, struct err *err);

/** End a bracket after work that gave @p result (0, or -1 with @p err set): @return that result, or -1 when only
 *  the end failed. The first failure is the one that is told. */
int ident_read_done(const struct ident *id, int result, struct err *err);
int ident_caller_done(const struct ident *id, int result, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file signed.h
 * Commands that sign what they found: --WHAT FILE, --WHAT-key KEY and --verifier-id URI go together. Private to cli/.
 */
#ifndef GB_CLI_SIGNED_H
#define GB_CLI_SIGNED_H

#include "cli/cli.h"
#include "runner/signer.h"

/** Starts the process that holds the key of option @p key, where the options are given: before anything from outside is looked at.
 *  SIGNER_NONE stays where option @p what is not. ERR_USAGE where one is given without the others. */
int cli_signer_start(const struct args *args, const char *what, const char *key, struct signer *ret, struct err *err);

/** Signs the statement and writes the bundle to @p path, which appears whole; with the caller's rights where a store has been opened
 *  (store_ident()), NULL: nothing was given up yet. */
int cli_write_signed(const struct signer *signer, const struct ident *id, const struct buf *statement, const char *path, struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file signing_key.h
 * The signing key, kept out of this process until it is time to sign: the sandbox's
 * init starts as a copy of this process's memory. Private to runner/.
 */
#ifndef GB_RUNNER_SIGNING_KEY_H
#define GB_RUNNER_SIGNING_KEY_H

#include "attest/attest.h"

/** Reads the private key @p path with the caller's right to read. */
int signing_key_load(const struct ident *id, const char *path, struct key **ret, struct err *err);

/** Finds out, in a process of its own whose memory is gone afterwards, whether @p path is a key to sign with, and its id. */
int signing_key_id(const struct ident *id, const char *path, char ret[45], struct err *err);

#endif

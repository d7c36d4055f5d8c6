/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file signer.h
 * The signing key, in a process of its own from before the first step until it has signed:
 * the sandbox's init starts as a copy of this process's memory, and an encrypted key's
 * passphrase is asked for once. Neither the key nor the passphrase is ever in this
 * process. The other is reached by one socket, which no step gets; it signs statements
 * and nothing else; its memory cannot be looked into; and it ends with this process.
 * Private to runner/.
 */
#ifndef GB_RUNNER_SIGNER_H
#define GB_RUNNER_SIGNER_H

#include "attest/attest.h"
#include "runner/runner.h"

struct signer {
	struct apart apart;
	char key_id[45];
};
#define SIGNER_NONE ((struct signer){ .apart = APART_NONE })

/** Reads the private key @p path with the caller's right to read, in the new process, which asks @p passphrase (may be NULL)
 *  where the key is encrypted. ERR_USAGE for what is no key to sign with, or for a wrong passphrase; ERR_INTERRUPTED when
 *  @p cancel_fd (-1: none) becomes readable meanwhile. */
int signer_start(const struct ident *id, const char *path, const struct key_passphrase *passphrase, int cancel_fd,
		 struct signer *ret, struct err *err);

/** Appends the bundle over a statement: attest_sign(). */
int signer_sign(const struct signer *signer, const struct buf *statement, struct buf *bundle, struct err *err);

/** Ends the process. Nothing on SIGNER_NONE. */
void signer_end(struct signer *signer);
#define auto_signer __attribute__((cleanup(signer_end))) struct signer

#endif

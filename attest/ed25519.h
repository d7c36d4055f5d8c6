/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ed25519.h
 * What libcrypto does not ask of Ed25519's numbers (RFC 8032, section 5.1): that an
 * encoding is the only one of its point, and that the point is not one of the eight
 * that any signature fits. A message, key and signature then have one form.
 */
#ifndef GB_ATTEST_ED25519_H
#define GB_ATTEST_ED25519_H

#include <stdbool.h>
#include <stdint.h>

#define ED25519_POINT_LEN 32
#define ED25519_SIGNATURE_LEN 64

/** Whether the bytes are the encoding of a point whose y is reduced (section 5.1.3), and that is not of small order. */
bool ed25519_is_plain(const uint8_t point[static ED25519_POINT_LEN]);

/** Whether they are that, and the point lies on the curve. False also when memory is short. */
bool ed25519_is_point(const uint8_t point[static ED25519_POINT_LEN]);

/** Whether the second half of a signature, S, is below the order of the group (section 5.1.7): with S + L it would verify, too. */
bool ed25519_is_reduced(const uint8_t signature[static ED25519_SIGNATURE_LEN]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/** @file below.h What a layer being written asks of the layers below it. Private to oci/. */
#ifndef GB_OCI_BELOW_H
#define GB_OCI_BELOW_H

#include "oci/oci.h"

/** The next layer is written. */
void below_next_layer(struct oci_below *below);
/** Checks an entry of it, and remembers what must be known of it. ERR_INPUT. */
int below_check(struct oci_below *below, const struct oci_entry *e, struct err *err);

#endif

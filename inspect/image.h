/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file image.h
 * Two images. Private to inspect/.
 */
#ifndef GB_INSPECT_IMAGE_H
#define GB_INSPECT_IMAGE_H

#include "inspect/look.h"
#include "oci/foreign.h"

/** Puts into @p node where two images differ: config and history, and layers. A layer that both sides give the same digest is not read,
 *  so a blob that is not what its name says is not noticed: verify(1) and import look at that. */
int image_compare(struct look *l, json_t *node, const struct oci_foreign *a, const struct oci_files *files_a, const struct oci_foreign *b,
		  const struct oci_files *files_b, struct err *err);
/** Two documents of JSON, member by member. */
void image_compare_json(struct look *l, json_t *node, const json_t *a, const json_t *b);

#endif

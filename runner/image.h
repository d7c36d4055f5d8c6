/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file image.h
 * From trees to image.tar. Private to runner/.
 */
#ifndef GB_RUNNER_IMAGE_H
#define GB_RUNNER_IMAGE_H

#include "oci/oci.h"
#include "runner/plan.h"

/** What was made. */
struct built_image {
	struct digest manifest;
	struct digest tar;       /**< SHA-256 of image.tar */
	uint64_t tar_size;
};

/** Packs the image that @p plan asks for: the base's tree (if any) as first layer, @p output at @p output_path as the next; writes
 *  it to @p image_fd (empty, readable). Layers are built in @p scratch. */
int image_build(struct store *store, const struct plan *plan, const struct digest *output, const char *output_path,
		int scratch_fd, int image_fd, int cancel_fd, struct built_image *ret, struct err *err);

#endif

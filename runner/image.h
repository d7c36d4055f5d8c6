/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file image.h
 * From a plan and what its build left to image.tar. Private to runner/.
 */
#ifndef GB_RUNNER_IMAGE_H
#define GB_RUNNER_IMAGE_H

#include "runner/pack.h"
#include "runner/plan.h"

/** Packs the image that @p plan asks for: the base (if any), then the spec's layers, or @p output at @p output_path where it names none; writes
 *  it to @p image_fd (empty, readable). Layers are built in @p scratch. */
int image_build(struct store *store, const struct plan *plan, const struct digest *output, const char *output_path,
		int scratch_fd, int image_fd, int cancel_fd, struct built_image *ret, struct err *err);

/** How the plan's layers are stored. */
enum oci_compression image_codec(const struct plan *plan);

/** The plan's layers as provenance tells them, [{from, to, tree}]: new reference, or NULL when memory is short. @p output NULL: without the
 *  tree of what is not built yet. */
json_t *image_layers_json(const struct plan *plan, const struct digest *output);

/** A tree of the image's own, and where it stands. */
struct image_tree {
	struct digest tree;
	const char *to;
};
/** The trees of the layers that image_build() puts on the base's, in order: free() the list. */
int image_trees(const struct plan *plan, const struct digest *output, const char *output_path, struct image_tree **ret, size_t *ret_n,
		struct err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file above.h
 * The directories that a path lies in, for who goes through the sorted paths (import_path_order()) of layers that hide each other. Private to
 * inspect/.
 */
#ifndef GB_INSPECT_ABOVE_H
#define GB_INSPECT_ABOVE_H

#include <stddef.h>

#include "oci/tar.h"

/** Zero-initialise but for `root`. Paths of trees and of layers have no more names than there is room for. */
struct above {
	struct {
		const char *path;   /**< borrowed */
		size_t floor;       /**< what layers below this one have below it is hidden */
	} v[TAR_PATH_MAX / 2 + 1];
	size_t n;
	size_t root;                /**< the floor of what lies in no other path */
};

/** Goes on to @p path. @return the floor of the innermost path that it lies in. */
size_t above_floor(struct above *a, const char *path);
/** Notes the path that was gone to, for those below it. */
void above_note(struct above *a, const char *path, size_t floor);

#endif
